"""Exercises of chapter 09: depth, slopes of blocks, option A, counting a bottleneck, copying, stochastic depth."""

from collections.abc import Callable
from functools import partial
from math import prod
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from cnnlib.course.checks import Exercise, Mistake, Property, agree, between
from cnnlib.models import resnet_cifar
from cnnlib.models.resnet import BLOCKS, basic_block, bottleneck_block, stage

Blocks = tuple[int, ...]

# depth_of: the library's stages are built, and the convolutions of their branches counted.


def any_net(generator: Generator) -> tuple[Blocks, int]:
    return tuple(between(1, 6, generator) for _ in range(between(2, 5, generator))), between(2, 3, generator)


def layers_of(blocks: Blocks, convolutions: int) -> int:
    block, expansion = (basic_block, 1) if convolutions == 2 else (bottleneck_block, 4)
    with torch.device("meta"):
        stages = [stage(block, 4, 4, 1, expansion, count) for count in blocks]
    branches = [part.branch for blocks_of_stage in stages for part in blocks_of_stage]
    return 2 + sum(isinstance(layer, nn.Conv2d) for branch in branches for layer in branch.modules())


DEPTH_OF = Exercise(
    signature="depth_of(blocks, convolutions)",
    properties=(
        Property("any net", any_net, layers_of),
        Property("(3, 4, 6, 3), two each: 34", lambda g: (BLOCKS[34], 2), layers_of, trials=1),
        Property("(3, 8, 36, 3), three each: 152", lambda g: (BLOCKS[152], 3), layers_of, trials=1),
    ),
    mistakes=(
        Mistake(
            "the first convolution and the last layer are not counted",
            "both have weights and stand on the main path.",
            lambda got, blocks, convolutions: agree(got, convolutions * sum(blocks)),
        ),
        Mistake(
            "one of the two layers outside the stages is missing",
            "a convolution before the stages, a fully connected layer behind them.",
            lambda got, blocks, convolutions: agree(got, convolutions * sum(blocks) + 1),
        ),
        Mistake(
            "blocks are counted, not their convolutions",
            "a block has several layers.",
            lambda got, blocks, convolutions: agree(got, sum(blocks) + 2) or agree(got, sum(blocks)),
        ),
        Mistake(
            "stages are counted, not their blocks",
            "each stage has as many blocks as the list says.",
            lambda got, blocks, convolutions: agree(got, convolutions * len(blocks) + 2),
        ),
        Mistake(
            "the shortcuts' convolutions are counted too",
            "the depth counts the main path.",
            lambda got, blocks, convolutions: (
                agree(got, convolutions * sum(blocks) + 2 + len(blocks))
                or agree(got, convolutions * sum(blocks) + 1 + len(blocks))
                or agree(got, (convolutions + 1) * sum(blocks) + 2)
            ),
        ),
    ),
    hint="for (2, 2, 2, 2) with two convolutions each it must be 18.",
)


# slope_through: autograd through blocks whose branches are straight lines.


def some_slopes(generator: Generator) -> tuple[list[float]]:
    return ((1.5 * torch.randn(between(2, 7, generator), generator=generator)).tolist(),)


def by_autograd(slopes: list[float]) -> float:
    x = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    out = x
    for value in slopes:
        out = out + value * out
    return torch.autograd.grad(out, x)[0].item()


