import importlib

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnnlib.analysis import recording, summary
from cnnlib.layers import Concat
from cnnlib.models import googlenet, googlenet_2014, googlenet_cifar
from cnnlib.models.googlenet import auxiliary_loss, conv_bias_act
from cnnlib.training import cross_entropy
from cnnlib.vision import torchvision
from cnnlib.weights import load_in_order
from tests.models.twins import fill, uniform

ALEXNET_2012 = 60_965_224


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def built(constructor, *arguments, **keywords) -> nn.Module:
    with torch.device("meta"):
        return constructor(*arguments, **keywords)


def costs(model: nn.Module, *shape: int) -> dict:
    return {cost.name.removeprefix("features."): cost for cost in summary(model, shape)}


@pytest.mark.parametrize(
    ("constructor", "plain", "with_heads"),
    [(googlenet_2014, 6_998_552, 13_378_280), (googlenet, 7_005_832, 13_385_816), (googlenet_cifar, 372_578, 648_822)],
)
def test_parameters(constructor, plain, with_heads):
    assert count(built(constructor)) == plain
    model = built(constructor, auxiliary=True)
    assert count(model) == with_heads and count(model.features) + count(model.classifier) == plain


def test_weights_and_biases_of_each_module():
    modules = {name: cost.parameters for name, cost in costs(built(googlenet_2014), 3, 224, 224).items()}
    assert {name[-2:]: count for name, count in modules.items() if "inception" in name} == {
        "3a": 163_696, "3b": 388_736, "4a": 376_176, "4b": 449_160, "4c": 510_104, "4d": 605_376, "4e": 868_352,
        "5a": 1_043_456, "5b": 1_444_080,
    }  # fmt: skip


@pytest.mark.parametrize("constructor", [googlenet_2014, googlenet])
def test_maps_have_the_sizes_of_table_1(constructor):
    shapes = {name: cost.shape for name, cost in costs(built(constructor), 3, 224, 224).items()}
    assert [shapes[name] for name in ("conv1", "pool1", "conv2_reduce", "conv2", "pool2")] == [
        (64, 112, 112), (64, 56, 56), (64, 56, 56), (192, 56, 56), (192, 28, 28),
    ]  # fmt: skip
    assert [shapes[f"inception_{name}"] for name in ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")] == [
        (256, 28, 28), (480, 28, 28), (512, 14, 14), (512, 14, 14), (512, 14, 14), (528, 14, 14), (832, 14, 14),
        (832, 7, 7), (1024, 7, 7),
    ]  # fmt: skip
    assert shapes["pool3"] == (480, 14, 14) and shapes["pool4"] == (832, 7, 7)


@pytest.mark.parametrize(("size", "sides"), [(224, (56, 28, 14, 7)), (225, (56, 28, 14, 7)), (299, (75, 37, 18, 9))])
def test_the_last_window_of_a_pool_may_hang_over_the_edge(size, sides):
    # Padding by one instead would make 57, 29, 15, 8 of 225 and 75, 38, 19, 10 of 299.
    shapes = {name: cost.shape for name, cost in costs(built(googlenet), 3, size, size).items()}
    assert tuple(shapes[f"pool{number}"][1] for number in (1, 2, 3, 4)) == sides


