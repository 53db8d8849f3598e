import ast
from collections.abc import Callable
from pathlib import Path

import jupytext
import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from cnnlib.publish import lint, pairs

SOURCE = """\
# %% [markdown]
# # A chapter
#
# ## A section
#
# ![a kitten](kitten.png) and <img src="kitten.png" alt="the same kitten">
#
# ```python
# # no heading
# ```

# %%
import base64

from cnnlib.claims import claim, verdict

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
limit = 3

# %% tags=["nbval-ignore-output"]
import sys

print("a warning", file=sys.stderr)
display({"image/png": base64.b64decode(PNG)}, raw=True, metadata={"image/png": {"alt": "A dot"}})

# %% tags=["claim"]
claim("The limit is small.", limit < 4)
verdict("Limits are large", limit > 4, because="This one is three.")

# %% tags=["raises-exception"]
1 / 0


# %%
def check(function, of=None):
    print("not attempted yet" if of is None else "✓ 3 of 3")


# %% [markdown]
# ### Exercise


# %%
def output_size(width, kernel):
    \"\"\"The width of the output.\"\"\"
    ...


# %%
check(output_size)


# %% jupyter={"source_hidden": true} tags=["solution"]
def solution_output_size(width, kernel):
    return width - kernel + 1


check(solution_output_size, of="output_size")
"""
TITLE, IMPORTS, PICTURE, CLAIM, ERROR, CHECK, TEXT, STUB, STUB_CHECK, SOLUTION = range(10)
RULES = tuple(rule for rule in lint.RULES if rule is not lint.deck_whole)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The notebook of a chapter that keeps every rule but those of the deck: it has no slides."""
    source = tmp_path_factory.mktemp("chapters") / "03_good.py"
    source.write_text(SOURCE, encoding="utf-8")
    return pairs.build(source)


def broken_rules(path: Path) -> set[str]:
    """The names of the rules that a notebook breaks."""
    return {rule.__name__ for rule in RULES if lint.problems(path, (rule,))}


def test_a_good_chapter_has_no_problems(built: Path):
    assert lint.problems(built, RULES) == []


def edit(cell: int, old: str, new: str) -> Callable[[NotebookNode], None]:
    """A change of a cell's text."""

    def change(notebook: NotebookNode) -> None:
        assert old in notebook.cells[cell].source
        notebook.cells[cell].source = notebook.cells[cell].source.replace(old, new).rstrip()

    return change


def add(cell: int, text: str) -> Callable[[NotebookNode], None]:
    """A change that puts text behind a cell's."""
    return lambda notebook: notebook.cells[cell].update(source=notebook.cells[cell].source + text)


def insert(place: int, cell: NotebookNode) -> Callable[[NotebookNode], None]:
    """A change that adds a cell; code cells are counted anew."""

    def change(notebook: NotebookNode) -> None:
        notebook.cells.insert(place, NotebookNode(cell))
        count_anew(notebook)

    return change


def both(*changes: Callable[[NotebookNode], None]) -> Callable[[NotebookNode], None]:
    """A change that is several."""

    def change(notebook: NotebookNode) -> None:
        for one in changes:
            one(notebook)

    return change


def count_anew(notebook: NotebookNode) -> None:
    """Number the executions from the top."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for count, cell in enumerate(code, start=1):
        cell.execution_count = count


def output(cell: int, text: str) -> Callable[[NotebookNode], None]:
    """A change of what a cell has printed."""
    return lambda notebook: notebook.cells[cell].update(outputs=[new_output("stream", text=text)])


def tag(cell: int, *tags: str) -> Callable[[NotebookNode], None]:
    """A change of a cell's tags."""
    return lambda notebook: notebook.cells[cell].metadata.update(tags=list(tags))


def count(cell: int, number: int | None) -> Callable[[NotebookNode], None]:
    """A change of when a cell ran."""
    return lambda notebook: notebook.cells[cell].update(execution_count=number)


def drop(place: int) -> Callable[[NotebookNode], None]:
    """A change that takes a cell out."""

    def change(notebook: NotebookNode) -> None:
        del notebook.cells[place]
        count_anew(notebook)

    return change


