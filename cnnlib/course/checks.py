"""The exercise engine: a reader's function is tried on random inputs; what fails is shown and, where usual, named."""

import dis
import inspect
import linecache
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from numbers import Number
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.optim import Optimizer

Function = Callable[..., Any]


def call(function: Function, *arguments: Any) -> Any:
    """What the function returns: the observation most properties compare."""
    return function(*arguments)


@dataclass(frozen=True)
class Property:
    """Something that every right answer has.

    `draw(generator)` makes the arguments of one trial, anew each time, for a function may change them.
    `observe(function, *arguments)` is what is looked at, `expected(*arguments)` what a right function shows, found by
    means that no answer uses. Both may be dicts; then only what stands in the expected one is compared and shown.
    """

    says: str
    draw: Callable[[Generator], tuple]
    expected: Callable[..., Any]
    observe: Callable[..., Any] = call
    trials: int = 5


@dataclass(frozen=True)
class Mistake:
    """A usual mistake, recognised by what it leads to: `looks_like(observed, *arguments)`."""

    name: str
    hint: str
    looks_like: Callable[..., bool]


@dataclass(frozen=True)
class Exercise:
    """A function to be written: what must hold for it, and what usually goes wrong. It holds no solution.

    `errors` maps a piece of an error's message to what to say about it; `remarks` are for right answers.
    """

    signature: str
    properties: tuple[Property, ...]
    mistakes: tuple[Mistake, ...]
    hint: str
    errors: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[Mistake, ...] = ()

    @property
    def name(self) -> str:
        return self.signature.partition("(")[0]

    @property
    def arguments(self) -> list[str]:
        return [name for name in self.signature.partition("(")[2].rstrip(")").split(", ") if name]


@dataclass(frozen=True)
class Trial:
    """One trial of a property. `given` makes its arguments again."""

    given: Callable[[], tuple]
    expected: Any
    observed: Any

    @property
    def holds(self) -> bool:
        return agree(self.observed, self.expected)


class NothingReturned(Exception):
    """The reader's function returned None or `...`."""


def check(function: Function, of: str | None = None) -> None:
    """Print whether `function` solves the exercise of its name, or of the name `of`.

    Raises ValueError when there is no such exercise.
    """
    exercise = find(function, of)
    with undisturbed():
        print(report(function, exercise))


@contextmanager
def undisturbed() -> Iterator[None]:
    """One thread, which is faster for nets this small; random numbers and gradient mode are put back at the end."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            yield
    finally:
        torch.set_num_threads(threads)


def find(function: Function, of: str | None) -> Exercise:
    """The exercise of that name."""
    # Here, not above: the exercises are made of the classes in this file.
    from cnnlib.course.exercises import EXERCISES

    name = of or getattr(function, "__name__", "")
    if not callable(function) or name not in EXERCISES:
        what = f"an exercise called {name!r}" if name else "an exercise without a name"
        raise ValueError(f"There is no check for {what}. Pass the function of one of these: {', '.join(EXERCISES)}.")
    return EXERCISES[name]


def report(function: Function, exercise: Exercise) -> str:
    """The lines that `check` prints."""
    if untouched(function):
        return f"not attempted yet: replace the ... in {exercise.name}"
    total = len(exercise.properties)
    for number, prop in enumerate(exercise.properties, 1):
        try:
            trials = [try_once(function, prop, seed) for seed in range(prop.trials)]
        except NothingReturned:
            return f"✗ {exercise.name} returns nothing\n  Hint: end it with return and the answer."
        except Exception as error:
            return "\n".join([f"✗ {exercise.name} stops with an error", *failure(error, function, exercise)])
        if not all(trial.holds for trial in trials):
            return "\n".join([f"✗ {number} of {total} does not hold: {prop.says}", *counterexample(trials, exercise)])
    remarks = [f"  A remark: {remark.hint}" for remark in exercise.remarks if fits(remark, trials[0])]
    return "\n".join([f"✓ {total} of {total}: " + "; ".join(prop.says for prop in exercise.properties), *remarks])


def try_once(function: Function, prop: Property, seed: int) -> Trial:
    """One trial, on the arguments that this seed draws."""

    def answering(*arguments: Any) -> Any:
        answer = function(*arguments)
        if answer is None or answer is ...:
            raise NothingReturned
        return answer

    def given() -> tuple:
        return prop.draw(Generator().manual_seed(seed))

    expected = prop.expected(*given())
    torch.manual_seed(seed)
    return Trial(given, expected, prop.observe(answering, *given()))


def untouched(function: Function) -> bool:
    """Whether the body does nothing but return a constant nothing: `...`, `pass`, a docstring."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return False
    steps = [step for step in dis.get_instructions(code) if step.opname not in ("RESUME", "NOP", "RETURN_VALUE")]
    return all(step.opname in ("LOAD_CONST", "RETURN_CONST") and step.argval in (None, ...) for step in steps)


