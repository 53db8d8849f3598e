"""A small VGG on clothes: how far does the plan of 2014, a quarter as wide, get on 10,000 images?

The first four blocks of configuration A of Simonyan and Zisserman (2014), arXiv:1409.1556, with batch norm and one
linear layer: 286,000 parameters. Six epochs.
"""

from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import nn

from cnnlib.data import Pad
from cnnlib.datasets import fashion, fashion_mnist
from cnnlib.experiments.running import Size, train_and_record
from cnnlib.experiments.small_kernels import random_labels, untouched
from cnnlib.models.vgg import block
from cnnlib.records import Record
from cnnlib.training import Recipe

ARMS = {"vgg": ((16, 1), (32, 1), (64, 2), (128, 2))}  # channels and convolutions of each block

# Rate, decay and epochs were chosen on 2,000 images set apart from the training part.
RECIPE = Recipe(epochs=6, learning_rate=0.1, weight_decay=3e-3)
LIVE = Size("small-vgg", "fashion", fashion, RECIPE, seeds=3)
FULL = Size("small-vgg-full", "fashion_mnist", fashion_mnist, RECIPE, seeds=3)


def build(blocks: tuple[tuple[int, int], ...]) -> nn.Sequential:
    """N×1×32×32 to ten logits, each block halving the maps; the start is torch's own."""
    features, in_channels = [], 1
    for channels, depth in blocks:
        features.append(block(in_channels, channels, depth, batch_norm=True))
        in_channels = channels
    side = 32 >> len(blocks)
    classifier = nn.Sequential(nn.Flatten(), nn.Linear(in_channels * side**2, 10))
    return nn.Sequential(OrderedDict(features=nn.Sequential(*features), classifier=classifier))


def run(arm: str, seed: int, size: Size, device: torch.device, spoil: Callable = untouched) -> Record:
    """Train one arm on images padded to 32×32; the seed sets weights and order. `spoil` may change net and images."""
    torch.manual_seed(seed)
    model, data = spoil(build(ARMS[arm]), size.load(), seed)
    model = model.to(memory_format=torch.channels_last)  # the same numbers, in less time
    return train_and_record(
        model, data, size, experiment="small-vgg", arm=arm, seed=seed, device=device, transforms=[Pad(2)]
    )


# Which claims about these runs each sabotage must turn, by words of their sentences.
SABOTAGES = {random_labels: ("nine in ten",)}