def without_alt(notebook: NotebookNode) -> None:
    """A picture without its text."""
    (picture,) = [output for output in notebook.cells[PICTURE].outputs if output.output_type == "display_data"]
    picture.metadata = {}


def folded(value: bool) -> Callable[[NotebookNode], None]:
    """A change of whether the solution is folded."""
    return lambda notebook: notebook.cells[SOLUTION].metadata.jupyter.update(source_hidden=value)


def live(notebook: NotebookNode) -> None:
    """A stored live widget."""
    notebook.cells[PICTURE].outputs.append(new_output("display_data", {pairs.WIDGET_VIEW: {}}))


def asking(*feedbacks: str, folded: bool = False) -> NotebookNode:
    """A cell with a prediction whose answers are met with these feedbacks."""
    metadata = {"jupyter": {"source_hidden": True}} if folded else {}
    options = dict(zip("ab", feedbacks, strict=True))
    return new_code_cell(f"asked = lambda predict: predict('How wide?', {options})", metadata=metadata)


LINES = "\n".join(f"x{number} = 0  # a comment\n\n# a line of comment" for number in range(16))
NUMBER = "\n\nIt reaches 96 %<!-- no-such-experiment: cnn, mean -->."

CHANGES: list[tuple[lint.Rule, str, Callable[[NotebookNode], object]]] = [
    (lint.one_title, "no title", edit(TITLE, "# A chapter\n\n##", "##")),
    (lint.one_title, "two titles", add(TEXT, "\n\n# Another")),
    (lint.one_title, "a title below", insert(0, new_markdown_cell("Before the title."))),
    (lint.no_heading_jumps, "a jump", edit(TEXT, "### ", "#### ")),
    (lint.no_heading_jumps, "a jump in html", edit(TEXT, "### Exercise", "<h4>Exercise</h4>")),
    (lint.text_for_images, "markdown", edit(TITLE, "![a kitten]", "![ ]")),
    (lint.text_for_images, "html", edit(TITLE, ' alt="the same kitten"', "")),
    (lint.text_for_images, "html, empty", edit(TITLE, "the same kitten", "")),
    (lint.text_for_pictures, "no alt", without_alt),
    (lint.no_failed_claims, "a failed claim", output(CLAIM, "✗ The limit is small.\ndoes not hold: so\n")),
    (lint.no_failed_claims, "a failed check", output(STUB_CHECK, "not attempted yet ✗\n")),
    (lint.executed_in_order, "never ran", count(CHECK, None)),
    (lint.executed_in_order, "ran again", count(CHECK, 9)),
    (lint.executed_in_order, "empty", insert(1, new_code_cell(""))),
    (lint.errors_only_where_announced, "an error", tag(ERROR)),
    (lint.one_kind, "two kinds", tag(CLAIM, "claim", "nbval-ignore-output")),
    (lint.one_kind, "another tag", tag(CHECK, "nbval-skip")),
    (lint.one_kind, "a comment", add(CHECK, "\n# NBVAL_IGNORE_OUTPUT")),
    (lint.claims_alone, "an assignment", add(CLAIM, "\nother = 1")),
    (lint.claims_alone, "a print", add(CLAIM, "\nprint(limit)")),
    (lint.claims_alone, "no claim", lambda notebook: notebook.cells[CHECK].metadata.update(tags=["claim"])),
    (lint.claims_alone, "untagged", tag(CLAIM)),
    (lint.claims_plain, "an f-string", edit(CLAIM, '"The limit', 'f"The limit')),
    (lint.claims_plain, "a computed reason", edit(CLAIM, '"This one is three."', "str(limit)")),
    (lint.claims_plain, "a literal", edit(CLAIM, "limit < 4", "True")),
    (lint.claims_plain, "constants", edit(CLAIM, "limit > 4", "bool(3 > 4)")),
    (lint.claims_answered, "a line too few", output(CLAIM, "✓ The limit is small.\n    holds: nothing\n")),
    (lint.claims_answered, "no output", lambda notebook: notebook.cells[CLAIM].update(outputs=[])),
    (lint.quiet_where_compared, "a warning", tag(PICTURE)),
    (lint.interrupted_runs_kept, "a list", add(CHECK, "\nhistory = lambda: list(train(1))")),
    (lint.interrupted_runs_kept, "with a module", add(CHECK, "\nhistory = lambda: list( training.train(1))")),
    (lint.going_back_works, "a name", insert(STUB, new_code_cell("limit = 5"))),
    (lint.going_back_works, "a loop's name", insert(STUB, new_code_cell("for limit in (5, 6):\n    print(limit)"))),
    (lint.going_back_works, "added to", insert(STUB, new_code_cell("limit += 1"))),
    (lint.going_back_works, "grown above", both(add(CHECK, "\nsys |= {}"), insert(STUB, new_code_cell("sys = 3")))),
    (lint.going_back_works, "beside a del", insert(STUB, new_code_cell("limit = 5\ndel PNG"))),
    (
        lint.going_back_works,
        "read in a function",
        both(add(CHECK, "\npath = lambda: sys.path"), insert(STUB, new_code_cell("sys = 3"))),
    ),
    (lint.short_cells, "16 lines", insert(CHECK, new_code_cell(LINES))),
    (lint.no_semicolons, "at the end", add(CHECK, "\nlimit;")),
    (lint.no_semicolons, "before a comment", add(CHECK, "\nlimit;  # hushed")),
    (lint.no_live_widgets, "a view", live),
    (lint.safe_loading, "pickle", add(CHECK, "\nload = lambda file: pickle.load(file)")),
    (lint.safe_loading, "torch", add(CHECK, "\nload = lambda file: torch.load(file, weights_only=False)")),
    (lint.predictions_folded, "unfolded", insert(CHECK, asking("Is there a step of a half?", "How many fit?"))),
    (lint.predictions_even, "a giveaway", insert(CHECK, asking("Then say why.", "How many fit?", folded=True))),
    (lint.exercises_whole, "no check", drop(STUB_CHECK)),
    (lint.exercises_whole, "more than a check", add(STUB_CHECK, "\nprint(1)")),
    (lint.exercises_whole, "a stub with company", add(STUB, "\n\n\nother = 4")),
    (lint.exercises_whole, "an attempt", output(STUB_CHECK, "✓ 3 of 3\n")),
    (lint.exercises_whole, "no solution", drop(SOLUTION)),
    (lint.exercises_whole, "untagged solution", tag(SOLUTION)),
    (lint.exercises_whole, "unfolded solution", folded(False)),
    (lint.exercises_whole, "unchecked solution", edit(SOLUTION, 'check(solution_output_size, of="output_size")', "")),
    (lint.exercises_whole, "failing solution", output(SOLUTION, "2 of 3\n")),
    (lint.exercises_whole, "solution with stub", edit(SOLUTION, "width -", "output_size(width, 1) -")),
    (lint.exercises_whole, "stub in use", add(ERROR, "\noutput_size(3, 3)")),
    (lint.exercises_whole, "solution in use", add(CHECK, "\nother = lambda: solution_output_size(3, 3)")),
    (lint.exercises_whole, "solution of nothing", tag(CHECK, "solution")),
    (lint.exercises_whole, "a name twice", insert(CHECK, new_code_cell("def output_size(): ..."))),
    (lint.numbers_recorded, "no record", add(TEXT, NUMBER)),
]


