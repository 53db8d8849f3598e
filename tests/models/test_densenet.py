import copy
from collections import OrderedDict
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnnlib.analysis import saved_bytes, summary
from cnnlib.models import MODELS, densenet121, densenet_cifar
from cnnlib.models.densenet import DenseBlock, DenseLayer, DenseNet, bottleneck_layer, checkpointed, plain_layer
from tests.models.twins import macs_of_torchvision

PARAMETERS = {
    "densenet121": 7_978_856,
    "densenet161": 28_681_000,
    "densenet169": 14_149_480,
    "densenet201": 20_013_928,
    "densenet_cifar": 1_019_722,
}
NETS = [name for name in PARAMETERS if name != "densenet_cifar"]


def built(name: str) -> nn.Module:
    with torch.device("meta"):
        return MODELS[name]()


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters(name):
    assert sum(p.numel() for p in built(name).parameters()) == PARAMETERS[name]


@pytest.mark.parametrize("name", ["densenet121", "densenet161"])
def test_multiply_adds_are_those_of_torchvision(name):
    assert round(summary(built(name), (3, 224, 224))[-1].macs / 1e9, 3) == macs_of_torchvision(name)


@pytest.mark.parametrize("name", NETS)
def test_the_name_counts_the_layers_with_weights(name):
    layers = [m for m in built(name).modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert len(layers) == int(name.removeprefix("densenet"))


def test_maps_have_the_sizes_of_table_1():
    sizes = {cost.name.removeprefix("features."): cost.shape for cost in summary(built("densenet121"), (3, 224, 224))}
    assert [sizes[name] for name in ("conv", "pool", "dense_block1", "transition1", "dense_block2", "transition2")] == [
        (64, 112, 112), (64, 56, 56), (256, 56, 56), (128, 28, 28), (512, 28, 28), (256, 14, 14),
    ]  # fmt: skip
    assert [sizes[name] for name in ("dense_block3", "transition3", "dense_block4", "relu", "classifier")] == [
        (1024, 14, 14), (512, 7, 7), (1024, 7, 7), (1024, 7, 7), (1000,),
    ]  # fmt: skip


def test_connections_are_counted_in_each_block_by_itself():
    seen = []

    def count(layer: nn.Module, inputs: tuple) -> None:
        seen.append(len(inputs[0]))

    model = built("densenet121")
    for module in model.modules():
        if isinstance(module, DenseLayer):
            module.register_forward_pre_hook(count)
    model(torch.empty(2, 3, 64, 64, device="meta"))
    # L(L+1)/2 for the 6, 12, 24 and 16 layers, and no more between the blocks.
    assert sum(seen) == 21 + 78 + 300 + 136 == 535


def test_a_dense_block_stacks_its_input_and_what_each_layer_adds():
    block = DenseBlock([DenseLayer(nn.Sequential(nn.Conv2d(c, 2, 1)), nn.Identity()) for c in (3, 5)])
    x = torch.randn(2, 3, 4, 4)
    one = block[0]([x])
    torch.testing.assert_close(block(x), torch.cat([x, one, block[1]([x, one])], 1))


def test_norms_are_torchvision_s_and_nothing_is_dropped():
    norms = [m for m in densenet121().modules() if isinstance(m, nn.BatchNorm2d)]
    assert {(norm.eps, norm.momentum) for norm in norms} == {(1e-5, 0.1)}
    assert {m.p for m in densenet121().modules() if isinstance(m, nn.Dropout)} == {0.0}


def test_the_cifar_net_is_plain():
    model = densenet_cifar()
    assert len([m for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear)]) == 40
    assert [cost.shape for cost in summary(model, (3, 32, 32)) if cost.kind == "DenseBlock"] == [
        (160, 32, 32), (304, 16, 16), (448, 8, 8),
    ]  # fmt: skip


def small(layer: Callable[[int, int], DenseLayer]) -> DenseNet:
    stem = OrderedDict(conv=nn.Conv2d(3, 8, 3, padding=1))
    return DenseNet(stem, 8, layer, blocks=(3, 2), growth=4, compression=0.5, num_classes=4)


def gradients(model: nn.Module, images: torch.Tensor) -> list[torch.Tensor]:
    F.cross_entropy(model(images), torch.arange(len(images))).backward()
    return [parameter.grad for parameter in model.parameters()]


@pytest.mark.parametrize("layer", [plain_layer, bottleneck_layer])
def test_checkpointing_changes_no_gradient_and_counts_each_batch_once(layer):
    torch.manual_seed(0)
    plain, images = small(layer), torch.randn(4, 3, 8, 8)
    saving = checkpointed(copy.deepcopy(plain))
    torch.testing.assert_close(gradients(saving, images), gradients(plain, images))
    torch.testing.assert_close(saving.state_dict(), plain.state_dict(), rtol=0, atol=0)
    assert saving.features.dense_block1[0].first[0].num_batches_tracked == 1
    torch.testing.assert_close(saving.eval()(images), plain.eval()(images))


def test_checkpointing_halves_what_training_keeps():
    model = built("densenet121")
    whole = summary(model, (3, 224, 224), depth=1)[-1].saved
    assert summary(checkpointed(model), (3, 224, 224), depth=1)[-1].saved <= 0.5 * whole


def test_what_a_checkpointed_net_really_keeps_is_what_the_summary_says():
    model = checkpointed(small(bottleneck_layer))
    assert saved_bytes(model, torch.randn(2, 3, 8, 8)) == 2 * summary(model, (3, 8, 8))[-1].saved
