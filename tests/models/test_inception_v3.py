import importlib

import torch
from torch import nn

from cnnlib.analysis import summary
from cnnlib.models import googlenet, inception_v2, inception_v3, inception_v3_cifar
from cnnlib.models.googlenet import auxiliary_loss
from cnnlib.vision import torchvision
from cnnlib.weights import load_in_order
from tests.models.twins import fill, macs_of_torchvision, uniform


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def built(constructor, **keywords) -> nn.Module:
    with torch.device("meta"):
        return constructor(**keywords)


def test_parameters():
    assert count(built(inception_v3)) == 23_834_568 and count(built(inception_v3, auxiliary=True)) == 27_161_264
    assert count(built(inception_v3_cifar)) == 344_646


def test_v3_has_more_parameters_than_its_predecessors():
    # It spends them on channels, not on kernels: its tricks make each convolution cheaper, not the net.
    assert count(built(inception_v3)) > 2 * count(built(inception_v2)) > 3 * count(built(googlenet))


def test_the_auxiliary_classifier_is_torchvision_s():
    torchvision()
    maps = torch.randn(2, 768, 17, 17)
    twin = importlib.import_module("torchvision.models.inception").InceptionAux(768, 10)
    with torch.no_grad():
        fill(twin, maps, uniform())
    head = inception_v3(10, auxiliary=True).heads["mixed_6e"].eval()
    load_in_order(head, twin.state_dict())
    assert torch.equal(head(maps), twin(maps))


def test_the_auxiliary_loss_of_googlenet_trains_it():
    model = built(inception_v3, auxiliary=True)
    images, labels = torch.empty(2, 3, 299, 299, device="meta"), torch.empty(2, dtype=torch.long, device="meta")
    loss, logits = auxiliary_loss(model, images, labels)
    loss.backward()
    assert logits.shape == (2, 1000) and all(p.grad is not None for p in model.parameters())


def test_maps_have_the_sizes_of_table_1_and_the_cost_is_torchvision_s():
    costs = {cost.name.removeprefix("features."): cost for cost in summary(built(inception_v3), (3, 299, 299))}
    stem = ("conv_1a", "conv_2a", "conv_2b", "pool_3a", "conv_3b", "conv_4a", "pool_5a")
    assert [costs[name].shape for name in stem] == [
        (32, 149, 149), (32, 147, 147), (64, 147, 147), (64, 73, 73), (80, 73, 73), (192, 71, 71), (192, 35, 35),
    ]  # fmt: skip
    modules = {name: cost.shape for name, cost in costs.items() if name.startswith("mixed")}
    assert list(modules.values()) == [
        (256, 35, 35), (288, 35, 35), (288, 35, 35), *[(768, 17, 17)] * 5, (1280, 8, 8), *[(2048, 8, 8)] * 2,
    ]  # fmt: skip
    assert round(costs[""].macs / 1e9, 3) == macs_of_torchvision("inception_v3") == 5.713


def test_large_kernels_are_split_on_the_small_maps_only():
    features = built(inception_v3).features
    kernels = {name: {m.kernel_size for m in part.modules() if isinstance(m, nn.Conv2d)} for name, part in
               features.named_children() if name.startswith("mixed")}  # fmt: skip
    assert kernels["mixed_5d"] == {(1, 1), (3, 3), (5, 5)}
    assert kernels["mixed_6e"] == {(1, 1), (1, 7), (7, 1)}
    assert kernels["mixed_7c"] == {(1, 1), (3, 3), (1, 3), (3, 1)}


def test_norms_and_dropout_are_torchvision_s():
    model = built(inception_v3, auxiliary=True)
    assert {(m.eps, m.momentum) for m in model.modules() if isinstance(m, nn.BatchNorm2d)} == {(1e-3, 0.1)}
    assert [m.p for m in model.classifier if isinstance(m, nn.Dropout)] == [0.5]
    assert {m.p for m in model.heads.modules() if isinstance(m, nn.Dropout)} == {0.0}


def test_the_cifar_net_has_maps_of_nearly_the_papers_sizes_and_trains():
    shapes = {cost.name: cost.shape for cost in summary(built(inception_v3_cifar), (3, 32, 32))}
    assert [shapes[f"features.mixed_{name}"] for name in ("5d", "6e", "7c")] == [
        (36, 32, 32), (96, 15, 15), (256, 7, 7),
    ]  # fmt: skip
    model = inception_v3_cifar()
    model(torch.randn(2, 3, 32, 32)).sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    assert inception_v3_cifar(1, 4).eval()(torch.randn(1, 1, 28, 28)).shape == (1, 4)