@pytest.mark.parametrize(
    ("rule", "change"),
    [pytest.param(rule, change, id=f"{rule.__name__}: {name}") for rule, name, change in CHANGES],
)
def test_one_change_breaks_one_rule(rule: lint.Rule, change: Callable, built: Path, tmp_path: Path):
    notebook = nbformat.read(built, as_version=4)
    change(notebook)
    path = save_pair(notebook, tmp_path / built.name)
    assert broken_rules(path) == {rule.__name__}
    for problem in lint.problems(path, RULES):
        assert problem.startswith("03_good, ") and problem.endswith(".") and "\n" not in problem


@pytest.mark.parametrize("code", ["del limit", "limit |= 4", "sys = 3", "print([limit for limit in (5, 6)])"])
def test_a_cell_may_delete_or_grow_a_name_and_set_one_that_is_not_read(code: str, built: Path, tmp_path: Path):
    notebook = nbformat.read(built, as_version=4)
    insert(STUB, new_code_cell(code))(notebook)
    assert broken_rules(save_pair(notebook, tmp_path / built.name)) == set()


def save_pair(notebook: NotebookNode, path: Path) -> Path:
    """Write a notebook and the source that belongs to it, so that the pair is in step."""
    source = path.with_suffix(".py")
    jupytext.write(notebook, source, fmt="py:percent")
    for cell, built in zip(notebook.cells, pairs.read(source).cells, strict=True):
        cell.id = built.id
    nbformat.write(notebook, path)
    return path


