"""EfficientNet: Tan, Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks" (2019).

arXiv:1905.11946. Blocks, scaling and rates are those of the paper and the authors' code; its "drop connect" is
stochastic depth, and works only in blocks with a skip. As in torchvision, the norms' eps is 1e-3 in B5 to B7 and 1e-5
below; initialisation is torchvision's (He's by fan-out). Deviation: the norms' momentum is 0.1.
"""

from collections import OrderedDict
from functools import partial
from math import ceil
from typing import NamedTuple

from torch import Tensor, nn

from cnnlib.layers import ConvNormAct, SqueezeExcite, StochasticDepth, linear_classifier, round_channels

__all__ = [
    "efficientnet_b0",
    "efficientnet_b1",
    "efficientnet_b2",
    "efficientnet_b3",
    "efficientnet_b4",
    "efficientnet_b5",
    "efficientnet_b6",
    "efficientnet_b7",
    "efficientnet_cifar",
]

Row = tuple[int, int, int, int, int]
swish = partial(nn.SiLU, inplace=True)

# Table 1: B0's stages 2 to 8. The stem has 32 channels, the last 1×1 convolution 1280.
STAGES: tuple[Row, ...] = (
    # expansion, kernel, channels, blocks, stride of the first
    (1, 3,  16, 1, 1),
    (6, 3,  24, 2, 2),
    (6, 5,  40, 2, 2),
    (6, 3,  80, 3, 2),
    (6, 5, 112, 3, 1),
    (6, 5, 192, 4, 2),
    (6, 3, 320, 1, 1),
)  # fmt: skip
CIFAR_STAGES = (STAGES[0], (6, 3, 24, 2, 1), *STAGES[2:])
DROP_RATE = 0.2  # of the block after the last; the first has 0, those between grow evenly


class Scale(NamedTuple):
    """Factors of channels and blocks, side of the images in pixels, dropout before the classifier."""

    width: float
    depth: float
    resolution: int
    dropout: float


# From the authors' code. The paper found the direction: depth 1.2, width 1.1, resolution 1.15 for twice the cost.
SCALES = {
    "b0": Scale(1.0, 1.0, 224, 0.2),
    "b1": Scale(1.0, 1.1, 240, 0.2),
    "b2": Scale(1.1, 1.2, 260, 0.3),
    "b3": Scale(1.2, 1.4, 300, 0.3),
    "b4": Scale(1.4, 1.8, 380, 0.4),
    "b5": Scale(1.6, 2.2, 456, 0.4),
    "b6": Scale(1.8, 2.6, 528, 0.5),
    "b7": Scale(2.0, 3.1, 600, 0.5),
    "cifar": Scale(0.5, 0.5, 32, 0.2),
}


class Skip(nn.Module):
    """Add the branch's output, dropped for some images in training, to its input; no activation after the sum."""

    def __init__(self, branch: nn.Module, drop_rate: float) -> None:
        super().__init__()
        self.branch = branch
        self.drop = StochasticDepth(drop_rate)

    def forward(self, x: Tensor) -> Tensor:
        return self.drop(self.branch(x)).add_(x)  # in the memory of the branch


def mbconv(
    in_channels: int, out_channels: int, kernel_size: int, expansion: int, stride: int, *, drop_rate: float, eps: float
) -> nn.Module:
    """Widen by 1×1, filter each channel by itself, gate the channels, narrow by a linear 1×1; a skip where it fits.

    The gate squeezes to a quarter of the block's own input channels, not of the widened ones.
    """
    wide = expansion * in_channels
    conv = partial(ConvNormAct, eps=eps, activation=swish)
    widen = [conv(in_channels, wide, 1)] if expansion > 1 else []
    branch = nn.Sequential(
        *widen,
        conv(wide, wide, kernel_size, stride, groups=wide),
        SqueezeExcite(wide, max(1, in_channels // 4), activation=swish),
        conv(wide, out_channels, 1, activation=nn.Identity),
    )
    return Skip(branch, drop_rate) if stride == 1 and in_channels == out_channels else branch


class EfficientNet(nn.Module):
    """Stem, seven stages of MBConv, a 1×1 convolution: widths times `scale.width`, blocks times `scale.depth`."""

    def __init__(
        self,
        scale: Scale,
        num_classes: int,
        in_channels: int = 3,
        stages: tuple[Row, ...] = STAGES,
        stem_stride: int = 2,
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        conv = partial(ConvNormAct, eps=eps, activation=swish)
        channels, head = round_channels(32 * scale.width), round_channels(1280 * scale.width)
        self.features = nn.Sequential(OrderedDict(stem=conv(in_channels, channels, 3, stem_stride)))
        total, done = sum(ceil(blocks * scale.depth) for _, _, _, blocks, _ in stages), 0
        for number, (expansion, kernel_size, unscaled, blocks, stride) in enumerate(stages, start=2):
            out_channels, stage = round_channels(unscaled * scale.width), nn.Sequential()
            for _ in range(ceil(blocks * scale.depth)):
                rate = DROP_RATE * done / total
                stage.append(mbconv(channels, out_channels, kernel_size, expansion, stride, drop_rate=rate, eps=eps))
                channels, stride, done = out_channels, 1, done + 1
            self.features.add_module(f"stage{number}", stage)
        self.features.add_module("conv", conv(channels, head, 1))
        self.classifier = linear_classifier(head, num_classes, scale.dropout)
        start_by_fan_out(self)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))


def start_by_fan_out(model: nn.Module) -> None:
    """Draw the weights as torchvision does; biases begin at zero."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out")
        elif isinstance(module, nn.Linear):
            nn.init.uniform_(module.weight, -(module.out_features**-0.5), module.out_features**-0.5)
        if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)


def efficientnet_b0(num_classes: int = 1000) -> EfficientNet:
    """For images of 224×224: 5,288,548 parameters."""
    return EfficientNet(SCALES["b0"], num_classes)


def efficientnet_b1(num_classes: int = 1000) -> EfficientNet:
    """For images of 240×240: 7,794,184 parameters."""
    return EfficientNet(SCALES["b1"], num_classes)


def efficientnet_b2(num_classes: int = 1000) -> EfficientNet:
    """For images of 260×260: 9,109,994 parameters."""
    return EfficientNet(SCALES["b2"], num_classes)


def efficientnet_b3(num_classes: int = 1000) -> EfficientNet:
    """For images of 300×300: 12,233,232 parameters."""
    return EfficientNet(SCALES["b3"], num_classes)


def efficientnet_b4(num_classes: int = 1000) -> EfficientNet:
    """For images of 380×380: 19,341,616 parameters."""
    return EfficientNet(SCALES["b4"], num_classes)


def efficientnet_b5(num_classes: int = 1000) -> EfficientNet:
    """For images of 456×456: 30,389,784 parameters."""
    return EfficientNet(SCALES["b5"], num_classes, eps=1e-3)


def efficientnet_b6(num_classes: int = 1000) -> EfficientNet:
    """For images of 528×528: 43,040,704 parameters."""
    return EfficientNet(SCALES["b6"], num_classes, eps=1e-3)


def efficientnet_b7(num_classes: int = 1000) -> EfficientNet:
    """For images of 600×600: 66,347,960 parameters."""
    return EfficientNet(SCALES["b7"], num_classes, eps=1e-3)


def efficientnet_cifar(in_channels: int = 3, num_classes: int = 10) -> EfficientNet:
    """Half of B0's channels and blocks, without its first two halvings: maps of 32, 16, 8 and 4 pixels."""
    return EfficientNet(SCALES["cifar"], num_classes, in_channels, CIFAR_STAGES, stem_stride=1)
