import numpy as np
import pytest
import torch
from torch import nn

from cnnlib.course.checks import Exercise, Mistake, Property, agree, check, report, short
from cnnlib.course.exercises import EXERCISES

DOUBLE = Exercise(
    signature="double(number)",
    properties=(
        Property("small numbers", lambda g: (int(torch.randint(3, 9, (), generator=g)),), lambda x: x + x),
        Property("two and two", lambda g: (2,), lambda x: x + x, trials=1),
    ),
    mistakes=(
        Mistake("squared", "x times x is another thing.", lambda got, x: agree(got, x * x)),
        Mistake("two added", "twice, not two more.", lambda got, x: agree(got, x + 2)),
        Mistake("never below ten", "why ten?", lambda got, x: agree(got, max(10, x + 2))),
    ),
    hint="add it to itself.",
    errors={"can only concatenate str": "the number is no text."},
    remarks=(Mistake("a float", "an int would do.", lambda got, x: isinstance(got, float)),),
)


def printed(capsys, function, of):
    assert check(function, of=of) is None
    return capsys.readouterr().out


def stub(number): ...


def only_documented(number):
    """Twice the number."""


def passed(number):
    pass


def ellipsis(number):
    return ...


@pytest.mark.parametrize("function", [stub, only_documented, passed, ellipsis, torch.no_grad()(stub)])
def test_an_untouched_stub_is_not_attempted(function):
    assert report(function, DOUBLE) == "not attempted yet: replace the ... in double"


def test_a_constant_answer_is_an_attempt():
    assert report(lambda number: 4, DOUBLE).startswith("✗")


def test_a_right_answer_is_told_what_was_checked():
    assert report(lambda number: number * 2, DOUBLE) == "✓ 2 of 2: small numbers; two and two"


def test_a_right_answer_may_earn_a_remark():
    assert report(lambda number: number * 2.0, DOUBLE).endswith("\n  A remark: an int would do.")


def test_a_counterexample_shows_input_expected_got_and_names_the_mistake():
    lines = report(lambda number: number**2, DOUBLE).splitlines()
    number = int(lines[1].removeprefix("  input     number = "))
    assert lines == [
        "✗ 1 of 2 does not hold: small numbers",
        f"  input     number = {number}",
        f"  expected  {2 * number}",
        f"  got       {number**2}",
        "  Looks like a usual mistake: squared.",
        "  Hint: x times x is another thing.",
    ]


def test_of_two_mistakes_that_explain_the_counterexample_the_one_that_explains_more_is_named():
    # Numbers from 3 to 8: adding two never reaches ten unless the number is 8.
    assert "two added" in report(lambda number: number + 2, DOUBLE)
    assert "never below ten" in report(lambda number: max(10, number + 2), DOUBLE)


def test_an_unknown_mistake_gets_the_hint():
    assert report(lambda number: -number, DOUBLE).endswith("  Hint: add it to itself.")


def test_a_text_that_looks_like_the_answer_is_told_apart():
    assert "(a str)" in report(lambda number: str(2 * number), DOUBLE)


def test_an_error_is_shown_with_the_readers_own_line_and_no_traceback():
    def double(number):
        words = "twice "
        return words + number

    lines = report(double, DOUBLE).splitlines()
    assert lines[0] == "✗ double stops with an error"
    assert lines[1].startswith("  TypeError: can only concatenate str")
    assert lines[2].endswith("return words + number") and lines[2].startswith("  line ")
    assert lines[3:] == ["  Hint: the number is no text."]


def test_a_changed_signature_is_named():
    assert "Is it called as double(number)" in report(lambda: 4, DOUBLE)


def test_a_missing_return_is_named():
    def double(number):
        number * 2

    assert report(double, DOUBLE).splitlines()[0] == "✗ double returns nothing"


def test_an_interrupt_is_not_swallowed():
    def double(number):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        report(double, DOUBLE)


