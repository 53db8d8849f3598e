"""The site: a page a chapter with a search, made by Sphinx from the outputs that are committed, never by running them.

What Sphinx gets are copies of the notebooks whose outputs are html already, as in decks; formulas become MathML as it
writes them. The pages ask nothing of a network, nor of a server: they and their search work from disk.
"""

import ast
import base64
import hashlib
import io
import re
import shutil
import tempfile
import time
from collections.abc import Sequence
from importlib.resources import files
from itertools import groupby
from pathlib import Path

import furo  # noqa: F401  (Sphinx loads both by name: what is missing is said here)
import myst_nb  # noqa: F401
import nbformat
from docutils import nodes
from nbconvert.filters.ansi import strip_ansi
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_output
from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish
from sphinx.util.docutils import docutils_namespace, patch_docutils

from cnnlib.publish.check import tags
from cnnlib.publish.pages import COURSE, FORMULA, alive, mathml, picture, text_of, widgets_of
from cnnlib.widgets import bundle, text

README = Path(__file__).resolve().parents[2] / "README.md"
ROW = re.compile(
    r"^\| (?P<number>\d\d) \| \[(?P<title>.+?)\]\(chapters/(?P<name>\w+)\.ipynb\) "
    r"\| (?P<study>.+?) \| (?P<runs>.+?) \|$"
)
CODE = r"^ {0,3}(?P<fence>```|~~~).*?^ {0,3}(?P=fence)|(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)"
DOLLARS = re.compile(rf"(?ms){CODE}|\\.|\$\$.+?\$\$|{FORMULA}|(?P<plain>\$)")
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
SETTINGS = {
    "project": COURSE,
    "html_title": COURSE,
    "language": "en",
    "extensions": ["myst_nb", "cnnlib.publish.site"],
    "nb_execution_mode": "off",
    # Markdown as Jupyter reads it: dollars as in decks, and of MyST's own syntax only the start page's toctree.
    "myst_enable_extensions": ["dollarmath", "amsmath"],
    "myst_dmath_allow_space": False,
    "myst_dmath_allow_digits": False,
    "myst_dmath_double_inline": True,
    "myst_disable_syntax": ["myst_line_comment", "myst_block_break", "myst_target", "myst_role"],
    "html_theme": "furo",
    "html_math_renderer": "mathml",
    "html_static_path": ["static"],
    "html_extra_path": ["extra"],
    "html_favicon": "static/icon.svg",
    "html_css_files": ["site.css"],
    "html_js_files": [("site.js", {"defer": "defer"})],
    "html_use_index": False,
    "html_domain_indices": False,
    "html_copy_source": False,
    "html_show_sourcelink": False,
    "html_show_copyright": False,
    "html_show_search_summary": False,  # would fetch each page it found: no browser does that from disk
}


def build_site(chapters: Sequence[Path], folder: Path, readme: Path = README) -> Path:
    """Write the site of the executed notebooks `chapters` to `folder`; print its pages; return its start page.

    ValueError with what is wrong where Sphinx warns or a page cannot be shown: a chapter that the table of chapters in
    `readme` does not name, a link that leads nowhere, a picture without alt text, a formula that does not become
    MathML. `folder` then is as it was.
    """
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="cnnlib-site-") as temporary:
        source, made = Path(temporary) / "source", Path(temporary) / "made"
        prepare(chapters, source, readme.read_text(encoding="utf-8"), readme.parent)
        run_sphinx(source, made)
        shutil.copytree(made, folder, dirs_exist_ok=True)
        megabytes = sum(path.stat().st_size for path in made.rglob("*") if path.is_file()) / 1e6
    start = folder / "index.html"
    print(f"{len(chapters)} chapters, {megabytes:.1f} MB, in {time.perf_counter() - begun:.0f} s: {start}")
    return start


