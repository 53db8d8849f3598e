from dataclasses import replace

import pytest
import torch
from torch import nn

from cnnlib.experiments import lesions
from cnnlib.experiments.degradation import network
from cnnlib.experiments.lesions import ARMS, BLOCKS, LIVE, exchanged, kept_shape, renormed, without, without_shortcut
from cnnlib.models.resnet_cifar import option_a
from cnnlib.records import read_all

CPU = torch.device("cpu")


def very_few():
    part, test = lesions.few()
    return part[:96], test[:50]


SMALL = replace(LIVE, data=very_few, recipe=replace(LIVE.recipe, epochs=1))


def net(arm: str) -> nn.Module:
    torch.manual_seed(0)
    return network(ARMS[arm], BLOCKS).eval()


def convolutions(model: nn.Module) -> int:
    return sum(isinstance(layer, nn.Conv2d) for layer in model.modules())


@pytest.mark.parametrize(("arm", "count"), [("resnet", 31), ("plain", 31), ("vgg", 16)])
def test_fifteen_blocks_on_maps_of_three_sizes(arm, count):
    model, x, sides = net(arm), torch.zeros(1, 1, 14, 14), []
    assert convolutions(model) == count
    for part in model.features:
        x = part(x)
        sides.append(x.shape[1:3])
    assert sides == [(8, 14), (8, 14), (16, 7), (32, 3 if arm == "vgg" else 4)]


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize("number", [0, 3, 5, 9, 10, 14])
def test_without_a_block_its_input_goes_on(arm, number):
    model, x = net(arm), torch.randn(2, 1, 14, 14)
    wounded = without(model, [number])
    stage, place = divmod(number, BLOCKS)
    for part in wounded.features[: 1 + stage]:
        x = part(x)
    for block in wounded.features[1 + stage][:place]:
        x = block(x)
    expected = x if place or not stage else option_a(x.shape[1], 2 * x.shape[1], 2)(x)
    assert torch.equal(wounded.features[1 + stage][place](x), expected)
    assert convolutions(wounded) == convolutions(model) - (1 if arm == "vgg" else 2)


def test_a_residual_block_that_is_gone_is_one_whose_branch_adds_nothing():
    model, x = net("resnet"), torch.randn(2, 1, 14, 14)
    for number in (0, 5, 7, 14):
        silent = without(model, [])
        stage, place = divmod(number, BLOCKS)
        nn.init.zeros_(silent.features[1 + stage][place].branch[-1][1].weight)
        torch.testing.assert_close(without(model, [number])(x), silent(x))


def test_the_net_itself_stays_whole():
    model, x = net("plain"), torch.randn(2, 1, 14, 14)
    before = model(x)
    for wounded in (without(model, [1, 2]), exchanged(model, 6, 7), renormed(model, x)):
        assert not torch.equal(wounded(x), before)
    assert torch.equal(model(x), before)


def test_only_blocks_of_one_stage_change_places():
    model = net("resnet")
    twice = exchanged(exchanged(model, 11, 13), 11, 13)
    x = torch.randn(2, 1, 14, 14)
    assert torch.equal(twice(x), model(x))
    with pytest.raises(ValueError, match="blocks 4 and 6 stand in different stages"):
        exchanged(model, 4, 6)


def test_the_blocks_that_keep_the_shape():
    assert kept_shape() == [0, 1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 14]


def test_without_its_shortcut_a_block_is_a_plain_one():
    model, x = net("resnet"), torch.rand(2, 32, 4, 4)
    block = without_shortcut(model, 14).features[3][4]
    torch.testing.assert_close(block(x), block.branch(x).relu())


@pytest.mark.slow
@pytest.mark.parametrize("arm", ARMS)
def test_the_record_holds_an_accuracy_for_every_cut(arm):
    model, record = lesions.trained(arm, 0, SMALL, CPU)
    cuts = [f"without {number}" for number in range(15)] + [f"without {count} drawn" for count in (2, 4, 8, 12)]
    cuts += ["without first three", "without last three", "neighbours exchanged", "without 11, norms anew"]
    cuts += ["without a shortcut"] if arm == "resnet" else []
    assert sorted(record.test) == sorted(["loss", "accuracy", *cuts])
    assert all(0 <= record.test[cut] <= 1 for cut in cuts) and not model.training


@pytest.mark.slow
def test_a_seed_sets_weights_and_order():
    first, again, other = (lesions.run("plain", seed, SMALL, CPU) for seed in (0, 0, 1))
    assert (first.epochs, first.test) == (again.epochs, again.test) != (other.epochs, other.test)


def test_five_recorded_runs_say_what_the_chapter_says():
    runs = read_all(LIVE.name)
    assert {arm: [run.seed for run in found] for arm, found in runs.items()} == {arm: list(range(5)) for arm in ARMS}
    for arm, enough in (("resnet", lambda lost: lost < 0.05), ("plain", lambda lost: lost > 0.3)):
        for run in runs[arm]:
            assert run.accuracy >= 0.85
            assert all(enough(run.accuracy - run.test[f"without {k}"]) for k in range(11, 15))
