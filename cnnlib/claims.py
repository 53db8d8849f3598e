"""Claims and verdicts: sentences of a chapter, each with the condition that makes it true."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Protocol


class Run(Protocol):
    """A finished training, as `beats` sees it: which seed, and how accurate on the test part (0 to 1)."""

    seed: int
    accuracy: float


@dataclass(frozen=True)
class Score:
    """The smallest run: for comparisons in a cell that keeps no records."""

    seed: int
    accuracy: float


def claim(text: str, holds: bool) -> None:
    """Print `✓ text` if it holds, `✗ text` if not. Never raises: CI compares the printed line."""
    print("✓" if holds else "✗", text)


def verdict(statement: str, holds: bool | Sequence[bool], because: str) -> None:
    """Print whether a common statement survives the measurement, and why. Several cases may disagree: `it depends`."""
    cases = [bool(case) for case in holds] if isinstance(holds, Sequence) else [bool(holds)]
    word = "holds" if all(cases) else "it depends" if any(cases) else "does not hold"
    print(f"{word}: “{statement}”\n    {because}")


def mean_accuracy(runs: Sequence[Run]) -> float:
    """The runs' mean accuracy."""
    return mean(run.accuracy for run in runs)


def beats(a: Sequence[Run], b: Sequence[Run], by: float) -> bool:
    """Is `a` more accurate than `b` by at least `by` (0.05 = five points), beyond the noise of the seeds?

    Runs are paired by seed. The mean of the differences must reach `by` and be at least twice its standard error.
    Raises ValueError for fewer than three pairs: one run against one run decides nothing.
    """
    other = {run.seed: run.accuracy for run in b}
    gains = [run.accuracy - other[run.seed] for run in a if run.seed in other]
    if len(gains) < 3:
        raise ValueError(f"{len(gains)} runs share a seed; train both arms on at least three common seeds")
    return mean(gains) >= max(by, 2 * stdev(gains) / len(gains) ** 0.5)
