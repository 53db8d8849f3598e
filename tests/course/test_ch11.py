"""For each exercise: right answers, written in several ways, pass; usual wrong ones do not, and are named."""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from cnnlib.course.exercises import ch11
from cnnlib.layers import StochasticDepth, round_channels
from cnnlib.models.efficientnet import mbconv
from tests.course.answers import answer_tests, function

# block_weights


def by_layers(n, m, e, k):
    layers = [nn.Conv2d(n, e * n, 1, bias=False)] if e > 1 else []
    layers += [nn.Conv2d(e * n, e * n, k, groups=e * n, bias=False), nn.Conv2d(e * n, m, 1, bias=False)]
    return sum(p.numel() for layer in layers for p in layer.parameters())


def weights(n, m, e, k):
    return (n * n * e if e != 1 else 0) + e * n * (k * k + m)


BLOCK_RIGHT = [by_layers, weights, lambda *a: torch.tensor(weights(*a))]
BLOCK_WRONG = [
    ("window mixes the maps", lambda n, m, e, k: weights(n, m, e, k) - k * k * e * n + k * k * (e * n) ** 2),
    ("nothing to widen", lambda n, m, e, k: n * n * e + e * n * (k * k + m)),
    ("k, not k·k", lambda n, m, e, k: weights(n, m, e, k) - k * k * e * n + k * e * n),
    ("window sees the narrow maps", lambda n, m, e, k: weights(n, m, e, k) - k * k * (e - 1) * n),
    ("last 1×1 sees the narrow maps", lambda n, m, e, k: weights(n, m, e, k) - (e - 1) * n * m),
    ("last 1×1 is missing", lambda n, m, e, k: weights(n, m, e, k) - e * n * m),
    ("biases are counted", lambda n, m, e, k: weights(n, m, e, k) + e * n * (1 + (e > 1)) + m),
    ("a full convolution", lambda n, m, e, k: k * k * n * m),
]

# squeeze_excite


def gated(
    squeeze="x.mean((2, 3))", hidden="F.silu(s @ w1.T + b1)", gate="(h @ w2.T + b2).sigmoid()",
    end="x * g[:, :, None, None]",
):  # fmt: skip
    lines = [f"s = {squeeze}", f"h = {hidden}", f"g = {gate}", f"return {end}"]
    return function("squeeze_excite(x, w1, b1, w2, b2)", *lines)


def gate_by_layers(x, w1, b1, w2, b2):
    means = F.adaptive_avg_pool2d(x, 1)
    few = F.conv2d(means, w1[:, :, None, None], b1)
    return x * F.conv2d(few * few.sigmoid(), w2[:, :, None, None], b2).sigmoid()


GATE_RIGHT = [gated(), gate_by_layers, gated(squeeze="x.flatten(2).mean(2)", end="torch.einsum('nchw,nc->nchw', x, g)")]
GATE_WRONG = [
    ("gates, not the gated maps", gated(end="g")),
    ("gates, not the gated maps", gated(end="g[:, :, None, None]")),
    ("no sigmoid at the end", gated(gate="h @ w2.T + b2")),
    ("swish at the end", gated(gate="F.silu(h @ w2.T + b2)")),
    ("ReLU in the middle", gated(hidden="(s @ w1.T + b1).relu()")),
    ("a sigmoid in the middle", gated(hidden="(s @ w1.T + b1).sigmoid()")),
    ("nothing in the middle", gated(hidden="s @ w1.T + b1")),
    ("largest value", gated(squeeze="x.amax((2, 3))")),
    ("sum of each map", gated(squeeze="x.sum((2, 3))")),
    ("whole batch", gated(squeeze="x.mean((0, 2, 3)).expand(len(x), -1)")),
    ("gate is added", gated(end="x + g[:, :, None, None]")),
    ("biases are missing", gated(hidden="F.silu(s @ w1.T)", gate="(h @ w2.T).sigmoid()")),
    ("lines them up", gated(end="x * g")),
    ("multiply by w1.T", gated(hidden="F.silu(s @ w1 + b1)")),
]

# drop_branches


def dropping(mask="(torch.rand(len(x), 1, 1, 1) >= rate)", end="x * m / (1 - rate)", idle="x"):
    return function(
        "drop_branches(x, rate, training)", "if not training:", f"    return {idle}", f"m = {mask}", f"return {end}"
    )


def by_library(x, rate, training):
    return StochasticDepth(rate).train(training)(x)


def by_loop(x, rate, training):
    if training:
        for place in range(len(x)):
            x[place] *= float(torch.rand(()) >= rate) / (1 - rate)
    return x


DROP_RIGHT = [dropping(), by_library, by_loop]
DROP_WRONG = [
    ("dropped in evaluation too", lambda x, rate, training: x * (torch.rand(len(x), 1, 1, 1) >= 0.7)),
    ("scaled in evaluation", dropping(idle="x * (1 - rate)")),
    ("that is dropout", dropping(mask="(torch.rand_like(x) >= rate)")),
    ("maps are dropped", dropping(mask="(torch.rand(*x.shape[:2], 1, 1) >= rate)")),
    ("one coin for the whole batch", dropping(mask="(torch.rand(()) >= rate)")),
    ("same images every time", dropping(mask="(torch.manual_seed(0) and torch.rand(len(x), 1, 1, 1) >= rate)")),
    ("share that is kept", dropping(mask="(torch.rand(len(x), 1, 1, 1) < rate)")),
    ("not scaled up", dropping(end="x * m")),
    ("wrong share", dropping(end="x * m / rate")),
    ("wrong share", dropping(end="x * m * (1 - rate)")),
    ("as many axes", dropping(mask="(torch.rand(len(x)) >= rate)")),
]