SLOPE_THROUGH = Exercise(
    signature="slope_through(slopes)",
    properties=(
        Property("any slopes", some_slopes, by_autograd),
        Property("ten of −0.9: 10⁻¹⁰", lambda g: ([-0.9] * 10,), lambda slopes: 0.0, trials=1),
        Property("one of −1: nothing passes", lambda g: ([0.5, -1.0, 2.0],), by_autograd, trials=1),
        Property("no block at all: 1", lambda g: ([],), lambda slopes: 1.0, trials=1),
    ),
    mistakes=(
        Mistake(
            "the slopes of a plain net",
            "the shortcut adds 1 to the slope of each block.",
            lambda got, slopes: len(slopes) > 0 and agree(got, prod(slopes)),
        ),
        Mistake(
            "one shortcut round the whole net",
            "each block has its own: 1 is added to each slope, before they are multiplied.",
            lambda got, slopes: agree(got, 1 + prod(slopes)),
        ),
        Mistake(
            "the slopes are added up",
            "one block after the other: slopes are multiplied.",
            lambda got, slopes: agree(got, 1 + sum(slopes)) or agree(got, len(slopes) + sum(slopes)),
        ),
        Mistake(
            "never below 1",
            "F′ may be negative, and then the slope of the block is smaller than 1.",
            lambda got, slopes: (
                agree(got, max(1.0, by_autograd(slopes)))
                or agree(got, prod(max(1.0, 1 + value) for value in slopes))
                or agree(got, prod(1 + max(0.0, value) for value in slopes))
            ),
        ),
        Mistake(
            "signs are dropped",
            "1 + F′ may be negative, and its sign counts.",
            lambda got, slopes: (
                agree(got, abs(by_autograd(slopes))) or agree(got, prod(1 + abs(value) for value in slopes))
            ),
        ),
        Mistake(
            "the product starts from 0",
            "0 times anything is 0: start from 1.",
            lambda got, slopes: agree(got, 0.0),
        ),
    ),
    hint="one block first: what is the slope of x + F(x)? Then the chain rule.",
)


# option_a: the library's.


def maps_to_halve(side: int | None = None) -> Callable[[Generator], tuple[Tensor, int]]:
    def draw(generator: Generator) -> tuple[Tensor, int]:
        channels = between(2, 4, generator)
        shape = (side, side) if side else (between(4, 9, generator), between(4, 9, generator))
        x = torch.randn(between(1, 3, generator), channels, *shape, generator=generator)
        return x, channels + between(1, 4, generator)

    return draw


def option_a(x: Tensor, maps: int) -> Tensor:
    return resnet_cifar.option_a(x.shape[1], maps, 2)(x)


def second(x: Tensor) -> Tensor:
    return x[:, :, ::2, ::2]


def padded(x: Tensor, maps: int, front: int = 0) -> Tensor:
    return F.pad(x, [0, 0, 0, 0, front, maps - x.shape[1] - front])


