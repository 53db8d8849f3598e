"""Our networks give the numbers in golden.json, which come from torchvision's, with neither torchvision nor weights."""

import json

import pytest

from cnnlib.models import MODELS
from tests.models.record_golden import GOLDEN, measured
from tests.models.twins import TWINS

NUMBERS = json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_every_network_has_golden_numbers_and_no_other_has():
    missing, left = sorted(set(MODELS) - set(NUMBERS)), sorted(set(NUMBERS) - set(MODELS))
    cure = "Record them with `python -m tests.models.record_golden`."
    assert not missing and not left, f"golden.json lacks {missing}; it has {left}, which MODELS lacks. {cure}"


@pytest.mark.parametrize("name", [name for name in NUMBERS if name in MODELS])
def test_logits_parameters_and_multiply_adds_are_the_recorded_ones(name):
    golden, now = dict(NUMBERS[name]), measured(name)
    assert golden.pop("from") == ("torchvision" if name in TWINS else "cnnlib")
    expected = golden.pop("logits")
    scale = max(map(abs, expected))
    assert now.pop("logits") == pytest.approx(expected, rel=0, abs=1e-5 * scale)
    assert now == golden
