"""Copies of a chapter: the students', not yet run and without solutions, and the instructors', with notes in sight."""

import copy
import re
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from cnnlib.records import replacing

NOTES = re.compile(r"\A\s*<!--\s*(?P<text>.*?)\s*-->\s*\Z", re.DOTALL)
PROMISE = re.compile(r"(?P<text>\bYou will leave .+?[.?])(?=\s|\Z)", re.DOTALL)
MINUTES = re.compile(r"\A(\d+) minutes?\b")


def student(notebook: NotebookNode) -> NotebookNode:
    """The notebook as nobody has run it, so that a prediction comes before its answer: no outputs, no numbers of runs.

    Without the cells tagged `solution` and the speaker's notes, which tell answers too.
    """
    result = copy.deepcopy(notebook)
    result.cells = [
        cell for cell in result.cells if "solution" not in cell.metadata.get("tags", []) and not is_note(cell)
    ]
    for cell in result.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return result


def instructor(notebook: NotebookNode) -> NotebookNode:
    """The notebook with its notes in sight: for each slide the minutes, the question, the usual wrong answer.

    A first cell repeats what the chapter promises, adds up the minutes and counts slides, predictions and exercises;
    solutions stay, unfolded.
    """
    result = copy.deepcopy(notebook)
    promise = next((match["text"] for cell in result.cells if (match := PROMISE.search(cell.source))), "")
    lecture, slides, predictions, exercises = 0, 0, 0, 0
    for cell in result.cells:
        slides += cell.metadata.get("slideshow", {}).get("slide_type") == "slide"
        predictions += cell.cell_type == "code" and cell.source.startswith("predict(")
        if is_note(cell) and (notes := NOTES.match(cell.source)):
            lecture += int(match[1]) if (match := MINUTES.match(notes["text"])) else 0
            cell.source = quoted(f"**For the speaker.**\n{notes['text']}")
        if "solution" in cell.metadata.get("tags", []):
            exercises += 1
            cell.metadata.pop("jupyter", None)  # unfolded
    briefing = quoted(BRIEFING.format(**locals()))
    result.cells.insert(0, nbformat.v4.new_markdown_cell(briefing, id="briefing"))
    return result


BRIEFING = """\
**For the speaker.** What the chapter promises: {promise}

{slides} slides; the minutes in their notes add up to {lecture}, exercises not counted. {predictions} predictions: the
feedbacks stand in their folded cells, and what the run answers stands in the outputs below. {exercises} exercises with
their solutions.

Before the lecture: `.venv/bin/python -m cnnlib doctor` on the machine of the hall, then run this notebook there once,
with the network unplugged. The deck is `.venv/bin/python -m cnnlib slides`; it opens without a network, and `S` shows
these notes."""

COPIES = {"student": student, "instructor": instructor}


def is_note(cell: NotebookNode) -> bool:
    """Is the cell one for the speaker?"""
    return cell.metadata.get("slideshow", {}).get("slide_type") == "notes"


def quoted(text: str) -> str:
    """The text as a quotation in markdown."""
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def write_copies(reader: str, chapters: Sequence[Path], folder: Path) -> list[Path]:
    """Write the copy that `reader` ("student" or "instructor") gets of each notebook to `folder`; print and return.

    ValueError where a chapter has no notebook yet.
    """
    written = []
    if missing := [chapter.name for chapter in chapters if not chapter.exists()]:
        raise ValueError(
            f"{', '.join(missing)}: not there yet; `python -m cnnlib sync` runs the sources and writes them."
        )
    for chapter in chapters:
        copied = COPIES[reader](nbformat.read(chapter, as_version=4))
        target = folder / chapter.name
        with replacing(target) as temporary:
            temporary.write_text(nbformat.writes(copied) + "\n", encoding="utf-8", newline="\n")
        print(f"{len(copied.cells):3} cells  {target}")
        written.append(target)
    return written
