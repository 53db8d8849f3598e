"""Network in Network: Lin, Chen, Yan, "Network In Network" (2013), arXiv:1312.4400.

The widths are those of the authors' configuration files: the CIFAR-10 net, and the ImageNet net of the Caffe model
zoo. Dropout is the paper's: on the outputs of all mlpconv layers but the last (the file of the ImageNet net has only
the third). Pools take the maximum, as the paper says (in the CIFAR-10 file the second averages), and round up, as the
authors' software does. No batch norm: it came two years later.

Two deviations let it leave chance within a few dozen steps. The maps of the classes are not rectified: a class that is
zero on every image would get no gradient. And the kernels begin with mean zero, see `initialise`. Even so, peak
learning rates stay at 0.01 or below.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = ["nin", "nin_cifar"]

# Kernel, stride, padding of each mlpconv layer's first convolution, and the widths of it and the 1×1 ones after it.
# The last 1×1 convolution, one map a class, is the classifier's.
IMAGENET = ((11, 4, 0, (96, 96, 96)), (5, 1, 2, (256, 256, 256)), (3, 1, 1, (384, 384, 384)), (3, 1, 1, (1024, 1024)))
CIFAR = ((5, 1, 2, (192, 160, 96)), (5, 1, 2, (192, 192, 192)), (3, 1, 1, (192, 192)))


class NiN(nn.Module):
    """Stacked mlpconv layers, the last with one map a class; the average of each map is that class's logit."""

    def __init__(self, in_channels: int, rows: Sequence[tuple], num_classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential()
        for number, (kernel_size, stride, padding, widths) in enumerate(rows, start=1):
            self.features.add_module(f"mlpconv{number}", mlpconv(in_channels, kernel_size, stride, padding, widths))
            if number < len(rows):
                self.features.add_module(f"pool{number}", nn.MaxPool2d(3, stride=2, ceil_mode=True))
                self.features.add_module(f"dropout{number}", nn.Dropout(0.5))
            in_channels = widths[-1]
        self.classifier = nn.Sequential(nn.Conv2d(in_channels, num_classes, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))


def mlpconv(in_channels: int, kernel_size: int, stride: int, padding: int, widths: Sequence[int]) -> nn.Sequential:
    """A convolution, then 1×1 convolutions: a small fully connected net that slides over the maps (Figure 1b)."""
    first, *rest = widths
    layers = [nn.Conv2d(in_channels, first, kernel_size, stride, padding), nn.ReLU(inplace=True)]
    for before, width in zip(widths, rest):
        layers += [nn.Conv2d(before, width, 1), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


@torch.no_grad()
def initialise(model: NiN) -> None:
    """He's normal distribution, biases 0, and from the second convolution on each kernel shifted to mean zero.

    What a rectifier lets through is positive, so a kernel sees above all the mean of its inputs. Layer by layer that
    mean takes over, until all images have nearly the same logits and the network stays at chance.
    """
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d)]
    for number, layer in enumerate(layers, start=1):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        nn.init.zeros_(layer.bias)
        if number > 1:
            layer.weight -= layer.weight.mean((1, 2, 3), keepdim=True)


def nin(num_classes: int = 1000) -> NiN:
    """NiN for 224×224 images: 7,595,176 parameters."""
    return NiN(3, IMAGENET, num_classes)


def nin_cifar(in_channels: int = 3, num_classes: int = 10) -> NiN:
    """The paper's net for CIFAR-10: 966,986 parameters."""
    return NiN(in_channels, CIFAR, num_classes)