OPTION_A = Exercise(
    signature="option_a(x, maps)",
    properties=(
        Property("8×8 becomes 4×4", maps_to_halve(8), option_a),
        Property("7×7 becomes 4×4", maps_to_halve(7), option_a),
        Property("any size, any number of maps", maps_to_halve(), option_a),
    ),
    mistakes=(
        Mistake(
            "the zeros stand in front",
            "the maps that came in keep their places; zeros come behind them.",
            lambda got, x, maps: agree(got, padded(second(x), maps, maps - x.shape[1])),
        ),
        Mistake(
            "half of the zeros stand in front",
            "all of them come behind the maps.",
            lambda got, x, maps: agree(got, padded(second(x), maps, (maps - x.shape[1]) // 2)),
        ),
        Mistake(
            "the mean of 2×2 pixels, not every second",
            "nothing is averaged: three of four pixels are left out.",
            lambda got, x, maps: (
                agree(got, padded(F.avg_pool2d(x, 2), maps))
                or agree(got, padded(F.avg_pool2d(x, 2, ceil_mode=True), maps))
            ),
        ),
        Mistake(
            "the largest of 2×2 pixels, not every second",
            "nothing is compared: three of four pixels are left out.",
            lambda got, x, maps: (
                agree(got, padded(F.max_pool2d(x, 2), maps))
                or agree(got, padded(F.max_pool2d(x, 2, ceil_mode=True), maps))
            ),
        ),
        Mistake(
            "it begins with the second row and column",
            "begin with the first: ::2, not 1::2.",
            lambda got, x, maps: agree(got, padded(x[:, :, 1::2, 1::2], maps)),
        ),
        Mistake(
            "only rows or only columns are left out",
            "both axes, the third and the fourth.",
            lambda got, x, maps: agree(got, padded(x[:, :, ::2], maps)) or agree(got, padded(x[..., ::2], maps)),
        ),
        Mistake("no zeros", "there must be `maps` maps.", lambda got, x, maps: agree(got, second(x))),
        Mistake(
            "as many zeros as there should be maps in all",
            "maps that came in and zeros are `maps` together.",
            lambda got, x, maps: agree(got, padded(second(x), maps + x.shape[1])),
        ),
        Mistake(
            "the pixels are all there still",
            "every second row and column: x[:, :, ::2, ::2].",
            lambda got, x, maps: agree(got, padded(x, maps)),
        ),
        Mistake(
            "other maps in place of zeros",
            "the new maps hold zeros.",
            lambda got, x, maps: (
                getattr(got, "shape", None) == option_a(x, maps).shape and agree(got[:, : x.shape[1]], second(x))
            ),
        ),
    ),
    hint="slice first, with steps of two on the last two axes; then torch.cat with zeros, along the axis of the maps.",
    errors={
        "Sizes of tensors must match": "the zeros need the shape of what is left after slicing, but for the maps.",
        "negative dimension": "maps minus the number of maps in x: which axis counts them?",
    },
)


# bottleneck_parameters: the library's block is counted.


def counted(inputs: int, width: int, stride: int) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in bottleneck_block(inputs, width, stride).parameters())


def changes(inputs: int, width: int, stride: int) -> bool:
    return stride != 1 or inputs != 4 * width


def off_by(extra: Callable[[int, int, int], int]) -> Callable[..., bool]:
    """Recognises the right number plus `extra`, where that is not zero."""
    return lambda got, *given: extra(*given) != 0 and agree(got, counted(*given) + extra(*given))


def any_change(generator: Generator) -> tuple[int, int, int]:
    return between(3, 40, generator), between(2, 12, generator), between(1, 2, generator)


def no_change(generator: Generator) -> tuple[int, int, int]:
    width = between(2, 20, generator)
    return 4 * width, width, 1


def shortcut_of(inputs: int, width: int, stride: int) -> int:
    return 4 * width * (inputs + 2)


BOTTLENECK_PARAMETERS = Exercise(
    signature="bottleneck_parameters(inputs, width, stride)",
    properties=(
        Property("the shape stays: no shortcut to count", no_change, counted),
        Property("the shape changes", any_change, counted),
        Property("stride 2 alone: 4·width maps in", lambda g: (*no_change(g)[:2], 2), counted),
        Property("256 maps, width 64: 70,400", lambda g: (256, 64, 1), counted, trials=1),
    ),
    mistakes=(
        Mistake(
            "the batch norms are missing",
            "two parameters for each map behind each convolution, the shortcut's too.",
            off_by(lambda n, w, s: -12 * w - (8 * w if changes(n, w, s) else 0)),
        ),
        Mistake(
            "one parameter a map in the batch norms",
            "a batch norm scales and shifts: two a map.",
            off_by(lambda n, w, s: -6 * w - (4 * w if changes(n, w, s) else 0)),
        ),
        Mistake(
            "stride 2 alone does not count as a change",
            "the maps are halved, so the shortcut must halve them as well.",
            off_by(lambda n, w, s: -shortcut_of(n, w, s) if s == 2 and n == 4 * w else 0),
        ),
        Mistake(
            "the shortcut's convolution is missing",
            "where the shape changes, a 1×1 convolution and its batch norm stand in the shortcut.",
            off_by(lambda n, w, s: -shortcut_of(n, w, s) if changes(n, w, s) else 0),
        ),
        Mistake(
            "the shortcut has no batch norm",
            "option B has one, with two parameters for each of 4·width maps.",
            off_by(lambda n, w, s: -8 * w if changes(n, w, s) else 0),
        ),
        Mistake(
            "a shortcut is counted where the shape stays",
            "there it is the identity, which has no parameters.",
            off_by(lambda n, w, s: 0 if changes(n, w, s) else shortcut_of(n, w, s)),
        ),
        Mistake(
            "the convolutions have biases",
            "they have none: the batch norm behind them shifts.",
            off_by(lambda n, w, s: 6 * w + (4 * w if changes(n, w, s) else 0)),
        ),
        Mistake(
            "the 3×3 counts as one weight a pair of maps",
            "it has nine.",
            off_by(lambda n, w, s: -8 * w * w),
        ),
        Mistake(
            "the 3×3 counts as three weights a pair of maps",
            "k·k, not k.",
            off_by(lambda n, w, s: -6 * w * w),
        ),
        Mistake(
            "the last convolution puts out `width` maps",
            "it leads back to four times as many.",
            off_by(lambda n, w, s: -3 * w * w - 6 * w),
        ),
    ),
    hint="three convolutions: inputs to width, width to width, width to 4·width. Then norms, then the shortcut.",
)


# copying: what comes out is looked at, and what the module is made of.


def maps_count(generator: Generator) -> tuple[int]:
    return (between(2, 6, generator),)


def made(copying: Callable, maps: int) -> dict[str, Any]:
    """What the module is made of, and what it does to maps that are not negative."""
    module = copying(maps)
    if not isinstance(module, nn.Module):
        return {"a module": False}
    x = torch.rand(2, maps, 6, 6, generator=Generator().manual_seed(3))
    layers = [layer for _, layer in module.named_modules(remove_duplicate=False)]  # one ReLU may stand twice
    convs = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
    with torch.no_grad():
        return {
            "a module": True,
            "convolutions": len(convs),
            "3×3, without biases": all(conv.kernel_size == (3, 3) and conv.bias is None for conv in convs),
            "ReLUs": sum(isinstance(layer, nn.ReLU) for layer in layers),
            "maps": module(x.clone()),
        }


def layers_wanted(maps: int) -> dict[str, Any]:
    return {"a module": True, "convolutions": 2, "3×3, without biases": True, "ReLUs": 2}


def wanted(maps: int) -> dict[str, Any]:
    return layers_wanted(maps) | {"maps": torch.rand(2, maps, 6, 6, generator=Generator().manual_seed(3))}


def comes_out(make: Callable[[Tensor], Tensor]) -> Callable[..., bool]:
    """Recognises a module that puts out `make` of what comes in."""
    return lambda got, maps: agree(got.get("maps"), make(wanted(maps)["maps"]))


def convolved(kernel: Callable[[int], Tensor]) -> Callable[[Tensor], Tensor]:
    """Twice a convolution with this kernel, and ReLU."""

    def twice(x: Tensor) -> Tensor:
        weight = kernel(x.shape[1])
        return F.conv2d(F.conv2d(x, weight, padding=1).relu(), weight, padding=1).relu()

    return twice


def one_at(maps: int, row: int, column: int) -> Tensor:
    weight = torch.zeros(maps, maps, 3, 3)
    weight[range(maps), range(maps), row, column] = 1
    return weight


def all_pairs(maps: int) -> Tensor:
    weight = torch.zeros(maps, maps, 3, 3)
    weight[:, :, 1, 1] = 1
    return weight


def own_windows(maps: int, value: float = 1.0) -> Tensor:
    weight = torch.zeros(maps, maps, 3, 3)
    weight[range(maps), range(maps)] = value
    return weight


COPYING = Exercise(
    signature="copying(maps)",
    properties=(
        Property("two 3×3 convolutions, each with a ReLU", maps_count, layers_wanted, made),
        Property("what is not negative comes out as it went in", maps_count, wanted, made),
    ),
    mistakes=(
        Mistake(
            "no module",
            "return the layers in an nn.Sequential, not maps.",
            lambda got, maps: not got["a module"],
        ),
        Mistake(
            "nothing passes: all weights are zero",
            "zero is right beside a shortcut; here there is none.",
            comes_out(torch.zeros_like),
        ),
        Mistake(
            "all weights are one",
            "then every pixel becomes a sum over its neighbours, in all maps.",
            comes_out(convolved(lambda maps: torch.ones(maps, maps, 3, 3))),
        ),
        Mistake(
            "every map gets the sum of all maps",
            "the one belongs to a map and the same map: weight[k, k], not weight[:, :].",
            comes_out(convolved(all_pairs)),
        ),
        Mistake(
            "the one does not stand in the middle of the kernel",
            "the middle of 3×3 is row 1, column 1.",
            lambda got, maps: any(
                comes_out(convolved(partial(one_at, row=row, column=column)))(got, maps)
                for row in range(3)
                for column in range(3)
                if (row, column) != (1, 1)
            ),
        ),
        Mistake(
            "each pixel becomes the sum of its window",
            "one weight of nine is 1, the middle one.",
            comes_out(convolved(own_windows)),
        ),
        Mistake(
            "each pixel becomes the mean of its window",
            "one weight of nine is 1, the middle one.",
            comes_out(convolved(partial(own_windows, value=1 / 9))),
        ),
        Mistake(
            "the convolutions have biases, or another window",
            "nn.Conv2d(maps, maps, 3, padding=1, bias=False).",
            lambda got, maps: got["a module"] and not got["3×3, without biases"],
        ),
        Mistake(
            "not two convolutions with a ReLU behind each",
            "four layers in a row: convolution, ReLU, convolution, ReLU.",
            lambda got, maps: got["a module"] and (got["convolutions"], got["ReLUs"]) != (2, 2),
        ),
        Mistake(
            "without padding the maps shrink",
            "padding=1 keeps them.",
            lambda got, maps: got["a module"] and got["maps"].shape[2:] != (6, 6),
        ),
        Mistake(
            "some weights are not those that copy",
            "in both convolutions: zeros first, then a one at [k, k, 1, 1] for each map k.",
            lambda got, maps: got["a module"] and got["3×3, without biases"],
        ),
    ),
    hint="which nine weights, for one map alone, make a convolution that changes nothing?",
    errors={
        "leaf Variable": "change weights inside `with torch.no_grad():`.",
    },
)


# perhaps: with evaluation the sum is fixed; in training many coins are thrown.

COINS = 400


def setting(training: bool, keep: float | None = None) -> Callable[[Generator], tuple]:
    def draw(generator: Generator) -> tuple:
        weight = torch.randn((), generator=generator) + 2
        x = torch.randn(3, 2, 4, 4, generator=generator)
        chance = keep if keep is not None else between(2, 8, generator) / 10
        return Doubling(weight), x, chance, training

    return draw


class Doubling(nn.Module):
    """A branch: each number times one and the same, plus one."""

    def __init__(self, factor: Tensor) -> None:
        super().__init__()
        self.factor = float(factor)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor + 1

    def __repr__(self) -> str:
        return f"x ↦ {self.factor:.2f}·x + 1"


def thrown(perhaps: Callable, branch: nn.Module, x: Tensor, keep: float, training: bool) -> dict[str, Any]:
    """What comes out in many calls: whether it is one of the two, for all images alike, and how often the branch."""
    outputs = [torch.as_tensor(perhaps(branch, x.clone(), keep, training)) for _ in range(COINS)]
    with_branch = [agree(out, x + branch(x)) for out in outputs]
    past = [agree(out, x) for out in outputs]
    share = sum(with_branch) / COINS
    return {
        "x, or x plus the branch": all(a or b for a, b in zip(with_branch, past)),
        "the branch about as often as keep says": abs(share - keep) < 0.12,
        "outputs": outputs,
        "share": share,
    }


def two_ways(branch: nn.Module, x: Tensor, keep: float, training: bool) -> dict[str, Any]:
    return {"x, or x plus the branch": True, "the branch about as often as keep says": True}


def expected_sum(branch: nn.Module, x: Tensor, keep: float, training: bool) -> Tensor:
    return x + branch(x) * keep


def among(make: Callable[[nn.Module, Tensor, float], Tensor]) -> Callable[..., bool]:
    """Recognises an answer that, among others, puts out `make`."""

    def looks_like(got: Any, branch: nn.Module, x: Tensor, keep: float, training: bool) -> bool:
        outputs = got["outputs"] if isinstance(got, dict) else [got]
        return any(agree(out, make(branch, x, keep)) for out in outputs)

    return looks_like


def only(training: bool, recognise: Callable[..., bool]) -> Callable[..., bool]:
    return lambda got, *given: given[3] is training and recognise(got, *given)


def each_on_its_own(got: Any, branch: nn.Module, x: Tensor, keep: float, training: bool) -> bool:
    """Some images of one batch go past the branch, others through it."""
    for out in got["outputs"]:
        kinds = {
            "through" if agree(row, whole) else "past" if agree(row, before) else "other"
            for row, whole, before in zip(out, x + branch(x), x)
        }
        if kinds == {"through", "past"}:
            return True
    return False


PERHAPS = Exercise(
    signature="perhaps(branch, x, keep, training)",
    properties=(
        Property("not in training: x and what the branch adds in the mean", setting(False), expected_sum),
        Property("in training: a coin decides", setting(True), two_ways, thrown),
        Property("keep 1: always the branch", setting(True, 1.0), lambda b, x, *_: x + b(x)),
    ),
    mistakes=(
        Mistake(
            "the shortcut is missing",
            "x is added in every case; only the branch is left out.",
            lambda got, branch, x, keep, training: (
                among(lambda b, x, k: b(x))(got, branch, x, keep, training)
                or among(lambda b, x, k: b(x) * k)(got, branch, x, keep, training)
                or among(lambda b, x, k: torch.zeros_like(x))(got, branch, x, keep, training)
            ),
        ),
        Mistake(
            "not in training the branch counts in full",
            "no coin then, and not all of it: x plus keep times the branch, what it added in the mean.",
            only(False, among(lambda b, x, k: x + b(x))),
        ),
        Mistake(
            "the branch is left out when it should count in the mean",
            "not in training nothing is drawn: x plus keep times the branch.",
            only(False, among(lambda b, x, k: x)),
        ),
        Mistake(
            "the whole sum is scaled, not the branch",
            "the shortcut is never dropped, so it is not scaled.",
            only(False, among(lambda b, x, k: (x + b(x)) * k)),
        ),
        Mistake(
            "keep is taken for the probability of dropping",
            "with probability keep the branch stays.",
            lambda got, branch, x, keep, training: (
                agree(got, x + branch(x) * (1 - keep))
                if not isinstance(got, dict)
                else abs(got["share"] - (1 - keep)) < 0.12
            ),
        ),
        Mistake(
            "the branch is scaled in training, too",
            "in training it counts in full or not at all. (The other way of evening out is dropout's, chapter 05.)",
            only(True, lambda got, *given: (
                among(lambda b, x, k: x + b(x) * k)(got, *given) or among(lambda b, x, k: x + b(x) / k)(got, *given)
            )),
        ),
        Mistake(
            "each image has a coin of its own",
            "one coin for the whole batch.",
            only(True, lambda got, *given: isinstance(got, dict) and each_on_its_own(got, *given)),
        ),
        Mistake(
            "nothing is drawn in training",
            "throw a coin in each call: torch.rand(()) < keep.",
            only(True, lambda got, *given: (
                isinstance(got, dict) and got["share"] in (0.0, 1.0) and got["x, or x plus the branch"]
            )),
        ),
    ),
    hint="three cases: evaluation, training with the branch, training without it. In all of them x is there.",
    errors={"ambiguous": "one coin, a single number: torch.rand(()) < keep."},
)  # fmt: skip

EXERCISES = (DEPTH_OF, SLOPE_THROUGH, OPTION_A, BOTTLENECK_PARAMETERS, COPYING, PERHAPS)
