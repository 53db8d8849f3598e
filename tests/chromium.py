"""The browser of the tests: where it is, how it is started, and what is said where there is none."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import NoReturn

import pytest

NOTHING_SEEN = "NO BROWSER TEST RAN, neither on widgets nor on decks nor in JupyterLab"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def lacking() -> str | None:
    """What this machine lacks for the browser tests, in a sentence; None if nothing."""
    if executable() is None:
        return "there is no chromium on this machine"
    missing = [name for name in ("playwright", "axe_playwright_python") if find_spec(name) is None]
    return f"pip install -e .[browser] would bring what is missing: {', '.join(missing)}" if missing else None


def executable() -> str | None:
    """Where Chromium is."""
    return shutil.which("chromium") or shutil.which("google-chrome")


@contextmanager
def launched() -> Iterator:
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=QUIET)
        yield browser
        browser.close()


def go_without(lack: str, environment: Mapping[str, str] = os.environ) -> NoReturn:
    """Skip the test by name; fail it where CI is set, for there nobody would look who skipped."""
    if environment.get("CI", "").lower() in ("", "0", "false"):
        pytest.skip(f"{NOTHING_SEEN}: {lack}")
    pytest.fail(f"{NOTHING_SEEN}: {lack}", pytrace=False)
