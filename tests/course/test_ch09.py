"""For each exercise: right answers, written in several ways, pass; usual wrong ones do not, and are named."""

import math
import random
from functools import partial

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from cnnlib.course.exercises import ch09
from cnnlib.models.resnet import bottleneck_block
from tests.course.answers import answer_tests, function

# depth_of


def depth_by_loop(blocks, convolutions):
    depth = 1
    for count in blocks:
        for _ in range(count):
            depth += convolutions
    return depth + 1


DEPTH_RIGHT = [
    depth_by_loop,
    lambda blocks, convolutions: convolutions * sum(blocks) + 2,
    lambda blocks, convolutions: np.sum(blocks) * convolutions + 2,
]
DEPTH_WRONG = [
    ("are not counted", lambda blocks, convolutions: convolutions * sum(blocks)),
    ("one of the two", lambda blocks, convolutions: convolutions * sum(blocks) + 1),
    ("blocks are counted", lambda blocks, convolutions: sum(blocks) + 2),
    ("stages are counted", lambda blocks, convolutions: convolutions * len(blocks) + 2),
    ("counted too", lambda blocks, convolutions: convolutions * sum(blocks) + 2 + len(blocks)),
    ("counted too", lambda blocks, convolutions: convolutions * sum(blocks) + 1 + len(blocks)),
]

# slope_through


def slope_by_loop(slopes):
    through = 1.0
    for value in slopes:
        through = through + through * value
    return through


SLOPE_RIGHT = [
    slope_by_loop,
    lambda slopes: math.prod(1 + value for value in slopes),
    lambda slopes: (1 + torch.tensor(slopes)).prod(),
    lambda slopes: np.prod([1 + value for value in slopes]),
]
SLOPE_WRONG = [
    ("a plain net", lambda slopes: math.prod(slopes)),
    ("round the whole net", lambda slopes: 1 + math.prod(slopes)),
    ("added up", lambda slopes: sum(1 + value for value in slopes)),
    ("added up", lambda slopes: 1 + sum(slopes)),
    ("never below 1", lambda slopes: max(1, slope_by_loop(slopes))),
    ("never below 1", lambda slopes: math.prod(max(1, 1 + value) for value in slopes)),
    ("signs are dropped", lambda slopes: abs(slope_by_loop(slopes))),
    ("signs are dropped", lambda slopes: math.prod(1 + abs(value) for value in slopes)),
    ("starts from 0", lambda slopes: 0 * slope_by_loop(slopes)),
]

# option_a


def by_cat(x, maps):
    x = x[..., ::2, ::2]
    return torch.cat([x, torch.zeros(len(x), maps - x.shape[1], *x.shape[2:])], 1)


