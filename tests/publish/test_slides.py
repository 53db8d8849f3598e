"""Decks: which cells are on which slide, how they look as html, what is refused, and that nothing is ever fetched."""

import base64
import io
import json
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from cnnlib.publish import slides
from cnnlib.publish.slides import build_deck, build_decks, deck_problems, markdown_to_html
from tests.test_records import on_a_full_disk

CHAPTERS = sorted((Path(__file__).parents[2] / "chapters").glob("[0-9][0-9]_*.ipynb"))
TEMPLATES = Path(slides.__file__).parent / "templates"


def png() -> bytes:
    figure = Figure((2, 1), dpi=100)
    figure.subplots().plot([3, 1, 2])
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


PNG = png()


def text(source: str, kind: str | None = "slide", tags: tuple[str, ...] = ()) -> nbformat.NotebookNode:
    slideshow = {"slideshow": {"slide_type": kind}} if kind else {}
    return new_markdown_cell(source, metadata={**slideshow, "tags": list(tags)})


def code(*outputs, source: str = "hidden()", kind: str | None = "slide", tags=()) -> nbformat.NotebookNode:
    slideshow = {"slideshow": {"slide_type": kind}} if kind else {}
    return new_code_cell(source, metadata={**slideshow, "tags": list(tags)}, outputs=list(outputs), execution_count=1)


def picture(alt: str | None = "Three points.", title: str = "A title", **data) -> nbformat.NotebookNode:
    bundle = {"image/png": base64.encodebytes(PNG).decode(), "text/plain": title, **data}
    return new_output("display_data", bundle, metadata={"image/png": {"alt": alt}} if alt else {})


def printed(text: str, name: str = "stdout") -> nbformat.NotebookNode:
    return new_output("stream", name=name, text=text)


NOTES = text("**3 min.** Ask why.", "notes")


def written(folder: Path, *cells: nbformat.NotebookNode) -> Path:
    notebook = folder / "03_training.ipynb"
    numbered = [{**cell, "id": f"cell-{number}"} for number, cell in enumerate([text("# Training", None), *cells])]
    nbformat.write(nbformat.from_dict(new_notebook(cells=numbered)), notebook)
    return notebook


def deck(folder: Path, *cells: nbformat.NotebookNode) -> str:
    return build_deck(written(folder, *cells), folder / "deck.html").read_text(encoding="utf-8")


def sections(page: str) -> list[str]:
    return re.findall(r"(?s)<section.*?</section>", page)


