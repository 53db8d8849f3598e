import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch
from torch import Generator, nn

from cnnlib import records
from cnnlib.checkpoints import Checkpoint
from cnnlib.course.progress import Meter
from cnnlib.data import Batches, Normalize, random_flip
from cnnlib.experiments import pixel_shuffle
from cnnlib.experiments.running import checkpoint_of, record_all
from cnnlib.layers import StochasticDepth
from cnnlib.records import RecordError
from cnnlib.training import Recipe, train
from tests.experiments.test_pixel_shuffle import few
from tests.test_records import on_a_full_disk

RECIPE = Recipe(epochs=4, learning_rate=0.05, batch_size=16, weight_decay=1e-3)


def noisy() -> nn.Module:
    """A net whose training draws at random in every step, with momentum, moving means and a schedule to be kept."""
    torch.manual_seed(0)
    block = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8), StochasticDepth(0.5))
    net = nn.Sequential(nn.Conv2d(1, 8, 3), block, nn.Dropout(0.3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return net.append(nn.Linear(8, 10)).to(memory_format=torch.channels_last)


def batches() -> Batches:
    part = few()[0][:64]
    return Batches(part, RECIPE.batch_size, [random_flip, Normalize(part)], Generator().manual_seed(1))


def test_a_training_that_stops_after_each_epoch_ends_as_one_that_never_stopped(tmp_path):
    whole, checkpoint = noisy(), Checkpoint(tmp_path / "state", {"arm": "noisy"})
    expected = [epoch.train for epoch in train(whole, batches(), RECIPE)]
    for stop in range(1, RECIPE.epochs + 1):
        model, reached = noisy(), []
        for epoch in train(model, batches(), RECIPE, checkpoint=checkpoint):
            reached.append(epoch.train)
            if len(reached) == stop:
                break
        torch.manual_seed(99)  # what happens in between must not matter
    assert reached == expected
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), whole.state_dict().values()))


def test_finished_epochs_are_not_trained_again(tmp_path):
    checkpoint = Checkpoint(tmp_path / "state", {})
    first = list(train(noisy(), batches(), RECIPE, batches(), checkpoint=checkpoint))
    again = list(train(noisy(), iter_fails(), RECIPE, checkpoint=checkpoint))
    assert again == first and again[-1].valid is not None


class iter_fails(list):
    """Batches that must not be asked for."""

    def __len__(self) -> int:
        return 4

    def __iter__(self):
        raise AssertionError("an epoch was trained again")


@pytest.mark.parametrize("content", [b"", b"half a file", b"PK\x03\x04"], ids=["empty", "text", "cut"])
def test_a_broken_state_is_named_with_what_to_do(tmp_path, content):
    (tmp_path / "state").write_bytes(content)
    with pytest.raises(RecordError, match=r"state is no whole state of an unfinished run .* Delete it, and the run be"):
        next(train(noisy(), batches(), RECIPE, checkpoint=Checkpoint(tmp_path / "state", {})))


def test_the_state_of_another_run_is_refused_with_what_differs(tmp_path):
    next(train(noisy(), batches(), RECIPE, checkpoint=Checkpoint(tmp_path / "state", {"seed": 1, "epochs": 4})))
    other = Checkpoint(tmp_path / "state", {"seed": 1, "epochs": 6})
    with pytest.raises(RecordError, match=r"was left by another run: it differs in epochs\. Delete it"):
        next(train(noisy(), batches(), RECIPE, checkpoint=other))


def test_a_recipe_changed_between_two_tries_is_noticed(tmp_path):
    size = replace(pixel_shuffle.LIVE, name="small", data=few)

    class Impatient(Meter):
        def epoch(self, *which) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        next(record_all(pixel_shuffle, size, ["cnn-none"], [0], tmp_path, Impatient([("cnn-none", 0)], 3)))
    faster = replace(size, recipe=replace(size.recipe, learning_rate=0.3))
    with pytest.raises(RecordError, match=r"cnn-none-0.unfinished was left by another run: it differs in learning_rat"):
        next(record_all(pixel_shuffle, faster, ["cnn-none"], [0], tmp_path))


