"""Measured numbers in prose, each held to the recorded run it quotes.

A number names its run in an invisible comment right behind it: `96 %<!-- pixel-shuffle: cnn, none, mean -->`. Before
the colon stands the experiment; then the words of the arm (joined by hyphens: `cnn-none`); then, unless it is the test
accuracy, the quantity; last the statistic over the arm's runs. `mlp, none, mean minus cnn, all, mean` is a difference.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean, stdev

from cnnlib.records import RUNS, Record, RecordError, read_all

QUANTITIES = ("accuracy", "loss", "seconds", "parameters", "macs")
STATISTICS: dict[str, Callable[[Sequence[float]], float]] = {"mean": mean, "min": min, "max": max, "sd": stdev}
SCALES = {"%": 100, "point": 100, "points": 100, "million": 1e-6, "minute": 1 / 60, "minutes": 1 / 60}

SPACE = r"[ \u00a0\u2009\u202f]"  # plain, no-break, thin, narrow no-break
NUMBER = re.compile(
    rf"(?P<number>(?<![\d.,])[-−]?\d+(?:[,\u2009\u202f]\d{{3}})*(?:\.\d+)?){SPACE}?(?P<unit>%|[A-Za-zµ]+)?[*_]*$"
)
COMMENT = re.compile(r"<!--(.*?)-->", re.DOTALL)


class ProseError(ValueError):
    """A comment that names no recorded run; the message says what is wrong with it."""


def resolve(comment: str, runs: Path = RUNS) -> float:
    """The number that a comment, with or without its `<!-- -->`, stands for: a share, seconds, a count.

    Raises ProseError where it is malformed or names an experiment, arm or seed without a record.
    """
    text = " ".join(comment.strip().removeprefix("<!--").removesuffix("-->").split())
    experiment, colon, sides = text.partition(":")
    if not colon:
        raise ProseError(f"`{text}` names no run: write it like `pixel-shuffle: cnn, none, mean`")
    try:
        arms = read_all(experiment.strip(), runs)
    except RecordError as error:
        raise ProseError(f"`{text}` cannot be resolved: {error}") from error
    if not arms:
        raise ProseError(f"`{text}`: there are no recorded runs of {experiment.strip()}; make them or mend the name")
    first, *others = [value(side, arms, text) for side in sides.split(" minus ")]
    return first - sum(others)


def value(side: str, arms: dict[str, list[Record]], text: str) -> float:
    """What `cnn, none, loss, mean` is among the records of an experiment; `text` is the comment, for messages."""
    *words, statistic = [word.strip() for word in side.split(",")]
    quantity = words.pop() if words and words[-1] in QUANTITIES else "accuracy"
    arm = "-".join(words)
    if arm not in arms:
        raise ProseError(f"`{text}`: no recorded run has the arm {arm or '(none given)'}; there are {', '.join(arms)}")
    seed = re.fullmatch(r"seed (\d+)", statistic)
    records = [run for run in arms[arm] if seed is None or run.seed == int(seed[1])]
    if not records:
        raise ProseError(f"`{text}`: {arm} has no recorded run with {statistic}")
    numbers = [getattr(run, quantity) for run in records]
    if seed:
        return numbers[0]
    if statistic not in STATISTICS:
        raise ProseError(
            f"`{text}`: {statistic} is no statistic; end with {', '.join(STATISTICS)} or seed and a number"
        )
    if statistic == "sd" and len(numbers) < 2:
        raise ProseError(f"`{text}`: one run has no standard deviation")
    return STATISTICS[statistic](numbers)


def problems(text: str, runs: Path = RUNS) -> list[str]:
    """A sentence for each number in `text` that differs from its record by more than its last digit.

    Also for each comment without a number right before it, and for each that names no record.
    """
    found = []
    for comment in COMMENT.finditer(text):
        match = NUMBER.search(text, 0, comment.start())
        if match is None:
            found.append(f"`{comment[0]}` has no number right before it; put it behind the number that it explains")
            continue
        shown, unit = match["number"].replace("−", "-"), match["unit"] or ""
        digits = re.sub(r"[^\d.-]", "", shown)
        last_digit = 10.0 ** -len(digits.partition(".")[2])
        try:
            recorded = resolve(comment[1], runs) * SCALES.get(unit, 1)
        except ProseError as error:
            found.append(str(error))
            continue
        if abs(float(digits) - recorded) > last_digit * (1 + 1e-9):
            said = f"{match['number']} {unit}".strip()
            found.append(f"the text says {said}, the record {recorded:.6g} ({' '.join(comment[1].split())})")
    return found
