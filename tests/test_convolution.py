"""Loops, matrix and library compute one and the same convolution."""

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Generator
from torch.nn import functional as F

from cnnlib.convolution import conv2d_by_loops, conv_matrix


@st.composite
def convolutions(draw) -> tuple[tuple[int, ...], tuple[int, ...], dict[str, int], bool]:
    """Shapes of images and kernels that fit each other, the settings, and whether there is a bias."""
    groups = draw(st.integers(1, 3))
    depth, maps_a_group, count = (draw(st.integers(1, 3)) for _ in range(3))
    stride, dilation, padding = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(0, 3))
    kernel = [draw(st.integers(1, 4)) for _ in "hw"]
    sides = [max(1, dilation * (k - 1) + 1 - 2 * padding) + draw(st.integers(0, 5)) for k in kernel]
    how = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return (count, groups * depth, *sides), (groups * maps_a_group, depth, *kernel), how, draw(st.booleans())


@settings(max_examples=200, deadline=None, derandomize=True)
@given(convolutions())
@example(((1, 1, 1, 1), (1, 1, 1, 1), {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}, False))
@example(((2, 4, 6, 5), (8, 1, 3, 2), {"stride": 2, "padding": 1, "dilation": 2, "groups": 4}, True))
def test_loops_matrix_and_library_agree(drawn):
    images_shape, weight_shape, how, with_bias = drawn
    generator = Generator().manual_seed(0)
    images, weight = torch.randn(images_shape, generator=generator), torch.randn(weight_shape, generator=generator)
    bias = torch.randn(weight_shape[0], generator=generator) if with_bias else None
    expected = F.conv2d(images, weight, bias, **how)
    by_loops = conv2d_by_loops(images, weight, bias, **how)
    assert by_loops.shape == expected.shape
    assert (by_loops - expected).abs().max() < 1e-5
    matrix = conv_matrix(weight, images_shape[2:], **how)
    by_matrix = (images.flatten(1) @ matrix.T).view_as(expected)
    assert (by_matrix + (0 if bias is None else bias[:, None, None]) - expected).abs().max() < 1e-5


def test_in_double_precision_they_agree_to_the_last_digits():
    generator = Generator().manual_seed(0)
    images, weight = (torch.randn(*shape, generator=generator).double() for shape in [(2, 4, 9, 8), (6, 2, 3, 3)])
    expected = F.conv2d(images, weight, stride=2, padding=1, groups=2)
    assert (conv2d_by_loops(images, weight, stride=2, padding=1, groups=2) - expected).abs().max() < 1e-13


def test_the_matrix_holds_each_kernel_once_a_row_and_zeros_elsewhere():
    kernel = torch.arange(1.0, 10.0).view(1, 1, 3, 3)
    matrix = conv_matrix(kernel, (6, 6))
    assert matrix.shape == (16, 36)
    assert all(sorted(row[row != 0].tolist()) == list(range(1, 10)) for row in matrix)
    assert matrix[0].view(6, 6)[:3, :3].equal(kernel[0, 0])
    assert matrix[-1].view(6, 6)[3:, 3:].equal(kernel[0, 0])


def test_gradients_flow_through_the_loops():
    weight = torch.ones(1, 1, 2, 2, requires_grad=True)
    conv2d_by_loops(torch.ones(1, 1, 3, 3), weight).sum().backward()
    assert weight.grad.equal(torch.full((1, 1, 2, 2), 4.0))


@pytest.mark.parametrize("convolve", [
    lambda weight: conv2d_by_loops(torch.zeros(1, 1, 4, 4), weight, padding=1, dilation=3),
    lambda weight: conv_matrix(weight, (4, 4), padding=1, dilation=3),
])  # fmt: skip
def test_a_kernel_that_does_not_fit_is_refused_with_the_reason(convolve):
    with pytest.raises(ValueError, match="spans 7 pixels does not fit into 6"):
        convolve(torch.zeros(1, 1, 3, 3))
