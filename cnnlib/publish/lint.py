"""Rules that every committed chapter keeps. Each rule is a function of a chapter that yields what breaks it."""

import ast
import builtins
import io
import re
import symtable
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from cnnlib.publish import prose
from cnnlib.publish.check import judged, printed, tags
from cnnlib.publish.pairs import WIDGET_VIEW, first_line, read, stale

MOST_BYTES = 1_500_000
MOST_LINES = {"chapter": 15, "solution": 25}
TEXTS = {"claim": {0: "text"}, "verdict": {0: "statement", 2: "because"}}  # arguments that are plain sentences
CONDITION = "holds"  # the second argument of both

HEADING = re.compile(r"^ {0,3}(#{1,6})\s|<h([1-6])\b", re.MULTILINE)
NO_ALT = re.compile(r"!\[\s*\][\[(]|<img\b(?![^>]*\balt\s*=\s*[\"']\s*[^\s\"'])[^>]*>", re.IGNORECASE)
CODE = re.compile(r"^(```|~~~).*?^\1|`[^`\n]+`", re.MULTILINE | re.DOTALL)
UNSAFE = re.compile(r"\bpickle\.loads?\b|\bweights_only\s*=\s*False")


@dataclass(frozen=True)
class Cell:
    """A cell of a notebook, with its number counted from 1."""

    number: int
    node: NotebookNode

    def __str__(self) -> str:
        return f"cell {self.number} ({first_line(self.node)})"

    @property
    def source(self) -> str:
        return self.node.source

    @property
    def is_code(self) -> bool:
        return self.node.cell_type == "code"

    @property
    def tags(self) -> list[str]:
        return tags(self.node)

    @property
    def folded(self) -> bool:
        """Does JupyterLab show the cell without its code?"""
        return bool(self.node.metadata.get("jupyter", {}).get("source_hidden"))

    @property
    def outputs(self) -> list[NotebookNode]:
        return self.node.get("outputs", [])

    @property
    def printed(self) -> str:
        return printed(self.node)

    @property
    def prose(self) -> str:
        """A markdown cell's text without its code."""
        return CODE.sub("", self.source)

    @cached_property
    def statements(self) -> list[ast.stmt]:
        """What a code cell does; empty where it is no plain Python."""
        try:
            return ast.parse(self.source).body if self.is_code else []
        except SyntaxError:
            return []

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Every part of the statements."""
        return [node for statement in self.statements for node in ast.walk(statement)]

    @property
    def names(self) -> set[str]:
        """Every name that the cell reads, sets or defines."""
        defined = {node.name for node in self.nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        return defined | {node.id for node in self.nodes if isinstance(node, ast.Name)}

    @cached_property
    def scopes(self) -> list[symtable.SymbolTable]:
        """The names of a code cell as Python sorts them: those of its top level first, then those of each function."""
        scopes = [symtable.symtable(self.source, "", "exec")] if self.statements else []
        for scope in scopes:  # grows as it goes
            scopes += scope.get_children()
        return scopes

    @cached_property
    def sets(self) -> set[str]:
        """The names to which it gives a meaning; not those that it deletes, or only adds to, as `runs |= …` does."""
        added = [
            node.target for node in self.nodes if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.BitOr)
        ]
        names = [node for node in self.nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)]
        given = {name.id for name in names if isinstance(name.ctx, ast.Store) and name not in added}
        left = {name.get_name() for top in self.scopes[:1] for name in top.get_symbols() if name.is_local()}
        return left - ({name.id for name in names} - given)

    @cached_property
    def reads(self) -> set[str]:
        """The names that it takes from other cells, and does not set itself: `x = x + 1` is not seen."""
        found = {name for scope in self.scopes for name in scope.get_symbols() if name.is_referenced()}
        grown = {
            s.target.id for s in self.statements if isinstance(s, ast.AugAssign) and isinstance(s.target, ast.Name)
        }
        return ({name.get_name() for name in found if name.is_global()} | grown) - self.sets

    @property
    def calls(self) -> list[ast.Call]:
        """The calls of claim and verdict in it."""
        return [node for node in self.nodes if isinstance(node, ast.Call) and called(node) in TEXTS]


@dataclass(frozen=True)
class Chapter:
    """A notebook to look at."""

    path: Path
    notebook: NotebookNode

    @cached_property
    def cells(self) -> list[Cell]:
        return [Cell(number, node) for number, node in enumerate(self.notebook.cells, start=1)]

    @property
    def code(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.is_code]

    @property
    def markdown(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.node.cell_type == "markdown"]


Rule = Callable[[Chapter], Iterator[str]]


def called(call: ast.Call) -> str:
    """The name of what a call calls, empty if it is no plain name."""
    return call.func.id if isinstance(call.func, ast.Name) else ""


def headings(cell: Cell) -> list[int]:
    """The levels of a markdown cell's headings."""
    return [len(hashes) or int(level) for hashes, level in HEADING.findall(cell.prose)]


