"""The site in a browser, from disk and without a network: nothing fails, it is found, touched and used by keyboard."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.axe import violations

pytestmark = pytest.mark.browser
WIDTH, PHONE = 1300, 400

# Thousands of coloured words take axe-core minutes. Their colours stand in the style sheet: one of each kind will do.
THIN = """() => {
  const seen = new Set();
  for (const word of document.querySelectorAll(".highlight span[class]"))
    if (seen.has(word.className)) word.replaceWith(...word.childNodes); else seen.add(word.className);
}"""


@contextmanager
def opened(chromium, address: str, width: int = WIDTH, offline: bool = True, **options) -> Iterator:
    """The page at `address`; at the end nothing has failed in it."""
    size = {"width": width, "height": 900}
    context, faults = chromium.new_context(offline=offline, viewport=size, **options), []
    page = context.new_page()
    page.on("pageerror", lambda error: faults.append(f"page error: {error}"))
    page.on("requestfailed", lambda request: faults.append(f"request: {request.url[:80]}"))
    page.on("console", lambda line: faults.append(line.text) if line.type in ("error", "warning") else None)
    page.goto(address)
    yield page
    context.close()
    assert faults == []


def address(site: Path, name: str) -> str:
    return (site / f"{name}.html").as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_opens_without_a_fault_and_keeps_nobody_out(chromium, site, scheme):
    for path in sorted(site.glob("*.html")):
        with opened(chromium, path.as_uri(), color_scheme=scheme) as page:
            milliseconds = page.evaluate("performance.timing.loadEventEnd - performance.timing.navigationStart")
            print(f"{path.name} opens in {milliseconds:.0f} ms ({scheme})")
            assert page.evaluate("document.body.dataset.theme") == "auto"
            page.evaluate(THIN)
            assert violations(page) == [], path.name


def test_nothing_is_wider_than_a_phone(chromium, site):
    wide = (
        "[...document.querySelectorAll('html, .content')].filter(box => box.scrollWidth > box.clientWidth + 1).length"
    )
    for path in sorted(site.glob("*.html")):
        with opened(chromium, path.as_uri(), width=PHONE) as page:
            assert page.evaluate(wide) == 0, path.name


def hits(page, word: str) -> list[str]:
    """What the search in the side bar finds, typed by keyboard."""
    page.get_by_role("textbox", name="Search").first.focus()
    page.keyboard.type(word)
    page.keyboard.press("Enter")
    page.wait_for_function("/finished|did not match/.test(document.querySelector('#search-results')?.textContent)")
    return page.locator("#search-results li a").all_text_contents()


def test_the_search_finds_the_chapter_and_leads_there(chromium, site):
    with opened(chromium, address(site, "index")) as page:
        assert "ResNet" in hits(page, "bottleneck")
        page.locator("#search-results li a").first.press("Enter")
        page.wait_for_url(lambda url: "search.html" not in url)
        page.locator("article .highlighted", has_text="bottleneck").first.wait_for()
        page.wait_for_function("scrollY > 0")
        seen = "word => word.getBoundingClientRect().top > 0 && word.getBoundingClientRect().bottom < innerHeight"
        assert any(page.locator("article .highlighted").evaluate_all(f"words => words.map({seen})"))


@pytest.mark.parametrize("word", ["1×1", "1x1", "3×3"])
def test_a_size_is_a_word_of_the_search(chromium, site, word):
    with opened(chromium, address(site, "index")) as page:
        found = hits(page, word)
        assert {"Convolution", "Network in Network", "ResNet"} <= set(found)
        assert len(found) < len(list(site.glob("[0-9]*.html"))), "not every page"


def test_of_pages_as_good_as_each_other_the_search_lists_the_earlier_chapter_first(chromium, site):
    with opened(chromium, address(site, "index")) as page:
        hits(page, "stride")
        found = page.locator("#search-results li a").evaluate_all(
            "links => links.map(link => [-Math.ceil(link.dataset.score), link.getAttribute('href')])"
        )
    chapters = [(score, link) for score, link in found if link[:2].isdigit()]
    assert found[0][1].startswith("01_convolution.html")
    assert chapters == sorted(chapters)


def test_a_word_that_stands_nowhere_is_not_found(chromium, site):
    with opened(chromium, address(site, "index")) as page:
        assert hits(page, "xylophone") == []


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def test_it_works_below_any_address_of_a_static_host(chromium, site):
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site.parent)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        root = f"http://127.0.0.1:{server.server_port}/{site.name}"
        with opened(chromium, f"{root}/index.html", offline=False) as page:
            page.on("request", lambda request: elsewhere.append(request.url) if root not in request.url else None)
            elsewhere: list[str] = []
            assert "ResNet" in hits(page, "bottleneck")
            page.goto(f"{root}/01_convolution.html")
            assert page.locator(".cnn-widget").first.is_visible()
            assert elsewhere == []
        server.shutdown()


def test_a_lab_answers_to_mouse_and_keyboard(chromium, site):
    with opened(chromium, address(site, "01_convolution")) as page:
        lab = page.locator(".cnn-convolution")
        said, output = lab.locator(".cnn-said"), lab.locator(".cnn-output")
        assert lab.locator("xpath=../../..").locator(".still img:visible").count() == 0, (
            "the picture has given way to the lab"
        )
        lab.get_by_label("window", exact=True).fill("1")
        lab.get_by_label("window", exact=True).press("ArrowRight")
        assert said.text_content().startswith("Window 2 of 784")
        before = output.evaluate("canvas => canvas.toDataURL()")
        output.scroll_into_view_if_needed()
        box = output.bounding_box()
        page.mouse.click(box["x"] + box["width"] - 2, box["y"] + box["height"] - 2)
        assert said.text_content().startswith("Window 784 of 784")
        assert output.evaluate("canvas => canvas.toDataURL()") != before


def test_without_scripts_a_lab_is_its_picture(chromium, site):
    with opened(chromium, address(site, "01_convolution"), java_script_enabled=False) as page:
        picture = page.locator(".live img").first
        picture.scroll_into_view_if_needed()
        assert picture.is_visible() and picture.get_attribute("alt").startswith("A kernel walks over a picture")
        assert page.locator(".cnn-widget").count() == 0


def test_a_print_shows_pictures_for_labs_and_all_of_the_code(chromium, site):
    for name in ("01_convolution", "02_pooling", "09_resnet"):
        with opened(chromium, address(site, name), width=700) as page:
            labs = page.locator(".cnn-widget").count()
            assert labs == page.locator(".cnn-widget:visible").count() and not page.locator(".still:visible").count()
            page.emulate_media(media="print")
            assert page.locator(".still:visible").count() == labs > 0
            assert not page.locator(".cnn-widget:visible, .skip-to-content:visible").count()
            widths = "all => all.map(box => box.scrollWidth - box.clientWidth)"
            assert max(page.locator(".highlight pre:visible, .output > pre").evaluate_all(widths)) == 0
            pages = page.locator(".still").evaluate_all("all => all.map(box => getComputedStyle(box).breakInside)")
            assert set(pages) == {"avoid"}


def test_in_the_dark_a_picture_lies_on_white(chromium, site):
    with opened(chromium, address(site, "01_convolution"), color_scheme="dark") as page:
        ground = page.locator("article figure img:visible").first.evaluate(
            "img => getComputedStyle(img).backgroundColor"
        )
        assert ground == "rgb(255, 255, 255)"


def test_a_solution_opens_by_keyboard(chromium, site):
    with opened(chromium, address(site, "01_convolution")) as page:
        solution = page.locator("details.solution").first
        assert not solution.locator("pre").first.is_visible()
        solution.locator("summary").press("Enter")
        assert solution.locator("pre").first.is_visible()


def test_the_chapters_are_reached_by_keyboard_on_a_phone(chromium, site):
    with opened(chromium, address(site, "index"), width=PHONE, reduced_motion="reduce") as page:
        link = page.locator(".sidebar-tree a").first
        assert not link.is_visible()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == "__navigation"
        page.keyboard.press("Space")
        assert link.is_visible()
        link.press("Enter")
        page.wait_for_url("**/00_start.html")


def test_wide_code_scrolls_by_keyboard_and_narrow_code_is_no_stop(chromium, site):
    with opened(chromium, address(site, "09_resnet"), width=PHONE) as page:
        boxes = page.locator(".highlight pre:visible")
        kinds = boxes.evaluate_all("all => all.map(box => [box.scrollWidth > box.clientWidth, box.tabIndex === 0])")
        assert {(True, True), (False, False)} == set(map(tuple, kinds))
        wide = boxes.nth(kinds.index([True, True]))
        wide.press("ArrowRight")
        page.wait_for_function("document.activeElement.scrollLeft > 0")


def test_light_and_dark_change_by_keyboard(chromium, site):
    with opened(chromium, address(site, "index"), color_scheme="light") as page:
        paper = "getComputedStyle(document.body).backgroundColor"
        before = page.evaluate(paper)
        page.locator("button.theme-toggle:visible").first.press("Enter")
        assert page.evaluate(paper) != before