@pytest.mark.parametrize("changed", ["arm", "seed", "data", "torch", "learning_rate"])
def test_a_state_is_taken_for_no_other_run(changed, tmp_path, monkeypatch):
    size = replace(pixel_shuffle.LIVE, data=few, folder=tmp_path)
    told = checkpoint_of(size, "cnn-none", 0).about
    if changed == "torch":
        monkeypatch.setattr(torch, "__version__", "0.1")
    if changed == "data":
        size = replace(size, data=lambda: tuple(part[1:] for part in few()))
    if changed == "learning_rate":
        size = replace(size, recipe=replace(size.recipe, learning_rate=0.3))
    arm, seed = ("mlp-none" if changed == "arm" else "cnn-none"), int(changed == "seed")
    now = checkpoint_of(size, arm, seed).about
    assert [name for name in told if told[name] != now[name]] == [changed]


def test_a_state_of_another_net_is_refused_with_a_sentence(tmp_path):
    checkpoint = Checkpoint(tmp_path / "state", {})
    next(train(noisy(), batches(), RECIPE, checkpoint=checkpoint))
    other = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3, 2))
    with pytest.raises(RecordError, match=r"state is not a state of this net \(Error\(s\) in loading .*Delete it, and"):
        checkpoint.restore({"model": other}, None)
    torch.save({"about": {}, "rows": []}, checkpoint.path)
    with pytest.raises(RecordError, match=r"is not a state of this net \('states'\)"):
        checkpoint.restore({"model": other}, None)


def test_a_full_disk_stops_with_a_sentence_and_leaves_the_state_before_it(tmp_path):
    state = tmp_path / "state"
    next(train(noisy(), batches(), RECIPE, checkpoint=Checkpoint(state, {})))
    before = state.read_bytes()
    errors = on_a_full_disk(
        "from tests.test_checkpoints import *",
        f"list(train(noisy(), batches(), RECIPE, checkpoint=Checkpoint(Path({str(state)!r}), {{}})))",
    )
    assert "OSError: could not write" in errors and "start the same command again" in errors
    assert state.read_bytes() == before and list(tmp_path.iterdir()) == [state]


def test_a_folder_that_cannot_be_written_to_is_missed_before_the_first_epoch(tmp_path):
    (tmp_path / "small").write_text("in the way", encoding="utf-8")
    size = replace(pixel_shuffle.LIVE, name="small", data=few)
    with pytest.raises(OSError, match=r"make the folder writable"):
        next(record_all(pixel_shuffle, size, ["cnn-none"], [0], tmp_path))


@pytest.mark.slow
def test_a_run_killed_five_times_ends_equal_to_one_never_broken(tmp_path):
    """Batch norm, momentum, a schedule, images mirrored and shifted; SIGKILL in the middle of five of the epochs."""
    command = [sys.executable, "-m", "cnnlib", "run", "lift", "--arms", "augment", "--seeds", "1", "--epochs", "6"]
    broken, whole = tmp_path / "broken", tmp_path / "whole"
    state = broken / "lift-6-epochs" / ".augment-0.unfinished"
    for kill in range(5):
        before = state.stat().st_mtime_ns if kill else 0
        run = subprocess.Popen([*command, "--folder", broken], stderr=subprocess.PIPE)
        while not state.exists() or state.stat().st_mtime_ns == before:
            assert run.poll() is None, run.stderr.read()
            time.sleep(0.01)
        time.sleep(0.1)  # into the next epoch
        run.send_signal(signal.SIGKILL)
        assert run.wait() == -signal.SIGKILL
        run.stderr.close()
    done = [subprocess.run([*command, "--folder", folder], capture_output=True) for folder in (broken, whole)]
    assert [run.returncode for run in done] == [0, 0]
    one, other = (records.read(folder / "lift-6-epochs" / "augment-0.json") for folder in (broken, whole))
    assert (one.epochs, one.test) == (other.epochs, other.test) and len(one.epochs) == 6
    assert not state.exists()
