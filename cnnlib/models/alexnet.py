"""AlexNet, twice, both by Krizhevsky: two towers (2012) and one (2014).

`alexnet_2012`: Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural Networks"
(2012). Each tower ran on a graphics card of its own; of its convolutions C3 alone saw the other one's maps: two groups
in C2, C4, C5. (The response normalisation here looks across the border between the towers.)
The paper says 224×224 pixels and 55×55 maps after an 11×11 kernel of stride 4; without padding that is 54. Padding by
two gives 55. Initialisation: the paper's.

`alexnet`: "One weird trick for parallelizing convolutional neural networks" (2014), arXiv:1404.5997, as torchvision has
it. Its fourth convolution has 256 maps as in Krizhevsky's own configuration file; the paper's footnote says 384. That
file normalises after the first two convolutions, does not pad the first, and drops outputs of the hidden layers; here,
as in torchvision, nothing normalises, the first is padded, and dropout comes before the hidden layers. Initialisation:
PyTorch's.

`alexnet_cifar` stays at chance for epochs with either of these: it begins with He's normal distribution, and 0.01 in
the last layer.
"""

from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor, nn

__all__ = ["alexnet", "alexnet_2012", "alexnet_cifar"]

# Output channels, kernel, stride, padding, groups of C1 to C5: section 3.5 and Figure 2 of 2012.
TWO_TOWERS = ((96, 11, 4, 2, 1), (256, 5, 1, 2, 2), (384, 3, 1, 1, 1), (384, 3, 1, 1, 2), (256, 3, 1, 1, 2))
ONE_TOWER = ((64, 11, 4, 2, 1), (192, 5, 1, 2, 1), (384, 3, 1, 1, 1), (256, 3, 1, 1, 1), (256, 3, 1, 1, 1))
CIFAR = ((16, 5, 1, 2, 1), (48, 5, 1, 2, 1), (96, 3, 1, 1, 1), (64, 3, 1, 1, 1), (64, 3, 1, 1, 1))
POOLED, NORMALISED = (1, 2, 5), (1, 2)


class AlexNet(nn.Module):
    """Five convolutions, three of them pooled, and three fully connected layers."""

    def __init__(self, features: nn.Sequential, classifier: nn.Sequential) -> None:
        super().__init__()
        self.features = features
        self.classifier = classifier

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))


def convolutions(in_channels: int, rows: Sequence[tuple[int, ...]], normalised: Sequence[int] = ()) -> nn.Sequential:
    """The five convolutions. Pooling overlaps: windows of three, two apart."""
    layers = OrderedDict()
    for number, (channels, kernel_size, stride, padding, groups) in enumerate(rows, start=1):
        layers[f"conv{number}"] = nn.Conv2d(in_channels, channels, kernel_size, stride, padding, groups=groups)
        layers[f"relu{number}"] = nn.ReLU(inplace=True)
        if number in normalised:
            # Section 3.3: k = 2, n = 5, alpha = 1e-4, beta = 0.75. PyTorch divides alpha by n, the paper does not.
            layers[f"norm{number}"] = nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2)
        if number in POOLED:
            layers[f"pool{number}"] = nn.MaxPool2d(3, stride=2)
        in_channels = channels
    return nn.Sequential(layers)


def classifier_2012(in_features: int, hidden: int, num_classes: int) -> nn.Sequential:
    """Dropout on the outputs of the two hidden layers, as the paper has it."""
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


def classifier_2014(channels: int, side: int, hidden: int, num_classes: int) -> nn.Sequential:
    """Dropout before each hidden layer, as torchvision has it; maps of any size are averaged to side×side."""
    return nn.Sequential(
        nn.AdaptiveAvgPool2d(side),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(channels * side * side, hidden),
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
        nn.Linear(hidden, hidden),
        nn.ReLU(inplace=True),
        nn.Linear(hidden, num_classes),
    )


def initialise_2012(model: AlexNet) -> None:
    """Section 5: weights from a normal distribution of deviation 0.01; biases 1 in C2, C4, C5, F6 and F7, else 0."""
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    for number, layer in enumerate(layers, start=1):
        nn.init.normal_(layer.weight, std=0.01)
        nn.init.constant_(layer.bias, 1 if number in (2, 4, 5, 6, 7) else 0)


def initialise_cifar(model: AlexNet) -> None:
    """He's normal distribution, but a deviation of 0.01 in the last layer: all classes begin equal. Biases 0."""
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    nn.init.normal_(model.classifier[-1].weight, std=0.01)


def alexnet(num_classes: int = 1000) -> AlexNet:
    """AlexNet of 2014, one tower, for 224×224 images: torchvision's, 61,100,840 parameters."""
    return AlexNet(convolutions(3, ONE_TOWER), classifier_2014(256, 6, 4096, num_classes))


def alexnet_2012(num_classes: int = 1000) -> AlexNet:
    """AlexNet of 2012, two towers, for 224×224 images: 60,965,224 parameters."""
    model = AlexNet(convolutions(3, TWO_TOWERS, NORMALISED), classifier_2012(256 * 6 * 6, 4096, num_classes))
    initialise_2012(model)
    return model


def alexnet_cifar(in_channels: int = 3, num_classes: int = 10) -> AlexNet:
    """One tower for 32×32 images: a 5×5 stem without stride, a quarter of the maps, 256 hidden units."""
    model = AlexNet(convolutions(in_channels, CIFAR), classifier_2014(64, 3, 256, num_classes))
    initialise_cifar(model)
    return model
