"""LeNet: LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document Recognition" (1998).

`lenet` is the net that most courses of today draw: the paper's sizes, but full connections from S2 to C3 (2,416
parameters instead of 1,516), max pooling, ReLU, and a linear output with cross-entropy.
"""

from torch import Tensor, nn

__all__ = ["lenet"]

# Output channels of C1 and C3; units of C5, F6.
CONVOLUTIONS, UNITS = (6, 16), (120, 84)


class LeNet(nn.Module):
    """Two 5×5 convolutions, each pooled by two, and three fully connected layers, for 32×32 images."""

    def __init__(self, in_channels: int = 1, num_classes: int = 10) -> None:
        super().__init__()
        c1, c3 = CONVOLUTIONS
        c5, f6 = UNITS
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, c1, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(c1, c3, 5), nn.ReLU(), nn.MaxPool2d(2)
        )
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Linear(c3 * 5 * 5, c5), nn.ReLU(), nn.Linear(c5, f6), nn.ReLU(), nn.Linear(f6, num_classes)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))


def lenet(in_channels: int = 1, num_classes: int = 10) -> LeNet:
    """Today's LeNet: 61,706 parameters with one input channel, 62,006 with three."""
    return LeNet(in_channels, num_classes)
