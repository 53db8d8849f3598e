"""MnasNet: Tan and others, "MnasNet: Platform-Aware Neural Architecture Search for Mobile" (2018), arXiv:1807.11626.

This is the authors' B1, the net without squeeze-and-excitation, as in torchvision (the paper's Figure 7 draws A1, with
it). Deviation: the norms' momentum stays at 0.1; with the authors' 0.0003 the statistics would still be the initial
ones after a short training. Initialisation is torchvision's (He's by fan-out).
"""

from collections import OrderedDict
from functools import partial

from torch import Tensor, nn

from cnnlib.layers import ConvNormAct, linear_classifier, round_channels

__all__ = ["mnasnet0_5", "mnasnet0_75", "mnasnet1_0", "mnasnet1_3", "mnasnet_cifar"]

Row = tuple[int, int, int, int, int]
conv_norm = partial(ConvNormAct, activation=nn.Identity)  # a block ends linear

# MnasNet-B1. The separable convolution before these rows has 16 channels, the stem 32, the last 1×1 convolution 1280.
STAGES: tuple[Row, ...] = (
    # kernel, expansion, channels, blocks, stride of the first
    (3, 3,  24, 3, 2),
    (5, 3,  40, 3, 2),
    (5, 6,  80, 3, 2),
    (3, 6,  96, 2, 1),
    (5, 6, 192, 4, 2),
    (3, 6, 320, 1, 1),
)  # fmt: skip
CIFAR_STAGES = ((3, 3, 24, 3, 1), *STAGES[1:])


class Skip(nn.Module):
    """Add the branch's output to its input; no activation after the sum."""

    def __init__(self, branch: nn.Module) -> None:
        super().__init__()
        self.branch = branch

    def forward(self, x: Tensor) -> Tensor:
        return self.branch(x).add_(x)  # in the memory of the branch


def separable(in_channels: int, out_channels: int) -> nn.Sequential:
    """3×3 on each channel by itself, then a linear 1×1 (SepConv)."""
    return nn.Sequential(
        ConvNormAct(in_channels, in_channels, 3, groups=in_channels), conv_norm(in_channels, out_channels, 1)
    )


def mbconv(in_channels: int, out_channels: int, kernel_size: int, expansion: int, stride: int) -> nn.Module:
    """Widen by 1×1, filter each channel by itself, narrow by a linear 1×1; a skip where the shape stays."""
    wide = expansion * in_channels
    branch = nn.Sequential(
        ConvNormAct(in_channels, wide, 1),
        ConvNormAct(wide, wide, kernel_size, stride, groups=wide),
        conv_norm(wide, out_channels, 1),
    )
    return Skip(branch) if stride == 1 and in_channels == out_channels else branch


class MnasNet(nn.Module):
    """Stem, separable convolution, six stages of MBConv, a 1×1 convolution; all but the last times `width`."""

    def __init__(
        self, width: float, num_classes: int, in_channels: int = 3, stages: tuple[Row, ...] = STAGES, stride: int = 2
    ) -> None:
        super().__init__()
        stem, channels = round_channels(32 * width), round_channels(16 * width)
        self.features = nn.Sequential(
            OrderedDict(stem=ConvNormAct(in_channels, stem, 3, stride), sep_conv=separable(stem, channels))
        )
        for number, (kernel_size, expansion, unscaled, blocks, stride) in enumerate(stages, start=1):
            out_channels = round_channels(unscaled * width)
            stage = nn.Sequential(mbconv(channels, out_channels, kernel_size, expansion, stride))
            for _ in range(blocks - 1):
                stage.append(mbconv(out_channels, out_channels, kernel_size, expansion, 1))
            self.features.add_module(f"mb_conv{number}", stage)
            channels = out_channels
        self.features.add_module("conv", ConvNormAct(channels, 1280, 1))
        self.classifier = linear_classifier(1280, num_classes, dropout=0.2)
        for module in self.features.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
        nn.init.kaiming_uniform_(self.classifier[-1].weight, mode="fan_out", nonlinearity="sigmoid")
        nn.init.zeros_(self.classifier[-1].bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))


def mnasnet0_5(num_classes: int = 1000) -> MnasNet:
    """Half the channels: 2,218,512 parameters."""
    return MnasNet(0.5, num_classes)


def mnasnet0_75(num_classes: int = 1000) -> MnasNet:
    """Three quarters of the channels: 3,170,208 parameters."""
    return MnasNet(0.75, num_classes)


def mnasnet1_0(num_classes: int = 1000) -> MnasNet:
    """MnasNet-B1 itself: 4,383,312 parameters."""
    return MnasNet(1.0, num_classes)


def mnasnet1_3(num_classes: int = 1000) -> MnasNet:
    """1.3 times the channels: 6,282,256 parameters."""
    return MnasNet(1.3, num_classes)


def mnasnet_cifar(in_channels: int = 3, num_classes: int = 10) -> MnasNet:
    """`mnasnet0_5` without its first two halvings: maps of 32, 16, 8 and 4 pixels."""
    return MnasNet(0.5, num_classes, in_channels, CIFAR_STAGES, stride=1)
