import torch
from torch import nn

from cnnlib.analysis import summary
from cnnlib.layers import Concat
from cnnlib.models import googlenet_2014, inception_v2, inception_v2_cifar
from cnnlib.models.inception_v2 import AVG, MAX, MODULES


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def built(constructor) -> nn.Module:
    with torch.device("meta"):
        return constructor()


def costs(model: nn.Module, size: int) -> dict:
    return {cost.name.removeprefix("features."): cost for cost in summary(model, (3, size, size))}


def test_parameters():
    assert count(built(inception_v2)) == 11_188_288 and count(built(inception_v2_cifar)) == 635_402


def test_parameters_by_hand_from_figure_5():
    # Convolutions without bias, two numbers a channel for its norm, a classifier with bias.
    def conv(before: int, after: int, kernel: int) -> int:
        return before * after * kernel**2 + 2 * after

    total = 3 * 8 * 49 + conv(24, 64, 1) + conv(64, 64, 1) + conv(64, 192, 3)
    channels = 192
    for c1, r3, c3, rd, d, _, pooled in MODULES.values():
        total += conv(channels, r3, 1) + conv(r3, c3, 3) + conv(channels, rd, 1) + conv(rd, d, 3) + conv(d, d, 3)
        total += conv(channels, c1, 1) + conv(channels, pooled, 1) if c1 else 0
        channels = c1 + c3 + d + (pooled if c1 else channels)
    assert total + 1000 * channels + 1000 == count(built(inception_v2))


def test_maps_have_the_sizes_of_figure_5():
    # Figure 5 prints 28×28 for 3c and 14×14 for 4e: the sizes that go in, as their stride of 2 says.
    shapes = {name: cost.shape for name, cost in costs(built(inception_v2), 224).items()}
    assert [shapes[name] for name in ("conv1", "pool1", "conv2", "pool2")] == [
        (64, 112, 112), (64, 56, 56), (192, 56, 56), (192, 28, 28),
    ]  # fmt: skip
    assert [shapes[f"inception_{name}"] for name in MODULES] == [
        (256, 28, 28), (320, 28, 28), (576, 14, 14), (576, 14, 14), (576, 14, 14), (576, 14, 14), (576, 14, 14),
        (1024, 7, 7), (1024, 7, 7), (1024, 7, 7),
    ]  # fmt: skip


def test_the_128_that_figure_5_prints_for_4c_and_4d_would_not_give_its_576():
    for name in ("4c", "4d"):
        c1, _, c3, _, double, _, pooled = MODULES[name]
        assert c1 + c3 + double + pooled == 576 and c1 + c3 + double + 128 == 608


def test_branches_pool_as_figure_5_says():
    pools = [branch for m in built(inception_v2).features if isinstance(m, Concat) for branch in [m[-1]]]
    kinds = [type(branch) if isinstance(branch, MAX) else type(branch[0]) for branch in pools]
    assert kinds == [AVG, AVG, MAX, AVG, AVG, AVG, AVG, MAX, AVG, MAX]
    assert [branch.stride if isinstance(branch, MAX) else branch[0].stride for branch in pools] == [
        1, 1, 2, 1, 1, 1, 1, 2, 1, 1,
    ]  # fmt: skip


def test_two_3x3_convolutions_stand_in_for_5x5():
    convs = [m for m in built(inception_v2).modules() if isinstance(m, nn.Conv2d)]
    assert {conv.kernel_size for conv in convs} == {(7, 7), (3, 3), (1, 1)}
    modules = [m for m in built(inception_v2).features if isinstance(m, Concat)]
    # Figure 5: each module is three layers deep.
    assert {max(len([c for c in b.modules() if isinstance(c, nn.Conv2d)]) for b in m) for m in modules} == {3}


def test_the_first_convolution_is_separable():
    stem = built(inception_v2).features.conv1
    assert stem[0].groups == 3 and stem[0].out_channels == 24
    assert sum(m.weight.numel() for m in stem.modules() if isinstance(m, nn.Conv2d)) == 2_712  # a full one has 9,408


def test_it_costs_about_30_percent_more_than_googlenet_but_has_60_percent_more_parameters():
    # The paper says 30 % and 25 %, and 13.6 million.
    ours, theirs = costs(built(inception_v2), 224), costs(built(googlenet_2014), 224)
    same_stem = theirs[""].macs - theirs["conv1"].macs + ours["conv1"].macs
    assert round(ours[""].macs / same_stem, 2) == 1.29 and round(ours[""].macs / theirs[""].macs, 2) == 1.22
    assert round(ours[""].parameters / theirs[""].parameters, 2) == 1.6


def test_every_convolution_is_normed_and_nothing_dropped():
    modules = list(built(inception_v2).modules())
    norms = [m for m in modules if isinstance(m, nn.BatchNorm2d)]
    assert {(norm.eps, norm.momentum) for norm in norms} == {(1e-3, 0.1)}
    # All but the first half of the separable convolution.
    assert len(norms) == len([m for m in modules if isinstance(m, nn.Conv2d)]) - 1
    assert all(m.bias is None for m in modules if isinstance(m, nn.Conv2d))
    assert {m.p for m in modules if isinstance(m, nn.Dropout)} == {0.0}


def test_the_cifar_net_has_stages_of_32_16_and_8_pixels_and_trains():
    shapes = {name: cost.shape for name, cost in costs(built(inception_v2_cifar), 32).items()}
    assert [shapes[f"inception_{name}"] for name in ("3b", "4d", "5b")] == [(80, 32, 32), (144, 16, 16), (256, 8, 8)]
    model = inception_v2_cifar()
    model(torch.randn(2, 3, 32, 32)).sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    assert inception_v2_cifar(1, 4).eval()(torch.randn(1, 1, 15, 15)).shape == (1, 4)
