from math import sqrt

import pytest
import torch
from torch import nn

from cnnlib.analysis import summary
from cnnlib.layers import ConvNormAct
from cnnlib.models import MODELS, resnet18, resnet34, resnet50
from cnnlib.models.resnet import Residual, basic_block, bottleneck_block
from tests.models.twins import macs_of_torchvision

PARAMETERS = {18: 11_689_512, 34: 21_797_672, 50: 25_557_032, 101: 44_549_160, 152: 60_192_808}


def built(constructor, *arguments) -> nn.Module:
    with torch.device("meta"):
        return constructor(*arguments)


def convs(module: nn.Module) -> list[nn.Conv2d]:
    return [m for m in module.modules() if isinstance(m, nn.Conv2d)]


def weights(module: nn.Module) -> int:
    return sum(conv.weight.numel() for conv in convs(module))


@pytest.mark.parametrize("depth", PARAMETERS)
def test_parameters_layers_and_multiply_adds(depth):
    model = built(MODELS[f"resnet{depth}"])
    assert sum(p.numel() for p in model.parameters()) == PARAMETERS[depth]
    blocks = [m for m in model.modules() if isinstance(m, Residual)]
    assert len(convs(model.features.conv1)) + sum(len(convs(block.branch)) for block in blocks) + 1 == depth
    assert round(summary(model, (3, 224, 224))[-1].macs / 1e9, 3) == macs_of_torchvision(f"resnet{depth}")


@pytest.mark.parametrize(("constructor", "expansion"), [(resnet18, 1), (resnet50, 4)])
def test_maps_have_the_sizes_of_table_1(constructor, expansion):
    shapes = [cost.shape for cost in summary(built(constructor), (3, 224, 224)) if cost.name.startswith("features.")]
    assert shapes == [
        (64, 112, 112), (64, 56, 56),
        *[(expansion * width, side, side) for width, side in ((64, 56), (128, 28), (256, 14), (512, 7))],
    ]  # fmt: skip


@pytest.mark.parametrize(("depth", "spared"), [(18, 4_800), (34, 8_512), (50, 26_560), (101, 52_672), (152, 75_712)])
def test_convolutions_before_a_norm_have_no_bias(depth, spared):
    layers = convs(built(MODELS[f"resnet{depth}"]))
    assert all(conv.bias is None for conv in layers) and sum(conv.out_channels for conv in layers) == spared


@pytest.mark.parametrize("constructor", [resnet18, resnet50])
def test_no_module_is_built_for_nothing(constructor):
    model = built(constructor)
    model(torch.empty(2, 3, 64, 64, device="meta")).sum().backward()
    assert all(p.grad is not None for p in model.parameters())


def test_a_bottleneck_is_1x1_3x3_1x1_with_a_quarter_of_the_channels_between_and_the_stride_on_the_3x3():
    branch = convs(bottleneck_block(256, 128, 2).branch)
    assert [conv.kernel_size for conv in branch] == [(1, 1), (3, 3), (1, 1)]
    assert [conv.stride for conv in branch] == [(1, 1), (2, 2), (1, 1)]
    assert [conv.out_channels for conv in branch] == [128, 128, 512]


@pytest.mark.parametrize("block", [basic_block(8, 8, 1), bottleneck_block(8, 2, 1)])
def test_the_last_relu_comes_after_the_addition(block):
    torch.manual_seed(0)
    x = torch.randn(2, 8, 6, 6)
    branch = block.eval().branch(x)
    assert branch.min() < 0 and torch.equal(block(x), (branch + x).relu())


def test_the_shortcut_is_the_identity_unless_the_shape_changes():
    blocks = [m for m in built(resnet50).modules() if isinstance(m, Residual)]
    assert [isinstance(block.shortcut, nn.Identity) for block in blocks] == [
        *(False, True, True), *(False, True, True, True), *(False, *(True,) * 5), *(False, True, True),
    ]  # fmt: skip


def test_a_bottleneck_is_17_times_smaller_than_no_net_s_alternative_and_as_large_as_the_papers():
    wide, narrow, bottleneck = basic_block(256, 256, 1), basic_block(64, 64, 1), bottleneck_block(256, 64, 1)
    assert (weights(wide), weights(narrow), weights(bottleneck)) == (1_179_648, 73_728, 69_632)
    assert round(weights(wide) / weights(bottleneck), 2) == 16.94
    assert round(weights(narrow) / weights(bottleneck), 2) == 1.06
    assert PARAMETERS[50] > PARAMETERS[34]  # bottlenecks and all


def test_projections_of_option_b():
    for constructor, count in ((resnet34, 173_824), (resnet50, 2_776_576)):
        shortcuts = [m.shortcut for m in built(constructor).modules() if isinstance(m, Residual)]
        assert sum(p.numel() for shortcut in shortcuts for p in shortcut.parameters()) == count


def test_one_image_of_32_pixels_cannot_train_for_its_last_maps_have_one_pixel():
    model = built(resnet18)
    image = torch.empty(1, 3, 32, 32, device="meta")
    assert model.features(image.expand(2, -1, -1, -1)).shape == (2, 512, 1, 1)
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        model.train()(image)
    assert model.eval()(image).shape == (1, 1000)


def test_weights_start_like_he_s_and_no_norm_at_zero():
    torch.manual_seed(0)
    model = resnet18()
    for conv in convs(model)[1:]:
        expected = sqrt(2 / (conv.out_channels * conv.kernel_size[0] ** 2))
        assert abs(conv.weight.std() / expected - 1) < 0.05
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    assert all(bool((norm.weight == 1).all() and (norm.bias == 0).all()) for norm in norms)
    assert {(norm.eps, norm.momentum) for norm in norms} == {(1e-5, 0.1)}


def test_with_a_small_stem_and_ten_classes_resnet18_has_11_million():
    # The usual port to 32×32 images: a 3×3 convolution, no pool.
    model = built(resnet18, 10)
    with torch.device("meta"):
        model.features.conv1, model.features.pool = ConvNormAct(3, 64, 3), nn.Identity()
    assert sum(p.numel() for p in model.parameters()) == 11_173_962
    assert model.features(torch.empty(2, 3, 32, 32, device="meta")).shape == (2, 512, 4, 4)
