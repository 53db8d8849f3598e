"""The record of one run: what was trained, on what, how, and what came out. One small JSON file a run."""

import json
import math
import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"
RUNS = DATA / "runs"


class RecordError(ValueError):
    """A record that cannot be read or written; the message says which and what to do."""


@dataclass(frozen=True)
class Record:
    """One finished run. Accuracies lie between 0 and 1, times are seconds, `macs` counts one image forward."""

    experiment: str
    arm: str
    seed: int
    data: str  # the data set's name
    data_hash: str  # first 16 digits of the SHA-256 of its images and labels, before any shuffling
    recipe: dict[str, float | int | bool]
    epochs: tuple[dict[str, float], ...]  # a row an epoch: loss and accuracy in training, valid_* where measured
    test: dict[str, float]  # loss and accuracy on the test part, read once, after the last epoch
    parameters: int
    macs: int
    seconds: float
    device: str
    versions: dict[str, str] = field(default_factory=dict)
    commit: str = ""

    @property
    def accuracy(self) -> float:
        """Share of test images classified correctly."""
        return self.test["accuracy"]

    @property
    def loss(self) -> float:
        """Mean training loss of the last epoch."""
        return self.epochs[-1]["loss"]

    def __str__(self) -> str:
        return f"{self.arm}, seed {self.seed}: test accuracy {self.accuracy:.1%}"


def validate(record: Record) -> None:
    """Raise RecordError, with the reason, unless the record describes a finished run with finite numbers."""
    problems = []
    if not isinstance(record.epochs, tuple) or not record.epochs or not all(map(measured, record.epochs)):
        problems.append("every epoch needs a loss and an accuracy, finite numbers")
    if not measured(record.test):
        problems.append("the test part needs a loss and an accuracy, finite numbers")
    elif not 0 <= record.test["accuracy"] <= 1:
        problems.append("the test accuracy must lie between 0 and 1")
    if not isinstance(record.parameters, int) or record.parameters < 1:
        problems.append("parameters must be a whole number from 1 upwards")
    if not isinstance(record.macs, int) or record.macs < 0:
        problems.append("macs must be a whole number from 0 upwards")
    if not finite(record.seconds) or record.seconds < 0:
        problems.append("seconds must be a finite number from 0 upwards")
    if not isinstance(record.recipe, dict) or not isinstance(record.versions, dict):
        problems.append("recipe and versions must be tables of names and values")
    if not isinstance(record.seed, int) or not isinstance(record.arm, str):
        problems.append("seed must be a whole number, arm a name")
    if problems:
        raise RecordError(f"{record.experiment}, {record.arm}, seed {record.seed}: " + "; ".join(problems))


def measured(row: object) -> bool:
    """Is it a table of finite numbers with a loss and an accuracy among them?"""
    return isinstance(row, dict) and {"loss", "accuracy"} <= set(row) and all(map(finite, row.values()))


def finite(value: object) -> bool:
    """Is it a number, neither infinite nor NaN?"""
    return isinstance(value, int | float) and math.isfinite(value)


def path_of(name: str, arm: str, seed: int, runs: Path = RUNS) -> Path:
    """Where the run lies: it is finished when this file exists."""
    return runs / name / f"{arm}-{seed}.json"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path` and rename at the end: nobody ever sees half a file.

    Raises OSError with a sentence where it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())  # or a power cut could leave the new name and none of its content
        temporary.replace(path)
    except OSError as error:
        raise OSError(
            f"could not write {path}: {error.strerror or error}. Free some space, or make the folder writable, and "
            "start the same command again."
        ) from error
    finally:
        if temporary.parent.is_dir():
            temporary.unlink(missing_ok=True)


def writable(folder: Path) -> None:
    """OSError, with a sentence, unless files can be written into the folder, which is made if need be."""
    trial = folder / ".writable"
    try:
        with replacing(trial) as temporary:
            temporary.touch()
    except OSError as error:
        raise OSError(f"{error} Or name another folder: --folder.") from error
    trial.unlink(missing_ok=True)  # another process may have been here, too


def write(record: Record, name: str, runs: Path = RUNS) -> Path:
    """Validate the record and put it into `runs/name`, whole or not at all."""
    validate(record)
    path = path_of(name, record.arm, record.seed, runs)
    try:
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(asdict(record), indent=1) + "\n", encoding="utf-8", newline="\n")
    except OSError as error:
        raise RecordError(f"{error} Finished runs are kept and skipped.") from error
    return path


def read(path: Path) -> Record:
    """Read one run. A broken or foreign file is refused with the reason."""
    remedy = "Delete it and run the experiment again."
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise RecordError(f"{path} is not whole JSON ({error}). {remedy}") from error
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror or error}. {remedy}") from error
    names = {f.name for f in fields(Record)}
    if not isinstance(content, dict) or set(content) != names:
        raise RecordError(f"{path} is not the record of a run: its fields are not {', '.join(sorted(names))}. {remedy}")
    rows = content["epochs"]
    record = Record(**content | {"epochs": tuple(rows) if isinstance(rows, list) else rows})
    if path.stem != f"{record.arm}-{record.seed}":
        raise RecordError(f"{path} holds the run {record.arm}-{record.seed}: name and content differ. {remedy}")
    try:
        validate(record)
    except RecordError as error:
        raise RecordError(f"{path} is damaged: {error}. {remedy}") from error
    return record


def read_all(name: str, runs: Path = RUNS) -> dict[str, list[Record]]:
    """All finished runs of an experiment, by arm, each list in the order of its seeds. Empty if there are none."""
    records = sorted((read(path) for path in (runs / name).glob("*.json")), key=lambda r: (r.arm, r.seed))
    return by_arm(records)


def by_arm(records: list[Record]) -> dict[str, list[Record]]:
    """Sort records into lists, one an arm."""
    arms: dict[str, list[Record]] = {}
    for record in records:
        arms.setdefault(record.arm, []).append(record)
    return arms


@cache
def commit() -> str:
    """The commit this library stands at, with `+` if files were changed since; empty outside a git checkout."""
    git = ["git", "-C", str(DATA.parent)]
    try:
        head = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True)
        dirty = subprocess.run([*git, "status", "--porcelain", "cnnlib"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return head.stdout.strip() + ("+" if dirty.stdout else "")
