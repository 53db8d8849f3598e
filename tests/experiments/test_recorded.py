"""Every recorded run is one that `python -m cnnlib run` would make today."""

from dataclasses import asdict
from functools import cache

import pytest
import torch

from cnnlib.experiments import EXPERIMENTS, degradation, ladder, lesions, lift, pixel_shuffle, scaling, speed
from cnnlib.experiments.running import sizes
from cnnlib.records import RUNS, read_all

SETTINGS = {
    setting.name: (experiment, setting)
    for experiment, module in EXPERIMENTS.items()
    for size in sizes(module).values()
    for setting in (size.changed(rate=rate) for rate in (1, *getattr(module, "RATES", ())))
    for setting in (setting, setting.changed(bfloat16=True))
}
NETS = {
    "degradation": lambda arm: degradation.build(degradation.ARMS[arm], 3),
    "ladder": lambda arm: ladder.NETS[arm](3, 10),
    "lesions": lambda arm: degradation.network(lesions.ARMS[arm], lesions.BLOCKS, 3, 16),
    "lift": lambda arm: lift.build(lift.ARMS[arm]),
    "scaling": lambda arm: scaling.build(scaling.ARMS[arm], 3),
    "speed": lambda arm: speed.build(speed.ARMS[arm]),
}
read = cache(read_all)
FOLDERS = sorted(folder.name for folder in RUNS.iterdir())
OF_PHOTOGRAPHS = [name for name in FOLDERS if SETTINGS[name][0] in NETS and "cifar10" in SETTINGS[name][1].dataset]


def test_what_the_chapters_read_of_full_sizes_is_recorded():
    full = (pixel_shuffle.FULL, pixel_shuffle.CIFAR, lift.FULL, ladder.FULL)
    full += (speed.FULL, speed.FULL.changed(bfloat16=True), speed.HASTY, speed.PATIENT, speed.TEN, speed.LONG)
    assert {size.name for size in full} <= set(FOLDERS)


@pytest.mark.parametrize("folder", FOLDERS)
def test_its_runs_are_of_a_setting_of_the_course_by_its_recipe_and_on_its_data(folder):
    experiment, size = SETTINGS[folder]
    assert read(folder)
    embedded = not size.dataset.startswith(("cifar10", "fashion_mnist"))  # what every machine has
    for run in (run for of_arm in read(folder).values() for run in of_arm):
        wanted = (experiment, size.dataset, asdict(size.recipe))
        assert (run.experiment, run.data, run.recipe) == wanted, f"{run.arm}, seed {run.seed}"
        assert not embedded or run.data_hash == size.fingerprint()


@pytest.mark.parametrize("folder", OF_PHOTOGRAPHS)
def test_the_nets_that_read_photographs_are_those_that_the_course_builds(folder):
    found = read(folder)
    with torch.device("meta"):
        nets = {arm: NETS[SETTINGS[folder][0]](arm) for arm in found}
    for arm, net in nets.items():
        assert {run.parameters for run in found[arm]} == {sum(p.numel() for p in net.parameters())}, arm


def test_one_copy_of_the_photographs_was_used_for_all():
    runs = [run for folder in FOLDERS for of_arm in read(folder).values() for run in of_arm]
    assert len({run.data_hash for run in runs if run.data == "cifar10"}) == 1
