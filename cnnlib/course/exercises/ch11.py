"""Exercises of chapter 11: counting a block, a gate, dropping branches, scaling a stage, a reward, a mobile net."""

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Generator, Tensor, nn

from cnnlib.analysis import summary
from cnnlib.course.checks import Exercise, Mistake, Property, agree, answers, between
from cnnlib.data import Batches, Images, Normalize
from cnnlib.datasets import digits
from cnnlib.layers import SqueezeExcite
from cnnlib.models.efficientnet import mbconv, swish
from cnnlib.training import Diverged, Recipe, evaluate, train

# block_weights: the library builds the block, and the convolutions outside its gate are counted.

Block = tuple[int, int, int, int]


def counted(inputs: int, outputs: int, expansion: int, window: int) -> int:
    with torch.device("meta"):
        block = mbconv(inputs, outputs, window, expansion, 1, drop_rate=0.0, eps=1e-5)
    gates = {layer for gate in block.modules() if isinstance(gate, SqueezeExcite) for layer in gate.modules()}
    layers = [layer for layer in block.modules() if isinstance(layer, nn.Conv2d) and layer not in gates]
    return sum(layer.weight.numel() for layer in layers)


def any_block(expansion: int | None = None) -> Callable[[Generator], Block]:
    def draw(generator: Generator) -> Block:
        factor = expansion or between(2, 6, generator)
        return between(5, 40, generator), between(41, 60, generator), factor, 2 * between(1, 3, generator) + 1

    return draw


BLOCK_WEIGHTS = Exercise(
    signature="block_weights(inputs, outputs, expansion, window)",
    properties=(
        Property("any block", any_block(), counted),
        Property("24 to 24, six times as wide, 3×3: 8,208", lambda g: (24, 24, 6, 3), counted, trials=1),
        Property("expansion 1: nothing is widened", any_block(1), counted),
    ),
    mistakes=(
        Mistake(
            "the window mixes the maps",
            "each map is filtered by itself: one window a map, not one for each pair of maps.",
            answers(lambda n, m, e, k: counted(n, m, e, k) - k * k * e * n + (k * e * n) ** 2),
        ),
        Mistake(
            "a widening where there is nothing to widen",
            "with expansion 1 the block begins with the window.",
            answers(lambda n, m, e, k: counted(n, m, e, k) + (n * n if e == 1 else 0)),
        ),
        Mistake(
            "k, not k·k",
            "a window of 5×5 has 25 weights.",
            answers(lambda n, m, e, k: counted(n, m, e, k) - k * (k - 1) * e * n),
        ),
        Mistake(
            "the window sees the narrow maps",
            "it stands between the two 1×1, where the maps are many.",
            answers(lambda n, m, e, k: counted(n, m, e, k) - k * k * (e - 1) * n),
        ),
        Mistake(
            "the last 1×1 sees the narrow maps",
            "it makes few maps of the many.",
            answers(lambda n, m, e, k: counted(n, m, e, k) - (e - 1) * n * m),
        ),
        Mistake(
            "the last 1×1 is missing",
            "the block ends narrow: one more convolution.",
            answers(lambda n, m, e, k: counted(n, m, e, k) - e * n * m),
        ),
        Mistake(
            "biases are counted",
            "batch norm behind each convolution has one; only weights are asked for.",
            answers(lambda n, m, e, k: counted(n, m, e, k) + e * n + m + (e * n if e > 1 else 0)),
        ),
        Mistake(
            "a full convolution, not a block",
            "1×1 to many maps, a window on each, 1×1 to few.",
            answers(lambda n, m, e, k: k * k * n * m),
        ),
    ),
    hint="three convolutions: how many weights has each, for one map that goes in and one that comes out?",
)


# squeeze_excite: the library's gate with the same weights.

Gate = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


def maps_and_weights(generator: Generator) -> Gate:
    """Maps (N×C×H×W, not square), and weights that open some gates and close others."""
    images, maps, few = between(2, 4, generator), between(5, 8, generator), between(2, 4, generator)
    x = torch.randn(images, maps, 4, 6, generator=generator) + torch.randn(images, maps, 1, 1, generator=generator)
    w1, b1 = torch.randn(few, maps, generator=generator), torch.randn(few, generator=generator)
    return x, w1, b1, torch.randn(maps, few, generator=generator), torch.randn(maps, generator=generator)


