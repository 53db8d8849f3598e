import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnnlib.analysis import summary
from cnnlib.data import Batches, Normalize, Pad
from cnnlib.datasets import fashion
from cnnlib.models import nin, nin_cifar
from cnnlib.models.nin import CIFAR, NiN
from cnnlib.training import Recipe, train
from tests.models.twins import one_thread


def test_parameters_and_layers():
    with torch.device("meta"):
        imagenet, cifar = nin(), nin_cifar()
    assert sum(p.numel() for p in imagenet.parameters()) == 7_595_176
    assert sum(p.numel() for p in cifar.parameters()) == 966_986
    assert [sum(isinstance(m, nn.Conv2d) for m in net.modules()) for net in (imagenet, cifar)] == [12, 9]
    assert not any(isinstance(m, nn.BatchNorm2d | nn.Linear) for m in imagenet.modules())


def test_maps_at_224_pixels():
    with torch.device("meta"):
        costs = {cost.name: cost.shape for cost in summary(nin(), (3, 224, 224))}
    stages = ["mlpconv1", "pool1", "mlpconv2", "pool2", "mlpconv3", "pool3", "mlpconv4"]
    assert [costs[f"features.{stage}"] for stage in stages] == [
        (96, 54, 54), (96, 27, 27), (256, 27, 27), (256, 13, 13), (384, 13, 13), (384, 6, 6), (1024, 6, 6),
    ]  # fmt: skip
    assert costs["classifier.0"] == (1000, 6, 6) and costs[""] == (1000,)


def test_maps_at_32_pixels_and_widths_of_the_paper():
    with torch.device("meta"):
        costs = summary(nin_cifar(), (3, 32, 32), depth=3)
    convolutions = [cost.shape for cost in costs if cost.kind == "Conv2d"]
    assert [shape[0] for shape in convolutions] == [192, 160, 96, 192, 192, 192, 192, 192, 10]
    assert [shape[1] for shape in convolutions] == [32, 32, 32, 16, 16, 16, 8, 8, 8]


@pytest.mark.parametrize("build", [nin, nin_cifar])
def test_dropout_follows_all_mlpconv_layers_but_the_last(build):
    with torch.device("meta"):
        model = build()
    blocks = 4 if build is nin else 3
    names = [name for name, _ in model.features.named_children()]
    parts = [f"{part}{number}" for number in range(1, blocks) for part in ("mlpconv", "pool", "dropout")]
    assert names == [*parts, f"mlpconv{blocks}"]
    dropouts = [m for m in model.modules() if isinstance(m, nn.Dropout)]
    assert [dropout.p for dropout in dropouts] == (blocks - 1) * [0.5]


def test_the_classifier_averages_one_map_a_class():
    model, images = nin_cifar().eval(), torch.randn(2, 3, 32, 32)
    maps = model.classifier[0](model.features(images))
    assert maps.shape == (2, 10, 8, 8)
    torch.testing.assert_close(model(images), maps.mean((2, 3)))
    assert model(images).min() < 0  # not rectified
    assert model(torch.randn(1, 3, 40, 48)).shape == (1, 10)  # averaging takes any size


def test_a_1x1_convolution_is_a_linear_layer_at_every_pixel():
    conv, maps = nn.Conv2d(16, 8, 1), torch.randn(2, 16, 5, 7)
    shared = F.linear(maps.movedim(1, 3), conv.weight[:, :, 0, 0], conv.bias).movedim(3, 1)
    torch.testing.assert_close(conv(maps), shared)
    # It replaces no fully connected layer: one from all points to all points has a thousand times its parameters.
    assert sum(p.numel() for p in conv.parameters()) == 136
    assert (16 * 5 * 7 + 1) * 8 * 5 * 7 == 157_080


def images_differ(model: nn.Module, images: torch.Tensor) -> float:
    """The share of the logits' squares that differs from image to image, between 0 and 1."""
    with torch.no_grad():
        logits = model.eval()(images)
    return float(logits.var(0).sum() / logits.square().mean(0).sum())


def initialise_as_he(model: nn.Module) -> None:
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")


@pytest.mark.parametrize("seed", range(5))
@one_thread()
def test_kernels_of_mean_zero_keep_images_apart(seed):
    images = fashion()[0][:64]
    batch = Normalize(images)(Pad(2)(images.pixels))
    torch.manual_seed(seed)
    model = nin_cifar(1)
    assert images_differ(model, batch) > 0.2
    initialise_as_he(model)
    assert images_differ(model, batch) < 0.1


@one_thread()
def test_leaves_chance_where_he_s_initialisation_alone_does_not():
    narrow = [(*row[:3], tuple(width // 6 for width in row[3])) for row in CIFAR]
    images = fashion()[0][:640]
    losses = []
    for seed, ours in [(0, False), (0, True), (1, True)]:
        torch.manual_seed(seed)
        model = NiN(1, narrow, 10)
        if not ours:
            initialise_as_he(model)
        batches = Batches(images, 32, [Pad(2), Normalize(images)], torch.Generator().manual_seed(seed))
        *_, last = train(model, batches, Recipe(3, 0.02))
        losses.append(last.train.loss)
    chance = math.log(10)
    assert losses[0] > chance - 0.02 and max(losses[1:]) < chance - 0.2


def test_nin_cifar_trains_in_every_layer():
    model = nin_cifar()
    logits = model.train()(torch.randn(2, 3, 32, 32))
    assert logits.shape == (2, 10)
    F.cross_entropy(logits, torch.tensor([0, 9])).backward()
    assert all(p.grad.isfinite().all() and p.grad.abs().sum() > 0 for p in model.parameters())
    assert nin_cifar(1, 7)(torch.randn(2, 1, 32, 32)).shape == (2, 7)
