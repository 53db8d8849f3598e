"""For each exercise: right answers, written in several ways, pass; usual wrong ones do not, and are named."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnnlib.analysis import summary
from cnnlib.course.exercises import ch08
from cnnlib.layers import Concat
from cnnlib.models.googlenet import MODULES, conv_bias_act, inception
from tests.course.answers import answer_tests, function, output

# maps_after

AFTER_RIGHT = [
    lambda row: row[0] + row[2] + row[4] + row[5],
    lambda row: sum(row) - row[1] - row[3],
    lambda row: sum(row[place] for place in (0, 2, 4, 5)),
]
AFTER_WRONG = [
    ("one of the branches is missing", lambda row: row[0] + row[2] + row[5]),
    ("all six", sum),
    ("reductions are counted", lambda row: row[0] + row[1] + row[3] + row[5]),
    ("behind the pool", lambda row: row[0] + row[2] + row[4]),
    ("the largest branch", max),
    ("the largest branch", lambda row: max(row[0], row[2], row[4], row[5])),
]

# module_parameters


def by_layers(n, row):
    one, r3, three, r5, five, pooled = row
    layers = [nn.Conv2d(n, maps, 1) for maps in (one, r3, r5, pooled)]
    layers += [nn.Conv2d(r3, three, 3), nn.Conv2d(r5, five, 5)]
    return sum(p.numel() for layer in layers for p in layer.parameters())


COUNT = "(n + 1) * (a + b + d + f) + (9 * b + 1) * c + (25 * d + 1) * e"


def count(text, *, row="a, b, c, d, e, f"):
    return function("module_parameters(n, row)", f"{row} = row", f"return {text}")


COUNT_RIGHT = [by_layers, count(COUNT), count(f"float({COUNT})")]
COUNT_WRONG = [
    ("each weight of the window", lambda n, row: COUNT_RIGHT[0](n, row) + 8 * row[2] + 24 * row[4]),
    ("biases are missing", count("n * (a + b + d + f) + 9 * b * c + 25 * d * e")),
    ("reductions have no biases", count(f"{COUNT} - b - d")),
    ("see all the maps", count("(n + 1) * (a + b + d + f) + (9 * n + 1) * c + (25 * n + 1) * e")),
    ("reductions are missing", count("(n + 1) * (a + f) + (9 * b + 1) * c + (25 * d + 1) * e")),
    ("behind the pool", count("(n + 1) * (a + b + d) + (9 * b + 1) * c + (25 * d + 1) * e")),
    ("k, not k·k", count("(n + 1) * (a + b + d + f) + (3 * b + 1) * c + (5 * d + 1) * e")),
    ("counted as 3×3", count("(n + 1) * (a + b + d + f) + (9 * b + 1) * c + (9 * d + 1) * e")),
    ("pool is counted", count("(n + 1) * (a + b + d) + (9 * n + 1) * f + (9 * b + 1) * c + (25 * d + 1) * e")),
]

# joined


def joined_by_loops(across, down):
    out, middle, side, _ = down.shape
    kernel = torch.zeros(out, across.shape[1], side, side)
    for o in range(out):
        for b in range(middle):
            for i in range(across.shape[1]):
                kernel[o, i] += torch.outer(down[o, b, :, 0], across[b, i, 0])
    return kernel


JOINED_RIGHT = [
    joined_by_loops,
    lambda across, down: torch.einsum("obi,bcj->ocij", down[..., 0], across[:, :, 0]),
    lambda across, down: (down[:, :, None] * across[None]).sum(1),
    lambda across, down: torch.einsum("obij,bcjk->ocik", down, across),
    lambda across, down: joined_by_loops(across, down).numpy(),
]
JOINED_WRONG = [
    ("transposed", lambda a, d: joined_by_loops(a, d).transpose(2, 3)),
    ("added, not multiplied", lambda a, d: d + a),
    ("turned round", lambda a, d: joined_by_loops(a, d).flip(2, 3)),
    ("first map between", lambda a, d: joined_by_loops(a[:1], d[:, :1])),
    ("the mean", lambda a, d: joined_by_loops(a, d) / len(a)),
    ("two axes are missing", lambda a, d: torch.outer(d.flatten(), a.flatten())),
    ("exchanged", lambda a, d: joined_by_loops(a, d).transpose(0, 1)),
    ("line the axes up", lambda a, d: a * d),
]

# smooth_loss


def targets(text, *, end="-(t * logits.log_softmax(1)).sum(1).mean()"):
    lines = ["K = logits.shape[1]", "hot = F.one_hot(labels, K)", f"t = {text}", f"return {end}"]
    return function("smooth_loss(logits, labels, epsilon)", *lines)


def smooth_by_loops(logits, labels, epsilon):
    total = 0.0
    for row, label in zip(logits.double(), labels):
        chances = row.exp() / row.exp().sum()
        for k, chance in enumerate(chances):
            total -= ((1 - epsilon) * float(k == label) + epsilon / len(chances)) * chance.log()
    return total / len(labels)


SMOOTH = "(1 - epsilon) * hot + epsilon / K"
SMOOTH_RIGHT = [
    targets(SMOOTH),
    smooth_by_loops,
    lambda logits, labels, epsilon: F.cross_entropy(logits, labels, label_smoothing=epsilon),
    lambda logits, labels, epsilon: (
        (1 - epsilon) * F.cross_entropy(logits, labels) - epsilon * logits.log_softmax(1).mean()
    ),
]
SMOOTH_WRONG = [
    ("1 − ε only", targets("(1 - epsilon) * hot + epsilon / K * (1 - hot)")),
    ("all N·K numbers", targets(SMOOTH, end="-(t * logits.log_softmax(1)).mean()")),
    ("not smoothed", lambda logits, labels, epsilon: F.cross_entropy(logits, labels)),
    ("wrong classes only", targets("(1 - epsilon) * hot + epsilon * (1 - hot) / (K - 1)")),
    ("not its share", targets("(1 - epsilon) * hot + epsilon")),
    ("keeps all", targets("hot + epsilon / K")),
    ("nothing is shared", targets("(1 - epsilon) * hot")),
    ("the sum over the images", targets(SMOOTH, end="-(t * logits.log_softmax(1)).sum()")),
    ("sign is missing", targets(SMOOTH, end="(t * logits.log_softmax(1)).sum(1).mean()")),
    ("softmax twice", targets(SMOOTH, end="-(t * logits.softmax(1).log_softmax(1)).sum(1).mean()")),
]

# fold_norm


def fold(weight="w * factor[:, None, None, None]", bias="b - m * factor", factor="a / (v + e) ** 0.5", end=None):
    return function(
        "fold_norm(conv, norm)",
        "w, a, b, m, v, e = conv.weight, norm.weight, norm.bias, norm.running_mean, norm.running_var, norm.eps",
        f"factor = {factor}",
        f"return {end or f'{weight}, {bias}'}",
    )


def fold_into_a_new_layer(conv, norm):
    new = nn.Conv2d(conv.in_channels, conv.out_channels, conv.kernel_size)
    with torch.no_grad():
        for k in range(conv.out_channels):
            factor = norm.weight[k] / (norm.running_var[k] + norm.eps).sqrt()
            new.weight[k] = factor * conv.weight[k]
            new.bias[k] = norm.bias[k] - factor * norm.running_mean[k]
    return [new.weight, new.bias]


FOLD_RIGHT = [fold(), fold_into_a_new_layer, fold(end="(w.flatten(1).T * factor).T.view_as(w), b - m * factor")]
FOLD_WRONG = [
    ("behind the root", fold(factor="a / (v ** 0.5 + e)")),
    ("mean is added", fold(bias="b + m * factor")),
    ("not a weight and a bias", fold(end="conv")),
    ("running mean is forgotten", fold(bias="b")),
    ("subtracted unscaled", fold(bias="b - m")),
    ("not by its root", fold(factor="a / (v + e)")),
    ("eps is forgotten", fold(factor="a / v ** 0.5")),
    ("own scale is forgotten", fold(factor="1 / (v + e) ** 0.5")),
    ("own shift is forgotten", fold(bias="-m * factor")),
    ("as they were", fold(weight="w")),
    ("give it the shape", fold(weight="w * factor")),
]

# own_module


def layer(n, maps, side):
    return nn.Sequential(nn.Conv2d(n, maps, side, padding=side // 2), nn.ReLU())


def small(row):
    return lambda inputs: inception(inputs, row, conv_bias_act)


def split(inputs):
    five = nn.Sequential(
        layer(inputs, 16, 1), nn.Conv2d(16, 16, (1, 5), padding=(0, 2)), nn.Conv2d(16, 32, (5, 1), padding=(2, 0))
    )
    return Concat(layer(inputs, 160, 1), nn.Sequential(layer(inputs, 32, 1), layer(32, 64, 3)), five)


def with_norm(inputs):
    three = nn.Sequential(layer(inputs, 32, 1), layer(32, 64, 3), nn.BatchNorm2d(64))
    five = nn.Sequential(layer(inputs, 16, 1), layer(16, 32, 3), layer(32, 32, 3))
    return Concat(layer(inputs, 160, 1), three, five)


class Idle(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.module, self.idle = split(inputs), nn.Linear(2, 2)

    def forward(self, x):
        return self.module(x)


OWN_RIGHT = [small((160, 32, 64, 8, 32, 16)), split, with_norm]
OWN_WRONG = [
    ("no module", lambda inputs: split(inputs)(torch.zeros(1, 192, 28, 28))),
    ("changed their size", lambda inputs: Concat(nn.Conv2d(inputs, 256, 3))),
    ("too few maps", small((64, 16, 64, 8, 16, 16))),
    ("too much work", small(MODULES["3a"])),
    ("window size is missing", lambda inputs: Concat(layer(inputs, 192, 1), nn.Sequential(layer(inputs, 32, 1),
                                                                                         layer(32, 64, 3)))),
    ("nothing passes", Idle),
    ("pad each window", lambda inputs: Concat(layer(inputs, 160, 1), nn.Conv2d(inputs, 16, 3))),
    ("another number of maps", lambda inputs: nn.Sequential(layer(inputs, 32, 1), layer(64, 256, 3))),
]  # fmt: skip

ANSWERS = {
    "maps_after": (AFTER_RIGHT, AFTER_WRONG),
    "module_parameters": (COUNT_RIGHT, COUNT_WRONG),
    "joined": (JOINED_RIGHT, JOINED_WRONG),
    "smooth_loss": (SMOOTH_RIGHT, SMOOTH_WRONG),
    "fold_norm": (FOLD_RIGHT, FOLD_WRONG),
    "own_module": (OWN_RIGHT, OWN_WRONG),
}


TestAnswers = answer_tests(ch08.EXERCISES, ANSWERS)


def test_a_number_of_parameters_that_is_no_whole_one_passes_with_a_remark(capsys):
    assert "remark: a number of parameters is whole" in output(capsys, COUNT_RIGHT[-1], "module_parameters")


def test_half_of_3a_s_work_is_the_limit():
    with torch.device("meta"):
        whole = summary(inception(192, MODULES["3a"], conv_bias_act), (192, 28, 28), depth=1)[-1]
    assert whole.macs // 2 == pytest.approx(ch08.MOST_MACS, rel=0.001)


@pytest.mark.parametrize(("make", "fields"), [(split, {1, 3, 5}), (small(MODULES["3a"]), {1, 3, 5})])
def test_fields_are_found_map_by_map(make, fields):
    assert set(ch08.fields_of(make(192).eval())) == fields