def prepare(chapters: Sequence[Path], source: Path, readme: str, beside: Path) -> None:
    """Write to `source` what Sphinx makes the site of: start page, notebooks, style, script, pictures."""
    static, widgets = source / "static", set()
    for folder in (static / "pictures", source / "extra" / "notebooks"):
        folder.mkdir(parents=True)
    for chapter in chapters:
        notebook = nbformat.read(chapter, as_version=4)
        widgets |= widgets_of(notebook.cells)
        try:
            nbformat.write(page(notebook, static / "pictures"), source / chapter.name)
        except ValueError as error:
            raise ValueError(f"{chapter.name}, {error}") from error
        shutil.copy(chapter, source / "extra" / "notebooks")
    (source / "extra" / ".nojekyll").touch()  # else GitHub's host leaves out folders that begin with _
    (source / "index.md").write_text(start_page(readme, chapters), encoding="utf-8")
    for image in re.findall(r"!\[.*?\]\((.+?)\)", introduction(readme)):
        (source / image).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(beside / image, source / image)
    ours = files("cnnlib.publish") / "templates"
    (static / "icon.svg").write_bytes((ours / "icon.svg").read_bytes())
    scripts = [bundle(widgets), *((ours / name).read_text(encoding="utf-8") for name in ("live.js", "site.js"))]
    (static / "site.js").write_text("\n".join(scripts), encoding="utf-8")
    styles = [text("widgets.css"), (ours / "site.css").read_text(encoding="utf-8")]
    (static / "site.css").write_text("\n".join(styles), encoding="utf-8")


def run_sphinx(source: Path, made: Path) -> None:
    """Make the pages. ValueError with Sphinx's words where it warns."""
    warnings = io.StringIO()
    with patch_docutils(), docutils_namespace():  # Sphinx registers there what a second site in one process would meet
        app = Sphinx(source, None, made, source / "doctrees", "html", SETTINGS, status=None, warning=warnings)
        app.build()
    if said := strip_ansi(warnings.getvalue()).strip():
        raise ValueError(f"the site would have faults:\n{said}")
    for unneeded in (made / ".buildinfo", made / "objects.inv"):
        unneeded.unlink(missing_ok=True)


def introduction(readme: str) -> str:
    """What the README says before it comes to installing: title, purpose, a picture."""
    return readme.partition("\n## ")[0].strip()


def chapter_rows(readme: str) -> dict[str, dict[str, str]]:
    """The README's table of chapters: file name without ending to number, title, study, runs."""
    rows = (ROW.match(line) for line in readme.splitlines())
    return {row["name"]: row.groupdict() for row in rows if row}


def start_page(readme: str, chapters: Sequence[Path]) -> str:
    """The start page as markdown. ValueError for a chapter that the README's table does not name."""
    rows = chapter_rows(readme)
    if unknown := [chapter.name for chapter in chapters if chapter.stem not in rows]:
        raise ValueError(f"{', '.join(unknown)}: not in README.md's table of chapters; add a row.")
    shown = [rows[chapter.stem] for chapter in chapters]
    table = "\n".join("| {number} | [{title}]({name}.ipynb) | {study} | {runs} |".format(**row) for row in shown)
    contents = "\n".join("{number} {title} <{name}>".format(**row) for row in shown)
    return START.format(introduction=introduction(readme), table=table, contents=contents)


START = """\
{introduction}

## Chapters

| no | chapter | study | runs in |
|---|---|---|---|
{table}

Each page shows a chapter with what its last run printed. The labs and the questions answer here, too; to change code,
run it and be checked, take the notebook that the page names below its title, and the course around it.

```{{toctree}}
:hidden:

{contents}
```
"""


def page(notebook: NotebookNode, pictures: Path) -> NotebookNode:
    """The notebook as its page shows it: notes and comments gone, imports and solutions folded, outputs as html.

    The PNGs go to the folder `pictures`. ValueError for one without alt text.
    """
    cells = []
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.metadata.get("slideshow", {}).get("slide_type") == "notes":
            continue
        if cell.cell_type == "markdown":
            told = COMMENT.sub("", cell.source)
            cell.source = DOLLARS.sub(lambda found: r"\$" if found["plain"] else found[0], told)
        if cell.cell_type == "code":
            shown = [html for output in cell.outputs if (html := output_html(output, pictures, number))]
            cell.outputs = [new_output("display_data", {"text/html": "\n".join(shown)})] if shown else []
        if cell.source.startswith("predict("):  # the question says it all, and its code would give the answers away
            cell.metadata.tags = [*tags(cell), "remove-input"]
        cells.append(cell)
    notebook.cells = []
    for (kind, _), together in groupby(cells, folded):
        fold = [f'<details class="{kind}"><summary>{SUMMARY[kind]}</summary>', "</details>"] if kind else []
        notebook.cells += [*map(new_markdown_cell, fold[:1]), *together, *map(new_markdown_cell, fold[1:])]
    return notebook


