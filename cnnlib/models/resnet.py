"""ResNet: He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition" (2015), arXiv:1512.03385.

One deviation, as in torchvision: where a bottleneck halves the map, its 3×3 convolution has the stride, not its first
1×1 ("v1.5"). Shortcuts are the paper's option B. Initialisation is He's; no norm starts at zero.
"""

from collections import OrderedDict
from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from cnnlib.layers import ConvNormAct, linear_classifier

__all__ = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]

Shortcut = Callable[[int, int, int], nn.Module]  # (in_channels, out_channels, stride)
Block = Callable[[int, int, int], nn.Module]  # (in_channels, width, stride)
conv_norm = partial(ConvNormAct, activation=nn.Identity)  # the branch's last: its ReLU comes after the addition

# Table 1: blocks of conv2_x to conv5_x.
BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
WIDTHS = (64, 128, 256, 512)


class Residual(nn.Module):
    """Add the branch's output to the shortcut's, then ReLU: equation 1 of the paper.

    The sum overwrites the branch's output, so a branch ends in what needs its output no more: a norm, a convolution.
    """

    def __init__(self, branch: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.branch = branch
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        return self.branch(x).add_(self.shortcut(x)).relu_()  # each in the branch's own memory


def option_b(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """The identity where the shape stays, else a 1×1 convolution."""
    if stride == 1 and in_channels == out_channels:
        return nn.Identity()
    return conv_norm(in_channels, out_channels, 1, stride)


def basic_block(in_channels: int, width: int, stride: int, shortcut: Shortcut = option_b) -> Residual:
    """Two 3×3 convolutions (Figure 5, left)."""
    return Residual(
        nn.Sequential(ConvNormAct(in_channels, width, 3, stride), conv_norm(width, width, 3)),
        shortcut(in_channels, width, stride),
    )


def bottleneck_block(in_channels: int, width: int, stride: int) -> Residual:
    """1×1, 3×3, 1×1: the 3×3 works on a quarter of the output's channels (Figure 5, right)."""
    return Residual(
        nn.Sequential(
            ConvNormAct(in_channels, width, 1), ConvNormAct(width, width, 3, stride), conv_norm(width, 4 * width, 1)
        ),
        option_b(in_channels, 4 * width, stride),
    )


def stage(block: Block, in_channels: int, width: int, stride: int, expansion: int, blocks: int) -> nn.Sequential:
    """Blocks of one map size; the first may halve it. `expansion` is a block's output channels over its width."""
    later = (block(expansion * width, width, 1) for _ in range(blocks - 1))
    return nn.Sequential(block(in_channels, width, stride), *later)


def start_like_he(model: nn.Module) -> None:
    """Draw the convolutions' weights as in He and others (2015), arXiv:1502.01852: ReLU keeps the signal's size."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


class ResNet(nn.Module):
    """Stem, four stages of residual blocks, each with half the size and twice the width of the last, classifier."""

    def __init__(self, block: Block, expansion: int, counts: tuple[int, ...], num_classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential(OrderedDict(conv1=ConvNormAct(3, 64, 7, 2), pool=nn.MaxPool2d(3, 2, padding=1)))
        channels = 64
        for number, (width, blocks) in enumerate(zip(WIDTHS, counts), start=2):
            stride = 1 if number == 2 else 2
            self.features.add_module(f"conv{number}_x", stage(block, channels, width, stride, expansion, blocks))
            channels = expansion * width
        self.classifier = linear_classifier(channels, num_classes)
        start_like_he(self)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))


def resnet18(num_classes: int = 1000) -> ResNet:
    """18 layers, two 3×3 convolutions a block: 11,689,512 parameters."""
    return ResNet(basic_block, 1, BLOCKS[18], num_classes)


def resnet34(num_classes: int = 1000) -> ResNet:
    """34 layers, two 3×3 convolutions a block: 21,797,672 parameters."""
    return ResNet(basic_block, 1, BLOCKS[34], num_classes)


def resnet50(num_classes: int = 1000) -> ResNet:
    """50 layers, bottlenecks: 25,557,032 parameters."""
    return ResNet(bottleneck_block, 4, BLOCKS[50], num_classes)


def resnet101(num_classes: int = 1000) -> ResNet:
    """101 layers, bottlenecks: 44,549,160 parameters."""
    return ResNet(bottleneck_block, 4, BLOCKS[101], num_classes)


def resnet152(num_classes: int = 1000) -> ResNet:
    """152 layers, bottlenecks: 60,192,808 parameters."""
    return ResNet(bottleneck_block, 4, BLOCKS[152], num_classes)
