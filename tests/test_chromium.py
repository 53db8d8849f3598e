"""Where no browser is, the tests that need one say so; where CI is set, they fail."""

import pytest

from tests import chromium


@pytest.mark.parametrize("environment", [{}, {"CI": ""}, {"CI": "false"}])
def test_on_a_reader_s_machine_they_are_skipped_by_name(environment):
    with pytest.raises(pytest.skip.Exception, match=r"NO BROWSER TEST RAN.*JupyterLab: there is none"):
        chromium.go_without("there is none", environment)


def test_where_nobody_would_look_they_fail():
    with pytest.raises(pytest.fail.Exception, match="NO BROWSER TEST RAN"):
        chromium.go_without("there is none", {"CI": "true"})


def test_it_is_said_what_is_missing(monkeypatch):
    monkeypatch.setattr(chromium, "executable", lambda: None)
    assert chromium.lacking() == "there is no chromium on this machine"
    monkeypatch.setattr(chromium, "executable", lambda: "/usr/bin/chromium")
    monkeypatch.setattr(chromium, "find_spec", lambda name: None)
    assert chromium.lacking().endswith("playwright, axe_playwright_python")
