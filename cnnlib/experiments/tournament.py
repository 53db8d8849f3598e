"""The small net of every family, and two dull rivals, on the same 1,000 images of clothes: one budget for all.

Three passes over the images; each net has a learning rate of its own, the best of RATES on images set apart. The other
sizes are three times as dear: three times the passes, or three times the images. One budget is no ranking.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import nn

from cnnlib import records
from cnnlib.data import Images, Pad
from cnnlib.datasets import fashion, fashion_mnist
from cnnlib.experiments.running import Size, at_rate, clothes, train_and_record
from cnnlib.experiments.small_kernels import random_labels, untouched
from cnnlib.models import (
    alexnet_cifar,
    efficientnet_cifar,
    googlenet_cifar,
    lenet_cifar,
    nin_cifar,
    plain20_cifar,
    resnet20_cifar,
    vgg_cifar,
    zfnet_cifar,
)
from cnnlib.models.densenet import DenseNet, plain_layer
from cnnlib.records import Record
from cnnlib.training import Recipe


def one_matrix(in_channels: int = 1, num_classes: int = 10) -> nn.Sequential:
    """The dullest rival: each class weighs each pixel."""
    return nn.Sequential(nn.Flatten(), nn.Linear(in_channels * 32 * 32, num_classes))


def densenet22(in_channels: int = 1, num_classes: int = 10) -> DenseNet:
    """`densenet_cifar` with half the layers, six in a block: a third of its multiply-adds."""
    stem = OrderedDict(conv=nn.Conv2d(in_channels, 16, 3, padding=1, bias=False))
    return DenseNet(stem, 16, plain_layer, (6, 6, 6), 12, 1.0, num_classes)


@dataclass(frozen=True)
class Arm:
    """A network, its name in pictures, and its learning rate as a multiple of the recipe's."""

    make: Callable[[int, int], nn.Module]
    name: str
    rate: float = 1.0


ARMS = {
    "matrix": Arm(one_matrix, "one matrix", rate=3),
    "lenet": Arm(lenet_cifar, "LeNet, 1998", rate=10),
    "alexnet": Arm(alexnet_cifar, "AlexNet, 2012"),
    "zfnet": Arm(zfnet_cifar, "ZFNet, 2013", rate=3),
    "nin": Arm(nin_cifar, "NiN, 2013"),
    "vgg": Arm(vgg_cifar, "VGG, 2014", rate=3),
    "googlenet": Arm(googlenet_cifar, "GoogLeNet, 2014", rate=3),
    "plain": Arm(plain20_cifar, "plain-20, 2015", rate=30),
    "resnet": Arm(resnet20_cifar, "ResNet-20, 2015", rate=3),
    "densenet": Arm(densenet22, "DenseNet, 2016", rate=30),
    "efficientnet": Arm(efficientnet_cifar, "EfficientNet, 2019"),
}
RATES = (1, 3, 10)  # every net tried these; where the best was an end of the list, one more beyond it


def set_apart() -> tuple[Images, Images]:
    """The same images to train on, and 1,000 others of the training part to choose by."""
    part, _ = fashion()
    return part[:1000], part[-1000:]


few, more = partial(clothes, 1000), partial(clothes, 3000)
RECIPE = Recipe(epochs=3, learning_rate=0.01, batch_size=32)
LIVE = Size("tournament", "fashion-1000", few, RECIPE, seeds=3, threads=1)
LONG = Size("tournament-long", "fashion-1000", few, replace(RECIPE, epochs=9), seeds=3, threads=1)
MORE = Size("tournament-more", "fashion-3000", more, RECIPE, seeds=3, threads=1)
CHOICE = Size("tournament-choice", "fashion-1000-apart", set_apart, RECIPE, seeds=1, threads=1)
FULL = Size("tournament-full", "fashion_mnist", fashion_mnist, replace(RECIPE, epochs=10), seeds=3)


def run(arm: str, seed: int, size: Size, device: torch.device, spoil: Callable = untouched) -> Record:
    """Train one arm on images padded to 32×32; the seed sets weights and order. `spoil` may change net and images.

    The arm `lenet-at-3` is lenet at three times the recipe's rate.
    """
    name, _, rate = arm.partition("-at-")
    torch.manual_seed(seed)
    model, data = spoil(ARMS[name].make(1, 10), size.load(), seed)
    model = model.to(memory_format=torch.channels_last)  # the same numbers, in half the time
    at_rate(model, float(rate or ARMS[name].rate))
    where = {"experiment": "tournament", "arm": arm, "seed": seed, "device": device}
    return train_and_record(model, data, size, **where, transforms=[Pad(2)])


def choices(runs: Path = records.RUNS) -> dict[str, dict[float, Record]]:
    """The recorded choice of the rates: for each net the runs on the images set apart, by rate."""
    found: dict[str, dict[float, Record]] = {}
    for arm, (record, *_) in records.read_all(CHOICE.name, runs).items():
        name, _, rate = arm.partition("-at-")
        found.setdefault(name, {})[float(rate)] = record
    return {name: dict(sorted(found[name].items())) for name in ARMS if name in found}


# Which claims about these runs each sabotage must turn, by words of their sentences.
SABOTAGES = {random_labels: ("no guess",)}
