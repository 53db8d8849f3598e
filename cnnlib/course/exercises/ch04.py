"""Exercises of chapter 04: LeNet's sizes and counts, sub-sampling as in 1998, the order of layers, a rescue."""

from collections import Counter
from collections.abc import Callable
from statistics import fmean
from typing import Any

import torch
from torch import Generator, Tensor, nn

from cnnlib.analysis import recording
from cnnlib.course.checks import Exercise, Mistake, Property, answers, between
from cnnlib.data import Batches, Images, Normalize, Pad
from cnnlib.datasets import fashion
from cnnlib.experiments.lenets import lenet_with
from cnnlib.models import lenet
from cnnlib.models.lenet import CONNECTIONS, ConnectedConv2d, ScaledTanh, SubSampling
from cnnlib.training import Diverged, Recipe, evaluate, train

SEEDS = (0, 1, 2)


# map_sides: an image of zeros goes through the layers.


def measured_sides(side: int) -> list[int]:
    maps, sides = torch.zeros(1, 1, side, side), []
    for layer in (nn.Conv2d(1, 1, 5), nn.MaxPool2d(2), nn.Conv2d(1, 1, 5), nn.MaxPool2d(2)):
        maps = layer(maps)
        sides.append(maps.shape[2])
    return sides


def sides(convolved: Callable, pooled: Callable) -> Callable[[int], list]:
    """Recognises sides that follow from other rules for the two layers."""

    def by_rule(side: int) -> list:
        c1 = convolved(side)
        s2 = pooled(c1)
        c3 = convolved(s2)
        return [c1, s2, c3, pooled(c3)]

    return answers(by_rule)


