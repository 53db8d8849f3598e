"""For each exercise: right answers, written in several ways, pass; usual wrong ones do not, and are named."""

import math

import numpy as np
import torch
from torch.nn import functional as F

from cnnlib.course.exercises import ch02
from tests.course.answers import answer_tests

# pooled_size


def pooled_size(size, window, stride, ceil):
    steps, left_over = divmod(size - window, stride)
    return steps + 1 + (ceil and left_over > 0)


def pooled_size_by_counting(size, window, stride, ceil):
    starts = [start for start in range(0, size, stride) if start + window <= size]
    return len(starts) + (ceil and starts[-1] + window < size)


def pooled_size_rounded(size, window, stride, ceil):
    return (math.ceil if ceil else math.floor)((size - window) / stride) + 1


SIZE_RIGHT = [
    pooled_size,
    pooled_size_by_counting,
    pooled_size_rounded,
    lambda size, k, s, ceil: -(-(size - k) // s) + 1 if ceil else (size - k) // s + 1,
    lambda size, k, s, ceil: (np.ceil if ceil else np.floor)((size - k) / s) + 1,
    lambda size, k, s, ceil: len(torch.nn.MaxPool1d(k, s, ceil_mode=ceil)(torch.zeros(1, size))[0]),
]
SIZE_WRONG = [
    ("one window too many", lambda size, k, s, ceil: (size - k) // s + 1 + ceil),
    ("first window is not counted", lambda size, k, s, ceil: (size - k) // s),
    ("rounded down, though", lambda size, k, s, ceil: (size - k) // s + 1),
    ("rounded up, though", lambda size, k, s, ceil: math.ceil((size - k) / s) + 1),
    ("rounded up, though", lambda size, k, s, ceil: math.ceil((size - k) / s + 1)),
    ("divided by the window", lambda size, k, s, ceil: math.ceil(size / k) if ceil else size // k),
    ("width of the window", lambda size, k, s, ceil: math.ceil(size / s) if ceil else size // s),
    ("not rounded", lambda size, k, s, ceil: (size - k) / s + 1),
]

# max_pool


def max_pool(image, window, stride):
    rows, columns = ((side - window) // stride + 1 for side in image.shape)
    result = torch.empty(rows, columns)
    for i in range(rows):
        for j in range(columns):
            result[i, j] = image[i * stride : i * stride + window, j * stride : j * stride + window].max()
    return result


def max_pool_number_by_number(image, window, stride):
    height, width = image.shape
    rows = []
    for top in range(0, height - window + 1, stride):
        row = []
        for left in range(0, width - window + 1, stride):
            largest = image[top][left]
            for i in range(window):
                for j in range(window):
                    if image[top + i][left + j] > largest:
                        largest = image[top + i][left + j]
            row.append(float(largest))
        rows.append(row)
    return rows


def max_pool_by_steps(image, window, stride, steps=None, start=float("-inf"), hang=0):
    """Loops over windows, each searched from `start`; `steps` apart, `hang` windows more than fit."""
    rows, columns = ((side - window) // stride + 1 + hang for side in image.shape)
    steps = stride if steps is None else steps
    result = torch.full((rows, columns), float(start))
    for i in range(rows):
        for j in range(columns):
            for value in image[i * steps : i * steps + window, j * steps : j * steps + window].flatten():
                result[i, j] = max(result[i, j], value)
    return result


POOL_RIGHT = [
    max_pool,
    max_pool_number_by_number,
    max_pool_by_steps,
    lambda image, k, s: np.array(max_pool_number_by_number(image.numpy(), k, s)),
    lambda image, k, s: image.unfold(0, k, s).unfold(1, k, s).amax((2, 3)),
]
POOL_WRONG = [
    ("cut off by the edge", ch02.cut_off),
    ("begins at 0", lambda image, k, s: max_pool_by_steps(image, k, s, start=0)),
    ("the mean, not", lambda image, k, s: F.avg_pool2d(image[None], k, s)[0]),
    ("smallest number", lambda image, k, s: -max_pool(-image, k, s)),
    ("exchanged", lambda image, k, s: max_pool(image, k, s).T),
    ("stride is left out", lambda image, k, s: max_pool(image, k, k)),
    ("move by one pixel", lambda image, k, s: max_pool(image, k, 1)),
    ("only the size of the result", lambda image, k, s: max_pool_by_steps(image, k, s, steps=1)),
    ("hang over the edge", lambda image, k, s: F.max_pool2d(image[None], k, s, ceil_mode=True)[0]),
    ("last row and column", lambda image, k, s: max_pool(image, k, s)[:-1, :-1]),
    ("corner of each window", lambda image, k, s: image[::s, ::s][: (len(image) - k) // s + 1, :]),
    ("how many windows fit", lambda image, k, s: torch.stack([image[s * i :].max() for i in range(len(image))])),
]

# linear_parameters


def linear_parameters(channels, side, outputs):
    return (channels * side**2 + 1) * outputs


LINEAR_RIGHT = [
    linear_parameters,
    lambda channels, side, outputs: channels * side * side * outputs + outputs,
    lambda channels, side, outputs: outputs * (1 + sum(side for _ in range(channels * side))),
]
LINEAR_WRONG = [
    ("every map of every output", lambda channels, side, outputs: channels * (side**2 + 1) * outputs),
    ("biases are missing", lambda channels, side, outputs: channels * side**2 * outputs),
    ("one bias for the whole", lambda channels, side, outputs: channels * side**2 * outputs + 1),
    ("bias for each input", lambda channels, side, outputs: channels * side**2 * (outputs + 1)),
    ("one side of the maps", lambda channels, side, outputs: (channels * side + 1) * outputs),
    ("1×1 convolution", lambda channels, side, outputs: (channels + 1) * outputs),
    ("channels are missing", lambda channels, side, outputs: (side**2 + 1) * outputs),
]

# pixels_seen


def pixels_seen(layers, unit):
    first = last = unit
    for window, stride, padding in reversed(layers):
        first, last = first * stride - padding, last * stride - padding + window - 1
    return first, last


def pixels_seen_as_a_set(layers, unit):
    units = {unit}
    for window, stride, padding in layers[::-1]:
        units = {place * stride - padding + i for place in units for i in range(window)}
    return [min(units), max(units)]


def pixels_seen_from_the_image_up(layers, unit):
    first, size, step = 0, 1, 1
    for window, stride, padding in layers:
        first, size, step = first - padding * step, size + (window - 1) * step, step * stride
    return torch.tensor([first + unit * step, first + unit * step + size - 1])


def down(order, place=lambda x, s, p: x * s - p, reach=lambda k: k - 1):
    def seen(layers, unit):
        first = last = unit
        for window, stride, padding in order(layers):
            first, last = place(first, stride, padding), place(last, stride, padding) + reach(window)
        return first, last

    return seen


def size_and_step(layers, unit):
    size, step = 1, 1
    for window, stride, _ in layers:
        size, step = size + (window - 1) * step, step * stride
    return size, step


SEEN_RIGHT = [pixels_seen, pixels_seen_as_a_set, pixels_seen_from_the_image_up, down(reversed)]
SEEN_WRONG = [
    ("wrong order", down(lambda layers: layers)),
    ("padding is left out", down(reversed, lambda x, s, p: x * s)),
    ("padding is added", down(reversed, lambda x, s, p: x * s + p)),
    ("stride is left out", down(reversed, lambda x, s, p: x - p)),
    ("behind the last one", down(reversed, reach=lambda k: k)),
    ("behind the last one", lambda layers, unit: (pixels_seen(layers, unit)[0], pixels_seen(layers, unit)[1] + 1)),
    ("size and step", size_and_step),
    ("first pixel and size", lambda layers, unit: (pixels_seen(layers, unit)[0], size_and_step(layers, unit)[0])),
    ("unit 0", lambda layers, unit: pixels_seen(layers, 0)),
    ("triple", lambda layers, unit: [window + stride for window, stride in layers]),
]

# answer_map


def answer_map(linear, maps, side):
    return F.conv2d(maps, linear.weight.view(len(linear.weight), maps.shape[1], side, side), linear.bias)


def answer_map_in_loops(linear, maps, side):
    height, width = (size - side + 1 for size in maps.shape[2:])
    result = torch.zeros(len(maps), linear.out_features, height, width)
    for i in range(height):
        for j in range(width):
            result[:, :, i, j] = linear(maps[:, :, i : i + side, j : j + side].flatten(1))
    return result


@torch.no_grad()
def answer_map_unfolded(linear, maps, side):
    answers = linear(F.unfold(maps, side).transpose(1, 2)).transpose(1, 2)
    return answers.unflatten(2, [size - side + 1 for size in maps.shape[2:]]).numpy()


def answer_map_by_a_layer(linear, maps, side):
    conv = torch.nn.Conv2d(maps.shape[1], linear.out_features, side)
    conv.load_state_dict({"weight": linear.weight.reshape(conv.weight.shape), "bias": linear.bias})
    return conv(maps)


def slid(change=lambda kernel: kernel, bias=True, **places):
    def answer(linear, maps, side):
        kernel = linear.weight.view(len(linear.weight), maps.shape[1], side, side)
        return F.conv2d(maps, change(kernel), linear.bias if bias else None, **places)

    return answer


def channels_last(linear, maps, side):
    kernel = linear.weight.view(len(linear.weight), side, side, maps.shape[1]).permute(0, 3, 1, 2)
    return F.conv2d(maps, kernel, linear.bias)


ANSWER_RIGHT = [answer_map, answer_map_in_loops, answer_map_unfolded, answer_map_by_a_layer]
ANSWER_WRONG = [
    ("bias is missing", slid(bias=False)),
    ("another order", channels_last),
    ("of the kernel are exchanged", slid(lambda kernel: kernel.transpose(2, 3))),
    ("turned round", slid(lambda kernel: kernel.flip(2, 3))),
    ("stand last", lambda linear, maps, side: answer_map(linear, maps, side).permute(0, 2, 3, 1)),
    ("of the places are exchanged", lambda linear, maps, side: answer_map(linear, maps, side).transpose(2, 3)),
    ("side by side", lambda linear, maps, side: slid(stride=side)(linear, maps, side)),
    ("padding", lambda linear, maps, side: slid(padding=(side - 1) // 2)(linear, maps, side)),
    ("in the corner", lambda linear, maps, side: linear(maps[:, :, :side, :side].flatten(1))),
    ("not the whole maps", lambda linear, maps, side: linear(maps.flatten(1))[..., None, None]),
    ("a kernel has four", lambda linear, maps, side: F.conv2d(maps, linear.weight, linear.bias)),
]

# describe


def describe(images):
    return F.avg_pool2d(images, 5, 2, 2)


def frequencies(images):
    return torch.fft.fft2(images).abs()


def blurred(images):
    return F.avg_pool2d(F.avg_pool2d(images, 5, 1, 2), 3, 2, 1)


def in_numpy(images):
    return F.avg_pool2d(images, 7, 3, 3).flatten(1).numpy()


DESCRIBE_RIGHT = [describe, frequencies, blurred, in_numpy, lambda images: F.avg_pool2d(images, 4)]
DESCRIBE_WRONG = [
    ("mixed up", lambda images: F.avg_pool2d(images, 4).mean(0)),
    ("mixed up", lambda images: images.mean()),
    ("other images", lambda images: describe(images) - describe(images).mean(0)),
    ("or on chance", lambda images: describe(images) + torch.randn(len(images), 1, 14, 14)),
    ("same description", lambda images: torch.ones(len(images), 5)),
    ("as sharp as", lambda images: images),
    ("as sharp as", lambda images: F.max_pool2d(images, 2)),
    ("a little too much", lambda images: F.avg_pool2d(images, 2)),
    ("a little too much", lambda images: F.max_pool2d(images, 4)),
    ("too little is left", lambda images: images.sum((1, 2, 3))),
    ("too little is left", lambda images: F.avg_pool2d(images, 14, 7)),
]

ANSWERS = {
    "pooled_size": (SIZE_RIGHT, SIZE_WRONG),
    "max_pool": (POOL_RIGHT, POOL_WRONG),
    "linear_parameters": (LINEAR_RIGHT, LINEAR_WRONG),
    "pixels_seen": (SEEN_RIGHT, SEEN_WRONG),
    "answer_map": (ANSWER_RIGHT, ANSWER_WRONG),
    "describe": (DESCRIBE_RIGHT, DESCRIBE_WRONG),
}


TestAnswers = answer_tests(ch02.EXERCISES, ANSWERS)


def test_the_descriptions_are_judged_without_the_test_part():
    train, _ = ch02.digits()
    rows = {tuple(row) for row in train.pixels[:1400].flatten(1).tolist()}
    assert all(tuple(row) in rows for row in (255 * ch02.some_of_each()[0]).round().long().flatten(1).tolist())
