"""Exercises of chapter 01: sizes, prices, a convolution by hand, edges, 1×1, a detector of one's own."""

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from cnnlib.course.checks import Exercise, Mistake, Property, agree, answers, between
from cnnlib.datasets import digits

# output_size: a real convolution is run and measured.


def measured_size(w: int, f: int, p: int, s: int, d: int) -> int:
    return F.conv1d(torch.zeros(1, 1, w), torch.zeros(1, 1, f), padding=p, stride=s, dilation=d).shape[2]


def side(generator: Generator, padding: int = 0, stride: int = 1, dilation: int = 1) -> tuple[int, ...]:
    """Width, kernel, padding, stride, dilation; the stride leaves pixels over."""
    f = between(2, 6, generator)
    left_over = between(1, stride - 1, generator) if stride > 1 else 0
    w = dilation * (f - 1) + 1 - 2 * padding + stride * between(4, 8, generator) + left_over
    return max(w, f), f, padding, stride, dilation


ALEXNET = ((224, 11, 0, 4, 1), (227, 11, 0, 4, 1), (224, 11, 2, 4, 1))

OUTPUT_SIZE = Exercise(
    signature="output_size(w, f, p, s, d)",
    properties=(
        Property("stride 1, no padding", side, measured_size),
        Property("padding on both sides", lambda g: side(g, padding=between(1, 3, g)), measured_size),
        Property("a window that does not fit has no place", lambda g: side(g, stride=between(3, 5, g)), measured_size),
        Property("a dilated kernel spans more", lambda g: side(g, dilation=between(2, 4, g)), measured_size),
        Property(
            "all of it together",
            lambda g: side(g, between(1, 3, g), between(2, 4, g), between(2, 3, g)),
            measured_size,
        ),
        Property("AlexNet: 54, 55, 55", lambda g: ALEXNET[between(0, 2, g)], measured_size),
    ),
    mistakes=(
        Mistake(
            "the first place is missing",
            "steps are counted between places; there is one more place than steps.",
            answers(lambda w, f, p, s, d: (w - d * (f - 1) - 1 + 2 * p) // s),
        ),
        Mistake(
            "the padding is counted on one side only",
            "the image grows at both ends.",
            answers(lambda w, f, p, s, d: (w - d * (f - 1) - 1 + p) // s + 1),
        ),
        Mistake(
            "the padding is forgotten",
            "the window moves over the padded image.",
            answers(lambda w, f, p, s, d: (w - d * (f - 1) - 1) // s + 1),
        ),
        Mistake(
            "rounded to the nearest",
            "three quarters of a place are no place: round down.",
            answers(lambda w, f, p, s, d: round((w - d * (f - 1) - 1 + 2 * p) / s) + 1),
        ),
        Mistake(
            "rounded up",
            "where would the last window end? It must not reach beyond the image.",
            answers(lambda w, f, p, s, d: -(-(w - d * (f - 1) - 1 + 2 * p) // s) + 1),
        ),
        Mistake(
            "not rounded",
            "a map has whole places only.",
            answers(lambda w, f, p, s, d: (w - d * (f - 1) - 1 + 2 * p) / s + 1),
        ),
        Mistake(
            "the 1 is added before the division",
            "divide the way that the window can go by the stride; then add the first place.",
            answers(lambda w, f, p, s, d: (w - d * (f - 1) + 2 * p) // s),
        ),
        Mistake(
            "the stride is forgotten",
            "the window moves s pixels from place to place.",
            answers(lambda w, f, p, s, d: w - d * (f - 1) + 2 * p),
        ),
        Mistake(
            "the dilation is forgotten",
            "draw three weights that lie two pixels apart: how many pixels from the first to the last?",
            answers(lambda w, f, p, s, d: (w - f + 2 * p) // s + 1),
        ),
        Mistake(
            "the kernel spans d · f pixels",
            "three weights have two gaps between them, not three.",
            answers(lambda w, f, p, s, d: (w - d * f + 2 * p) // s + 1),
        ),
        Mistake(
            "the kernel spans d · (f - 1) pixels",
            "the last weight takes a pixel as well.",
            answers(lambda w, f, p, s, d: (w - d * (f - 1) + 2 * p) // s + 1),
        ),
    ),
    hint="draw the image as a row of boxes, and mark where each window begins. Where must the last one begin?",
)


# parameters: the layers are built and counted.


def counted(channels: list[int], k: int) -> int:
    layers = [nn.Conv2d(a, b, k, device="meta") for a, b in pairwise(channels)]
    return sum(p.numel() for layer in layers for p in layer.parameters())


def widths(layers: int, generator: Generator) -> tuple[list[int], int]:
    """Different numbers of channels for that many layers, and a kernel."""
    return (2 + torch.randperm(30, generator=generator)[: layers + 1]).tolist(), between(2, 5, generator)


def over_layers(price: Callable[[int, int, int], int]) -> Callable[[list[int], int], int]:
    """What a chain costs at a price of (channels in, channels out, k) a layer."""
    return lambda channels, k: sum(price(a, b, k) for a, b in pairwise(channels))


PARAMETERS = Exercise(
    signature="parameters(channels, k)",
    properties=(
        Property("one layer: a kernel has a slice for each channel it reads", lambda g: widths(1, g), counted),
        Property("several layers", lambda g: widths(between(2, 4, g), g), counted),
        Property("1, 6 and 16 channels, 5×5: 2,572", lambda g: ([1, 6, 16], 5), counted, trials=1),
    ),
    mistakes=(
        Mistake(
            "the biases are forgotten",
            "each kernel has one number more, added at every place.",
            answers(over_layers(lambda a, b, k: k * k * a * b)),
        ),
        Mistake(
            "a bias for every slice of a kernel",
            "the slices' products go into one sum, and the bias is added to that sum, once.",
            answers(over_layers(lambda a, b, k: (k * k + 1) * a * b)),
        ),
        Mistake(
            "a bias for every weight of the window",
            "the products go into one sum, and the bias is added to that sum, once.",
            answers(over_layers(lambda a, b, k: k * k * (a + 1) * b)),
        ),
        Mistake(
            "a bias for the image's channels",
            "the first number of the list is the image; only kernels have biases.",
            answers(lambda channels, k: over_layers(lambda a, b, k: k * k * a * b)(channels, k) + sum(channels)),
        ),
        Mistake(
            "biases for the channels that come in",
            "there is one bias a kernel, and as many kernels as channels go out.",
            answers(over_layers(lambda a, b, k: k * k * a * b + a)),
        ),
        Mistake(
            "one bias a layer",
            "every kernel has a bias of its own.",
            answers(over_layers(lambda a, b, k: k * k * a * b + 1)),
        ),
        Mistake(
            "the channels that come in are forgotten",
            "a kernel is a block: k × k × the channels it reads.",
            answers(over_layers(lambda a, b, k: (k * k + 1) * b)),
        ),
        Mistake(
            "k instead of k · k",
            "the kernel is a square.",
            answers(over_layers(lambda a, b, k: (k * a + 1) * b)),
        ),
        Mistake(
            "the first layer only",
            "two numbers that stand side by side are a layer: [3, 16, 32] holds two.",
            answers(lambda channels, k: counted(channels[:2], k)),
        ),
        Mistake(
            "the last layer only",
            "add up all layers.",
            answers(lambda channels, k: counted(channels[-2:], k)),
        ),
        Mistake(
            "as if one layer led from the first number to the last",
            "two numbers that stand side by side are a layer: [3, 16, 32] holds two.",
            answers(lambda channels, k: counted([channels[0], channels[-1]], k)),
        ),
    ),
    hint="how many numbers has one kernel that reads 3 channels? How many kernels make 16 maps?",
    errors={"index out of range": "n numbers of channels make n - 1 layers: zip(channels, channels[1:]) pairs them."},
)


# convolve: torch's own convolution is the answer.


def library(image: Tensor, kernel: Tensor, stride: int, padding: int) -> Tensor:
    return F.conv2d(image[None, None], kernel[None, None], stride=stride, padding=padding)[0, 0]


def picture(stride: int, padding: int, generator: Generator) -> tuple[Tensor, Tensor, int, int]:
    """An image and a kernel, neither of them square, of numbers with one digit behind the point."""
    h, w = between(2, 3, generator), between(2, 3, generator) + 1
    rows, columns = (side + stride * between(2, 3, generator) + stride - 1 for side in (h, w))
    image, kernel = (torch.randn(*shape, generator=generator) for shape in ((rows, columns + stride), (h, w)))
    return (10 * image).round() / 10, (10 * kernel).round() / 10, stride, padding


def one_less(got: Any, image: Tensor, kernel: Tensor, stride: int, padding: int) -> bool:
    """Whether the last place is missing, or what a range that ends one too early leaves out."""
    whole = library(image, kernel, stride, padding)
    ranged = library(image, kernel, 1, padding)[:-1, :-1][::stride, ::stride]
    return agree(got, whole[:-1, :-1]) or agree(got, ranged)


def side_by_side(got: Any, image: Tensor, kernel: Tensor, stride: int, padding: int) -> bool:
    """Whether the map has the right size, but its windows moved by one pixel from place to place."""
    rows, columns = library(image, kernel, stride, padding).shape
    return stride > 1 and agree(got, library(image, kernel, 1, padding)[:rows, :columns])


def strided_one_way(got: Any, image: Tensor, kernel: Tensor, stride: int, padding: int) -> bool:
    every = library(image, kernel, 1, padding)
    return agree(got, every[::stride]) or agree(got, every[:, ::stride])


def padded_behind(got: Any, image: Tensor, kernel: Tensor, stride: int, padding: int) -> bool:
    """Whether the image lies in the upper left corner of its zeros, of the rings' width or of twice that."""
    corners = (F.pad(image, [0, width, 0, width]) for width in (padding, 2 * padding))
    return any(agree(got, library(corner, kernel, stride, 0)) for corner in corners)


def mean_of_window(image: Tensor, kernel: Tensor, stride: int, padding: int) -> Tensor:
    return library(image, kernel, stride, padding) / kernel.numel()


CONVOLVE = Exercise(
    signature="convolve(image, kernel, stride, padding)",
    properties=(
        Property("stride 1, no padding", lambda g: picture(1, 0, g), library),
        Property("zeros on all four sides", lambda g: picture(1, between(1, 2, g), g), library),
        Property("stride", lambda g: picture(between(2, 3, g), 0, g), library),
        Property("both", lambda g: picture(2, between(1, 2, g), g), library),
    ),
    mistakes=(
        Mistake(
            "the kernel is flipped",
            "that is the convolution of mathematics; the layer reads the kernel as it lies there.",
            answers(lambda image, kernel, *how: library(image, kernel.flip(0, 1), *how)),
        ),
        Mistake(
            "one place is missing at the end of each row and column",
            "10 pixels have 8 places for a window of 3: a range stops one before its end.",
            one_less,
        ),
        Mistake(
            "padded only below and on the right",
            "the rings of zeros go all around: the image begins at row `padding`, column `padding`.",
            padded_behind,
        ),
        Mistake(
            "the padding is forgotten",
            "put the image into a larger sheet of zeros first.",
            answers(lambda image, kernel, stride, padding: library(image, kernel, stride, 0)),
        ),
        Mistake(
            "the stride is forgotten",
            "with stride 2 the window begins at 0, 2, 4, …",
            answers(lambda image, kernel, stride, padding: library(image, kernel, 1, padding)),
        ),
        Mistake(
            "the stride in one direction only",
            "the window moves by the stride from column to column, and from row to row.",
            strided_one_way,
        ),
        Mistake(
            "as many places as the stride leaves, but the windows move by one pixel",
            "place (i, j) of the map looks at the window that begins at row i · stride, column j · stride.",
            side_by_side,
        ),
        Mistake(
            "the mean of the products, not their sum",
            "add up; nothing is divided.",
            answers(mean_of_window),
        ),
        Mistake(
            "the map has four axes",
            "rows and columns are wanted: take image and channel axis off again.",
            lambda got, *given: isinstance(got, Tensor) and got.ndim > 2 and agree(got.squeeze(), library(*given)),
        ),
    ),
    hint="take a small case, 4×4 pixels and a kernel of 2×2, and write down where each window begins.",
    errors={
        "must match the size": "window and kernel differ in shape: does a window reach beyond the image?",
        "out of bounds": "how many places has the window along this side? Rows and columns may differ.",
    },
)


# horizontal_edges: surfaces, edges and moved images are shown to it, and its answers are sorted by sign.


def sign(part: Tensor) -> str:
    """The signs among the numbers of a map."""
    above, below = bool((part > 1e-4).any()), bool((part < -1e-4).any())
    return "above and below 0" if above and below else "above 0" if above else "below 0" if below else "0"


def flat(generator: Generator) -> tuple[Tensor]:
    return (torch.full((12, 11), between(2, 9, generator) / 10),)


def step(generator: Generator) -> tuple[Tensor]:
    """A horizontal edge: small numbers above large ones."""
    image = torch.full((12, 11), between(0, 4, generator) / 10)
    image[between(5, 7, generator) :] += 0.5
    return (image,)


def noise(generator: Generator) -> tuple[Tensor]:
    return (torch.rand(12, 11, generator=generator),)


def seen(horizontal_edges: Callable, image: Tensor) -> dict[str, Any]:
    """What a map says, and where; what it becomes when the image is turned, and when it is moved."""
    found = torch.as_tensor(horizontal_edges(image)).detach()
    if found.ndim != 2 or min(found.shape) < 3:
        return {"axes of the map": found.ndim, "a map": found.ndim == 2, "answer": "", "inside": "", "map": found}
    lower, right = (torch.as_tensor(horizontal_edges(part)) for part in (image[1:], image[:, 1:]))
    moved = [agree(part[2:-2, 2:-2], whole[2:-2, 2:-2]) for part, whole in ((lower, found[1:]), (right, found[:, 1:]))]
    return {
        "axes of the map": 2,
        "a map": True,
        "answer": sign(found),
        "inside": sign(found[1:-1, 1:-1]),
        "moves along": all(moved),
        "map": found,
    }


def is_flat(image: Tensor) -> bool:
    return bool(image.min() == image.max())


def rises(image: Tensor) -> bool:
    """Small numbers above large ones."""
    return bool((image[0] < image[-1]).all())


HORIZONTAL_EDGES = Exercise(
    signature="horizontal_edges(image)",
    properties=(
        Property(
            "a map of rows and columns, smaller than the image by a little at most",
            noise,
            lambda image: {"axes of the map": 2, "a map": True},
            seen,
        ),
        Property("0 everywhere on a flat surface", flat, lambda image: {"answer": "0"}, seen),
        Property("above 0 where small numbers lie above large ones", step, lambda image: {"answer": "above 0"}, seen),
        Property("below 0 the other way round", lambda g: (1 - step(g)[0],), lambda i: {"answer": "below 0"}, seen),
        Property("0 at vertical edges", lambda g: (step(g)[0].T.contiguous(),), lambda i: {"answer": "0"}, seen),
        Property("it moves with the image", noise, lambda image: {"moves along": True}, seen),
    ),
    mistakes=(
        Mistake(
            "four axes instead of two",
            "F.conv2d gives images × channels × rows × columns: take [0, 0] of it.",
            lambda got, image: got["axes of the map"] != 2,
        ),
        Mistake(
            "a frame: the surface is flat, but the border of the map answers",
            "zeros that are padded around an image make an edge. Leave the padding out.",
            lambda got, image: is_flat(image) and got["answer"] != "0" and got["inside"] == "0",
        ),
        Mistake(
            "it answers to brightness: the weights do not sum to 0",
            "on a flat surface the answer is brightness times the sum of the weights.",
            lambda got, image: is_flat(image) and got["inside"] != "0",
        ),
        Mistake(
            "it finds vertical edges",
            "what must differ for a horizontal edge, left and right or above and below?",
            lambda got, image: rises(image) and got["answer"] == "0",
        ),
        Mistake(
            "above and below are exchanged",
            "the layer does not flip the kernel: its last row meets the lower pixels.",
            lambda got, image: rises(image) and got["answer"] == "below 0",
        ),
        Mistake(
            "the sign is lost: no answer is below 0",
            "return the sums as they are, without abs, square or ReLU.",
            lambda got, image: rises(1 - image) and got["answer"] in ("above 0", "0"),
        ),
        Mistake(
            "one edge gets answers of both signs",
            "positive weights between negative ones find lines; an edge has small numbers on one side only.",
            lambda got, image: (rises(image) or rises(1 - image)) and got["answer"] == "above and below 0",
        ),
        Mistake(
            "it answers to vertical edges as well",
            "all columns of the kernel may be alike.",
            lambda got, image: (rises(image.T) or rises(1 - image.T)) and got["answer"] != "0",
        ),
        Mistake(
            "the map does not move with the image",
            "the same weights at every place, and nothing that depends on the place or on the whole image.",
            lambda got, image: got.get("moves along") is False,
        ),
    ),
    hint="take the lower pixel minus the upper one: which kernel does that?",
    errors={
        "Expected 3D": "F.conv2d wants four axes, of the image and of the kernel: image[None, None].",
        "weight should have at least": "F.conv2d wants four axes, of the image and of the kernel: kernel[None, None].",
        "expected scalar type": "the weights must be floats, as the image is: write -1.0.",
    },
)


# pointwise_linear: torch's own 1×1 convolution is the answer.


def pointwise(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return F.conv2d(x, weight[:, :, None, None], bias)


def block(
    generator: Generator, channels: int = 3, out: int = 7, width: int = 9, bias: bool = True
) -> tuple[Tensor, Tensor, Tensor]:
    """Maps, weights and a bias; all sides differ unless told otherwise."""
    x = torch.randn(2, channels, between(5, 6, generator), width, generator=generator)
    weight, numbers = (torch.randn(*shape, generator=generator) for shape in ((out, channels), (out,)))
    return x, weight, numbers if bias else torch.zeros(out)


def unsorted(got: Any, x: Tensor, weight: Tensor, bias: Tensor) -> bool:
    """Whether x was cut into pieces of C numbers without moving the channels to the end first."""
    n, c, h, w = x.shape
    pieces = x.reshape(n, h, w, c) @ weight.T + bias
    return agree(got, pieces.movedim(-1, 1)) or agree(got, pieces.reshape(n, -1, h, w))


def half_sorted(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """The channels moved to the end, but not back."""
    n, _, h, w = x.shape
    return pointwise(x, weight, bias).movedim(1, -1).reshape(n, -1, h, w)


def along_width(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor | None:
    """The bias added along the width, which torch does without a word where the sizes agree."""
    return pointwise(x, weight, bias * 0) + bias if len(bias) == x.shape[3] else None


POINTWISE_LINEAR = Exercise(
    signature="pointwise_linear(x, weight, bias)",
    properties=(
        Property("without a bias", lambda g: block(g, bias=False), pointwise),
        Property("with one", block, pointwise),
        Property("as wide as there are outputs", lambda g: block(g, out=8, width=8), pointwise),
        Property("as many outputs as inputs", lambda g: block(g, channels=4, out=4), pointwise),
    ),
    mistakes=(
        Mistake(
            "the channels stand last",
            "move them back behind the images: N×out×H×W.",
            answers(lambda *given: pointwise(*given).movedim(1, -1)),
        ),
        Mistake(
            "cut up without moving the channels to the end first",
            "reshape keeps the numbers in their order: C neighbours in a row are no channels. Use movedim.",
            unsorted,
        ),
        Mistake(
            "the channels were moved to the end, but reshape does not bring them back",
            "reshape keeps the numbers in their order; movedim(-1, 1) moves an axis.",
            answers(half_sorted),
        ),
        Mistake(
            "the bias runs along the width",
            "a bias of shape out is matched with the last axis: give it the shape out×1×1.",
            answers(along_width),
        ),
        Mistake(
            "the bias is forgotten",
            "each output channel has one number that is added at every pixel.",
            answers(lambda x, weight, bias: pointwise(x, weight, bias * 0)),
        ),
        Mistake(
            "the axes of the weight are exchanged",
            "a row of the weight belongs to an output, a column to an input.",
            answers(lambda x, weight, bias: pointwise(x, weight.T, bias) if len(weight) == x.shape[1] else None),
        ),
        Mistake(
            "rows and columns are exchanged",
            "the order is N×out×H×W.",
            answers(lambda *given: pointwise(*given).transpose(2, 3)),
        ),
    ),
    hint="what happens to the C numbers of one pixel? Do that first, for x[0, :, 0, 0].",
    errors={
        "cannot be multiplied": "a matrix product works on the last axis; the channels of x have axis 1. Move them.",
        "must match the size": "the bias has as many numbers as there are output channels: give it the shape out×1×1.",
        "einsum": "each letter names one axis, and stands for one size: nchw for x, oc for the weights.",
    },
)


# detector: threes and fours are told apart by one number each.

ENOUGH = 0.80


@cache
def threes_and_fours() -> tuple[Tensor, Tensor]:
    """1,500 training images, and which of them are fours: 1,000 to choose the threshold on, 500 to judge by."""
    images, _ = digits()
    chosen = images[(images.labels == 3) | (images.labels == 4)][:1500]
    return chosen.pixels / 255, chosen.labels == 4


def told_apart(kernel: Tensor) -> float:
    """The share of the last 500 that a threshold tells apart which was chosen on the first 1,000."""
    pixels, four = threes_and_fours()
    scores = F.relu(F.conv2d(pixels, kernel[None, None])).mean((1, 2, 3))
    learnt, unseen = scores.split([1000, 500])
    right = ((learnt >= learnt[:, None]) == four[:1000]).float().mean(1)  # with the threshold at each of the scores
    more_is_four = bool(right.max() >= 1 - right.min())
    threshold = learnt[right.argmax() if more_is_four else right.argmin()]
    return float(((unseen >= threshold) == (four[1000:] == more_is_four)).float().mean())


def tried(detector: Callable, size: int) -> dict[str, Any]:
    """The kernel, and what it tells apart if it is one."""
    kernel = torch.as_tensor(detector(size)).detach().float()
    shape = "×".join(map(str, kernel.shape))
    if kernel.ndim != 2 or not kernel.isfinite().all():
        return {"shape": shape, "finite": bool(kernel.isfinite().all()), "told apart": "nothing", "kernel": None}
    share = told_apart(kernel)
    right = f"{ENOUGH:.0%} or more" if share >= ENOUGH else f"{share:.1%}"
    return {"shape": shape, "finite": True, "told apart": right, "kernel": kernel}


def such_a(kernel_is: Callable[[Tensor], bool]) -> Callable[..., bool]:
    """Recognises an answer by its kernel."""
    return lambda got, size: got["kernel"] is not None and bool(kernel_is(got["kernel"]))


DETECTOR = Exercise(
    signature="detector(size)",
    properties=(
        Property(
            "size × size numbers",
            lambda g: (2 * between(1, 3, g) + 1,),
            lambda size: {"shape": f"{size}×{size}", "finite": True},
            tried,
        ),
        Property(
            "80 % told apart with a kernel of 5×5",
            lambda g: (5,),
            lambda size: {"told apart": f"{ENOUGH:.0%} or more"},
            tried,
            1,
        ),
        Property("and with one of 7×7", lambda g: (7,), lambda size: {"told apart": f"{ENOUGH:.0%} or more"}, tried, 1),
    ),
    mistakes=(
        Mistake(
            "four axes, or other than two",
            "a kernel of rows and columns is wanted; the check adds the other axes.",
            lambda got, size: "×".join([str(size)] * 2) != got["shape"],
        ),
        Mistake(
            "no answer at all: all weights are 0 or below",
            "ReLU sets sums below 0 to 0; something has to be above.",
            such_a(lambda kernel: kernel.max() <= 0),
        ),
        Mistake(
            "it measures the amount of ink: no weight is below 0",
            "what shall count against the answer? Let the weights sum to 0.",
            such_a(lambda kernel: kernel.min() >= 0),
        ),
        Mistake(
            "it asks for edges, and every stroke has two of them, whatever its direction",
            "a stroke is bright with dark on both sides: put the positive weights between negative ones.",
            such_a(lambda kernel: agree(kernel, -kernel.flip(0)) or agree(kernel, -kernel.flip(1))),
        ),
        Mistake(
            "all directions count alike",
            "a ring around a middle finds every stroke; a three and a four differ in the direction of theirs.",
            such_a(lambda kernel: agree(kernel, kernel.T) and agree(kernel, kernel.flip(0))),
        ),
    ),
    hint="draw a three and a four, and mark the strokes that run from left to right. How many has each?",
)

EXERCISES: tuple[Exercise, ...] = (OUTPUT_SIZE, PARAMETERS, CONVOLVE, HORIZONTAL_EDGES, POINTWISE_LINEAR, DETECTOR)
