"""The site of all committed chapters: nothing is missing, nothing leads nowhere, nothing is fetched."""

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest

from cnnlib.publish.slides import markdown_to_html
from cnnlib.widgets import MIME
from tests.publish.conftest import CHAPTERS
from tests.publish.test_site import article

pytestmark = pytest.mark.slow


class Page(HTMLParser):
    """Every tag of a page with its attributes."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, {name: value or "" for name, value in attributes}))

    def all(self, *names: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.tags if tag in names]

    def addresses(self, *names: str) -> list[str]:
        return [tag[name] for tag in self.all(*names) for name in ("href", "src", "srcset") if name in tag]


@pytest.fixture(scope="module")
def pages(site) -> dict[str, Page]:
    return {path.name: Page(path) for path in sorted(site.glob("*.html"))}


def test_every_picture_has_the_alt_text_made_from_its_data(pages):
    for chapter in CHAPTERS:
        outputs = [output for cell in nbformat.read(chapter, 4).cells for output in cell.get("outputs", [])]
        told = [output.metadata["image/png"]["alt"] for output in outputs if "image/png" in output.get("data", {})]
        assert [image["alt"] for image in pages[f"{chapter.stem}.html"].all("img")] == told
    assert all(image["alt"].strip() for page in pages.values() for image in page.all("img"))


def test_every_link_leads_somewhere(site, pages):
    ids = {name: {tag["id"] for _, tag in page.tags if "id" in tag} for name, page in pages.items()}
    for name, page in pages.items():
        for address in map(urlsplit, page.addresses("a")):
            if address.scheme:
                continue
            target = unquote(address.path) or name
            assert (site / target).is_file(), f"{name}: {address.geturl()}"
            assert not target.endswith(".ipynb") or target.startswith("notebooks/"), f"{name}: {address.geturl()}"
            # furo's "back to top" and a bare # lead to the page's beginning
            assert address.fragment in {"", "top", *ids.get(target, ())}, f"{name}: {address.geturl()}"


def test_nothing_is_fetched_from_elsewhere(site, pages):
    for name, page in pages.items():
        for address in page.addresses("link", "script", "img", "source", "iframe", "object", "embed", "video", "audio"):
            if address == "#":  # the search page's link to the search
                continue
            assert not urlsplit(address).scheme and not address.startswith("//"), f"{name}: {address}"
            assert (site / unquote(urlsplit(address).path)).is_file(), f"{name}: {address}"
    for style in site.rglob("*.css"):
        assert not re.search(
            r"url\([\"']?(https?:|//)|@import\s+(url\()?[\"']?(https?:|//)", style.read_text("utf-8")
        ), style


def test_every_formula_of_a_chapter_is_on_its_page(site):
    for chapter in CHAPTERS:
        cells = nbformat.read(chapter, 4).cells
        texts = [cell for cell in cells if cell.cell_type == "markdown" and "notes" not in str(cell.metadata)]
        formulas = sum(markdown_to_html(cell.source).count("<math ") for cell in texts)
        assert article(site / f"{chapter.stem}.html").count("<math ") == formulas, chapter.name


def test_what_the_speaker_says_is_on_no_page(site):
    for chapter in CHAPTERS:
        cells = nbformat.read(chapter, 4).cells
        notes = [cell.source for cell in cells if cell.metadata.get("slideshow", {}).get("slide_type") == "notes"]
        page = article(site / f"{chapter.stem}.html")
        told = " ".join(html.unescape(re.sub(r"<[^>]+>", "", page)).split())
        assert notes and "<!--" not in page
        assert not [note for note in notes if " ".join(note.strip("<!-> \n").split())[:50] in told]


def test_every_widget_of_a_chapter_is_on_its_page(pages):
    for chapter in CHAPTERS:
        outputs = [output for cell in nbformat.read(chapter, 4).cells for output in cell.get("outputs", [])]
        names = [output.data[MIME]["widget"] for output in outputs if MIME in output.get("data", {})]
        places = [tag for tag in pages[f"{chapter.stem}.html"].all("div") if tag.get("class") == "live"]
        assert [place["data-widget"] for place in places] == names


def test_every_solution_is_folded(site):
    for chapter in CHAPTERS:
        tagged = [cell for cell in nbformat.read(chapter, 4).cells if "solution" in cell.metadata.get("tags", [])]
        assert article(site / f"{chapter.stem}.html").count('<details class="solution">') == len(tagged)


def test_every_page_names_its_notebook_and_hands_it_out(site, pages):
    for chapter in CHAPTERS:
        (link,) = [link for link in pages[f"{chapter.stem}.html"].all("a") if "download" in link]
        assert link["href"] == f"notebooks/{chapter.name}"
        assert (site / link["href"]).read_bytes() == chapter.read_bytes()


def test_the_start_page_lists_the_chapters_and_each_page_leads_to_the_next(site, pages):
    start = article(site / "index.html")
    listed = re.findall(r'<td><p>(\d\d)</p></td>\s*<td><p><a [^>]*href="([^"]+)"', start)
    assert listed == [(chapter.stem[:2], f"{chapter.stem}.html") for chapter in CHAPTERS]
    assert start.count("60 min") == len(CHAPTERS) - 1
    names = ["index.html", *(name for _, name in listed)]
    for name, after in zip(names, [*names[1:], None]):
        (following,) = [link["href"] for link in pages[name].all("link") if link.get("rel") == "next"] or [None]
        assert following == after


def test_the_search_knows_the_words_of_the_chapters(site):
    index = (site / "searchindex.js").read_text(encoding="utf-8")
    found = json.loads(index.removeprefix("Search.setIndex(").removesuffix(")"))
    resnet = found["docnames"].index("09_resnet")
    assert resnet in found["terms"]["shortcut"]


def test_our_scripts_are_light(site):
    assert (site / "_static" / "site.js").stat().st_size < 120_000
