"""ResNets for 32×32 images: section 4.2 of arXiv:1512.03385 (He and others, 2015), and their twins without shortcuts.

`preact_…` follow He and others, "Identity Mappings in Deep Residual Networks" (2016), arXiv:1603.05027: norm and ReLU
come before each convolution, and nothing comes after the addition. Of the three options for shortcuts that change the
shape, A has no parameters: with it the plain, residual and pre-activation nets of one depth have equally many.
"""

from collections import OrderedDict
from functools import partial

from torch import Tensor, nn

from cnnlib.layers import ConvNormAct, linear_classifier
from cnnlib.models.resnet import Block, Residual, Shortcut, basic_block, conv_norm, stage, start_like_he

# fmt: off
__all__ = [
    "plain20_cifar", "plain32_cifar", "plain44_cifar", "plain56_cifar", "plain110_cifar",
    "preact_resnet20_cifar", "preact_resnet32_cifar", "preact_resnet44_cifar", "preact_resnet56_cifar",
    "preact_resnet110_cifar",
    "resnet20_cifar", "resnet32_cifar", "resnet44_cifar", "resnet56_cifar", "resnet110_cifar",
]
# fmt: on

# Section 4.2: 6n + 2 layers are a convolution, three stages of n blocks, a classifier.
WIDTHS = (16, 32, 64)  # on maps of 32×32, 16×16, 8×8


