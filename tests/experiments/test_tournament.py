from dataclasses import replace

import pytest
import torch

from cnnlib import records
from cnnlib.claims import beats
from cnnlib.experiments import tournament
from cnnlib.experiments.tournament import ARMS, CHOICE, LIVE, LONG, MORE, RATES, choices, densenet22
from cnnlib.models import MODELS
from cnnlib.records import read_all

CPU = torch.device("cpu")
SMALL = replace(
    LIVE, data=lambda: tuple(part[:64] for part in tournament.few()), recipe=replace(LIVE.recipe, epochs=1), seeds=2
)


def test_every_arm_names_32_pixels_in_one_channel():
    for arm in ARMS.values():
        with torch.device("meta"):
            assert arm.make(1, 10).eval()(torch.empty(2, 1, 32, 32)).shape == (2, 10)


def test_the_networks_are_those_of_the_course_but_for_the_matrix_and_a_short_densenet():
    others = {name for name, arm in ARMS.items() if arm.make not in MODELS.values()}
    assert others == {"matrix", "densenet"}
    with torch.device("meta"):
        convolutions = [m for m in densenet22(1, 10).modules() if isinstance(m, torch.nn.Conv2d)]
    assert len(convolutions) + 1 == 22  # and the matrix


def test_an_arm_at_another_rate_is_the_same_net_with_longer_steps():
    slow, same, fast = (tournament.run(arm, 0, SMALL, CPU) for arm in ("lenet-at-1", "lenet", "lenet-at-10"))
    assert ARMS["lenet"].rate == 10 and same.epochs == fast.epochs != slow.epochs
    assert slow.parameters == fast.parameters


def test_the_images_to_choose_by_are_neither_trained_on_nor_tested_on():
    def prints(images):
        return {pixels.numpy().tobytes() for pixels in images.pixels}

    part, apart = CHOICE.load()
    trained, test = MORE.load()
    assert prints(part) == prints(LIVE.load()[0]) and prints(part) <= prints(trained)
    assert not prints(apart) & (prints(trained) | prints(test))


def test_choices_are_read_by_rate(tmp_path):
    for arm in ("lenet-at-10", "lenet-at-3", "matrix-at-1"):
        record = tournament.run(arm, 0, SMALL, CPU)
        records.write(record, CHOICE.name, tmp_path)
    found = choices(tmp_path)
    assert {name: list(rates) for name, rates in found.items()} == {"matrix": [1.0], "lenet": [3.0, 10.0]}


def test_each_recorded_choice_is_the_best_of_its_rates():
    found = choices()
    for name, tried in found.items():
        best = max(run.accuracy for run in tried.values())
        assert tried[ARMS[name].rate].accuracy == best
        assert len(set(tried) & set(map(float, RATES))) >= 2


@pytest.mark.parametrize("size", [LIVE, LONG, MORE], ids=lambda size: size.name)
def test_only_arms_of_the_tournament_are_recorded(size):
    assert set(read_all(size.name)) <= set(ARMS)


@pytest.mark.skipif(len(read_all(LIVE.name)) < len(ARMS), reason="the tournament is not recorded yet")
def test_the_records_say_what_the_chapter_says_of_the_first_place():
    played = read_all(LIVE.name)
    assert not beats(played["vgg"], played["matrix"], by=0) and not beats(played["matrix"], played["vgg"], by=0)
    assert all(beats(played["matrix"], played[arm], by=0) for arm in ARMS if arm not in ("matrix", "vgg"))
