"""GoogLeNet: Szegedy and others, "Going Deeper with Convolutions" (2014), arXiv:1409.4842.

`googlenet_2014` is the paper's network: biases, local response normalisation (Caffe's constants, the paper has none),
and He's initialisation, where the paper is silent. `googlenet` differs in one thing: batch norm (with PyTorch's own
initialisation) stands in for biases and response normalisation. Dropout before the classifier is the paper's 0.4 in
both, not torchvision's 0.2: nothing but the norm is to differ. torchvision's twin has 3×3 instead of 5×5 besides.

With `auxiliary=True` two small classifiers look at 4a and 4d; `auxiliary_loss` trains with them, `forward` never runs
them.
"""

from collections import OrderedDict
from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from cnnlib.layers import Concat, ConvNormAct, linear_classifier

__all__ = ["googlenet", "googlenet_2014", "googlenet_cifar"]

Conv = Callable[..., nn.Module]  # (in_channels, out_channels, kernel_size, stride=1)

# Table 1: output channels of each branch; "reduce" is the 1×1 convolution before.
#        1×1, 3×3 reduce, 3×3, 5×5 reduce, 5×5, after the pool
MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
AUXILIARY, WEIGHT = ("4a", "4d"), 0.3  # section 5: where the auxiliary classifiers look, and their share in the loss


def conv_bias_act(in_channels: int, out_channels: int, kernel_size: int, stride: int = 1) -> nn.Sequential:
    """Convolution with bias, ReLU: what 2014 had before batch norm."""
    conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding=kernel_size // 2)
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    nn.init.zeros_(conv.bias)
    return nn.Sequential(conv, nn.ReLU(inplace=True))


def halve() -> nn.MaxPool2d:
    """3×3 windows without padding; the last may hang over the edge: 112 to 56."""
    return nn.MaxPool2d(3, stride=2, ceil_mode=True)


def inception(in_channels: int, row: tuple[int, ...], conv: Conv) -> Concat:
    """Four views of one map: 1×1, 3×3, 5×5, pooled (Figure 2b). The pool has stride 1: no branch changes the size."""
    c1, reduce3, c3, reduce5, c5, pooled = row
    return Concat(
        conv(in_channels, c1, 1),
        nn.Sequential(conv(in_channels, reduce3, 1), conv(reduce3, c3, 3)),
        nn.Sequential(conv(in_channels, reduce5, 1), conv(reduce5, c5, 5)),
        nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), conv(in_channels, pooled, 1)),
    )


def auxiliary_classifier(in_channels: int, num_classes: int, conv: Conv, divisor: int) -> nn.Sequential:
    """Section 5: two fully connected layers on a pooled map. 14×14, or 16×16, becomes 4×4."""
    channels, units = 128 // divisor, 1024 // divisor
    return nn.Sequential(
        nn.AvgPool2d(5, stride=3),
        conv(in_channels, channels, 1),
        nn.Flatten(),
        nn.Linear(channels * 4 * 4, units),
        nn.ReLU(inplace=True),
        nn.Dropout(0.7),
        nn.Linear(units, num_classes),
    )


def stem(conv: Conv, norm: type[nn.Module]) -> OrderedDict[str, nn.Module]:
    """Three convolutions that shrink 224×224 to 28×28."""
    return OrderedDict(
        conv1=conv(3, 64, 7, 2),
        pool1=halve(),
        norm1=norm(5),
        conv2_reduce=conv(64, 64, 1),
        conv2=conv(64, 192, 3),
        norm2=norm(5),
        pool2=halve(),
    )


class GoogLeNet(nn.Module):
    """A stem, then the nine modules of Table 1 with pools between the stages, their channels divided by `divisor`."""

    def __init__(
        self, stem: OrderedDict[str, nn.Module], num_classes: int, conv: Conv, auxiliary: bool, divisor: int = 1
    ) -> None:
        super().__init__()
        self.features = nn.Sequential(stem)
        channels, stage, heads = 192 // divisor, "3", {}
        for name, widths in MODULES.items():
            if name[0] != stage:
                self.features.add_module(f"pool{stage}", halve())
                stage = name[0]
            row = tuple(width // divisor for width in widths)
            self.features.add_module(f"inception_{name}", inception(channels, row, conv))
            channels = row[0] + row[2] + row[4] + row[5]
            if auxiliary and name in AUXILIARY:
                heads[f"inception_{name}"] = auxiliary_classifier(channels, num_classes, conv, divisor)
        self.heads = nn.ModuleDict(heads) if auxiliary else {}
        self.classifier = linear_classifier(channels, num_classes, dropout=0.4)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))


def auxiliary_loss(model: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy plus 0.3 times that of each auxiliary classifier, and the main logits: a loss for `train`.

    `model.heads` names the parts of `model.features` that the auxiliary classifiers look at. Raises ValueError where
    there are none.
    """
    if not model.heads:
        raise ValueError(f"This {type(model).__name__} has no auxiliary classifiers: build it with auxiliary=True.")
    x, extra = images, 0.0
    for name, module in model.features.named_children():
        x = module(x)
        if name in model.heads:
            extra = extra + F.cross_entropy(model.heads[name](x), labels)
    logits = model.classifier(x)
    return F.cross_entropy(logits, labels) + WEIGHT * extra, logits


def googlenet_2014(num_classes: int = 1000, auxiliary: bool = False) -> GoogLeNet:
    """The paper's network: 6,998,552 parameters, 13,378,280 with the auxiliary classifiers."""
    return GoogLeNet(stem(conv_bias_act, nn.LocalResponseNorm), num_classes, conv_bias_act, auxiliary)


def googlenet(num_classes: int = 1000, auxiliary: bool = False) -> GoogLeNet:
    """GoogLeNet with batch norm: 7,005,832 parameters."""
    return GoogLeNet(stem(ConvNormAct, nn.Identity), num_classes, ConvNormAct, auxiliary)


def googlenet_cifar(
    in_channels: int = 3, num_classes: int = 10, auxiliary: bool = False, conv: Conv = ConvNormAct
) -> GoogLeNet:
    """All nine modules with a quarter of the channels, behind one 3×3 convolution: maps of 32, 16 and 8 pixels.

    `conv=conv_bias_act` builds it without batch norm.
    """
    return GoogLeNet(OrderedDict(conv2=conv(in_channels, 192 // 4, 3)), num_classes, conv, auxiliary, divisor=4)
