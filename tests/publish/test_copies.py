import ast
from pathlib import Path

import jupytext
import nbformat
import pytest

import cnnlib
from cnnlib.publish.copies import instructor, student, write_copies

ROOT = Path(cnnlib.__file__).parent.parent
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
EXERCISES = sorted((ROOT / "cnnlib" / "course" / "exercises").glob("*.py"))
DISTINCTIVE = 60  # characters of a statement that nobody writes twice by chance

CHAPTER = """\
# %% [markdown]
# How often does the optimiser move?

# %%
images = 60_000


# %%
def steps_per_epoch(images, batch_size): ...


# %%
check(steps_per_epoch)


# %% tags=["solution"]
def solution_steps_per_epoch(images, batch_size):
    full, left_over = divmod(images, batch_size)
    return full + (left_over > 0)


check(solution_steps_per_epoch, of="steps_per_epoch")

# %% tags=["claim"]
claim("There are many images.", images > 1000)
"""


def executed(source):
    """The notebook of a source, with an output under every code cell, as if it had been run."""
    notebook = jupytext.reads(source, fmt="py:percent")
    for number, cell in enumerate(cell for cell in notebook.cells if cell.cell_type == "code"):
        cell.outputs = [nbformat.v4.new_output("stream", text=f"output {number}\n")]
        cell.execution_count = number
    return notebook


def bodies(sources):
    """The body of every function whose name begins with solution_, statement by statement, in one spelling."""
    functions = (
        node for source in sources for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)
    )
    return [spelt(function.body) for function in functions if function.name.startswith("solution_")]


def spelt(statements):
    return [ast.unparse(statement) for statement in statements]


def blocks(tree):
    """Every list of statements in a piece of code, in the same spelling."""
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            if isinstance(getattr(node, field, None), list):
                yield spelt(getattr(node, field))


def leaks(body, source):
    """What of a solution's body stands in a piece of code: the whole, a long statement, or the value it returns."""
    tree = ast.parse(source)
    for block in blocks(tree):
        places = range(len(block) - len(body) + 1)
        if any(block[place : place + len(body)] == body for place in places):
            yield "\n".join(body)
        yield from (line for line in body if len(line) >= DISTINCTIVE and line in block)
    if len(body) == 1:
        value = body[0].removeprefix("return ")
        yield from (value for node in ast.walk(tree) if isinstance(node, ast.expr) and ast.unparse(node) == value)


def code(cells):
    """The sources of code cells, those with magics left out."""
    return [
        cell.source for cell in cells if cell.cell_type == "code" and not cell.source.lstrip().startswith(("%", "!"))
    ]


def solutions(notebook):
    return bodies(code(cell for cell in notebook.cells if "solution" in cell.metadata.get("tags", [])))


def test_solutions_are_left_out_and_all_else_stays_in_order():
    notebook = executed(CHAPTER)
    copy = student(notebook)
    kept = [cell for cell in notebook.cells if "solution" not in cell.metadata.get("tags", [])]
    assert [cell.source for cell in copy.cells] == [cell.source for cell in kept] and len(kept) == 5
    assert "solution" not in nbformat.writes(copy)


def test_the_student_finds_no_output_and_so_predicts_before_seeing():
    code = [cell for cell in student(executed(CHAPTER)).cells if cell.cell_type == "code"]
    assert [(cell.outputs, cell.execution_count) for cell in code] == [([], None)] * 4


def test_the_speakers_notes_are_not_the_students():
    notebook = executed(CHAPTER + SPOKEN)
    copy = student(notebook)
    assert "Usual wrong answer" in nbformat.writes(notebook) and "Usual wrong answer" not in nbformat.writes(copy)
    assert copy.cells[-1].source == "# Steps\n\nYou will leave able to count steps\nof 1.5 kinds. Nothing else."