def counterexample(trials: list[Trial], exercise: Exercise) -> Iterable[str]:
    """Input, expected and got of the first trial that fails; the mistake that explains it and most of the others."""
    first = next(trial for trial in trials if not trial.holds)
    observed = first.observed
    if isinstance(first.expected, Mapping):
        observed = {key: observed.get(key) for key in first.expected}
    given = ", ".join(f"{name} = {short(value)}" for name, value in zip(exercise.arguments, first.given()))
    wanted, got = short(first.expected), short(observed)
    yield f"  input     {given}"
    yield f"  expected  {wanted}"
    yield f"  got       {got}" + (where(observed, first.expected) if got == wanted else "")
    likely = [mistake for mistake in exercise.mistakes if fits(mistake, first)]
    if likely:
        best = max(likely, key=lambda mistake: sum(fits(mistake, trial) for trial in trials))
        yield f"  Looks like a usual mistake: {best.name}."
        yield f"  Hint: {best.hint}"
    else:
        yield f"  Hint: {exercise.hint}"


def fits(mistake: Mistake, trial: Trial) -> bool:
    return bool(mistake.looks_like(trial.observed, *trial.given()))


def failure(error: Exception, function: Function, exercise: Exercise) -> Iterable[str]:
    """Type and message of an error, the line of the reader's cell it comes from, and what usually leads to it."""
    yield f"  {type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else '(no message)'}"
    code = getattr(inspect.unwrap(function), "__code__", None)
    lines, trace = [], error.__traceback__
    while trace:
        if code and trace.tb_frame.f_code.co_filename == code.co_filename:
            lines.append(trace.tb_lineno)
        trace = trace.tb_next
    if lines:
        yield f"  line {lines[-1]}    {linecache.getline(code.co_filename, lines[-1]).strip()}"
    else:
        yield f"  No line of yours raised it. Is it called as {exercise.signature}, and returns what the text asks for?"
    yield from (f"  Hint: {hint}" for piece, hint in exercise.errors.items() if piece in str(error))


def agree(got: Any, expected: Any) -> bool:
    """Whether an observation is the expected one: equal, or equal to rounding for numbers of whatever library."""
    if isinstance(expected, Mapping):
        return isinstance(got, Mapping) and all(agree(got.get(key), value) for key, value in expected.items())
    if isinstance(expected, str | bool) or expected is None:
        return type(got) is type(expected) and got == expected
    got, expected = as_array(got), as_array(expected)
    return got is not None and got.shape == expected.shape and np.allclose(got, expected, 1e-4, 1e-5, equal_nan=True)


def where(got: Any, wanted: Any) -> str:
    """Of two values that look alike on one line: where they differ first, or of what kind the wrong one is."""
    if isinstance(wanted, Mapping):
        apart = (key for key, value in wanted.items() if not agree(got.get(key), value))
        return next((where(got.get(key), wanted[key]) for key in apart), "")
    ours, theirs = as_array(got), as_array(wanted)
    if ours is None or theirs is None or ours.shape != theirs.shape or not ours.ndim:
        return f" (a {type(got).__name__})"
    place = tuple(np.argwhere(~np.isclose(ours, theirs, 1e-4, 1e-5, equal_nan=True))[0].tolist())
    return f"; at {list(place)} it is {ours[place]:.4g}, not {theirs[place]:.4g}"


def as_array(value: Any) -> np.ndarray | None:
    """Numbers of Python, NumPy or torch as one array of floats; None for anything else."""
    if value is None or isinstance(value, str):
        return None
    if isinstance(value, Tensor):
        value = value.detach().cpu().double().numpy()
    try:
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        return None


def short(value: Any) -> str:
    """A value on one line: numbers with four digits, of anything large its shape and perhaps its first values."""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {short(item)}" for key, item in value.items())
    if isinstance(value, Tensor | np.ndarray) and value.ndim:
        size, kind = "×".join(map(str, value.shape)), str(value.dtype).removeprefix("torch.")
        return f"{kind} {size}" if value.ndim > 2 else f"{short(value.flatten()[:7].tolist())} ({kind} {size})"
    if isinstance(value, Tensor | np.generic):
        return short(value.item())
    if isinstance(value, Number):
        return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(short, value[:6]))}{', …' if len(value) > 6 else ''}]"
    if isinstance(value, nn.Sequential):
        return f"a net of {', '.join(type(layer).__name__ for layer in value)}"
    if isinstance(value, Optimizer):
        return f"SGD with learning rate {value.param_groups[0]['lr']:.2g}"
    return str(value) if len(str(value)) <= 100 else f"{str(value)[:99]}…"


def between(low: int, high: int, generator: Generator) -> int:
    """A whole number from low to high, both possible."""
    return int(torch.randint(low, high + 1, (), generator=generator))


def answers(wrong: Callable[..., Any]) -> Callable[..., bool]:
    """Recognises what `wrong` returns on the same arguments."""
    return lambda got, *arguments: agree(got, wrong(*arguments))
