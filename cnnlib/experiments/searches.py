"""Every net of a small search space, trained: a table in which a search can look up what it would have measured.

After Tan and others (2018), arXiv:1807.11626, where a controller proposes nets of MBConv blocks and each is trained for
a short while. Three decisions with three answers each make 27 nets; an arm's name is its three answers, "0-2-1".
"""

from collections.abc import Callable
from itertools import product

import torch

from cnnlib.experiments import scaling
from cnnlib.experiments.running import Size
from cnnlib.experiments.scaling import Arm, random_labels, untouched
from cnnlib.records import Record
from cnnlib.training import Recipe

PARTS = ((3, 2), (3, 4), (5, 4))  # side of the window and expansion: of the first stage, and of the second
BLOCKS = ((1, 1), (2, 1), (1, 2))  # in the first stage and in the second

ARMS = {
    f"{first}-{second}-{blocks}": Arm(parts=(PARTS[first], PARTS[second]), blocks=BLOCKS[blocks])
    for first, second, blocks in product(range(3), repeat=3)
}

RECIPE = Recipe(epochs=3, learning_rate=0.1, batch_size=32)
LIVE = Size("searches", "fashion-1500", scaling.few, RECIPE, seeds=4, threads=1)
FULL = Size("searches-full", "cifar10", scaling.FULL.data, Recipe(epochs=10, learning_rate=0.1), seeds=3)


def run(arm: str, seed: int, size: Size, device: torch.device, spoil: Callable = untouched) -> Record:
    """Train one net of the space; the seed sets weights and order. `spoil` may change net and images."""
    return scaling.trained(ARMS[arm], seed, size, device, spoil, experiment="searches", arm=arm)[1]


# The chapter reads this table and trains none of it: no claim speaks of the reader's runs, and none must turn.
SABOTAGES = {random_labels: ()}