# scaled_stage


def scaled(channels=round_channels, blocks=math.ceil):
    return lambda c, n, width, depth: (channels(c * width), blocks(n * depth))


def nearest(wide):
    return max(8, int(wide + 4) // 8 * 8)


def halves_to_even(wide):
    rounded = max(8, round(wide / 8) * 8)
    return rounded if rounded >= 0.9 * wide else rounded + 8


STAGE_RIGHT = [scaled(), lambda *a: list(scaled()(*a)), scaled(blocks=np.ceil)]
STAGE_WRONG = [
    ("not two numbers", lambda *a: scaled()(*a)[0]),
    ("blocks and channels are exchanged", lambda *a: scaled()(*a)[::-1]),
    ("width and depth are exchanged", lambda c, n, width, depth: scaled()(c, n, depth, width)),
    ("blocks are rounded down, or to the nearest", scaled(blocks=lambda count: int(count + 0.5))),
    ("blocks are rounded down, or to the nearest", scaled(blocks=int)),
    ("blocks are not rounded", scaled(blocks=float)),
    ("no multiples of eight", scaled(channels=int)),
    ("more than a tenth", scaled(channels=nearest)),
    ("channels always rounded up", scaled(channels=lambda wide: math.ceil(wide / 8) * 8)),
    ("even side", scaled(channels=halves_to_even)),
    ("channels always rounded down", scaled(channels=lambda wide: max(8, int(wide / 8) * 8))),
]

# best_net


def paid(score="a * (c / target) ** exponent", end="r.index(max(r))"):
    return function("best_net(nets, target, exponent)", f"r = [{score} for a, c in nets]", f"return {end}")


NET_RIGHT = [
    paid(),
    paid("a * c ** exponent"),
    lambda nets, target, w: int(np.argmax([math.log(a) + w * math.log(c) for a, c in nets])),
]
NET_WRONG = [
    ("upside down", paid("a * (target / c) ** exponent")),
    ("parentheses", paid("a * c / target ** exponent")),
    ("most accurate", paid("a")),
    ("cheapest", paid("-c")),
    ("multiplied by the exponent", paid("a * (c / target) * exponent")),
    ("within the target", paid("a if c <= target else -c")),
    ("the worst net", paid(end="r.index(min(r))")),
    ("the reward, not the place", paid(end="max(r)")),
    ("the net itself", paid(end="nets[r.index(max(r))]")),
    ("counted from 1", paid(end="r.index(max(r)) + 1")),
]

# own_mobile


def mobile(*layers, last=16, head=nn.Flatten):
    """Each layer: maps in and out, window, step, groups."""

    def build():
        net = nn.Sequential()
        for n, maps, side, step, groups in layers:
            net += nn.Sequential(
                nn.Conv2d(n, maps, side, step, side // 2, groups=groups), nn.BatchNorm2d(maps), nn.ReLU()
            )
        return net + nn.Sequential(nn.AdaptiveAvgPool2d(1), head(), nn.Linear(last, 10))

    return build


STEM, THIN = (1, 8, 3, 2, 1), [(8, 32, 1, 1, 1), (32, 32, 3, 2, 32), (32, 16, 1, 1, 1)]
BACK = [(16, 48, 1, 1, 1), (48, 48, 3, 2, 48), (48, 48, 1, 1, 1)]


def of_blocks():
    blocks = [mbconv(8, 12, 3, 4, 2, drop_rate=0.0, eps=1e-5), mbconv(12, 32, 5, 4, 2, drop_rate=0.0, eps=1e-5)]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10)]
    return nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.SiLU(), *blocks, *head)


class Constant(nn.Module):
    """All windows are there, and nothing of the image gets through."""

    def __init__(self):
        super().__init__()
        self.net = mobile(STEM, *THIN, *BACK, last=48)()

    def forward(self, x):
        return self.net(x * 0)


MOBILE_RIGHT = [mobile(STEM, *THIN, *BACK, last=48), of_blocks]
MOBILE_WRONG = [
    ("not a network", lambda: [nn.Linear(1, 1)]),
    ("not N×10", lambda: mobile(STEM, *THIN, *BACK, last=48)()[:-1]),
    ("too few depthwise", mobile(STEM, *THIN)),
    ("windows that mix", mobile(STEM, *THIN, (16, 16, 3, 1, 1), *BACK, last=48)),
    ("too much work", mobile((1, 8, 3, 1, 1), *THIN, *BACK, last=48)),
    ("stays at a guess", Constant),
    ("too little", mobile((1, 2, 3, 2, 1), (2, 2, 3, 2, 2), (2, 2, 3, 2, 2), last=2)),
    ("as many numbers", mobile(STEM, *THIN, *BACK, last=16)),
]

ANSWERS = {
    "block_weights": (BLOCK_RIGHT, BLOCK_WRONG),
    "squeeze_excite": (GATE_RIGHT, GATE_WRONG),
    "drop_branches": (DROP_RIGHT, DROP_WRONG),
    "scaled_stage": (STAGE_RIGHT, STAGE_WRONG),
    "best_net": (NET_RIGHT, NET_WRONG),
    "own_mobile": (MOBILE_RIGHT, MOBILE_WRONG),
}


TestAnswers = answer_tests(ch11.EXERCISES, ANSWERS)
