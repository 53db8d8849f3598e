from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import Generator, nn

from cnnlib.analysis import receptive_field
from cnnlib.data import Batches, Normalize
from cnnlib.experiments import inceptions
from cnnlib.experiments.inceptions import ARMS, LIVE, ROW, SIDE, STEPS, build, near_twins, random_labels, stars
from cnnlib.experiments.running import processor_threads
from cnnlib.layers import Concat, ConvNormAct, linear_classifier
from cnnlib.publish.pairs import read, sources
from cnnlib.records import read_all
from cnnlib.training import train

CPU = torch.device("cpu")


def few():
    return stars(96, 1), stars(100, 2)


def few_clothes():
    part, test = inceptions.few()
    return part[:64], test[:50]


SMALL = replace(LIVE, data=few, recipe=replace(LIVE.recipe, epochs=1))


def chapter() -> dict:
    """What chapter 08 defines to build its nets: its own code, run here."""
    space = {"nn": nn, "torch": torch}
    for cell in read(*sources(["08"])).cells:
        if cell.cell_type == "code" and any(
            word in cell.source for word in ("class SideBySide", "def inception(", "def maps_out")
        ):
            exec(cell.source, space)
    return space


def test_the_net_that_the_chapter_builds_by_hand_is_the_library_s():
    record = inceptions.run("all", 5, SMALL, CPU)
    part, made = few()[0], chapter()
    torch.manual_seed(5)
    features = nn.Sequential(ConvNormAct(1, 8, 1), made["inception"](8, ROW, ConvNormAct))
    model = nn.Sequential(features, linear_classifier(made["maps_out"](ROW), 4))
    batches = Batches(part, SMALL.recipe.batch_size, [Normalize(part)], Generator().manual_seed(5))
    with processor_threads(1):
        (epoch,) = train(model, batches, SMALL.recipe)
    assert record.parameters == sum(p.numel() for p in model.parameters())
    assert record.epochs[0]["loss"] == epoch.train.loss


def test_every_dot_has_a_twin_as_far_to_its_right_as_its_class_says():
    images = stars(40, 3)
    assert images.pixels.shape == (40, 1, SIDE, SIDE) and images.labels.bincount().tolist() == [10] * 4
    for sky, label in zip(images.pixels[:, 0] > 0, images.labels):
        right, left = sky.roll(-STEPS[label][1], 1), sky.roll(STEPS[label][1], 1)
        assert bool((~sky | right | left).all()) and sky.any()


def test_a_window_of_three_columns_sees_the_same_of_dots_three_and_four_apart():
    # How often each of the 512 patterns of 3×3 occurs: equal for the two far classes, not for the two near ones.
    images, powers = stars(4000, 5), 2 ** torch.arange(9).float()
    patterns = (nn.functional.unfold((images.pixels > 0).float(), 3).transpose(1, 2) @ powers).long()
    shares = [patterns[images.labels == k].flatten().bincount(minlength=512) / 484_000 for k in range(4)]
    apart = [float((a - b).abs().sum()) for a, b in pairwise(shares)]
    assert apart[2] < 0.02 < 0.05 < min(apart[:2])


@pytest.mark.parametrize(
    ("arm", "field", "branches"),
    [("all", 5, 4), ("no-5x5", 3, 3), ("one-3x3", 3, 4), ("two-3x3", 5, 4), ("1x5-5x1", 5, 4), ("no-1x1", 5, 3)],
)
def test_an_arm_sees_what_its_branches_see(arm, field, branches):
    features = build(ARMS[arm])[0]
    assert receptive_field(features)[-1].size == (field, field) and len(features[1]) == branches


def test_arms_differ_in_one_branch_only():
    kept = {arm: [sum(p.numel() for p in branch.parameters()) for branch in build(ARMS[arm])[0][1]] for arm in ARMS}
    whole = kept["all"]
    for place, arm in enumerate(("no-1x1", "no-3x3", "no-5x5", "no-pool")):
        assert kept[arm] == whole[:place] + whole[place + 1 :]
    for arm in ("one-3x3", "two-3x3", "1x5-5x1"):
        assert [a == b for a, b in zip(kept[arm], whole)] == [True, True, False, True]


@pytest.mark.parametrize("arm", ARMS)
def test_the_deep_nets_have_two_modules_and_learn_clothes(arm):
    size = replace(SMALL, data=few_clothes)
    record = inceptions.run(arm, 0, size, CPU)
    model = build(ARMS[arm], 10, deep=True)
    assert record.parameters == sum(p.numel() for p in model.parameters())
    assert sum(isinstance(part, Concat) for part in model[0]) == 2


def test_a_seed_sets_weights_and_order():
    first, again, other = (inceptions.run("no-5x5", seed, SMALL, CPU).epochs for seed in (0, 0, 1))
    assert first == again != other


def test_sabotage_draws_labels_and_brings_the_twins_near():
    data = few()
    _, (part, _) = random_labels(None, data, 0)
    assert part.labels.bincount().tolist() == data[0].labels.bincount().tolist()
    assert not torch.equal(part.labels, data[0].labels)
    _, (part, test) = near_twins(None, data, 0)
    assert (len(part), len(test)) == (len(data[0]), len(data[1]))
    far = part.pixels[part.labels == 3, 0] > 0
    down_and_right, up_and_left = far.roll((-1, -1), (1, 2)), far.roll((1, 1), (1, 2))
    assert bool((~far | down_and_right | up_and_left).all())


def test_ten_recorded_runs_of_every_arm_say_what_the_chapter_says():
    runs = read_all(LIVE.name)
    assert {arm: [run.seed for run in found] for arm, found in runs.items()} == {arm: list(range(10)) for arm in ARMS}
    narrow = ("no-5x5", "one-3x3")
    assert min(run.accuracy for arm in runs if arm not in narrow for run in runs[arm]) > 0.95
    assert all(0.68 < run.accuracy < 0.8 for arm in narrow for run in runs[arm])
