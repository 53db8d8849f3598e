"""Exercises of chapter 07: sides, counting a layer, a head that averages, equal costs, class maps, a small NiN."""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from cnnlib.analysis import summary
from cnnlib.course.checks import Exercise, Mistake, Property, agree, answers, between
from cnnlib.data import Batches, Images, Normalize, Pad
from cnnlib.datasets import digits
from cnnlib.models import nin
from cnnlib.models.nin import mlpconv
from cnnlib.training import Diverged, Recipe, evaluate, train

# nin_sides: an image without numbers runs through the library's network.


def sides_by_running(side: int) -> list[int]:
    with torch.device("meta"):
        costs = {cost.name: cost.shape for cost in summary(nin(), (3, side, side))}
    return [costs[f"features.mlpconv{number}"][1] for number in (1, 2, 3, 4)]


def sides_with(
    first: Callable[[int], int] = lambda side: (side - 11) // 4 + 1,
    pool: Callable[[int], int] = lambda side: -(-(side - 3) // 2) + 1,
    lost: tuple[int, int, int] = (0, 0, 0),
) -> Callable[..., bool]:
    """Recognises sides that follow from another first layer, another pool, or convolutions that lose a border."""

    def wrong(side: int) -> list[int]:
        sides = [first(side)]
        for border in lost:
            sides.append(pool(sides[-1]) - border)
        return sides

    return answers(wrong)


def behind_pools(side: int) -> list[int]:
    sides = sides_by_running(side)
    return [*sides[1:], -(-(sides[-1] - 3) // 2) + 1]


NIN_SIDES = Exercise(
    signature="nin_sides(side)",
    properties=(
        Property("224 pixels, as in the chapter", lambda g: (224,), sides_by_running, trials=1),
        Property("227 pixels", lambda g: (227,), sides_by_running, trials=1),
        Property("any side from 160 to 400", lambda g: (between(160, 400, g),), sides_by_running, trials=8),
    ),
    mistakes=(
        Mistake(
            "the pools round down",
            "the last window of a pool may hang over the edge here: (side − 3) / 2 is rounded up, then 1 is added.",
            sides_with(pool=lambda side: (side - 3) // 2 + 1),
        ),
        Mistake(
            "the first map has too many places",
            "its row says padding 0, and a window must fit whole: (side − 11) / 4 is rounded down, then 1 is added.",
            lambda got, side: any(
                sides_with(first=first)(got, side)
                for first in (
                    lambda n: -(-(n - 11) // 4) + 1,
                    lambda n: (n + 4 - 11) // 4 + 1,
                    lambda n: (n + 10 - 11) // 4 + 1,
                    lambda n: n // 4,
                )
            ),
        ),
        Mistake(
            "the convolutions of 5×5 and 3×3 lose their border",
            "their padding, 2 and 1, makes up for it.",
            lambda got, side: any(
                sides_with(lost=lost)(got, side) for lost in ((4, 2, 2), (4, 0, 0), (0, 2, 2), (0, 2, 0), (0, 0, 2))
            ),
        ),
        Mistake(
            "one place too few in the first map",
            "the window stands at 0, 4, 8, …: the place at 0 counts, add 1.",
            sides_with(first=lambda side: (side - 11) // 4),
        ),
        Mistake(
            "the sides behind the pools",
            "wanted are the sides of what each mlpconv layer puts out, before the pool behind it.",
            answers(behind_pools),
        ),
        Mistake(
            "halved and rounded up",
            "27 becomes 13, not 14: windows of three start at 0, 2, 4, …, and must not begin beyond the edge.",
            sides_with(pool=lambda side: -(-side // 2)),
        ),
        Mistake(
            "four numbers are wanted, one a layer",
            "return a list: the side behind each of the four mlpconv layers.",
            lambda got, side: not hasattr(got, "__len__") or len(got) != 4,
        ),
    ),
    hint="go through the table row by row: a 1×1 convolution changes no side, a padded one neither.",
)


# mlpconv_parameters: the library builds the layer, and it is counted.


def layer_counted(inputs: int, window: int, widths: list[int]) -> int:
    with torch.device("meta"):
        layer = mlpconv(inputs, window, 1, 0, widths)
    return sum(p.numel() for p in layer.parameters())


def any_layer(rest: int) -> Callable[[Generator], tuple[int, int, list[int]]]:
    def draw(generator: Generator) -> tuple[int, int, list[int]]:
        widths = [between(4, 60, generator) for _ in range(1 + rest)]
        return between(2, 40, generator), 2 * between(1, 5, generator) + 1, widths

    return draw


def counted(area: int = 2, every: bool = False, bias: int = 1, chained: bool = True) -> Callable[..., bool]:
    """Recognises other ways to count."""

    def wrong(inputs: int, window: int, widths: list[int]) -> int:
        total, before = 0, inputs
        for place, width in enumerate(widths):
            size = window**area if place == 0 or every else 1
            total += size * before * width + bias * width
            before = width if chained else inputs
        return total

    return answers(wrong)


MLPCONV_PARAMETERS = Exercise(
    signature="mlpconv_parameters(inputs, window, widths)",
    properties=(
        Property("one convolution, no 1×1 behind it", any_layer(0), layer_counted),
        Property("one 1×1 convolution behind it", any_layer(1), layer_counted),
        Property("any number of them", lambda g: any_layer(between(2, 4, g))(g), layer_counted),
        Property("the first layer of NiN", lambda g: (3, 11, [96, 96, 96]), layer_counted, trials=1),
    ),
    mistakes=(
        Mistake(
            "the biases are missing",
            "each map of each convolution has one.",
            counted(bias=0),
        ),
        Mistake(
            "all convolutions have the large window",
            "only the first has; the others look at one place.",
            counted(every=True),
        ),
        Mistake(
            "each convolution sees the maps that enter the layer",
            "the second convolution sees what the first put out.",
            counted(chained=False),
        ),
        Mistake(
            "the side of the window, not its square",
            "a window of 5×5 has 25 places.",
            counted(area=1),
        ),
        Mistake(
            "the first convolution only",
            "the 1×1 convolutions have weights too: one for each pair of a map before and a map behind.",
            answers(lambda inputs, window, widths: (window**2 * inputs + 1) * widths[0]),
        ),
        Mistake(
            "the 1×1 convolutions only",
            "what does the first convolution have?",
            answers(lambda i, w, widths: layer_counted(i, w, widths) - (w**2 * i + 1) * widths[0]),
        ),
    ),
    hint="a convolution from a to b maps with windows of k×k has k·k·a·b weights and b biases. Add them up.",
)


# average_head: what the built head does with maps of one size and of another.


def two_counts(generator: Generator) -> tuple[int, int]:
    """The number of maps, and of classes."""
    return between(4, 9, generator), between(11, 14, generator)


def used(average_head: Callable, maps: int, classes: int) -> dict[str, Any]:
    """Shapes, parameters and behaviour of the head on maps of 6×6."""
    head = average_head(maps, classes)
    if not isinstance(head, nn.Module):
        return {"a module": False}
    features = torch.randn(64, maps, 6, 6)
    with torch.no_grad():
        logits = head.eval()(features.clone())
        shuffled = features.flatten(2)[:, :, torch.randperm(36)].view_as(features)
        mixed = head(shuffled.clone())
        other = features.roll(1, 0)
        halfway, mean = head((features + other) / 2), (logits + head(other.clone())) / 2
        first = head[0] if isinstance(head, nn.Sequential) else None
        largest = first(features).amax((2, 3)) if isinstance(first, nn.Conv2d) else None
    return {
        "a module": True,
        "logits": tuple(logits.shape),
        "parameters": sum(p.numel() for p in head.parameters()),
        "smallest is below 0": bool(logits.min() < 0),
        "places shuffled, the same": mixed.shape == logits.shape and bool((mixed - logits).abs().max() < 1e-4),
        "averages stay averages": halfway.shape == mean.shape and bool((halfway - mean).abs().max() < 1e-4),
        "sums to 1": logits.ndim == 2 and bool((logits.sum(1) - 1).abs().max() < 1e-4),
        "mean first": any(isinstance(layer, nn.Linear) for layer in head.modules()),
        "largest": largest is not None and logits.shape == largest.shape and agree(logits, largest),
    }


def repeated(average_head: Callable, maps: int, classes: int) -> dict[str, Any]:
    """Maps of another size, made of the same numbers twice."""
    head, features = average_head(maps, classes).eval(), torch.randn(3, maps, 6, 5)
    with torch.no_grad():
        once, twice = head(features.clone()), head(torch.cat([features, features], 3))
    return {"the same maps twice, the same logits": once.shape == twice.shape and agree(twice, once)}


AVERAGE_HEAD = Exercise(
    signature="average_head(maps, classes)",
    properties=(
        Property(
            "a module: N×maps×6×6 in, N×classes out",
            two_counts,
            lambda maps, classes: {"a module": True, "logits": (64, classes)},
            used,
        ),
        Property(
            "as many parameters as a 1×1 convolution to one map a class",
            two_counts,
            lambda maps, classes: {"parameters": (maps + 1) * classes},
            used,
        ),
        Property("logits may be below 0", two_counts, lambda *_: {"smallest is below 0": True}, used),
        Property(
            "maps of any size: the same ones twice change nothing",
            two_counts,
            lambda *_: {"the same maps twice, the same logits": True},
            repeated,
        ),
        Property(
            "nor does it matter which place is where", two_counts, lambda *_: {"places shuffled, the same": True}, used
        ),
        Property(
            "the average of two images' maps gives the average of their logits",
            two_counts,
            lambda *_: {"averages stay averages": True},
            used,
        ),
    ),
    mistakes=(
        Mistake(
            "not a module",
            "return layers in a row: nn.Sequential(…).",
            lambda got, *_: got.get("a module") is False,
        ),
        Mistake(
            "the last two axes are still there",
            "the mean leaves N×classes×1×1: nn.Flatten() takes the two ones away.",
            lambda got, maps, classes: got.get("logits") == (64, classes, 1, 1),
        ),
        Mistake(
            "logits for each place",
            "the places are to be averaged: nn.AdaptiveAvgPool2d(1) makes one of them.",
            lambda got, maps, classes: got.get("logits") in [(64, classes, 6, 6), (64, 36 * classes)],
        ),
        Mistake(
            "the means of the maps that come in",
            "first a 1×1 convolution makes one map a class.",
            lambda got, maps, classes: got.get("logits") == (64, maps),
        ),
        Mistake(
            "the largest value of each map, not its mean",
            "every place has a vote: which pool takes the mean?",
            lambda got, *_: got.get("largest") is True,
        ),
        Mistake(
            "softmax in the head",
            "logits are wanted; the loss takes the softmax.",
            lambda got, *_: got.get("sums to 1") is True,
        ),
        Mistake(
            "the logits are rectified",
            "behind a ReLU no logit can fall below 0, and a class that is 0 everywhere gets no gradient.",
            lambda got, *_: got.get("smallest is below 0") is False,
        ),
        Mistake(
            "the bias is missing",
            "a 1×1 convolution has one bias a map.",
            lambda got, maps, classes: got.get("parameters") == maps * classes,
        ),
        Mistake(
            "weights for each place",
            "a matrix on all places has 36 times as many; here each class has one weight a map.",
            lambda got, maps, classes: got.get("parameters", 0) >= 36 * maps * classes,
        ),
        Mistake(
            "more layers with weights than one",
            "nothing but one 1×1 convolution has weights here.",
            lambda got, maps, classes: (maps + 1) * classes < got.get("parameters", 0) < 36 * maps * classes,
        ),
        Mistake(
            "the sum over the places, not their mean",
            "a map twice as large would make logits twice as large.",
            lambda got, *_: got.get("the same maps twice, the same logits") is False,
        ),
        Mistake(
            "the largest value of each map that comes in",
            "every place has a vote: which pool takes the mean?",
            lambda got, *_: got.get("averages stay averages") is False,
        ),
    ),
    hint="three layers: one map a class, the mean of each map, and the axes of places taken away.",
    errors={
        "Calculated output size": "a window of fixed size does not fit every map: AdaptiveAvgPool2d does.",
        "shapes cannot be multiplied": "a matrix fits one number of places; take the mean over the places first.",
        "expected input": "the head receives `maps` maps.",
    },
    remarks=(
        Mistake(
            "mean first",
            "mean first, matrix behind: the same numbers, for both are sums. ResNet has them in this order.",
            lambda got, *_: got.get("mean first") is True,
        ),
    ),
)


# plain_maps: tried one by one.


def most_maps(inputs: int, window: int, widths: list[int]) -> int:
    budget, maps = layer_counted(inputs, window, widths), 0
    while layer_counted(inputs, window, [maps + 1]) <= budget:
        maps += 1
    return maps


def share_of(over: Callable[[int, int, list[int]], float], rounding: Callable = math.floor) -> Callable[..., bool]:
    return answers(lambda inputs, window, widths: rounding(over(inputs, window, widths)))


def weights_only(inputs: int, window: int, widths: list[int]) -> float:
    return (layer_counted(inputs, window, widths) - sum(widths)) / (window**2 * inputs)


def exactly(inputs: int, window: int, widths: list[int]) -> float:
    return layer_counted(inputs, window, widths) / (window**2 * inputs + 1)


PLAIN_MAPS = Exercise(
    signature="plain_maps(inputs, window, widths)",
    properties=(
        Property("no 1×1 behind it: the layer itself", any_layer(0), most_maps),
        Property("one or two 1×1 behind it", lambda g: any_layer(between(1, 2, g))(g), most_maps, trials=10),
        Property("the second layer of NiN's plan for CIFAR", lambda g: (96, 5, [192] * 3), most_maps, trials=1),
    ),
    mistakes=(
        Mistake(
            "rounded up or to the nearest",
            "one map more would cost more than the mlpconv layer: round down.",
            lambda got, *a: agree(got, math.ceil(exactly(*a))) or agree(got, round(exactly(*a))),
        ),
        Mistake(
            "a number with a fraction",
            "there are no half maps.",
            answers(exactly),
        ),
        Mistake(
            "the biases are left out",
            "a map costs k·k·inputs weights and one bias, and the mlpconv layer has biases too.",
            lambda got, *a: any(
                agree(got, math.floor(share))
                for share in (weights_only(*a), layer_counted(*a) / (a[1] ** 2 * a[0]), weights_only(*a) + 1e-9)
            ),
        ),
        Mistake(
            "the width of the first convolution",
            "the 1×1 convolutions cost something too: what they cost buys more maps.",
            answers(lambda inputs, window, widths: widths[0]),
        ),
        Mistake(
            "the widths added up",
            "a 1×1 map costs less than a map with a large window.",
            answers(lambda inputs, window, widths: sum(widths)),
        ),
        Mistake(
            "the side of the window, not its square",
            "a window of 5×5 has 25 weights for each map that it sees.",
            share_of(lambda i, w, widths: layer_counted(i, w, widths) / (w * i + 1)),
        ),
    ),
    hint="what does the mlpconv layer cost, and what does one map of the plain one?",
)


# class_map: the logit is its mean.


def some_net(generator: Generator) -> nn.Sequential:
    """Features at a half or a quarter of the image's side, one map a class, their means; in evaluation mode."""
    width, step, classes = between(3, 6, generator), 2 * between(1, 2, generator), between(3, 6, generator)
    features = nn.Sequential(nn.Conv2d(1, width, step, stride=step), nn.ReLU(), nn.Dropout(0.5))
    head = nn.Sequential(nn.Conv2d(width, classes, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    net = nn.Sequential()
    net.add_module("features", features)
    net.add_module("classifier", head)
    for parameter in net.parameters():
        parameter.data.normal_(0, 1, generator=generator)
    return net.eval()


def net_image_label(generator: Generator) -> tuple[nn.Sequential, Tensor, int]:
    """A net, an image (C×H×W, not square), and a class that is not the net's answer."""
    net = some_net(generator)
    image = torch.randn(1, 4 * between(2, 4, generator), 4 * between(5, 6, generator), generator=generator)
    with torch.no_grad():
        order = net(image[None])[0].argsort(descending=True)
    return net, image, int(order[between(1, len(order) - 1, generator)])


def maps_of(net: nn.Sequential, image: Tensor) -> Tensor:
    with torch.no_grad():
        return net.classifier[0](net.features(image[None]))[0]


def blocks(sheet: Tensor, image: Tensor) -> Tensor:
    """Each place of an h×w map as a block of pixels."""
    step = image.shape[1] // sheet.shape[0]
    return torch.kron(sheet, torch.ones(step, step))


def smooth(sheet: Tensor, image: Tensor) -> Tensor:
    return F.interpolate(sheet[None, None], image.shape[1:], mode="bilinear")[0, 0]


def looked_at(class_map: Callable, net: nn.Sequential, image: Tensor, label: int) -> dict[str, Any]:
    sheet = torch.as_tensor(class_map(net, image, label)).detach()
    return {"shape": tuple(sheet.shape), "mean": float(sheet.double().mean()), "map": sheet}


def right_map(*names: str) -> Callable[..., dict[str, Any]]:
    def expected(net: nn.Sequential, image: Tensor, label: int) -> dict[str, Any]:
        with torch.no_grad():
            logit = float(net(image[None])[0, label])
        found = {"shape": tuple(image.shape[1:]), "mean": logit, "map": blocks(maps_of(net, image)[label], image)}
        return {name: found[name] for name in names}

    return expected


def map_is(wrong: Callable[[nn.Sequential, Tensor, int], Tensor]) -> Callable[..., bool]:
    return lambda got, *a: agree(got["map"], wrong(*a))


CLASS_MAP = Exercise(
    signature="class_map(net, image, label)",
    properties=(
        Property("a map as large as the image, H×W", net_image_label, right_map("shape"), looked_at),
        Property("its mean is the logit of that class", net_image_label, right_map("mean"), looked_at),
        Property("each place of the small map as a block of pixels", net_image_label, right_map("map"), looked_at),
    ),
    mistakes=(
        Mistake(
            "the small map, not yet enlarged",
            "repeat each value: over how many rows and columns of pixels?",
            map_is(lambda net, image, label: maps_of(net, image)[label]),
        ),
        Mistake(
            "the small map laid out like tiles",
            "repeat_interleave repeats each number in its place; repeat copies the whole map.",
            map_is(
                lambda net, image, label: maps_of(net, image)[label].repeat(
                    *[a // b for a, b in zip(image.shape[1:], maps_of(net, image).shape[1:])]
                )
            ),
        ),
        Mistake(
            "the map is rectified",
            "what speaks against the class belongs to the mean.",
            map_is(lambda net, image, label: blocks(maps_of(net, image)[label].relu(), image)),
        ),
        Mistake(
            "the maps of all classes",
            "one class is asked for: maps[label].",
            lambda got, net, image, label: len(got["shape"]) >= 3 and len(maps_of(net, image)) in got["shape"],
        ),
        Mistake(
            "axes of batch or class are still there",
            "a map has two axes, rows and columns.",
            lambda got, *_: len(got["shape"]) > 2,
        ),
        Mistake(
            "the map of the class that the net answers, not of `label`",
            "one may ask for the evidence of any class.",
            map_is(lambda net, image, label: blocks(maps_of(net, image)[net(image[None]).argmax()], image)),
        ),
        Mistake(
            "one number everywhere",
            "behind the average the places are gone: take the maps before it.",
            lambda got, *_: float(got["map"].double().std()) < 1e-6,
        ),
        Mistake(
            "softmax over the classes at each place",
            "wanted is the map itself: its mean is the logit.",
            map_is(lambda net, image, label: blocks(maps_of(net, image).softmax(0)[label], image)),
        ),
        Mistake(
            "scaled to lie between 0 and 1",
            "for a picture that may help; here the mean must be the logit.",
            lambda got, *_: abs(float(got["map"].min())) < 1e-6 and abs(float(got["map"].max()) - 1) < 1e-6,
        ),
        Mistake(
            "a map of the features",
            "features are what the trunk found; the first layer of the classifier makes a map a class of them.",
            lambda got, net, image, label: any(
                agree(got["map"], blocks(sheet, image)) for sheet in net.features(image[None])[0].detach()
            ),
        ),
        Mistake(
            "enlarged smoothly, not in blocks",
            "mode='nearest' repeats values; smoothing moves the mean a little.",
            lambda got, net, image, label: agree(got["map"], smooth(maps_of(net, image)[label], image)),
        ),
    ),
    hint="net.features, then net.classifier[0], then the map of `label`; repeat_interleave makes blocks.",
    errors={
        "Expected 3D": "a net takes a batch: image[None].",
        "has no attribute": "net has the parts net.features and net.classifier.",
    },
)


# tiny_nin: measured, and trained on a few digits.

WEIGHTS, WORK, POINTWISE, UNSEEN = 6_000, 1_000_000, 4, 0.3
SEEDS = (0, 1)


@cache
def training_digits() -> tuple[Images, Images]:
    """1,000 digits to learn from and 500 others, all of the training part."""
    return digits()[0][:1500].split(500)


def learnt(tiny_nin: Callable, seed: int) -> float:
    """Share of unseen digits named after four passes; a training that diverges counts as 0."""
    torch.manual_seed(seed)
    fit, unseen = training_digits()
    steps = [Pad(2), Normalize(fit)]
    net = tiny_nin()
    try:
        for _ in train(net, Batches(fit, 8, steps, Generator().manual_seed(seed)), Recipe(4, 0.05, 8)):
            pass
    except Diverged:
        return 0.0
    return evaluate(net, Batches(unseen, 500, steps)).accuracy


def measured(tiny_nin: Callable) -> dict[str, Any]:
    """What the net is made of, takes and costs."""
    net = tiny_nin()
    if not isinstance(net, nn.Module):
        return {"a network": False}
    layers = list(net.modules())
    pointwise = sum(isinstance(layer, nn.Conv2d) and layer.kernel_size == (1, 1) for layer in layers)
    weights = sum(p.numel() for p in net.parameters())
    with torch.no_grad():
        shapes = [tuple(net.train()(torch.randn(3, 1, side, side)).shape) for side in (32, 32)]
    facts = {
        "a network": True,
        "logits": shapes[0],
        "matrices": sum(isinstance(layer, nn.Linear) for layer in layers),
        "pointwise": pointwise,
        "weights": weights,
        "work": summary(net, (1, 32, 32))[-1].macs if shapes[0] == (3, 10) else 0,
    }
    goals = {
        "no fully connected layer": (facts["matrices"] == 0, f"{facts['matrices']} of them"),
        f"at least {POINTWISE} convolutions of 1×1": (pointwise >= POINTWISE, str(pointwise)),
        f"at most {WEIGHTS:,} parameters": (weights <= WEIGHTS, f"{weights:,}"),
        f"at most {WORK:,} multiply-adds": (0 < facts["work"] <= WORK, f"{facts['work']:,}"),
    }
    return facts | {goal: "yes" if reached else f"no: {got}" for goal, (reached, got) in goals.items()}


def on_larger_images(tiny_nin: Callable) -> dict[str, Any]:
    with torch.no_grad():
        return {"logits of larger images": tuple(tiny_nin().train()(torch.randn(3, 1, 48, 44)).shape)}


def after_training(tiny_nin: Callable) -> dict[str, Any]:
    shares = [learnt(tiny_nin, seed) for seed in SEEDS]
    good = min(shares) > UNSEEN
    told = "yes" if good else "no: " + ", ".join(f"{share:.0%}" for share in shares)
    return {"learns": told, "at a guess": max(shares) < 0.2, "once only": min(shares) <= UNSEEN < max(shares)}


def goal(says: str) -> Property:
    return Property(says, lambda g: (), lambda: {says: "yes"}, measured, 1)


TINY_NIN = Exercise(
    signature="tiny_nin()",
    properties=(
        Property("3×1×32×32 in, 3×10 out", lambda g: (), lambda: {"a network": True, "logits": (3, 10)}, measured, 1),
        goal("no fully connected layer"),
        goal(f"at least {POINTWISE} convolutions of 1×1"),
        goal(f"at most {WEIGHTS:,} parameters"),
        goal(f"at most {WORK:,} multiply-adds"),
        Property("larger images", lambda g: (), lambda: {"logits of larger images": (3, 10)}, on_larger_images, 1),
        Property(
            f"it leaves chance: after four passes over 1,000 digits, from two seeds, over {UNSEEN:.0%} of 500 others",
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
            "ten class maps, the mean of each, nn.Flatten().",
            lambda got: "logits" in got and got["logits"] != (3, 10),
        ),
        Mistake(
            "a matrix in the head",
            "one map a class and its mean do without.",
            lambda got: got.get("matrices", 0) > 0,
        ),
        Mistake(
            "too few 1×1 convolutions",
            "two behind each larger one, and one for the class maps.",
            lambda got: got.get("pointwise", POINTWISE) < POINTWISE,
        ),
        Mistake(
            "too many parameters",
            "k·k·in·out: which convolution has most?",
            lambda got: got.get("weights", 0) > WEIGHTS,
        ),
        Mistake(
            "too much work",
            "multiply-adds are weights times places: let the first windows move in steps of two, or four.",
            lambda got: got.get("work", 0) > WORK,
        ),
        Mistake(
            "it stays at a guess",
            "look at the start: the library's `initialise` for nets like this one, or batch norm. And at the dropout.",
            lambda got: got.get("at a guess") is True,
        ),
        Mistake(
            "it leaves chance from one seed and not from another",
            "a start that depends on luck: kernels of mean zero, or batch norm, make it safe.",
            lambda got: got.get("once only") is True,
        ),
    ),
    hint="two stages: a convolution of 3×3 or 5×5 and two of 1×1, a few maps wide; a pool between; ten maps; the mean.",
    errors={
        "shapes cannot be multiplied": "a matrix fits one size of image only.",
        "mat1 and mat2": "a matrix fits one size of image only.",
        "Calculated output size": "a pool with a window of fixed size does not fit every map: AdaptiveAvgPool2d does.",
        "expected input": "the images have one channel, and each layer takes what the one before gives.",
        "requires_grad": "no weight gets a gradient: is anything wrapped in no_grad?",
    },
)

EXERCISES = (NIN_SIDES, MLPCONV_PARAMETERS, AVERAGE_HEAD, PLAIN_MAPS, CLASS_MAP, TINY_NIN)
