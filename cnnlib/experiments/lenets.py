"""LeNets, old and new: which of the changes since 1998 does the network need, on images of clothes?

Today's LeNet, turned back step by step (average pooling, tanh, sigmoid); four ways to wake the one with sigmoids;
LeNet-5 as published; two networks without a convolution. 10,000 images, five epochs.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Generator, nn

from cnnlib.data import Images, Pad
from cnnlib.datasets import fashion, fashion_mnist
from cnnlib.experiments.running import Size, at_rate, train_and_record
from cnnlib.models import lenet, lenet5
from cnnlib.records import Record
from cnnlib.training import Recipe


def linear() -> nn.Sequential:
    """No hidden layer: 32·32 pixels to ten logits."""
    return nn.Sequential(nn.Flatten(), nn.Linear(32 * 32, 10))


def mlp() -> nn.Sequential:
    """One hidden layer of 59 units: 61,075 parameters, nearly LeNet's 61,706."""
    return nn.Sequential(nn.Flatten(), nn.Linear(32 * 32, 59), nn.ReLU(), nn.Linear(59, 10))


def lenet_with(activation: Callable, pooling: Callable, norm: bool = False) -> nn.Module:
    """Today's LeNet, from the same weights, with another activation and pooling, perhaps batch norm before the former.

    `pooling` takes the window's side.
    """
    model = lenet()
    for part, norms in ((model.features, nn.BatchNorm2d), (model.classifier, nn.BatchNorm1d)):
        for place, layer in enumerate(part):
            if isinstance(layer, nn.ReLU):
                width = len(part[place - 1].bias)
                part[place] = nn.Sequential(norms(width), activation()) if norm else activation()
            elif isinstance(layer, nn.MaxPool2d):
                part[place] = pooling(2)
    return model


def from_xavier(build: Callable) -> nn.Module:
    """The network with the starting weights of Glorot and Bengio (2010) and biases of zero."""
    model = build()
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return model


@dataclass(frozen=True)
class Arm:
    """A network, and its learning rate as a multiple of the recipe's."""

    build: Callable[[], nn.Module]
    rate: float = 1.0


sigmoid_net = partial(lenet_with, nn.Sigmoid, nn.AvgPool2d)
ARMS = {
    "relu-max": Arm(lenet),
    "relu-avg": Arm(partial(lenet_with, nn.ReLU, nn.AvgPool2d)),
    "tanh-avg": Arm(partial(lenet_with, nn.Tanh, nn.AvgPool2d)),
    "sigmoid-avg": Arm(sigmoid_net),
    "sigmoid-fast": Arm(sigmoid_net, rate=10),
    "sigmoid-xavier": Arm(partial(from_xavier, sigmoid_net)),
    "sigmoid-both": Arm(partial(from_xavier, sigmoid_net), rate=10),
    "sigmoid-norm": Arm(partial(sigmoid_net, norm=True)),
    "lenet5": Arm(lenet5, rate=0.1),
    "linear": Arm(linear, rate=0.1),
    "mlp": Arm(mlp),
}

# The rates were chosen on 2,000 images set apart from the training part.
LIVE = Size("lenets", "fashion", fashion, Recipe(epochs=5, learning_rate=0.07), seeds=3, threads=1)
PATIENT = Size("lenets-patient", "fashion", fashion, Recipe(epochs=25, learning_rate=0.07), seeds=3, threads=1)
FULL = Size("lenets-full", "fashion_mnist", fashion_mnist, Recipe(epochs=10, learning_rate=0.07), seeds=3)


def untouched(model: nn.Module, data: tuple[Images, ...], seed: int) -> tuple[nn.Module, tuple[Images, ...]]:
    """Network and images as they are."""
    return model, data


def run(arm: str, seed: int, size: Size, device: torch.device, spoil: Callable = untouched) -> Record:
    """Train one arm on images padded to 32×32; the seed sets weights and order. `spoil` may change net and images."""
    torch.manual_seed(seed)
    model, data = spoil(ARMS[arm].build(), size.load(), seed)
    at_rate(model, ARMS[arm].rate)
    steps = [Pad(2)]
    return train_and_record(model, data, size, experiment="lenets", arm=arm, seed=seed, device=device, transforms=steps)


def random_labels(model: nn.Module, data: tuple[Images, ...], seed: int) -> tuple[nn.Module, tuple[Images, ...]]:
    """Sabotage: the labels are drawn at random."""
    orders = [torch.randperm(len(part), generator=Generator().manual_seed(seed)) for part in data]
    return model, tuple(replace(part, labels=part.labels[order]) for part, order in zip(data, orders))


def relu_for_sigmoid(model: nn.Module, data: tuple[Images, ...], seed: int) -> tuple[nn.Module, tuple[Images, ...]]:
    """Sabotage: where sigmoids were promised stand ReLUs."""
    return lenet_with(nn.ReLU, nn.AvgPool2d), data


# Which claims about these runs each sabotage must turn, by words of their sentences.
SABOTAGES = {
    random_labels: ("at least 87 %", "linear model", "as many parameters"),
    relu_for_sigmoid: ("With sigmoids",),
}
