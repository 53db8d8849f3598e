import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnnlib.analysis import summary
from cnnlib.models import MODELS, vgg11, vgg11_cifar, vgg16, vgg16_bn, vgg19, vgg_cifar
from tests.models.twins import macs_of_torchvision

PARAMETERS = {
    "vgg11": 132_863_336,
    "vgg13": 133_047_848,
    "vgg16": 138_357_544,
    "vgg19": 143_667_240,
    "vgg11_bn": 132_868_840,
    "vgg13_bn": 133_053_736,
    "vgg16_bn": 138_365_992,
    "vgg19_bn": 143_678_248,
    "vgg11_cifar": 9_231_114,
    "vgg_cifar": 579_786,
}
NETS = [name for name in PARAMETERS if "cifar" not in name]


def built(name: str) -> nn.Module:
    with torch.device("meta"):
        return MODELS[name]()


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters(name):
    assert sum(p.numel() for p in built(name).parameters()) == PARAMETERS[name]


@pytest.mark.parametrize("name", NETS)
def test_the_name_counts_the_layers_with_weights(name):
    layers = [m for m in built(name).modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert len(layers) == int(name.removeprefix("vgg").removesuffix("_bn"))


@pytest.mark.parametrize("name", NETS[:4])
def test_multiply_adds_are_those_of_torchvision(name):
    assert round(summary(built(name), (3, 224, 224))[-1].macs / 1e9, 3) == macs_of_torchvision(name)


def test_blocks_of_vgg16_have_the_sizes_of_table_1():
    costs = {cost.name: cost for cost in summary(built("vgg16"), (3, 224, 224))}
    blocks = [costs[f"features.block{number}"] for number in range(1, 6)]
    assert [block.shape for block in blocks] == [
        (64, 112, 112), (128, 56, 56), (256, 28, 28), (512, 14, 14), (512, 7, 7),
    ]  # fmt: skip
    assert [block.parameters for block in blocks] == [38_720, 221_440, 1_475_328, 5_899_776, 7_079_424]
    assert costs["features"].parameters == 14_714_688 and costs["classifier"].parameters == 123_642_856


@pytest.mark.parametrize("build", [vgg11, vgg16, vgg19])
def test_kernels_are_3x3_and_channels_double_up_to_512(build):
    with torch.device("meta"):
        model = build()
    for block, channels in zip(model.features, (64, 128, 256, 512, 512)):
        convolutions = [layer for layer in block if isinstance(layer, nn.Conv2d)]
        assert {(c.kernel_size, c.padding, c.out_channels) for c in convolutions} == {((3, 3), (1, 1), channels)}


def test_dropout_follows_each_hidden_layer():
    kinds = [type(layer).__name__ for layer in built("vgg16").classifier]
    assert kinds[2:] == ["Linear", "ReLU", "Dropout", "Linear", "ReLU", "Dropout", "Linear"]
    assert {layer.p for layer in built("vgg16").classifier if isinstance(layer, nn.Dropout)} == {0.5}


def test_batch_norm_has_torch_s_numbers_and_leaves_the_biases():
    with torch.device("meta"):
        model = vgg16_bn()
    norms = [layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert len(norms) == 13 and {(norm.eps, norm.momentum) for norm in norms} == {(1e-5, 0.1)}
    assert [type(layer).__name__ for layer in model.features.block1[:3]] == ["Conv2d", "BatchNorm2d", "ReLU"]
    assert all(layer.bias is not None for layer in model.modules() if isinstance(layer, nn.Conv2d))


def test_32_pixels_leave_512_features_where_the_linear_layer_expects_25088():
    features = built("vgg16").features(torch.empty(1, 3, 32, 32, device="meta"))
    assert features.shape == (1, 512, 1, 1)
    with torch.device("meta"), pytest.raises(RuntimeError, match="512"):
        nn.Linear(512 * 7 * 7, 4096)(features.flatten(1))


def test_begins_as_torchvision_does():
    model = vgg_cifar()
    first, last = model.features.block5[0], model.classifier[-1]
    assert first.weight.std().item() == pytest.approx((2 / (128 * 9)) ** 0.5, rel=0.02)  # He, counted over outputs
    assert last.weight.std().item() == pytest.approx(0.01, rel=0.1)
    assert first.bias.abs().sum() == last.bias.abs().sum() == 0


@pytest.mark.parametrize("build", [vgg11_cifar, vgg_cifar])
def test_cifar_nets_are_configuration_a_and_train(build):
    model = build()
    assert len([m for m in model.modules() if isinstance(m, nn.Conv2d)]) == 8
    assert len([m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]) == 8
    logits = model.train()(torch.randn(2, 3, 32, 32))
    assert logits.shape == (2, 10)
    F.cross_entropy(logits, torch.tensor([0, 9])).backward()
    weights = [p for name, p in model.named_parameters() if name.endswith("weight")]  # norms cancel the biases
    assert all(p.grad.isfinite().all() and p.grad.abs().sum() > 0 for p in weights)
    assert build(1, 7)(torch.randn(2, 1, 32, 32)).shape == (2, 7)
