from dataclasses import replace

import pytest
import torch
from torch import Generator, nn

from cnnlib.analysis import receptive_field, summary
from cnnlib.claims import mean_accuracy
from cnnlib.data import Batches, Normalize
from cnnlib.experiments import scaling
from cnnlib.experiments.running import at_best_rates, processor_threads, tried
from cnnlib.experiments.scaling import ARMS, CHOICE, CIFAR, LIVE, LONG, RATES, Blind, build, random_labels, resized
from cnnlib.layers import SqueezeExcite
from cnnlib.models.efficientnet import start_by_fan_out
from cnnlib.publish.pairs import read, sources
from cnnlib.records import read_all
from cnnlib.training import train

CPU = torch.device("cpu")
SCALED = ("depth", "width", "resolution", "compound")


def very_few():
    part, test = scaling.few()
    return part[:64], test[:50]


SMALL = replace(LIVE, data=very_few, recipe=replace(LIVE.recipe, epochs=1))


def work(arm: str) -> int:
    with torch.device("meta"):
        return summary(build(ARMS[arm]), (1, ARMS[arm].side, ARMS[arm].side))[-1].macs


def chapter() -> dict:
    """What chapter 11 defines to build its nets: its own code, run here."""
    space = {"nn": nn, "torch": torch, "F": nn.functional}
    for cell in read(*sources(["11"])).cells:
        wanted = ("class Gate", "class Skip", "def mbconv", "def efficientnet")
        if cell.cell_type == "code" and any(word in cell.source for word in wanted):
            exec(cell.source, space)
    return space


def test_the_net_that_the_chapter_builds_by_hand_is_the_library_s():
    record = scaling.run("base", 5, SMALL, CPU)
    part = resized(very_few()[0], ARMS["base"])
    torch.manual_seed(5)
    model = chapter()["efficientnet"]([(4, 3, 12, 1, 2), (4, 3, 24, 1, 2)], 1, 8, 1, 64, 10, rate=0.0)
    start_by_fan_out(model)
    batches = Batches(part, SMALL.recipe.batch_size, [Normalize(part)], Generator().manual_seed(5))
    with processor_threads(1):
        (epoch,) = train(model, batches, SMALL.recipe)
    assert record.parameters == sum(p.numel() for p in model.parameters())
    assert record.epochs[0]["loss"] == pytest.approx(epoch.train.loss, abs=1e-4)


def test_the_scaled_nets_do_as_much_work_as_each_other():
    ratios = [work(arm) / work("base") for arm in SCALED]
    assert min(ratios) > 3.5 and max(ratios) < 3.95 and max(ratios) / min(ratios) < 1.08
    assert work("copied") == work("resolution") and work("longer") == work("base")


def test_each_of_them_grows_in_one_way_and_one_in_all():
    base = ARMS["base"]
    grown = {
        arm: [getattr(ARMS[arm], what) != getattr(base, what) for what in ("blocks", "channels", "side")]
        for arm in SCALED
    }
    assert grown == {
        "depth": [True, False, False],
        "width": [False, True, False],
        "resolution": [False, False, True],
        "compound": [True, True, True],
    }


def test_copied_pixels_are_those_of_the_small_image_four_times():
    part = very_few()[0]
    small, copied = resized(part, ARMS["base"]).pixels, resized(part, ARMS["copied"]).pixels
    assert copied.shape[2:] == (28, 28) and torch.equal(copied[:, :, ::2, ::2], small)
    assert torch.equal(copied[:, :, 1::2, 1::2], small)
    assert torch.equal(resized(part, ARMS["resolution"]).pixels, part.pixels)
    assert small[0, 0, 3, 4] == part.pixels[0, 0, 6:8, 8:10].float().mean().round()


def test_arms_that_lack_a_part_begin_from_the_same_weights():
    def started(arm):
        torch.manual_seed(3)
        return build(ARMS[arm])

    whole = {name: value for name, value in started("whole").named_parameters() if ".gate." not in name}
    for arm in ("no-gate", "blind", "relu"):
        net = started(arm)
        rest = {n: v for n, v in net.named_parameters() if ".gate." not in n and "openness" not in n}
        assert [torch.equal(a, b) for a, b in zip(rest.values(), whole.values(), strict=True)] == [True] * len(whole)
        gates = [sum(isinstance(layer, kind) for layer in net.modules()) for kind in (SqueezeExcite, Blind)]
        assert gates == {"no-gate": [0, 0], "blind": [0, 4], "relu": [4, 0]}[arm]
    assert not any(isinstance(layer, nn.SiLU) for layer in started("relu").modules())


def test_a_blind_gate_opens_alike_for_every_image():
    gate, x = Blind(3), torch.randn(5, 3, 4, 4)
    assert torch.allclose(gate(x), x / 2)


def test_four_times_the_passes_are_four_times_the_steps():
    part = very_few()[0]
    assert len(part[torch.arange(len(part)).repeat(ARMS["longer"].passes)]) == 4 * len(part)
    assert scaling.run("longer", 0, SMALL, CPU).epochs[0]["loss"] < scaling.run("base", 0, SMALL, CPU).epochs[0]["loss"]


@pytest.mark.parametrize("arm", ARMS)
def test_every_arm_trains_on_clothes_and_takes_photographs(arm):
    record = scaling.run(arm, 0, SMALL, CPU)
    assert (record.experiment, record.arm) == ("scaling", arm)
    with torch.device("meta"):
        net = build(ARMS[arm], in_channels=3)
    assert net(torch.empty(2, 3, 16, 16, device="meta")).shape == (2, 10)


def test_a_seed_sets_weights_and_order():
    first, again, other = (scaling.run("base", seed, SMALL, CPU).epochs for seed in (0, 0, 1))
    assert first == again != other


def test_larger_windows_reach_over_the_larger_image_and_the_small_ones_over_a_third_of_it():
    fields = {}
    for arm in ("base", "resolution", "windows", "reach"):
        side = ARMS[arm].side
        fields[arm] = receptive_field(build(ARMS[arm]))[-1].size[0] / side
    assert [round(fields[arm], 2) for arm in ("resolution", "base", "reach")] == [0.32, 0.64, 0.68]
    assert fields["windows"] > 1


def test_sabotage_draws_labels():
    data = very_few()
    _, (part, _) = random_labels(None, data, 0)
    assert part.labels.bincount().tolist() == data[0].labels.bincount().tolist()
    assert not torch.equal(part.labels, data[0].labels)


def test_ten_recorded_runs_of_every_arm():
    runs = read_all(LIVE.name)
    assert {arm: [run.seed for run in found] for arm, found in runs.items()} == {arm: list(range(10)) for arm in ARMS}


def test_five_arms_recorded_with_four_times_the_passes():
    runs = read_all(LONG.name)
    assert {arm: [run.seed for run in found] for arm, found in runs.items()} == {
        arm: list(range(3)) for arm in ("base", *SCALED)
    }


def test_on_photographs_the_best_rate_of_each_arm_lies_between_worse_ones():
    found = tried(CHOICE, RATES)
    assert set(found) == {"base", *SCALED}
    for arm, by_rate in found.items():
        rates = sorted(by_rate)
        best = max(rates, key=lambda rate: mean_accuracy(by_rate[rate]))
        assert rates[0] < best < rates[-1], arm


def test_on_photographs_five_arms_are_recorded_three_times_each_at_its_best_rate():
    found = at_best_rates(CIFAR, CHOICE, RATES)
    assert {arm: [run.seed for run in runs] for arm, runs in found.items()} == {
        arm: list(range(3)) for arm in ("base", *SCALED)
    }
