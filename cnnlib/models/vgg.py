"""VGG: Simonyan, Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition" (2014).

arXiv:1409.1556.

Twins of torchvision's networks, also those with batch norm, which is younger than the paper. Initialisation:
torchvision's, He's normal distribution in the convolutions and a deviation of 0.01 in the linear layers. Images larger
than 224×224 are averaged to 7×7 maps, as torchvision does; the paper runs the linear layers as convolutions.
"""

from torch import Tensor, nn

__all__ = [
    "vgg11",
    "vgg11_bn",
    "vgg11_cifar",
    "vgg13",
    "vgg13_bn",
    "vgg16",
    "vgg16_bn",
    "vgg19",
    "vgg19_bn",
    "vgg_cifar",
]

# Table 1: how many 3×3 convolutions each of the five blocks has. A pool ends each block.
CHANNELS = (64, 128, 256, 512, 512)
CONFIGURATIONS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}  # A, B, D, E


class VGG(nn.Module):
    """Five blocks of 3×3 convolutions, then the classifier."""

    def __init__(self, features: nn.Sequential, classifier: nn.Sequential) -> None:
        super().__init__()
        self.features = features
        self.classifier = classifier
        self.apply(initialise)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))


def block(in_channels: int, channels: int, depth: int, batch_norm: bool) -> nn.Sequential:
    """`depth` convolutions that keep the maps' size, and a pool that halves it. Biases stay beside a batch norm."""
    layers = []
    for _ in range(depth):
        layers.append(nn.Conv2d(in_channels, channels, 3, padding=1))
        layers += [nn.BatchNorm2d(channels)] if batch_norm else []
        layers.append(nn.ReLU(inplace=True))
        in_channels = channels
    return nn.Sequential(*layers, nn.MaxPool2d(2))


def blocks(depth: int, batch_norm: bool, in_channels: int = 3, narrow: int = 1) -> nn.Sequential:
    """The five blocks of the configuration with `depth` weight layers, all channels divided by `narrow`."""
    features = nn.Sequential()
    for number, (channels, convolutions) in enumerate(zip(CHANNELS, CONFIGURATIONS[depth]), start=1):
        features.add_module(f"block{number}", block(in_channels, channels // narrow, convolutions, batch_norm))
        in_channels = channels // narrow
    return features


def initialise(layer: nn.Module) -> None:
    """torchvision's initialisation of one layer."""
    if isinstance(layer, nn.Conv2d):
        nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
        nn.init.zeros_(layer.bias)
    elif isinstance(layer, nn.Linear):
        nn.init.normal_(layer.weight, std=0.01)
        nn.init.zeros_(layer.bias)


def vgg(depth: int, num_classes: int, batch_norm: bool = False) -> VGG:
    """The network with `depth` weight layers for 224×224 images: dropout follows each hidden layer."""
    classifier = nn.Sequential(
        nn.AdaptiveAvgPool2d(7),
        nn.Flatten(),
        nn.Linear(512 * 7 * 7, 4096),
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
        nn.Linear(4096, 4096),
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
        nn.Linear(4096, num_classes),
    )
    return VGG(blocks(depth, batch_norm), classifier)


def vgg11(num_classes: int = 1000) -> VGG:
    """Configuration A: 132,863,336 parameters."""
    return vgg(11, num_classes)


def vgg13(num_classes: int = 1000) -> VGG:
    """Configuration B: 133,047,848 parameters."""
    return vgg(13, num_classes)


def vgg16(num_classes: int = 1000) -> VGG:
    """Configuration D: 138,357,544 parameters."""
    return vgg(16, num_classes)


def vgg19(num_classes: int = 1000) -> VGG:
    """Configuration E: 143,667,240 parameters."""
    return vgg(19, num_classes)


def vgg11_bn(num_classes: int = 1000) -> VGG:
    """Configuration A with batch norm: 132,868,840 parameters."""
    return vgg(11, num_classes, batch_norm=True)


def vgg13_bn(num_classes: int = 1000) -> VGG:
    """Configuration B with batch norm: 133,053,736 parameters."""
    return vgg(13, num_classes, batch_norm=True)


def vgg16_bn(num_classes: int = 1000) -> VGG:
    """Configuration D with batch norm: 138,365,992 parameters."""
    return vgg(16, num_classes, batch_norm=True)


def vgg19_bn(num_classes: int = 1000) -> VGG:
    """Configuration E with batch norm: 143,678,248 parameters."""
    return vgg(19, num_classes, batch_norm=True)


def vgg11_cifar(in_channels: int = 3, num_classes: int = 10) -> VGG:
    """The "simplified VGG": configuration A with batch norm and one linear layer, 9,231,114 parameters."""
    return VGG(blocks(11, True, in_channels), nn.Sequential(nn.Flatten(), nn.Linear(512, num_classes)))


def vgg_cifar(in_channels: int = 3, num_classes: int = 10) -> VGG:
    """`vgg11_cifar` with a quarter of its channels: 579,786 parameters."""
    return VGG(blocks(11, True, in_channels, 4), nn.Sequential(nn.Flatten(), nn.Linear(128, num_classes)))
