"""The intervals are those of a second, independent way: the pixels whose gradient is not zero."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnlib.analysis import receptive_field, recording
from cnnlib.layers import Concat, SqueezeExcite
from cnnlib.models import MODELS, lenet

# Network: the field of its last maps, as the literature and the gradient have it.
FIELDS = {
    "alexnet": 195, "vgg16": 212, "googlenet": 715, "resnet18": 435, "resnet50": 427, "mnasnet1_0": 843,
    "inception_v3": 1311, "densenet_cifar": 174, "efficientnet_cifar": 119, "lenet5": 32, "preact_resnet20_cifar": 81,
}  # fmt: skip


class OneMap(nn.Module):
    """The convolution's window, all weights alike and positive, over the mean of its input maps."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        height, width = conv.kernel_size
        self.weight = torch.full((1, 1, height, width), 1 / (height * width), dtype=torch.float64)
        self.places = {"stride": conv.stride, "padding": conv.padding, "dilation": conv.dilation}

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x.mean(1, keepdim=True), self.weight, **self.places)


def softened(module: nn.Module) -> nn.Module:
    """A copy in which every unit depends on all it can see: one positive map a layer, average pools, nothing else."""
    if isinstance(module, nn.Conv2d):
        return OneMap(module)
    if isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
        return nn.AvgPool2d(module.kernel_size, module.stride, module.padding, module.ceil_mode)
    if not list(module.children()) or isinstance(module, SqueezeExcite):
        return nn.Identity()
    module = copy.copy(module)
    module._modules = {name: softened(child) for name, child in module.named_children()}
    return module


def on_meta(name: str) -> nn.Module:
    with torch.device("meta"):
        return MODELS[name]().features


def seen(features: nn.Module, side: int, unit: int, name: str = "") -> list[tuple[int, int]]:
    """First and last row, first and last column whose pixels change the unit in row and column `unit` of the maps."""
    image = torch.ones(1, 1, side, side, dtype=torch.float64, requires_grad=True)
    with recording(features, name) as outputs:
        features(image)
    (slopes,) = torch.autograd.grad(outputs[name][0, :, unit, unit].sum(), image)
    rows, columns = (slopes[0, 0].abs().sum(axis).nonzero().flatten() for axis in (1, 0))
    return [(int(line.min()), int(line.max())) for line in (rows, columns)]


def expected(field, unit: int) -> list[tuple[int, int]]:
    """The same from the room's arithmetic."""
    firsts = [start + unit * step for start, step in zip(field.start, field.step)]
    return [(first, first + size - 1) for first, size in zip(firsts, field.size)]


@pytest.mark.parametrize("name", FIELDS)
def test_the_fields_of_whole_networks_are_the_gradient_s(name):
    features = on_meta(name)
    field = receptive_field(features)[-1]
    assert field.size == (FIELDS[name],) * 2
    inside = -(-max(0, -field.start[0]) // field.step[0])  # the first unit whose field does not hang over the edge
    side = field.start[0] + (inside + 2) * field.step[0] + field.size[0]
    soft = softened(features)
    assert all(seen(soft, side, unit) == expected(field, unit) for unit in (inside, inside + 1))


@pytest.mark.parametrize("name", ["mixed_6b.1.1", "mixed_6b.1.2", "mixed_6e.2.3", "mixed_7c.1.1.0", "mixed_7c.1.1.1"])
def test_kernels_of_1x7_and_1x3_are_told_apart_on_the_two_axes(name):
    features = on_meta("inception_v3")
    (field,) = [field for field in receptive_field(features, depth=4) if field.name == name]
    unit = -(-max(-start for start in field.start) // field.step[0])
    side = max(field.size) + field.step[0]
    assert seen(softened(features), side, unit, name) == expected(field, unit)
    assert len(set(field.size)) == (1 if name == "mixed_6b.1.2" else 2)  # 1×7 and 7×1 in a row make 7×7


def test_a_net_with_its_own_channels_and_positive_weights_agrees():
    features = MODELS["resnet20_cifar"]().double().eval().features
    with torch.no_grad():
        for weight in features.parameters():
            weight.abs_()
    image = torch.ones(1, 3, 96, 96, dtype=torch.float64, requires_grad=True)
    (slopes,) = torch.autograd.grad(features(image)[0, :, 12, 12].sum(), image)
    rows = slopes[0].abs().sum((0, 2)).nonzero().flatten()
    assert [(int(rows.min()), int(rows.max()))] * 2 == expected(receptive_field(features)[-1], 12)


def test_rows_come_in_the_order_of_execution_and_the_whole_last():
    rows = receptive_field(lenet())
    assert [(row.name, row.size, row.step) for row in rows] == [
        ("0", (5, 5), (1, 1)), ("1", (5, 5), (1, 1)), ("2", (6, 6), (2, 2)),
        ("3", (14, 14), (2, 2)), ("4", (14, 14), (2, 2)), ("5", (16, 16), (4, 4)), ("", (16, 16), (4, 4)),
    ]  # fmt: skip
    names = [row.name for row in receptive_field(on_meta("vgg16"), depth=2)]
    assert names[:6] == ["block1.0", "block1.1", "block1.2", "block1.3", "block1.4", "block1"]


def test_dilation_padding_by_name_and_kernels_of_two_sizes():
    (field,) = receptive_field(nn.Conv2d(1, 1, (1, 7), dilation=2, padding="same"))
    assert (field.size, field.start) == ((1, 13), (0, -6))
    assert receptive_field(nn.Conv2d(1, 1, 5, padding="valid"))[0].start == (0, 0)


def test_branches_are_united_and_a_gate_is_left_out():
    branches = Concat(nn.Conv2d(4, 2, 1), nn.Conv2d(4, 2, (5, 3), padding=(2, 1)), nn.AvgPool2d(3, 1, 1))
    field = receptive_field(nn.Sequential(branches, SqueezeExcite(8, 2)), depth=3)[-1]
    assert (field.size, field.start) == ((5, 3), (-2, -1))


def test_a_whole_network_is_looked_at_up_to_its_last_maps_and_left_alone():
    model = lenet().train()
    assert receptive_field(model) == receptive_field(model.features)
    assert model.training and not model.features._forward_hooks


class Hidden(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.max_pool2d(F.relu(x), 2)


@pytest.mark.parametrize(
    ("model", "what"),
    [
        (nn.Sequential(nn.Conv2d(1, 1, 3), nn.Sequential(nn.Flatten())), "Flatten, in 1.0,"),
        (nn.Linear(4, 4), "Linear, in the model,"),
        (nn.Sequential(nn.AdaptiveAvgPool2d(1)), "AdaptiveAvgPool2d, in 0,"),
        (Hidden(), "max_pool2d, in the model,"),
    ],
)
def test_what_has_no_known_window_is_refused(model, what):
    with pytest.raises(ValueError, match=f"{what} is no layer whose window is known"):
        receptive_field(model)
