"""The lift: what turns a LeNet into a simplified VGG, one change at a time, and how much does each one bring?

Wider maps, then eight 3×3 convolutions in the place of two 5×5, then batch norm, then images mirrored and shifted. An
often told number is 62 % for the first net and 83 % for the last, as if one thing had changed between them.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import nn

from cnnlib.data import random_crop, random_flip
from cnnlib.datasets import cifar10
from cnnlib.experiments.ladder import padding
from cnnlib.experiments.running import Size, clothes, photographs_apart, train_and_record
from cnnlib.experiments.small_kernels import random_labels, untouched
from cnnlib.models.vgg import CHANNELS, CONFIGURATIONS
from cnnlib.records import Record
from cnnlib.training import Recipe


@dataclass(frozen=True)
class Arm:
    """A net and its training: channels and convolutions of each block, the window, the hidden layers, the remedies."""

    blocks: tuple[tuple[int, int], ...]
    window: int = 3
    hidden: tuple[int, ...] = ()
    norm: bool = False
    augment: bool = False


VGG11 = tuple(zip(CHANNELS, CONFIGURATIONS[11]))

ARMS = {
    "lenet": Arm(((6, 1), (16, 1)), window=5, hidden=(120, 84)),
    "width": Arm(((64, 1), (128, 1)), window=5, hidden=(120, 84)),
    "depth": Arm(VGG11),
    "norm": Arm(VGG11, norm=True),
    "augment": Arm(VGG11, norm=True, augment=True),
}


few, apart = partial(clothes, 2000), partial(photographs_apart, 10_000)
# One rate for all: of 0.003 to 0.1, compared on images set apart as in CHOICE, the best for each net or as good as it.
RECIPE = Recipe(epochs=8, learning_rate=0.03, weight_decay=1.5e-3)
LIVE = Size("lift", "fashion-2000", few, RECIPE, seeds=3, threads=1)
CHOICE = Size("lift-choice", "cifar10-10000-apart", apart, replace(RECIPE, epochs=4), seeds=1)
FULL = Size("lift-full", "cifar10", cifar10, RECIPE, seeds=3)


def build(arm: Arm, in_channels: int = 3, classes: int = 10) -> nn.Sequential:
    """N×C×32×32 to logits; in one channel blocks of more than 32 maps are a quarter as wide. He's start.

    The 5×5 windows lose a border, as LeNet's do; the 3×3 keep the maps' size. Each block ends in a pool by two.
    """
    features, side, narrow = nn.Sequential(), 32, 4 if in_channels == 1 else 1
    channels = in_channels
    for number, (maps, depth) in enumerate(arm.blocks, start=1):
        maps = maps // narrow if maps > 32 else maps
        layers, border = [], 0 if arm.window == 5 else 1
        for _ in range(depth):
            layers += [nn.Conv2d(channels, maps, arm.window, padding=border)]
            layers += [nn.BatchNorm2d(maps)] if arm.norm else []
            layers += [nn.ReLU(inplace=True)]
            channels = maps
        features.add_module(f"block{number}", nn.Sequential(*layers, nn.MaxPool2d(2)))
        side = (side - (arm.window - 1 - 2 * border) * depth) // 2
    units, classifier = channels * side**2, [nn.Flatten()]
    for more in arm.hidden:
        classifier += [nn.Linear(units, more), nn.ReLU(inplace=True)]
        units = more
    model = nn.Sequential(
        OrderedDict(features=features, classifier=nn.Sequential(*classifier, nn.Linear(units, classes)))
    )
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return model


def run(arm: str, seed: int, size: Size, device: torch.device, spoil: Callable = untouched) -> Record:
    """Train one arm, smaller images padded to 32×32. The seed sets weights, order and augmentation.

    `spoil` may change net and images.
    """
    torch.manual_seed(seed)
    part, test = size.load()
    model, data = spoil(build(ARMS[arm], part.pixels.shape[1], len(part.classes)), (part, test), seed)
    model = model.to(memory_format=torch.channels_last)  # the same numbers, in less time
    where = {"experiment": "lift", "arm": arm, "seed": seed, "device": device}
    augment = [random_flip, partial(random_crop, padding=4)] if ARMS[arm].augment else []
    return train_and_record(model, data, size, **where, transforms=padding(part), augment=augment)


# Which claims about these runs each sabotage must turn, by words of their sentences.
SABOTAGES = {random_labels: ("lifts",)}