def by_library(x: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Tensor:
    layer = SqueezeExcite(len(w2), len(w1), activation=swish)
    for conv, weight, bias in ((layer.gate[1], w1, b1), (layer.gate[3], w2, b2)):
        conv.weight.data, conv.bias.data = weight[:, :, None, None], bias
    with torch.no_grad():
        return layer(x)


def gate_with(
    squeeze: Callable = lambda x: x.mean((2, 3)),
    middle: Callable = lambda s: s * s.sigmoid(),
    end: Callable = torch.sigmoid,
    use: Callable = lambda x, g: x * g[:, :, None, None],
    biased: bool = True,
) -> Callable[..., bool]:
    """Recognises a gate of other steps."""

    def wrong(x: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Tensor:
        hidden = middle(squeeze(x) @ w1.T + b1 * biased)
        return use(x, end(hidden @ w2.T + b2 * biased))

    return answers(wrong)


SQUEEZE_EXCITE = Exercise(
    signature="squeeze_excite(x, w1, b1, w2, b2)",
    properties=(Property("any maps and weights", maps_and_weights, by_library, trials=6),),
    mistakes=(
        Mistake(
            "the gates, not the gated maps",
            "multiply each map by its gate.",
            lambda got, *a: (
                gate_with(use=lambda x, g: g)(got, *a) or gate_with(use=lambda x, g: g[:, :, None, None])(got, *a)
            ),
        ),
        Mistake(
            "no sigmoid at the end",
            "a gate lies between 0 and 1.",
            gate_with(end=lambda g: g),
        ),
        Mistake(
            "swish at the end too",
            "a gate lies between 0 and 1: the sigmoid stays.",
            gate_with(end=lambda g: g * g.sigmoid()),
        ),
        Mistake(
            "ReLU in the middle",
            "here it is swish: s times the sigmoid of s.",
            gate_with(middle=torch.relu),
        ),
        Mistake(
            "a sigmoid in the middle",
            "swish is s times its sigmoid.",
            gate_with(middle=torch.sigmoid),
        ),
        Mistake(
            "nothing in the middle",
            "two matrices in a row are one: swish stands between them.",
            gate_with(middle=lambda s: s),
        ),
        Mistake(
            "the largest value of each map, not its mean",
            "squeeze by the mean over all places.",
            gate_with(squeeze=lambda x: x.amax((2, 3))),
        ),
        Mistake(
            "the sum of each map, not its mean",
            "squeeze by the mean over all places.",
            gate_with(squeeze=lambda x: x.sum((2, 3))),
        ),
        Mistake(
            "one gate for the whole batch",
            "each image opens its own gates: take no mean over the images.",
            gate_with(squeeze=lambda x: x.mean((0, 2, 3)).expand(len(x), -1)),
        ),
        Mistake(
            "the gate is added",
            "a gate multiplies.",
            gate_with(use=lambda x, g: x + g[:, :, None, None]),
        ),
        Mistake(
            "the biases are missing",
            "b1 belongs to w1, b2 to w2.",
            gate_with(biased=False),
        ),
    ),
    hint="means first, N×C; then two matrices with swish between them; a sigmoid; and two axes of length 1 for x.",
    errors={
        "must match the size": "the gates are N×C; g[:, :, None, None] lines them up with the maps.",
        "shapes cannot be multiplied": "the means are N×C and w1 is few×C: multiply by w1.T.",
    },
)


# drop_branches: what becomes of the ones of many images is counted.


def many_images(rate: float) -> Callable[[Generator], tuple[Tensor, float, bool]]:
    return lambda generator: (torch.ones(3000, 3, 2, 2), rate, True)


def looked_at(drop_branches: Callable, x: Tensor, rate: float, training: bool) -> dict[str, Any]:
    """What can be seen of two answers for the same ones."""
    first, second = (torch.as_tensor(drop_branches(x.clone(), rate, training)).detach().double() for _ in range(2))
    if first.shape != x.shape:
        return {"shape": tuple(first.shape)}
    rows, kept = first.flatten(1), first[first != 0]
    maps = first.flatten(2)
    return {
        "shape": tuple(first.shape),
        "share dropped": round(float((first == 0).double().mean()), 1),
        "the others are": [round(value, 3) for value in kept.unique().tolist()][:4],
        "each image whole": bool((rows == rows[:, :1]).all()),
        "each map whole": bool((maps == maps[:, :, :1]).all()),
        "all images alike": bool((first == first[:1]).all()),
        "the same images again": bool(torch.equal(first == 0, second == 0)),
    }


def wanted(*names: str) -> Callable[[Tensor, float, bool], dict[str, Any]]:
    def expected(x: Tensor, rate: float, training: bool) -> dict[str, Any]:
        everything = {
            "shape": tuple(x.shape),
            "share dropped": rate,
            "the others are": [round(1 / (1 - rate), 3)],
            "each image whole": True,
            "all images alike": False,
            "the same images again": False,
        }
        return {name: everything[name] for name in names}

    return expected


def a_few(generator: Generator) -> tuple[Tensor, float, bool]:
    return torch.rand(5, 2, 3, 3, generator=generator) + 0.5, 0.2 * between(1, 4, generator), False


def valued(drop_branches: Callable, x: Tensor, rate: float, training: bool) -> dict[str, Any]:
    return {"values": drop_branches(x.clone(), rate, training)}


def kept_are(test: Callable[[list[float], float], bool]) -> Callable[..., bool]:
    return lambda got, x, rate, training: bool(got.get("the others are")) and test(got["the others are"], rate)


def in_evaluation(test: Callable[[Tensor, Tensor, float], bool]) -> Callable[..., bool]:
    return lambda got, x, rate, training: "values" in got and test(torch.as_tensor(got["values"]), x, rate)


DROP_BRANCHES = Exercise(
    signature="drop_branches(x, rate, training)",
    properties=(
        Property("in evaluation nothing changes", a_few, lambda x, rate, training: {"values": x}, valued),
        Property(
            "an image is dropped whole, or not at all, by a coin of its own",
            many_images(0.4),
            wanted("shape", "each image whole", "all images alike"),
            looked_at,
            trials=2,
        ),
        Property(
            "a share `rate` of the images, others each time",
            many_images(0.2),
            wanted("share dropped", "the same images again"),
            looked_at,
            trials=2,
        ),
        Property("the mean stays", many_images(0.2), wanted("the others are"), looked_at, trials=2),
    ),
    mistakes=(
        Mistake(
            "images are dropped in evaluation too",
            "when `training` is False, every branch works.",
            in_evaluation(lambda got, x, rate: bool((got == 0).any())),
        ),
        Mistake(
            "scaled in evaluation",
            "here the scaling belongs to training; evaluation need not know the rate.",
            in_evaluation(lambda got, x, rate: agree(got, x * (1 - rate)) or agree(got, x / (1 - rate))),
        ),
        Mistake(
            "single numbers are dropped: that is dropout",
            "one coin an image, for all its maps and places: a mask of N×1×1×1.",
            lambda got, *_: got.get("each map whole") is False,
        ),
        Mistake(
            "maps are dropped, not images",
            "one coin an image, for all its maps: a mask of N×1×1×1.",
            lambda got, *_: got.get("each map whole") is True and got.get("each image whole") is False,
        ),
        Mistake(
            "one coin for the whole batch",
            "in 2016 it was so; here each image has its own coin: a mask of N×1×1×1.",
            lambda got, *_: got.get("all images alike") is True,
        ),
        Mistake(
            "the same images every time",
            "draw inside the function, and fix no seed.",
            lambda got, *_: got.get("the same images again") is True,
        ),
        Mistake(
            "`rate` is the share that is kept",
            "it is the share that is dropped.",
            lambda got, x, rate, training: got.get("share dropped") == round(1 - rate, 1) != rate,
        ),
        Mistake(
            "what is left is not scaled up",
            "fewer branches work, so each must count for more: how much, for the mean to stay?",
            kept_are(lambda kept, rate: kept == [1.0]),
        ),
        Mistake(
            "divided by the wrong share",
            "divide by the share that is kept.",
            kept_are(lambda kept, rate: kept in ([round(1 / rate, 3)], [round(1 - rate, 3)])),
        ),
    ),
    hint="a mask of N×1×1×1, 0 for a dropped image; then scale what is left.",
    errors={"must match the size": "the mask needs as many axes as x: N×1×1×1."},
)


# scaled_stage: multiples of eight are tried one by one.

Stage = tuple[int, int, float, float]


def any_stage(generator: Generator) -> Stage:
    tenths = [between(10, 31, generator) / 10 for _ in range(2)]
    return 4 * between(2, 20, generator), between(1, 5, generator), *tenths


def by_trying(channels: int, blocks: int, width: float, depth: float) -> tuple[int, int]:
    wide, tenths = round(channels * width, 6), round(blocks * depth * 10)
    eights = range(8, 2000, 8)
    nearest = min(eights, key=lambda eight: (abs(eight - wide), -eight))  # of two as near the larger
    if nearest < 0.9 * wide:
        nearest += 8
    return nearest, next(count for count in range(1, 99) if 10 * count >= tenths)


def staged(
    channels: Callable[[float], float] | None = None, blocks: Callable[[float], float] | None = None
) -> Callable[..., bool]:
    """Recognises another rounding of the channels or of the blocks, the other right or wrong."""

    def looks_like(got: Any, c: int, n: int, width: float, depth: float) -> bool:
        right, pair = by_trying(c, n, width, depth), as_pair(got)
        made = channels(round(c * width, 6)) if channels else right[0]
        done = blocks(round(n * depth, 6)) if blocks else right[1]
        which = pair[:1] if blocks is None else pair[1:]
        return bool(pair) and agree(which, (made,) if blocks is None else (done,)) and (made, done) != right

    return looks_like


def as_pair(got: Any) -> tuple:
    return tuple(got) if isinstance(got, list | tuple) and len(got) == 2 else ()


def nearest_eight(wide: float) -> int:
    return max(8, int(wide + 4) // 8 * 8)


def half_to_even(wide: float) -> int:
    rounded = max(8, round(wide / 8) * 8)
    return rounded + 8 * (rounded < 0.9 * wide)


SCALED_STAGE = Exercise(
    signature="scaled_stage(channels, blocks, width, depth)",
    properties=(
        Property("320 channels, 1 block, B7's 2.0 and 3.1", lambda g: (320, 1, 2.0, 3.1), by_trying, trials=1),
        Property("any stage", any_stage, by_trying, trials=40),
    ),
    mistakes=(
        Mistake(
            "not two numbers",
            "return channels and blocks.",
            lambda got, *_: not as_pair(got),
        ),
        Mistake(
            "blocks and channels are exchanged",
            "channels come first.",
            lambda got, *a: bool(as_pair(got)) and agree(as_pair(got)[::-1], by_trying(*a)),
        ),
        Mistake(
            "width and depth are exchanged",
            "`width` multiplies the channels, `depth` the blocks.",
            lambda got, c, n, width, depth: agree(got, by_trying(c, n, depth, width)),
        ),
        Mistake(
            "the blocks are rounded down, or to the nearest",
            "they are rounded up.",
            lambda *a: staged(blocks=int)(*a) or staged(blocks=lambda count: int(count + 0.5))(*a),
        ),
        Mistake(
            "the blocks are not rounded",
            "there are no half blocks: round up.",
            staged(blocks=float),
        ),
        Mistake(
            "channels that are no multiples of eight",
            "round to the nearest multiple of eight.",
            lambda got, *_: bool(as_pair(got)) and as_pair(got)[0] % 8 != 0,
        ),
        Mistake(
            "more than a tenth of the channels is lost",
            "when the nearest multiple of eight is below nine tenths, take the next one.",
            staged(channels=nearest_eight),
        ),
        Mistake(
            "channels always rounded up",
            "to the nearest: 33 becomes 32.",
            staged(channels=lambda wide: -(-wide // 8) * 8),
        ),
        Mistake(
            "a half is rounded to the even side",
            "Python's round(8.5) is 8; here halves go up: 68 becomes 72.",
            staged(channels=half_to_even),
        ),
        Mistake(
            "channels always rounded down",
            "to the nearest: 39 becomes 40.",
            staged(channels=lambda wide: wide // 8 * 8),
        ),
    ),
    hint="two rules: blocks · depth, rounded up; channels · width, to the nearest multiple of eight, not below 90 %.",
)


# best_net: the rewards are compared as logarithms.

Nets = tuple[list[tuple[float, float]], float, float]


def some_nets(generator: Generator) -> Nets:
    nets = [
        (between(500, 900, generator) / 1000, float(between(50, 1000, generator)))
        for _ in range(between(5, 9, generator))
    ]
    return nets, float(between(100, 500, generator)), -between(7, 30, generator) / 100


def by_logarithms(nets: list[tuple[float, float]], target: float, exponent: float) -> int:
    accuracies, costs = (torch.tensor(column, dtype=torch.float64) for column in zip(*nets))
    return int((accuracies.log() + exponent * (costs / target).log()).argmax())


def index_by(score: Callable[[float, float, float, float], float]) -> Callable[..., bool]:
    """Recognises the choice by another score(accuracy, cost, target, exponent)."""

    def wrong(nets: list[tuple[float, float]], target: float, exponent: float) -> int:
        return max(range(len(nets)), key=lambda place: score(*nets[place], target, exponent))

    return answers(wrong)


def rewards(nets: list[tuple[float, float]], target: float, exponent: float) -> list[float]:
    return [accuracy * (cost / target) ** exponent for accuracy, cost in nets]


BEST_NET = Exercise(
    signature="best_net(nets, target, exponent)",
    properties=(
        Property("any nets", some_nets, by_logarithms, trials=25),
        Property(
            "equal accuracies: the cheapest",
            lambda g: ([(0.75, float(c)) for c in (300, 120, 700)], 200.0, -0.07),
            by_logarithms,
            trials=1,
        ),
    ),
    mistakes=(
        Mistake(
            "the ratio is upside down, or without its parentheses",
            "(cost / target) ** exponent, with the parentheses: the power is negative, so what costs more gets less.",
            lambda got, *a: (
                index_by(lambda a, c, t, w: a * (t / c) ** w)(got, *a)
                or index_by(lambda a, c, t, w: a * c / t**w)(got, *a)
            ),
        ),
        Mistake(
            "the most accurate net, whatever it costs",
            "multiply the accuracy by (cost / target) to the power of the exponent.",
            index_by(lambda a, c, t, w: a),
        ),
        Mistake(
            "the cheapest net, whatever it can do",
            "the accuracy is a factor of the reward.",
            index_by(lambda a, c, t, w: -c),
        ),
        Mistake(
            "multiplied by the exponent, not raised to it",
            "in Python a power is **.",
            index_by(lambda a, c, t, w: a * (c / t) * w),
        ),
        Mistake(
            "the best net within the target",
            "the target is no limit here: a dearer net pays by a smaller reward.",
            index_by(lambda a, c, t, w: a if c <= t else -c),
        ),
        Mistake(
            "the worst net",
            "the highest reward wins.",
            index_by(lambda a, c, t, w: -a * (c / t) ** w),
        ),
        Mistake(
            "the reward, not the place of the net",
            "return which net it is, counted from 0.",
            lambda got, *a: agree(got, max(rewards(*a))) or agree(got, rewards(*a)),
        ),
        Mistake(
            "the net itself, not its place",
            "return which net it is, counted from 0.",
            lambda got, *a: agree(got, a[0][by_logarithms(*a)]),
        ),
        Mistake(
            "counted from 1",
            "places are counted from 0.",
            answers(lambda *a: by_logarithms(*a) + 1),
        ),
    ),
    hint="a list of rewards, accuracy · (cost / target) ** exponent; then the place of the largest.",
)


# own_mobile: measured, and trained on a few digits.

WORK, DEPTHWISE, UNSEEN = 200_000, 2, 0.5
SEEDS = (0, 1)


@cache
def training_digits() -> tuple[Images, Images]:
    """1,000 digits to learn from and 500 others, all of the training part."""
    return digits()[0][500:1500], digits()[0][:500]


def learnt(own_mobile: Callable, seed: int) -> float:
    """Share of unseen digits named after four passes; a training that diverges counts as 0."""
    torch.manual_seed(seed)
    fit, unseen = training_digits()
    steps = [Normalize(fit)]
    net = own_mobile()
    try:
        for _ in train(net, Batches(fit, 16, steps, Generator().manual_seed(seed)), Recipe(4, 0.1, 16)):
            pass
    except Diverged:
        return 0.0
    return evaluate(net, Batches(unseen, 500, steps)).accuracy


def is_depthwise(layer: nn.Module) -> bool:
    return isinstance(layer, nn.Conv2d) and layer.groups == layer.in_channels > 1 and max(layer.kernel_size) > 1


def measured(own_mobile: Callable) -> dict[str, Any]:
    """What the net is made of, takes and costs."""
    net = own_mobile()
    if not isinstance(net, nn.Module):
        return {"a network": False}
    with torch.no_grad():
        logits = tuple(net.train()(torch.randn(3, 1, 28, 28)).shape)
    convolutions = [layer for layer in net.modules() if isinstance(layer, nn.Conv2d)]
    windows = [layer for layer in convolutions if max(layer.kernel_size) > 1]
    facts = {
        "a network": True,
        "logits": logits,
        "depthwise": sum(map(is_depthwise, windows)),
        "full": sum(not is_depthwise(layer) for layer in windows),
        "work": summary(net, (1, 28, 28))[-1].macs if logits == (3, 10) else 0,
    }
    goals = {
        f"at least {DEPTHWISE} depthwise convolutions": (facts["depthwise"] >= DEPTHWISE, str(facts["depthwise"])),
        "at most one window that mixes maps": (facts["full"] <= 1, f"{facts['full']} of them"),
        f"at most {WORK:,} multiply-adds": (0 < facts["work"] <= WORK, f"{facts['work']:,}"),
    }
    return facts | {goal: "yes" if reached else f"no: {got}" for goal, (reached, got) in goals.items()}


def after_training(own_mobile: Callable) -> dict[str, Any]:
    shares = [learnt(own_mobile, seed) for seed in SEEDS]
    told = "yes" if min(shares) > UNSEEN else "no: " + ", ".join(f"{share:.0%}" for share in shares)
    return {"learns": told, "at a guess": max(shares) < 0.2, "too little": max(shares) >= 0.2 and min(shares) <= UNSEEN}


def goal(says: str) -> Property:
    return Property(says, lambda g: (), lambda: {says: "yes"}, measured, 1)


OWN_MOBILE = Exercise(
    signature="own_mobile()",
    properties=(
        Property("3×1×28×28 in, 3×10 out", lambda g: (), lambda: {"a network": True, "logits": (3, 10)}, measured, 1),
        goal(f"at least {DEPTHWISE} depthwise convolutions"),
        goal("at most one window that mixes maps"),
        goal(f"at most {WORK:,} multiply-adds"),
        Property(
            f"after four passes over 1,000 digits, from two seeds, over {UNSEEN:.0%} of 500 others",
            lambda g: (),
            lambda: {"learns": "yes"},
            after_training,
            1,
        ),
    ),
    mistakes=(
        Mistake(
            "not a network",
            "return an nn.Module, such as nn.Sequential(…).",
            lambda got: got.get("a network") is False,
        ),
        Mistake(
            "the answers are not N×10",
            "the mean of each map, nn.Flatten(), a matrix to ten.",
            lambda got: "logits" in got and got["logits"] != (3, 10),
        ),
        Mistake(
            "too few depthwise convolutions",
            "nn.Conv2d(maps, maps, 3, padding=1, groups=maps): groups makes each map see itself only.",
            lambda got: got.get("depthwise", DEPTHWISE) < DEPTHWISE,
        ),
        Mistake(
            "windows that mix maps",
            "but for the first, let 1×1 mix, and let windows look.",
            lambda got: got.get("full", 0) > 1,
        ),
        Mistake(
            "too much work",
            "where is it? At the large maps: let the first window move in steps of two.",
            lambda got: got.get("work", 0) > WORK,
        ),
        Mistake(
            "it stays at a guess",
            "is there a batch norm behind each convolution, and an activation behind the first two of a block?",
            lambda got: got.get("at a guess") is True,
        ),
        Mistake(
            "it learns, but too little",
            "more maps at the end, where places are few, cost little.",
            lambda got: got.get("too little") is True,
        ),
    ),
    hint="a window of 3×3 in steps of two, two blocks of 1×1, depthwise, 1×1, with batch norm; the mean; a matrix.",
    errors={
        "shapes cannot be multiplied": "the matrix takes as many numbers as there are maps at the end.",
        "expected input": "the images have one channel, and each layer takes what the one before gives.",
        "must be divisible by groups": "with groups=maps, the maps that go in and come out are multiples of `maps`.",
        "requires_grad": "no weight gets a gradient: is anything wrapped in no_grad?",
    },
)

EXERCISES = (BLOCK_WEIGHTS, SQUEEZE_EXCITE, DROP_BRANCHES, SCALED_STAGE, BEST_NET, OWN_MOBILE)
