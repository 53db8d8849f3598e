"""Where in an image a network finds the evidence for a class."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnlib.errors import explaining


def grad_cam(model: nn.Module, image: Tensor, label: int) -> Tensor:
    """Grad-CAM: an H×W map from 0 to 1, high where the last feature maps speak for `label`.

    Selvaraju and others, "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization" (2016),
    arXiv:1610.02391: the maps, each weighted by the average slope of the label's logit on it, added up, and cut off at
    zero (equations 1 and 2); then enlarged to the image and divided by the maximum. All zero where nothing speaks for
    the label, and flat where the last maps have one pixel: take larger images. `image` is C×H×W, normalised as in
    training. Leaves the model in evaluation mode.
    """
    if image.ndim != 3:
        raise ValueError(f"Grad-CAM takes one image, C×H×W; this one has {image.ndim} dimensions, not three.")
    if not hasattr(model, "features"):
        raise ValueError(f"{type(model).__name__} has no `features`, so there are no maps to weigh.")
    model.eval()
    with torch.enable_grad(), explaining(model, image[None]):
        maps = model.features(image[None]).detach().requires_grad_()
        logits = model.classifier(maps)[0]
        if not 0 <= label < len(logits):
            raise ValueError(f"There is no label {label}: {type(model).__name__} tells labels 0 to {len(logits) - 1}.")
        (slopes,) = torch.autograd.grad(logits[label], maps)
    heat = (slopes.mean((2, 3), keepdim=True) * maps.detach()).sum(1, keepdim=True).relu()
    heat = F.interpolate(heat, image.shape[1:], mode="bilinear")[0, 0]
    return heat / heat.max() if heat.max() > 0 else heat
