"""ZFNet: Zeiler, Fergus, "Visualizing and Understanding Convolutional Networks" (2013), arXiv:1311.2901.

AlexNet with a finer first layer (7×7 of stride 2 instead of 11×11 of stride 4), a stride in the second, and no groups.
This is the base network of Figure 3; the widths 512-1024-512 of C3 to C5 belong to a later variant. The "contrast
normalisation across maps" is AlexNet's local response normalisation, here after the pool. Pools round up, as the
figure's sizes 55 and 13 demand. Initialisation: the paper sets all weights "to 10^-2", here the deviation of the last
layer only; the others have He's normal distribution, since with 0.01 the small net stays at chance. Biases 0.
"""

from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor, nn

__all__ = ["zfnet", "zfnet_cifar"]

# Figure 3: output channels, kernel, stride, padding of C1 to C5. The first three sizes of maps: 110, 26, 13.
FIGURE_3 = ((96, 7, 2, 1), (256, 5, 2, 0), (384, 3, 1, 1), (384, 3, 1, 1), (256, 3, 1, 1))
CIFAR = ((24, 3, 1, 1), (64, 5, 2, 2), (96, 3, 1, 1), (96, 3, 1, 1), (64, 3, 1, 1))
POOLED, NORMALISED = (1, 2, 5), (1, 2)


class ZFNet(nn.Module):
    """Five convolutions, three of them pooled, and three fully connected layers; `side` is that of the last maps."""

    def __init__(
        self, in_channels: int, rows: Sequence[tuple[int, ...]], side: int, hidden: int, num_classes: int
    ) -> None:
        super().__init__()
        layers = OrderedDict()
        for number, (channels, kernel_size, stride, padding) in enumerate(rows, start=1):
            layers[f"conv{number}"] = nn.Conv2d(in_channels, channels, kernel_size, stride, padding)
            layers[f"relu{number}"] = nn.ReLU(inplace=True)
            if number in POOLED:
                layers[f"pool{number}"] = nn.MaxPool2d(3, stride=2, ceil_mode=True)
            if number in NORMALISED:
                # AlexNet's numbers. PyTorch divides alpha by the five maps of the window, the paper does not.
                layers[f"norm{number}"] = nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2)
            in_channels = channels
        self.features = nn.Sequential(layers)
        self.classifier = classifier(in_channels * side * side, hidden, num_classes)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)
        nn.init.normal_(self.classifier[-1].weight, std=0.01)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))


def classifier(in_features: int, hidden: int, num_classes: int) -> nn.Sequential:
    """Three fully connected layers, dropout on the outputs of the two hidden ones."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(in_features, hidden),
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
        nn.Linear(hidden, hidden),
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
        nn.Linear(hidden, num_classes),
    )


def zfnet(num_classes: int = 1000) -> ZFNet:
    """ZFNet for 224×224 images: 62,357,608 parameters."""
    return ZFNet(3, FIGURE_3, 6, 4096, num_classes)


def zfnet_cifar(in_channels: int = 3, num_classes: int = 10) -> ZFNet:
    """ZFNet for 32×32 images: a 3×3 stem without stride, a quarter of the maps, 256 hidden units."""
    return ZFNet(in_channels, CIFAR, 2, 256, num_classes)