class Page(HTMLParser):
    """Every tag with its attributes, and the text of style elements."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.styles: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.styles.append(dict(attributes).get("style") or "")

    def handle_data(self, text):
        if self.cdata_elem == "style":
            self.styles.append(text)


def test_only_tagged_cells_are_in_the_deck(tmp_path):
    page = deck(
        tmp_path,
        text("## First"),
        text("untagged", None),
        text("skipped", "skip"),
        text("a dash", "-"),
        text("second step", "fragment"),
        text("said, not shown", "notes"),
        text("## Second"),
        text("the answer is 42", "slide", ["solution"]),
        code(printed("43\n"), source="print(43)", kind="fragment", tags=["solution"]),
    )
    first, second = sections(page)
    assert re.search(r'<div class="text">\s*<h2>First</h2>', first)
    assert re.search(r'<div class="text fragment" data-fragment-index="1"><p>second step</p>', first)
    assert re.search(r'(?s)<aside class="notes">.*said, not shown.*</aside>', first)
    assert "Second" in second
    assert not re.search("untagged|skipped|a dash|42|43", "".join(sections(page)))


def test_code_is_hidden_unless_the_cell_shows_it(tmp_path):
    hidden, shown = sections(
        deck(
            tmp_path,
            code(printed("4 < 5\n")),
            code(printed("7\n"), source="def f(x):\n    return x < 7", tags=["show-code"]),
        )
    )
    assert "hidden" not in hidden
    assert "<pre>4 &lt; 5</pre>" in hidden
    assert re.search(r'(?s)<div class="code"><div class="highlight">.*<span class="k">return</span>', shown)
    assert "<pre>7</pre>" in shown


def test_a_picture_comes_with_its_alt_and_its_title(tmp_path):
    alt = 'Plain "56" ends at 13 %, <b> & falls'
    (slide,) = sections(deck(tmp_path, code(picture(alt, "Error & epochs"))))
    (image,) = (attributes for tag, attributes in Page(slide).tags if tag == "img")
    assert image["alt"] == alt
    assert base64.b64decode(image["src"].removeprefix("data:image/png;base64,")) == PNG
    assert (image["width"], image["height"]) == ("200", "100")
    assert "<h2>Error &amp; epochs</h2>" in slide


def test_a_slide_without_a_heading_has_that_of_its_section(tmp_path):
    claims, figure, own = sections(
        deck(
            tmp_path,
            text("### Does $x$ hold up?", None),
            code(printed("✓ Yes.\n")),
            code(picture(title="<Figure size 640x480 with 1 Axes>")),
            text("## Its own"),
        )
    )
    assert re.search(r"<h2>Does <math.*</math> hold up\?</h2>", claims)
    assert "hold up?</h2>" in figure
    assert own.count("<h2>") == 1


def test_a_picture_speaks_alone_and_html_is_better_than_text(tmp_path):
    both, table, error = sections(
        deck(
            tmp_path,
            code(printed("epoch 3\n"), picture(**{"text/html": "<b>no</b>"}), printed("100 %", "stderr")),
            code(new_output("execute_result", {"text/html": "<table></table>", "text/plain": "a frame"})),
            code(
                new_output("error", ename="ValueError", evalue="kernel > image", traceback=[]), printed("!", "stderr")
            ),
        )
    )
    assert "<img" in both
    assert not re.search("epoch 3|<b>no</b>|100 %", both)
    assert "<table></table>" in table
    assert "a frame" not in table
    assert "<pre>ValueError: kernel &gt; image</pre>" in error
    assert "!" not in error


def test_a_widget_carries_its_state_beside_its_picture(tmp_path):
    widget = {"application/vnd.cnnlib.widget+json": {"widget": "fields", "state": {"side": 28}}}
    page = deck(tmp_path, code(picture("Stride 2.", "Stride", **widget)))
    (slide,) = sections(page)
    assert 'alt="Stride 2."' in slide
    assert 'data-widget="fields" data-state="{&quot;side&quot;:28}"' in slide
    assert 'WIDGETS["fields"]' in page
    assert 'WIDGETS["convolution"]' not in page, "only what the deck shows"


def test_a_widget_without_a_picture_carries_its_state_beside_its_text(tmp_path):
    state = {"question": "Which?", "answers": [["55", "Why <b>?"], ["54", "Why?"]]}
    stored = {
        "text/plain": "Which?\n  a) 55\n  b) 54",
        "application/vnd.cnnlib.widget+json": {"widget": "predict", "state": state},
    }
    page = deck(tmp_path, text("### To guess", None), code(new_output("execute_result", stored)))
    (slide,) = sections(page)
    (live,) = (attributes for tag, attributes in Page(slide).tags if attributes.get("class") == "live")
    assert live["data-widget"] == "predict" and json.loads(live["data-state"]) == state
    assert re.search(r'<div class="live"[^>]*><p>Which\?</p><ol type="a"><li>55</li><li>54</li></ol></div>', slide)
    assert "<h2>To guess</h2>" in slide
    assert 'WIDGETS["predict"]' in page


def test_claims_are_a_list_whose_marks_need_no_colour(tmp_path):
    lines = "✓ A < B.\n✗ B wins.\nholds: “x”\n    because\nit depends: “y”\n    as\ndoes not hold: “z”\n    since\n"
    (slide,) = sections(deck(tmp_path, code(printed(lines))))
    kinds = re.findall(r'<li class="(\w+)"><span class="mark">([^<]+)</span> <span>([^<]+)</span>', slide)
    assert kinds == [
        ("holds", "✓", "A &lt; B."),
        ("fails", "✗", "B wins."),
        ("holds", "holds", "“x”"),
        ("depends", "it depends", "“y”"),
        ("fails", "does not hold", "“z”"),
    ]
    assert re.findall(r'<span class="because">(\w+)</span>', slide) == ["because", "as", "since"]


def test_a_prediction_is_a_question_with_lettered_answers(tmp_path):
    (slide,) = sections(deck(tmp_path, code(printed("Which is < the other?\n  a) the first\n  b) the second\n"))))
    assert "<p>Which is &lt; the other?</p>" in slide
    assert '<ol type="a"><li>the first</li><li>the second</li></ol>' in slide


def test_the_first_heading_names_the_deck(tmp_path):
    page = deck(tmp_path, text("# Two *words* & `a`\n\nmore"))
    assert "<title>Training · Convolutional networks, measured</title>" in page
    assert '<footer class="chapter">Training</footer>' in page
    (slide,) = sections(page)
    assert slide.startswith('<section class="title"')
    assert '<p class="course">Convolutional networks, measured</p>' in slide
    assert "<h1>Two <em>words</em> &amp; <code>a</code></h1>" in slide


@pytest.mark.parametrize(
    "source",
    ["$a^2$", "$$\n\\frac{a}{b}\n$$", "- $x_i$", "| a |\n|---|\n| $x$ |", "\\begin{align}a&=b\\end{align}", "$|x|$."],
)
def test_formulas_become_mathml(source):
    page = markdown_to_html(source)
    assert page.count("<math ") == 1
    assert not re.search(r"[$\\]", page)


@pytest.mark.parametrize(
    "source",
    ["`$a$`", "from $5 to $10", "\\$x\\$", "```\n$$x$$\n```", "    $$x$$", "it costs $5 and `a$b`", "`$HOME` or `$$`"],
)
def test_other_dollars_stay(source):
    page = markdown_to_html(source)
    assert "<math" not in page
    assert page.count("$") == source.count("$")


def test_a_formula_is_not_parted_from_its_comma():
    page = markdown_to_html("If $a$, then $b$ and $c$.")
    assert [part.count("<math") for part in re.findall(r'(?s)<span class="joined">.*?</span>', page)] == [1, 1]


def test_comments_are_left_out():
    page = markdown_to_html("It reached 96 %<!-- pixel-shuffle: cnn, none, mean -->.\n\n<!-- a block -->\n")
    assert page.strip() == "<p>It reached 96 %.</p>"


def test_an_image_beside_the_notebook_is_taken_in(tmp_path):
    (tmp_path / "figure.png").write_bytes(PNG)
    (slide,) = sections(deck(tmp_path, text("![three points](figure.png)")))
    assert f'src="data:image/png;base64,{base64.b64encode(PNG).decode()}" alt="three points"' in slide


def test_nothing_can_be_fetched(tmp_path):
    page = Page(
        deck(
            tmp_path,
            text("# Title\n\n[a paper](https://arxiv.org/abs/1512.03385)"),
            code(picture()),
            code(source="import torch", tags=["show-code"]),
            NOTES,
        )
    )
    for tag, attributes in page.tags:
        addresses = {attributes.get(name) for name in ("src", "href", "srcset", "data", "poster", "action")} - {None}
        assert tag == "a" or all(address.startswith("data:") for address in addresses), (tag, attributes)
        assert tag not in ("link", "iframe", "object", "embed", "base")
    styles = re.sub(r"(?s)/\*.*?\*/", "", " ".join(page.styles))
    assert not re.search(r"url\(|@import|https?:|//", styles)
    (policy,) = (tag["content"] for _, tag in page.tags if tag.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert len([tag for tag, _ in page.tags if tag == "script"]) == 1


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (code(picture(alt=None)), "no alt text"),
        (code(picture(alt="  ")), "no alt text"),
        (text("![ ](data:image/png;base64,AAAA)"), "no alt text"),
        (text("![a cat](https://example.org/cat.png)"), "https://example.org/cat.png would be fetched"),
        (text("![a cat](missing.png)"), "missing.png would be fetched"),
        (code(new_output("display_data", {"text/html": "<script src='//x.org'></script>"})), "a script would be"),
        (code(new_output("display_data", {"text/html": "<p style='background: url(//x.org)'>"})), "would be fetched"),
        (code(new_output("display_data", {"text/html": "<style>@import 'x';</style>"})), "@import 'x' would be"),
        (code(new_output("display_data", {"text/html": "<iframe src='x.html'></iframe>"})), "x.html would be"),
        (text("$\\foo{x}$"), r"uses \foo, which latex2mathml does not know"),
        (text("$$\\frac{a$$"), "does not close its braces"),
        (text("$x^2^3$"), "does not become MathML"),
    ],
)
def test_what_cannot_be_shown_is_refused_by_number(tmp_path, cell, reason):
    notebook = written(tmp_path, text("## First"), cell)
    with pytest.raises(ValueError, match=r"^03_training.ipynb, slide 2: ") as caught:
        build_deck(notebook, tmp_path / "deck.html")
    assert reason in str(caught.value)
    assert not (tmp_path / "deck.html").exists()
    assert any(problem.startswith("slide 2: ") and reason in problem for problem in deck_problems(notebook))


def test_a_fragment_needs_a_slide(tmp_path):
    notebook = written(tmp_path, text("a step", "fragment"))
    with pytest.raises(ValueError, match="cell 2: fragment before the first slide"):
        build_deck(notebook, tmp_path / "deck.html")
    assert deck_problems(notebook) == ["cell 2: fragment before the first slide; tag an earlier cell as slide."]


def test_a_notebook_without_slides_says_how_to_make_one(tmp_path):
    with pytest.raises(ValueError, match=r"^03_training.ipynb has no slides: give cells the metadata slideshow="):
        deck(tmp_path, text("prose", None))


SLIDES = [cell for number in range(15) for cell in (text(f"## Slide {number}"), NOTES)]


def test_a_deck_within_the_rules_has_no_problems(tmp_path):
    longest = text("## Forty words\n\n" + "word " * 36 + "$x + y$ 12 %<!-- not a word -->, two")
    widest = code(source="\n".join(["x" * 62] * 12), tags=["show-code"])
    assert deck_problems(written(tmp_path, *SLIDES, longest, NOTES, widest, NOTES, code(picture()), NOTES)) == []


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ([text("## Too\n\n" + "word " * 40), NOTES], "slide 16: it has 41 words; at most 40"),
        ([text("## Too\n\n" + "word " * 20), text("step " * 20, "fragment"), NOTES], "slide 16: it has 41 words"),
        ([code(source="1\n" * 13, tags=["show-code"]), NOTES], "slide 16: its code has 13 lines; at most 12"),
        ([code(source="1" * 63, tags=["show-code"]), NOTES], "slide 16: its code is 63 columns wide; at most 62"),
        ([text("## No notes")], "slide 16: it has no notes cell"),
        ([text("## One\n\n## Two"), NOTES], "slide 16: it has 2 headings; a slide has one"),
        ([text("## One"), text("## Two", "fragment"), NOTES], "slide 16: it has 2 headings"),
        ([code(), NOTES], "slide 16: a cell shows nothing"),
        ([text("the answer", "slide", ["solution"])], "cell 32: a solution never enters a deck"),
        ([text("below", "subslide")], "cell 32: a deck knows slide, fragment and notes, not 'subslide'"),
        (SLIDES, "the deck has 30 slides; 15 to 25 make a lecture"),
    ],
)
def test_each_rule_is_a_sentence(tmp_path, cells, problem):
    (found,) = deck_problems(written(tmp_path, *SLIDES, *cells))
    assert found.startswith(problem)


def test_too_few_slides_are_a_problem(tmp_path):
    assert deck_problems(written(tmp_path, *SLIDES[:28])) == ["the deck has 14 slides; 15 to 25 make a lecture."]


def test_two_builds_have_the_same_bytes(tmp_path):
    notebook = written(tmp_path, text("# Title"), text("$x$ and `y`"), code(picture()), NOTES)
    first, second = (build_deck(notebook, tmp_path / name).read_bytes() for name in ("one.html", "two.html"))
    assert first == second


def test_decks_are_named_by_their_chapters_and_reported(tmp_path, capsys):
    notebook = written(tmp_path, text("## One"), text("## Two"))
    before = notebook.read_bytes()
    (path,) = build_decks([notebook], tmp_path / "build" / "slides")
    assert path == tmp_path / "build" / "slides" / "03_training.html"
    assert re.fullmatch(r" +2 slides +\d+ kB +\S+03_training.html\n", capsys.readouterr().out)
    assert path.stat().st_size < 300_000  # reveal.js, its notes and the styles
    assert notebook.read_bytes() == before


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.stem)
def test_a_chapters_deck_is_under_four_megabytes(chapter, tmp_path):
    assert build_deck(chapter, tmp_path / "deck.html").stat().st_size < 4_000_000


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.stem)
def test_every_picture_of_a_chapters_deck_says_what_its_data_say(chapter, tmp_path):
    slides, _, _ = build_deck(chapter, tmp_path / "deck.html").read_text(encoding="utf-8").partition("</main>")
    alts = [unescape(alt) for alt in re.findall(r'<img [^>]*?alt="([^"]+)"', slides)]
    assert len(alts) == slides.count("<img")
    outputs = [output for cell in nbformat.read(chapter, as_version=4).cells for output in cell.get("outputs", [])]
    titles = [output.data["text/plain"] for output in outputs if "image/png" in output.get("data", {})]
    for alt in alts:
        title = next(title for title in titles if alt.startswith(title))
        assert re.search(r"\d", alt.removeprefix(title)), f"only a title: {alt}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_colour_of_text_can_be_read(scheme):
    blocks = re.findall(r":root \{([^}]*)\}", (TEMPLATES / "deck.css").read_text(encoding="utf-8"))
    colours = dict(re.findall(r"--(\w+): (#\w{6});", blocks[scheme == "dark"]))

    def luminance(colour: str) -> float:
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for name in colours.keys() - {"paper", "panel", "line"}:
        for ground in ("paper", "panel"):
            dark, light = sorted((luminance(colours[name]), luminance(colours[ground])))
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (name, ground)


@pytest.mark.slow
def test_a_full_disk_leaves_the_old_deck(tmp_path):
    notebook, target = written(tmp_path, text("## First"), NOTES), tmp_path / "deck.html"
    target.write_text("old", encoding="utf-8")
    errors = on_a_full_disk(
        "from cnnlib.publish.slides import build_deck", f"build_deck(Path({str(notebook)!r}), Path({str(target)!r}))"
    )
    assert f"OSError: could not write {target}: " in errors and "Free some space, or make the folder" in errors
    assert target.read_text(encoding="utf-8") == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["03_training.ipynb", "deck.html"]
