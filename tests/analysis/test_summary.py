import time
from inspect import signature

import pytest
import torch
from torch import nn

from cnnlib.analysis import summary, table
from cnnlib.layers import ConvNormAct
from cnnlib.models import MODELS, lenet
from cnnlib.models.efficientnet import efficientnet_b7


def shape_of(name: str) -> tuple[int, int, int]:
    """One image for a constructor that takes small ones: those of cnn and mlp stay 28×28, the others are padded."""
    parameters = signature(MODELS[name]).parameters
    channels = parameters["in_channels"].default if "in_channels" in parameters else 1
    size = parameters["image_size"].default if "image_size" in parameters else 32
    return channels, size, size


# From each family the first net that takes small images; tests/models holds the big ones to torchvision's counts.
SMALL = {}
for name, build in MODELS.items():
    if "in_channels" in signature(build).parameters:
        SMALL.setdefault(build.__module__, name)


def by_hand(layer: nn.Module, shape: tuple[int, ...]) -> int:
    """Multiply-adds from the textbook: kernels, their size, output places."""
    if isinstance(layer, nn.Conv2d):
        kernels = layer.out_channels * layer.in_channels // layer.groups
        return kernels * layer.kernel_size[0] * layer.kernel_size[1] * shape[1] * shape[2]
    return layer.weight.numel() if isinstance(layer, nn.Linear) else 0


@pytest.mark.parametrize("name", ["lenet5", "mlp", *SMALL.values()])
def test_costs_are_those_counted_by_hand(name):
    model = MODELS[name]()
    costs = {cost.name: cost for cost in summary(model, shape_of(name), depth=9)}
    leaves = [(path, layer) for path, layer in model.named_modules() if not list(layer.children())]
    for path, layer in leaves:
        assert costs[path].macs == by_hand(layer, costs[path].shape)
    assert costs[""].macs == sum(costs[path].macs for path, _ in leaves) > 0
    assert costs[""].parameters == sum(p.numel() for p in model.parameters())


def test_parents_count_their_children():
    costs = {cost.name: cost for cost in summary(lenet(), (1, 32, 32))}
    assert costs["features"].macs == 357_600 and costs["classifier"].macs == 58_920 and costs[""].macs == 416_520
    assert costs["features"].parameters == 2_572


def test_modules_come_in_the_order_they_run_and_no_deeper_than_asked():
    assert [cost.name for cost in summary(lenet(), (1, 32, 32), depth=1)] == ["features", "classifier", ""]


def test_grouped_convolutions_cost_their_share():
    whole, split = (summary(nn.Conv2d(8, 8, 3, groups=g), (8, 10, 10))[-1].macs for g in (1, 4))
    assert whole == 8 * 8 * 9 * 64 == 4 * split


def test_it_needs_no_memory_and_leaves_the_model_alone(monkeypatch):
    with torch.device("meta"):
        huge = nn.Conv2d(3, 1_000_000, 99)  # 117 GB of weights, were they real
    assert summary(huge, (3, 224, 224))[-1].parameters == 1_000_000 * (3 * 99 * 99 + 1)
    model = lenet().train()
    monkeypatch.setattr(nn.Parameter, "__deepcopy__", None)  # a weight that is copied fails
    summary(model, (1, 32, 32))
    assert model.training and not model.features._forward_hooks
    assert next(model.parameters()).device.type == "cpu"


FLOAT = 4  # bytes


def test_a_tensor_is_saved_where_it_is_kept_first():
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 4, 3))
    saved = [cost.saved for cost in summary(net, (3, 10, 10))]
    # The images; the ReLU's output, which the pool takes; eight-byte places of the maxima; the pool's output.
    assert saved[:-1] == [3 * 100 * FLOAT, 8 * 64 * FLOAT, 8 * 16 * 8, 8 * 16 * FLOAT]
    assert saved[-1] == sum(saved[:-1])


def test_a_module_that_runs_twice_saves_twice():
    twice = nn.Sequential(*[nn.Sigmoid()] * 2)
    assert [cost.saved for cost in summary(nn.Sequential(nn.Conv2d(1, 1, 1), twice), (1, 5, 5), depth=1)] == [
        25 * FLOAT, 50 * FLOAT, 75 * FLOAT
    ]  # fmt: skip
    assert summary(nn.Sequential(nn.Conv2d(1, 1, 1), twice), (1, 5, 5))[1].saved == 50 * FLOAT


def test_batch_norm_on_a_single_place_can_be_summed_up():
    net = nn.Sequential(nn.AdaptiveAvgPool2d(1), ConvNormAct(4, 6, 1))
    assert summary(net, (4, 8, 8))[-1].macs == 24


def test_gradients_may_be_switched_off_around_it():
    with torch.no_grad():
        assert summary(lenet(), (1, 32, 32))[-1].saved > 0


def test_the_largest_network_takes_seconds():
    with torch.device("meta"):
        model = efficientnet_b7()
    start = time.process_time()
    assert summary(model, (3, 600, 600))[-1].saved > 3e9
    assert time.process_time() - start < 3


def test_a_wrong_size_is_explained():
    with pytest.raises(ValueError, match="It takes 1×32×32"):
        summary(lenet(), (1, 28, 28))


def test_the_table_has_a_row_a_module_and_whole_numbers():
    text = table(summary(lenet(), (1, 32, 32), depth=1)).splitlines()
    assert len(text) == 4 and "16×5×5" in text[1] and "61,706" in text[3] and "416,520" in text[3]


@pytest.mark.parametrize("name", SMALL.values())
def test_the_table_fits_a_line_of_a_hundred_characters(name):
    assert max(map(len, table(summary(MODELS[name](), shape_of(name))).splitlines())) <= 100
