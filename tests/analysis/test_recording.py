import pytest
import torch
from torch import nn

from cnnlib.analysis import recording
from cnnlib.models import lenet, preact_resnet20_cifar, resnet20_cifar


def net() -> nn.Sequential:
    return nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU(), nn.Linear(2, 1, bias=False))


def hooks(model: nn.Module) -> int:
    return sum(len(module._forward_hooks) for module in model.modules())


def test_outputs_are_those_of_the_named_modules():
    model = net()
    nn.init.constant_(model[0].weight, -1.0)
    with recording(model, "0", "1") as outputs, torch.no_grad():
        model(torch.ones(1, 2))
    assert outputs["0"].tolist() == [[-2, -2]] and outputs["1"].tolist() == [[0, 0]]


def test_they_come_in_the_order_of_execution():
    model = lenet()
    with recording(model, "classifier", "features.3", "features.0") as outputs:
        model(torch.zeros(1, 1, 32, 32))
    assert list(outputs) == ["features.0", "features.3", "classifier"]


def test_outputs_are_kept_though_the_next_layer_overwrites_them():
    torch.manual_seed(0)
    model = resnet20_cifar().eval()
    block = "features.conv2_x.1"
    names = f"{block}.branch.0.0", f"{block}.branch.0", f"{block}.branch", f"{block}.shortcut", block
    with torch.no_grad(), recording(model, *names) as outputs:
        model(torch.randn(2, 3, 32, 32))
    conv, rectified, branch, shortcut, whole = outputs.values()
    assert conv.min() < 0 <= rectified.min() and torch.equal((branch + shortcut).relu(), whole)


@pytest.mark.parametrize("make", [resnet20_cifar, preact_resnet20_cifar])
def test_both_summands_of_a_block_have_the_gradient_of_the_sum(make):
    torch.manual_seed(0)
    model, block = make().eval(), "features.conv2_x.1"
    with recording(model, f"{block}.branch", f"{block}.shortcut") as outputs:
        loss = model(torch.randn(2, 3, 32, 32)).square().sum()
    branch, shortcut = torch.autograd.grad(loss, list(outputs.values()))
    assert torch.equal(branch, shortcut) and branch.any()


def test_recording_changes_neither_the_output_nor_its_gradients():
    model, x = lenet(), torch.randn(2, 1, 32, 32)
    alone = model(x)
    with recording(model, "features.0", "features") as outputs:
        beside = model(x)
    assert torch.equal(alone, beside)
    (slopes,) = torch.autograd.grad(beside.sum(), outputs["features"])
    assert slopes.shape == (2, 16, 5, 5) and slopes.any()


def test_the_last_pass_stays():
    model = net()
    with recording(model, "2") as outputs:
        model(torch.zeros(5, 2)), model(torch.zeros(3, 2))
    assert outputs["2"].shape == (3, 1)


def test_no_hook_stays_also_after_an_error():
    model = lenet()
    with recording(model, "features.0"):
        assert hooks(model) == 1
    assert hooks(model) == 0
    with pytest.raises(RuntimeError), recording(model, "features.0", "classifier"):
        model(torch.zeros(1, 3, 32, 32))
    with pytest.raises(ValueError), recording(model, "features.0", "nowhere"):
        pass
    assert hooks(model) == 0


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("feature.3", 'LeNet has no module "feature.3". Near it: features.3'),
        ("3", "Near it: features.3, classifier.3"),
        ("conv2_x", "print(model)"),
    ],
)
def test_an_unknown_name_is_answered_with_near_ones(name, words):
    with pytest.raises(ValueError) as error, recording(lenet(), name):
        pass
    assert words in str(error.value)
