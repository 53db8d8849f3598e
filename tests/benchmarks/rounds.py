"""Timing several ways to do one thing, in turns, so that a busy moment hits them all."""

from collections.abc import Callable, Mapping
from statistics import median

ROUNDS = 9


def rounds(ways: Mapping[str, Callable[[], float]], count: int = ROUNDS) -> dict[str, list[float]]:
    """What each way returns (a rate, or seconds), `count` times in turns, after one turn to warm up."""
    measured: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(count + 1):
        for name, way in ways.items():
            value = way()
            if turn:
                measured[name].append(value)
    return measured


def ratio(a: list[float], b: list[float]) -> str:
    """Median of the paired ratios a/b, and their range."""
    ratios = [x / y for x, y in zip(a, b)]
    return f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
