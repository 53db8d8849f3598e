"""Convolution written out twice, to read and to compare with: by loops over windows, and as one large matrix.

Both compute what `torch.nn.functional.conv2d` computes, for every stride, padding, dilation and number of groups. They
are written to be read, and slower: the loops by ten to thousands of times.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def conv2d_by_loops(
    images: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    groups: int = 1,
) -> Tensor:
    """N×C×H×W images and out×C/groups×h×w kernels to N×out×H'×W' maps: window times kernel, added up, at every place.

    Raises ValueError when the kernel does not fit into the padded image.
    """
    out_channels, depth, *kernel = weight.shape
    rows, columns = (places(*sides, stride, padding, dilation) for sides in zip(images.shape[2:], kernel))
    padded = F.pad(images, [padding] * 4)
    maps = images.new_zeros(len(images), out_channels, len(rows), len(columns))
    for out in range(out_channels):
        group = out // (out_channels // groups)
        channels = slice(group * depth, (group + 1) * depth)
        for i, row in enumerate(rows):
            for j, column in enumerate(columns):
                maps[:, out, i, j] = (padded[:, channels, row, column] * weight[out]).sum((1, 2, 3))
    return maps if bias is None else maps + bias[:, None, None]


def conv_matrix(
    weight: Tensor, size: tuple[int, int], stride: int = 1, padding: int = 0, dilation: int = 1, groups: int = 1
) -> Tensor:
    """The matrix with which `matrix @ image.flatten()` is the flattened map of a C×H×W image; `size` is (H, W).

    Each row is one number of the map: a sheet as large as the image, empty but for one kernel at one place. Raises
    ValueError when the kernel does not fit into the padded image.
    """
    out_channels, depth, *kernel = weight.shape
    height, width = size
    rows, columns = (places(*sides, stride, padding, dilation) for sides in zip(size, kernel))
    sheets = []
    for out in range(out_channels):
        group = out // (out_channels // groups)
        for row in rows:
            for column in columns:
                sheet = weight.new_zeros(groups * depth, height + 2 * padding, width + 2 * padding)
                sheet[group * depth : (group + 1) * depth, row, column] = weight[out]
                sheets.append(sheet[:, padding : padding + height, padding : padding + width].flatten())
    return torch.stack(sheets)


def places(size: int, kernel: int, stride: int, padding: int, dilation: int) -> list[slice]:
    """Which pixels of a padded side of `size` pixels lie under the kernel, for each of its places along that side."""
    span = dilation * (kernel - 1) + 1
    last = size + 2 * padding - span
    if last < 0:
        raise ValueError(f"a kernel that spans {span} pixels does not fit into {size + 2 * padding}: pad more")
    return [slice(start, start + span, dilation) for start in range(0, last + 1, stride)]
