"""Inception v3: Szegedy and others, "Rethinking the Inception Architecture" (2015), arXiv:1512.00567.

The paper gives the sizes of the maps (Table 1), not the channels inside the modules; these, and the stem, are those of
the authors' TensorFlow code, as in torchvision. That code keeps one 5×5 convolution in the modules of Figure 5. Names
are the code's. The norms' eps is 1e-3. Deviations from that code: dropout 0.5 as in torchvision, there 0.2; the norms'
momentum 0.1, there 0.0003; PyTorch initialises. `cnnlib.models.googlenet`'s `auxiliary_loss` trains the net that is
built with `auxiliary=True`, with a weight of 0.3, there 0.4.
"""

from collections import OrderedDict
from functools import partial

from torch import Tensor, nn

from cnnlib.layers import Concat, ConvNormAct, linear_classifier

__all__ = ["inception_v3", "inception_v3_cifar"]

conv = partial(ConvNormAct, eps=1e-3)
Row = tuple[int, ...]


def inception_a(in_channels: int, row: Row) -> Concat:
    """1×1, 5×5, twice 3×3, pooled: for maps of 35×35 (Figure 5)."""
    c1, reduce5, c5, reduce3, c3, pooled = row
    return Concat(
        conv(in_channels, c1, 1),
        nn.Sequential(conv(in_channels, reduce5, 1), conv(reduce5, c5, 5)),
        nn.Sequential(conv(in_channels, reduce3, 1), conv(reduce3, c3, 3), conv(c3, c3, 3)),
        nn.Sequential(nn.AvgPool2d(3, stride=1, padding=1), conv(in_channels, pooled, 1)),
    )


def reduction_a(in_channels: int, row: Row) -> Concat:
    """35×35 to 17×17 (Figure 10): every branch ends with stride 2, without padding."""
    c3, reduce_double, double = row
    return Concat(
        conv(in_channels, c3, 3, 2, padding=0),
        nn.Sequential(
            conv(in_channels, reduce_double, 1), conv(reduce_double, double, 3), conv(double, double, 3, 2, padding=0)
        ),
        nn.MaxPool2d(3, 2),
    )


def inception_b(in_channels: int, row: Row) -> Concat:
    """1×1, 7×7, twice 7×7, pooled, each 7×7 as 1×7 and 7×1: for maps of 17×17 (Figure 6)."""
    out, c7 = row
    across, down = (1, 7), (7, 1)
    return Concat(
        conv(in_channels, out, 1),
        nn.Sequential(conv(in_channels, c7, 1), conv(c7, c7, across), conv(c7, out, down)),
        nn.Sequential(
            conv(in_channels, c7, 1),
            conv(c7, c7, down),
            conv(c7, c7, across),
            conv(c7, c7, down),
            conv(c7, out, across),
        ),
        nn.Sequential(nn.AvgPool2d(3, stride=1, padding=1), conv(in_channels, out, 1)),
    )


def reduction_b(in_channels: int, row: Row) -> Concat:
    """17×17 to 8×8."""
    c7, c3 = row
    return Concat(
        nn.Sequential(conv(in_channels, c7, 1), conv(c7, c3, 3, 2, padding=0)),
        nn.Sequential(
            conv(in_channels, c7, 1), conv(c7, c7, (1, 7)), conv(c7, c7, (7, 1)), conv(c7, c7, 3, 2, padding=0)
        ),
        nn.MaxPool2d(3, 2),
    )


def inception_c(in_channels: int, row: Row) -> Concat:
    """1×1, 3×3, twice 3×3, pooled; the last 3×3 is split into 1×3 beside 3×1: for maps of 8×8 (Figure 7)."""
    c1, c3, reduce_double, pooled = row

    def split() -> Concat:
        return Concat(conv(c3, c3, (1, 3)), conv(c3, c3, (3, 1)))

    return Concat(
        conv(in_channels, c1, 1),
        nn.Sequential(conv(in_channels, c3, 1), split()),
        nn.Sequential(conv(in_channels, reduce_double, 1), conv(reduce_double, c3, 3), split()),
        nn.Sequential(nn.AvgPool2d(3, stride=1, padding=1), conv(in_channels, pooled, 1)),
    )


# Each module, its channels in the order of its first line, and its output channels (Table 1).
MODULES = {
    "mixed_5b": (inception_a, (64, 48, 64, 64, 96, 32), 256),
    "mixed_5c": (inception_a, (64, 48, 64, 64, 96, 64), 288),
    "mixed_5d": (inception_a, (64, 48, 64, 64, 96, 64), 288),
    "mixed_6a": (reduction_a, (384, 64, 96), 768),
    "mixed_6b": (inception_b, (192, 128), 768),
    "mixed_6c": (inception_b, (192, 160), 768),
    "mixed_6d": (inception_b, (192, 160), 768),
    "mixed_6e": (inception_b, (192, 192), 768),
    "mixed_7a": (reduction_b, (192, 320), 1280),
    "mixed_7b": (inception_c, (320, 384, 448, 192), 2048),
    "mixed_7c": (inception_c, (320, 384, 448, 192), 2048),
}


def auxiliary_classifier(in_channels: int, num_classes: int) -> nn.Sequential:
    """The auxiliary classifier on 17×17 maps, itself with batch norm; a 5×5 convolution makes 1×1 of them."""
    return nn.Sequential(
        nn.AvgPool2d(5, stride=3),
        conv(in_channels, 128, 1),
        conv(128, 768, 5, padding=0),
        linear_classifier(768, num_classes),
    )


class InceptionV3(nn.Module):
    """A stem, then the eleven modules, their channels divided by `divisor`."""

    def __init__(
        self, stem: OrderedDict[str, nn.Module], num_classes: int, auxiliary: bool = False, divisor: int = 1
    ) -> None:
        super().__init__()
        self.features = nn.Sequential(stem)
        channels = 192 // divisor
        for name, (block, row, out_channels) in MODULES.items():
            self.features.add_module(name, block(channels, tuple(width // divisor for width in row)))
            channels = out_channels // divisor
        self.heads = nn.ModuleDict({"mixed_6e": auxiliary_classifier(768, num_classes)}) if auxiliary else {}
        self.classifier = linear_classifier(channels, num_classes, dropout=0.5)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))


def inception_v3(num_classes: int = 1000, auxiliary: bool = False) -> InceptionV3:
    """For images of 299×299: 23,834,568 parameters, 27,161,264 with the auxiliary classifier."""
    stem = OrderedDict(
        conv_1a=conv(3, 32, 3, 2, padding=0),
        conv_2a=conv(32, 32, 3, padding=0),
        conv_2b=conv(32, 64, 3),
        pool_3a=nn.MaxPool2d(3, 2),
        conv_3b=conv(64, 80, 1),
        conv_4a=conv(80, 192, 3, padding=0),
        pool_5a=nn.MaxPool2d(3, 2),
    )
    return InceptionV3(stem, num_classes, auxiliary)


def inception_v3_cifar(in_channels: int = 3, num_classes: int = 10) -> InceptionV3:
    """All eleven modules with an eighth of the channels, behind one 3×3 convolution: maps of 32, 15 and 7 pixels."""
    return InceptionV3(OrderedDict(conv_4a=conv(in_channels, 192 // 8, 3)), num_classes, divisor=8)
