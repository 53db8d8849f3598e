"""What every test gets: no network in any Python that it starts, one browser, the chapters' seconds beside budgets."""

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnnlib.publish.pairs import guarded_environment

BUDGET = 90  # seconds a chapter, on two idle cores
BUDGETS = {"09": 120}
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

os.environ.update(guarded_environment())


@pytest.fixture(scope="session")
def chromium() -> Iterator:
    if CHROMIUM is None:
        pytest.skip("NO SLIDE WAS LOOKED AT: there is no chromium on this machine")
    reason = "NO SLIDE WAS LOOKED AT: the package playwright is missing"
    api = pytest.importorskip("playwright.sync_api", reason=reason)
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


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
