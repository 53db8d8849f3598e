"""The committed chapters: both halves, in step, and every rule kept."""

from pathlib import Path

import pytest

from cnnlib.publish import lint
from cnnlib.publish.pairs import CHAPTERS

HALVES = [path for path in CHAPTERS.glob("[0-9][0-9]_*") if path.suffix in (".py", ".ipynb")]
NOTEBOOKS = sorted(path for path in HALVES if path.suffix == ".ipynb")


def test_both_halves_exist():
    halves = {path.name for path in HALVES}
    stems = {path.stem for path in HALVES}
    missing = {f"{stem}{suffix}" for stem in stems for suffix in (".py", ".ipynb")} - halves
    assert not missing, "run `python -m cnnlib sync` and commit both halves"


@pytest.mark.parametrize("rule", lint.RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_rule(notebook: Path, rule: lint.Rule):
    assert lint.problems(notebook, (rule,)) == []