MAP_SIDES = Exercise(
    signature="map_sides(side)",
    properties=(
        Property("32×32, the size LeNet was made for", lambda g: (32,), measured_sides, trials=1),
        Property("sides that halve without a rest", lambda g: (4 * between(5, 40, g),), measured_sides),
        Property("any side", lambda g: (between(17, 99, g),), measured_sides),
    ),
    mistakes=(
        Mistake(
            "the convolution keeps the side",
            "there is no padding: where does a 5×5 window stand first, and where last?",
            sides(lambda side: side, lambda side: side // 2),
        ),
        Mistake(
            "the convolution takes five away",
            "in a row of five pixels a window of five has one place, not none.",
            sides(lambda side: side - 5, lambda side: side // 2),
        ),
        Mistake(
            "the convolution takes two away",
            "that is a window of 3×3, or of 5×5 with a border of one pixel.",
            sides(lambda side: side - 2, lambda side: side // 2),
        ),
        Mistake(
            "pooling takes one away: windows that overlap",
            "the windows of two stand side by side: the stride of a pool is its size.",
            sides(lambda side: side - 4, lambda side: side - 1),
        ),
        Mistake(
            "a pool rounds up",
            "a row or column left over at the edge fits into no window, and is dropped.",
            sides(lambda side: side - 4, lambda side: -(-side // 2)),
        ),
        Mistake(
            "half a pixel is left",
            "a side is a whole number: a row left over at the edge is dropped.",
            sides(lambda side: side - 4, lambda side: side / 2),
        ),
        Mistake(
            "the side of the last map only",
            "four sides are asked for: after C1, S2, C3, S4.",
            answers(lambda side: measured_sides(side)[-1]),
        ),
        Mistake(
            "padded once more",
            "the side that you are given is that of the padded image.",
            answers(lambda side: measured_sides(side + 4)),
        ),
        Mistake(
            "the image's side is in the list too",
            "the list begins with the map of C1.",
            answers(lambda side: [side, *measured_sides(side)]),
        ),
    ),
    hint="take a row of 32 pixels: how many places has a window of 5, and how many pairs make the 28?",
    remarks=(
        Mistake(
            "not whole numbers",
            "sides are whole numbers; range() would refuse these.",
            lambda got, *_: not all(isinstance(side, int) for side in got),
        ),
    ),
)


# lenet_parameters: the library's network is built and counted.


def counted(in_channels: int, num_classes: int) -> int:
    return sum(p.numel() for p in lenet(in_channels, num_classes).parameters())


def by_hand(widths: tuple[int, ...], bias: int = 1) -> int:
    """Two convolutions of 5×5 and three linear layers: `widths` are pairs of inputs and outputs of a unit."""
    return sum((inputs + bias) * outputs for inputs, outputs in zip(widths[::2], widths[1::2]))


def pairs(channels: int, classes: int) -> tuple[int, ...]:
    return (25 * channels, 6, 150, 16, 400, 120, 120, 84, 84, classes)


LENET_PARAMETERS = Exercise(
    signature="lenet_parameters(in_channels, num_classes)",
    properties=(
        Property("three channels, ten classes", lambda g: (3, 10), counted, trials=1),
        Property("any number of classes", lambda g: (1, between(2, 200, g)), counted),
        Property("any number of channels", lambda g: (between(2, 12, g), between(2, 200, g)), counted),
    ),
    mistakes=(
        Mistake(
            "the biases are missing",
            "every map and every unit has one.",
            answers(lambda c, n: by_hand(pairs(c, n), bias=0)),
        ),
        Mistake(
            "a kernel of C3 sees one map only",
            "each of its 16 maps has a 5×5 kernel for each of the six maps of S2, and one bias.",
            answers(lambda c, n: by_hand((25 * c, 6, 25, 16, *pairs(c, n)[4:]))),
        ),
        Mistake(
            "C1 sees one channel whatever the image has",
            "each of the six maps has a kernel for each channel.",
            answers(lambda c, n: by_hand(pairs(1, n))),
        ),
        Mistake(
            "ten classes, whatever was asked for",
            "the last layer has an output, 84 weights and a bias for each class.",
            answers(lambda c, n: by_hand(pairs(c, 10))),
        ),
        Mistake(
            "both convolutions see the image's channels",
            "the second sees the six maps of S2, whatever the image is made of.",
            answers(lambda c, n: by_hand((25 * c, 6, 25 * c, 16, *pairs(c, n)[4:]))),
        ),
        Mistake(
            "16 inputs for the first linear layer: the maps, not their pixels",
            "flattened, 16 maps of 5×5 are how many numbers?",
            answers(lambda c, n: by_hand((*pairs(c, n)[:4], 16, *pairs(c, n)[5:]))),
        ),
        Mistake(
            "maps of 4×4 at the end: an image of 28×28",
            "LeNet's image has 32×32 pixels; follow the sides to the last pool.",
            answers(lambda c, n: by_hand((*pairs(c, n)[:4], 256, *pairs(c, n)[5:]))),
        ),
        Mistake(
            "a bias for each channel, too",
            "a map has one bias, however many maps it sees.",
            answers(lambda c, n: (25 + 1) * c * 6 + (25 + 1) * 6 * 16 + by_hand(pairs(c, n)[4:])),
        ),
        Mistake(
            "C3 with the table of 1998",
            "today's C3 sees all six maps: 96 kernels, not 60.",
            answers(lambda c, n: by_hand(pairs(c, n)) - 36 * 25),
        ),
        Mistake(
            "the pools of 1998 are counted",
            "today's pools take the maximum, which has no weights.",
            answers(lambda c, n: by_hand(pairs(c, n)) + 12 + 32),
        ),
        Mistake(
            "the output layer is missing",
            "84 units go into each class.",
            answers(lambda c, n: by_hand(pairs(c, n)[:8])),
        ),
    ),
    hint="five layers: for each, the inputs that one unit sees, plus one, times the number of maps or units.",
)


# c3_parameters: the layer is built from the table and counted.


def in_layer(connections: list, kernel_size: int) -> int:
    return sum(p.numel() for p in ConnectedConv2d(connections, kernel_size).parameters())


def drawn_table(generator: Generator) -> tuple[list, int]:
    """A table of 2 to 6 rows over up to six maps, all of different lengths where possible, and a window."""
    rows = []
    for _ in range(between(2, 6, generator)):
        order = torch.randperm(6, generator=generator).tolist()
        rows.append(tuple(sorted(order[: between(1, 5, generator)])))
    return rows, between(2, 7, generator)


def squares(connections: list) -> int:
    return sum(map(len, connections))


C3_PARAMETERS = Exercise(
    signature="c3_parameters(connections, kernel_size)",
    properties=(
        Property("one map that sees one", lambda g: ([(0,)], between(1, 7, g)), in_layer),
        Property("any table", drawn_table, in_layer),
        Property("the table of 1998", lambda g: (list(CONNECTIONS), 5), in_layer, trials=1),
    ),
    mistakes=(
        Mistake(
            "every map sees every map",
            "a pair that is not in the table has no kernel: that is what the table is for.",
            answers(lambda rows, k: (k * k * (1 + max(map(max, rows))) + 1) * len(rows)),
        ),
        Mistake(
            "a bias for each connection",
            "the sums are added up first; then comes one bias a map.",
            answers(lambda rows, k: squares(rows) * (k * k + 1)),
        ),
        Mistake("the biases are missing", "one for each map of C3.", answers(lambda rows, k: squares(rows) * k * k)),
        Mistake(
            "a kernel has k weights, not k·k",
            "its window is a square.",
            answers(lambda rows, k: squares(rows) * k + len(rows)),
        ),
        Mistake(
            "one kernel a map, whatever it sees",
            "a map has a kernel of its own for each map that it sees.",
            answers(lambda rows, k: (k * k + 1) * len(rows)),
        ),
        Mistake(
            "numbers of maps added up, not how many there are",
            "a row names the maps that are seen: (0, 4, 5) are three.",
            answers(lambda rows, k: sum(map(sum, rows)) * k * k + len(rows)),
        ),
        Mistake(
            "one bias for the whole layer",
            "each row of the table is a map with a bias of its own.",
            answers(lambda rows, k: squares(rows) * k * k + 1),
        ),
    ),
    hint="one row first: (0, 4, 5) with a window of 5 has three kernels of 25 weights, and one bias.",
)


# sub_sample: the library's layer of 1998, with these weights.


def of_1998(maps: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    layer = SubSampling(maps.shape[1])
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
        return ScaledTanh()(layer(maps))


def drawn_maps(generator: Generator, plain: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    """A few maps, higher than wide, with a coefficient and a bias each; `plain` ones are 1 and 0."""
    channels, height, width = between(2, 4, generator), between(3, 4, generator), between(1, 2, generator)
    maps = torch.rand(2, channels, 2 * height, 2 * width, generator=generator) - 0.5
    weight, bias = torch.rand(2, channels, generator=generator) + 0.5
    return (maps, torch.ones(channels), torch.zeros(channels)) if plain else (maps, weight, bias)


def sums(maps: Tensor) -> Tensor:
    return 4 * nn.functional.avg_pool2d(maps, 2)


def squashed(x: Tensor) -> Tensor:
    return 1.7159 * torch.tanh(2 / 3 * x)


def a_map(values: Tensor) -> Tensor:
    return values[:, None, None]


SUB_SAMPLE = Exercise(
    signature="sub_sample(maps, weight, bias)",
    properties=(
        Property("coefficients 1 and biases 0", lambda g: drawn_maps(g, plain=True), of_1998),
        Property("a coefficient and a bias for each map", drawn_maps, of_1998),
    ),
    mistakes=(
        Mistake(
            "the mean of four, not their sum",
            "the paper adds; the coefficient may learn to divide.",
            answers(lambda maps, w, b: squashed(sums(maps) / 4 * a_map(w) + a_map(b))),
        ),
        Mistake(
            "the largest of four, not their sum",
            "this pool adds up; nothing is chosen.",
            answers(lambda maps, w, b: squashed(nn.functional.max_pool2d(maps, 2) * a_map(w) + a_map(b))),
        ),
        Mistake(
            "the squashing is missing",
            "S2 is squashed as well: 1.7159 · tanh(2/3 · x).",
            answers(lambda maps, w, b: sums(maps) * a_map(w) + a_map(b)),
        ),
        Mistake(
            "plain tanh",
            "the squashing function of the paper is 1.7159 · tanh(2/3 · x).",
            answers(lambda maps, w, b: torch.tanh(sums(maps) * a_map(w) + a_map(b))),
        ),
        Mistake(
            "the bias is multiplied, too",
            "first the coefficient, then the bias.",
            answers(lambda maps, w, b: squashed((sums(maps) + a_map(b)) * a_map(w))),
        ),
        Mistake(
            "squashed before the coefficient",
            "sum, coefficient, bias; then squash.",
            answers(lambda maps, w, b: squashed(sums(maps)) * a_map(w) + a_map(b)),
        ),
        Mistake(
            "the first coefficient and bias for all maps",
            "each map has its own.",
            answers(lambda maps, w, b: squashed(sums(maps) * w[0] + b[0])),
        ),
        Mistake(
            "windows that overlap",
            "the squares of 2×2 stand side by side: the stride is two.",
            lambda got, maps, *_: getattr(got, "shape", ())[2:] == (maps.shape[2] - 1, maps.shape[3] - 1),
        ),
        Mistake(
            "the bias is missing",
            "each map's bias is added behind its coefficient.",
            answers(lambda maps, w, b: squashed(sums(maps) * a_map(w))),
        ),
        Mistake(
            "the coefficient is missing",
            "each map's sum is multiplied by the map's coefficient.",
            answers(lambda maps, w, b: squashed(sums(maps) + a_map(b))),
        ),
        Mistake(
            "1.7159 is missing",
            "the tanh is stretched in height, too.",
            answers(lambda maps, w, b: torch.tanh(2 / 3 * (sums(maps) * a_map(w) + a_map(b)))),
        ),
        Mistake(
            "the bias counts four times",
            "add it once, after the four were added up.",
            answers(lambda maps, w, b: squashed(sums(maps * a_map(w) + a_map(b)))),
        ),
    ),
    hint="take one square of four numbers and one map: what is done with them, in which order?",
    errors={
        "must match the size": "one number a map has to meet N×C×H×W: give it the shape C×1×1.",
        "not broadcastable": "one number a map has to meet N×C×H×W: give it the shape C×1×1.",
    },
)


# order_matters: what holds for each pair is known.


class Square(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * x


class Dome(nn.Module):
    """Bends down everywhere: the curve of an average is above the average of the curve."""

    def forward(self, x: Tensor) -> Tensor:
        return -x * x


class Negative(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return -x


class Line(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return 0.3 * x + 0.7


RISING = (nn.ReLU, nn.Tanh, nn.Sigmoid)


def pair(activations: tuple[type, ...], pool: type) -> Callable[[Generator], tuple[nn.Module, nn.Module]]:
    """Draws one of the activations, with a pool of two or three."""

    def draw(generator: Generator) -> tuple[nn.Module, nn.Module]:
        return activations[between(0, len(activations) - 1, generator)](), pool(between(2, 3, generator))

    return draw


def asked(order_matters: Callable, activation: nn.Module, pool: nn.Module) -> bool:
    """The answer as a truth value of Python's, of whatever library it comes."""
    return bool(order_matters(activation, pool))


def differ_on_positive_numbers(activation: nn.Module, pool: nn.Module) -> bool:
    x = torch.rand(1, 1, 12, 12)
    return not torch.allclose(pool(activation(x)), activation(pool(x)), atol=1e-6)


ORDER_MATTERS = Exercise(
    signature="order_matters(activation, pool)",
    properties=(
        Property(
            "no, for a maximum and a function that never falls", pair(RISING, nn.MaxPool2d), lambda *_: False, asked
        ),
        Property("yes, for an average and a curved function", pair(RISING, nn.AvgPool2d), lambda *_: True, asked),
        Property(
            "yes, for a maximum and a function that falls",
            pair((Square, Negative), nn.MaxPool2d),
            lambda *_: True,
            asked,
        ),
        Property("yes, for an average and a dome", pair((Dome,), nn.AvgPool2d), lambda *_: True, asked),
        Property("no, for an average and a straight line", pair((Line,), nn.AvgPool2d), lambda *_: False, asked),
    ),
    mistakes=(
        Mistake(
            "only positive numbers were tried",
            "rand draws from 0 to 1, where ReLU is a straight line and a square rises: what happens below zero?",
            lambda got, activation, pool: (
                got == differ_on_positive_numbers(activation, pool) and isinstance(activation, nn.ReLU | Square)
            ),
        ),
        Mistake(
            "a rounding error was taken for a difference",
            "sums in another order differ in the last digit: compare with a tolerance.",
            lambda got, activation, pool: got and isinstance(activation, nn.Tanh | nn.Sigmoid | Line),
        ),
        Mistake(
            "whether they agree, not whether they differ",
            "the question is whether the order matters.",
            lambda got, activation, pool: got and isinstance(activation, RISING),
        ),
        Mistake(
            "signs were not taken off",
            "a difference may be negative: take .abs() before you compare.",
            lambda got, activation, pool: not got and isinstance(activation, Dome),
        ),
        Mistake(
            "no, whatever the pair",
            "is the same thing compared with itself? Print both results for a sigmoid and an average.",
            lambda got, *_: not got,
        ),
    ),
    hint="draw a map of normal numbers, do both things in both orders, and compare.",
    errors={"more than one value": "one answer for the whole map: torch.allclose compares all its numbers."},
)


# rescue: the net is trained for 150 steps, from three seeds.


def asleep() -> nn.Sequential:
    """LeNet with sigmoids and average pooling, its twelve layers in one row."""
    model = lenet_with(nn.Sigmoid, nn.AvgPool2d)
    return nn.Sequential(*model.features, *model.classifier)


def training_clothes() -> tuple[Images, Images]:
    """1,000 clothes to learn from and 1,000 set apart, both of the training part: the test part stays unread."""
    return fashion()[0][:2000].split(1000)


def trained(rescue: Callable, seed: int) -> float:
    """The share of unseen clothes that are right after three short epochs; 0 for a training that diverges."""
    learnt, apart = training_clothes()
    torch.manual_seed(seed)
    model, steps = rescue(asleep()), [Pad(2), Normalize(learnt)]
    try:
        for _ in train(model, Batches(learnt, 20, steps, Generator().manual_seed(seed)), Recipe(3, 0.07, 20)):
            pass
    except Diverged:
        return 0.0
    return evaluate(model, Batches(apart, 500, steps)).accuracy


def looked_at(rescue: Callable, net: nn.Sequential) -> dict[str, Any]:
    """What the rescued net is made of, and how its last sigmoid answers to images before any training."""
    learnt, _ = training_clothes()
    images = Normalize(learnt)(Pad(2)(learnt.pixels[:100]))
    model = rescue(net)
    parts = [module for module in model.modules() if not list(module.children())]
    sigmoids = [name for name, module in model.named_modules() if isinstance(module, nn.Sigmoid)]
    ran: Counter[str] = Counter()  # a layer that is used twice counts twice
    for part in parts:
        part.register_forward_hook(lambda module, *_: ran.update([type(module).__name__]))
    with torch.no_grad(), recording(model.train(), *sigmoids) as outputs:
        logits = model(images)
    seen = [value.flatten(1) for value in outputs.values()]
    ends = torch.cat([(value - 0.5).abs().flatten() > 0.49 for value in seen]) if seen else torch.zeros(1).bool()
    others = [type(part).__name__ for part in parts if foreign(part)]
    return {
        "shape": tuple(logits.shape),
        "sigmoids": ran["Sigmoid"],
        "average pools": ran["AvgPool2d"],
        "others": ", ".join(others) or "none",
        "spread": float(seen[-1].std(0).mean()) if seen else 0.0,
        "at the ends": float(ends.float().mean()),
    }


def foreign(part: nn.Module) -> bool:
    """Another activation than a sigmoid, or a maximum."""
    name, home = type(part).__name__, type(part).__module__
    return (home == "torch.nn.modules.activation" and not isinstance(part, nn.Sigmoid)) or "Max" in name


def judged(rescue: Callable, net: nn.Sequential) -> dict[str, Any]:
    reached = fmean(trained(rescue, seed) for seed in SEEDS)
    better = "yes" if reached >= 0.5 else f"no, {reached:.0%}"
    return looked_at(rescue, net) | {"half of the unseen clothes right": better}


def sleeping(generator: Generator) -> tuple[nn.Sequential]:
    torch.manual_seed(between(0, 999, generator))
    return (asleep(),)


RESCUE = Exercise(
    signature="rescue(net)",
    properties=(
        Property("ten logits for each image", sleeping, lambda net: {"shape": (100, 10)}, looked_at, 1),
        Property(
            "four sigmoids and two average pools; no other activation, no maximum",
            sleeping,
            lambda net: {"sigmoids": 4, "average pools": 2, "others": "none"},
            looked_at,
            1,
        ),
        Property(
            "after 150 steps half of the unseen clothes are right",
            sleeping,
            lambda net: {"half of the unseen clothes right": "yes"},
            judged,
            1,
        ),
    ),
    mistakes=(
        Mistake(
            "another activation, or a maximum",
            "that would help, but the question is whether sigmoids and averages can learn.",
            lambda got, net: got["others"] != "none",
        ),
        Mistake(
            "a sigmoid or a pool is gone",
            "the four sigmoids and the two average pools stay; what may change is what stands around them.",
            lambda got, net: (got["sigmoids"], got["average pools"]) != (4, 2),
        ),
        Mistake(
            "the sigmoids stand at their ends, where they are flat",
            "the weights are too large now: a sum of ±10 gives 0 or 1 whatever else changes.",
            lambda got, net: got["at the ends"] > 0.5,
        ),
        Mistake(
            "the last sigmoid still gives nearly the same numbers for every image",
            "measure by how much its outputs differ from image to image, before training: what would widen that?",
            lambda got, net: got["spread"] < 0.01,
        ),
    ),
    hint="look at the net layer by layer: where do images become alike, and what could keep them apart?",
    errors={"has no attribute 'modules'": "rescue returns the network."},
)

EXERCISES = (MAP_SIDES, LENET_PARAMETERS, C3_PARAMETERS, SUB_SAMPLE, ORDER_MATTERS, RESCUE)