def one_title(chapter: Chapter) -> Iterator[str]:
    """The first cell holds the title, and nothing else is one."""
    titles = [cell for cell in chapter.markdown for level in headings(cell) if level == 1]
    if not titles or titles[0].number != 1:
        yield "the first cell holds no title; begin it with `# ` and the chapter's name."
    for cell in titles[1:]:
        yield f"{cell}: a chapter has one title; make this heading `## `."


def no_heading_jumps(chapter: Chapter) -> Iterator[str]:
    """Headings go down one level at a time."""
    last = 1
    for cell in chapter.markdown:
        for level in headings(cell):
            if level > last + 1:
                yield f"{cell}: a heading of level {level} follows one of level {last}; make it level {last + 1}."
            last = level


def text_for_images(chapter: Chapter) -> Iterator[str]:
    """Images in the text say what they show."""
    for cell in chapter.markdown:
        for image in NO_ALT.findall(cell.prose):
            yield f"{cell}: the image {image} has no alternative text; say what it shows."


def text_for_pictures(chapter: Chapter) -> Iterator[str]:
    """Pictures that cells draw say what they show."""
    for cell in chapter.code:
        for output in cell.outputs:
            for mime in output.get("data", {}):
                if mime.startswith("image/") and not output.metadata.get(mime, {}).get("alt", "").strip():
                    yield f"{cell}: its picture has no alternative text; show it through cnnlib.plots."


def no_failed_claims(chapter: Chapter) -> Iterator[str]:
    """What is committed holds."""
    for cell in chapter.code:
        text = [cell.printed, *(str(output.get("data", {})) for output in cell.outputs)]
        if "✗" in "".join(text):
            yield f"{cell}: its output holds a ✗; mend the claim or what it is about, and sync."


def executed_in_order(chapter: Chapter) -> Iterator[str]:
    """Every code cell ran, once, from the top."""
    for cell in chapter.code:
        if not cell.source.strip():
            yield f"{cell}: the code cell is empty; take it out."
        elif cell.node.execution_count is None:
            yield f"{cell}: it never ran; sync the chapter."
    counts = [cell.node.execution_count for cell in chapter.code]
    if None not in counts and counts != list(range(1, len(counts) + 1)):
        yield f"the cells ran in the order {counts}, not from the top; sync the chapter."


def errors_only_where_announced(chapter: Chapter) -> Iterator[str]:
    """A stored error is one that the text speaks about."""
    for cell in chapter.code:
        if "raises-exception" not in cell.tags and any(output.output_type == "error" for output in cell.outputs):
            yield f"{cell}: its output is an error; mend the cell, or tag it raises-exception if it is meant to fail."


def one_kind(chapter: Chapter) -> Iterator[str]:
    """A code cell is exact, measured or a claim, and says so by tags that nbval and we understand."""
    for cell in chapter.code:
        if {"nbval-ignore-output", "claim"} <= set(cell.tags):
            yield f"{cell}: a claim is compared, a measured output is not; keep one of its two tags."
        for tag in cell.tags:
            if tag.startswith("nbval-") and tag != "nbval-ignore-output":
                yield f"{cell}: the tag {tag} is none of ours; cells are untagged, nbval-ignore-output or claim."
        if re.search(r"^\s*#\s*(NBVAL|PYTEST_VALIDATE)_", cell.source, re.MULTILINE):
            yield f"{cell}: a comment steers nbval; use a tag instead."


