import pytest
import torch
from torch import nn

from cnnlib.analysis import summary, table
from cnnlib.models import MODELS, lenet

SHAPES = {"lenet": (1, 32, 32)}


def by_hand(layer: nn.Module, shape: tuple[int, ...]) -> int:
    """Multiply-adds from the textbook: weights times output places."""
    if isinstance(layer, nn.Conv2d):
        return layer.weight.numel() * shape[1] * shape[2]
    return layer.weight.numel() if isinstance(layer, nn.Linear) else 0


@pytest.mark.parametrize("name", MODELS)
def test_costs_are_those_counted_by_hand(name):
    model = MODELS[name]()
    costs = {cost.name: cost for cost in summary(model, SHAPES.get(name, (1, 28, 28)), depth=9)}
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


def test_it_needs_no_memory_and_leaves_the_model_alone():
    with torch.device("meta"):
        huge = nn.Conv2d(3, 1_000_000, 99)  # 117 GB of weights, were they real
    assert summary(huge, (3, 224, 224))[-1].parameters == 1_000_000 * (3 * 99 * 99 + 1)
    model = lenet().train()
    summary(model, (1, 32, 32))
    assert model.training and not model.features._forward_hooks
    assert next(model.parameters()).device.type == "cpu"


def test_a_wrong_size_is_explained():
    with pytest.raises(ValueError, match="It takes 1×32×32"):
        summary(lenet(), (1, 28, 28))


def test_the_table_has_a_row_a_module_and_whole_numbers():
    text = table(summary(lenet(), (1, 32, 32), depth=1)).splitlines()
    assert len(text) == 4 and "16×5×5" in text[1] and "61,706" in text[3] and "416,520" in text[3]
