"""For each exercise: right answers, written in several ways, pass; usual wrong ones do not, and are named."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnnlib.course.checks import check, undisturbed
from cnnlib.course.exercises import ch04
from cnnlib.models import lenet
from tests.course.answers import answer_tests, function

# map_sides


def sides_by(convolved, pooled):
    def map_sides(side):
        c1 = convolved(side)
        s2 = pooled(c1)
        c3 = convolved(s2)
        return [c1, s2, c3, pooled(c3)]

    return map_sides


def sides_of_the_library_s_maps(side):
    maps, found = torch.zeros(1, 1, side, side), []
    for layer in (lenet().features[place] for place in (0, 2, 3, 5)):
        maps = layer(maps)
        found.append(maps.shape[-1])
    return found


SIDES_RIGHT = [
    sides_by(lambda side: side - 4, lambda side: side // 2),
    sides_of_the_library_s_maps,
    lambda side: (side - 4, (side - 4) // 2, (side - 4) // 2 - 4, ((side - 4) // 2 - 4) // 2),
    lambda side: np.array(sides_by(lambda n: n - 4, lambda n: n // 2)(side)),
    sides_by(lambda side: side - 5 + 1, lambda side: math.floor((side - 2) / 2 + 1)),
]
SIDES_WRONG = [
    ("keeps the side", sides_by(lambda side: side, lambda side: side // 2)),
    ("five away", sides_by(lambda side: side - 5, lambda side: side // 2)),
    ("two away", sides_by(lambda side: side - 2, lambda side: side // 2)),
    ("one away", sides_by(lambda side: side - 4, lambda side: side - 1)),
    ("rounds up", sides_by(lambda side: side - 4, lambda side: math.ceil(side / 2))),
    ("half a pixel", sides_by(lambda side: side - 4, lambda side: side / 2)),
    ("last map only", lambda side: ((side - 4) // 2 - 4) // 2),
    ("padded once more", lambda side: SIDES_RIGHT[0](side + 4)),
    ("image's side", lambda side: [side, *SIDES_RIGHT[0](side)]),
]

# lenet_parameters


def summed(*layers):
    return sum((inputs + bias) * outputs for inputs, outputs, bias in layers)


def parameters_with(c1=None, c3=(150, 16, 1), c5=(400, 120, 1), last=None, bias=1):
    def lenet_parameters(in_channels, num_classes):
        layers = [c1 or (25 * in_channels, 6, 1), c3, c5, (120, 84, 1), last or (84, num_classes, 1)]
        return summed(*((inputs, outputs, bias * one) for inputs, outputs, one in layers))

    return lenet_parameters


PARAMETERS_RIGHT = [
    parameters_with(),
    lambda c, n: sum(p.numel() for p in lenet(c, n).parameters()),
    lambda in_channels, num_classes: 61_706 + 150 * (in_channels - 1) + 85 * (num_classes - 10),
    lambda c, n: torch.tensor(parameters_with()(c, n)),
]
PARAMETERS_WRONG = [
    ("biases are missing", parameters_with(bias=0)),
    ("sees one map only", parameters_with(c3=(25, 16, 1))),
    ("one channel whatever", parameters_with(c1=(25, 6, 1))),
    ("ten classes", parameters_with(last=(84, 10, 1))),
    ("both convolutions", lambda c, n: parameters_with(c3=(25 * c, 16, 1))(c, n)),
    ("maps, not their pixels", parameters_with(c5=(16, 120, 1))),
    ("28×28", parameters_with(c5=(256, 120, 1))),
    ("table of 1998", parameters_with(c3=(25 * 60 + 16, 1, 0))),
    ("pools of 1998", lambda c, n: parameters_with()(c, n) + 44),
    ("output layer is missing", parameters_with(last=(0, 0, 0))),
    ("for each channel", lambda c, n: 26 * c * 6 + 26 * 6 * 16 + summed((400, 120, 1), (120, 84, 1), (84, n, 1))),
]

# c3_parameters


def c3_by_rows(connections, kernel_size):
    return sum(len(row) * kernel_size**2 + 1 for row in connections)


def c3_in_numpy(connections, kernel_size):
    return np.sum([kernel_size * kernel_size * np.size(row) + 1 for row in connections])


def squares(connections):
    return sum(len(row) for row in connections)


C3_RIGHT = [
    c3_by_rows,
    c3_in_numpy,
    lambda connections, kernel_size: squares(connections) * kernel_size * kernel_size + len(connections),
]
C3_WRONG = [
    ("every map sees every map", lambda rows, k: (k * k * (1 + max(max(row) for row in rows)) + 1) * len(rows)),
    ("bias for each connection", lambda rows, k: squares(rows) * (k * k + 1)),
    ("biases are missing", lambda rows, k: squares(rows) * k * k),
    ("not k·k", lambda rows, k: squares(rows) * k + len(rows)),
    ("one kernel a map", lambda rows, k: (k * k + 1) * len(rows)),
    ("numbers of maps added up", lambda rows, k: sum(sum(row) for row in rows) * k * k + len(rows)),
    ("one bias for the whole layer", lambda rows, k: squares(rows) * k * k + 1),
]

# sub_sample: each line can be got wrong

SUM = "x = maps[:, :, ::2, ::2] + maps[:, :, 1::2, ::2] + maps[:, :, ::2, 1::2] + maps[:, :, 1::2, 1::2]"
SCALE, SHIFT = "x = x * weight[:, None, None]", "x = x + bias[:, None, None]"
SQUASH, GIVE = "x = 1.7159 * torch.tanh(2 / 3 * x)", "return x"


def sub(*lines):
    return function("sub_sample(maps, weight, bias)", *lines)


def sub_by_loops(maps, weight, bias):
    result = torch.zeros(*maps.shape[:2], maps.shape[2] // 2, maps.shape[3] // 2)
    for n, c, i, j in np.ndindex(*result.shape):
        total = maps[n, c, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].sum()
        result[n, c, i, j] = 1.7159 * math.tanh(2 / 3 * (total * weight[c] + bias[c]))
    return result


SUB_RIGHT = [
    sub(SUM, SCALE, SHIFT, SQUASH, GIVE),
    sub_by_loops,
    sub("x = 4 * F.avg_pool2d(maps, 2)", SCALE, SHIFT, SQUASH, GIVE),
    sub("x = maps.unfold(2, 2, 2).unfold(3, 2, 2).sum((4, 5))", SCALE, SHIFT, SQUASH, "return x.numpy()"),
    lambda maps, weight, bias: (
        1.7159
        * torch.tanh(
            2 / 3 * F.conv2d(maps, weight[:, None, None, None].repeat(1, 1, 2, 2), bias, stride=2, groups=len(weight))
        )
    ),
]
SUB_WRONG = [
    ("mean of four", sub("x = F.avg_pool2d(maps, 2)", SCALE, SHIFT, SQUASH, GIVE)),
    ("largest of four", sub("x = F.max_pool2d(maps, 2)", SCALE, SHIFT, SQUASH, GIVE)),
    ("squashing is missing", sub(SUM, SCALE, SHIFT, GIVE)),
    ("plain tanh", sub(SUM, SCALE, SHIFT, "return torch.tanh(x)")),
    ("bias is multiplied", sub(SUM, SHIFT, SCALE, SQUASH, GIVE)),
    ("squashed before", sub(SUM, SQUASH, SCALE, SHIFT, GIVE)),
    ("for all maps", sub(SUM, "x = x * weight[0] + bias[0]", SQUASH, GIVE)),
    ("overlap", sub("x = 4 * F.avg_pool2d(maps, 2, stride=1)", SCALE, SHIFT, SQUASH, GIVE)),
    ("bias is missing", sub(SUM, SCALE, SQUASH, GIVE)),
    ("coefficient is missing", sub(SUM, SHIFT, SQUASH, GIVE)),
    ("1.7159 is missing", sub(SUM, SCALE, SHIFT, "return torch.tanh(2 / 3 * x)")),
    ("four times", sub("maps = maps * weight[:, None, None] + bias[:, None, None]", SUM, SQUASH, GIVE)),
    ("C×1×1", sub(SUM, "x = x * weight + bias", SQUASH, GIVE)),
]

# order_matters


def order_with(make, same):
    def order_matters(activation, pool):
        x = make(1, 4, 12, 12)
        return not same(pool(activation(x)), activation(pool(x)))

    return order_matters


def close(a, b):
    return torch.allclose(a, b, atol=1e-5)


def by_numpy(activation, pool):
    x = torch.linspace(-3, 3, 144)[torch.randperm(144)].view(1, 1, 12, 12)
    return np.abs((pool(activation(x)) - activation(pool(x))).numpy()).max() > 1e-4


ORDER_RIGHT = [
    order_with(torch.randn, close),
    by_numpy,
    lambda activation, pool: ((pool(activation(X)) - activation(pool(X))).abs() > 1e-5).any(),
]
X = torch.randn(2, 3, 12, 12, generator=torch.Generator().manual_seed(0))
ORDER_WRONG = [
    ("only positive numbers", order_with(torch.rand, close)),
    ("rounding error", order_with(torch.randn, torch.equal)),
    ("not whether they differ", lambda activation, pool: close(pool(activation(X)), activation(pool(X)))),
    ("whatever the pair", lambda activation, pool: False),
    ("signs were not taken off", lambda f, pool: bool((pool(f(X)) - f(pool(X))).max() > 1e-5)),
    ("all its numbers", lambda activation, pool: pool(activation(X)) != activation(pool(X))),
]

# rescue


def normed(net):
    layers = []
    for layer in net:
        layers.append(layer)
        if isinstance(layer, nn.Conv2d):
            layers.append(nn.BatchNorm2d(layer.out_channels))
        elif isinstance(layer, nn.Linear) and layer.out_features > 10:
            layers.append(nn.BatchNorm1d(layer.out_features))
    return nn.Sequential(*layers)


class Normed(nn.Module):
    """Not a Sequential, with group norm."""

    def __init__(self, net):
        super().__init__()
        self.first = nn.Sequential(net[0], nn.GroupNorm(2, 6), *net[1:4], nn.GroupNorm(2, 16), *net[4:8])
        self.last = nn.Sequential(nn.LayerNorm(120), net[8], net[9], nn.LayerNorm(84), *net[10:])

    def forward(self, x):
        return self.last(self.first(x))


def with_weights(times):
    @torch.no_grad()
    def rescue(net):
        for layer in net:
            if hasattr(layer, "weight"):
                layer.weight *= times
        return net

    return rescue


class Centred(nn.Module):
    def forward(self, x):
        return 4 * x - 2


def centred(net):
    parts = [nn.Sequential(layer, Centred()) if isinstance(layer, nn.Sigmoid) else layer for layer in net]
    return nn.Sequential(*parts)


def with_layers(kind, make):
    def rescue(net):
        return nn.Sequential(*(make() if isinstance(layer, kind) else layer for layer in net))

    return rescue


def xavier(net):
    for layer in net:
        if hasattr(layer, "weight"):
            nn.init.xavier_uniform_(layer.weight)
    return net


def nan_gradients(net):
    for weight in net.parameters():
        weight.register_hook(lambda gradient: gradient * float("nan"))
    return net


def one_sigmoid_and_one_pool(net):
    """The same two layers, used again and again."""
    sigmoid, pool = nn.Sigmoid(), nn.AvgPool2d(2)
    own = {nn.Sigmoid: sigmoid, nn.AvgPool2d: pool}
    return nn.Sequential(*(own.get(type(layer), layer) for layer in normed(net)))


RESCUE_RIGHT = [normed, Normed, with_weights(6), centred, one_sigmoid_and_one_pool]
RESCUE_WRONG = [
    ("same numbers for every image", lambda net: net),
    ("same numbers for every image", xavier),
    ("another activation", with_layers(nn.Sigmoid, nn.ReLU)),
    ("or a maximum", with_layers(nn.AvgPool2d, lambda: nn.MaxPool2d(2))),
    ("is gone", lambda net: nn.Sequential(*net[:2], nn.Upsample(14), *net[3:])),
    ("is gone", with_layers(nn.Sigmoid, nn.Identity)),
    ("flat", with_weights(300)),
    ("no, 0%", nan_gradients),
    ("returns the network", lambda net: net(torch.zeros(2, 1, 32, 32))),
]

ANSWERS = {
    "map_sides": (SIDES_RIGHT, SIDES_WRONG),
    "lenet_parameters": (PARAMETERS_RIGHT, PARAMETERS_WRONG),
    "c3_parameters": (C3_RIGHT, C3_WRONG),
    "sub_sample": (SUB_RIGHT, SUB_WRONG),
    "order_matters": (ORDER_RIGHT, ORDER_WRONG),
    "rescue": (RESCUE_RIGHT, RESCUE_WRONG),
}


TestAnswers = answer_tests(ch04.EXERCISES, ANSWERS)


def test_sides_that_are_no_whole_numbers_pass_with_a_remark(capsys):
    check(lambda side: [float(n) for n in SIDES_RIGHT[0](side)], of="map_sides")
    assert "remark: sides are whole numbers" in capsys.readouterr().out


@pytest.mark.slow
def test_the_sleeping_net_sleeps_and_the_rescued_wakes_from_other_seeds_too():
    with undisturbed():
        for seed in (3, 4):
            assert ch04.trained(lambda net: net, seed) < 0.2
            assert ch04.trained(normed, seed) > 0.6


@pytest.mark.slow
def test_a_rescue_is_judged_without_the_test_part():
    learnt, apart = ch04.training_clothes()
    train, _ = ch04.fashion()
    assert torch.equal(torch.cat([learnt.labels, apart.labels]).bincount(), train[:2000].labels.bincount())
    rows = {tuple(row) for row in train.pixels.flatten(1).tolist()}
    assert all(tuple(row) in rows for row in torch.cat([learnt.pixels, apart.pixels]).flatten(1).tolist())