def claims_alone(chapter: Chapter) -> Iterator[str]:
    """A claim cell holds calls of claim and verdict and nothing else, and no other cell holds one."""
    for cell in chapter.code:
        if "claim" not in cell.tags:
            if cell.calls:
                yield f"{cell}: it calls {called(cell.calls[0])}; tag it claim, with its claims alone in the cell."
            continue
        expressions = [statement.value for statement in cell.statements if isinstance(statement, ast.Expr)]
        alone = [value for value in expressions if isinstance(value, ast.Call) and called(value) in TEXTS]
        if not alone or not len(alone) == len(cell.statements) == len(cell.calls):
            yield f"{cell}: a claim cell holds only calls of claim and verdict; compute in the cell before it."


def claims_plain(chapter: Chapter) -> Iterator[str]:
    """The sentences of claims are literals, their conditions are not."""
    for cell in chapter.code:
        for call in cell.calls:
            arguments = dict(enumerate(call.args)) | {keyword.arg: keyword.value for keyword in call.keywords}
            for position, name in TEXTS[called(call)].items():
                text = arguments.get(position, arguments.get(name))
                if not (isinstance(text, ast.Constant) and isinstance(text.value, str)):
                    yield f"{cell}: the {name} of a {called(call)} is a plain string; write it out."
            condition = arguments.get(1, arguments.get(CONDITION, ast.Constant(None)))
            names = {node.id for node in ast.walk(condition) if isinstance(node, ast.Name)}
            if not names - set(dir(builtins)):
                yield f"{cell}: the condition of a {called(call)} rests on nothing computed; name what was measured."


def claims_answered(chapter: Chapter) -> Iterator[str]:
    """Each claim and verdict left one line in the output."""
    for cell in chapter.code:
        lines = len(judged(cell.node))
        if "claim" in cell.tags and lines != len(cell.calls):
            yield f"{cell}: {len(cell.calls)} claims and verdicts left {lines} lines of output; sync the chapter."


def quiet_where_compared(chapter: Chapter) -> Iterator[str]:
    """Warnings and progress bars differ from run to run: exact and claim cells print none."""
    for cell in chapter.code:
        streams = {output.name for output in cell.outputs if output.output_type == "stream"}
        if "stderr" in streams and "nbval-ignore-output" not in cell.tags:
            yield f"{cell}: it writes to stderr, which is compared; end the warning, or tag it nbval-ignore-output."


def interrupted_runs_kept(chapter: Chapter) -> Iterator[str]:
    """Training shows its epochs as they come, and an interrupted cell keeps what it has."""
    for cell in chapter.cells:
        if re.search(r"\blist\(\s*(\w+\.)*train\(", cell.source):
            yield f"{cell}: list(train(…)) loses everything when interrupted; append each epoch in a loop."


def going_back_works(chapter: Chapter) -> Iterator[str]:
    """A cell that has run can run again: no cell below gives another meaning to a name that it reads.

    A name that is gone is another matter: whoever reads it is told so.
    """
    known: set[str] = set()
    readers: dict[str, Cell] = {}
    for cell in chapter.code:
        for name in sorted(cell.sets & readers.keys()):
            yield f"{cell}: it sets {name} anew, and {readers[name]}, which reads the one before, cannot run again."
        readers = {name: reader for name, reader in readers.items() if name not in cell.sets}
        readers |= {name: cell for name in cell.reads & known if name not in readers}
        known |= cell.sets


def short_cells(chapter: Chapter) -> Iterator[str]:
    """A code cell fits one look."""
    for cell in chapter.code:
        most = MOST_LINES["solution" if "solution" in cell.tags else "chapter"]
        lines = sum(bool(line.strip()) and not line.strip().startswith("#") for line in cell.source.splitlines())
        if lines > most:
            yield f"{cell}: {lines} lines of code, at most {most} fit one look; split it or move a part to cnnlib."


def no_semicolons(chapter: Chapter) -> Iterator[str]:
    """A semicolon at the end hides a value in the browser, not from nbval."""
    for cell in chapter.code:
        if ends_in_semicolon(cell.source):
            yield f"{cell}: a line ends in `;`; assign the value to `_` instead."


