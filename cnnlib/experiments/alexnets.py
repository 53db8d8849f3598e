"""A small AlexNet with ReLU, tanh and sigmoid: how soon does it fit 75 % of its training images?

After Figure 1 of Krizhevsky, Sutskever, Hinton (2012): no dropout, a learning rate of its own for each. Half of
`alexnet_cifar`'s maps, 800 images of clothes, six epochs. Each starts as is usual for its activation: He (2015) for
ReLU, Glorot and Bengio (2010) for the two that saturate; one more network with ReLU starts as the paper's did.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Generator, nn

from cnnlib.data import Images, Pad
from cnnlib.datasets import fashion_mnist
from cnnlib.experiments.running import Size, at_rate, clothes, train_and_record
from cnnlib.models.alexnet import CIFAR, AlexNet, classifier_2014, convolutions, initialise_2012, initialise_cifar
from cnnlib.records import Record
from cnnlib.training import Recipe

HALF = tuple((channels // 2, *rest) for channels, *rest in CIFAR)


def he(model: nn.Module) -> None:
    """He's normal distribution; the last layer, which no ReLU follows, by Glorot's rule, as in the other arms."""
    initialise_cifar(model)
    nn.init.xavier_uniform_(model.classifier[-1].weight)


def small_alexnet(activation: Callable = nn.ReLU, dropout: float = 0.0, start: Callable = he) -> AlexNet:
    """AlexNet for one channel of 32×32 pixels, 93,346 parameters, with this activation and share of neurons dropped."""
    model = AlexNet(convolutions(1, HALF), classifier_2014(HALF[-1][0], 3, 128, 10))
    for part in (model.features, model.classifier):
        for name, layer in part.named_children():
            if isinstance(layer, nn.ReLU):
                setattr(part, name, activation())
            elif isinstance(layer, nn.Dropout):
                layer.p = dropout
    start(model)
    return model


def glorot(model: nn.Module) -> None:
    """The uniform distribution of Glorot and Bengio; biases 0."""
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)


@dataclass(frozen=True)
class Arm:
    """Activation, start, and the learning rate as a multiple of the recipe's."""

    activation: Callable
    start: Callable
    rate: float = 1.0


ARMS = {
    "relu": Arm(nn.ReLU, he),
    "tanh": Arm(nn.Tanh, glorot, rate=2.5),
    "sigmoid": Arm(nn.Sigmoid, glorot, rate=8),
    "relu-2012": Arm(nn.ReLU, initialise_2012),
}


few = partial(clothes, 800, 1000)
# Rates: the best of three or more for each arm, on images set apart.
LIVE = Size("alexnets", "fashion-800", few, Recipe(epochs=6, learning_rate=0.012, batch_size=32), seeds=3, threads=1)
FULL = Size("alexnets-full", "fashion_mnist", fashion_mnist, Recipe(epochs=6, learning_rate=0.012), seeds=3)


def untouched(model: nn.Module, data: tuple[Images, ...], seed: int) -> tuple[nn.Module, tuple[Images, ...]]:
    """Network and images as they are."""
    return model, data


def run(arm: str, seed: int, size: Size, device: torch.device, spoil: Callable = untouched) -> Record:
    """Train one arm on images padded to 32×32; the seed sets weights and order. `spoil` may change net and images."""
    choice = ARMS[arm]
    torch.manual_seed(seed)
    model, data = spoil(small_alexnet(choice.activation, start=choice.start), size.load(), seed)
    at_rate(model, choice.rate)
    where = {"experiment": "alexnets", "arm": arm, "seed": seed, "device": device}
    return train_and_record(model, data, size, **where, transforms=[Pad(2)])


def random_labels(model: nn.Module, data: tuple[Images, ...], seed: int) -> tuple[nn.Module, tuple[Images, ...]]:
    """Sabotage: the labels are drawn at random."""
    orders = [torch.randperm(len(part), generator=Generator().manual_seed(seed)) for part in data]
    return model, tuple(replace(part, labels=part.labels[order]) for part, order in zip(data, orders))


def changed_places(model: nn.Module, data: tuple[Images, ...], seed: int) -> tuple[nn.Module, tuple[Images, ...]]:
    """Sabotage: sigmoids stand where tanh was promised, and tanh where sigmoids were."""
    kinds = {type(layer) for layer in model.modules()}
    other = nn.Sigmoid if nn.Tanh in kinds else nn.Tanh
    return small_alexnet(other, start=glorot) if {nn.Tanh, nn.Sigmoid} & kinds else model, data


# Which claims about these runs each sabotage must turn, by words of their sentences.
SABOTAGES = {
    random_labels: ("in every run",),
    changed_places: ("one pass longer", "within five points", "near a guess"),
}
