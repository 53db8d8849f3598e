"""JupyterLab in a browser: a chapter runs by the menu, and each widget follows the mouse and the keyboard."""

from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

from tests.axe import violations
from tests.browser.jupyterlab import LABS, Visit, cleared, notebook, run_all, server, visit, watch

pytestmark = pytest.mark.browser
CHAPTER = Path(__file__).parents[2] / "chapters" / "02_pooling.ipynb"


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("jupyterlab")


@pytest.fixture(scope="session")
def lab(chromium, folder):
    with server(folder) as address:
        yield address


@pytest.fixture(scope="module")
def chapter(chromium, lab, folder):
    contents = cleared(nbformat.read(CHAPTER, as_version=4))
    with visit(chromium, lab, folder / "notebooks" / CHAPTER.name, contents) as seen:
        run_all(seen.page)
        yield seen


@pytest.fixture(scope="module")
def labs(chromium, lab, folder):
    with visit(chromium, lab, folder / "notebooks" / "labs.ipynb", notebook(list(LABS.values()))) as seen:
        run_all(seen.page)
        yield seen


def shown(seen: Visit, kind: str):
    """The first widget of this kind, scrolled to."""
    widget = seen.page.locator(f".cnn-{kind}").first
    widget.scroll_into_view_if_needed()
    return widget


def pixels(widget) -> list[str]:
    return widget.locator("canvas").evaluate_all("canvases => canvases.map((canvas) => canvas.toDataURL())")


def press_on(seen: Visit, element, across: float, down: float = 0.5) -> None:
    """Press the mouse on the element, at this share of its width and height."""
    box = element.bounding_box()
    seen.page.mouse.click(box["x"] + across * box["width"], box["y"] + down * box["height"])


def test_a_chapter_runs_by_run_all(chapter):
    cells = [cell for cell in nbformat.read(CHAPTER, as_version=4).cells if cell.cell_type == "code"]
    numbers = chapter.page.locator(".jp-CodeCell .jp-InputPrompt").all_text_contents()
    folded = [bool(cell.metadata.get("jupyter", {}).get("source_hidden")) for cell in cells]
    assert numbers == ["" if hidden else f"[{number}]:" for number, hidden in enumerate(folded, 1)]
    assert chapter.page.locator("[data-mime-type='application/vnd.jupyter.error'], .jp-Dialog").count() == 0
    assert chapter.page.locator(".jp-OutputArea img").count() > 5
    assert chapter.faults == []


def test_a_prediction_is_answered(chapter):
    question = shown(chapter, "predict")
    said = question.locator(".cnn-said")
    assert said.text_content() == ""
    question.get_by_role("radio").nth(0).click()
    assert said.text_content().endswith("Does the size of the image stand in them?")
    chapter.page.keyboard.press("ArrowDown")
    assert said.text_content() == "Enter: this is my answer."
    chapter.page.keyboard.press("Enter")
    assert said.text_content().endswith("Is each place a new kernel?")
    chapter.page.keyboard.press("ArrowUp")
    chapter.page.keyboard.press("Space")
    assert said.text_content().endswith("Does the size of the image stand in them?")
    assert chapter.faults == []


def test_the_code_of_a_prediction_is_folded(chapter):
    cell = chapter.page.locator(".jp-CodeCell").filter(has=chapter.page.locator(".cnn-predict")).first
    assert cell.locator(".jp-InputPlaceholder").count() == 1
    assert cell.locator(".jp-InputArea-editor").count() == 0


def test_the_kernel_knows_committed_answers_only(labs):
    radios = shown(labs, "predict").get_by_role("radio")
    told = labs.page.locator(".jp-OutputArea pre", has_text="kernel: ")
    radios.first.focus()
    labs.page.keyboard.press("ArrowDown")
    assert radios.nth(1).is_checked() and told.count() == 0
    labs.page.keyboard.press("Enter")
    told.first.wait_for()
    assert told.all_text_contents() == ["kernel: 26\n"]
    assert labs.faults == []


