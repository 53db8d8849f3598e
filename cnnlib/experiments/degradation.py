"""Degradation: does a plain net of 56 layers fit its training images worse than one of 20, and do shortcuts mend it?

After sections 4.1 and 4.2 of He and others (2015), arXiv:1512.03385: their nets for small images, half as wide, on
2,000 clothes of 14×14 pixels. Beside them: other shortcuts, other blocks, shorter steps and longer training.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnlib.data import Images
from cnnlib.datasets import cifar10, fashion
from cnnlib.experiments.running import Size, at_rate, photographs_apart, train_and_record
from cnnlib.experiments.small_kernels import random_labels, untouched
from cnnlib.layers import Concat, ConvNormAct, linear_classifier
from cnnlib.models.resnet import Block, Residual, basic_block, option_b, stage, start_like_he
from cnnlib.models.resnet_cifar import option_a, option_c, plain_block, preact_block
from cnnlib.records import Record
from cnnlib.training import Recipe


def stacking_block(in_channels: int, width: int, stride: int) -> Concat:
    """One convolution beside two, their maps stacked: as many parameters as a plain block where the shape stays."""
    half = width // 2
    two = nn.Sequential(ConvNormAct(in_channels, width, 3, stride), ConvNormAct(width, half, 3))
    return Concat(ConvNormAct(in_channels, half, 3, stride), two)


residual_block = partial(basic_block, shortcut=option_a)


@dataclass(frozen=True)
class Arm:
    """A net of this many layers, made of such blocks; `rate` multiplies the recipe's learning rate."""

    depth: int
    block: Block
    rate: float = 1.0


ARMS = {
    "plain20": Arm(20, plain_block),
    "plain56": Arm(56, plain_block),
    "resnet20": Arm(20, residual_block),
    "resnet56": Arm(56, residual_block),
    # The rate of the four is one for all. A third of it, for the nets without shortcuts:
    "plain20-third": Arm(20, plain_block, rate=1 / 3),
    "plain56-third": Arm(56, plain_block, rate=1 / 3),
    "resnet20-b": Arm(20, partial(basic_block, shortcut=option_b)),
    "resnet20-c": Arm(20, partial(basic_block, shortcut=option_c)),
    "preact56": Arm(56, preact_block),
    "stacking56": Arm(56, stacking_block),
}


def shrunk(images: Images) -> Images:
    """Each square of 2×2 pixels becomes one, its mean: 28×28 to 14×14."""
    return replace(images, pixels=F.avg_pool2d(images.pixels.float(), 2).round().to(torch.uint8))


def few() -> tuple[Images, Images]:
    """The first 2,000 training and 1,000 test images of clothes, 14×14."""
    part, test = fashion()
    return shrunk(part[:2000]), shrunk(test[:1000])


apart = partial(photographs_apart, 15_000)
RECIPE = Recipe(epochs=6, learning_rate=0.05)
LIVE = Size("degradation", "fashion-2000-14x14", few, RECIPE, seeds=1, threads=1)
LONG = Size("degradation-long", "fashion-2000-14x14", few, replace(RECIPE, epochs=12), seeds=3, threads=1)
# For two processor cores; each net at that of the RATES (`--rate`) which reads most images by CHOICE.
RATES = (0.1, 0.3, 1)
CIFAR = Size("degradation-cifar10", "cifar10", cifar10, Recipe(epochs=8, learning_rate=0.1, weight_decay=1e-4), seeds=1)
CHOICE = Size("degradation-choice", "cifar10-15000-apart", apart, replace(CIFAR.recipe, epochs=3), seeds=1)
FULL = Size("degradation-full", "cifar10", cifar10, Recipe(epochs=60, learning_rate=0.1, weight_decay=1e-4), seeds=3)


class Flow(nn.Sequential):
    """`features`, then `classifier`: the contract of the course's networks."""


def network(block: Block, blocks: int, in_channels: int = 1, width: int = 8) -> Flow:
    """N×C×H×W to ten logits: a convolution, three stages of so many blocks, a classifier. He's start.

    Built as `cnnlib.models.resnet_cifar` builds its nets, which are 16 maps wide.
    """
    features = nn.Sequential(OrderedDict(conv1=ConvNormAct(in_channels, width, 3)))
    channels = width
    for number, maps in enumerate((width, 2 * width, 4 * width), start=2):
        stride = 1 if number == 2 else 2
        features.add_module(f"conv{number}_x", stage(block, channels, maps, stride, 1, blocks))
        channels = maps
    if block is preact_block:  # conv1 has the first norm and ReLU already; the last stand behind the last addition
        first = features.conv2_x[0]
        first.branch = first.branch[2:]
        features.add_module("norm", nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU(inplace=True)))
    model = Flow(OrderedDict(features=features, classifier=linear_classifier(channels, 10)))
    start_like_he(model)
    return model


def build(arm: Arm, in_channels: int = 1) -> Flow:
    """In one channel the narrow net, in three the paper's width."""
    return network(arm.block, (arm.depth - 2) // 6, in_channels, 8 if in_channels == 1 else 16)


def run(arm: str, seed: int, size: Size, device: torch.device, spoil: Callable = untouched) -> Record:
    """Train one arm, as `trained` does; its record."""
    return trained(arm, seed, size, device, spoil)[1]


def trained(
    arm: str, seed: int, size: Size, device: torch.device, spoil: Callable = untouched
) -> tuple[nn.Module, Record]:
    """Train one arm: the net in evaluation mode, and its record. The seed sets weights and order.

    `spoil` may change net and images.
    """
    torch.manual_seed(seed)
    model, data = spoil(build(ARMS[arm], size.load()[0].pixels.shape[1]), size.load(), seed)
    model = model.to(memory_format=torch.channels_last)  # the same sums, in less time
    at_rate(model, ARMS[arm].rate)
    where = {"experiment": "degradation", "arm": arm, "seed": seed, "device": device}
    return model, train_and_record(model, data, size, **where)


class Nothing(nn.Module):
    """A shortcut that carries nothing."""

    def forward(self, x: Tensor) -> Tensor:
        return x.new_zeros(())


def no_shortcuts(model: nn.Module, data: tuple[Images, ...], seed: int) -> tuple[nn.Module, tuple[Images, ...]]:
    """Sabotage: the shortcuts carry nothing."""
    for block in model.modules():
        if isinstance(block, Residual):
            block.shortcut = Nothing()
    return model, data


# Which claims about these runs each sabotage must turn, by words of their sentences.
SABOTAGES = {random_labels: ("fits its training images worse",), no_shortcuts: ("With shortcuts",)}
