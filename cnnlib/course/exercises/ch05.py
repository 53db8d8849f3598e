"""Exercises of chapter 05: towers, dropout, response normalisation, stripes, and an AlexNet of a tenth the size."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from cnnlib.analysis import summary
from cnnlib.course.checks import Exercise, Mistake, Property, agree, answers, between

# tower_parameters: torch builds the layer, and it is counted.


def in_conv(inputs: int, maps: int, kernel: int, groups: int) -> int:
    layer = nn.Conv2d(inputs, maps, kernel, groups=groups, device="meta")
    return sum(p.numel() for p in layer.parameters())


def any_conv(generator: Generator, fewest: int, most: int) -> tuple[int, int, int, int]:
    groups = between(fewest, most, generator)
    return groups * between(2, 9, generator), groups * between(2, 9, generator), between(2, 7, generator), groups


TOWER_PARAMETERS = Exercise(
    signature="tower_parameters(inputs, maps, kernel, groups)",
    properties=(
        Property("one group", lambda g: any_conv(g, 1, 1), in_conv),
        Property("two towers", lambda g: any_conv(g, 2, 2), in_conv),
        Property("any number of groups", lambda g: any_conv(g, 2, 6), in_conv),
        Property("C2 of 2012", lambda g: (96, 256, 5, 2), in_conv, trials=1),
    ),
    mistakes=(
        Mistake(
            "the biases are missing",
            "each map has one: that is how 34,944 became 34,848 in a published table.",
            answers(lambda i, m, k, g: k * k * i // g * m),
        ),
        Mistake(
            "the groups make no difference",
            "how many of the input maps does one kernel see when there are two towers?",
            answers(lambda i, m, k, g: (k * k * i + 1) * m),
        ),
        Mistake(
            "one tower is counted, not all of them",
            "each tower has its own share of the maps; add the towers up.",
            answers(lambda i, m, k, g: (k * k * i // g + 1) * m // g),
        ),
        Mistake(
            "the biases were divided by the groups too",
            "there are as many maps as before, and each has its own bias.",
            answers(lambda i, m, k, g: (k * k * i + 1) * m / g),
        ),
        Mistake(
            "divided by the groups twice",
            "each tower has 1/g of the inputs and 1/g of the maps; but there are g towers.",
            answers(lambda i, m, k, g: k * k * i * m / g**2 + m),
        ),
        Mistake(
            "k, not k·k",
            "a kernel is a square.",
            answers(lambda i, m, k, g: (k * i // g + 1) * m),
        ),
        Mistake(
            "a bias for each group of each map",
            "a map has one bias, in whatever tower it stands.",
            answers(lambda i, m, k, g: k * k * i // g * m + m * g),
        ),
        Mistake(
            "multiplied by the groups",
            "a tower sees less, so the layer has less.",
            answers(lambda i, m, k, g: (k * k * i * g + 1) * m),
        ),
    ),
    hint="how many numbers has one kernel that sees its own tower's maps only? Add its bias; there are `maps` of them.",
    remarks=(
        Mistake(
            "not a whole number",
            "a number of parameters is whole: // divides without a rest.",
            lambda got, *_: isinstance(got, float),
        ),
    ),
)


# two_towers: torch's own grouped convolution.


def towers(inputs: int, maps: int, kernel: int) -> Callable[[Generator], tuple[Tensor, Tensor, Tensor]]:
    """Draws images of `inputs` maps, kernels for two towers, biases. Both towers are as wide as high: none fits one."""

    def draw(generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
        images = torch.randn(2, inputs, 6, 7, generator=generator)
        weight = torch.randn(maps, inputs // 2, kernel, kernel, generator=generator)
        return images, weight, torch.randn(maps, generator=generator)

    return draw


def grouped(images: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return F.conv2d(images, weight, bias, groups=2)


def by_halves(join: Callable, order: tuple[int, int] = (0, 1), biased: bool = True) -> Callable[..., bool]:
    """Recognises towers that see the halves in this order and are put together in this way."""

    def wrong(images: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        halves, kernels, biases = images.chunk(2, 1), weight.chunk(2), bias.chunk(2)
        return join([F.conv2d(halves[order[t]], kernels[t], biases[t] if biased else None) for t in (0, 1)])

    return answers(wrong)


def interleaved(images: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    kernels, biases = weight.chunk(2), bias.chunk(2)
    return torch.cat([F.conv2d(images[:, t::2], kernels[t], biases[t]) for t in (0, 1)], 1)


TWO_TOWERS = Exercise(
    signature="two_towers(images, weight, bias)",
    properties=(
        Property("two maps in, two out", towers(2, 2, 3), grouped),
        Property("any numbers of maps", lambda g: towers(2 * between(2, 4, g), 2 * between(2, 5, g), 3)(g), grouped),
        Property("windows of 5×5", towers(4, 6, 5), grouped),
    ),
    mistakes=(
        Mistake(
            "the towers are swapped: the first kernels look at the last maps",
            "the first half of the kernels belongs to the first half of the maps.",
            by_halves(lambda parts: torch.cat(parts, 1), order=(1, 0)),
        ),
        Mistake(
            "both towers see the first half",
            "the second tower looks at the second half of the maps.",
            by_halves(lambda parts: torch.cat(parts, 1), order=(0, 0)),
        ),
        Mistake(
            "the towers' maps are added up",
            "the towers stand side by side: put their maps one behind the other, along the axis of the maps.",
            by_halves(lambda parts: parts[0] + parts[1]),
        ),
        Mistake(
            "put together along the images",
            "axis 0 counts the images; which axis counts the maps?",
            by_halves(lambda parts: torch.cat(parts, 0)),
        ),
        Mistake(
            "the biases are missing",
            "each map has a bias; each tower takes its half of them.",
            by_halves(lambda parts: torch.cat(parts, 1), biased=False),
        ),
        Mistake(
            "the second tower comes first",
            "the maps of the first tower come first.",
            by_halves(lambda parts: torch.cat(parts[::-1], 1)),
        ),
        Mistake(
            "every other map to each tower",
            "the first tower has the first half of the maps, not each second one.",
            answers(interleaved),
        ),
    ),
    hint="cut images along the maps, weight and bias along the kernels; convolve twice; put the results side by side.",
    errors={
        "to have": "a kernel with C/2 channels fits half of the maps: cut the images along axis 1 first.",
        "Sizes of tensors must match": "put maps together along axis 1.",
    },
)


# drop: what becomes of many ones is counted.


def many_ones(p: float) -> Callable[[Generator], tuple[Tensor, float, bool]]:
    return lambda generator: (torch.ones(200, 200), p, True)


def counted(drop: Callable, x: Tensor, p: float, training: bool) -> dict[str, Any]:
    """What can be seen of two answers for the same ones."""
    first, second = (torch.as_tensor(drop(x.clone(), p, training)).detach().double() for _ in range(2))
    if first.shape != x.shape:
        return {"shape": tuple(first.shape)}
    kept = first[first != 0]
    return {
        "shape": tuple(first.shape),
        "share of zeros": round(float((first == 0).double().mean()), 1),
        "the others are": [round(value, 3) for value in kept.unique().tolist()][:4],
        "mean": round(float(first.mean()), 1),
        "rows alike": bool((first == first[0]).all() or (first == first[:, :1]).all()),
        "the same places again": bool(torch.equal(first == 0, second == 0)) and bool((first == 0).any()),
    }


def right(*names: str) -> Callable[[Tensor, float, bool], dict[str, Any]]:
    def expected(x: Tensor, p: float, training: bool) -> dict[str, Any]:
        everything = {
            "shape": tuple(x.shape),
            "share of zeros": p,
            "the others are": [round(1 / (1 - p), 3)],
            "mean": 1.0,
            "rows alike": False,
            "the same places again": False,
        }
        return {name: everything[name] for name in names}

    return expected


def evaluated(drop: Callable, x: Tensor, p: float, training: bool) -> dict[str, Any]:
    return {"values": drop(x.clone(), p, training)}


def a_few(generator: Generator) -> tuple[Tensor, float, bool]:
    return torch.rand(6, 5, generator=generator) + 0.5, 0.2 * between(1, 4, generator), False


def others(test: Callable[[list[float], float], bool]) -> Callable[..., bool]:
    """Recognises an answer in training by what the values are that it kept, and the share it should drop."""
    return lambda got, x, p, training: bool(got.get("the others are")) and test(got["the others are"], p)


def in_evaluation(test: Callable[[Tensor, Tensor, float], bool]) -> Callable[..., bool]:
    return lambda got, x, p, training: "values" in got and test(torch.as_tensor(got["values"]), x, p)


DROP = Exercise(
    signature="drop(x, p, training)",
    properties=(
        Property(
            "in evaluation nothing changes",
            a_few,
            lambda x, p, training: {"values": x},
            evaluated,
        ),
        Property("a share p becomes 0", many_ones(0.2), right("shape", "share of zeros"), counted, trials=2),
        Property("the mean stays", many_ones(0.8), right("the others are", "mean"), counted, trials=2),
        Property(
            "each number has a coin of its own, thrown anew each time",
            many_ones(0.5),
            right("share of zeros", "rows alike", "the same places again"),
            counted,
            trials=2,
        ),
    ),
    mistakes=(
        Mistake(
            "numbers are dropped in evaluation too",
            "when `training` is False, every neuron works.",
            in_evaluation(lambda got, x, p: bool((got == 0).any())),
        ),
        Mistake(
            "scaled in evaluation: the way of 2012",
            "here the scaling belongs to training, so that evaluation need not know p.",
            in_evaluation(lambda got, x, p: agree(got, x * (1 - p)) or agree(got, x * p)),
        ),
        Mistake(
            "scaled up in evaluation too",
            "nothing is dropped in evaluation, so there is nothing to make up for.",
            in_evaluation(lambda got, x, p: agree(got, x / (1 - p))),
        ),
        Mistake(
            "one coin for a whole row or column",
            "each number has a coin of its own: draw as many as x has numbers.",
            lambda got, *_: bool(got.get("rows alike")),
        ),
        Mistake(
            "the same numbers are dropped each time",
            "a generator that is seeded in the function throws the same coins again.",
            lambda got, *_: bool(got.get("the same places again")),
        ),
        Mistake(
            "p is the share that stays, not the share that goes",
            "p = 0.2 drops one number in five.",
            lambda got, x, p, training: got.get("share of zeros") == round(1 - p, 1) != p,
        ),
        Mistake(
            "what stays is not scaled",
            "of ten ones with p = 0.5 about five are left: the mean is 0.5. What makes it 1 again?",
            others(lambda values, p: agree(values, [1.0])),
        ),
        Mistake(
            "scaled by 1/p",
            "a share of 1 − p is left; what times 1 − p is 1?",
            others(lambda values, p: agree(values, [round(1 / p, 3)])),
        ),
        Mistake(
            "scaled down in training",
            "a part is missing already: what is left must grow.",
            others(lambda values, p: max(values) < 1),
        ),
    ),
    hint="torch.rand_like(x) > p is True for a share of 1 − p. What must the numbers that stay be divided by?",
    errors={"ambiguous": "`training` is a plain True or False; the coins are a tensor: multiply by them."},
)


# response_norm: torch's layer, which divides alpha by the window, with alpha five times as large.


def bright_maps(generator: Generator, maps: int = 9) -> tuple[Tensor]:
    """Maps so bright that the sum of squares matters."""
    return (200 * torch.randn(2, maps, 3, 4, generator=generator),)


def lrn(alpha: float = 5e-4, beta: float = 0.75, k: float = 2, size: int = 5) -> Callable[[Tensor], Tensor]:
    return lambda maps: F.local_response_norm(maps, size, alpha, beta, k)


def norm_with(total: Callable[[Tensor], Tensor]) -> Callable[..., bool]:
    """Recognises an answer by what it adds up."""
    return answers(lambda maps: maps / (2 + 1e-4 * total(maps)) ** 0.75)


def window(squares: Tensor, before: int, after: int) -> Tensor:
    """The sum over the maps from `before` in front to `after` behind, without those beyond the ends."""
    padded = F.pad(squares, (0, 0, 0, 0, before, after))
    return padded.unfold(1, before + after + 1, 1).sum(-1)


def around(squares: Tensor) -> Tensor:
    return torch.stack([squares.roll(shift, 1) for shift in range(-2, 3)]).sum(0)


RESPONSE_NORM = Exercise(
    signature="response_norm(maps)",
    properties=(
        Property("one map: its own square", lambda g: bright_maps(g, 1), lrn()),
        Property("nine maps: two neighbours on each side", bright_maps, lrn()),
        Property("any number of maps", lambda g: bright_maps(g, between(2, 12, g)), lrn()),
    ),
    mistakes=(
        Mistake(
            "alpha was divided by the five maps, as torch's layer does",
            "the paper multiplies the sum itself by alpha.",
            answers(lrn(alpha=1e-4)),
        ),
        Mistake(
            "k is 1, torch's default",
            "the paper has k = 2.",
            answers(lambda maps: maps / (1 + 1e-4 * window(maps**2, 2, 2)) ** 0.75),
        ),
        Mistake(
            "a map's own square is missing",
            "the sum runs from two maps before to two maps after, and itself lies between.",
            norm_with(lambda maps: window(maps**2, 2, 2) - maps**2),
        ),
        Mistake(
            "summed over all maps",
            "five maps: two before, itself, two after.",
            norm_with(lambda maps: (maps**2).sum(1, keepdim=True)),
        ),
        Mistake(
            "the window begins at the map, or ends there",
            "the map stands in the middle of its five.",
            lambda got, maps: any(
                norm_with(lambda maps, ends=ends: window(maps**2, *ends))(got, maps) for ends in ((0, 4), (4, 0))
            ),
        ),
        Mistake(
            "the first map's neighbours are the last ones: the maps go round",
            "beyond the ends there is nothing: the first map has two neighbours, not four.",
            norm_with(lambda maps: around(maps**2)),
        ),
        Mistake(
            "neighbours in the map, not among the maps",
            "the sum runs along axis 1, at one and the same place.",
            norm_with(lambda maps: window((maps**2).transpose(1, 3), 2, 2).transpose(1, 3)),
        ),
        Mistake(
            "not squared",
            "the sum is one of squares.",
            norm_with(lambda maps: window(maps, 2, 2)),
        ),
        Mistake(
            "the power is missing",
            "the bracket is raised to the power of beta = 0.75.",
            answers(lambda maps: maps / (2 + 1e-4 * window(maps**2, 2, 2))),
        ),
        Mistake(
            "the divisor was returned, or multiplied by",
            "each number is divided by its bracket.",
            lambda got, maps: any(
                agree(got, factor * (2 + 1e-4 * window(maps**2, 2, 2)) ** 0.75) for factor in (1, maps)
            ),
        ),
    ),
    hint="square the maps, put two maps of zeros before and behind (F.pad with six numbers), add up windows of five.",
)


# apparent_period: stripes are sampled, and the strongest frequency of the samples is looked for.


def sampled_period(period: int, stride: int) -> float:
    """In pixels; infinite where all samples are equal."""
    samples = torch.cos(2 * torch.pi * stride * torch.arange(period).double() / period)
    waves = int(torch.fft.rfft(samples).abs().round(decimals=6).argmax())
    return stride * period / waves if waves else math.inf


def unfolded(period: int, stride: int) -> float:
    frequency = stride / period % 1
    return stride / frequency if frequency else math.inf


def flat(generator: Generator) -> tuple[int, int]:
    period = between(2, 6, generator)
    return period, period * between(1, 3, generator)


def stripes(generator: Generator) -> tuple[int, int]:
    return between(3, 30, generator), between(2, 12, generator)


APPARENT_PERIOD = Exercise(
    signature="apparent_period(period, stride)",
    properties=(
        Property("coarse stripes stay as they are", lambda g: (between(9, 40, g), 4), sampled_period),
        Property("any stripes, any stride", stripes, sampled_period, trials=12),
        Property("a stride of whole periods: no stripes", flat, sampled_period),
        Property("stripes of 5 pixels at a stride of 4 look like 20", lambda g: (5, 4), sampled_period, trials=1),
    ),
    mistakes=(
        Mistake(
            "always the true period",
            "write the samples down for stripes of 5 and every fourth pixel: after how many samples do they repeat?",
            answers(lambda period, stride: period),
        ),
        Mistake(
            "counted in samples, not in pixels",
            "two samples lie `stride` pixels apart.",
            answers(lambda period, stride: sampled_period(period, stride) / stride),
        ),
        Mistake(
            "more than half a wave a sample",
            "0.8 waves forward from sample to sample cannot be told from 0.2 waves back: take the smaller.",
            answers(unfolded),
        ),
        Mistake(
            "the least common multiple: where the samples repeat exactly",
            "that is right for stripes of 5 and 6. Try 9: the samples repeat only after 36 pixels, but the wave does "
            "after 9.",
            answers(math.lcm),
        ),
        Mistake(
            "no stripes is 0 for you",
            "a wave that never comes round has an infinite period: float('inf').",
            lambda got, period, stride: math.isinf(sampled_period(period, stride)) and got == 0,
        ),
        Mistake(
            "waves a sample, not pixels a wave",
            "you have the frequency; the period is the stride divided by it.",
            answers(lambda period, stride: abs(stride / period - round(stride / period))),
        ),
    ),
    hint="from one sample to the next the wave moves on by stride/period. Whole waves cannot be seen: what is left, "
    "forward or back?",
    errors={"division by zero": "no waves a sample are left over: the period is infinite, float('inf')."},
)


# slim: the network is counted on the meta device and run once.

IMAGE = (3, 224, 224)
MOST_PARAMETERS, MOST_MACS = 6_096_522, 724_406_816  # a tenth of AlexNet's parameters, all of its multiply-adds


def measured(slim: Callable) -> dict[str, Any]:
    """Counts of a network, and what one step of two images says about it."""
    net = slim()
    if not isinstance(net, nn.Module):
        return {"a network": False, "net": None}
    net.train()
    images = torch.randn(2, *IMAGE)
    logits = net(images)
    if logits.shape != (2, 1000):
        return {"a network": True, "logits of two images": tuple(logits.shape), "net": net}
    F.cross_entropy(logits, torch.tensor([3, 5])).backward()
    net.eval()
    with torch.no_grad():
        once, twice, negative = (net(factor * images) for factor in (1, 2, -1))
    whole = summary(net, IMAGE)[-1]
    return {
        "a network": True,
        "logits of two images": tuple(logits.shape),
        "convolutions": sum(isinstance(layer, nn.Conv2d) for layer in net.modules()),
        "five convolutions": sum(isinstance(layer, nn.Conv2d) for layer in net.modules()) >= 5,
        "parameters": whole.parameters,
        "MACs": whole.macs,
        "few enough": whole.parameters <= MOST_PARAMETERS,
        "little enough": whole.macs <= MOST_MACS,
        "weights without a gradient": sum(p.grad is None for p in net.parameters()),
        "images differ": not torch.allclose(once[0], once[1]),
        "more than a straight line": not torch.allclose(twice - once, (once - negative) / 2, rtol=1e-3, atol=1e-5),
        "sums": once.sum(1),
        "net": net,
    }


def promised(**facts: Any) -> Callable[[], dict[str, Any]]:
    return lambda: {name.replace("_", " "): value for name, value in facts.items()}


def of_net(test: Callable[[dict[str, Any]], bool]) -> Callable[..., bool]:
    return lambda got: "parameters" in got and test(got)


def largest_matrix(net: nn.Module) -> int:
    return max((layer.weight.numel() for layer in net.modules() if isinstance(layer, nn.Linear)), default=0)


SLIM = Exercise(
    signature="slim()",
    properties=(
        Property(
            "two images give 2×1000 logits",
            lambda g: (),
            promised(a_network=True, logits_of_two_images=(2, 1000)),
            measured,
            trials=1,
        ),
        Property(
            f"at most {MOST_PARAMETERS:,} parameters and {MOST_MACS:,} multiply-adds",
            lambda g: (),
            promised(few_enough=True, little_enough=True),
            measured,
            trials=1,
        ),
        Property(
            "five convolutions or more, no straight line, and every weight learns",
            lambda g: (),
            promised(
                five_convolutions=True,
                more_than_a_straight_line=True,
                images_differ=True,
                weights_without_a_gradient=0,
            ),
            measured,
            trials=1,
        ),
    ),
    mistakes=(
        Mistake(
            "no network came back",
            "return the network itself: an nn.Module, not its logits.",
            lambda got: got["net"] is None,
        ),
        Mistake(
            "logits of another shape",
            "one row an image, one number a class.",
            lambda got: "parameters" not in got,
        ),
        Mistake(
            "one matrix alone is too large",
            "6·6·256 inputs times 4096 units are 37.7 million. What if fewer numbers arrive there?",
            of_net(lambda got: largest_matrix(got["net"]) > MOST_PARAMETERS),
        ),
        Mistake(
            "the convolutions and matrices together are too large",
            "print(table(summary(slim(), (3, 224, 224)))) and look for the longest number.",
            of_net(lambda got: not got["few enough"]),
        ),
        Mistake(
            "too much work",
            "work is kernel times places: which layer has the most places? The strides and pools decide.",
            of_net(lambda got: not got["little enough"]),
        ),
        Mistake(
            "fewer than five convolutions",
            "it is to be an AlexNet: keep five.",
            of_net(lambda got: not got["five convolutions"]),
        ),
        Mistake(
            "no activation between the layers",
            "without one, five convolutions are one.",
            of_net(lambda got: not got["more than a straight line"]),
        ),
        Mistake(
            "a layer that nothing passes through",
            "some weights got no gradient: is every layer used in forward?",
            of_net(lambda got: got["weights without a gradient"] > 0),
        ),
    ),
    hint="96 % of AlexNet's parameters are in three matrices. How many numbers need to arrive at the first?",
    errors={
        "shapes cannot be multiplied": "what arrives at the matrix has another length: print the shape before Flatten.",
        "invalid for input": "what arrives at the matrix has another length: print the shape before Flatten.",
        "size is too small": "the maps have shrunk to nothing: fewer pools or smaller strides.",
    },
    remarks=(
        Mistake(
            "probabilities",
            "its outputs sum to 1: F.cross_entropy takes logits and does the softmax itself.",
            of_net(lambda got: bool(torch.allclose(got["sums"], torch.ones(2), atol=1e-4))),
        ),
        Mistake(
            "far below the limit",
            "less than a hundredth of AlexNet's parameters: would it still learn a thousand classes?",
            of_net(lambda got: got["parameters"] < 600_000),
        ),
    ),
)


EXERCISES = (TOWER_PARAMETERS, TWO_TOWERS, DROP, RESPONSE_NORM, APPARENT_PERIOD, SLIM)