def option_a(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """The identity; where the shape changes, every second pixel, and zeros for the new channels."""
    if stride == 1 and in_channels == out_channels:
        return nn.Identity()
    zeros = nn.ZeroPad3d((0, 0, 0, 0, 0, out_channels - in_channels))  # N×C×H×W: behind the last channel
    return nn.Sequential(nn.AvgPool2d(1, stride), zeros)


def option_c(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """A 1×1 convolution everywhere, even where the shape stays."""
    return conv_norm(in_channels, out_channels, 1, stride)


def plain_block(in_channels: int, width: int, stride: int) -> nn.Sequential:
    """The basic block without its shortcut: just two convolutions."""
    return nn.Sequential(ConvNormAct(in_channels, width, 3, stride), ConvNormAct(width, width, 3))


class PreActResidual(Residual):
    """Add the branch's output to the shortcut's, and leave it so: the identity runs through all blocks (Figure 1b)."""

    def forward(self, x: Tensor) -> Tensor:
        return self.branch(x) + self.shortcut(x)


def act_conv(in_channels: int, out_channels: int, stride: int = 1) -> list[nn.Module]:
    """Batch norm, ReLU, 3×3 convolution."""
    conv = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
    return [nn.BatchNorm2d(in_channels), nn.ReLU(inplace=True), conv]


def preact_block(in_channels: int, width: int, stride: int) -> PreActResidual:
    """Full pre-activation (Figure 4e of arXiv:1603.05027), with option A."""
    branch = nn.Sequential(*act_conv(in_channels, width, stride), *act_conv(width, width))
    return PreActResidual(branch, option_a(in_channels, width, stride))


class CifarResNet(nn.Module):
    """A 3×3 convolution, three stages, each with half the map and twice the width of the last, and a classifier."""

    def __init__(self, depth: int, block: Block, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential(OrderedDict(conv1=ConvNormAct(in_channels, WIDTHS[0], 3)))
        channels = WIDTHS[0]
        for number, width in enumerate(WIDTHS, start=2):
            stride = 1 if number == 2 else 2
            self.features.add_module(f"conv{number}_x", stage(block, channels, width, stride, 1, (depth - 2) // 6))
            channels = width
        self.classifier = linear_classifier(channels, num_classes)
        start_like_he(self)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))


class PreActCifarResNet(CifarResNet):
    """The same with pre-activation blocks. Norm and ReLU follow the first convolution and the last addition."""

    def __init__(self, depth: int, in_channels: int, num_classes: int) -> None:
        super().__init__(depth, preact_block, in_channels, num_classes)
        # Appendix: conv1 has its norm and ReLU already, before the two paths part.
        first = self.features.conv2_x[0]
        first.branch = first.branch[2:]
        self.features.add_module("norm", nn.Sequential(nn.BatchNorm2d(WIDTHS[-1]), nn.ReLU(inplace=True)))


def residual(depth: int, in_channels: int, num_classes: int, shortcut: Shortcut) -> CifarResNet:
    """The residual net whose blocks take this kind of shortcut."""
    return CifarResNet(depth, partial(basic_block, shortcut=shortcut), in_channels, num_classes)


def resnet20_cifar(in_channels: int = 3, num_classes: int = 10, shortcut: Shortcut = option_a) -> CifarResNet:
    """20 layers: 269,722 parameters with option A."""
    return residual(20, in_channels, num_classes, shortcut)


def resnet32_cifar(in_channels: int = 3, num_classes: int = 10, shortcut: Shortcut = option_a) -> CifarResNet:
    """32 layers: 464,154 parameters with option A."""
    return residual(32, in_channels, num_classes, shortcut)


def resnet44_cifar(in_channels: int = 3, num_classes: int = 10, shortcut: Shortcut = option_a) -> CifarResNet:
    """44 layers: 658,586 parameters with option A."""
    return residual(44, in_channels, num_classes, shortcut)


def resnet56_cifar(in_channels: int = 3, num_classes: int = 10, shortcut: Shortcut = option_a) -> CifarResNet:
    """56 layers: 853,018 parameters with option A."""
    return residual(56, in_channels, num_classes, shortcut)


def resnet110_cifar(in_channels: int = 3, num_classes: int = 10, shortcut: Shortcut = option_a) -> CifarResNet:
    """110 layers: 1,727,962 parameters with option A."""
    return residual(110, in_channels, num_classes, shortcut)


def plain20_cifar(in_channels: int = 3, num_classes: int = 10) -> CifarResNet:
    """20 layers without shortcuts: 269,722 parameters."""
    return CifarResNet(20, plain_block, in_channels, num_classes)


def plain32_cifar(in_channels: int = 3, num_classes: int = 10) -> CifarResNet:
    """32 layers without shortcuts: 464,154 parameters."""
    return CifarResNet(32, plain_block, in_channels, num_classes)


def plain44_cifar(in_channels: int = 3, num_classes: int = 10) -> CifarResNet:
    """44 layers without shortcuts: 658,586 parameters."""
    return CifarResNet(44, plain_block, in_channels, num_classes)


def plain56_cifar(in_channels: int = 3, num_classes: int = 10) -> CifarResNet:
    """56 layers without shortcuts: 853,018 parameters."""
    return CifarResNet(56, plain_block, in_channels, num_classes)


def plain110_cifar(in_channels: int = 3, num_classes: int = 10) -> CifarResNet:
    """110 layers without shortcuts: 1,727,962 parameters."""
    return CifarResNet(110, plain_block, in_channels, num_classes)


def preact_resnet20_cifar(in_channels: int = 3, num_classes: int = 10) -> PreActCifarResNet:
    """20 layers with pre-activation: 269,722 parameters."""
    return PreActCifarResNet(20, in_channels, num_classes)


def preact_resnet32_cifar(in_channels: int = 3, num_classes: int = 10) -> PreActCifarResNet:
    """32 layers with pre-activation: 464,154 parameters."""
    return PreActCifarResNet(32, in_channels, num_classes)


def preact_resnet44_cifar(in_channels: int = 3, num_classes: int = 10) -> PreActCifarResNet:
    """44 layers with pre-activation: 658,586 parameters."""
    return PreActCifarResNet(44, in_channels, num_classes)


def preact_resnet56_cifar(in_channels: int = 3, num_classes: int = 10) -> PreActCifarResNet:
    """56 layers with pre-activation: 853,018 parameters."""
    return PreActCifarResNet(56, in_channels, num_classes)


def preact_resnet110_cifar(in_channels: int = 3, num_classes: int = 10) -> PreActCifarResNet:
    """110 layers with pre-activation: 1,727,962 parameters."""
    return PreActCifarResNet(110, in_channels, num_classes)
