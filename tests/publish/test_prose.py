from dataclasses import replace
from pathlib import Path

import pytest

from cnnlib import records
from cnnlib.publish import prose

RUN = records.Record(
    experiment="shift",
    arm="cnn-none",
    seed=0,
    data="digits",
    data_hash="0" * 16,
    recipe={"epochs": 1},
    epochs=({"loss": 0.9, "accuracy": 0.5}, {"loss": 0.25, "accuracy": 0.9}),
    test={"loss": 0.3, "accuracy": 0.96},
    parameters=6442,
    macs=1_200_000,
    seconds=90.0,
    device="cpu",
)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two arms: cnn-none with the accuracies 0.96 and 0.94, mlp-all with 0.881."""
    other = replace(RUN, arm="mlp-all", test={"loss": 0.4, "accuracy": 0.881})
    for run in (RUN, replace(RUN, seed=1, test={"loss": 0.3, "accuracy": 0.94}), other):
        records.write(run, "shift", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("comment", "number"),
    [
        ("shift: cnn, none, mean", 0.95),
        ("<!-- shift: cnn, none, mean -->", 0.95),
        ("shift: cnn-none, min", 0.94),
        ("shift: cnn, none, max", 0.96),
        ("shift: cnn, none, sd", 0.02 / 2**0.5),
        ("shift: cnn, none, seed 1", 0.94),
        ("shift: cnn, none, loss, mean", 0.25),
        ("shift: cnn, none, seconds, mean", 90),
        ("shift: cnn, none, parameters, max", 6442),
        ("shift: cnn, none, macs, seed 0", 1_200_000),
        ("shift: mlp, all, mean minus cnn, none, mean", -0.069),
    ],
)
def test_a_comment_stands_for_a_number(comment: str, number: float, runs: Path):
    assert prose.resolve(comment, runs) == pytest.approx(number)


@pytest.mark.parametrize(
    "text",
    [
        "The CNN reaches 95 %<!-- shift: cnn, none, mean --> here, 95.0%<!-- shift: cnn, none, mean --> there.",
        "**95 %**<!-- shift: cnn, none, mean --> in bold, 95\u202f%<!-- shift: cnn, none, mean --> with a thin space",
        "It is −6.9 points<!-- shift: mlp, all, mean minus cnn, none, mean --> better",
        "from 62–95 %<!-- shift: cnn, none, mean -->",
        "6,442<!-- shift: cnn, none, parameters, mean -->",
        "6\u202f442 weights<!-- shift: cnn, none, parameters, mean -->",
        "1.2 million<!-- shift: cnn, none, macs, mean --> in 1.5 minutes<!-- shift: cnn, none, seconds, mean -->",
        "a loss of 0.25<!-- shift: cnn, none,\n loss, mean -->",
        "nothing measured, 12 %",
        "one last digit off: 94 %<!-- shift: cnn, none, mean -->",
    ],
)
def test_numbers_that_agree(text: str, runs: Path):
    assert prose.problems(text, runs) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("93.9 %<!-- shift: cnn, none, mean -->", "the text says 93.9 %, the record 95"),
        ("9.5<!-- shift: cnn, none, mean -->", "the text says 9.5, the record 0.95"),
        ("6.9 points<!-- shift: mlp, all, mean minus cnn, none, mean -->", "the record -6.9"),
        ("6,444<!-- shift: cnn, none, parameters, mean -->", "the text says 6,444, the record 6442"),
        ("well<!-- shift: cnn, none, mean -->", "no number right before it"),
        ("95 % of them<!-- shift: cnn, none, mean -->", "no number right before it"),
        ("95 %<!-- shift, cnn, none, mean -->", "names no run"),
        ("95 %<!-- shaft: cnn, none, mean -->", "no recorded runs of shaft"),
        ("95 %<!-- shift: cnn, all, mean -->", "no recorded run has the arm cnn-all; there are cnn-none, mlp-all"),
        ("95 %<!-- shift: cnn, none -->", "the arm cnn;"),
        ("95 %<!-- shift: cnn, none, median -->", "median is no statistic"),
        ("95 %<!-- shift: cnn, none, seed 7 -->", "no recorded run with seed 7"),
        ("1 %<!-- shift: mlp, all, sd -->", "no standard deviation"),
    ],
)
def test_numbers_and_comments_that_do_not(text: str, said: str, runs: Path):
    (problem,) = prose.problems(text, runs)
    assert said in problem


def test_a_broken_record_is_named(runs: Path):
    (runs / "shift" / "cnn-none-2.json").write_text("{", encoding="utf-8")
    (problem,) = prose.problems("95 %<!-- shift: cnn, none, mean -->", runs)
    assert "cnn-none-2.json is not whole JSON" in problem
