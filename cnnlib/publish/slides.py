"""Slide decks: one self-contained page a chapter, made from the outputs that are committed, never by running it.

A cell is in the deck when its slideshow metadata says so: `slide` begins a slide, `fragment` is revealed on the slide
by a step, `notes` is for the speaker. Code is hidden unless the cell is tagged `show-code`; a cell tagged `solution`
never enters. reveal.js comes out of the wheel sphinx-revealjs, formulas become MathML here, the page fetches nothing.
"""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import nbformat
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath, MathInlineParser
from nbformat import NotebookNode
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from cnnlib.publish.pages import COURSE, FORMULA, alive, mathml, picture, text_of, widgets_of
from cnnlib.records import replacing
from cnnlib.widgets import bundle, text

MOST_WORDS = 40
MOST_LINES, MOST_COLUMNS = 12, 62
FEWEST_SLIDES, MOST_SLIDES = 15, 25
FETCHING = ("src", "srcset", "href", "xlink:href", "data", "poster", "action", "background")


def build_deck(notebook: Path, target: Path) -> Path:
    """Write the deck of the executed `notebook` to the html file `target` and return it.

    ValueError with the slide's number when a slide cannot be shown: no slides at all, a picture without alt text, a
    formula that does not become MathML, something that the page would have to fetch.
    """
    cells = nbformat.read(notebook, as_version=4).cells
    try:
        slides = [_shown(slide, notebook.parent) for slide in read_slides(cells)]
    except ValueError as error:
        raise ValueError(f"{notebook.name}, {error}") from error
    if not slides:
        raise ValueError(f"{notebook.name} has no slides: give cells the metadata slideshow={{'slide_type': 'slide'}}.")
    environment = Environment(
        loader=PackageLoader("cnnlib.publish"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    page = environment.get_template("deck.html.j2").render(
        course=COURSE, title=_title(cells) or notebook.stem, slides=slides, **_inlined(widgets_of(cells))
    )
    with replacing(target) as temporary:
        temporary.write_text(page, encoding="utf-8", newline="\n")
    return target


def build_decks(chapters: Sequence[Path], folder: Path) -> list[Path]:
    """Build the deck of each notebook as `folder`/NAME.html, print a line for each, and return their paths."""
    decks = []
    for chapter in chapters:
        deck = build_deck(chapter, folder / f"{chapter.stem}.html")
        count = len(read_slides(nbformat.read(chapter, as_version=4).cells))
        print(f"{count:3} slides {deck.stat().st_size / 1000:6.0f} kB  {deck}")
        decks.append(deck)
    return decks


def deck_problems(notebook: Path) -> list[str]:
    """What keeps the notebook's deck from being one to lecture from, a sentence each; empty when nothing does."""
    cells = nbformat.read(notebook, as_version=4).cells
    problems = []
    for number, cell in enumerate(cells, 1):
        kind = _slide_type(cell)
        if kind not in ("", "-", "skip", "slide", "fragment", "notes"):
            problems.append(f"cell {number}: a deck knows slide, fragment and notes, not {kind!r}.")
        if kind in ("slide", "fragment", "notes") and "solution" in _tags(cell):
            problems.append(f"cell {number}: a solution never enters a deck; take its slide type away.")
    try:
        slides = read_slides(cells)
    except ValueError as error:
        return [*problems, str(error)]
    if not FEWEST_SLIDES <= len(slides) <= MOST_SLIDES:
        problems.append(f"the deck has {len(slides)} slides; {FEWEST_SLIDES} to {MOST_SLIDES} make a lecture.")
    for slide in slides:
        problems += [f"slide {slide.number}: {problem}" for problem in _slide_problems(slide, notebook.parent)]
    return problems


@dataclass(frozen=True)
class Slide:
    """One slide of a notebook: the first cell leads, the others are revealed by steps; notes are for the speaker."""

    number: int
    section: str
    """The heading, as markdown, of the section that the slide stands in."""
    cells: list[NotebookNode] = field(default_factory=list)
    notes: list[NotebookNode] = field(default_factory=list)


def read_slides(cells: Sequence[NotebookNode]) -> list[Slide]:
    """The slides that the cells' metadata ask for, in order; solutions stay out.

    ValueError for a fragment or for notes that no slide precedes.
    """
    slides: list[Slide] = []
    section = ""
    for number, cell in enumerate(cells, 1):
        kind = _slide_type(cell)
        if kind in ("slide", "fragment", "notes") and "solution" not in _tags(cell):
            if kind == "slide":
                slides.append(Slide(len(slides) + 1, section))
            elif not slides:
                raise ValueError(f"cell {number}: {kind} before the first slide; tag an earlier cell as slide.")
            (slides[-1].notes if kind == "notes" else slides[-1].cells).append(cell)
        section = next(reversed(_headings(cell)), section)
    return slides


def markdown_to_html(source: str, folder: Path = Path(), attachments: dict | None = None) -> str:
    """Markdown as Jupyter reads it, with formulas as MathML, comments left out and the images of `folder` inlined.

    ValueError for a formula that does not become MathML.
    """
    renderer = _Renderer(
        escape=False, embed_images=True, exclude_anchor_links=True, path=str(folder), attachments=attachments
    )
    body = MarkdownWithMath(renderer, inline=_Inline(hard_wrap=False)).render(source)
    # A browser breaks the line between a formula and the comma behind it, unless told not to.
    formula = r'<math [^>]*"inline">(?:(?!</math>).)*</math>[.,;:!?)]+'
    return re.sub(formula, r'<span class="joined">\g<0></span>', body, flags=re.DOTALL)


class _Inline(MathInlineParser):
    SPECIFICATION = {**MathInlineParser.SPECIFICATION, "inline_math_tex": FORMULA}  # noqa: RUF012


class _Renderer(IPythonRenderer):
    def heading(self, text: str, level: int, **_: object) -> str:
        level = min(level, 2)  # a slide has one heading: how deep it stood in the notebook says nothing here
        return f"<h{level}>{text}</h{level}>\n"

    def inline_math(self, body: str) -> str:
        return mathml(body, "inline")

    def block_math(self, body: str) -> str:
        return mathml(body, "block")

    def latex_environment(self, name: str, body: str) -> str:
        return mathml(f"\\begin{{{name}}}{body}\\end{{{name}}}", "block")

    def inline_html(self, html: str) -> str:
        return re.sub(r"(?s)<!--.*?-->", "", html)

    block_html = inline_html


class _Contents(HTMLParser):
    """What a piece of html holds: words, headings, pictures without alt, and what it would make a page fetch."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.words, self.headings, self.without_alt, self.fetched = 0, 0, 0, []
        self.inside_formula = False
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: (value or "").strip() for name, value in attributes}
        self.headings += tag in ("h1", "h2", "h3", "h4", "h5", "h6")
        self.without_alt += tag == "img" and not values.get("alt")
        if tag == "math":
            self.inside_formula = True
            self.words += 1
        if tag == "script":
            self.fetched.append("a script")
        addresses = [values[name] for name in FETCHING if values.get(name) and tag != "a"]
        self.fetched += [address for address in addresses if not address.startswith(("data:", "#"))]
        self._search_style(values.get("style", ""))

    def handle_endtag(self, tag: str) -> None:
        self.inside_formula = self.inside_formula and tag != "math"

    def handle_data(self, text: str) -> None:
        if self.cdata_elem:
            self._search_style(text)
        elif not self.inside_formula:
            self.words += sum(any(map(str.isalpha, word)) for word in text.split())

    def _search_style(self, style: str) -> None:
        self.fetched += re.findall(r"url\(\s*[\"']?(?!data:)[^)]*\)|@import[^;]*", style)


def _slide_type(cell: NotebookNode) -> str:
    return cell.metadata.get("slideshow", {}).get("slide_type", "")


def _tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def _headings(cell: NotebookNode, levels: str = "1,6") -> list[str]:
    if cell.cell_type != "markdown":
        return []
    prose = re.sub(r"(?ms)^(```|~~~).*?^\1", "", cell.source)
    return re.findall(rf"(?m)^ {{0,3}}#{{{levels}}} +(.+?)[ #]*$", prose)


def _title(cells: Sequence[NotebookNode]) -> str:
    """The notebook's first h1 as plain text, "" where it has none."""
    first = next((heading for cell in cells for heading in _headings(cell, "1")), "")
    return html.unescape(re.sub(r"<[^>]+>", "", markdown_to_html(first))).strip()


def _slide_problems(slide: Slide, folder: Path) -> list[str]:
    problems = []
    shown = [cell for cell in slide.cells if cell.cell_type == "code" and "show-code" in _tags(cell)]
    for lines in (cell.source.splitlines() for cell in shown):
        if len(lines) > MOST_LINES:
            problems.append(f"its code has {len(lines)} lines; at most {MOST_LINES} can be read from the last row.")
        if max(map(len, lines), default=0) > MOST_COLUMNS:
            problems.append(f"its code is {max(map(len, lines))} columns wide; at most {MOST_COLUMNS} fit.")
    if not any(_spoken(cell) for cell in slide.notes):
        problems.append("it has no notes cell: minutes, the question to ask, the usual wrong answer.")
    try:
        blocks = [block for cell in slide.cells for block in _blocks(cell, folder)]
        contents = _Contents(_shown(slide, folder)["body"])
    except ValueError as error:
        return [*problems, str(error).removeprefix(f"slide {slide.number}: ")]
    words = _Contents(" ".join(body for kind, body in blocks if kind == "text")).words
    if words > MOST_WORDS:
        problems.append(f"it has {words} words; at most {MOST_WORDS}, the rest is for the speaker.")
    if contents.headings > 1:
        problems.append(f"it has {contents.headings} headings; a slide has one.")
    if not all(_blocks(cell, folder) for cell in slide.cells):
        problems.append("a cell shows nothing: it has no output, and its code is hidden without the tag show-code.")
    return problems


def _shown(slide: Slide, folder: Path) -> dict:
    """What the template writes for a slide: body and notes as html, and whether it is a title."""
    try:
        body = "\n".join(
            f'<div class="{kind} fragment" data-fragment-index="{step}">{block}</div>'
            if step
            else f'<div class="{kind}">{block}</div>'
            for step, cell in enumerate(slide.cells)
            for kind, block in _blocks(cell, folder)
        )
        if not _Contents(body).headings:
            body = f"{_heading(slide)}\n{body}"
        notes = "\n".join(markdown_to_html(_spoken(cell), folder, cell.get("attachments")) for cell in slide.notes)
        contents = _Contents(body + notes)
        if contents.without_alt:
            raise ValueError("a picture has no alt text; show it by cnnlib.plots, or write ![what it says](file).")
        if contents.fetched:
            raise ValueError(f"{contents.fetched[0][:60]} would be fetched; a deck holds everything it shows.")
    except ValueError as error:
        raise ValueError(f"slide {slide.number}: {error}") from error
    return {"body": Markup(body), "notes": Markup(notes), "is_title": "<h1>" in body}


def _spoken(cell: NotebookNode) -> str:
    """The text of a notes cell, without the comment marks that keep it out of the reader's sight."""
    return re.sub(r"\A\s*<!--(.*?)-->\s*\Z", r"\1", cell.source, flags=re.DOTALL).strip()


def _heading(slide: Slide) -> str:
    """For a slide that has none of its own: the title of the picture that leads it, else its section's heading."""
    for output in slide.cells[0].get("outputs", []):
        title = output.get("data", {}).get("text/plain", "").strip()
        is_repr = title.startswith("<") or re.fullmatch(r"(?s)\w+\(.*\)", title)
        if "image/png" in output.get("data", {}) and title and "\n" not in title and not is_repr:
            return f"<h2>{html.escape(title)}</h2>"
    return markdown_to_html(f"## {slide.section}") if slide.section else ""


def _blocks(cell: NotebookNode, folder: Path) -> list[tuple[str, str]]:
    """What a cell puts on a slide: (kind, html) with kind text, code, pictures or output."""
    if cell.cell_type != "code":
        return [("text", markdown_to_html(cell.source, folder, cell.get("attachments")))]
    blocks = [("code", highlight(cell.source, PythonLexer(), HtmlFormatter()))] if "show-code" in _tags(cell) else []
    pictures = [output for output in cell.outputs if "image/png" in output.get("data", {})]
    if pictures:  # they speak alone: no progress bar, no printed line beside them
        return [*blocks, ("pictures", "\n".join(alive(output, picture(output)) for output in pictures))]
    texts = ((output, text_of(output)) for output in cell.outputs)
    return [*blocks, *(("output", alive(output, text)) for output, text in texts if text)]


def _inlined(widgets: set[str]) -> dict[str, Markup]:
    """The style sheets and scripts of the page: reveal.js from its wheel, then ours, and those of the widgets."""
    reveal, ours = files("sphinx_revealjs") / "_static" / "revealjs", files("cnnlib.publish") / "templates"
    reveal_css = re.sub(r"url\([^)]*\)", "none", (reveal / "dist" / "reveal.css").read_text(encoding="utf-8"))
    reveal_css = re.sub(r"@media print\{([^{}]*\{[^{}]*\})*\}", "", reveal_css)  # deck.css knows our slides better
    scripts = [
        reveal / "dist" / "reveal.js",
        reveal / "plugin" / "notes" / "notes.js",
        ours / "live.js",
        ours / "deck.js",
    ]
    sources = [bundle(widgets), *(script.read_text(encoding="utf-8") for script in scripts)]
    styles = [reveal_css, (ours / "deck.css").read_text(encoding="utf-8"), *([text("widgets.css")] if widgets else [])]
    return {
        "styles": Markup("\n".join(styles)),
        "scripts": Markup("\n".join(source.replace("</script", r"<\/script") for source in sources)),
    }
