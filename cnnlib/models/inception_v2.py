"""Inception v2, or BN-Inception: Ioffe, Szegedy, "Batch Normalization" (2015), arXiv:1502.03167.

GoogLeNet with batch norm, and two 3×3 convolutions where that has 5×5. (The paper on v3 calls another net v2.)
The paper's Figure 5 prints "avg + 128" for 4c and 4d, but 576 output channels, which need 96; so does its authors'
TensorFlow code, and so do we. The table adds up to 11.2 million parameters, the text says 13.6. As in that code the
norms' eps is 1e-3 and the first convolution is separable; as in the text there is no dropout. PyTorch initialises.
"""

from collections import OrderedDict
from functools import partial

from torch import Tensor, nn

from cnnlib.layers import Concat, ConvNormAct, linear_classifier

__all__ = ["inception_v2", "inception_v2_cifar"]

AVG, MAX = nn.AvgPool2d, nn.MaxPool2d
conv = partial(ConvNormAct, eps=1e-3)

# Figure 5: output channels of each branch; "reduce" is the 1×1 convolution before, "double" two 3×3.
#        1×1, 3×3 reduce, 3×3, double reduce, double, pool, channels after it
MODULES = {
    "3a": (64, 64, 64, 64, 96, AVG, 32),
    "3b": (64, 64, 96, 64, 96, AVG, 64),
    "3c": (0, 128, 160, 64, 96, MAX, 0),  # no 1×1, the pool passes its input on: this module halves the map
    "4a": (224, 64, 96, 96, 128, AVG, 128),
    "4b": (192, 96, 128, 96, 128, AVG, 128),
    "4c": (160, 128, 160, 128, 160, AVG, 96),
    "4d": (96, 128, 192, 160, 192, AVG, 96),
    "4e": (0, 128, 192, 192, 256, MAX, 0),
    "5a": (352, 192, 320, 160, 224, AVG, 128),
    "5b": (352, 192, 320, 192, 224, MAX, 128),
}
Row = tuple[int, int, int, int, int, type[nn.Module], int]


def inception(in_channels: int, row: Row) -> Concat:
    """Four views of one map: 1×1, 3×3, twice 3×3, pooled."""
    c1, reduce3, c3, reduce_double, double, pool, pooled = row
    return Concat(
        conv(in_channels, c1, 1),
        nn.Sequential(conv(in_channels, reduce3, 1), conv(reduce3, c3, 3)),
        nn.Sequential(conv(in_channels, reduce_double, 1), conv(reduce_double, double, 3), conv(double, double, 3)),
        nn.Sequential(pool(3, stride=1, padding=1), conv(in_channels, pooled, 1)),
    )


def reduction(in_channels: int, row: Row) -> Concat:
    """Halve the map: the last layer of each branch has stride 2, and the pooled input passes through."""
    _, reduce3, c3, reduce_double, double, pool, _ = row
    return Concat(
        nn.Sequential(conv(in_channels, reduce3, 1), conv(reduce3, c3, 3, 2)),
        nn.Sequential(conv(in_channels, reduce_double, 1), conv(reduce_double, double, 3), conv(double, double, 3, 2)),
        pool(3, stride=2, padding=1),
    )


def separable_conv(in_channels: int, out_channels: int, kernel_size: int, stride: int) -> nn.Sequential:
    """Eight filters for each input channel on its own, then a 1×1 convolution (appendix: "depth multiplier 8")."""
    between = 8 * in_channels
    filters = nn.Conv2d(
        in_channels, between, kernel_size, stride, padding=kernel_size // 2, groups=in_channels, bias=False
    )
    return nn.Sequential(filters, conv(between, out_channels, 1))


class InceptionV2(nn.Module):
    """A stem, then the ten modules of Figure 5, two of which halve the map, their channels divided by `divisor`."""

    def __init__(self, stem: OrderedDict[str, nn.Module], num_classes: int, divisor: int = 1) -> None:
        super().__init__()
        self.features = nn.Sequential(stem)
        channels = 192 // divisor
        for name, full in MODULES.items():
            row = tuple(width // divisor if isinstance(width, int) else width for width in full)
            c1, _, c3, _, double, _, pooled = row
            block = inception if c1 else reduction
            self.features.add_module(f"inception_{name}", block(channels, row))
            channels = c1 + c3 + double + (pooled or channels)
        self.classifier = linear_classifier(channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))


def inception_v2(num_classes: int = 1000) -> InceptionV2:
    """The network of Figure 5."""
    stem = OrderedDict(
        conv1=separable_conv(3, 64, 7, 2),
        pool1=nn.MaxPool2d(3, 2, padding=1),
        conv2_reduce=conv(64, 64, 1),
        conv2=conv(64, 192, 3),
        pool2=nn.MaxPool2d(3, 2, padding=1),
    )
    return InceptionV2(stem, num_classes)


def inception_v2_cifar(in_channels: int = 3, num_classes: int = 10) -> InceptionV2:
    """All ten modules with a quarter of the channels, behind one 3×3 convolution: maps of 32, 16 and 8 pixels."""
    return InceptionV2(OrderedDict(conv2=conv(in_channels, 192 // 4, 3)), num_classes, divisor=4)
