from dataclasses import asdict, replace

import pytest
import torch
from torch import Generator

from cnnlib import records
from cnnlib.data import Batches, Normalize, Pad
from cnnlib.datasets import DataError
from cnnlib.experiments import EXPERIMENTS, pixel_shuffle
from cnnlib.experiments.running import (
    Failed,
    arms_of,
    at_best_rates,
    name_of,
    processor_threads,
    record_all,
    run_all,
    tried,
)
from cnnlib.models import cnn
from cnnlib.training import evaluate, train
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


@pytest.mark.parametrize(
    "other",
    [
        replace(SMALL, recipe=replace(SMALL.recipe, epochs=4)),
        replace(SMALL, recipe=replace(SMALL.recipe, learning_rate=0.02)),
        replace(SMALL, dataset="fashion"),
    ],
)
def test_a_record_of_another_recipe_or_data_set_is_not_taken_for_this_one(tmp_path, other):
    next(record_all(pixel_shuffle, SMALL, ["mlp-none"], [0], tmp_path))
    with pytest.raises(records.RecordError, match=r"mlp-none-0.json was made by another recipe .* than small has now"):
        next(record_all(pixel_shuffle, other, ["mlp-none"], [0], tmp_path))


def test_runs_on_another_copy_of_the_data_are_not_put_beside_the_recorded_ones(tmp_path):
    next(record_all(pixel_shuffle, SMALL, ["mlp-none"], [0], tmp_path))
    copy = replace(SMALL, data=lambda: tuple(replace(part, pixels=255 - part.pixels) for part in few()))
    with pytest.raises(records.RecordError, match=r"made on another copy of digits than yours.*--folder"):
        next(record_all(pixel_shuffle, copy, ["mlp-all"], [0], tmp_path))


def test_a_run_that_cannot_be_done_is_named_and_the_others_go_on(tmp_path):
    size = replace(SMALL, recipe=replace(SMALL.recipe, learning_rate=1e30, epochs=1))
    with pytest.raises(Failed, match=r"^cnn-none, seed 0: The training loss became .*\n?.*$"):
        for _ in record_all(pixel_shuffle, size, ["cnn-none"], [0], tmp_path):
            pass
    done = []
    photographs = replace(SMALL, data=lambda: tuple(replace(part, pixels=Pad(2)(part.pixels)) for part in few()))
    with pytest.raises(Failed, match=r"cnn-inside7, seed 0: blocks of 7×7 pixels do not tile"):
        for record, _ in record_all(pixel_shuffle, photographs, ["cnn-inside7", "cnn-all"], [0], tmp_path):
            done.append(record.arm)
    assert done == ["cnn-all"]


def test_a_size_leaves_out_the_arms_that_its_data_are_not_for():
    assert "cnn-inside7" in arms_of(pixel_shuffle, pixel_shuffle.LIVE)
    assert set(pixel_shuffle.ARMS) - set(arms_of(pixel_shuffle, pixel_shuffle.CIFAR)) == {"cnn-inside7"}


def test_a_broken_record_is_met_before_the_first_run(tmp_path, monkeypatch):
    next(record_all(pixel_shuffle, SMALL, ["mlp-none"], [0], tmp_path))
    records.path_of("small", "mlp-none", 0, tmp_path).write_text("{", encoding="utf-8")
    monkeypatch.setattr(pixel_shuffle, "run", None)
    with pytest.raises(records.RecordError, match="is not whole JSON"):
        next(record_all(pixel_shuffle, SMALL, ["mlp-all", "mlp-none"], [0], tmp_path))


def test_a_record_of_another_experiment_is_not_taken_for_this_one(tmp_path):
    next(record_all(pixel_shuffle, SMALL, ["mlp-none"], [0], tmp_path))
    with pytest.raises(records.RecordError, match="another recipe"):
        next(record_all(EXPERIMENTS["lift"], SMALL, ["mlp-none"], [0], tmp_path))


