"""For each exercise: right answers, written in several ways, pass; usual wrong ones do not, and are named."""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from cnnlib.analysis import summary
from cnnlib.course.checks import check
from cnnlib.course.exercises import ch05
from cnnlib.models import alexnet_2012
from tests.course.answers import answer_tests, function

# tower_parameters

TOWER_RIGHT = [
    lambda inputs, maps, kernel, groups: (kernel * kernel * inputs // groups + 1) * maps,
    lambda i, m, k, g: sum((k**2 * (i // g) + 1) * (m // g) for _ in range(g)),
    lambda i, m, k, g: sum(p.numel() for p in nn.Conv2d(i, m, k, groups=g).parameters()),
    lambda i, m, k, g: k * k * i * m / g + m,
]
TOWER_WRONG = [
    ("biases are missing", lambda i, m, k, g: k * k * i * m // g),
    ("make no difference", lambda i, m, k, g: (k * k * i + 1) * m),
    ("one tower is counted", lambda i, m, k, g: (k * k * (i // g) + 1) * (m // g)),
    ("biases were divided", lambda i, m, k, g: (k * k * i * m + m) / g),
    ("twice", lambda i, m, k, g: k * k * i * m / g / g + m),
    ("k, not k·k", lambda i, m, k, g: (k * i // g + 1) * m),
    ("bias for each group", lambda i, m, k, g: k * k * i * m // g + g * m),
    ("multiplied", lambda i, m, k, g: (k * k * i * g + 1) * m),
]

# two_towers: each line can be got wrong

HALVES = "(a, b), (u, v), (p, q) = images.chunk(2, 1), weight.chunk(2), bias.chunk(2)"
JOIN = "return torch.cat([F.conv2d(a, u, p), F.conv2d(b, v, q)], 1)"


def towers(*lines):
    return function("two_towers(images, weight, bias)", *lines)


def towers_by_loops(images, weight, bias):
    half, maps = images.shape[1] // 2, len(weight)
    columns = []
    for number in range(maps):
        tower = images[:, half:] if number >= maps // 2 else images[:, :half]
        columns.append(F.conv2d(tower, weight[number : number + 1], bias[number : number + 1]))
    return torch.cat(columns, dim=1)


def towers_as_one(images, weight, bias):
    half, maps = images.shape[1] // 2, len(weight) // 2
    full = torch.zeros(len(weight), 2 * half, *weight.shape[2:])
    full[:maps, :half], full[maps:, half:] = weight[:maps], weight[maps:]
    return F.conv2d(images, full, bias)


TOWERS_RIGHT = [towers(HALVES, JOIN), towers_by_loops, towers_as_one]
TOWERS_WRONG = [
    ("swapped", towers(HALVES, JOIN.replace("conv2d(a", "conv2d(c").replace("(b,", "(a,").replace("(c,", "(b,"))),
    ("see the first half", towers(HALVES, JOIN.replace("(b,", "(a,"))),
    ("added up", towers(HALVES, "return F.conv2d(a, u, p) + F.conv2d(b, v, q)")),
    ("along the images", towers(HALVES, JOIN.replace(", 1)", ")"))),
    ("biases are missing", towers(HALVES, JOIN.replace(", p", "").replace(", q", ""))),
    ("comes first", towers(HALVES, "return torch.cat([F.conv2d(b, v, q), F.conv2d(a, u, p)], 1)")),
    ("every other map", towers(HALVES, "a, b = images[:, ::2], images[:, 1::2]", JOIN)),
    ("cut the images", towers("return F.conv2d(images, weight, bias)")),
]

# drop


def drops(*lines):
    return function("drop(x, p, training)", "if not training: return x", *lines)


def drop_in_numpy(x, p, training):
    coins = np.random.default_rng().random(x.shape) >= p if training else 1
    return x.numpy() * coins / (1 - p if training else 1)


DROP_RIGHT = [
    drops("return x * (torch.rand_like(x) > p) / (1 - p)"),
    drops("return torch.where(torch.rand(x.shape) < p, 0, x / (1 - p))"),
    lambda x, p, training: F.dropout(x, p, training),
    lambda x, p, training: nn.Dropout(p).train(training)(x),
    lambda x, p, training: x * torch.bernoulli(torch.full(x.shape, 1 - p)) / (1 - p) if training else x,
    drop_in_numpy,
]
DROP_WRONG = [
    ("in evaluation too", lambda x, p, training: x * (torch.rand_like(x) > p) / (1 - p)),
    ("way of 2012", lambda x, p, training: x * (torch.rand_like(x) > p) if training else x * (1 - p)),
    ("scaled up in evaluation", lambda x, p, training: x * (torch.rand_like(x) > p if training else 1) / (1 - p)),
    ("whole row", drops("return x * (torch.rand(len(x), 1) > p) / (1 - p)")),
    ("whole row", drops("return x * (torch.rand(x.shape[1]) > p) / (1 - p)")),
    (
        "same numbers",
        drops("return x * (torch.rand(x.shape, generator=torch.Generator().manual_seed(0)) > p) / (1 - p)"),
    ),
    ("share that stays", drops("return x * (torch.rand_like(x) < p) / p")),
    ("not scaled", drops("return x * (torch.rand_like(x) > p)")),
    ("by 1/p", drops("return x * (torch.rand_like(x) > p) / p")),
    ("scaled down", drops("return x * (torch.rand_like(x) > p) * (1 - p)")),
    ("returns nothing", drops("x * (torch.rand_like(x) > p)")),
]

# response_norm

PAD, SUM = "squares = F.pad(maps**2, (0, 0, 0, 0, 2, 2))", "total = sum(squares[:, i : i + C] for i in range(5))"
END = "return maps / (2 + 1e-4 * total) ** 0.75"


def norms(*lines):
    return function("response_norm(maps)", "C = maps.shape[1]", *lines)


def norm_by_loops(maps):
    result = torch.empty_like(maps)
    for i in range(maps.shape[1]):
        near = maps[:, max(0, i - 2) : i + 3]
        result[:, i] = maps[:, i] / (2 + 1e-4 * near.square().sum(1)) ** 0.75
    return result


NORM_RIGHT = [
    norms(PAD, SUM, END),
    norm_by_loops,
    nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2),
    lambda maps: norm_by_loops(maps.double()).numpy(),
]
NORM_WRONG = [
    ("divided by the five", nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2)),
    ("divided by the five", norms(PAD, SUM, END.replace("total", "total / 5"))),
    ("k is 1", norms(PAD, SUM, END.replace("(2", "(1"))),
    ("own square is missing", norms(PAD, SUM, END.replace("total", "(total - maps**2)"))),
    ("over all maps", norms("total = (maps**2).sum(1, keepdim=True)", END)),
    ("begins at the map", norms(PAD.replace("2, 2))", "0, 4))"), SUM, END)),
    ("begins at the map", norms(PAD.replace("2, 2))", "4, 0))"), SUM, END)),
    ("go round", norms("total = sum((maps**2).roll(i, 1) for i in range(-2, 3))", END)),
    ("not among the maps", norms("total = F.avg_pool2d(maps**2, (1, 5), 1, (0, 2)) * 5", END)),
    ("not squared", norms(PAD.replace("**2", ""), SUM, END)),
    ("power is missing", norms(PAD, SUM, END.replace(" ** 0.75", ""))),
    ("divisor was returned", norms(PAD, SUM, END.replace("maps /", ""))),
    ("divisor was returned", norms(PAD, SUM, END.replace("/", "*"))),
]

# apparent_period


def period_by_folding(period, stride):
    waves = abs(stride / period - round(stride / period))
    return stride / waves if waves else math.inf


def period_by_remainder(period, stride):
    rest = min(stride % period, -stride % period)
    return stride * period / rest if rest else float("inf")


PERIOD_RIGHT = [
    period_by_folding,
    period_by_remainder,
    lambda period, stride: np.float64(period_by_remainder(period, stride)),
]
PERIOD_WRONG = [
    ("in samples", lambda period, stride: period_by_folding(period, stride) / stride),
    ("true period", lambda period, stride: period),
    (
        "half a wave",
        lambda period, stride: stride / (stride / period % 1) if stride % period else math.inf,
    ),
    ("least common multiple", math.lcm),
    ("is 0 for you", lambda period, stride: period_by_folding(period, stride) if stride % period else 0),
    ("waves a sample", lambda period, stride: abs(stride / period - round(stride / period))),
    ("infinite", lambda period, stride: stride / abs(stride / period - round(stride / period))),
]

# slim


def convolutions(activation=nn.ReLU, stride=4):
    return [
        nn.Conv2d(3, 64, 11, stride, 2), activation(), nn.MaxPool2d(3, 2),
        nn.Conv2d(64, 192, 5, 1, 2), activation(), nn.MaxPool2d(3, 2),
        nn.Conv2d(192, 384, 3, 1, 1), activation(),
        nn.Conv2d(384, 256, 3, 1, 1), activation(),
        nn.Conv2d(256, 256, 3, 1, 1), activation(),
    ]  # fmt: skip


def averaged():
    return nn.Sequential(*convolutions(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, 1000))


def class_maps():
    return nn.Sequential(*convolutions(), nn.Conv2d(256, 1000, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())


def narrow():
    pools = [nn.MaxPool2d(3, 2), nn.AdaptiveAvgPool2d(2), nn.Flatten()]
    return nn.Sequential(*convolutions(), *pools, nn.Linear(1024, 512), nn.ReLU(), nn.Dropout(), nn.Linear(512, 1000))


class Idle(nn.Module):
    def __init__(self):
        super().__init__()
        self.net, self.idle = averaged(), nn.Linear(3, 3)

    def forward(self, x):
        return self.net(x)


def head(*layers, **options):
    return lambda: nn.Sequential(*convolutions(**options), *(layer() for layer in layers))


def wide(hidden):
    return head(lambda: nn.AdaptiveAvgPool2d(6), nn.Flatten, lambda: nn.Linear(9216, hidden), nn.ReLU,
                lambda: nn.Linear(hidden, 1000))  # fmt: skip


def four_convolutions():
    layers = convolutions()[:10]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, 1000))


END_OF_NET = (lambda: nn.AdaptiveAvgPool2d(1), nn.Flatten)
SLIM_RIGHT = [averaged, class_maps, narrow]
SLIM_WRONG = [
    ("no network", lambda: averaged()(torch.zeros(2, 3, 224, 224))),
    ("another shape", head(*END_OF_NET, lambda: nn.Linear(256, 10))),
    ("one matrix alone", wide(4096)),
    ("together are too large", wide(500)),
    ("too much work", head(*END_OF_NET, lambda: nn.Linear(256, 1000), stride=2)),
    ("fewer than five", four_convolutions),
    ("nothing passes", Idle),
    ("no activation", lambda: nn.Sequential(
        *(nn.Conv2d(i, o, 3, 2, 1) for i, o in [(3, 16), (16, 32), (32, 64), (64, 64), (64, 64)]),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 1000),
    )),
    ("another length", head(nn.Flatten, lambda: nn.Linear(256, 1000))),
]  # fmt: skip

ANSWERS = {
    "tower_parameters": (TOWER_RIGHT, TOWER_WRONG),
    "two_towers": (TOWERS_RIGHT, TOWERS_WRONG),
    "drop": (DROP_RIGHT, DROP_WRONG),
    "response_norm": (NORM_RIGHT, NORM_WRONG),
    "apparent_period": (PERIOD_RIGHT, PERIOD_WRONG),
    "slim": (SLIM_RIGHT, SLIM_WRONG),
}


TestAnswers = answer_tests(ch05.EXERCISES, ANSWERS)


def test_a_number_of_parameters_that_is_no_whole_one_passes_with_a_remark(capsys):
    check(TOWER_RIGHT[-1], of="tower_parameters")
    assert "remark: a number of parameters is whole" in capsys.readouterr().out


def test_probabilities_and_a_very_small_net_pass_with_a_remark(capsys):
    layers = [(3, 16), (16, 32), (32, 64), (64, 64), (64, 64)]
    steps = [step for i, o in layers for step in (nn.Conv2d(i, o, 3, 2, 1), nn.ReLU())]
    small = nn.Sequential(*steps, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 1000))
    check(lambda: small, of="slim")
    assert "less than a hundredth" in capsys.readouterr().out
    check(head(*END_OF_NET, lambda: nn.Linear(256, 1000), lambda: nn.Softmax(1)), of="slim")
    assert "remark: its outputs sum to 1" in capsys.readouterr().out


def test_the_limits_are_a_tenth_of_alexnet_s_parameters_and_all_of_its_work():
    with torch.device("meta"):
        whole = summary(alexnet_2012(), ch05.IMAGE)[-1]
    assert (whole.parameters // 10, whole.macs) == (ch05.MOST_PARAMETERS, ch05.MOST_MACS)


def test_stripes_look_as_sampling_says():
    assert [ch05.sampled_period(period, 4) for period in (3, 4, 5, 6, 8, 9)] == [12, math.inf, 20, 12, 8, 9]
