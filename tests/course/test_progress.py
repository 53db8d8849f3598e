import re
import time
from dataclasses import dataclass

import nbformat
import pytest
import torch
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient

from cnnlib.course.progress import LOG, REFRESH, Meter, describe, duration, progress

# A training that would take minutes, in small epochs.
SLOW = """
import torch
from torch import nn
from cnnlib.course.progress import progress
from cnnlib.data import Batches, Normalize
from cnnlib.datasets import digits
from cnnlib.training import Recipe, train

torch.set_num_threads(1)
part = digits()[0][:1000]
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
batches = Batches(part, 100, [Normalize(part)])
history = []
for epoch in progress(train(model, batches, Recipe(epochs=100_000, learning_rate=0.01))):
    history.append(epoch)
"""


@dataclass
class Step:
    number: int
    total: int = 10
    seconds: float = 10.0

    def __str__(self) -> str:
        return f"epoch {self.number} of {self.total}: loss 0.5"


def steps(log, count=10):
    try:
        for number in range(1, count + 1):
            yield Step(number)
    finally:
        log.append("closed")


def test_items_come_through_untouched_and_the_last_line_stays(capsys):
    log = []
    assert [step.number for step in progress(steps(log))] == list(range(1, 11))
    captured = capsys.readouterr()
    assert log == ["closed"] and captured.out == ""
    assert captured.err == "epoch 10 of 10: loss 0.5 · 0 s\n"


def test_leaving_the_loop_says_so_and_closes_the_generator_underneath(capsys):
    log = []
    for step in progress(steps(log)):
        if step.number == 3:
            break
    assert log == ["closed"]
    assert capsys.readouterr().err == "epoch 3 of 10: loss 0.5 · stopped after 3 of 10 · 0 s\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_error_in_the_loops_body_keeps_what_was_yielded(error, capsys):
    log, history = [], []

    def loop():
        for step in progress(steps(log)):
            history.append(step.number)
            if step.number == 4:
                raise error

    with pytest.raises(error):
        loop()
    assert history == [1, 2, 3, 4] and log == ["closed"]
    assert "stopped after 4 of 10" in capsys.readouterr().err


def test_an_interrupt_underneath_keeps_what_was_yielded(capsys):
    def interrupted():
        yield from (Step(1), Step(2))
        raise KeyboardInterrupt

    history = []
    with pytest.raises(KeyboardInterrupt):
        for step in progress(interrupted()):
            history.append(step.number)
    assert history == [1, 2] and "stopped after 2 of 10" in capsys.readouterr().err


def test_nothing_to_do_is_no_error(capsys):
    assert list(progress([])) == []
    assert capsys.readouterr().err == "0 done · 0 s\n"


def test_how_many_there_will_be_is_given_or_asked_of_the_item_or_of_the_iterable(capsys):
    list(progress([object()] * 3))
    list(progress((x for x in ["run"]), total=4))
    list(progress([Step(1)]))
    list(progress(iter("ab")))
    ends = [line.split(" · ")[-2:] for line in capsys.readouterr().err.splitlines()]
    assert [end[0] for end in ends] == ["3 of 3", "1 of 4", "epoch 1 of 10: loss 0.5", "2 done"]


def test_the_line_says_what_how_many_how_long_and_how_much_longer():
    assert describe(Step(3), 3, 10, 30.0) == "epoch 3 of 10: loss 0.5 · 30 s, about 1 min 10 s left"
    assert describe("cnn, seed 3", 3, 10, 30.0) == "cnn, seed 3 · 3 of 10 · 30 s, about 1 min 10 s left"
    assert describe("cnn, seed 3", 3, None, 30.0) == "cnn, seed 3 · 3 done · 30 s"
    assert describe(None, 0, 10, 0.0) == "0 of 10 · 0 s"
    for silent in ("two\nlines", "x" * 200, 7, object(), torch.zeros(2), (torch.zeros(2), torch.zeros(2))):
        assert describe(silent, 1, 2, 1.0, True) == "1 of 2 · 1 s"


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (4801, "1 h 20 min")])
def test_seconds_are_said_as_people_say_them(seconds, text):
    assert duration(seconds) == text


def test_a_terminal_line_is_overwritten(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "30")
    list(progress(steps([])))
    written = capsys.readouterr().err
    assert written.count("\n") == 1 and written.endswith("\n")
    frames = written.rstrip("\n").split("\r")[1:]
    assert len(frames) < 10, "ten items in no time need no ten updates"
    assert frames[-1].startswith("epoch 10 of 10") and all(len(frame.removesuffix("\x1b[K")) <= 29 for frame in frames)


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still: the one hand of a list."""
    hand = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: hand[0])
    return hand


@dataclass
class Done:
    """A finished run, as a Meter asks for it."""

    arm: str
    seed: int = 0
    seconds: float = 40.0
    epochs: tuple = (1, 2)

    def __str__(self) -> str:
        return f"{self.arm} is done"


def two_epochs(meter, clock, seconds, arm="cnn"):
    """Two epochs of ten batches."""
    for number in (1, 2):
        for batch in range(1, 11):
            clock[0] += seconds / 10
            meter.batch(arm, 0, batch, 10)
        meter.epoch(arm, 0, Step(number, total=2, seconds=seconds))


def frames(capsys, monkeypatch, meter_and_more):
    """The texts a terminal shows one after the other."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    meter_and_more()
    return [frame.rstrip("\n").removesuffix("\x1b[K") for frame in capsys.readouterr().err.split("\r")[1:]]


