"""Exercises of chapter 06: what a stack saves, how a start grows, counting a VGG, He's start, dense answers, a plan."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor, nn

from cnnlib.analysis import receptive_field, summary
from cnnlib.course.checks import Exercise, Mistake, Property, agree, answers, between
from cnnlib.models.vgg import block

Blocks = list[tuple[int, int]]  # maps and convolutions of each block

# share_saved: both are built, and their weights counted.


def stacked(side: int) -> int:
    """How many 3×3 convolutions see `side` pixels: added until they do."""
    net = nn.Sequential(nn.Conv2d(4, 4, 3))
    while receptive_field(net)[-1].size[0] < side:
        net.append(nn.Conv2d(4, 4, 3))
    return len(net)


def share_by_counting(side: int) -> float:
    large, small = (nn.Conv2d(4, 4, kernel).weight.numel() for kernel in (side, 3))
    return (large - stacked(side) * small) / large


def odd_side(generator: Generator) -> tuple[int]:
    return (2 * between(4, 8, generator) + 1,)


SHARE_SAVED = Exercise(
    signature="share_saved(side)",
    properties=(
        Property("two 3×3 for one 5×5: 0.28", lambda g: (5,), share_by_counting, trials=1),
        Property("three 3×3 for one 7×7: 0.449", lambda g: (7,), share_by_counting, trials=1),
        Property("any odd side from 9 on", odd_side, share_by_counting),
        Property("one 3×3 for one 3×3 saves nothing", lambda g: (3,), share_by_counting, trials=1),
    ),
    mistakes=(
        Mistake(
            "divided by the weights of the stack, not by those of the large kernel",
            "this says how many more the large kernel has. What is saved is a share of what it has.",
            answers(lambda side: 1 / (1 - share_by_counting(side)) - 1),
        ),
        Mistake(
            "the share that is left, not the share that is saved",
            "18 of 25 are left.",
            answers(lambda side: 1 - share_by_counting(side)),
        ),
        Mistake(
            "one 3×3 in place of the whole stack",
            "how many of them does it take to see as much?",
            answers(lambda side: 1 - 9 / side**2),
        ),
        Mistake(
            "too many convolutions",
            "the first sees three pixels; each further one adds two.",
            lambda got, side: any(
                agree(got, 1 - 9 * count / side**2) for count in (stacked(side) + 1, side - 2, side - 1)
            ),
        ),
        Mistake("rounded", "return the share itself.", answers(lambda side: round(share_by_counting(side), 2))),
        Mistake(
            "how many weights, not which share",
            "divide by what the large kernel has.",
            answers(lambda side: side**2 - 9 * stacked(side)),
        ),
        Mistake(
            "sides in place of areas",
            "a 3×3 has nine weights.",
            answers(lambda side: 1 - 3 * stacked(side) / side),
        ),
        Mistake(
            "the side divided by three",
            "the windows of a stack do not lie side by side: each layer adds two pixels.",
            lambda got, side: any(
                agree(got, 1 - 9 * count / side**2) for count in (side / 3, side // 3, math.ceil(side / 3))
            ),
        ),
        Mistake(
            "in percent",
            "a share lies between 0 and 1.",
            answers(lambda side: 100 * share_by_counting(side)),
        ),
    ),
    hint="count for one map in and one map out: how many weights has the large kernel, how many the stack?",
)


# growth: the mean square, layer by layer.


def growth_by_law(deviation: float, inputs: int, layers: int) -> float:
    factor = 1.0
    for _ in range(layers):
        factor *= math.sqrt(inputs * deviation**2 / 2)
    return factor


def any_start(generator: Generator) -> tuple[float, int, int]:
    return between(1, 20, generator) / 200, 9 * between(4, 64, generator), between(2, 6, generator)


GROWTH = Exercise(
    signature="growth(deviation, inputs, layers)",
    properties=(
        Property("one layer", lambda g: (*any_start(g)[:2], 1), growth_by_law),
        Property("several layers", any_start, growth_by_law),
        Property("512 maps, deviation 0.01, four layers", lambda g: (0.01, 4608, 4), growth_by_law, trials=1),
    ),
    mistakes=(
        Mistake(
            "ReLU is forgotten",
            "it sets half of the outputs to zero, and half of their mean square goes.",
            answers(lambda s, n, layers: (s * math.sqrt(n)) ** layers),
        ),
        Mistake(
            "the layers add where they should multiply",
            "the second layer multiplies what the first has made.",
            answers(lambda s, n, layers: layers * s * math.sqrt(n / 2)),
        ),
        Mistake(
            "the root is missing: the factor of the mean square, not of the size",
            "the mean square grows by inputs · deviation² / 2; the size by its root.",
            answers(lambda s, n, layers: (n * s**2 / 2) ** layers),
        ),
        Mistake(
            "the sum of random numbers taken for a sum of equal ones",
            "random signs cancel: the sum grows with the root of the number of inputs.",
            lambda got, s, n, layers: agree(got, (s * n) ** layers) or agree(got, (s * n / 2) ** layers),
        ),
        Mistake(
            "half the size in place of half the mean square",
            "ReLU halves the mean square, so the size is divided by the root of 2.",
            answers(lambda s, n, layers: (s * math.sqrt(n) / 2) ** layers),
        ),
        Mistake(
            "one layer too few",
            "each of the layers multiplies.",
            answers(lambda s, n, layers: (s * math.sqrt(n / 2)) ** (layers - 1)),
        ),
        Mistake(
            "the deviation is not squared",
            "the mean square grows by inputs · deviation² / 2.",
            answers(lambda s, n, layers: (s * n / 2) ** (layers / 2)),
        ),
        Mistake(
            "only one ReLU is counted",
            "there is one behind each layer.",
            answers(lambda s, n, layers: (s * math.sqrt(n)) ** layers / math.sqrt(2)),
        ),
        Mistake(
            "the growth of one layer",
            "there are `layers` of them, one behind the other.",
            answers(lambda s, n, layers: s * math.sqrt(n / 2)),
        ),
    ),
    hint="what does one layer do to the mean square: first the sum, then ReLU?",
)


# vgg_parameters: the net is built on the meta device.


def built(blocks: Blocks, side: int, hidden: int, classes: int) -> nn.Sequential:
    net, inputs = nn.Sequential(), 3
    with torch.device("meta"):
        for maps, depth in blocks:
            net.append(block(inputs, maps, depth, batch_norm=False))
            inputs, side = maps, side // 2
        for outputs, width in ((hidden, inputs * side**2), (hidden, hidden), (classes, hidden)):
            net.append(nn.Linear(width, outputs))
    return net


def count_built(blocks: Blocks, side: int, hidden: int, classes: int, kind: type = nn.Module) -> int:
    layers = [layer for layer in built(blocks, side, hidden, classes).modules() if isinstance(layer, kind)]
    return sum(p.numel() for layer in layers for p in layer.parameters(recurse=False))


def one_block(generator: Generator) -> tuple[Blocks, int, int, int]:
    return [(between(2, 9, generator), 1)], 2 * between(2, 4, generator), between(3, 9, generator), 10


def several_blocks(generator: Generator) -> tuple[Blocks, int, int, int]:
    maps = sorted({between(2, 60, generator) for _ in range(4)})
    blocks = [(width, between(1, 4, generator)) for width in maps]
    return blocks, 32 * between(1, 7, generator), between(20, 99, generator), between(2, 99, generator)


def biases(blocks: Blocks, side: int, hidden: int, classes: int) -> int:
    return sum(p.numel() for p in built(blocks, side, hidden, classes).parameters() if p.ndim == 1)


def first_linear(blocks: Blocks, side: int, hidden: int) -> tuple[int, int]:
    """Weights of the first fully connected layer, and how many they would be for one place a map."""
    width = blocks[-1][0] * (side >> len(blocks)) ** 2
    return width * hidden, blocks[-1][0] * hidden


def changed_first(width: Callable[..., int]) -> Callable[..., bool]:
    """Recognises another number of inputs of the first fully connected layer."""
    return answers(
        lambda blocks, side, hidden, classes: (
            count_built(blocks, side, hidden, classes)
            + width(blocks, side) * hidden
            - first_linear(blocks, side, hidden)[0]
        )
    )


def from_block_s_input(blocks: Blocks, side: int, hidden: int, classes: int) -> int:
    """Every convolution of a block takes the maps that enter the block."""
    total, inputs = count_built(blocks, side, hidden, classes, nn.Linear), 3
    for maps, depth in blocks:
        total += depth * (9 * inputs * maps + maps)
        inputs = maps
    return total


VGG_PARAMETERS = Exercise(
    signature="vgg_parameters(blocks, side, hidden, classes)",
    properties=(
        Property("one block of one convolution", one_block, count_built),
        Property("any list of blocks", several_blocks, count_built),
        Property(
            "VGG-16: 138,357,544",
            lambda g: ([(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)], 224, 4096, 1000),
            count_built,
            trials=1,
        ),
    ),
    mistakes=(
        Mistake(
            "the biases are missing",
            "each map has a bias, and so has each unit of a fully connected layer.",
            answers(lambda *given: count_built(*given) - biases(*given)),
        ),
        Mistake(
            "the pools are forgotten: the maps at the end as large as the image",
            "each block ends in a pool, which halves the side.",
            changed_first(lambda blocks, side: blocks[-1][0] * side**2),
        ),
        Mistake(
            "one number a map enters the first fully connected layer",
            "it takes every place of every map.",
            changed_first(lambda blocks, side: blocks[-1][0]),
        ),
        Mistake(
            "the side of the last maps, not its square",
            "a map has as many rows as columns.",
            changed_first(lambda blocks, side: blocks[-1][0] * (side >> len(blocks))),
        ),
        Mistake(
            "the side is halved after each convolution",
            "only the pool at the end of a block changes the size.",
            changed_first(lambda blocks, side: blocks[-1][0] * (side >> sum(depth for _, depth in blocks)) ** 2),
        ),
        Mistake(
            "every convolution of a block takes the maps that enter the block",
            "the second convolution of a block takes what the first one puts out.",
            answers(from_block_s_input),
        ),
        Mistake(
            "7×7 places whatever the image",
            "224 pixels leave 7 after five pools; and here?",
            changed_first(lambda blocks, side: blocks[-1][0] * 49),
        ),
        Mistake(
            "the second hidden layer is missing",
            "there are three fully connected layers: hidden, hidden, classes.",
            answers(lambda b, s, hidden, c: count_built(b, s, hidden, c) - hidden * (hidden + 1)),
        ),
        Mistake(
            "the convolutions only",
            "the fully connected layers hold most parameters.",
            answers(lambda *given: count_built(*given, nn.Conv2d)),
        ),
        Mistake(
            "the fully connected layers only",
            "the convolutions are missing.",
            answers(lambda *given: count_built(*given, nn.Linear)),
        ),
    ),
    hint="walk through the list with two numbers in hand: how many maps come in, and how large they are.",
)


# he_start: what a layer looks like afterwards, and what numbers that run through many look like.


def fresh_conv(generator: Generator) -> tuple[nn.Conv2d]:
    """A convolution whose inputs, outputs and window differ, filled with something else."""
    conv = nn.Conv2d(16 * between(2, 4, generator), 16 * between(6, 9, generator), 2 * between(1, 2, generator) + 1)
    nn.init.constant_(conv.weight, 3.0)
    nn.init.constant_(conv.bias, 1.0)
    return (conv,)


def looked_at(he_start: Callable[[nn.Conv2d], Any], conv: nn.Conv2d) -> dict[str, Any]:
    """Mean and deviation of the weights in units of the right deviation, rounded; and the biases."""
    shape, returned = conv.weight.shape, he_start(conv)
    weight = conv.weight.detach()
    unit = math.sqrt(2 / weight[0].numel())
    first = weight.clone()
    he_start(conv)
    return {
        "returns the layer": returned is conv,
        "shape": tuple(conv.weight.shape),
        "shape kept": conv.weight.shape == shape,
        "mean": round(float(first.mean()) / unit, 1) + 0.0,
        "deviation": round(float(first.std()) / unit, 1),
        "exact deviation": float(first.std()),
        "largest bias": round(float(conv.bias.detach().abs().max()), 3) if conv.bias is not None else None,
        "new each time": not torch.equal(conv.weight.detach(), first),
        "still learns": conv.weight.requires_grad,
        "still float32": conv.weight.dtype == torch.float32,
    }


def close_to(deviation: Callable[[nn.Conv2d], float]) -> Callable[..., bool]:
    """Recognises another deviation of the weights, to a few per cent."""
    return lambda got, conv: math.isclose(got["exact deviation"], deviation(conv), rel_tol=0.03)


def fans(conv: nn.Conv2d) -> tuple[int, int, int]:
    """Inputs of a unit, maps in, and products that one number enters."""
    return conv.weight[0].numel(), conv.in_channels, conv.weight[:, 0].numel()


HE_START = Exercise(
    signature="he_start(conv)",
    properties=(
        Property("the layer is returned", fresh_conv, lambda conv: {"returns the layer": True}, looked_at, 2),
        Property(
            "weights around zero, of the right deviation (here in units of it)",
            fresh_conv,
            lambda conv: {"mean": 0.0, "deviation": 1.0},
            looked_at,
        ),
        Property("biases of zero", fresh_conv, lambda conv: {"largest bias": 0.0}, looked_at),
        Property(
            "drawn anew each time, and still to be learned",
            fresh_conv,
            lambda conv: {"new each time": True, "still learns": True, "still float32": True},
            looked_at,
        ),
    ),
    mistakes=(
        Mistake(
            "not the layer itself",
            "change conv and return it.",
            lambda got, conv: not got["returns the layer"],
        ),
        Mistake(
            "Glorot's rule",
            "it counts inputs and outputs; He's counts the inputs.",
            close_to(lambda conv: math.sqrt(2 / (fans(conv)[0] + fans(conv)[2]))),
        ),
        Mistake(
            "the maps are forgotten",
            "a unit reads all maps that come in.",
            close_to(lambda conv: math.sqrt(2 / conv.kernel_size[0] ** 2)),
        ),
        Mistake(
            "it cannot learn any more",
            "leave requires_grad on.",
            lambda got, conv: not got["still learns"],
        ),
        Mistake(
            "numbers of double precision",
            "the layer's weights are float32: draw into them, or convert.",
            lambda got, conv: not got["still float32"],
        ),
        Mistake(
            "the variance in place of the deviation",
            "normal_ takes the deviation, which is the root of the variance.",
            close_to(lambda conv: 2 / fans(conv)[0]),
        ),
        Mistake(
            "counted over the outputs",
            "how many products does one unit add up? conv.weight[0] is the kernel of one unit.",
            close_to(lambda conv: math.sqrt(2 / fans(conv)[2])),
        ),
        Mistake(
            "the window is forgotten",
            "a unit adds up maps in times rows times columns.",
            close_to(lambda conv: math.sqrt(2 / fans(conv)[1])),
        ),
        Mistake(
            "the 2 is missing, which makes up for ReLU",
            "ReLU throws half of the mean square away.",
            close_to(lambda conv: math.sqrt(1 / fans(conv)[0])),
        ),
        Mistake(
            "all weights are counted, not those of one unit",
            "conv.weight.numel() counts the kernels of all maps.",
            close_to(lambda conv: math.sqrt(2 / conv.weight.numel())),
        ),
        Mistake(
            "0.01 for every layer",
            "the deviation depends on the number of inputs.",
            close_to(lambda conv: 0.01),
        ),
        Mistake(
            "the deviation taken for the ends of a uniform distribution",
            "uniform from -a to a has the deviation a/√3.",
            close_to(lambda conv: math.sqrt(2 / fans(conv)[0] / 3)),
        ),
        Mistake(
            "the weights are not around zero",
            "rand gives numbers from 0 to 1; randn has both signs.",
            lambda got, conv: got["mean"] != 0,
        ),
        Mistake(
            "the biases were left as they were",
            "set them to zero: nn.init.zeros_(conv.bias).",
            lambda got, conv: got["largest bias"] != 0,
        ),
        Mistake(
            "the same numbers each time",
            "draw without setting a seed inside: two layers must not start alike.",
            lambda got, conv: not got["new each time"],
        ),
    ),
    hint="how many products does one unit of this layer add up?",
    errors={
        "a leaf Variable": "change the weights under torch.no_grad(), or with torch.nn.init.",
        "only supported on floating": "give normal_ a deviation, a float.",
    },
)


# dense_answer: written out place by place, in double precision.


def exact_softmax(logits: Tensor) -> Tensor:
    return logits.exp() / logits.exp().sum()


def answer_of(net: nn.Module, image: Tensor) -> Tensor:
    """Softmax of the mean over all places."""
    places = net(image[None])[0].detach().flatten(1)
    return exact_softmax(sum(places.T) / places.shape[1])


def both_ways(net: nn.Module, image: Tensor) -> Tensor:
    mirrored = image[:, :, torch.arange(image.shape[2] - 1, -1, -1)]
    return (answer_of(net, image) + answer_of(net, mirrored)) / 2


def net_and_image(generator: Generator, more: int) -> tuple[nn.Sequential, Tensor]:
    """A small net of convolutions, and an image that is `more` pixels higher and twice as many wider than its base."""
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 3, 4))
    for parameter in net.parameters():
        parameter.data.normal_(0, 0.5, generator=generator)
    return net, torch.randn(1, 6 + more, 6 + 2 * more, generator=generator)


def first_place(net: nn.Module, image: Tensor) -> Tensor:
    return exact_softmax(net(image[None])[0, :, 0, 0].detach())


def place_by_place(net: nn.Module, image: Tensor) -> Tensor:
    places = net(image[None])[0].detach().flatten(1).T
    return sum(map(exact_softmax, places)) / len(places)


def also_mirrored(answer: Callable[[nn.Module, Tensor], Tensor], axis: int = 2) -> Callable[..., Tensor]:
    return lambda net, image: (answer(net, image) + answer(net, image.flip(axis))) / 2


def mean_logits(net: nn.Module, image: Tensor) -> Tensor:
    return net(image[None])[0].detach().mean((1, 2))


def best_places(net: nn.Module, image: Tensor) -> Tensor:
    return exact_softmax(net(image[None])[0].detach().amax((1, 2)))


DENSE_ANSWER = Exercise(
    signature="dense_answer(net, image)",
    properties=(
        Property("an image of the net's own size", lambda g: net_and_image(g, 0), both_ways),
        Property("larger images", lambda g: net_and_image(g, between(1, 4, g)), both_ways),
    ),
    mistakes=(
        Mistake(
            "the mirror image is missing",
            "ask the net twice, and take the mean of both answers.",
            lambda got, net, image: agree(got, answer_of(net, image)) or agree(got, answer_of(net, image.flip(2))),
        ),
        Mistake(
            "turned upside down, not mirrored",
            "an image is C×H×W: which axis runs from left to right?",
            answers(also_mirrored(answer_of, axis=1)),
        ),
        Mistake(
            "softmax at every place, then the mean",
            "first average the map of logits over its places; then softmax.",
            answers(also_mirrored(place_by_place)),
        ),
        Mistake(
            "the mean of the logits of image and mirror image",
            "average the two probabilities, after softmax.",
            answers(lambda net, image: exact_softmax(also_mirrored(mean_logits)(net, image))),
        ),
        Mistake(
            "no softmax",
            "probabilities are wanted: positive, with the sum 1.",
            answers(also_mirrored(mean_logits)),
        ),
        Mistake(
            "the largest logit of all places in place of their mean",
            "every place has a vote.",
            answers(also_mirrored(best_places)),
        ),
        Mistake(
            "the answer of one corner",
            "larger images have more places than one.",
            answers(also_mirrored(first_place)),
        ),
        Mistake(
            "the sum of both answers",
            "the probabilities must add up to 1.",
            answers(lambda net, image: 2 * both_ways(net, image)),
        ),
        Mistake(
            "the batch axis is still there",
            "one image goes in: return one number a class.",
            answers(lambda net, image: both_ways(net, image)[None]),
        ),
    ),
    hint="what is the shape of net(image[None]), and which of its axes are places?",
    errors={
        "Expected 3D": "a net takes a batch: image[None] has the shape 1×C×H×W.",
        "dimension out of range": "an image is C×H×W: its axes are 0, 1, 2.",
    },
)


# design: the planned net is built on the meta device and measured.

FIELD, MAPS, FEWEST, LAST_SIDE, WEIGHTS, WORK = 100, 32, 8, 4, 60_000, 8_000_000


def plan_of(blocks: Any) -> Blocks | None:
    """The plan, if it is a list of pairs of whole numbers from 1 on."""
    try:
        pairs = [(int(maps), int(depth)) for maps, depth in blocks]
    except (TypeError, ValueError):
        return None
    whole = all(float(number) == int(number) for pair in blocks for number in pair)
    return pairs if pairs and whole and min(map(min, pairs)) >= 1 and max(map(max, pairs)) <= 4096 else None


def measured(design: Callable[[int], Any], side: int) -> dict[str, Any]:
    """What the planned net is, sees and costs; 0 where it cannot be built."""
    blocks = plan_of(design(side))
    facts = {"pairs": blocks is not None, "side": 0, "maps": 0, "field": 0, "weights": 0, "work": 0}
    if blocks and side >> len(blocks):
        net, inputs = nn.Sequential(), 3
        with torch.device("meta"):
            for maps, depth in blocks:
                net.append(block(inputs, maps, depth, batch_norm=False))
                inputs = maps
        facts |= {"side": side >> len(blocks), "maps": inputs, "field": receptive_field(net)[-1].size[0]}
        facts |= {"weights": sum(p.numel() for p in net.parameters())}
        facts |= {"work": summary(net, (3, side, side), depth=1)[-1].macs}
    facts |= {"narrowest": min((maps for maps, _ in blocks or [(0, 0)]))}
    goals = {
        f"at least {FEWEST} maps in every block": (facts["narrowest"] >= FEWEST, str(facts["narrowest"])),
        f"at least {MAPS} maps of {LAST_SIDE}×{LAST_SIDE} at the end": (
            facts["maps"] >= MAPS and facts["side"] >= LAST_SIDE,
            f"{facts['maps']} of {facts['side']}×{facts['side']}",
        ),
        f"sees at least {FIELD} pixels": (facts["field"] >= FIELD, str(facts["field"])),
        f"at most {WEIGHTS:,} parameters": (0 < facts["weights"] <= WEIGHTS, f"{facts['weights']:,}"),
        f"at most {WORK:,} multiply-adds": (0 < facts["work"] <= WORK, f"{facts['work']:,}"),
    }
    return facts | {goal: "yes" if reached else f"no: {got}" for goal, (reached, got) in goals.items()}


def goal(says: str) -> Property:
    return Property(says, lambda g: (64,), lambda side: {says: "yes"}, measured, 1)


DESIGN = Exercise(
    signature="design(side)",
    properties=(
        Property("a list of pairs: maps, convolutions", lambda g: (64,), lambda side: {"pairs": True}, measured, 1),
        goal(f"at least {MAPS} maps of {LAST_SIDE}×{LAST_SIDE} at the end"),
        goal(f"sees at least {FIELD} pixels"),
        goal(f"at most {WEIGHTS:,} parameters"),
        goal(f"at most {WORK:,} multiply-adds"),
        goal(f"at least {FEWEST} maps in every block"),
    ),
    mistakes=(
        Mistake(
            "not a list of pairs",
            "like [(64, 2), (128, 2)]: maps first, then convolutions, both whole numbers from 1 on.",
            lambda got, side: not got["pairs"],
        ),
        Mistake(
            "too many pools: the last maps are too small",
            "each block halves the side; 64 can be halved four times before it falls below 4.",
            lambda got, side: got["side"] < LAST_SIDE,
        ),
        Mistake(
            "too few maps at the end",
            "the last block decides: give it at least 32.",
            lambda got, side: got["maps"] < MAPS,
        ),
        Mistake(
            "the last unit sees too little",
            "a convolution adds two steps, and the step doubles with each pool: where does one more add most?",
            lambda got, side: got["field"] < FIELD,
        ),
        Mistake(
            "too many parameters",
            "9 · maps in · maps out: which block has most, and need its maps be so many?",
            lambda got, side: got["weights"] > WEIGHTS,
        ),
        Mistake(
            "too much work",
            "multiply-adds are weights times places: which block has most places?",
            lambda got, side: got["work"] > WORK,
        ),
        Mistake(
            "a block is too narrow",
            "what a few maps cannot hold, no later block can bring back.",
            lambda got, side: got["narrowest"] < FEWEST,
        ),
    ),
    hint="write down step, field, weights and work of each block of your list, as in the chapter's tables.",
)

EXERCISES = (SHARE_SAVED, GROWTH, VGG_PARAMETERS, HE_START, DENSE_ANSWER, DESIGN)
