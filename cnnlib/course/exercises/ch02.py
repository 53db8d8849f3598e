"""Exercises of chapter 02: pooled sizes, max pooling, parameters, pixels seen, a sliding layer, tolerance of shifts."""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from cnnlib.analysis import receptive_field
from cnnlib.course.checks import Exercise, Mistake, Property, answers, between
from cnnlib.datasets import digits

# pooled_size: a real pool runs over a row of zeros.


def size_of_a_pooled_row(size: int, window: int, stride: int, ceil: bool) -> int:
    return F.max_pool1d(torch.zeros(1, 1, size), window, stride, ceil_mode=ceil).shape[-1]


def pool_and_side(generator: Generator, even: bool, ceil: bool | None) -> tuple[int, int, int, bool]:
    """A side that the windows fill, or do not; rounding as asked, or either way."""
    window = between(2, 5, generator)
    stride = between(2, window, generator)
    rest = 0 if even else between(1, stride - 1, generator)
    up = bool(between(0, 1, generator)) if ceil is None else ceil
    return window + stride * between(2, 9, generator) + rest, window, stride, up


POOLED_SIZE = Exercise(
    signature="pooled_size(size, window, stride, ceil)",
    properties=(
        Property("windows that fill the side", lambda g: pool_and_side(g, even=True, ceil=None), size_of_a_pooled_row),
        Property("rounded down", lambda g: pool_and_side(g, even=False, ceil=False), size_of_a_pooled_row),
        Property("rounded up", lambda g: pool_and_side(g, even=False, ceil=True), size_of_a_pooled_row),
        Property("AlexNet: 3 pixels, every 2, on 55", lambda g: (55, 3, 2, False), size_of_a_pooled_row, trials=1),
    ),
    mistakes=(
        Mistake(
            "one window too many where the others fill the side",
            "with ceil=True a further window is needed only if pixels are left over.",
            lambda got, size, k, s, ceil: ceil and answers(lambda *_: (size - k) // s + 2)(got, size, k, s, ceil),
        ),
        Mistake(
            "the first window is not counted",
            "a side as wide as the window gives one number, not none.",
            answers(lambda size, k, s, ceil: (size - k) // s),
        ),
        Mistake(
            "rounded down, though ceil is asked for",
            "with ceil=True the pixels that are left over get a window too, one that hangs over the edge.",
            lambda got, size, k, s, ceil: ceil and answers(lambda *_: (size - k) // s + 1)(got, size, k, s, ceil),
        ),
        Mistake(
            "rounded up, though ceil is not asked for",
            "with ceil=False pixels that do not fill a window are left out.",
            lambda got, size, k, s, ceil: (
                not ceil and answers(lambda *_: -(-(size - k) // s) + 1)(got, size, k, s, ceil)
            ),
        ),
        Mistake(
            "divided by the window, not by the stride",
            "windows that overlap begin `stride` pixels apart.",
            answers(lambda size, k, s, ceil: math.ceil(size / k) if ceil else size // k),
        ),
        Mistake(
            "the width of the window is left out",
            "the last window must end at the edge: how many pixels before it does it begin?",
            answers(lambda size, k, s, ceil: math.ceil(size / s) if ceil else size // s),
        ),
        Mistake(
            "not rounded at all",
            "there are no half windows.",
            answers(lambda size, k, s, ceil: (size - k) / s + 1),
        ),
    ),
    hint="write down where the windows begin on a side of 7: window 3, stride 2.",
)


# max_pool: PyTorch's own.


def pooled(image: Tensor, window: int, stride: int) -> Tensor:
    return F.max_pool2d(image[None], window, stride)[0]


def numbers(height: int, width: int, generator: Generator, below: float = 0.5) -> Tensor:
    """Different numbers with one digit behind the point; a share of about `below` is negative."""
    order = torch.randperm(height * width, generator=generator).view(height, width)
    return (order - int(below * height * width)) / 10


def side_by_side(generator: Generator) -> tuple[Tensor, int, int]:
    window, rows = between(2, 3, generator), between(2, 3, generator)
    return numbers(window * rows, window * (rows + 1), generator), window, window


def cut_off(image: Tensor, window: int, stride: int) -> Tensor:
    """As many windows as strides go into a side; the last ones are cut off."""
    rows, columns = (range(0, side // stride * stride, stride) for side in image.shape)
    return torch.tensor([[image[i : i + window, j : j + window].max() for j in columns] for i in rows])


def overlapping(generator: Generator) -> tuple[Tensor, int, int]:
    window, stride, rows = between(3, 4, generator), between(1, 2, generator), between(2, 3, generator)
    height = window + stride * (rows - 1)
    return numbers(height, height + stride, generator), window, stride


def left_over(generator: Generator) -> tuple[Tensor, int, int]:
    return numbers(2 * between(2, 3, generator) + 1, 2 * between(2, 4, generator) + 1, generator), 2, 2


def blocks(image: Tensor, window: int, stride: int, take: Callable[[Tensor], Tensor]) -> Tensor:
    """A number of each window that lies in the image."""
    windows = image.unfold(0, window, stride).unfold(1, window, stride)
    return torch.stack([torch.stack([take(block) for block in row]) for row in windows])


MAX_POOL = Exercise(
    signature="max_pool(image, window, stride)",
    properties=(
        Property("windows side by side", side_by_side, pooled),
        Property("windows that overlap", overlapping, pooled),
        Property("rows and columns that fill no window are left out", left_over, pooled),
        Property("negative numbers", lambda g: (numbers(4, 6, g, below=1), 2, 2), pooled),
    ),
    mistakes=(
        Mistake(
            "there are more windows than fit: the last ones are cut off by the edge",
            "divide what is left behind the first window by the stride, not the whole side.",
            answers(cut_off),
        ),
        Mistake(
            "the search for the maximum begins at 0",
            "of -3 and -5 the larger is -3: begin with a number of the window itself.",
            answers(lambda image, k, s: pooled(image, k, s).clamp(min=0)),
        ),
        Mistake(
            "the mean, not the maximum",
            "a max pool keeps one number of the window as it is.",
            answers(lambda image, k, s: F.avg_pool2d(image[None], k, s)[0]),
        ),
        Mistake(
            "the smallest number, not the largest",
            "look at the sign, or at the word.",
            answers(lambda image, k, s: -pooled(-image, k, s)),
        ),
        Mistake(
            "rows and columns are exchanged",
            "the number in row i, column j comes from the window in row i, column j.",
            answers(lambda image, k, s: pooled(image, k, s).T),
        ),
        Mistake(
            "the stride is left out: windows begin where the window before ends",
            "row i begins at pixel i times the stride.",
            lambda got, image, k, s: k != s and answers(lambda *_: pooled(image, k, k))(got, image, k, s),
        ),
        Mistake(
            "the windows move by one pixel",
            "row i begins at pixel i times the stride, and so do columns.",
            answers(lambda image, k, s: pooled(image, k, 1)),
        ),
        Mistake(
            "the windows move by one pixel, only the size of the result follows the stride",
            "row i begins at pixel i times the stride, and so do columns.",
            answers(lambda image, k, s: shrunk(pooled(image, k, 1), image, k, s)),
        ),
        Mistake(
            "windows hang over the edge",
            "a window that does not fit into the image is left out: how many rows fit?",
            answers(lambda image, k, s: F.max_pool2d(image[None], k, s, ceil_mode=True)[0]),
        ),
        Mistake(
            "the last row and column of windows are missing",
            "the windows that fit are one more than the steps between them.",
            answers(lambda image, k, s: pooled(image, k, s)[:-1, :-1]),
        ),
        Mistake(
            "only the corner of each window is looked at",
            "that is a stride without a pool: the maximum is over window × window numbers.",
            answers(lambda image, k, s: blocks(image, k, s, lambda block: block[0, 0])),
        ),
    ),
    hint="which rows and columns belong to the number in row 1, column 2?",
    errors={
        "out of bounds": "how many windows fit? The last one must end inside the image.",
        "non-empty": "a window outside the image is empty: how many windows fit?",
        "Specify the reduction dim": "a window outside the image is empty: how many windows fit?",
    },
)


def shrunk(maps: Tensor, image: Tensor, window: int, stride: int) -> Tensor:
    height, width = pooled(image, window, stride).shape
    return maps[:height, :width]


# linear_parameters: the layer is built, without memory for its weights, and its parameters are counted.


def built(channels: int, side: int, outputs: int) -> int:
    layer = nn.Linear(channels * side**2, outputs, device="meta")
    return sum(parameter.numel() for parameter in layer.parameters())


def some_maps(generator: Generator) -> tuple[int, int, int]:
    return between(2, 9, generator), between(3, 5, generator), between(3, 20, generator)


LINEAR_PARAMETERS = Exercise(
    signature="linear_parameters(channels, side, outputs)",
    properties=(
        Property("any layer behind maps", some_maps, built),
        Property("maps of one pixel", lambda g: (between(2, 99, g), 1, between(2, 50, g)), built),
        Property("VGG16: 512 maps of 7×7 to 4,096", lambda g: (512, 7, 4096), built, trials=1),
    ),
    mistakes=(
        Mistake(
            "a bias for every map of every output",
            "an output adds up the products of all maps, and then one bias.",
            answers(lambda channels, side, outputs: channels * (side**2 + 1) * outputs),
        ),
        Mistake(
            "the biases are missing",
            "each output adds one number of its own.",
            answers(lambda channels, side, outputs: channels * side**2 * outputs),
        ),
        Mistake(
            "one bias for the whole layer",
            "each output has a bias of its own.",
            answers(lambda channels, side, outputs: channels * side**2 * outputs + 1),
        ),
        Mistake(
            "a bias for each input",
            "the bias is added to an output, once the products are summed.",
            answers(lambda channels, side, outputs: channels * side**2 * (outputs + 1)),
        ),
        Mistake(
            "one side of the maps is missing",
            "a map of side × side has side² numbers.",
            answers(lambda channels, side, outputs: (channels * side + 1) * outputs),
        ),
        Mistake(
            "counted as a 1×1 convolution",
            "a kernel of 1×1 has one weight a channel; this layer has one for every number of every map.",
            answers(lambda channels, side, outputs: (channels + 1) * outputs),
        ),
        Mistake(
            "the channels are missing",
            "the layer takes the numbers of all maps.",
            answers(lambda channels, side, outputs: (side**2 + 1) * outputs),
        ),
    ),
    hint="how many numbers go in? How many weights has one output, and what else?",
)


# pixels_seen: the library's intervals, which go from the image up.


def by_intervals(layers: list[tuple[int, int, int]], unit: int) -> tuple[int, int]:
    pools = [nn.Conv2d(1, 1, window, stride, padding) for window, stride, padding in layers]
    (field,) = receptive_field(nn.Sequential(*pools))[-1:]
    first = field.start[0] + unit * field.step[0]
    return first, first + field.size[0] - 1


def stack(generator: Generator, count: int, strides: bool, padding: bool) -> tuple[list[tuple[int, int, int]], int]:
    """Layers as (window, stride, padding), the first with a stride of 2 or 3 if there are to be strides; and a unit."""
    layers = []
    for number in range(count):
        window = between(2, 5, generator)
        stride = between(2 if number == 0 else 1, 3, generator) if strides else 1
        layers.append((window, stride, between(1, window // 2, generator) if padding else 0))
    return layers, between(1, 9, generator)


def upside_down(layers: list[tuple[int, int, int]], unit: int) -> tuple[int, int]:
    return by_intervals(layers[::-1], unit)


def without(part: int, value: int) -> Callable[[list, int], tuple[int, int]]:
    """The pixels seen if window, stride or padding had this value everywhere."""

    def seen(layers: list[tuple[int, int, int]], unit: int) -> tuple[int, int]:
        return by_intervals([tuple(value if i == part else x for i, x in enumerate(layer)) for layer in layers], unit)

    return seen


def past_the_end(layers: list[tuple[int, int, int]], unit: int) -> tuple[int, int]:
    """Each window taken as one wider: the last pixel as the one behind the window."""
    return by_intervals(layers, unit)[0], by_intervals([(k + 1, s, p) for k, s, p in layers], unit)[1]


def size_and_step(layers: list[tuple[int, int, int]], unit: int) -> tuple[int, int]:
    first, last = by_intervals(layers, 0)
    return last - first + 1, math.prod(stride for _, stride, _ in layers)


def first_and_size(layers: list[tuple[int, int, int]], unit: int) -> tuple[int, int]:
    first, last = by_intervals(layers, unit)
    return first, last - first + 1


PIXELS_SEEN = Exercise(
    signature="pixels_seen(layers, unit)",
    properties=(
        Property("one layer", lambda g: stack(g, 1, strides=True, padding=False), by_intervals),
        Property("windows on windows, stride 1", lambda g: stack(g, between(2, 4, g), False, False), by_intervals),
        Property("strides", lambda g: stack(g, between(2, 3, g), True, False), by_intervals),
        Property(
            "padding: a field may begin before pixel 0", lambda g: stack(g, between(2, 3, g), True, True), by_intervals
        ),
    ),
    mistakes=(
        Mistake(
            "the layers are taken in the wrong order",
            "you go down from the unit to the image: the last layer of the list comes first.",
            lambda got, layers, unit: len(layers) > 1 and answers(upside_down)(got, layers, unit),
        ),
        Mistake(
            "the padding is left out",
            "with padding p the first window begins p places before the map does.",
            answers(without(2, 0)),
        ),
        Mistake(
            "the padding is added, not taken off",
            "padding in front moves the windows to the left: towards smaller numbers.",
            answers(lambda layers, unit: by_intervals([(k, s, -p) for k, s, p in layers], unit)),
        ),
        Mistake(
            "the stride is left out",
            "unit u looks from place u times the stride on.",
            answers(without(1, 1)),
        ),
        Mistake(
            "the pixel behind the last one",
            "a window of k that begins at place 10 ends at place 10 + k - 1.",
            answers(past_the_end),
        ),
        Mistake(
            "the pixel behind the last one",
            "the last pixel that is seen, not the first that is not.",
            answers(lambda layers, unit: (by_intervals(layers, unit)[0], by_intervals(layers, unit)[1] + 1)),
        ),
        Mistake(
            "size and step, not pixels",
            "asked for are the numbers of the first and the last pixel that this unit sees.",
            answers(size_and_step),
        ),
        Mistake(
            "first pixel and size, not first and last",
            "the second number is that of the last pixel.",
            answers(first_and_size),
        ),
        Mistake(
            "the pixels of unit 0",
            "unit u looks from place u times the stride on.",
            lambda got, layers, unit: unit != 0 and answers(lambda *_: by_intervals(layers, 0))(got, layers, unit),
        ),
    ),
    hint="one layer first: window 3, stride 2, padding 1. From which place to which does unit 5 look?",
    errors={"unpack": "each layer is a triple: window, stride, padding."},
)


# answer_map: every window is cut out and given to the layer.


def window_by_window(linear: nn.Linear, maps: Tensor, side: int) -> Tensor:
    windows = maps.unfold(2, side, 1).unfold(3, side, 1).permute(0, 2, 3, 1, 4, 5).flatten(3)
    return linear(windows).detach().permute(0, 3, 1, 2)


def layer_and_maps(generator: Generator, height: int, width: int, images: int) -> tuple[nn.Linear, Tensor, int]:
    """A layer for 2 or 3 maps of side×side, and maps that are `height` and `width` larger."""
    channels, side = between(2, 3, generator), between(2, 3, generator)
    linear = nn.Linear(channels * side**2, between(4, 6, generator))
    with torch.no_grad():
        for parameter in linear.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    maps = torch.randn(images, channels, side + height, side + width, generator=generator)
    return linear, maps, side


def convolved(weight: Tensor, bias: Tensor | None, maps: Tensor, **places: int) -> Tensor:
    return F.conv2d(maps, weight, bias, **places).detach()


def kernels(linear: nn.Linear, side: int) -> Tensor:
    return linear.weight.view(len(linear.weight), -1, side, side)


def channels_last(linear: nn.Linear, side: int) -> Tensor:
    return linear.weight.view(len(linear.weight), side, side, -1).permute(0, 3, 1, 2)


ANSWER_MAP = Exercise(
    signature="answer_map(linear, maps, side)",
    properties=(
        Property(
            "maps of the layer's own size: one answer each", lambda g: layer_and_maps(g, 0, 0, 2), window_by_window
        ),
        Property("larger maps: an answer for every place", lambda g: layer_and_maps(g, 3, 3, 2), window_by_window),
        Property("wider than high", lambda g: layer_and_maps(g, 1, 4, 1), window_by_window),
    ),
    mistakes=(
        Mistake(
            "the bias is missing",
            "a convolution has a bias for each output, as the layer has.",
            answers(lambda linear, maps, side: convolved(kernels(linear, side), None, maps)),
        ),
        Mistake(
            "the weights are in another order than the numbers of a flattened map",
            "flatten(1) puts channel after channel, in each row after row: so do the layer's weights.",
            answers(lambda linear, maps, side: convolved(channels_last(linear, side), linear.bias, maps)),
        ),
        Mistake(
            "rows and columns of the kernel are exchanged",
            "a map is flattened row by row.",
            answers(lambda linear, maps, side: convolved(kernels(linear, side).transpose(2, 3), linear.bias, maps)),
        ),
        Mistake(
            "the kernel is turned round",
            "what is called a convolution here does not turn the kernel: the first weight meets the first number.",
            answers(lambda linear, maps, side: convolved(kernels(linear, side).flip(2, 3), linear.bias, maps)),
        ),
        Mistake(
            "the answers stand last, not second",
            "the shape is images × outputs × rows × columns.",
            answers(lambda linear, maps, side: window_by_window(linear, maps, side).permute(0, 2, 3, 1)),
        ),
        Mistake(
            "rows and columns of the places are exchanged",
            "the answer in row i, column j is that for the window in row i, column j.",
            answers(lambda linear, maps, side: window_by_window(linear, maps, side).transpose(2, 3)),
        ),
        Mistake(
            "windows side by side only",
            "the windows move by one place.",
            answers(lambda linear, maps, side: convolved(kernels(linear, side), linear.bias, maps, stride=side)),
        ),
        Mistake(
            "padding: answers for windows that hang over the edge",
            "the layer was made for whole windows; leave the padding out.",
            answers(
                lambda linear, maps, side: convolved(kernels(linear, side), linear.bias, maps, padding=(side - 1) // 2)
            ),
        ),
        Mistake(
            "one answer an image, of the window in the corner",
            "larger maps have more windows than one.",
            answers(lambda linear, maps, side: window_by_window(linear, maps, side)[..., 0, 0]),
        ),
    ),
    hint="the answer in row i, column j is linear(maps[:, :, i:i + side, j:j + side].flatten(1)).",
    errors={
        "cannot be multiplied": "the layer takes side×side windows of the maps, not the whole maps.",
        "Expected 3D": "the weights have two axes; a kernel has four: outputs, channels, rows, columns.",
        "expected weight": "the weights have two axes; a kernel has four: outputs, channels, rows, columns.",
    },
)


# describe: how far descriptions move with the image, and whether neighbours among them are of one class.

KNOWN, NEW = 1000, 400
MOVES = ((2, 1), (2, -1), (3, 1), (3, -1))  # axis, pixels
AT_MOST, AT_LEAST = 0.35, 0.75


@cache
def some_of_each() -> tuple[Tensor, Tensor]:
    """Digits of the training part, from 0 to 1, and their labels."""
    train = digits()[0][: KNOWN + NEW]
    return train.pixels / 255, train.labels


def drawn_digits(generator: Generator) -> tuple[Tensor]:
    return (some_of_each()[0][KNOWN:],)


WHOLE_BATCH = {
    "one row an image": False,
    "the same for the image alone, and a second time": True,
    "moved by at most 0.35": "yes",
    "at least 75 % read right": "yes",
    "moved": 0.0,
    "read": 1.0,
}


def described(describe: Callable[[Tensor], Any], images: Tensor) -> dict[str, Any]:
    """What can be seen of descriptions: their shape, how far they move, how well a nearest neighbour reads them."""
    rows = [torch.as_tensor(describe(x.clone())).detach().double() for x in (images, images, images[:1])]
    here = rows[0]
    if here.ndim == 0 or len(here) != len(images):
        return WHOLE_BATCH
    flat = here.reshape(len(images), -1)
    scale = (flat - flat.roll(1, 0)).norm(dim=1).mean()
    away = [
        torch.as_tensor(describe(images.roll(by, axis))).detach().double().reshape(flat.shape) for axis, by in MOVES
    ]
    moved = max(float((other - flat).norm(dim=1).mean() / scale) for other in away)
    known, labels = some_of_each()
    among = torch.as_tensor(describe(known[:KNOWN].clone())).detach().double().reshape(KNOWN, -1)
    read = float((labels[torch.cdist(flat, among).argmin(1)] == labels[KNOWN:]).double().mean())
    return {
        "one row an image": True,
        "the same for the image alone, and a second time": all(
            torch.allclose(row.reshape(len(row), -1), flat[: len(row)], atol=1e-4) for row in rows[1:]
        ),
        "moved by at most 0.35": "yes" if moved <= AT_MOST else f"no, by {moved:.2f}",
        "at least 75 % read right": "yes" if read >= AT_LEAST else f"no, {read:.0%}",
        "moved": moved,
        "read": read,
    }


DESCRIBE = Exercise(
    signature="describe(images)",
    properties=(
        Property("one row an image", drawn_digits, lambda _: {"one row an image": True}, described, 1),
        Property(
            "an image's numbers do not depend on its neighbours or on chance",
            drawn_digits,
            lambda _: {"the same for the image alone, and a second time": True},
            described,
            1,
        ),
        Property(
            "one pixel of shift moves them by at most 0.35",
            drawn_digits,
            lambda _: {"moved by at most 0.35": "yes"},
            described,
            1,
        ),
        Property(
            "three of four digits are still read right",
            drawn_digits,
            lambda _: {"at least 75 % read right": "yes"},
            described,
            1,
        ),
    ),
    mistakes=(
        Mistake(
            "the images are mixed up in one description",
            "N images in, N rows out: leave the first axis alone.",
            lambda got, images: not got["one row an image"],
        ),
        Mistake(
            "an image's numbers depend on the other images, or on chance",
            "take no mean over the batch, and draw nothing.",
            lambda got, images: not got["the same for the image alone, and a second time"],
        ),
        Mistake(
            "all images have the same description",
            "what moves nothing must still tell digits apart.",
            lambda got, images: math.isnan(got["moved"]),
        ),
        Mistake(
            "as sharp as the pixels",
            "the chapter's picture has ways that move less: which of them average over more pixels?",
            lambda got, images: got["moved"] > 0.45,
        ),
        Mistake(
            "nearly: it moves by a little too much",
            "average over a larger window, or let the windows overlap.",
            lambda got, images: AT_MOST < got["moved"] <= 0.45,
        ),
        Mistake(
            "too little is left of the digit",
            "keep more numbers: smaller windows, or more of them.",
            lambda got, images: got["read"] < AT_LEAST,
        ),
    ),
    hint="try the pools of the chapter's picture, one after another.",
    errors={"shape": "every image gives equally many numbers, whatever stands beside it."},
)

EXERCISES = (POOLED_SIZE, MAX_POOL, LINEAR_PARAMETERS, PIXELS_SEEN, ANSWER_MAP, DESCRIBE)