def test_operations_are_those_of_table_1():
    macs = {name: cost.macs for name, cost in costs(built(googlenet_2014), 3, 224, 224).items()}
    assert [macs[f"inception_{name}"] // 10**6 for name in ("3a", "3b", "4a")] == [128, 304, 73]


def test_22_layers_have_weights_and_5_more_pool():
    model = built(googlenet_2014)
    parts = list(model.features)
    longest = [
        max(len([m for m in branch.modules() if isinstance(m, nn.Conv2d)]) for branch in part)
        if isinstance(part, Concat)
        else len([m for m in part.modules() if isinstance(m, nn.Conv2d)])
        for part in parts
    ]
    pools = [m for m in (*parts, *model.classifier) if isinstance(m, nn.MaxPool2d | nn.AdaptiveAvgPool2d)]
    assert sum(longest) + 1 == 22 and len(pools) == 5


def test_4b_to_4d_take_512_channels_and_the_stem_reduces_before_its_3x3():
    # Listings in circulation say 504, which cannot run, and leave out the reduction with its 4,160 parameters.
    model = built(googlenet_2014)
    assert [model.features.get_submodule(f"inception_4{x}")[0][0].in_channels for x in "bcd"] == [512, 512, 512]
    assert count(model.features.conv2_reduce) == 4_160 == count(model) - 6_994_392


def test_every_branch_of_a_module_keeps_the_size():
    model = built(googlenet)
    pools = [part[3][0] for part in model.features if isinstance(part, Concat)]
    assert {(pool.kernel_size, pool.stride, pool.padding) for pool in pools} == {(3, 1, 1)} and len(pools) == 9
    assert {part[2][1][0].kernel_size for part in model.features if isinstance(part, Concat)} == {(5, 5)}


def test_2014_knew_biases_and_response_normalisation_and_no_batch_norm():
    old, new = built(googlenet_2014), built(googlenet)
    assert all(m.bias is not None for m in old.modules() if isinstance(m, nn.Conv2d))
    assert not [m for m in old.modules() if isinstance(m, nn.BatchNorm2d)]
    assert list(old.features._modules)[:7] == ["conv1", "pool1", "norm1", "conv2_reduce", "conv2", "norm2", "pool2"]
    norms = [m for m in old.modules() if isinstance(m, nn.LocalResponseNorm)]
    assert [(norm.size, norm.alpha, norm.beta, norm.k) for norm in norms] == [(5, 1e-4, 0.75, 1.0)] * 2
    assert all(m.bias is None for m in new.modules() if isinstance(m, nn.Conv2d))
    assert {(m.eps, m.momentum) for m in new.modules() if isinstance(m, nn.BatchNorm2d)} == {(1e-5, 0.1)}


@pytest.mark.parametrize("constructor", [googlenet_2014, googlenet, googlenet_cifar])
def test_dropout_is_the_papers(constructor):
    model = built(constructor, auxiliary=True)
    assert [m.p for m in model.classifier if isinstance(m, nn.Dropout)] == [0.4]
    assert [[m.p for m in head if isinstance(m, nn.Dropout)] for head in model.heads.values()] == [[0.7], [0.7]]
    assert not [m for m in model.features.modules() if isinstance(m, nn.Dropout)]


def test_the_slogan_of_12_times_fewer_than_alexnet_counts_5_million():
    model = built(googlenet_2014, auxiliary=True)
    assert round(ALEXNET_2012 / (count(model) - count(model.heads)), 2) == 8.71
    assert round(ALEXNET_2012 / count(model), 2) == 4.56


def test_auxiliary_classifiers_have_two_fully_connected_layers_each_and_half_of_the_parameters():
    model = built(googlenet_2014, auxiliary=True)
    assert list(model.heads) == ["inception_4a", "inception_4d"]
    assert [len([m for m in head if isinstance(m, nn.Linear)]) for head in model.heads.values()] == [2, 2]
    assert count(model.heads) == 6_379_728 and round(100 * count(model.heads) / count(model), 1) == 47.7


def test_auxiliary_classifiers_pool_5x5_windows_3_apart_and_not_a_quarter_of_the_map():
    pool = built(googlenet_2014, auxiliary=True).heads["inception_4a"][0]
    ramp = torch.arange(14.0).expand(1, 14, 14)
    assert pool(ramp)[0, 0].tolist() == [2, 5, 8, 11]
    assert F.adaptive_avg_pool2d(ramp, 4)[0, 0].tolist() == [1.5, 4.5, 8.5, 11.5]  # torchvision, and listings


def test_auxiliary_classifiers_are_torchvision_s_behind_the_papers_pool():
    torchvision()
    maps = torch.randn(2, 512, 14, 14)
    pooled = F.avg_pool2d(maps, 5, stride=3)  # torchvision's adaptive pool leaves 4×4 alone
    twin = importlib.import_module("torchvision.models.googlenet").InceptionAux(512, 10)
    twin.conv.bn.eps = 1e-5
    fill(twin, pooled, uniform())
    head = googlenet(10, auxiliary=True).heads["inception_4a"].eval()
    load_in_order(head, twin.state_dict())
    assert torch.equal(head(maps), twin(pooled))


@pytest.mark.parametrize("constructor", [googlenet_2014, googlenet])
def test_auxiliary_logits_of_the_big_nets(constructor):
    model = built(constructor, 7, auxiliary=True)
    images, labels = torch.empty(2, 3, 224, 224, device="meta"), torch.empty(2, dtype=torch.long, device="meta")
    loss, logits = auxiliary_loss(model, images, labels)
    assert loss.shape == () and logits.shape == (2, 7)


def test_auxiliary_losses_count_three_tenths():
    torch.manual_seed(0)
    model = googlenet_cifar(auxiliary=True).eval()
    images, labels = torch.randn(2, 3, 32, 32), torch.tensor([3, 7])
    with torch.no_grad():
        loss, logits = auxiliary_loss(model, images, labels)
        with recording(model, "features.inception_4a", "features.inception_4d") as maps:
            main, expected = cross_entropy(model, images, labels)
        extra = [F.cross_entropy(model.heads[name.partition(".")[2]](m), labels) for name, m in maps.items()]
    assert torch.equal(logits, expected) and len(extra) == 2
    torch.testing.assert_close(loss, main + 0.3 * sum(extra))


def test_only_the_auxiliary_loss_runs_the_auxiliary_classifiers():
    model = googlenet_cifar(auxiliary=True).train()
    images, labels = torch.randn(2, 3, 32, 32), torch.tensor([3, 7])
    cross_entropy(model, images, labels)[0].backward()
    assert all(p.grad is None for p in model.heads.parameters())
    assert all(p.grad is not None for part in (model.features, model.classifier) for p in part.parameters())
    auxiliary_loss(model, images, labels)[0].backward()
    assert all(p.grad is not None for p in model.heads.parameters())


def test_the_auxiliary_loss_refuses_a_net_without_auxiliary_classifiers():
    with pytest.raises(ValueError, match="auxiliary=True"):
        auxiliary_loss(googlenet_cifar(), torch.randn(2, 3, 32, 32), torch.tensor([3, 7]))


def test_the_cifar_net_has_stages_of_32_16_and_8_pixels_and_does_without_batch_norm_if_asked():
    shapes = {name: cost.shape for name, cost in costs(built(googlenet_cifar), 3, 32, 32).items()}
    assert [shapes[f"inception_{name}"] for name in ("3b", "4e", "5b")] == [(120, 32, 32), (208, 16, 16), (256, 8, 8)]
    model = googlenet_cifar(1, 4, conv=conv_bias_act)
    assert not [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    model(torch.randn(2, 1, 16, 16)).sum().backward()
    assert all(p.grad is not None for p in model.parameters())
