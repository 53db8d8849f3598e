"""Exercises of chapter 00: a colour image made grey, and the steps from each row of an image to the next."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from cnnlib.course.checks import Exercise, Mistake, Property, agree, as_array, between


def bytes_between(low: int, high: int, generator: Generator) -> tuple[Tensor]:
    """One colour image of 3×H×W bytes; H and W differ, so that exchanged axes show."""
    rows = between(3, 5, generator)
    columns = rows + between(1, 3, generator)
    return (torch.randint(low, high + 1, (3, rows, columns), generator=generator, dtype=torch.uint8),)


def seen(answer: Any) -> dict[str, Any]:
    """Shape and numbers of an answer, apart: the first numbers of an image say more to a reader than its shape does."""
    numbers = as_array(answer)
    if numbers is None:
        return {"shape": "none, these are no numbers", "numbers": str(answer)}
    return {"shape": "×".join(map(str, numbers.shape)) or "a single number", "numbers": numbers.flatten()}


def applied(function: Callable[[Tensor], Any], image: Tensor) -> dict[str, Any]:
    """What the reader's function makes of the image."""
    return seen(function(image))


def same(wrong: Callable[[Tensor], Any]) -> Callable[..., bool]:
    """Recognises what `wrong` returns: its shape and its numbers."""
    return lambda got, image: agree(got, seen(wrong(image)))


def same_numbers(wrong: Callable[[Tensor], Any]) -> Callable[..., bool]:
    """Recognises the numbers that `wrong` returns, whatever their shape."""
    return lambda got, image: agree(got["numbers"], seen(wrong(image))["numbers"])


def same_size(got: dict[str, Any], image: Tensor) -> bool:
    """Whether the answer has the shape of the image."""
    return got["shape"] == seen(image)["shape"]


# grey: the three numbers of each pixel are added up one by one.


def dark(generator: Generator) -> tuple[Tensor]:
    return bytes_between(0, 60, generator)


def bright(generator: Generator) -> tuple[Tensor]:
    return bytes_between(120, 255, generator)


def mean_of_channels(image: Tensor) -> dict[str, Any]:
    _, rows, columns = image.shape
    result = np.zeros((1, rows, columns))
    for row in range(rows):
        for column in range(columns):
            result[0, row, column] = sum(int(channel[row, column]) for channel in image) / 3
    return seen(result)


