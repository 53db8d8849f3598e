"""The two nets of the pixel-shuffle test: equally many parameters, one fully connected, one convolutional.

Sizes after the exercise of the NYU deep learning course (Canziani, LeCun, 2020): 6,442 and 6,422 parameters.
Both take images as they are, without padding.
"""

from torch import Tensor, nn

__all__ = ["cnn", "mlp"]


class MLP(nn.Module):
    """Three fully connected layers: two hidden ones with so many units each, then the classes."""

    def __init__(self, in_channels: int, image_size: int, num_classes: int, units: int) -> None:
        super().__init__()
        pixels = in_channels * image_size**2
        self.hidden = nn.Sequential(
            nn.Flatten(), nn.Linear(pixels, units), nn.ReLU(), nn.Linear(units, units), nn.ReLU()
        )
        self.classifier = nn.Linear(units, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.hidden(x))


class SmallCNN(nn.Module):
    """Two 5×5 convolutions with six maps each, pooled by two, then 50 hidden units."""

    def __init__(self, in_channels: int, image_size: int, num_classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 6, 5), nn.ReLU(), nn.MaxPool2d(2)
        )
        side = ((image_size - 4) // 2 - 4) // 2  # 28 → 24 → 12 → 8 → 4
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Linear(6 * side * side, 50), nn.ReLU(), nn.Linear(50, num_classes)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))


def mlp(in_channels: int = 1, image_size: int = 28, num_classes: int = 10, units: int = 8) -> MLP:
    """784-8-8-10: every pixel has weights of its own."""
    return MLP(in_channels, image_size, num_classes, units)


def cnn(in_channels: int = 1, image_size: int = 28, num_classes: int = 10) -> SmallCNN:
    """The convolutional net of the pixel-shuffle test."""
    return SmallCNN(in_channels, image_size, num_classes)
