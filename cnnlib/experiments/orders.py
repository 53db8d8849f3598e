"""CBAPD: in which order should batch norm, activation, max pool and dropout stand behind a convolution?

Two convolutions, each with the four behind it in one order. An activation that never falls, as ReLU, may change places
with a max pool, and ReLU with dropout, without any change of the result: of 24 orders 12 are different networks. They
are the ARMS, where A stands beside B; the last arm drops nothing. 1,500 images of clothes, four passes.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import nn

from cnnlib.data import Images
from cnnlib.datasets import fashion_mnist
from cnnlib.experiments.running import Size, clothes, train_and_record
from cnnlib.experiments.small_kernels import random_labels, untouched
from cnnlib.records import Record
from cnnlib.training import Recipe

WIDTHS = (16, 32)
DROPPED = 0.3


def layer(letter: str, width: int) -> nn.Module:
    """The layer that a letter stands for."""
    makers = {
        "B": partial(nn.BatchNorm2d, width),
        "A": nn.ReLU,
        "P": partial(nn.MaxPool2d, 2),
        "D": partial(nn.Dropout, DROPPED),
    }
    return makers[letter]()


def build(order: str) -> nn.Sequential:
    """N×1×28×28 to ten logits: two 3×3 convolutions, behind each the layers of `order`, and one matrix."""
    layers, inputs = [], 1
    for width in WIDTHS:
        layers += [nn.Conv2d(inputs, width, 3, padding=1), *(layer(letter, width) for letter in order)]
        inputs = width
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(inputs * 7 * 7, 10))


# The order of B, P and D, and on which side of B the activation stands.
ARMS = {
    order.replace("B", pair): f"C {' '.join(order.replace('B', pair))}"
    for pair in ("BA", "AB")
    for order in ("BPD", "BDP", "PBD", "PDB", "DBP", "DPB")
} | {"BAP": "C B A P"}


few = partial(clothes, 1500)
# The rate: the best of three for the mean of all orders, on images set apart from the training part.
LIVE = Size("orders", "fashion-1500", few, Recipe(epochs=4, learning_rate=0.007, batch_size=32), seeds=3, threads=1)
FULL = Size("orders-full", "fashion_mnist", fashion_mnist, Recipe(epochs=10, learning_rate=0.007), seeds=3)


def run(arm: str, seed: int, size: Size, device: torch.device, spoil: Callable = untouched) -> Record:
    """Train one order; the seed sets weights and batches. `spoil` may change net and images."""
    torch.manual_seed(seed)
    model, data = spoil(build(arm), size.load(), seed)
    model = model.to(memory_format=torch.channels_last)
    return train_and_record(model, data, size, experiment="orders", arm=arm, seed=seed, device=device)


def nothing_dropped(model: nn.Module, data: tuple[Images, ...], seed: int) -> tuple[nn.Module, tuple[Images, ...]]:
    """Sabotage: dropout drops nothing."""
    for part in model:
        if isinstance(part, nn.Dropout):
            part.p = 0.0
    return model, data


# Which claims about these runs each sabotage must turn, by words of their sentences.
SABOTAGES = {random_labels: ("three in four",), nothing_dropped: ("another loss",)}