def into_zeros(x, maps):
    out = torch.zeros(len(x), maps, (x.shape[2] + 1) // 2, (x.shape[3] + 1) // 2)
    out[:, : x.shape[1]] = x[:, :, ::2, ::2]
    return out


def behind(x, maps):
    return F.pad(x, [0, 0, 0, 0, 0, maps - x.shape[1]])


A_RIGHT = [
    by_cat,
    into_zeros,
    lambda x, maps: behind(F.avg_pool2d(x, 1, 2), maps),
    lambda x, maps: by_cat(x, maps).numpy(),
]
A_WRONG = [
    ("zeros stand in front", lambda x, maps: F.pad(x[:, :, ::2, ::2], [0, 0, 0, 0, maps - x.shape[1], 0])),
    (
        "half of the zeros",
        lambda x, maps: F.pad(
            x[:, :, ::2, ::2], [0, 0, 0, 0, (maps - x.shape[1]) // 2, maps - x.shape[1] - (maps - x.shape[1]) // 2]
        ),
    ),
    ("the mean of 2×2", lambda x, maps: behind(F.avg_pool2d(x, 2), maps)),
    ("the mean of 2×2", lambda x, maps: behind(F.avg_pool2d(x, 2, ceil_mode=True), maps)),
    ("the largest of 2×2", lambda x, maps: behind(F.max_pool2d(x, 2), maps)),
    ("second row and column", lambda x, maps: behind(x[:, :, 1::2, 1::2], maps)),
    ("only rows", lambda x, maps: behind(x[:, :, ::2], maps)),
    ("no zeros", lambda x, maps: x[:, :, ::2, ::2]),
    ("as many zeros", lambda x, maps: F.pad(x[:, :, ::2, ::2], [0, 0, 0, 0, 0, maps])),
    ("all there still", behind),
    ("other maps", lambda x, maps: into_zeros(x, maps) + (torch.arange(maps) >= x.shape[1]).view(1, -1, 1, 1)),
    ("after slicing", lambda x, maps: torch.cat([x[:, :, ::2, ::2], torch.zeros(len(x), 1, *x.shape[2:])], 1)),
]

# bottleneck_parameters


def bottleneck_by_layers(inputs, width, stride):
    layers = [nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width)]
    layers += [nn.Conv2d(width, width, 3, bias=False), nn.BatchNorm2d(width)]
    layers += [nn.Conv2d(width, 4 * width, 1, bias=False), nn.BatchNorm2d(4 * width)]
    if stride == 2 or inputs != 4 * width:
        layers += [nn.Conv2d(inputs, 4 * width, 1, bias=False), nn.BatchNorm2d(4 * width)]
    return sum(p.numel() for layer in layers for p in layer.parameters())


def count(three=9, norm=2, biases=0, last=4, shortcut="4 * w * (n + NORM)", changes="s != 1 or n != 4 * w"):
    shortcut = shortcut.replace("NORM", str(norm + biases))
    return function(
        "bottleneck_parameters(n, w, s)",
        f"branch = n * w + {three} * w * w + {last} * w * w + ({norm} + {biases}) * (2 + {last}) * w",
        f"return branch + ({shortcut} if {changes} else 0)",
    )


BOTTLENECK_RIGHT = [
    bottleneck_by_layers,
    count(),
    lambda n, w, s: sum(p.numel() for p in bottleneck_block(n, w, s).parameters()),
]
BOTTLENECK_WRONG = [
    ("norms are missing", count(norm=0)),
    ("one parameter a map", count(norm=1)),
    ("shortcut's convolution", count(changes="False")),
    ("no batch norm", count(shortcut="4 * w * n")),
    ("where the shape stays", count(changes="True")),
    ("stride 2 alone", count(changes="n != 4 * w")),
    ("have biases", count(biases=1)),
    ("one weight a pair", count(three=1)),
    ("three weights a pair", count(three=3)),
    ("puts out `width`", count(last=1)),
]

# copying


def two_layers(kernel, **options):
    """An answer whose two convolutions have this kernel, a function of the number of maps."""

    def copying(maps):
        layers = []
        for _ in range(2):
            conv = nn.Conv2d(maps, maps, 3, **({"padding": 1, "bias": False} | options))
            with torch.no_grad():
                conv.weight.copy_(kernel(maps))
            layers += [conv, nn.ReLU()]
        return nn.Sequential(*layers)

    return copying


def dirac(maps):
    return nn.init.dirac_(torch.empty(maps, maps, 3, 3))


def one_relu(maps):
    relu, layers = nn.ReLU(), two_layers(dirac)(maps)
    return nn.Sequential(layers[0], relu, layers[2], relu)


def there_and_back(maps):
    net = two_layers(dirac)(maps)
    with torch.no_grad():
        net[0].weight.mul_(4)
        net[2].weight.mul_(0.25)
    return net


def left_random(maps):
    return nn.Sequential(
        nn.Conv2d(maps, maps, 3, padding=1, bias=False), nn.ReLU(),
        nn.Conv2d(maps, maps, 3, padding=1, bias=False), nn.ReLU(),
    )  # fmt: skip


def outside_no_grad(maps):
    conv = nn.Conv2d(maps, maps, 3, padding=1, bias=False)
    conv.weight[0, 0, 1, 1] = 1
    return conv


COPYING_RIGHT = [two_layers(dirac), one_relu, there_and_back]
COPYING_WRONG = [
    ("no module", lambda maps: torch.zeros(1, maps, 6, 6)),
    ("nothing passes", two_layers(lambda maps: torch.zeros(maps, maps, 3, 3))),
    ("all weights are one", two_layers(lambda maps: torch.ones(maps, maps, 3, 3))),
    ("sum of all maps", two_layers(ch09.all_pairs)),
    ("in the middle of", two_layers(partial(ch09.one_at, row=0, column=0))),
    ("in the middle of", two_layers(partial(ch09.one_at, row=1, column=2))),
    ("the sum of its window", two_layers(ch09.own_windows)),
    ("the mean of its window", two_layers(lambda maps: ch09.own_windows(maps, 1 / 9))),
    ("have biases", two_layers(dirac, bias=True)),
    ("not two convolutions", lambda maps: two_layers(dirac)(maps)[:2]),
    ("not two convolutions", lambda maps: nn.Identity()),
    ("without padding", two_layers(dirac, padding=0)),
    ("not those that copy", left_random),
    ("torch.no_grad()", outside_no_grad),
]

# perhaps


def by_if(branch, x, keep, training):
    if training:
        return x + branch(x) if torch.rand(1).item() < keep else x
    return x + keep * branch(x)


def by_bernoulli(branch, x, keep, training):
    weight = torch.bernoulli(torch.tensor(float(keep))) if training else keep
    return x + weight * branch(x)


def by_python(branch, x, keep, training):
    return x + branch(x) * ((random.random() < keep) if training else keep)


def answer(train, evaluation="x + keep * b"):
    return function(
        "perhaps(branch, x, keep, training)",
        "b, coin = branch(x), torch.rand(()) < keep",
        f"return ({train}) if training else ({evaluation})",
    )


PERHAPS_RIGHT = [by_if, by_bernoulli, by_python]
PERHAPS_WRONG = [
    ("shortcut is missing", answer("b if coin else x", "keep * b")),
    ("shortcut is missing", answer("b * coin")),
    ("counts in full", answer("x + b if coin else x", "x + b")),
    ("is left out when", answer("x + b if coin else x", "x")),
    ("whole sum is scaled", answer("x + b if coin else x", "keep * (x + b)")),
    ("probability of dropping", answer("x if coin else x + b")),
    ("probability of dropping", answer("x if coin else x + b", "x + (1 - keep) * b")),
    ("scaled in training", answer("x + b / keep if coin else x")),
    ("scaled in training", answer("x + keep * b")),
    ("coin of its own", answer("x + b * (torch.rand(len(x), 1, 1, 1) < keep)")),
    ("nothing is drawn", answer("x + b")),
    ("one coin, a single number", answer("x + b if torch.rand(len(x)) < keep else x")),
]

ANSWERS = {
    "depth_of": (DEPTH_RIGHT, DEPTH_WRONG),
    "slope_through": (SLOPE_RIGHT, SLOPE_WRONG),
    "option_a": (A_RIGHT, A_WRONG),
    "bottleneck_parameters": (BOTTLENECK_RIGHT, BOTTLENECK_WRONG),
    "copying": (COPYING_RIGHT, COPYING_WRONG),
    "perhaps": (PERHAPS_RIGHT, PERHAPS_WRONG),
}


TestAnswers = answer_tests(ch09.EXERCISES, ANSWERS)
