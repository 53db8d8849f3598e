"""What every test gets: no network in any Python that it starts, one browser, the chapters' seconds beside budgets."""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnnlib.publish.pairs import guarded_environment
from tests.chromium import NOTHING_SEEN, go_without, lacking, launched

BUDGET = 90  # seconds a chapter, on two idle cores
BUDGETS = {"09": 120}
os.environ.update(guarded_environment())
# A process in a shell's background hears no SIGINT, nor do its children; the tests of Ctrl-C need theirs to.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def chromium() -> Iterator:
    lack = lacking()
    if lack is not None:
        go_without(lack)
    with launched() as browser:
        yield browser


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many tests had no browser, and how long each chapter took: none fails by it, machines may be busy."""
    blind = [report for report in terminalreporter.stats.get("skipped", []) if NOTHING_SEEN in str(report.longrepr)]
    if blind:
        terminalreporter.section(f"{NOTHING_SEEN}: {len(blind)} tests skipped", sep="!", red=True, bold=True)
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
