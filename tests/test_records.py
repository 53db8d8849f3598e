import json
import resource
import subprocess
import sys
from dataclasses import replace

import pytest

from cnnlib import records
from cnnlib.records import Record, RecordError

RECORD = Record(
    experiment="pixel-shuffle",
    arm="cnn-none",
    seed=3,
    data="digits",
    data_hash="0123456789abcdef",
    recipe={"epochs": 1, "learning_rate": 0.05},
    epochs=({"loss": 0.5, "accuracy": 0.8},),
    test={"loss": 0.4, "accuracy": 0.9},
    parameters=6422,
    macs=149_300,
    seconds=1.5,
    device="cpu",
)


def test_a_record_comes_back_as_it_was_written(tmp_path):
    path = records.write(RECORD, "pixel-shuffle", tmp_path)
    assert path == tmp_path / "pixel-shuffle" / "cnn-none-3.json"
    assert records.read(path) == RECORD
    assert (RECORD.accuracy, RECORD.loss) == (0.9, 0.5)


def test_all_runs_come_by_arm_in_the_order_of_their_seeds(tmp_path):
    for seed in (10, 2, 0):
        records.write(replace(RECORD, seed=seed), "x", tmp_path)
    records.write(replace(RECORD, arm="mlp-none"), "x", tmp_path)
    runs = records.read_all("x", tmp_path)
    assert {arm: [run.seed for run in found] for arm, found in runs.items()} == {
        "cnn-none": [0, 2, 10],
        "mlp-none": [3],
    }
    assert records.read_all("nothing", tmp_path) == {}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"epochs": ()}, "every epoch needs a loss"),
        ({"epochs": ({"loss": float("nan"), "accuracy": 0.1},)}, "not a finite number"),
        ({"test": {"loss": 0.1, "accuracy": 97.0}}, "between 0 and 1"),
        ({"parameters": 0}, "parameters"),
    ],
)
def test_an_impossible_record_is_not_written(tmp_path, change, reason):
    with pytest.raises(RecordError, match=reason):
        records.write(replace(RECORD, **change), "x", tmp_path)
    assert list(tmp_path.rglob("*.json")) == []


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda text: text[: len(text) // 2], "not whole JSON"),
        (lambda text: "[1, 2]", "not the record of a run"),
        (lambda text: json.dumps({"experiment": "another program's file"}), "not the record of a run"),
        (lambda text: text.replace('"seed": 3', '"seed": 4'), "name and content differ"),
        (lambda text: text.replace('"accuracy": 0.9', '"accuracy": 9'), "between 0 and 1"),
    ],
)
def test_a_broken_or_foreign_file_is_refused_with_the_reason(tmp_path, spoil, reason):
    path = records.write(RECORD, "x", tmp_path)
    path.write_text(spoil(path.read_text()))
    with pytest.raises(RecordError, match=reason):
        records.read_all("x", tmp_path)


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RecordError, match="a folder you may write"):
        records.write(RECORD, "x", tmp_path / "file")


def test_a_full_disk_leaves_neither_half_a_record_nor_a_temporary_file(tmp_path):
    old = records.write(RECORD, "x", tmp_path).read_text()
    code = (
        "import resource, signal; from tests.test_records import RECORD, records; from pathlib import Path\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, (100, {resource.RLIM_INFINITY}))\n"
        f"records.write(RECORD, 'x', Path({str(tmp_path)!r}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=records.DATA.parent)
    assert "RecordError: could not write" in done.stderr and "Free some space" in done.stderr
    assert [path.name for path in (tmp_path / "x").iterdir()] == ["cnn-none-3.json"]
    assert (tmp_path / "x" / "cnn-none-3.json").read_text() == old


def test_the_recorded_runs_of_the_course_are_whole():
    names = [folder.name for folder in records.RUNS.iterdir()]
    runs = [run for name in names for found in records.read_all(name).values() for run in found]
    assert runs and all(run.data_hash and run.versions["torch"] for run in runs)