GREY = Exercise(
    signature="grey(image)",
    properties=(
        Property("the mean of the channels in a dark image", dark, mean_of_channels, applied),
        Property("the mean of the channels in a bright image", bright, mean_of_channels, applied),
        Property("white stays 255", lambda g: (torch.full((3, 2, 4), 255).byte(),), mean_of_channels, applied, 1),
    ),
    mistakes=(
        Mistake(
            "the axis of channels is lost",
            "the numbers are right; an image is C×H×W also when C is 1. Look for keepdim.",
            lambda got, image: agree(got["numbers"], mean_of_channels(image)["numbers"]),
        ),
        Mistake(
            "the sum of bytes has wrapped round",
            "a byte ends at 255: make floats of the image before you add.",
            same_numbers(lambda image: (image[0] + image[1] + image[2]) / 3),
        ),
        Mistake(
            "divided as bytes: each channel has lost its fraction",
            "10 // 3 is 3. Divide by /, and floats come out.",
            same_numbers(lambda image: sum(channel // 3 for channel in image)),
        ),
        Mistake(
            "divided by 255 as well",
            "that would make 1 of white; here 255 stays 255.",
            same_numbers(lambda image: mean_of_channels(image)["numbers"] / 255),
        ),
        Mistake(
            "only the last channel is divided",
            "division comes before addition: put the sum in brackets.",
            same_numbers(lambda image: image[0].float() + image[1] + image[2] / 3),
        ),
        Mistake(
            "whole numbers came out",
            "the mean of 10, 10 and 11 lies between them: give floats back.",
            same_numbers(lambda image: np.floor(mean_of_channels(image)["numbers"])),
        ),
        Mistake(
            "the sum, not the mean",
            "three channels of 255 make white, which is 255 and not 765.",
            same_numbers(lambda image: image.float().sum(0)),
        ),
        Mistake(
            "one number for the whole image",
            "the mean goes over one axis only: over which?",
            lambda got, image: len(got["numbers"]) == 1,
        ),
        Mistake(
            "the mean goes over rows or columns",
            "axis 0 holds the channels, axis 1 the rows, axis 2 the columns.",
            lambda got, image: any(
                same_numbers(lambda image, axis=axis: image.float().mean(axis))(got, image) for axis in (1, 2)
            ),
        ),
        Mistake(
            "one channel, not all three",
            "a red pixel is not white: what do the other channels say?",
            lambda got, image: any(
                same_numbers(lambda image, channel=channel: image[channel])(got, image) for channel in range(3)
            ),
        ),
        Mistake(
            "three channels came back",
            "a grey image has one: each pixel's three numbers become one.",
            same_size,
        ),
        Mistake(
            "the channels are weighted",
            "the eye does see green as brighter, and televisions weigh so. Here the plain mean is asked for.",
            same_numbers(lambda image: torch.einsum("c,chw->hw", torch.tensor([0.299, 0.587, 0.114]), image.float())),
        ),
    ),
    hint="take the three numbers of one pixel by hand: image[:, 0, 0].",
    errors={"floating point": "bytes have no mean in torch: make floats of them first."},
)


# downward: each number is compared with the one above it.


def noise(generator: Generator) -> tuple[Tensor]:
    return bytes_between(0, 255, generator)


def difference_to_the_row_above(image: Tensor) -> dict[str, Any]:
    channels, rows, columns = image.shape
    result = np.zeros((channels, rows - 1, columns))
    for channel in range(channels):
        for row in range(1, rows):
            for column in range(columns):
                above, here = (int(image[channel, where, column]) for where in (row - 1, row))
                result[channel, row - 1, column] = here - above
    return seen(result)


def brightening(generator: Generator) -> tuple[Tensor]:
    """Every row is brighter than the one above: no difference is negative."""
    (steps,) = bytes_between(1, 40, generator)
    return (steps.cumsum(1).to(torch.uint8),)


def even(generator: Generator) -> tuple[Tensor]:
    return (torch.full((1, 4, 6), between(1, 255, generator)).byte(),)


DOWNWARD = Exercise(
    signature="downward(image)",
    properties=(
        Property("rows that become brighter: numbers above 0", brightening, difference_to_the_row_above, applied),
        Property("rows that become darker: numbers below 0", noise, difference_to_the_row_above, applied),
        Property("an even image: 0 everywhere", even, difference_to_the_row_above, applied, 1),
    ),
    mistakes=(
        Mistake(
            "the difference of bytes has wrapped round",
            "below 0 a byte goes on at 255: make floats of the image before you subtract.",
            same(lambda image: image[:, 1:] - image[:, :-1]),
        ),
        Mistake(
            "upper minus lower: the sign is turned",
            "where it becomes brighter downward, the result is above 0.",
            lambda got, image: agree(got["numbers"], -difference_to_the_row_above(image)["numbers"]),
        ),
        Mistake(
            "from left to right, not downward",
            "rows are axis 1, columns axis 2: which of them does your slice cut?",
            lambda got, image: any(
                same(lambda x, sign=sign: sign * x.float().diff(dim=2))(got, image) for sign in (1, -1)
            ),
        ),
        Mistake(
            "from channel to channel",
            "axis 0 holds the channels. Rows are axis 1.",
            same(lambda image: image.float().diff(dim=0)),
        ),
        Mistake(
            "the sign is lost",
            "darker and brighter are not the same: leave out the absolute value.",
            lambda got, image: agree(got["numbers"], abs(difference_to_the_row_above(image)["numbers"])),
        ),
        Mistake(
            "as many rows as before",
            "the first row has none above it: of H rows, H - 1 differences remain.",
            same_size,
        ),
        Mistake(
            "the first row is subtracted from all",
            "each row is compared with the one right above it, not with the first.",
            same(lambda image: image[:, 1:].float() - image[:, :1].float()),
        ),
        Mistake(
            "two rows apart",
            "the row right above is meant: the two slices are shifted by one.",
            same(lambda image: image[:, 2:].float() - image[:, :-2].float()),
        ),
    ),
    hint="take one column by hand, image[0, :, 0], and write down each number minus the one above it.",
    errors={"must match the size": "both slices need the same number of rows: one lacks the first, one the last."},
)

EXERCISES = (GREY, DOWNWARD)