def test_each_arm_is_shown_at_the_rate_that_read_most_of_the_images_set_apart(tmp_path):
    run = next(run_all(pixel_shuffle, SMALL, ["mlp-none"], [0]))
    accuracies = {"mlp-none": {0.1: 0.5, 1: 0.8}, "mlp-all": {0.1: 0.7, 1: 0.6}}
    choice, final = (replace(SMALL, name=name) for name in ("choice", "final"))
    for arm, by_rate in accuracies.items():
        for rate, accuracy in by_rate.items():
            tested = {"loss": 1.0, "accuracy": accuracy}
            records.write(replace(run, arm=arm, test=tested), choice.changed(rate=rate).name, tmp_path)
            swapped = {"loss": 1.0, "accuracy": 1 - accuracy}  # what the final runs reach must not choose
            records.write(replace(run, arm=arm, test=swapped), final.changed(rate=rate).name, tmp_path)
    assert list(tried(choice, (0.1, 1), tmp_path)["mlp-all"]) == [0.1, 1]
    shown = at_best_rates(final, choice, (0.1, 1), tmp_path)
    assert {arm: runs[0].accuracy for arm, runs in shown.items()} == pytest.approx({"mlp-none": 0.2, "mlp-all": 0.3})
    records.path_of(final.name, "mlp-none", 0, tmp_path).unlink()
    assert list(at_best_rates(final, choice, (0.1, 1), tmp_path)) == ["mlp-all"]


def test_missing_data_are_missed_before_the_first_run_only_if_a_run_is_missing(tmp_path):
    def gone():
        raise DataError("gone")

    lost = replace(SMALL, data=gone)
    next(record_all(pixel_shuffle, SMALL, ["mlp-none"], [0], tmp_path))
    ((_, fresh),) = record_all(pixel_shuffle, lost, ["mlp-none"], [0], tmp_path)
    assert not fresh
    with pytest.raises(DataError):
        next(record_all(pixel_shuffle, lost, ["mlp-none"], [0, 1], tmp_path))  # not after the first


def test_a_record_holds_what_training_by_hand_gives():
    part, test = few()
    record = pixel_shuffle.run("cnn-none", 5, SMALL, torch.device("cpu"))
    torch.manual_seed(5)
    model, steps = cnn(), [Normalize(part)]
    with processor_threads(SMALL.threads):
        list(train(model, Batches(part, SMALL.recipe.batch_size, steps, Generator().manual_seed(5)), SMALL.recipe))
        assert record.test == asdict(evaluate(model, Batches(test, 1000, steps)))
    assert (record.data_hash, record.recipe) == (part.fingerprint(), asdict(SMALL.recipe))
    assert record.seconds > 0 and (record.experiment, record.arm, record.seed) == ("pixel-shuffle", "cnn-none", 5)


def test_a_record_says_all_that_is_needed_to_repeat_the_run():
    record = next(run_all(pixel_shuffle, SMALL, ["cnn-none"]))
    assert (record.parameters, record.macs, record.data) == (6422, 149_300, "digits")
    assert record.recipe["learning_rate"] == SMALL.recipe.learning_rate and len(record.epochs) == SMALL.recipe.epochs
    with processor_threads(SMALL.threads):
        assert record.versions["torch"] and record.device == name_of(torch.device("cpu"))
    records.validate(record)


def test_a_record_names_the_processor_and_the_threads_of_it_that_its_seconds_are_of():
    with processor_threads(1):
        one = name_of(torch.device("cpu"))
    with processor_threads(2):
        two = name_of(torch.device("cpu"))
    assert one.startswith("cpu (") and one.endswith(", 1 thread)") and two == one.replace("1 thread", "2 threads")


@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=list(EXPERIMENTS))
def test_every_experiment_has_the_same_face(experiment):
    assert experiment.ARMS and experiment.SABOTAGES and callable(experiment.run)
    assert experiment.LIVE.name != experiment.FULL.name
    recorded = records.read_all(experiment.LIVE.name).values()
    assert experiment.LIVE.seeds >= 3 or (recorded and min(map(len, recorded)) >= 3), "one run is an anecdote"
