"""torchvision's twins of our networks: the same layers in the same order, so their logits must be ours."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import sqrt

import torch
from torch import Tensor, nn

from cnnlib.models import MODELS
from cnnlib.vision import torchvision
from cnnlib.weights import load_in_order

TWINS = (
    "alexnet",
    *(f"vgg{depth}{norm}" for norm in ("", "_bn") for depth in (11, 13, 16, 19)),
    "googlenet",
    "inception_v3",
    *(f"resnet{depth}" for depth in (18, 34, 50, 101, 152)),
    *(f"densenet{depth}" for depth in (121, 161, 169, 201)),
    *(f"mnasnet{width}" for width in ("0_5", "0_75", "1_0", "1_3")),
    *(f"efficientnet_b{number}" for number in range(8)),
)
Noise = Callable[[int], Tensor]  # so many numbers of mean 0 and variance about 1
PERIOD = 10_007  # a prime: no two rows of a weight matrix begin at the same place of the period
SIZES = {"inception_v3": 96}  # pixels of the image's side where 64 are too few
EXTRA = {"googlenet": {"aux_logits": False, "init_weights": False, "transform_input": False}}
EXTRA["inception_v3"] = EXTRA["googlenet"]


def oracle(name: str) -> nn.Module:
    """torchvision's network without auxiliary heads; its GoogLeNet with the paper's kernels and pool put in.

    torchvision's GoogLeNet has 3×3 where the paper has 5×5, pools 2×2 before 5a, and its norms' eps is 1e-3.
    """
    model = torchvision().models.get_model(name, **EXTRA.get(name, {}))
    if name == "googlenet":
        for module in model.modules():
            if type(module).__name__ == "Inception":
                old = module.branch3[1].conv
                module.branch3[1].conv = nn.Conv2d(old.in_channels, old.out_channels, 5, padding=2, bias=False)
            if isinstance(module, nn.BatchNorm2d):
                module.eps = 1e-5
        model.maxpool4 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
    return model


def macs_of_torchvision(name: str) -> float:
    """Multiply-adds of one image at the weights' own size, in units of 10⁹, as torchvision's documentation has them."""
    return torchvision().models.get_model_weights(name).IMAGENET1K_V1.meta["_ops"]


def cyclic(period: Tensor) -> Noise:
    """Numbers that repeat `period`, each call beginning where the last ended. Fills even VGG in no time."""
    place = 0

    def noise(count: int) -> Tensor:
        nonlocal place
        numbers = period.roll(-place).repeat(-(-count // len(period)))[:count]
        place = (place + count) % len(period)
        return numbers

    return noise


def uniform() -> Noise:
    """Random numbers of mean 0 and variance 1, none beyond ±1.74, that repeat only after a prime number of them."""
    return cyclic((torch.rand(PERIOD) * 2 - 1) * sqrt(3))


@contextmanager
def one_thread() -> Iterator[None]:
    """Inside, torch computes in one thread: on small images a second one costs more than it brings."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@torch.no_grad()
def fill(model: nn.Module, image: Tensor, noise: Noise) -> Tensor:
    """Fill parameters and batch-norm statistics from `noise`, and return the logits of `image`.

    The image neither dies nor explodes on its way: each norm's statistics are scaled by the power of what arrives
    there. Unscaled, every residual sum would double it, to 10¹² in ResNet-152. Leaves the model in evaluation mode.
    """
    statistics = {name: b for name, b in model.named_buffers() if name.endswith(("running_mean", "running_var"))}
    for name, tensor in {**dict(model.named_parameters()), **statistics}.items():
        values = noise(tensor.numel()).reshape(tensor.shape)
        if tensor.ndim > 1:
            tensor.copy_(values * sqrt(2 / tensor[0].numel()))
        elif name.endswith("running_var"):
            tensor.copy_(1 + 0.3 * values)
        elif name.endswith("weight"):
            tensor.copy_(0.3 + 0.1 * values)  # with 1, the gates of EfficientNet would magnify rounding tenfold
        else:
            tensor.copy_(0.1 * values)

    def scale(norm: nn.BatchNorm2d, inputs: tuple[Tensor, ...]) -> None:
        power = inputs[0].square().mean()
        norm.running_mean *= power.sqrt()
        norm.running_var *= power

    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    handles = [norm.register_forward_pre_hook(scale) for norm in norms]
    logits = model.eval()(image)
    for handle in handles:
        handle.remove()
    return logits


@one_thread()
@torch.no_grad()
def same_logits(name: str, size: int | None = None) -> float:
    """The largest difference between our logits and torchvision's, relative to the largest logit.

    Both networks have the same random weights and batch-norm statistics, and look at one random image with sides of
    `size` pixels.
    """
    torch.manual_seed(0)
    size = size or SIZES.get(name, 64)
    image = torch.randn(1, 3, size, size)
    with torch.device("meta"):  # no time for weights that are filled anyway
        twin, model = oracle(name), MODELS[name]()
    expected = fill(twin.to_empty(device="cpu"), image, uniform())
    # Not the model itself: auxiliary heads, which no logits come from, have no twin here.
    model = nn.Sequential(model.features, model.classifier).to_empty(device="cpu").eval()
    load_in_order(model, twin.state_dict())
    return float((model(image) - expected).abs().max() / expected.abs().max())