SUMMARY = {"solution": "Solution", "imports": "The imports"}


def folded(cell: NotebookNode) -> tuple[str, str]:
    """In which kind of fold the page shows the cell, "" if in none; and what tells it from a neighbour of that kind."""
    if "solution" in tags(cell):
        return "solution", cell.id
    return ("imports", "") if cell.cell_type == "code" and only_prepares(cell.source) else ("", "")


def only_prepares(code: str) -> bool:
    """Whether the code imports and, beside that, at most sets device, seed or threads."""
    try:
        lines = ast.parse(code).body
    except SyntaxError:  # a magic
        return False
    others = [ast.unparse(line) for line in lines if not isinstance(line, ast.Import | ast.ImportFrom)]
    return len(others) < len(lines) and all(map(SETTING.match, others))


SETTING = re.compile(r"(device|seed|device, seed) = |torch\.set_num_threads\(")


def output_html(output: NotebookNode, pictures: Path, number: int) -> str:
    """An output of cell `number`, its picture as a file, a widget with its state."""
    if "image/png" not in output.get("data", {}):
        return alive(output, text_of(output))
    if not output.metadata.get("image/png", {}).get("alt", "").strip():
        raise ValueError(f"cell {number}: its picture has no alt text; show it through cnnlib.plots.")
    data = base64.b64decode(output.data["image/png"])
    name = f"{hashlib.sha256(data).hexdigest()[:16]}.png"
    (pictures / name).write_bytes(data)
    return alive(output, picture(output, f"_static/pictures/{name}"))


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx asks of an extension: formulas as MathML, kept with their commas; a line under each title."""

    def write(translator, node) -> None:
        try:
            if isinstance(node, nodes.math):
                translator.body.append(mathml(node.astext(), "inline"))
            else:
                translator.body.append(f'<div class="formula">{mathml(node.astext(), "block")}</div>\n')
        except ValueError as error:
            raise ValueError(f"{translator.builder.current_docname}: {error}") from error
        raise nodes.SkipNode

    app.add_html_math_renderer("mathml", (write, None), (write, None))
    app.add_search_language(Words)
    app.connect("doctree-read", join_formulas)
    app.connect("html-page-context", name_notebook)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


class Words(SearchEnglish):
    """The words of the search: 3×3 is one, and 3x3 is the same."""

    def split(self, input: str) -> list[str]:
        return re.findall(r"\d+(?:×\d+)+|\w+", re.sub(r"(?<=\d)x(?=\d)", "×", input))

    js_splitter_code = r"""
function splitQuery(query) {
  return query.replace(/(?<=\d)x(?=\d)/g, "×").match(/\d+(?:×\d+)+|[\p{Letter}\p{Number}_]+/gu) ?? [];
}
"""


def join_formulas(app: Sphinx, tree: nodes.document) -> None:
    """Keep each formula on one line with the comma or full stop behind it."""
    for formula in list(tree.findall(nodes.math)):
        behind = formula.next_node(descend=False, siblings=True)
        mark = re.match(r"[.,;:!?)]+", behind) if isinstance(behind, nodes.Text) else None
        if mark:
            behind.parent.replace(behind, nodes.Text(behind[mark.end() :]))
            formula.parent.replace(
                formula, nodes.inline("", "", formula.deepcopy(), nodes.Text(mark[0]), classes=["joined"])
            )


def name_notebook(app: Sphinx, name: str, template: str, context: dict, tree: nodes.document | None) -> None:
    """Under a chapter's title: its notebook to take along, and what differs here from there."""
    if (app.srcdir / f"{name}.ipynb").exists():
        link = f'<a href="notebooks/{name}.ipynb" download>{name}.ipynb</a>'
        line = f'<p class="notebook">Notebook: {link}. {HERE}</p>'
        context["body"] = context["body"].replace("</h1>", f"</h1>\n{line}", 1)
        print(f"{len(context['body']) / 1000:6.0f} kB  {name}.html")


HERE = (
    "This page shows what its last run printed, each ✓ included; the labs and the questions are alive. "
    "To run, change and check it on your machine, take the notebook."
)
