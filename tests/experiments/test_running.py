from dataclasses import replace

import pytest

from cnnlib import records
from cnnlib.experiments import EXPERIMENTS, pixel_shuffle
from cnnlib.experiments.running import record_all, run_all
from tests.experiments.test_pixel_shuffle import few

SMALL = replace(pixel_shuffle.LIVE, name="small", data=few, seeds=2)


def test_run_all_goes_seed_by_seed_and_shifts_by_the_environment(monkeypatch):
    monkeypatch.setenv("CNNLIB_SEED", "100")
    done = [(run.seed, run.arm) for run in run_all(pixel_shuffle, SMALL, ["mlp-none", "mlp-all"])]
    assert done == [(100, "mlp-none"), (100, "mlp-all"), (101, "mlp-none"), (101, "mlp-all")]


def test_a_finished_run_is_skipped_and_an_interrupted_one_done_again(tmp_path):
    arms = ["mlp-none", "mlp-all"]
    runs = record_all(pixel_shuffle, SMALL, arms, runs=tmp_path)
    first, fresh = next(runs)
    assert fresh
    runs.close()  # as Ctrl-C does
    again = list(record_all(pixel_shuffle, SMALL, arms, runs=tmp_path))
    assert [new for _, new in again] == [False, True, True, True]
    assert again[0][0] == first
    assert sorted(p.name for p in (tmp_path / "small").iterdir()) == sorted(
        f"{a}-{s}.json" for a in arms for s in (0, 1)
    )


def test_a_record_says_all_that_is_needed_to_repeat_the_run():
    record = next(run_all(pixel_shuffle, SMALL, ["cnn-none"]))
    assert (record.parameters, record.macs, record.data) == (6422, 149_300, "digits")
    assert record.recipe["learning_rate"] == SMALL.recipe.learning_rate and len(record.epochs) == SMALL.recipe.epochs
    assert record.versions["torch"] and record.device.startswith("cpu")
    records.validate(record)


@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=list(EXPERIMENTS))
def test_every_experiment_has_the_same_face(experiment):
    assert experiment.ARMS and experiment.SABOTAGES and callable(experiment.run)
    assert experiment.LIVE.name != experiment.FULL.name and experiment.LIVE.seeds >= 3