@pytest.mark.parametrize("said", [("Where is it?", "What is it?"), ("Then say where.", "Then say what.")])
def test_feedbacks_may_begin_alike(said: tuple[str, str], built: Path, tmp_path: Path):
    notebook = nbformat.read(built, as_version=4)
    insert(CHECK, asking(*said, folded=True))(notebook)
    assert broken_rules(save_pair(notebook, tmp_path / built.name)) == set()


@pytest.mark.parametrize(
    ("body", "stub"), [("...", True), ('"""Two."""\n    ...', True), ("x = 1\n    ...", False), ("return 1", False)]
)
def test_a_stub_has_no_body_of_its_own(body: str, stub: bool):
    (statement,) = ast.parse(f"def f():\n    {body}").body
    assert lint.is_stub(statement) is stub


def test_a_solution_may_be_longer_than_a_cell(built: Path, tmp_path: Path):
    notebook = nbformat.read(built, as_version=4)
    lines = "".join(f"    x{number} = 0\n" for number in range(20))
    edit(SOLUTION, "    return", f"{lines}    return")(notebook)
    assert broken_rules(save_pair(notebook, tmp_path / built.name)) == set()


def test_the_halves_are_in_step(built: Path, tmp_path: Path):
    notebook = nbformat.read(built, as_version=4)
    path = save_pair(notebook, tmp_path / built.name)
    source = path.with_suffix(".py")
    source.write_text(source.read_text(encoding="utf-8").replace("limit = 3", "limit = 2"), encoding="utf-8")
    assert broken_rules(path) == {"in_step"}
    source.unlink()
    assert broken_rules(path) == {"in_step"}


@pytest.mark.parametrize("change", ["id", "kernelspec"])
def test_a_notebook_saved_by_an_editor_is_not_committed(change: str, built: Path, tmp_path: Path):
    notebook = nbformat.read(built, as_version=4)
    path = save_pair(notebook, tmp_path / built.name)
    if change == "id":
        notebook.cells[0].id = "other"
    else:
        notebook.metadata.kernelspec.display_name = "Other"
    nbformat.write(notebook, path)
    assert broken_rules(path) == {"built_by_sync"}


def test_no_widget_state_is_stored(built: Path, tmp_path: Path):
    notebook = nbformat.read(built, as_version=4)
    path = save_pair(notebook, tmp_path / built.name)
    notebook.metadata.widgets = {"application/vnd.jupyter.widget-state+json": {}}
    nbformat.write(notebook, path)
    assert broken_rules(path) == {"no_live_widgets", "built_by_sync"}


def test_a_file_is_light(built: Path, tmp_path: Path):
    notebook = nbformat.read(built, as_version=4)
    notebook.cells[PICTURE].outputs.append(new_output("stream", text="x" * lint.MOST_BYTES))
    path = save_pair(notebook, tmp_path / built.name)
    assert broken_rules(path) == {"light"}


def test_a_deck_is_asked_for_too(built: Path):
    assert lint.problems(built) == lint.problems(built, (lint.deck_whole,)) != []


def test_a_problem_says_where_and_what_to_do(built: Path, tmp_path: Path):
    notebook = nbformat.read(built, as_version=4)
    edit(CLAIM, "limit < 4", "True")(notebook)
    assert lint.problems(save_pair(notebook, tmp_path / built.name), RULES) == [
        '03_good, cell 4 (claim("The limit is small.", True)): '
        "the condition of a claim rests on nothing computed; name what was measured."
    ]
