"""The convolution lab: a kernel walks over a picture, and the map grows."""

import torch
from torch import Tensor
from torch.nn import functional as F

from cnnlib import plots
from cnnlib.widgets.live import Live

SMALLEST, LARGEST = 14, 40  # pixels a side: the widest window fits, and one can see single pixels


class ConvolutionLab(Live):
    """Choose weights, size, stride, padding and dilation; move the window; see products, sum and map.

    `image`: H×W or 1×H×W, values from 0 to 1, square, 14 to 40 pixels a side. `kernel`: 3×3 weights to begin with.
    Raises ValueError for other shapes.
    """

    name = "convolution"

    def __init__(self, image: Tensor, kernel: Tensor | None = None) -> None:
        image = image.detach().cpu().float()
        image = image[0] if image.dim() == 3 and len(image) == 1 else image
        kernel = torch.tensor([[-1.0, 0, 1]] * 3) if kernel is None else kernel.detach().float()
        side = image.shape[-1]
        if image.shape != (side, side) or not SMALLEST <= side <= LARGEST:
            raise ValueError(
                f"the picture is {tuple(image.shape)}; give a square one of {SMALLEST} to {LARGEST} pixels"
            )
        if kernel.shape != (3, 3):
            raise ValueError(f"the kernel is {tuple(kernel.shape)}; the lab begins with 3×3 weights")
        state = {
            "side": side,
            "pixels": [round(value, 3) for value in image.flatten().tolist()],
            "kernel": [round(value, 3) for value in kernel.flatten().tolist()],
        }
        output = F.conv2d(image[None, None], kernel[None, None], padding=1)[0]
        title = "A kernel walks over a picture"
        finding = (
            f"The 3×3 kernel {kernel.tolist()} at stride 1 with padding 1 makes a map of {side}×{side} numbers from "
            f"{output.min():.2f} to {output.max():.2f}."
        )
        shown = torch.stack([image[None], (output - output.min()) / (output.max() - output.min()).clamp(min=1e-9)])
        super().__init__(state, plots.images(shown, ["picture", "map"], title, columns=4, finding=finding))
