import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnnlib.analysis import summary
from cnnlib.models import alexnet, alexnet_2012, alexnet_cifar
from cnnlib.models.alexnet import TWO_TOWERS, AlexNet, classifier_2012, convolutions
from tests.models.twins import macs_of_torchvision


def parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def sides(rows: list[tuple[int, ...]], size: int) -> list[int]:
    """The side of the maps after each convolution and pool."""
    costs = summary(convolutions(3, rows), (3, size, size))
    return [cost.shape[1] for cost in costs if cost.kind in ("Conv2d", "MaxPool2d")]


def layers(model: nn.Module, kind: type[nn.Module]) -> list[nn.Module]:
    return [layer for layer in model.modules() if isinstance(layer, kind)]


def test_three_alexnets_have_three_sizes():
    ungrouped = [(*row[:4], 1) for row in TWO_TOWERS]
    with torch.device("meta"):
        assert parameters(alexnet()) == 61_100_840
        assert parameters(alexnet_2012()) == 60_965_224
        assert parameters(AlexNet(convolutions(3, ungrouped), classifier_2012(9216, 4096, 1000))) == 62_378_344


def test_parameters_of_2012_layer_by_layer():
    # The first row is often given as 34,848 = 11·11·3·96: that leaves the biases out.
    with torch.device("meta"):
        counts = [parameters(layer) for layer in layers(alexnet_2012(), nn.Conv2d | nn.Linear)]
    assert counts == [34_944, 307_456, 885_120, 663_936, 442_624, 37_752_832, 16_781_312, 4_097_000]
    assert counts[0] == 11 * 11 * 3 * 96 + 96


def test_units_of_2012_layer_by_layer():
    with torch.device("meta"):
        costs = summary(alexnet_2012(), (3, 224, 224))
    units = [torch.Size(cost.shape).numel() for cost in costs if cost.kind in ("Conv2d", "Linear")]
    # The paper prints 253,440 = 55·48·96 for the first layer; 55·55 maps have more.
    assert units == [290_400, 186_624, 64_896, 64_896, 43_264, 4096, 4096, 1000]
    assert 55 * 48 * 96 == 253_440


@pytest.mark.parametrize("build", [alexnet, alexnet_2012])
def test_maps_have_the_sizes_of_the_paper(build):
    with torch.device("meta"):
        costs = summary(build(), (3, 224, 224))
    convs_and_pools = [cost.shape[1] for cost in costs if cost.kind in ("Conv2d", "MaxPool2d")]
    assert convs_and_pools == [55, 27, 27, 13, 13, 13, 13, 6]


def test_224_pixels_give_55_with_padding_two_and_54_without():
    unpadded = [(96, 11, 4, 0, 1), *TWO_TOWERS[1:]]
    assert sides(TWO_TOWERS, 224) == [55, 27, 27, 13, 13, 13, 13, 6]
    assert sides(unpadded, 224) == [54, 26, 26, 12, 12, 12, 12, 5]  # 256·5·5 = 6,400 inputs, not 9,216
    assert sides(unpadded, 227) == [55, 27, 27, 13, 13, 13, 13, 6]


def test_multiply_adds_are_those_of_torchvision():
    with torch.device("meta"):
        assert round(summary(alexnet(), (3, 224, 224))[-1].macs / 1e9, 3) == macs_of_torchvision("alexnet") == 0.714


def test_2012_has_two_towers_that_meet_in_c3():
    with torch.device("meta"):
        assert [conv.groups for conv in layers(alexnet_2012(), nn.Conv2d)] == [1, 2, 1, 2, 2]
        assert {conv.groups for conv in layers(alexnet(), nn.Conv2d)} == {1}


def test_pools_overlap():
    with torch.device("meta"):
        pools = layers(alexnet_2012(), nn.MaxPool2d) + layers(alexnet(), nn.MaxPool2d)
    assert [(pool.kernel_size, pool.stride) for pool in pools] == 6 * [(3, 2)]


def test_response_normalisation_is_the_formula_of_the_paper():
    with torch.device("meta"):
        model = alexnet_2012()
    names = [name for name, _ in model.features.named_children()]
    assert names[:8] == ["conv1", "relu1", "norm1", "pool1", "conv2", "relu2", "norm2", "pool2"]
    assert len(layers(model, nn.LocalResponseNorm)) == 2
    with torch.device("meta"):
        assert not layers(alexnet(), nn.LocalResponseNorm)
    maps = 100 * torch.rand(1, 9, 2, 2)
    for i in range(9):
        window = maps[:, max(0, i - 2) : i + 3]
        expected = maps[:, i] / (2 + 1e-4 * window.square().sum(1)) ** 0.75
        torch.testing.assert_close(model.features.norm1(maps)[:, i], expected)


def test_dropout_follows_the_hidden_layers_in_2012_and_precedes_them_in_torchvision():
    with torch.device("meta"):
        old, new = alexnet_2012().classifier, alexnet().classifier
    assert [type(layer).__name__ for layer in old] == [
        "Flatten", "Linear", "ReLU", "Dropout", "Linear", "ReLU", "Dropout", "Linear",
    ]  # fmt: skip
    assert [type(layer).__name__ for layer in new] == [
        "AdaptiveAvgPool2d", "Flatten", "Dropout", "Linear", "ReLU", "Dropout", "Linear", "ReLU", "Linear",
    ]  # fmt: skip
    assert {layer.p for layer in [*old, *new] if isinstance(layer, nn.Dropout)} == {0.5}


def test_2012_begins_as_the_paper_says():
    weighted = layers(alexnet_2012(num_classes=10), nn.Conv2d | nn.Linear)
    assert [layer.bias.mean().item() for layer in weighted] == [0, 1, 0, 1, 1, 1, 1, 0]
    assert all(layer.weight.std().item() == pytest.approx(0.01, rel=0.03) for layer in weighted)


def test_alexnet_cifar_is_small_and_trains():
    model = alexnet_cifar()
    assert parameters(model) == 370_394
    logits = model.train()(torch.randn(2, 3, 32, 32))
    assert logits.shape == (2, 10)
    F.cross_entropy(logits, torch.tensor([0, 9])).backward()
    assert all(p.grad.isfinite().all() and p.grad.abs().sum() > 0 for p in model.parameters())
    assert alexnet_cifar(1, 7)(torch.randn(2, 1, 32, 32)).shape == (2, 7)
    assert model.features(torch.randn(2, 3, 32, 32)).shape == (2, 64, 3, 3)
