"""How far a long loop has come: one line, updated in place."""

# tqdm.auto would do, but it leaves a widget or red stderr in a stored notebook; this leaves one line of plain text.

import math
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
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
    """How far many runs have come: told of each batch, of each epoch and of each finished run.

    Where lines can be overwritten, one line that moves; in a log a line an epoch, none sooner than `LOG` seconds after
    the one before. What is still to come is reckoned from the seconds of the epochs so far, also of those before an
    interruption; in the first epoch, from its batches.
    """

    def __init__(self, epochs: int) -> None:
        self.show, self.epochs, self.log = line(), epochs, not (in_kernel() or sys.stderr.isatty())
        self.count, self.seconds, self.number = 0, 0.0, 0
        self.begun = self.shown = time.monotonic()

    def batch(self, arm: str, seed: int, done: int, batches: int) -> None:
        """One more batch of the epoch is done."""
        now, share = time.monotonic(), done / batches
        if not self.log and now - self.shown >= REFRESH:
            self.shown = now
            epoch = self.seconds / self.count if self.count else (now - self.begun) / share
            left = duration(epoch * (self.epochs - self.count - share))
            self.show(f"{arm}, seed {seed}: epoch {self.number + 1}, {share:.0%} · about {left} left for all", False)

    def epoch(self, arm: str, seed: int, epoch: object) -> None:
        """One more epoch is done."""
        self.begun = now = time.monotonic()
        self.count, self.seconds, self.number = self.count + 1, self.seconds + epoch.seconds, epoch.number
        if not self.log or now - self.shown >= LOG:
            self.shown = now
            left = duration(self.seconds / self.count * (self.epochs - self.count))
            self.show(f"{arm}, seed {seed}: {epoch} · about {left} left for all", self.log)

    def run(self, record: object) -> None:
        """One more run is done: a line of its own."""
        self.begun, self.number = time.monotonic(), 0
        self.show(f"{record}, {duration(record.seconds)}", True)


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
