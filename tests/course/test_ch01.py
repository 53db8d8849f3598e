"""For each exercise: right answers, written in several ways, pass; usual wrong ones do not, and are named."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Generator, nn
from torch.nn import functional as F

from cnnlib.course.exercises import ch01
from tests.course.answers import answer_tests

# output_size


def size(w, f, p, s, d):
    return (w - d * (f - 1) - 1 + 2 * p) // s + 1


def size_by_walking(w, f, p, s, d):
    places, start = 0, -p
    while start + d * (f - 1) < w + p:
        places, start = places + 1, start + s
    return places


SIZE_RIGHT = [
    size,
    size_by_walking,
    lambda w, f, p, s, d: len(range(0, w + 2 * p - d * (f - 1), s)),
    lambda w, f, p, s, d: math.floor((w - d * (f - 1) + 2 * p - 1) / s + 1),
    lambda w, f, p, s, d: F.conv1d(torch.zeros(1, 1, w), torch.zeros(1, 1, f), None, s, p, d).shape[-1],
]
SIZE_WRONG = [
    ("first place is missing", lambda w, f, p, s, d: (w - d * (f - 1) - 1 + 2 * p) // s),
    ("one side only", lambda w, f, p, s, d: (w - d * (f - 1) - 1 + p) // s + 1),
    ("padding is forgotten", lambda w, f, p, s, d: (w - d * (f - 1) - 1) // s + 1),
    ("rounded to the nearest", lambda w, f, p, s, d: round((w - d * (f - 1) - 1 + 2 * p) / s) + 1),
    ("rounded up", lambda w, f, p, s, d: math.ceil((w - d * (f - 1) - 1 + 2 * p) / s) + 1),
    ("not rounded", lambda w, f, p, s, d: (w - d * (f - 1) - 1 + 2 * p) / s + 1),
    ("before the division", lambda w, f, p, s, d: (w - d * (f - 1) - 1 + 2 * p + 1) // s),
    ("stride is forgotten", lambda w, f, p, s, d: w - d * (f - 1) - 1 + 2 * p + 1),
    ("dilation is forgotten", lambda w, f, p, s, d: (w - f + 2 * p) // s + 1),
    ("spans d · f", lambda w, f, p, s, d: (w - d * f + 2 * p) // s + 1 if d > 1 else size(w, f, p, s, d)),
    ("spans d · (f - 1)", lambda w, f, p, s, d: (w - d * (f - 1) + 2 * p) // s + 1),
]

# parameters


def price(channels, k):
    return sum((k * k * a + 1) * b for a, b in pairwise(channels))


def price_by_building(channels, k):
    net = nn.Sequential(*(nn.Conv2d(channels[i], channels[i + 1], k) for i in range(len(channels) - 1)))
    return sum(weights.numel() for weights in net.parameters())


def each(one):
    return lambda channels, k: sum(one(a, b, k) for a, b in pairwise(channels))


PRICE_RIGHT = [price, price_by_building, lambda channels, k: np.int64(price(channels, k))]
PRICE_WRONG = [
    ("biases are forgotten", each(lambda a, b, k: k * k * a * b)),
    ("for every slice", each(lambda a, b, k: (k * k + 1) * a * b)),
    ("every weight of the window", each(lambda a, b, k: k * k * (a + 1) * b)),
    ("the image's channels", lambda channels, k: each(lambda a, b, k: k * k * a * b)(channels, k) + sum(channels)),
    ("channels that come in", each(lambda a, b, k: (k * k * b + 1) * a)),
    ("one bias a layer", each(lambda a, b, k: k * k * a * b + 1)),
    ("come in are forgotten", each(lambda a, b, k: (k * k + 1) * b)),
    ("k instead of k · k", each(lambda a, b, k: (k * a + 1) * b)),
    ("first layer only", lambda channels, k: price(channels[:2], k)),
    ("last layer only", lambda channels, k: price(channels[-2:], k)),
    ("from the first number to the last", lambda channels, k: price([channels[0], channels[-1]], k)),
    ("n - 1 layers", lambda channels, k: sum(price([channels[i], channels[i + 1]], k) for i in range(len(channels)))),
]

# convolve: the loops, with a line changed


def loops(
    pad=lambda image, p: F.pad(image, [p] * 4),
    kernel_as=lambda kernel: kernel,
    less=0,
    step=(1, 1),
    cut=lambda image, i, j, h, w, s: image[i * s : i * s + h, j * s : j * s + w],
    total=torch.sum,
):
    """`step` says whether rows and columns are counted in strides; `cut` takes the window of place (i, j)."""

    def convolve(image, kernel, stride, padding):
        image, kernel = pad(image, padding), kernel_as(kernel)
        h, w = kernel.shape
        down, across = (stride if by else 1 for by in step)
        rows, columns = (image.shape[0] - h) // down + 1 - less, (image.shape[1] - w) // across + 1 - less
        result = torch.zeros(rows, columns)
        for i in range(rows):
            for j in range(columns):
                result[i, j] = total(cut(image, i, j, h, w, stride) * kernel)
        return result

    return convolve


def by_shifted_images(image, kernel, stride, padding):
    """One weight after the other: the image, shifted, times the weight."""
    image = F.pad(image, [padding] * 4)
    rows, columns = image.shape[0] - kernel.shape[0] + 1, image.shape[1] - kernel.shape[1] + 1
    shifted = [
        image[i : i + rows, j : j + columns] * kernel[i, j]
        for i in range(kernel.shape[0])
        for j in range(kernel.shape[1])
    ]
    return sum(shifted)[::stride, ::stride]


def ranges(end):
    def convolve(image, kernel, stride, padding):
        image, (h, w) = F.pad(image, [padding] * 4), kernel.shape
        rows, columns = (range(0, side - k + end, stride) for side, k in zip(image.shape, (h, w)))
        return torch.tensor([[(image[i : i + h, j : j + w] * kernel).sum() for j in columns] for i in rows])

    return convolve


def unstrided(image, i, j, h, w, stride):
    return image[i : i + h, j : j + w]


def across_only(image, i, j, h, w, stride):
    return image[i : i + h, j * stride : j * stride + w]


CONVOLVE_RIGHT = [
    loops(),
    by_shifted_images,
    ranges(end=1),
    lambda image, kernel, stride, padding: by_shifted_images(image, kernel, stride, padding).numpy(),
    lambda image, kernel, s, p: (
        F.unfold(image[None, None], kernel.shape, padding=p, stride=s)[0]
        .T.matmul(kernel.flatten())
        .view(size(image.shape[0], kernel.shape[0], p, s, 1), -1)
    ),
]
CONVOLVE_WRONG = [
    ("flipped", loops(kernel_as=lambda kernel: kernel.flip(0, 1))),
    ("one place is missing", loops(less=1)),
    ("one place is missing", ranges(end=0)),
    ("below and on the right", loops(pad=lambda image, p: F.pad(image, [0, p, 0, p]))),
    ("below and on the right", loops(pad=lambda image, p: F.pad(image, [0, 2 * p, 0, 2 * p]))),
    ("padding is forgotten", loops(pad=lambda image, p: image)),
    ("stride is forgotten", loops(step=(0, 0), cut=unstrided)),
    ("one direction only", loops(step=(0, 1), cut=across_only)),
    ("windows move by one pixel", loops(step=(1, 1), cut=unstrided)),
    ("mean of the products", loops(total=torch.mean)),
    ("four axes", lambda image, kernel, s, p: F.conv2d(image[None, None], kernel[None, None], None, s, p)),
    ("reach beyond the image", loops(less=-1, cut=unstrided)),
    ("has the window along this side", lambda image, kernel, s, p: torch.zeros(2, 2).index_put_(
        (torch.tensor([5]), torch.tensor([5])), torch.ones(1))),
]  # fmt: skip

# horizontal_edges


def asking(kernel, padding=0, after=lambda found: found):
    weights = torch.tensor(kernel, dtype=torch.float32)
    return lambda image: after(F.conv2d(image[None, None], weights[None, None], padding=padding)[0, 0])


PREWITT = [[-1, -1, -1], [0, 0, 0], [1, 1, 1]]
EDGES_RIGHT = [
    asking(PREWITT),
    asking([[-1, -2, -1], [0, 0, 0], [1, 2, 1]]),
    asking([[-1], [1]]),
    asking([[-1] * 5] * 2 + [[0] * 5] + [[1] * 5] * 2),
    lambda image: image[1:] - image[:-1],
    lambda image: np.diff(image.numpy(), axis=0),
    lambda image: asking(PREWITT)(F.pad(image[None, None], [1, 1, 1, 1], mode="replicate")[0, 0]),
]
EDGES_WRONG = [
    ("four axes", lambda image: F.conv2d(image[None, None], torch.tensor(PREWITT, dtype=torch.float32)[None, None])),
    ("a frame", asking(PREWITT, padding=1)),
    ("do not sum to 0", asking([[-1, -1, -1], [0, 0, 0], [1, 1, 2]])),
    ("do not sum to 0", asking([[1, 1, 1]] * 3)),
    ("finds vertical edges", asking(np.transpose(PREWITT).tolist())),
    ("finds vertical edges", lambda image: torch.zeros_like(image)),
    ("exchanged", asking(np.flip(PREWITT, 0).tolist())),
    ("sign is lost", asking(PREWITT, after=torch.abs)),
    ("sign is lost", asking(PREWITT, after=torch.relu)),
    ("both signs", asking([[0, -1, 0], [-1, 4, -1], [0, -1, 0]])),
    ("both signs", asking([[-1, -1, -1], [2, 2, 2], [-1, -1, -1]])),
    ("vertical edges as well", asking([[-2, -1, 0], [-1, 0, 1], [0, 1, 2]])),
    ("does not move", lambda image: asking(PREWITT)(image)[::2, ::2]),
    ("does not move", lambda image: asking(PREWITT)(image) / (image.max() - image.min() + 1)),
    ("wants four axes", lambda image: F.conv2d(image, torch.tensor(PREWITT, dtype=torch.float32)[None, None])),
    ("wants four axes", lambda image: F.conv2d(image[None, None], torch.tensor(PREWITT, dtype=torch.float32))),
    ("must be floats", lambda image: F.conv2d(image[None, None], torch.tensor(PREWITT)[None, None])[0, 0]),
]

# pointwise_linear


def pointwise_linear(x, weight, bias):
    return torch.einsum("nchw,oc->nohw", x, weight) + bias[:, None, None]


def pixel_by_pixel(x, weight, bias):
    n, _, h, w = x.shape
    result = torch.empty(n, len(weight), h, w)
    for image in range(n):
        for row in range(h):
            for column in range(w):
                result[image, :, row, column] = weight @ x[image, :, row, column] + bias
    return result


def cut_up(x, weight, bias):
    n, c, h, w = x.shape
    return F.linear(x.reshape(n, h, w, c), weight, bias).permute(0, 3, 1, 2)


def cut_up_at_both_ends(x, weight, bias):
    n, c, h, w = x.shape
    return (x.reshape(-1, c) @ weight.T + bias).reshape(n, -1, h, w)


def reshaped_back(x, weight, bias):
    n, _, h, w = x.shape
    return F.linear(x.permute(0, 2, 3, 1), weight, bias).reshape(n, -1, h, w)


def bias_along_the_width(x, weight, bias):
    y = pointwise_linear(x, weight, torch.zeros_like(bias))
    return y + bias if y.shape[3] == len(bias) else y + bias[:, None, None]


def weight_the_other_way(x, weight, bias):
    square = len(weight) == x.shape[1]
    return pointwise_linear(x, weight.T if square else weight, bias)


POINTWISE_RIGHT = [
    pointwise_linear,
    pixel_by_pixel,
    lambda x, weight, bias: F.linear(x.movedim(1, -1), weight, bias).movedim(-1, 1),
    lambda x, weight, bias: (weight @ x.flatten(2) + bias[:, None]).view(len(x), -1, *x.shape[2:]),
    lambda x, weight, bias: np.einsum("nchw,oc->nohw", x, weight) + bias.numpy()[:, None, None],
    lambda x, weight, bias: F.conv2d(x, weight[:, :, None, None], bias),
]
POINTWISE_WRONG = [
    ("channels stand last", lambda x, weight, bias: F.linear(x.movedim(1, -1), weight, bias)),
    ("cut up", cut_up_at_both_ends),
    ("cut up", cut_up),
    ("does not bring them back", reshaped_back),
    ("along the width", bias_along_the_width),
    ("bias is forgotten", lambda x, weight, bias: torch.einsum("nchw,oc->nohw", x, weight)),
    ("axes of the weight", weight_the_other_way),
    ("rows and columns", lambda *given: pointwise_linear(*given).transpose(2, 3)),
    ("works on the last axis", lambda x, weight, bias: x @ weight.T + bias),
    ("shape out×1×1", lambda x, weight, bias: torch.einsum("nchw,oc->nohw", x, weight) + bias),
    ("each letter", lambda x, weight, bias: torch.einsum("nchw,nc->nohw", x, weight)),
]

# detector


def line(size, thick=1):
    kernel = -torch.ones(size, size)
    kernel[(size - thick) // 2 : (size + thick) // 2] = 1
    return kernel - kernel.mean()


def ring(size):
    kernel = -torch.ones(size, size)
    kernel[size // 2, size // 2] = size * size - 1
    return kernel


def edge(size):
    return torch.arange(size).sub(size // 2).sign().float()[:, None].repeat(1, size)


DETECTOR_RIGHT = [
    line,
    lambda size: line(size, thick=3),
    lambda size: 100 * line(size),
    lambda size: line(size).numpy(),
    lambda size: line(size).T,
    lambda size: torch.eye(size)[size // 2][:, None].repeat(1, size).sub(1 / size).double(),
]
DETECTOR_WRONG = [
    ("four axes", lambda size: line(size)[None, None]),
    ("four axes", lambda size: line(3)[None] if size == 3 else line(3)),
    ("no answer at all", lambda size: torch.zeros(size, size)),
    ("no answer at all", lambda size: -torch.ones(size, size)),
    ("amount of ink", lambda size: torch.ones(size, size)),
    ("amount of ink", lambda size: torch.eye(size)),
    ("asks for edges", edge),
    ("asks for edges", lambda size: edge(size).T),
    ("all directions", ring),
    ("mark the strokes", lambda size: torch.eye(size) - 1 / size),
]

ANSWERS = {
    "output_size": (SIZE_RIGHT, SIZE_WRONG),
    "parameters": (PRICE_RIGHT, PRICE_WRONG),
    "convolve": (CONVOLVE_RIGHT, CONVOLVE_WRONG),
    "horizontal_edges": (EDGES_RIGHT, EDGES_WRONG),
    "pointwise_linear": (POINTWISE_RIGHT, POINTWISE_WRONG),
    "detector": (DETECTOR_RIGHT, DETECTOR_WRONG),
}


TestAnswers = answer_tests(ch01.EXERCISES, ANSWERS, slow=True)


@pytest.mark.slow
def test_random_kernels_hardly_ever_pass_for_detectors():
    passed = 0
    for seed in range(20):
        kernels = [torch.randn(size, size, generator=Generator().manual_seed(seed)) for size in (5, 7)]
        passed += all(ch01.told_apart(kernel - kernel.mean()) >= ch01.ENOUGH for kernel in kernels)
    assert passed <= 1


def test_the_amount_of_ink_tells_some_sixty_percent_apart():
    assert all(0.57 < ch01.told_apart(torch.ones(size, size)) < 0.65 for size in (1, 3, 5, 7))


def test_a_detector_is_judged_without_the_test_part():
    pixels, four = ch01.threes_and_fours()
    train, _ = ch01.digits()
    rows = {tuple(row) for row in train.pixels.flatten(1).tolist()}
    assert all(tuple(row) in rows for row in (255 * pixels).round().int().flatten(1).tolist())
    assert len(pixels) == 1500 and 0.45 < four.float().mean() < 0.55