def test_a_function_that_changes_its_arguments_is_judged_by_what_it_was_given():
    total = Exercise(
        signature="total(values)",
        properties=(Property("sums", lambda g: ([1.0, 2.0],), lambda values: 3.0),),
        mistakes=(Mistake("the first", "all of them.", lambda got, values: agree(got, values[0])),),
        hint="add.",
    )
    assert report(lambda values: sum(values.pop() for _ in range(2)), total).startswith("✓")
    assert "values = [1, 2]" in report(lambda values: values.clear() or 1, total)
    assert "the first" in report(lambda values: values.clear() or 1, total)


def test_only_what_is_expected_of_an_observation_is_compared_and_shown():
    exercise = Exercise(
        signature="f(x)",
        properties=(Property("sign", lambda g: (1,), lambda x: {"sign": 1}, lambda f, x: {"sign": f(x), "secret": 7}),),
        mistakes=(Mistake("seven", "see.", lambda got, x: got["secret"] == 7),),
        hint="",
    )
    assert report(lambda x: 1, exercise).startswith("✓")
    assert "secret" not in report(lambda x: -1, exercise) and "seven" in report(lambda x: -1, exercise)


def test_a_check_prints_the_same_on_any_seed_and_leaves_the_seed_alone(capsys):
    def solution(pixels):
        return (pixels - 33.0 + torch.rand(())) / 79

    torch.manual_seed(1)
    first = printed(capsys, solution, "transform")
    torch.manual_seed(2)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    assert printed(capsys, solution, "transform") == first
    assert torch.equal(torch.get_rng_state(), state) and torch.get_num_threads() == threads


def test_a_function_that_switches_gradients_off_does_so_for_itself_alone(capsys):
    printed(capsys, lambda images, batch_size: torch.set_grad_enabled(False) and 0, "steps_per_epoch")
    assert torch.is_grad_enabled()


def test_the_exercise_is_found_by_the_functions_name(capsys):
    def steps_per_epoch(images, batch_size): ...

    check(steps_per_epoch)
    assert capsys.readouterr().out == "not attempted yet: replace the ... in steps_per_epoch\n"


def test_an_unknown_exercise_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"an exercise called '<lambda>'.*steps_per_epoch, mean_loss"):
        check(lambda: 1)
    with pytest.raises(ValueError, match="an exercise without a name"):
        check(3)


def test_every_exercise_has_properties_mistakes_and_arguments():
    for name, exercise in EXERCISES.items():
        assert name == exercise.name and exercise.properties and exercise.hint
        assert len(exercise.mistakes) >= 3 and all(argument.isidentifier() for argument in exercise.arguments)


@pytest.mark.parametrize("value", [3, 3.0, np.int64(3), np.float32(3), np.array(3), torch.tensor(3), torch.tensor(3.0)])
def test_numbers_of_every_library_agree(value):
    assert agree(value, 3) and not agree(value, 4)


@pytest.mark.parametrize("value", [None, "3", [3], torch.tensor([3]), {"answer": 3}, nn.Flatten(), float("nan")])
def test_what_is_not_the_number_does_not_agree(value):
    assert not agree(value, 3)


def test_agreement_is_to_rounding():
    assert agree(torch.tensor([0.1, 0.2]) * 3, [0.3, 0.6])
    assert not agree(torch.tensor([0.1, 0.2]) * 3, [0.3, 0.601])


def test_values_are_shown_on_one_short_line():
    assert short(60000) == "60,000" and short(1 / 3) == "0.3333" and short(True) == "yes"
    assert short(torch.arange(9.0)) == "[0, 1, 2, 3, 4, 5, …] (float32 9)"
    assert short(torch.zeros(2, 1, 28, 28)) == "float32 2×1×28×28"
    assert short({"loss": torch.tensor(0.5), "moved": False}) == "loss: 0.5; moved: no"
    assert short(nn.Sequential(nn.Flatten(), nn.Linear(2, 2))) == "a net of Flatten, Linear"
    assert len(short("x" * 500)) == 100
