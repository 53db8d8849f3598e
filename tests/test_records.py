import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
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
        ({"epochs": ({"loss": float("nan"), "accuracy": 0.1},)}, "finite numbers"),
        ({"test": {"loss": 0.1, "accuracy": 97.0}}, "between 0 and 1"),
        ({"test": {"loss": float("inf"), "accuracy": 0.9}}, "the test part needs a loss .* finite"),
        ({"parameters": 0}, "parameters"),
        ({"macs": -1}, "macs"),
        ({"seconds": float("nan")}, "seconds must be a finite number"),
        ({"seconds": -1.0}, "seconds must be a finite number"),
        ({"recipe": []}, "recipe and versions must be tables"),
        ({"versions": 3}, "recipe and versions must be tables"),
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
    path.write_text(spoil(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(RecordError, match=reason):
        records.read_all("x", tmp_path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("epochs", value) for value in ([5], 5, None, [])],
        *[("test", value) for value in (5, None, {"loss": 0.1, "accuracy": "high"}, {"loss": 1e999, "accuracy": 0.5})],
        *[("parameters", value) for value in ("many", None, 1.5)],
        *[("seconds", value) for value in (None, float("nan"), "3")],
        *[("recipe", []), ("versions", 3), ("macs", None), ("seed", "3")],
    ],
)
def test_damaged_content_is_refused_with_path_and_remedy(tmp_path, field, value):
    path = records.write(RECORD, "x", tmp_path)
    content = json.loads(path.read_text(encoding="utf-8")) | {field: value}
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(RecordError) as caught:
        records.read(path)
    assert str(path) in str(caught.value) and str(caught.value).endswith("Delete it and run the experiment again.")


def test_a_folder_in_a_record_s_place_is_named(tmp_path):
    path = records.path_of("x", "cnn-none", 3, tmp_path)
    path.mkdir(parents=True)
    with pytest.raises(RecordError, match=r"cnn-none-3.json cannot be read: .* Delete it"):
        records.read(path)


def test_several_commands_may_ask_at_once_whether_a_folder_can_be_written_to(tmp_path):
    with ThreadPoolExecutor(4) as four:
        list(four.map(records.writable, [tmp_path] * 100))
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(RecordError, match=r"make the folder writable, .* again\. Finished runs are kept and skipped"):
        records.write(RECORD, "x", tmp_path / "file")


def on_a_full_disk(imports: str, statement: str) -> str:
    """What a Python says on stderr in which no file can grow beyond 100 bytes."""
    resource = pytest.importorskip("resource", reason="no limits on the size of files here")
    code = (
        f"import resource, signal; from pathlib import Path; {imports}\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, (100, {resource.RLIM_INFINITY}))\n"
        f"{statement}\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=records.DATA.parent)
    return done.stderr


def test_a_full_disk_leaves_neither_half_a_record_nor_a_temporary_file(tmp_path):
    old = records.write(RECORD, "x", tmp_path).read_text(encoding="utf-8")
    errors = on_a_full_disk(
        "from tests.test_records import RECORD, records", f"records.write(RECORD, 'x', Path({str(tmp_path)!r}))"
    )
    assert "RecordError: could not write" in errors and "Free some space" in errors
    assert [path.name for path in (tmp_path / "x").iterdir()] == ["cnn-none-3.json"]
    assert (tmp_path / "x" / "cnn-none-3.json").read_text(encoding="utf-8") == old


def test_the_recorded_runs_of_the_course_are_whole():
    names = [folder.name for folder in records.RUNS.iterdir()]
    runs = [run for name in names for found in records.read_all(name).values() for run in found]
    assert runs and all(run.data_hash and run.versions["torch"] for run in runs)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A git repository with one file in cnnlib, taken for the library's own."""
    if not (git := shutil.which("git")):  # a reader may lack it; where tests guard the course it must be there
        (pytest.fail if os.environ.get("CI") else pytest.skip)("git is not installed")
    monkeypatch.setattr(records, "DATA", tmp_path / "data")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / "cnnlib").mkdir()
    (tmp_path / "cnnlib" / "a.py").write_text("a = 1\n", encoding="utf-8")
    author = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for command in (["init"], ["add", "."], [*author, "commit", "-m", "first"]):
        subprocess.run([git, "-C", str(tmp_path), *command], check=True, capture_output=True)
    return tmp_path


def test_the_commit_has_a_plus_where_the_library_was_changed(repository):
    commit = records.commit.__wrapped__
    clean = commit()
    assert len(clean) == 12 and int(clean, 16) >= 0
    (repository / "data.txt").write_text("no part of the library", encoding="utf-8")
    assert commit() == clean
    (repository / "cnnlib" / "a.py").write_text("a = 2\n", encoding="utf-8")
    assert commit() == clean + "+"


def test_outside_a_repository_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "DATA", tmp_path / "data")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert records.commit.__wrapped__() == ""