def ends_in_semicolon(code: str) -> bool:
    """Does a logical line end in one?"""
    try:
        tokens = [
            token for token in tokenize.generate_tokens(io.StringIO(code).readline) if token.type != tokenize.COMMENT
        ]
    except (tokenize.TokenError, SyntaxError):
        return any(line.rstrip().endswith(";") for line in code.splitlines())
    return any(token.string == ";" and after.type == tokenize.NEWLINE for token, after in pairwise(tokens))


def no_live_widgets(chapter: Chapter) -> Iterator[str]:
    """Stored widget state holds code and random ids, and keeps GitHub from showing the page."""
    if "widgets" in chapter.notebook.metadata:
        yield "the notebook stores the state of widgets; sync the chapter."
    for cell in chapter.code:
        if any(WIDGET_VIEW in output.get("data", {}) for output in cell.outputs):
            yield f"{cell}: its output is a live widget; sync the chapter."


def light(chapter: Chapter) -> Iterator[str]:
    """GitHub and a slow line can show the file."""
    if (size := chapter.path.stat().st_size) > MOST_BYTES:
        yield f"the file has {size / 1e6:.1f} MB, at most {MOST_BYTES / 1e6:.1f} are shown well; draw smaller pictures."


def safe_loading(chapter: Chapter) -> Iterator[str]:
    """No cell unpickles a file: that would run whatever the file says."""
    for cell in chapter.code:
        if unsafe := UNSAFE.search(cell.source):
            yield f"{cell}: {unsafe[0]} runs code from the file; load arrays from .npz or with weights_only=True."


def in_step(chapter: Chapter) -> Iterator[str]:
    """Notebook and source hold the same cells."""
    source = chapter.path.with_suffix(".py")
    if not source.exists():
        yield f"its source {source.name} is not beside it; a chapter has both halves."
    elif stale(source):
        yield f"the notebook and {source.name} hold different cells; sync the chapter."


def built_by_sync(chapter: Chapter) -> Iterator[str]:
    """The notebook is the one that sync writes: an editor leaves ids, versions and settings of its own."""
    source = chapter.path.with_suffix(".py")
    if not source.exists() or stale(source):
        return
    built = read(source)
    ids = [[cell.id for cell in notebook.cells] for notebook in (built, chapter.notebook)]
    if chapter.notebook.metadata != built.metadata or ids[0] != ids[1]:
        number = chapter.path.stem.partition("_")[0]
        yield f"the notebook was saved by an editor; run `python -m cnnlib sync --force {number}` before you commit it."


def predictions_folded(chapter: Chapter) -> Iterator[str]:
    """The code of a prediction says what each answer is met with: a reader of the page sees the question alone."""
    for cell in chapter.code:
        if predictions(cell) and not cell.folded:
            yield f'{cell}: a prediction is folded; add jupyter={{"source_hidden": true}} to its cell marker.'


def predictions_even(chapter: Chapter) -> Iterator[str]:
    """No feedback gives its answer away by its first word: "Then say why" is what only the right one would hear."""
    for cell in chapter.code:
        for call in predictions(cell):
            options = (node for node in ast.walk(call) if isinstance(node, ast.Dict))
            said = [node.value for option in options for node in option.values if isinstance(node, ast.Constant)]
            if sum(str(text).startswith("Then ") for text in said) == 1:
                yield f"{cell}: one feedback alone begins with “Then” and says that it is right; begin all alike."


def predictions(cell: Cell) -> list[ast.Call]:
    """The calls of predict in a cell."""
    nodes = [node for statement in cell.statements for node in ast.walk(statement)]
    return [node for node in nodes if isinstance(node, ast.Call) and called(node) == "predict"]


