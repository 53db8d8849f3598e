"""Copies of a chapter: the students', without solutions, and the instructors', with the speaker's notes in sight."""

import ast
import copy
import re
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from cnnlib.records import replacing

NOTES = re.compile(r"\A\s*<!--\s*(?P<text>.*?)\s*-->\s*\Z", re.DOTALL)
MINUTES = re.compile(r"\A(\d+) minutes?\b")


def student(notebook: NotebookNode) -> NotebookNode:
    """The notebook without the cells tagged `solution`, and with the outputs of stubs and their checks cleared."""
    result = copy.deepcopy(notebook)
    result.cells = [cell for cell in result.cells if "solution" not in cell.metadata.get("tags", [])]
    for cell in result.cells:
        if cell.cell_type == "code" and is_exercise(cell.source):
            cell.outputs, cell.execution_count = [], None
    return result


def instructor(notebook: NotebookNode) -> NotebookNode:
    """The notebook with its notes in sight: for each slide the minutes, the question, the usual wrong answer.

    A first cell adds up the minutes and counts slides and exercises; solutions stay, unfolded.
    """
    result = copy.deepcopy(notebook)
    lecture, slides, exercises = 0, 0, 0
    for cell in result.cells:
        kind = cell.metadata.get("slideshow", {}).get("slide_type")
        slides += kind == "slide"
        if kind == "notes" and (notes := NOTES.match(cell.source)):
            lecture += int(match[1]) if (match := MINUTES.match(notes["text"])) else 0
            cell.source = "\n".join(
                f"> {line}".rstrip() for line in ["**For the speaker.**", *notes["text"].splitlines()]
            )
        if "solution" in cell.metadata.get("tags", []):
            exercises += 1
            cell.metadata.pop("jupyter", None)  # unfolded
    result.cells.insert(0, nbformat.v4.new_markdown_cell(BRIEFING.format(**locals()), id="briefing"))
    return result


BRIEFING = """\
> **For the speaker.** {slides} slides, {lecture} minutes by their notes; {exercises} exercises with their solutions.
> Before the lecture: `python -m cnnlib doctor` on the machine of the hall, then run this notebook there once, with the
> network unplugged. The deck is `python -m cnnlib slides`; it opens without a network, and `S` shows these notes."""

COPIES = {"student": student, "instructor": instructor}


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


def is_exercise(source: str) -> bool:
    """Whether the cell only holds stubs (`def f(x): ...`) and calls of check, comments aside."""
    try:
        statements = ast.parse(source).body
    except SyntaxError:  # a magic: no stub
        return False
    return bool(statements) and all(is_stub(statement) or is_check(statement) for statement in statements)


def is_stub(statement: ast.stmt) -> bool:
    """Is it `def NAME(...): ...`, perhaps with a docstring?"""
    if not isinstance(statement, ast.FunctionDef):
        return False
    body = statement.body[1:] if ast.get_docstring(statement) is not None else statement.body
    return [ast.unparse(part) for part in body] == ["..."]


def is_check(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(ast.Call(func=ast.Name("check"))):
            return True
    return False
