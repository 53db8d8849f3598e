"""Network in Network: dropout after every convolution, as a published listing has it, or where the paper has it?

The plan of `nin_cifar`, a sixth as wide. To be quick, the first windows move in steps of two; in return the second pool
is left out, so the last maps are 8×8 as in the paper's plan. Beside the placements: the same trunk under a matrix in
place of the mean, the paper's net from He's start alone, and convolutions without 1×1 ones, with as many parameters.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Generator, nn

from cnnlib.data import Images, Pad
from cnnlib.datasets import cifar10, digits
from cnnlib.experiments.running import Size, at_rate, train_and_record
from cnnlib.models.nin import CIFAR, initialise
from cnnlib.records import Record
from cnnlib.training import Recipe

PLAIN = ((5, 1, 2, (96,)), (5, 1, 2, (192,)), (3, 1, 1, (288,)))  # without 1×1; parameters within 0.4 % of CIFAR's


@dataclass(frozen=True)
class Arm:
    """How a net differs from the paper's; `rate` multiplies the recipe's learning rate.

    Dropout stands behind the "mlpconv" layers but the last, as in the paper; nowhere ("none"); behind every "hidden"
    convolution; or behind "all", as in the listing, which gives the maps of the classes batch norm and ReLU too.
    """

    norm: bool = False  # batch norm behind each convolution but the last
    dropped: str = "mlpconv"
    head: str = "mean"  # or "matrix", on all numbers of the last maps
    rows: Sequence[tuple] = CIFAR
    start: Callable = initialise
    rate: float = 1.0


@torch.no_grad()
def he(model: nn.Module) -> None:
    """He's normal distribution, biases 0, and nothing else."""
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)


# The rates: of three for each kind of net the best on 1,000 digits set apart from the training part.
ARMS = {
    "paper": Arm(),
    "norm": Arm(norm=True, rate=10),
    "listing": Arm(norm=True, dropped="all", rate=10),
    "hidden": Arm(norm=True, dropped="hidden", rate=10),
    "hidden-plain": Arm(dropped="hidden"),
    "none": Arm(norm=True, dropped="none", rate=10),
    "matrix": Arm(norm=True, head="matrix", rate=3),
    "he": Arm(start=he),
    "plain": Arm(norm=True, rows=PLAIN, rate=10),
}


def build(arm: Arm, in_channels: int = 1) -> nn.Sequential:
    """N×C×32×32 to ten logits: in one channel the narrow net, in three the paper's widths and pools."""
    narrow, features = in_channels == 1, nn.Sequential()
    for number, (kernel, stride, padding, widths) in enumerate(arm.rows, start=1):
        stride = 2 if narrow and number == 1 else stride
        for width in (width // 6 if narrow else width for width in widths):
            features += convolution(in_channels, width, arm, kernel, stride, padding)
            in_channels, kernel, stride, padding = width, 1, 1, 0
        if number <= (1 if narrow else 2):
            features.append(nn.MaxPool2d(3, stride=2, ceil_mode=True))
        if number < len(arm.rows) and arm.dropped == "mlpconv":
            features.append(nn.Dropout(0.5))
    maps = convolution(in_channels, 10, arm) if arm.dropped == "all" else [nn.Conv2d(in_channels, 10, 1)]
    head = [*maps, nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    if arm.head == "matrix":
        head = [nn.Flatten(), nn.Linear(in_channels * 8 * 8, 10)]
    model = nn.Sequential(OrderedDict(features=features, classifier=nn.Sequential(*head)))
    arm.start(model)
    return model


def convolution(
    in_channels: int, width: int, arm: Arm, kernel: int = 1, stride: int = 1, padding: int = 0
) -> nn.Sequential:
    """One convolution and what the arm puts behind it."""
    layers = [nn.Conv2d(in_channels, width, kernel, stride, padding)]
    layers += [nn.BatchNorm2d(width)] if arm.norm else []
    layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers, *([nn.Dropout(0.5)] if arm.dropped in ("hidden", "all") else []))


def few() -> tuple[Images, Images]:
    """The first 3,000 training and all test digits."""
    part, test = digits()
    return part[:3000], test


LIVE = Size("nins", "digits-3000", few, Recipe(epochs=2, learning_rate=0.01, batch_size=8), seeds=3, threads=1)
LONG = Size("nins-long", "digits-3000", few, Recipe(epochs=8, learning_rate=0.01, batch_size=8), seeds=3, threads=1)
FULL = Size("nins-full", "cifar10", cifar10, Recipe(epochs=60, learning_rate=0.01, weight_decay=1e-4), seeds=3)


def untouched(model: nn.Module, data: tuple[Images, ...], seed: int) -> tuple[nn.Module, tuple[Images, ...]]:
    """Network and images as they are."""
    return model, data


def run(arm: str, seed: int, size: Size, device: torch.device, spoil: Callable = untouched) -> Record:
    """Train one arm, as `trained` does; its record."""
    return trained(arm, seed, size, device, spoil)[1]


def trained(
    arm: str, seed: int, size: Size, device: torch.device, spoil: Callable = untouched
) -> tuple[nn.Module, Record]:
    """Train one arm on images padded to 32×32: the net in evaluation mode, and its record.

    The seed sets weights and order. `spoil` may change net and images.
    """
    torch.manual_seed(seed)
    pixels = size.load()[0].pixels
    model, data = spoil(build(ARMS[arm], pixels.shape[1]), size.load(), seed)
    at_rate(model, ARMS[arm].rate)
    where = {"experiment": "nins", "arm": arm, "seed": seed, "device": device}
    return model, train_and_record(model, data, size, **where, transforms=[Pad((32 - pixels.shape[3]) // 2)])


def random_labels(model: nn.Module, data: tuple[Images, ...], seed: int) -> tuple[nn.Module, tuple[Images, ...]]:
    """Sabotage: the labels are drawn at random."""
    orders = [torch.randperm(len(part), generator=Generator().manual_seed(seed)) for part in data]
    return model, tuple(replace(part, labels=part.labels[order]) for part, order in zip(data, orders))


def no_dropout(model: nn.Module, data: tuple[Images, ...], seed: int) -> tuple[nn.Module, tuple[Images, ...]]:
    """Sabotage: nothing is dropped anywhere."""
    for layer in model.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
    return model, data


# Which claims about these runs each sabotage must turn, by words of their sentences.
SABOTAGES = {random_labels: ("leaves chance", "three in four"), no_dropout: ("near a guess", "right more often")}
