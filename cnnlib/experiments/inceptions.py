"""One Inception module, and modules that lack a branch: what does each branch see that the others do not?

The images are drawn: dots at random, each with a twin 1, 2, 3 or 4 pixels to its right; the distance is the class. A
window of three columns sees a dot and its twin only where they are at most two apart. In full size the same arms, two
modules deep, learn clothes. After Figure 2 of Szegedy and others (2014), arXiv:1409.4842.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial

import torch
from torch import Generator, nn

from cnnlib.data import Images
from cnnlib.experiments.running import Size, clothes, train_and_record
from cnnlib.layers import Concat, ConvNormAct, linear_classifier
from cnnlib.models.googlenet import inception
from cnnlib.records import Record
from cnnlib.training import Recipe

SIDE = 24
STEPS = ((0, 1), (0, 2), (0, 3), (0, 4))  # from a dot to its twin: rows down, columns right
CLASSES = tuple(f"{columns} apart" for _, columns in STEPS)
ROW = (4, 4, 8, 4, 8, 4)  # of a module, as in GoogLeNet's table: 24 maps
ONE, THREE, FIVE, POOL = range(4)  # the branches, in the order of a module


def stars(count: int, seed: int, steps: tuple[tuple[int, int], ...] = STEPS) -> Images:
    """1×24×24 images, as many of each class; a dot that leaves at one edge comes in at the other."""
    labels = torch.arange(count) % len(steps)
    dots = torch.rand(count, 1, SIDE, SIDE, generator=Generator().manual_seed(seed)) < 0.05
    twins = torch.stack([sky.roll(steps[label], (1, 2)) for sky, label in zip(dots, labels)])
    return Images(255 * (dots | twins).byte(), labels, CLASSES)


@cache
def double_stars() -> tuple[Images, Images]:
    """1,200 images to train on, 1,000 to test."""
    return stars(1200, seed=1), stars(1000, seed=2)


few = partial(clothes, 3000)


def two_3x3(reduced: int, out: int) -> nn.Sequential:
    """What v2 has in place of a 5×5."""
    return nn.Sequential(ConvNormAct(reduced, out, 3), ConvNormAct(out, out, 3))


def across_and_down(reduced: int, out: int) -> nn.Sequential:
    """A 5×5 taken apart as v3 takes its 7×7 apart."""
    return nn.Sequential(ConvNormAct(reduced, out, (1, 5)), ConvNormAct(out, out, (5, 1)))


def another_3x3(reduced: int, out: int) -> ConvNormAct:
    """As many maps as the 5×5 makes, through a window no larger than the branch beside it has."""
    return ConvNormAct(reduced, out, 3)


@dataclass(frozen=True)
class Arm:
    """Which branch is missing, and what stands in for the 5×5."""

    without: int | None = None
    five: Callable[[int, int], nn.Module] | None = None


ARMS = {
    "all": Arm(),
    "no-1x1": Arm(without=ONE),
    "no-3x3": Arm(without=THREE),
    "no-5x5": Arm(without=FIVE),
    "no-pool": Arm(without=POOL),
    "one-3x3": Arm(five=another_3x3),
    "two-3x3": Arm(five=two_3x3),
    "1x5-5x1": Arm(five=across_and_down),
}

# Rates were chosen on images set apart from the training part.
LIVE = Size("inceptions", "double-stars", double_stars, Recipe(5, 0.3, batch_size=32), seeds=3, threads=1)
FULL = Size("inceptions-full", "fashion-3000", few, Recipe(4, 0.1, batch_size=32), seeds=5, threads=1)


def module(in_channels: int, row: tuple[int, ...], arm: Arm) -> Concat:
    """GoogLeNet's module with batch norm, as the arm wants it."""
    branches = inception(in_channels, row, ConvNormAct)
    if arm.five:
        branches[FIVE][1] = arm.five(row[3], row[4])
    return Concat(*[branch for place, branch in enumerate(branches) if place != arm.without])


def maps_of(row: tuple[int, ...], arm: Arm) -> int:
    """How many maps the branches put out together."""
    widths = (row[0], row[2], row[4], row[5])
    return sum(width for place, width in enumerate(widths) if place != arm.without)


def build(arm: Arm, classes: int = len(CLASSES), deep: bool = False) -> nn.Sequential:
    """N×1×H×W to logits: a 1×1 convolution, one module, the mean of each map, a linear layer.

    Deep: a 3×3 that halves the map, a module twice as wide, a pool, a module four times as wide.
    """
    if not deep:
        features = nn.Sequential(ConvNormAct(1, 8, 1), module(8, ROW, arm))
        return nn.Sequential(features, linear_classifier(maps_of(ROW, arm), classes))
    twice, four = (tuple(factor * width for width in ROW) for factor in (2, 4))
    pool = nn.MaxPool2d(3, stride=2, ceil_mode=True)
    first, second = module(16, twice, arm), module(maps_of(twice, arm), four, arm)
    features = nn.Sequential(ConvNormAct(1, 16, 3, 2), first, pool, second)
    return nn.Sequential(features, linear_classifier(maps_of(four, arm), classes))


def untouched(model: nn.Module, data: tuple[Images, ...], seed: int) -> tuple[nn.Module, tuple[Images, ...]]:
    """Network and images as they are."""
    return model, data


def run(arm: str, seed: int, size: Size, device: torch.device, spoil: Callable = untouched) -> Record:
    """Train one arm; the seed sets weights and order. `spoil` may change net and images."""
    torch.manual_seed(seed)
    data = size.load()
    deep = data[0].classes != CLASSES  # skies need one module, clothes two
    model = build(ARMS[arm], len(data[0].classes), deep)
    if deep:
        model = model.to(memory_format=torch.channels_last)  # the same numbers, in half the time
    model, data = spoil(model, data, seed)
    return train_and_record(model, data, size, experiment="inceptions", arm=arm, seed=seed, device=device)


def random_labels(model: nn.Module, data: tuple[Images, ...], seed: int) -> tuple[nn.Module, tuple[Images, ...]]:
    """Sabotage: the labels are drawn at random."""
    orders = [torch.randperm(len(part), generator=Generator().manual_seed(seed)) for part in data]
    return model, tuple(replace(part, labels=part.labels[order]) for part, order in zip(data, orders))


def near_twins(model: nn.Module, data: tuple[Images, ...], seed: int) -> tuple[nn.Module, tuple[Images, ...]]:
    """Sabotage: no twin is further away than a 3×3 window sees."""
    near = ((0, 1), (0, 2), (1, 0), (1, 1))
    return model, (stars(len(data[0]), 3, near), stars(len(data[1]), 4, near))


# Which claims about these runs each sabotage must turn, by words of their sentences.
SABOTAGES = {random_labels: ("nearly all",), near_twins: ("three in four",)}
