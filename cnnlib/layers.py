"""Layers that several networks share."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

Size = int | tuple[int, int]
relu = partial(nn.ReLU, inplace=True)  # overwrites its input: one map less to find memory for


class ConvNormAct(nn.Sequential):
    """Convolution that keeps the map's size at stride 1, batch norm, activation. No bias: the norm has one."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: int = 1,
        *,
        padding: Size | None = None,
        groups: int = 1,
        eps: float = 1e-5,
        activation: Callable[[], nn.Module] = relu,
    ) -> None:
        height, width = kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)
        same = ((height - 1) // 2, (width - 1) // 2)
        super().__init__(
            nn.Conv2d(
                in_channels,
                out_channels,
                kernel_size,
                stride,
                padding=same if padding is None else padding,
                groups=groups,
                bias=False,
            ),
            nn.BatchNorm2d(out_channels, eps=eps),
            activation(),
        )


class Concat(nn.ModuleList):
    """Run the branches on the same input and stack their channels: N×C×H×W each, with one H and W."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__(branches)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self], dim=1)


class SqueezeExcite(nn.Module):
    """Weigh each channel by a gate between 0 and 1, computed from the averages of all channels.

    Hu, Shen, Sun, "Squeeze-and-Excitation Networks" (2017), arXiv:1709.01507. No norm inside.
    """

    def __init__(self, channels: int, squeezed: int, activation: Callable[[], nn.Module] = relu) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, squeezed, 1),
            activation(),
            nn.Conv2d(squeezed, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gate(x)


class StochasticDepth(nn.Module):
    """In training, drop the whole branch for random images of the batch and scale up the others; else do nothing.

    Huang and others, "Deep Networks with Stochastic Depth" (2016), arXiv:1603.09382, drop it for the whole batch and
    scale in evaluation. `drop_rate` is at least 0 and below 1.
    """

    def __init__(self, drop_rate: float) -> None:
        super().__init__()
        self.drop_rate = drop_rate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.drop_rate == 0:
            return x
        kept = 1 - self.drop_rate
        return x * x.new_empty(x.shape[0], *[1] * (x.ndim - 1)).bernoulli_(kept) / kept

    def extra_repr(self) -> str:
        return f"drop_rate={self.drop_rate:g}"


class DropConnect(nn.Linear):
    """A linear layer that, in training, drops single weights, anew for every image, and scales up the others.

    Wan and others, "Regularization of Neural Networks using DropConnect" (2013), who drop biases too and
    sample in evaluation. N×in to N×out; `drop_rate` is at least 0 and below 1.
    """

    def __init__(self, in_features: int, out_features: int, drop_rate: float) -> None:
        super().__init__(in_features, out_features)
        self.drop_rate = drop_rate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.drop_rate == 0:
            return super().forward(x)
        kept = 1 - self.drop_rate
        masks = x.new_empty(x.shape[0], *self.weight.shape).bernoulli_(kept) / kept
        return torch.einsum("noi,ni->no", masks * self.weight, x) + self.bias


def linear_classifier(in_channels: int, num_classes: int, dropout: float = 0.0) -> nn.Sequential:
    """Global average pool, dropout, one linear layer: N×C×H×W maps to N×classes logits, for any H and W."""
    return nn.Sequential(
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(in_channels, num_classes)
    )


def round_channels(channels: float, divisor: int = 8) -> int:
    """The nearest multiple of `divisor` that is not more than 10 % below `channels`."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded if rounded >= 0.9 * channels else rounded + divisor
