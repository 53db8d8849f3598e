"""What holds for every exercise: the stub is no attempt, right answers pass, usual wrong ones do not and are named."""

from collections.abc import Callable, Collection, Mapping, Sequence

import pytest
import torch
from torch.nn import functional as F

from cnnlib.course.checks import Exercise, check
from cnnlib.course.exercises import EXERCISES

Right, Wrong = Sequence[Callable], Sequence[tuple[str, Callable]]  # a wrong answer behind words of its mistake


def function(signature: str, *lines: str) -> Callable:
    """The function with this signature and body, as a reader may write it."""
    space = {"F": F, "torch": torch}
    exec("\n    ".join([f"def {signature}:", *lines]), space)
    return space[signature.partition("(")[0]]


def output(capsys, answer: Callable, of: str | None) -> str:
    """What the check prints of an answer."""
    check(answer, of=of)
    return capsys.readouterr().out


def answer_tests(
    exercises: Sequence[Exercise],
    answers: Mapping[str, tuple[Right, Wrong]],
    unmade: Collection[str] = (),
    slow: bool = False,
) -> type:
    """A class of tests for a chapter's exercises and answers to them.

    The mistakes that have words of `unmade` are made by chance, by none of these answers. In a chapter that is `slow`,
    make check leaves the right answers to make test.
    """
    told: dict[tuple[str, str], str] = {}  # what was said of each wrong answer, by exercise and words

    class TestAnswers:
        @pytest.mark.parametrize("exercise", exercises, ids=lambda exercise: exercise.name)
        def test_the_stub_is_not_attempted(self, exercise, capsys):
            stub = function(exercise.signature, "...")
            assert output(capsys, stub, None) == f"not attempted yet: replace the ... in {exercise.name}\n"

        def test_every_exercise_is_answered(self):
            assert set(answers) == {exercise.name for exercise in exercises}

        @pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow if slow else ()) for n in answers])
        def test_right_answers_pass_however_they_are_written(self, name, capsys):
            total, rights = len(EXERCISES[name].properties), answers[name][0]
            said = [output(capsys, right, name) for right in rights]
            assert [text for text in said if not text.startswith(f"✓ {total} of {total}: ")] == []
            assert "remark" not in said[0]

        @pytest.mark.parametrize(
            ("name", "mistake", "answer"),
            [(name, mistake, answer) for name, (_, wrong) in answers.items() for mistake, answer in wrong],
            ids=lambda value: value if isinstance(value, str) else "",
        )
        def test_a_usual_wrong_answer_does_not_pass_and_is_named(self, name, mistake, answer, capsys):
            told[name, mistake] = output(capsys, answer, name)
            assert told[name, mistake].startswith("✗") and mistake in told[name, mistake]

        @pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow if slow else ()) for n in answers])
        def test_every_mistake_in_the_list_is_one_that_an_answer_can_make(self, name, capsys):
            said = "".join(
                told.get((name, mistake)) or output(capsys, answer, name) for mistake, answer in answers[name][1]
            )
            unsaid = [mistake.name for mistake in EXERCISES[name].mistakes if mistake.name not in said]
            assert [mistake for mistake in unsaid if not any(words in mistake for words in unmade)] == []

    return TestAnswers
