from dataclasses import asdict, replace

import pytest
import torch
from torch import nn

from cnnlib.data import Batches, Normalize
from cnnlib.experiments import degradation
from cnnlib.experiments.degradation import ARMS, CHOICE, LIVE, LONG, RATES, build, no_shortcuts, shrunk
from cnnlib.experiments.running import processor_threads, tried
from cnnlib.models import MODELS
from cnnlib.models.resnet import Residual
from cnnlib.records import read_all
from cnnlib.training import train

CPU = torch.device("cpu")


def very_few():
    part, test = degradation.few()
    return part[:96], test[:50]


SMALL = replace(LIVE, data=very_few, recipe=replace(LIVE.recipe, epochs=2))


def parameters(arm: str, in_channels: int = 1) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in build(ARMS[arm], in_channels).parameters())


@pytest.mark.parametrize("arm", ["plain20", "plain56", "resnet20", "resnet56", "preact56"])
def test_in_three_colours_they_are_the_library_s_nets(arm):
    kind, depth = arm[:-2].replace("preact", "preact_resnet"), arm[-2:]
    torch.manual_seed(0)
    ours = build(ARMS[arm], 3).eval()
    theirs = MODELS[f"{kind}{depth}_cifar"]().eval()
    assert [p.shape for p in ours.state_dict().values()] == [p.shape for p in theirs.state_dict().values()]
    theirs.load_state_dict(dict(zip(theirs.state_dict(), ours.state_dict().values())))
    x = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(ours(x), theirs(x))


def test_plain_and_residual_nets_have_equal_parameters_and_equal_first_weights():
    assert {parameters(f"{kind}20") for kind in ("plain", "resnet")} == {67_906}
    assert {parameters(f"{kind}56") for kind in ("plain", "resnet", "preact")} == {214_402}
    nets = []
    for arm in ("plain20", "resnet20"):
        torch.manual_seed(3)
        nets.append(build(ARMS[arm]))
    assert all(torch.equal(p, q) for p, q in zip(nets[0].parameters(), nets[1].parameters()))


def test_on_photographs_each_of_the_four_nets_was_tried_at_the_same_three_rates():
    found = tried(CHOICE, RATES)
    assert set(found) == {"plain20", "plain56", "resnet20", "resnet56"}
    for arm, by_rate in found.items():
        assert set(by_rate) == set(RATES)
        for rate, (run,) in by_rate.items():
            assert run.recipe == asdict(CHOICE.changed(rate=rate).recipe) and run.parameters == parameters(arm, 3)


def test_stacking_has_as_many_parameters_where_the_shape_stays():
    plain, stacked = (
        sum(p.numel() for p in block(16, 16, 1).parameters())
        for block in (degradation.plain_block, degradation.stacking_block)
    )
    assert plain == stacked
    assert parameters("stacking56") == pytest.approx(parameters("plain56"), rel=0.02)
    assert degradation.stacking_block(8, 16, 2)(torch.zeros(2, 8, 14, 14)).shape == (2, 16, 7, 7)


def test_shrinking_takes_the_mean_of_four_pixels():
    part, _ = degradation.few()
    assert part.pixels.shape == (2000, 1, 14, 14) and part.pixels.dtype == torch.uint8
    images = replace(part[:1], pixels=torch.tensor([[[[0, 2], [4, 6]]]], dtype=torch.uint8))
    assert shrunk(images).pixels.tolist() == [[[[3]]]]


def test_the_pass_that_the_chapter_trains_by_hand_is_the_library_s():
    part, _ = very_few()
    torch.manual_seed(5)
    by_hand = build(ARMS["plain20"])
    batches = Batches(part, SMALL.recipe.batch_size, [Normalize(part)], torch.Generator().manual_seed(5))
    with processor_threads(1):
        first = next(train(by_hand, batches, SMALL.recipe))
    record = degradation.run("plain20", 5, SMALL, CPU)
    assert record.epochs[0]["loss"] == pytest.approx(first.train.loss, abs=1e-4)


def test_a_seed_sets_weights_and_order():
    first, again, other = (degradation.run("resnet20", seed, SMALL, CPU).epochs for seed in (0, 0, 1))
    assert first == again != other


def test_a_smaller_rate_takes_shorter_steps():
    whole, third = (degradation.run(arm, 0, SMALL, CPU) for arm in ("plain20", "plain20-third"))
    assert whole.parameters == third.parameters and whole.epochs != third.epochs


def test_sabotage_makes_a_plain_net_of_a_residual_one():
    torch.manual_seed(0)
    model, plain = build(ARMS["resnet20"]), build(ARMS["plain20"])
    plain.load_state_dict(dict(zip(plain.state_dict(), model.state_dict().values())))
    x = torch.randn(2, 1, 14, 14)
    assert not torch.allclose(model.eval()(x), plain.eval()(x))
    no_shortcuts(model, (), 0)
    torch.testing.assert_close(model(x), plain(x))
    assert [m for m in model.modules() if isinstance(m, Residual) and isinstance(m.shortcut, nn.Identity)] == []


def test_ten_recorded_runs_say_what_the_chapter_says():
    runs = read_all(LIVE.name)
    ten = ("plain20", "plain56", "resnet20", "resnet56")
    assert {arm: len(found) for arm, found in runs.items()} == {arm: 10 if arm in ten else 3 for arm in ARMS}
    gaps = [deep.loss - shallow.loss for deep, shallow in zip(runs["plain56"], runs["plain20"])]
    assert min(gaps) >= 0.5
    mended = [deep.loss - shallow.loss for deep, shallow in zip(runs["resnet56"], runs["resnet20"])]
    assert sum(mended) / len(mended) <= 0.1


def test_longer_runs_of_both_plain_nets_are_recorded():
    runs = read_all(LONG.name)
    assert {arm: len(found) for arm, found in runs.items()} == {"plain20": 3, "plain56": 3}
