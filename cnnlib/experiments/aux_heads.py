"""GoogLeNet's auxiliary classifiers: do they speed up training, with batch norm and without?

All nine modules with a sixteenth of the channels, on 800 images of clothes, which are as large as the paper's maps of
28×28 behind its stem. The two auxiliary classifiers look at 4a and 4d; their losses count three tenths. After section 5
of Szegedy and others (2014), arXiv:1409.4842.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch

from cnnlib.datasets import fashion_mnist
from cnnlib.experiments.inceptions import random_labels, untouched
from cnnlib.experiments.running import Size, at_rate, clothes, train_and_record
from cnnlib.layers import ConvNormAct
from cnnlib.models.googlenet import GoogLeNet, auxiliary_loss, conv_bias_act
from cnnlib.records import Record
from cnnlib.training import Recipe, cross_entropy

DIVISOR = 16


@dataclass(frozen=True)
class Arm:
    """Batch norm in place of biases, and auxiliary classifiers, or not; the rate as a multiple of the recipe's."""

    norm: bool
    heads: bool
    rate: float = 1.0


ARMS = {
    "norm": Arm(norm=True, heads=False),
    "norm-heads": Arm(norm=True, heads=True),
    "plain": Arm(norm=False, heads=False, rate=0.4),
    "plain-heads": Arm(norm=False, heads=True, rate=0.4),
}


few = partial(clothes, 800, 1000)
# Rates: the best of three for the nets without classifiers, on images set apart from the training part.
LIVE = Size("aux-heads", "fashion-800", few, Recipe(epochs=5, learning_rate=0.05, batch_size=32), seeds=3, threads=1)
FULL = Size("aux-heads-full", "fashion_mnist", fashion_mnist, Recipe(epochs=5, learning_rate=0.05), seeds=3)


def build(arm: Arm) -> GoogLeNet:
    """N×1×28×28 to ten logits: one 3×3 convolution in place of the stem, then GoogLeNet's nine modules.

    With auxiliary classifiers or without, one seed gives the network itself the same first weights.
    """
    conv = ConvNormAct if arm.norm else conv_bias_act
    stem = OrderedDict(conv2=conv(1, 192 // DIVISOR, 3))
    model = GoogLeNet(stem, 10, conv, auxiliary=True, divisor=DIVISOR)
    if not arm.heads:
        del model.heads
        model.heads = {}
    return model


def run(arm: str, seed: int, size: Size, device: torch.device, spoil: Callable = untouched) -> Record:
    """Train one arm; the seed sets weights and order. `spoil` may change net and images."""
    torch.manual_seed(seed)
    model, data = spoil(build(ARMS[arm]), size.load(), seed)
    model = model.to(memory_format=torch.channels_last)  # the same numbers, in half the time
    at_rate(model, ARMS[arm].rate)
    loss = auxiliary_loss if ARMS[arm].heads else cross_entropy
    return train_and_record(model, data, size, experiment="aux-heads", arm=arm, seed=seed, device=device, loss=loss)


# Which claims about these runs each sabotage must turn, by words of their sentences.
SABOTAGES = {random_labels: ()}
