import torch
from torch import nn
from torch.nn import functional as F

from cnnlib.analysis import summary
from cnnlib.models import alexnet_2012, zfnet, zfnet_cifar
from cnnlib.models.zfnet import FIGURE_3


def test_parameters_layer_by_layer():
    with torch.device("meta"):
        model = zfnet()
    weighted = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    counts = [sum(p.numel() for p in layer.parameters()) for layer in weighted]
    assert counts == [14_208, 614_656, 885_120, 1_327_488, 884_992, 37_752_832, 16_781_312, 4_097_000]
    assert sum(counts) == sum(p.numel() for p in model.parameters()) == 62_357_608


def test_maps_have_the_sizes_of_figure_3():
    with torch.device("meta"):
        costs = {cost.name: cost.shape for cost in summary(zfnet(), (3, 224, 224))}
    assert [costs[f"features.{name}"] for name in ("conv1", "norm1", "conv2", "norm2", "conv3", "conv4", "conv5")] == [
        (96, 110, 110), (96, 55, 55), (256, 26, 26), (256, 13, 13), (384, 13, 13), (384, 13, 13), (256, 13, 13),
    ]  # fmt: skip
    assert costs["features"] == (256, 6, 6)


def test_the_base_network_has_384_384_256_maps_in_c3_to_c5():
    # 512-1024-512 (often printed "512, 512, 1024") belongs to a later variant.
    assert [row[0] for row in FIGURE_3] == [96, 256, 384, 384, 256]


def test_110_needs_padding_one():
    sides = [nn.Conv2d(3, 1, 7, 2, padding)(torch.zeros(1, 3, 224, 224)).shape[2] for padding in (0, 1, 3)]
    assert sides == [109, 110, 112]


def test_the_finer_stem_costs_half_as_much_again():
    with torch.device("meta"):
        ours, older = (summary(build(), (3, 224, 224))[-1].macs for build in (zfnet, alexnet_2012))
    assert ours == 1_168_032_896 and 1.5 < ours / older < 1.7


def test_no_groups_and_pools_before_norms():
    with torch.device("meta"):
        model = zfnet()
    assert {layer.groups for layer in model.modules() if isinstance(layer, nn.Conv2d)} == {1}
    names = [name for name, _ in model.features.named_children()]
    assert names == [
        "conv1", "relu1", "pool1", "norm1", "conv2", "relu2", "pool2", "norm2",
        "conv3", "relu3", "conv4", "relu4", "conv5", "relu5", "pool5",
    ]  # fmt: skip
    norm = model.features.norm2
    assert (norm.size, norm.alpha, norm.beta, norm.k) == (5, 5e-4, 0.75, 2)
    kinds = [type(layer).__name__ for layer in model.classifier]
    assert kinds == ["Flatten", "Linear", "ReLU", "Dropout", "Linear", "ReLU", "Dropout", "Linear"]
    assert {layer.p for layer in model.classifier if isinstance(layer, nn.Dropout)} == {0.5}


def test_zfnet_cifar_is_small_and_trains():
    model = zfnet_cifar()
    assert sum(p.numel() for p in model.parameters()) == 367_082
    assert model.features(torch.randn(2, 3, 32, 32)).shape == (2, 64, 2, 2)
    logits = model.train()(torch.randn(2, 3, 32, 32))
    assert logits.shape == (2, 10)
    F.cross_entropy(logits, torch.tensor([0, 9])).backward()
    assert all(p.grad.isfinite().all() and p.grad.abs().sum() > 0 for p in model.parameters())
    assert zfnet_cifar(1, 7)(torch.randn(2, 1, 32, 32)).shape == (2, 7)