def exercises_whole(chapter: Chapter) -> Iterator[str]:
    """An exercise is a stub, its check, and a folded solution that passes; no other cell needs either."""
    stubs: dict[str, Cell] = {}
    for cell in chapter.code:
        for name in [statement.name for statement in cell.statements if is_stub(statement)]:
            if len(cell.statements) > 1:
                yield f"{cell}: the stub of {name} shares its cell; give it one of its own."
            if name in stubs:
                yield f"{cell}: {stubs[name]} is an exercise of the same name; rename one."
            stubs[name] = cell
    for name, stub in stubs.items():
        yield from exercise_problems(chapter, name, stub)
    for cell in chapter.code:
        if "solution" in cell.tags and not any(f"solution_{name}" in cell.names for name in stubs):
            yield f"{cell}: the solution belongs to no exercise; define solution_NAME for a stub NAME above it."


def is_stub(statement: ast.stmt) -> bool:
    """Is it `def NAME(...): ...`, perhaps with a docstring?"""
    if not isinstance(statement, ast.FunctionDef):
        return False
    body = statement.body[1:] if ast.get_docstring(statement) is not None else statement.body
    return [ast.unparse(part) for part in body] == ["..."]


def exercise_problems(chapter: Chapter, name: str, stub: Cell) -> Iterator[str]:
    """What is wrong with the exercise whose stub is the cell `stub`."""
    solved = f"solution_{name}"
    check = next((cell for cell in chapter.cells if cell.number == stub.number + 1), stub)
    if [ast.unparse(statement) for statement in check.statements] != [f"check({name})"]:
        yield f"{stub}: the cell after a stub is check({name}) alone."
    elif "not attempted yet" not in check.printed:
        yield f"{check}: the stub's check says “not attempted yet”; sync the chapter."
    after = [cell for cell in chapter.code if cell.number > stub.number and "solution" in cell.tags]
    solution = next((cell for cell in after if solved in cell.names), None)
    if solution is None:
        yield f"{stub}: no cell after it tagged solution defines {solved}; write the solution."
    else:
        if not solution.folded:
            yield f'{solution}: a solution is folded; add jupyter={{"source_hidden": true}} to its cell marker.'
        if ast.unparse(solution.statements[-1]) != f"check({solved}, of={name!r})":
            yield f'{solution}: a solution ends with check({solved}, of="{name}").'
        elif not solution.printed.startswith("✓"):
            yield f"{solution}: the solution does not pass its own check; mend one of them."
        if name in solution.names:
            yield f"{solution}: the solution uses {name}, the reader's answer; call {solved} instead."
    own = {cell.number for cell in (stub, check, solution) if cell}
    for cell in chapter.code:
        if cell.number not in own and {name, solved} & cell.names:
            yield f"{cell}: it uses the exercise {name}, which the reader may not have solved; do without."


def numbers_recorded(chapter: Chapter) -> Iterator[str]:
    """Measured numbers in the text are those of the records they name."""
    for cell in chapter.markdown:
        # Notes for the speaker stand in comments of their own, out of the reader's sight.
        if cell.node.metadata.get("slideshow", {}).get("slide_type") != "notes":
            yield from (f"{cell}: {problem}." for problem in prose.problems(cell.source))


def deck_whole(chapter: Chapter) -> Iterator[str]:
    """The slides among the cells make a deck to lecture from."""
    from cnnlib.publish.slides import deck_problems  # nbconvert and its templates: half a second

    yield from deck_problems(chapter.path)


RULES: tuple[Rule, ...] = (
    one_title,
    no_heading_jumps,
    text_for_images,
    text_for_pictures,
    no_failed_claims,
    executed_in_order,
    errors_only_where_announced,
    one_kind,
    claims_alone,
    claims_plain,
    claims_answered,
    quiet_where_compared,
    interrupted_runs_kept,
    going_back_works,
    short_cells,
    no_semicolons,
    no_live_widgets,
    light,
    safe_loading,
    in_step,
    built_by_sync,
    predictions_folded,
    predictions_even,
    exercises_whole,
    numbers_recorded,
    deck_whole,
)


def problems(notebook: Path, rules: tuple[Rule, ...] = RULES) -> list[str]:
    """What breaks the rules in a notebook: a sentence each, with chapter, cell and what to do; empty if all is well."""
    chapter = Chapter(notebook, nbformat.read(notebook, as_version=4))
    return [f"{notebook.stem}, {problem}" for rule in rules for problem in rule(chapter)]