def test_the_chapter_itself_is_not_touched():
    notebook = executed(CHAPTER)
    before = nbformat.writes(notebook)
    student(notebook)
    assert nbformat.writes(notebook) == before


SPOKEN = """
# %% [markdown] slideshow={"slide_type": "slide"}
# # Steps
#
# You will leave able to count steps
# of 1.5 kinds. Nothing else.

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 3 minutes. Ask: how many?
# Usual wrong answer: 60,000. -->

# %% [markdown] slideshow={"slide_type": "notes"}
# <!-- 1 minute. -->
"""


def test_instructors_see_notes_and_solutions_and_the_minutes_added_up():
    notebook = executed(CHAPTER + SPOKEN)
    copy = instructor(notebook)
    briefing = " ".join(copy.cells[0].source.replace("\n>", "").split())
    assert "1 slides; the minutes in their notes add up to 4," in briefing and "1 exercises" in briefing
    assert "You will leave able to count steps of 1.5 kinds. 1 slides" in briefing
    assert "`.venv/bin/python -m cnnlib doctor`" in briefing
    (spoken,) = (cell.source for cell in copy.cells if "how many?" in cell.source)
    assert spoken.endswith("> 3 minutes. Ask: how many?\n> Usual wrong answer: 60,000.")
    assert [c.source for c in copy.cells if c.cell_type == "code"] == [
        c.source for c in notebook.cells if c.cell_type == "code"
    ]
    nbformat.validate(copy)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_the_instructor_reads_first_what_each_chapter_promises(path):
    briefing, *cells = instructor(nbformat.read(path, as_version=4)).cells
    promise = briefing.source.partition("You will leave")[2].partition("\n>\n")[0]
    assert promise.endswith((".", "?"))
    assert any(promise.replace("\n> ", "\n") in cell.source for cell in cells)


def test_copies_are_written_whole_beside_each_other(tmp_path, capsys):
    source = tmp_path / "03_steps.ipynb"
    nbformat.write(executed(CHAPTER), source)
    (path,) = write_copies("student", [source], tmp_path / "student")
    assert not solutions(nbformat.read(path, as_version=4)) and path.name in capsys.readouterr().out
    assert solutions(nbformat.read(source, as_version=4)), "the chapter itself is as it was"


def test_the_copy_is_a_notebook_and_magics_do_no_harm():
    nbformat.validate(student(executed(CHAPTER + "\n# %%\n# %matplotlib inline\n")))


@pytest.mark.parametrize(
    "leak",
    [
        "full, left_over = divmod(images, batch_size)\nreturn full + (left_over > 0)",
        "full,left_over=divmod( images, batch_size )  # so\nreturn full + (left_over > 0)",
        "if images:\n    full, left_over = divmod(images, batch_size)\n    return full + (left_over > 0)",
    ],
)
def test_a_leak_would_be_found(leak):
    (body,) = solutions(executed(CHAPTER))
    helper = "def helper(images, batch_size):\n" + "".join(f"    {line}\n" for line in leak.splitlines())
    assert list(leaks(body, helper)) and not list(leaks(body, "full = 1"))


def test_a_leaked_value_would_be_found_in_a_lambda():
    (body,) = bodies(["def solution_half(x):\n    return x.float() / 2"])
    assert list(leaks(body, "answers(lambda x: x.float()/2)")) and not list(leaks(body, "answers(lambda x: x / 2)"))


@pytest.mark.slow
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_no_solution_can_be_read_in_the_students_copy_or_in_the_checks(path):
    notebook = nbformat.read(path, as_version=4)
    copy = student(notebook)
    texts = "\n".join(cell.source for cell in copy.cells if cell.cell_type == "markdown")
    readable = [*code(copy.cells), *(exercises.read_text(encoding="utf-8") for exercises in EXERCISES)]
    for body in solutions(notebook):
        assert [leak for source in readable for leak in leaks(body, source)] == []
        assert not any(line in texts for line in body if len(line) >= 30)
