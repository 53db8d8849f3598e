"""What every test gets: no network in any Python that a test starts, and the chapters' seconds beside their budgets."""

import os
from collections import Counter
from pathlib import Path

import pytest

from cnnlib.publish.pairs import guarded_environment

BUDGET = 90  # seconds a chapter, on two idle cores
BUDGETS = {"09": 120}

os.environ.update(guarded_environment())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how long each chapter took. No test fails by it: the machine may have been busy."""
    seconds: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport) and ".ipynb::" in report.nodeid:
                seconds[Path(report.nodeid.partition("::")[0]).stem] += report.duration
    if seconds:
        terminalreporter.section("seconds beside budgets")
        for chapter, taken in sorted(seconds.items()):
            budget = BUDGETS.get(chapter[:2], BUDGET)
            note = "  over" if taken > budget else ""
            terminalreporter.write_line(f"{chapter:<24} {taken:5.0f} of {budget:3} s{note}")
