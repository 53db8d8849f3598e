"""How far a long loop has come: one line, updated in place."""

# tqdm.auto would do, but it leaves a widget or red stderr in a stored notebook; this leaves one line of plain text.

import math
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from statistics import mean
from typing import TypeVar

Item = TypeVar("Item")

REFRESH = 0.1  # seconds between two updates at least: a notebook chokes on thousands of them
LOG = 30  # seconds between two lines of a log at least


def progress(iterable: Iterable[Item], total: int | None = None) -> Iterator[Item]:
    """Yield the items on, and show the last one, how many there were, the seconds so far and those still to come.

    How many there will be is `total`, else the `total` of the items (an Epoch has one), else the iterable's length.
    When the loop is interrupted or left, the line says so; what has been yielded stays with the caller.
    """
    show, items = line(), iter(iterable)
    start, shown = time.monotonic(), -math.inf
    count, item, finished = 0, None, False
    sized = len(iterable) if hasattr(iterable, "__len__") else None
    try:
        show(describe(item, 0, total or sized, 0.0), False)
        for item in items:
            count += 1
            total = total or getattr(item, "total", None) or sized
            now = time.monotonic()
            if now - shown >= REFRESH:
                shown = now
                show(describe(item, count, total, now - start), False)
            yield item
        finished = True
    finally:
        if hasattr(items, "close"):
            items.close()
        show(describe(item, count, total or sized, time.monotonic() - start, finished), True)


def describe(item: object, count: int, total: int | None, seconds: float, finished: bool | None = None) -> str:
    """The line: the item, if it says itself in one line, the count and the time. `finished` is None on the way."""
    of_total = f"{count} of {total}" if total else str(count)
    text = str(item) if type(item).__str__ is not object.__str__ else ""  # an Epoch, a Record; no number, no tensor
    parts = [text] if 0 < len(text) <= 120 and "\n" not in text else []
    if finished is False:
        parts.append(f"stopped after {of_total}")
    elif not total:
        parts.append(f"{count} done")
    elif of_total not in text:
        parts.append(of_total)
    left = (
        f", about {duration(seconds / count * max(0, total - count))} left"
        if finished is None and count and total
        else ""
    )
    return " · ".join([*parts, duration(seconds) + left])


class Meter:
    """How far many runs have come: told of each batch, of each epoch and of each run that is finished or was there.

    Where lines can be overwritten, one line that moves; in a log a line an epoch, none sooner than `LOG` seconds after
    the one before. The time still to come is reckoned by arm, from its epochs so far, also those before an
    interruption; "perhaps" where an arm is still to come of which nothing is known.
    """

    def __init__(self, runs: Iterable[tuple[str, int]], epochs: int) -> None:
        self.show, self.log = line(), not (in_kernel() or sys.stderr.isatty())
        self.todo, self.epochs = set(runs), epochs
        self.spent: dict[str, list[float]] = {}  # seconds of each epoch of an arm
        self.number, self.shown = 0, -math.inf
        self.begun, self.first = 0.0, 0.0  # when the first batch of this epoch was done, and its share of it

    def batch(self, arm: str, seed: int, done: int, batches: int) -> None:
        """So many batches of an epoch are done."""
        now, share = time.monotonic(), done / batches
        if done == 1:  # what came before it, loading the data say, comes once
            self.begun, self.first = now, share
        elif not self.log and now - self.shown >= REFRESH:
            self.shown = now
            reckoned = self.spent.get(arm) or [(now - self.begun) / (share - self.first)]
            left = self.left(arm, self.number + share, mean(reckoned))
            self.show(f"{arm}, seed {seed}: epoch {self.number + 1}, {share:.0%} · {left}", False)

    def epoch(self, arm: str, seed: int, epoch: object) -> None:
        """An epoch is done, perhaps in an earlier try."""
        now, self.number = time.monotonic(), epoch.number
        self.spent.setdefault(arm, []).append(epoch.seconds)
        if not self.log or now - self.shown >= LOG:
            self.shown = now
            left = self.left(arm, epoch.number, mean(self.spent[arm]))
            self.show(f"{arm}, seed {seed}: {epoch} · {left}", self.log)

    def run(self, record: object, fresh: bool) -> None:
        """A run is done, or was there: one done gets a line of its own."""
        self.todo.discard((record.arm, record.seed))
        self.number = 0
        if fresh:
            self.show(f"{record}, {duration(record.seconds)}", True)
        else:
            self.spent.setdefault(record.arm, []).append(record.seconds / len(record.epochs))

    def failed(self, arm: str, seed: int, error: Exception) -> None:
        """A run cannot be done: a line of its own."""
        self.todo.discard((arm, seed))
        self.number = 0
        self.show(f"{arm}, seed {seed}: {error} The other runs go on.", True)

    def left(self, arm: str, epochs: float, seconds: float) -> str:
        """What is left for all, said while an arm whose epochs take so many seconds has done so many epochs."""
        costs = {name: mean(spent) for name, spent in self.spent.items()} | {arm: seconds}
        usual = mean(costs.values())
        total = sum(costs.get(name, usual) for name, _ in self.todo) * self.epochs - epochs * seconds
        known = all(name in costs for name, _ in self.todo)
        return f"{'about' if known else 'perhaps'} {duration(max(0, total))} left for all"


def duration(seconds: float) -> str:
    """Seconds as people say them: 8 s, 2 min 5 s, 1 h 20 min."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


def in_kernel() -> bool:
    """Does this run in a notebook?"""
    ipython = sys.modules.get("IPython")
    return bool(ipython) and hasattr(ipython.get_ipython(), "kernel")


def line() -> Callable[[str, bool], None]:
    """A function (text, whether it is the last one) that shows the text in place of the one before."""
    if in_kernel():
        handle = sys.modules["IPython"].display.display({"text/plain": ""}, raw=True, display_id=True)
        return lambda text, last: handle.update({"text/plain": text}, raw=True)
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns - 1
        return lambda text, last: print(
            f"\r{text[:width]}\x1b[K", end="\n" if last else "", file=sys.stderr, flush=True
        )
    return lambda text, last: print(text, file=sys.stderr) if last else None