def test_the_field_lab_of_a_chapter_moves(chapter):
    lab = shown(chapter, "fields")
    seen = [pixels(lab)]
    lab.get_by_role("radio").nth(9).click()
    seen.append(pixels(lab))
    chapter.page.keyboard.press("ArrowDown")
    seen.append(pixels(lab))
    lab.get_by_label("unit down").press("ArrowRight")
    seen.append(pixels(lab))
    press_on(chapter, lab.locator("canvas"), 0.1, 0.1)
    seen.append(pixels(lab))
    assert all(before != after for before, after in pairwise(seen))
    assert chapter.faults == []


def test_the_convolution_lab_moves(labs):
    lab = shown(labs, "convolution")
    seen, slider = [pixels(lab)], lab.get_by_label("window", exact=True)
    begun = int(slider.input_value())
    slider.press("ArrowRight")
    seen.append(pixels(lab))
    assert lab.locator(".cnn-said").text_content().startswith(f"Window {begun + 1} of 784")
    press_on(labs, lab.locator(".cnn-output"), 0.99, 0.99)
    seen.append(pixels(lab))
    assert lab.locator(".cnn-said").text_content().startswith("Window 784 of 784")
    lab.get_by_label("weight in row 1, column 1").press("ArrowUp")
    seen.append(pixels(lab))
    assert all(before != after for before, after in pairwise(seen))
    assert labs.faults == []


def test_the_lesion_lab_moves_and_asks_the_kernel(labs):
    lab = shown(labs, "lesions")
    bars = "bars => bars.map((bar) => bar.getBoundingClientRect().width)"
    seen = [lab.locator(".cnn-bar").evaluate_all(bars)]
    lab.get_by_label("block 3", exact=True).click()
    seen.append(lab.locator(".cnn-bar").evaluate_all(bars))
    assert "recorded" in lab.locator(".cnn-row").first.text_content()
    lab.get_by_label("block 4", exact=True).press("Space")
    lab.get_by_text("24.6 % (your net, measured just now)").first.wait_for()  # the kernel says 0.123 for each block
    seen.append(lab.locator(".cnn-bar").evaluate_all(bars))
    assert all(before != after for before, after in pairwise(seen))
    assert labs.faults == []


def test_the_scaling_lab_moves(labs):
    lab = shown(labs, "scaling")
    seen = [pixels(lab)]
    lab.get_by_label("blocks").press("ArrowRight")
    seen.append(pixels(lab))
    assert "This one is not recorded here." in lab.locator(".cnn-said").text_content()
    press_on(labs, lab.get_by_label("maps"), 0.95)
    seen.append(pixels(lab))
    assert lab.get_by_label("maps").get_attribute("aria-valuetext") == "2.00 times"
    assert all(before != after for before, after in pairwise(seen))
    assert labs.faults == []


def test_axe_finds_no_barrier_in_any_widget(labs):
    assert labs.page.locator(".cnn-widget").count() == len(LABS)
    assert violations(labs.page, ".cnn-widget") == []


def test_a_widget_lies_above_the_strip_that_folds_its_output(labs):
    lab = shown(labs, "lesions")
    labs.page.add_style_tag(content=".jp-InputPrompt, .jp-OutputPrompt { display: none; }")  # as lecture modes do
    touched = """lab => {
      const { left, top } = lab.getBoundingClientRect();
      return document.elementFromPoint(left + 6, top + 30).closest(".cnn-widget") === lab;
    }"""
    assert lab.evaluate(touched)
    lab.evaluate("lab => { lab.style.position = 'static'; }")
    assert not lab.evaluate(touched), "there is no strip any more: the style is not needed"


def test_a_foreign_address_and_an_error_are_seen(chromium):
    context = chromium.new_context()
    page, faults = context.new_page(), []
    watch(page, faults)
    page.set_content("<img src='http://192.0.2.1/a.png' alt='a'><script>console.error('lost'); gone()</script>")
    context.close()
    assert {"asked for http://192.0.2.1/a.png", "console: lost", "page error: gone is not defined"} <= {*faults}