def test_in_a_terminal_many_runs_say_within_the_first_epoch_how_long_all_will_take(capsys, monkeypatch, clock):
    def runs():
        meter = Meter([("cnn", 0), ("cnn", 1)], 2)
        clock[0] += 1000  # the data are loaded: that is no measure of the epochs
        two_epochs(meter, clock, 100)
        meter.run(Done("cnn", 0, 200), True)
        two_epochs(meter, clock, 100)

    shown = frames(capsys, monkeypatch, runs)
    assert shown[0] == "cnn, seed 0: epoch 1, 20% · about 6 min 20 s left for all"
    assert shown[9] == "cnn, seed 0: epoch 1 of 2: loss 0.5 · about 5 min 0 s left for all"
    assert shown[10] == "cnn, seed 0: epoch 2, 20% · about 4 min 40 s left for all"
    assert shown[20] == "cnn is done, 3 min 20 s"
    assert shown[21] == "cnn, seed 0: epoch 1, 20% · about 3 min 0 s left for all"


def test_what_is_left_is_reckoned_by_arm_and_where_an_arm_is_unknown_it_says_perhaps(capsys, monkeypatch, clock):
    def runs():
        meter = Meter([("small", 0), ("small", 1), ("large", 0), ("large", 1)], 2)
        two_epochs(meter, clock, 10, "small")
        meter.run(Done("small", 0, 20), True)
        meter.run(Done("large", 1, 400), False)  # was there: 200 s an epoch
        two_epochs(meter, clock, 10, "small")

    shown = frames(capsys, monkeypatch, runs)
    assert shown[9] == "small, seed 0: epoch 1 of 2: loss 0.5 · perhaps 1 min 10 s left for all"
    assert shown[-1] == "small, seed 0: epoch 2 of 2: loss 0.5 · about 6 min 40 s left for all"


def test_a_terminal_is_not_written_to_with_every_batch(capsys, monkeypatch, clock):
    shown = frames(capsys, monkeypatch, lambda: two_epochs(Meter([("cnn", 0)], 2), clock, REFRESH))
    assert len(shown) <= 4, "twenty batches in two refreshes"


def test_in_a_log_they_leave_a_line_an_epoch_and_none_where_epochs_are_short(capsys, clock):
    two_epochs(Meter([("cnn", 0)], 2), clock, LOG + 1)
    assert capsys.readouterr().err.splitlines() == [
        "cnn, seed 0: epoch 1 of 2: loss 0.5 · about 31 s left for all",
        "cnn, seed 0: epoch 2 of 2: loss 0.5 · about 0 s left for all",
    ]
    meter = Meter([("cnn", 0)], 9)
    two_epochs(meter, clock, LOG / 3)
    assert len(capsys.readouterr().err.splitlines()) == 1, "the first, to show that there is life"
    meter.failed("cnn", 0, ValueError("It cannot be."))
    assert capsys.readouterr().err == "cnn, seed 0: It cannot be. The other runs go on.\n"


@pytest.mark.slow
def test_a_stored_notebook_keeps_the_last_line_as_plain_text():
    source = "from cnnlib.course.progress import progress\nfor _ in progress(range(2000)):\n    pass"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    NotebookClient(notebook, kernel_name="python3").execute()
    (output,) = notebook.cells[0].outputs
    assert output.output_type == "display_data" and list(output.data) == ["text/plain"]
    assert output.data["text/plain"].startswith("2000 of 2000 · ")


@pytest.mark.slow
def test_an_interrupted_training_keeps_its_finished_epochs():
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        lines, printed, interrupted = [], "", False
        for kind, content in executed(client, SLOW):
            lines += [content["data"]["text/plain"]] if kind in ("display_data", "update_display_data") else []
            # Not at the first: its line may be seen before the loop's body has kept it.
            if not interrupted and lines and re.match(r"epoch ([2-9]|\d\d)", lines[-1]):
                manager.interrupt_kernel()
                interrupted = True
        assert kind == "error" and content["ename"] == "KeyboardInterrupt"

        for kind, content in executed(client, "print(len(history), history[-1].number)"):
            printed += content["text"] if kind == "stream" else ""
        count, number = map(int, printed.split())
        assert count == number >= 1
        assert any(f"stopped after {shown} of 100000" in lines[-1] for shown in (count, count + 1))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def executed(client, source):
    """What a cell sends while it runs, up to its end: (kind, content)."""
    cell = client.execute(source, stop_on_error=False)
    while True:
        message = client.get_iopub_msg(timeout=60)
        if message["parent_header"].get("msg_id") == cell:
            if message["msg_type"] != "status":
                yield message["msg_type"], message["content"]
            elif message["content"]["execution_state"] == "idle":
                return
