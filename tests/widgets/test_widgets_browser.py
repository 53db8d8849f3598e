"""The widgets in a browser, without kernel or network: they compute what cnnlib computes, by mouse and by keyboard."""

import base64
import json

import nbformat
import numpy as np
import pytest
import torch
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from torch import nn
from torch.nn import functional as F

from cnnlib.models.lenet import lenet
from cnnlib.publish.pairs import WIDGET_VIEW
from cnnlib.publish.slides import build_deck
from cnnlib.widgets import ConvolutionLab, FieldLab, Live
from tests.widgets.test_live import asked, lesioned, scaled

pytestmark = pytest.mark.browser
TWO = nn.Sequential(nn.Conv2d(1, 2, 7), nn.MaxPool2d(2))
IMAGE = torch.rand(1, 28, 28, generator=torch.Generator().manual_seed(0))


def shown(lab: Live) -> nbformat.NotebookNode:
    """The cell of a stored notebook that showed the lab."""
    data, metadata = lab._repr_mimebundle_()
    data = {kind: value for kind, value in data.items() if kind != WIDGET_VIEW}
    if "image/png" in data:
        data["image/png"] = base64.b64encode(data["image/png"]).decode()
    kind = {"slideshow": {"slide_type": "slide"}}
    output = new_output("display_data", data, metadata=metadata)
    return new_code_cell("lab", metadata=kind, outputs=[output], execution_count=1)


@pytest.fixture(scope="module")
def deck(tmp_path_factory):
    folder = tmp_path_factory.mktemp("labs")
    title = new_markdown_cell("# Labs", metadata={"slideshow": {"slide_type": "slide"}})
    cells = [
        title,
        shown(ConvolutionLab(IMAGE[0])),
        shown(FieldLab({"LeNet": (lenet(), 28), "two layers": (TWO, 20)}, IMAGE)),
        shown(lesioned()),
        shown(scaled()),
        shown(asked()),
    ]
    nbformat.write(new_notebook(cells=cells), folder / "labs.ipynb")
    return build_deck(folder / "labs.ipynb", folder / "labs.html")


@pytest.fixture
def page(chromium, deck):
    context = chromium.new_context(offline=True, viewport={"width": 1100, "height": 720})
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda line: errors.append(line.text) if line.type in ("error", "warning") else None)
    page.goto(deck.as_uri())
    page.wait_for_function("window.Reveal?.isReady()")
    yield page
    context.close()
    assert errors == []


def at(page, slide: int):
    page.evaluate("slide => Reveal.slide(slide)", slide)
    return page.locator(".present .cnn-widget")


def pixels(canvas) -> str:
    return canvas.evaluate("canvas => canvas.toDataURL()")


def test_the_map_is_torchs(page):
    draw, image = np.random.default_rng(0), IMAGE.double()
    for _ in range(20):
        size = int(draw.choice([1, 3, 5]))
        how = {name: int(draw.integers(low, 4)) for name, low in (("stride", 1), ("padding", 0), ("dilation", 1))}
        kernel = torch.tensor(draw.normal(size=(size, size)))
        asked = json.dumps([image.flatten().tolist(), 28, kernel.flatten().tolist(), {"size": size, **how}])
        answer = page.evaluate(f"Array.from(WIDGETS.convolution.convolve(...{asked}))")
        expected = F.conv2d(image[None], kernel[None, None], **how)
        side = page.evaluate(f"WIDGETS.convolution.outputSide(28, {json.dumps({'size': size, **how})})")
        assert side == expected.shape[-1]
        torch.testing.assert_close(torch.tensor(answer, dtype=torch.float64), expected.flatten())


def test_picture_and_text_have_given_way_to_the_widget(page):
    assert at(page, 1).count() == at(page, 5).count() == 1
    assert page.locator(".live figure, .live ol").count() == 0


def test_a_print_keeps_them(chromium, deck):
    page = chromium.new_context(offline=True).new_page()
    page.goto(f"{deck.as_uri()}?print-pdf")
    page.wait_for_function("window.Reveal?.isReady()")
    assert page.locator(".cnn-widget").count() == 0
    assert [page.locator(f".live {tag}").count() for tag in ("figure", "ol")] == [4, 1]


def test_without_scripting_one_reads_them_below_each_other(chromium, deck):
    page = chromium.new_context(offline=True, java_script_enabled=False).new_page()
    page.goto(deck.as_uri())
    for still in [*page.locator(".live img").all(), page.get_by_text("54.25")]:
        still.scroll_into_view_if_needed()
        assert still.is_visible()
    tops = [still.bounding_box()["y"] for still in page.locator(".live").all()]
    assert tops == sorted(set(tops))


@pytest.mark.parametrize(("label", "value"), [("size", "5"), ("stride", "2"), ("padding", "0"), ("dilation", "3")])
def test_each_knob_changes_law_and_map(page, label, value):
    lab = at(page, 1)
    law, before = lab.locator(".cnn-law").text_content(), pixels(lab.locator(".cnn-output"))
    lab.get_by_label(label, exact=True).select_option(value)
    assert lab.locator(".cnn-law").text_content() != law
    assert pixels(lab.locator(".cnn-output")) != before


def test_a_typed_weight_counts(page):
    lab = at(page, 1)
    before = pixels(lab.locator(".cnn-output"))
    lab.get_by_label("weight in row 1, column 1").fill("-7.5")
    assert lab.get_by_label("preset").input_value() == "your own"
    assert pixels(lab.locator(".cnn-output")) != before


def weights(lab) -> list[str]:
    return lab.locator(".cnn-weights input").evaluate_all("inputs => inputs.map((input) => input.value)")


def test_a_preset_is_what_it_is_called_at_every_size(page):
    lab = at(page, 1)
    preset, size = lab.get_by_label("preset"), lab.get_by_label("size", exact=True)
    assert (preset.input_value(), weights(lab)) == ("vertical edges", ["-1", "0", "1"] * 3), "as in chapter 01"
    size.select_option("5")
    assert (preset.input_value(), weights(lab)) == ("vertical edges", ["-2", "-1", "0", "1", "2"] * 5)
    preset.select_option("blur")
    assert weights(lab) == ["0.04"] * 25
    size.select_option("1")
    assert (preset.input_value(), weights(lab)) == ("copy", ["1"]), "one weight can neither blur nor find an edge"
    assert preset.locator("option:disabled").count() == 6
    assert lab.locator(".cnn-said").text_content().rpartition(": ")[2].startswith("the one product is")
    size.select_option("3")
    assert (preset.input_value(), weights(lab)) == ("copy", ["0"] * 4 + ["1"] + ["0"] * 4)
    lab.get_by_label("weight in row 2, column 2").fill("7")
    size.select_option("5")
    assert (preset.input_value(), weights(lab)) == ("your own", ["0"] * 12 + ["7"] + ["0"] * 12)


def test_no_weight_is_shown_that_does_not_count(page):
    lab = at(page, 1)
    weight, said = lab.get_by_label("weight in row 1, column 1"), lab.locator(".cnn-said")
    before = said.text_content()
    weight.fill("")
    weight.press("Tab")
    assert (weight.input_value(), said.text_content()) == ("-1", before)
    weight.fill("1e308")
    weight.press("Tab")
    assert weight.input_value() == "99"
    assert "Infinity" not in lab.text_content()


def test_a_small_product_is_not_called_nothing(page):
    texts = page.evaluate("[0.0777, 0.004, 0.0007, 1e-17, -0.005, 2].map((x) => WIDGETS.convolution.said(x))")
    assert texts == ["0.08", "0.004", "0.0007", "0", "−0.005", "2"]


def test_the_window_begins_where_the_sum_is_greatest(page):
    lab, kernel = at(page, 1), torch.tensor([[-1.0, 0, 1]] * 3)
    sums = F.conv2d(IMAGE[None], kernel[None, None], padding=1)[0]
    greatest = 1 + int(sums.abs().argmax())
    assert lab.get_by_label("window", exact=True).input_value() == str(greatest)


@pytest.mark.parametrize(("label", "value"), [("size", "5"), ("stride", "2"), ("padding", "0"), ("dilation", "3")])
def test_the_window_stays_over_its_pixel(page, label, value):
    lab = at(page, 1)
    box = lab.locator(".cnn-output").bounding_box()
    page.mouse.click(box["x"] + 0.66 * box["width"], box["y"] + 0.3 * box["height"])
    seen = lab.locator(".cnn-said").text_content()
    assert "(row 9, column 19)" in seen  # the pixels in row 8 and column 18, counted from 0
    lab.get_by_label(label, exact=True).select_option(value)
    now = {"size": "(row 8, column 18)", "stride": "(row 5, column 10)", "padding": "(row 8, column 18)",
           "dilation": "(row 7, column 17)"}  # fmt: skip
    assert now[label] in lab.locator(".cnn-said").text_content()


def test_the_law_is_the_chapters(page):
    lab = at(page, 1)
    assert lab.locator(".cnn-law").text_content().startswith("⌊(28 − 3 + 2·1) / 1⌋ + 1 = 28: ")
    lab.get_by_label("dilation").select_option("2")
    assert lab.locator(".cnn-law").text_content().startswith("⌊(28 − (2·(3 − 1) + 1) + 2·1) / 1⌋ + 1 = 26: ")


def test_five_by_five_weights_and_products_fit_into_their_cells(page):
    lab = at(page, 1)
    page.evaluate("document.querySelector('.present .cnn-widget').style.setProperty('--middle', '230px')")
    lab.get_by_label("size", exact=True).select_option("5")
    lab.get_by_label("weight in row 1, column 1").fill("-0.111")
    cut = """lab => [...lab.querySelectorAll(".cnn-weights input, .cnn-products div")]
        .filter((cell) => cell.scrollWidth > cell.clientWidth + 1).length"""
    assert lab.evaluate(cut) == 0


def test_the_window_moves_by_keyboard_and_by_mouse(page):
    lab = at(page, 1)
    said = lab.locator(".cnn-said")
    slider = lab.get_by_label("window", exact=True)
    slider.fill("1")
    assert said.text_content().startswith("Window 1 of 784 (row 1, column 1)")
    slider.press("ArrowRight")
    assert said.text_content().startswith("Window 2 of 784 (row 1, column 2)")
    assert page.evaluate("Reveal.getIndices().h") == 1, "the arrow moved the window, not the slide"
    box = lab.locator(".cnn-output").bounding_box()
    page.mouse.click(box["x"] + box["width"] - 2, box["y"] + box["height"] - 2)
    assert said.text_content().startswith("Window 784 of 784 (row 28, column 28)")


def test_play_ends_with_the_last_window(page):
    lab = at(page, 1)
    lab.get_by_role("button", name="Play").click()
    lab.get_by_text("Window 784 of 784").wait_for(timeout=20_000)
    lab.get_by_role("button", name="Play").wait_for(timeout=20_000)


def test_who_wants_no_motion_gets_none(chromium, deck):
    page = chromium.new_context(offline=True, reduced_motion="reduce").new_page()
    page.goto(deck.as_uri())
    lab = at(page, 1)
    lab.get_by_role("button", name="Play").click()
    assert lab.get_by_label("window", exact=True).input_value() == "784"
    lab.get_by_role("button", name="Play").click()
    assert lab.get_by_label("window", exact=True).input_value() == "1", "a second press begins anew"


def test_a_layer_shows_its_step_of_the_formula(page):
    lab = at(page, 2)
    frame = pixels(lab.locator("canvas"))
    lab.get_by_label("3: Conv2d · sees 14").check()
    said = lab.locator(".cnn-said").text_content()
    assert "field 6 + (5 − 1)·2 = 14, step 2·1 = 2" in said
    assert pixels(lab.locator("canvas")) != frame


def test_the_frame_moves_by_keyboard_and_by_mouse(page):
    lab = at(page, 2)
    down = lab.get_by_label("unit down")
    before = lab.locator("canvas").get_attribute("aria-label")
    down.press("ArrowRight")
    moved = lab.locator("canvas").get_attribute("aria-label")
    assert moved != before
    lab.locator("canvas").click(position={"x": 5, "y": 5})
    assert lab.locator("canvas").get_attribute("aria-label") not in (before, moved)
    assert down.input_value() == "1"


def test_another_network_has_layers_and_a_picture_of_its_own(page):
    lab = at(page, 2)
    before = pixels(lab.locator("canvas"))
    lab.get_by_label("network").select_option("two layers")
    assert [text.split(" · ")[1] for text in lab.locator(".cnn-layers label").all_text_contents()] == [
        "sees 7",
        "sees 8",
    ]
    assert lab.get_by_label("sees 7").is_checked() and pixels(lab.locator("canvas")) != before
    lab.get_by_label("sees 8").check()
    assert "field 7 + (2 − 1)·1 = 8, step 1·2 = 2" in lab.locator(".cnn-said").text_content()
    assert lab.locator("canvas").get_attribute("aria-label").startswith("The picture, 20 × 20 pixels")


def test_what_is_not_drawn_of_a_field_is_said(page):
    page.evaluate("""state => {
        const root = document.body.appendChild(document.createElement("div"));
        WIDGETS.fields.render({ el: root, model: { get: () => state } });
    }""", {"shown": 1, "pixels": [9], "networks": [{"name": "", "side": 8, "layers": [
        {"name": "narrow", "units": 8, "window": [], "size": 3, "step": 1, "start": -1},
        {"name": "wide", "units": 8, "window": [], "size": 41, "step": 1, "start": -20},
    ]}]})  # fmt: skip
    lab = page.locator("body > div .cnn-fields").last
    orange = """canvas => {
        const { data } = canvas.getContext("2d").getImageData(0, 0, 640, 640);
        let found = 0;
        for (let k = 0; k < data.length; k += 4) found += data[k] === 213 && data[k + 1] === 94;
        return found;
    }"""
    said = lab.locator(".cnn-said")
    assert "reaches beyond" not in said.text_content()
    lab.get_by_label("wide").dispatch_event("click")
    assert "reaches beyond what is drawn" in said.text_content()
    assert lab.locator("canvas").evaluate(orange) > 1000


def test_a_list_of_layers_that_is_cut_off_says_so(page):
    lab = at(page, 2)
    layers, more = lab.locator(".cnn-layers"), lab.locator(".cnn-more")
    assert more.is_hidden(), "all are seen"
    layers.evaluate("list => { list.style.maxHeight = '60px'; }")
    more.get_by_text("more layers").wait_for()
    layers.evaluate("list => { list.scrollTop = 1000; }")
    more.get_by_text("more layers").wait_for(state="detached")


def test_a_block_ticked_off_moves_the_bar(page):
    lab = at(page, 3)
    row = lab.locator(".cnn-row").text_content().replace("\u00a0", " ")
    assert "95.0 % (recorded, mean of 2 runs: 90.0 % to 100.0 %)" in row
    lab.get_by_label("block 10").press("Space")
    assert lab.locator(".cnn-said").text_content() == "Without block 10: net: 85.0\u00a0%."
    assert lab.locator(".cnn-bar").evaluate("bar => bar.style.width") == "85%"
    lab.get_by_label("block 3").uncheck()
    assert lab.locator(".cnn-said").text_content() == (
        "Without blocks 3 and 10: net: not recorded. Recorded: single blocks; blocks 0, 1 and 2. "
        "Others are measured where a kernel runs."
    )
    assert lab.locator(".cnn-bar").evaluate("bar => bar.getBoundingClientRect().width") == 0
    assert lab.locator(".cnn-track.cnn-unknown").count() == 1, "nothing known must not look like 0 %"
    lab.get_by_role("button", name="All blocks back").click()
    assert lab.locator(".cnn-unknown").count() == 0
    assert lab.locator(".cnn-said").text_content() == "All blocks: net: 95.0\u00a0%."


def test_three_blocks_that_were_recorded_together_are_known(page):
    lab = at(page, 3)
    for block in range(3):
        lab.get_by_label(f"block {block}", exact=True).uncheck()
    assert lab.locator(".cnn-said").text_content() == "Without blocks 0, 1 and 2: net: 25.0\u00a0%."


ALONE = """options => {
    const root = document.body.appendChild(document.createElement("div"));
    WIDGETS.lesions.render({ el: root, model: { get: (name) => options[name], set() {}, save_changes() {}, on() {} } });
}"""


def test_a_kernel_that_does_not_answer_is_named(page):
    page.clock.install()
    page.evaluate(ALONE, {"state": lesioned().state, "alive": True, "answer": {}})
    lab = page.locator("body > div .cnn-lesions").last
    for block in (3, 4):
        lab.get_by_label(f"block {block}", exact=True).dispatch_event("click")
    said = lab.locator(".cnn-said")
    assert said.text_content() == "Without blocks 3 and 4: net: measuring …."
    page.clock.fast_forward(9_000)
    assert said.text_content().endswith("The kernel does not answer: run the cell again.")


def test_a_step_deeper_shows_its_price_and_the_record(page):
    lab = at(page, 4)
    before = pixels(lab.locator("canvas"))
    assert "This one is not recorded here." in lab.locator(".cnn-said").text_content()
    lab.get_by_label("blocks").press("ArrowRight")
    assert lab.locator(".cnn-said").text_content() == (
        "336 parameters, 20,736 multiply-adds, 1.80 times the small net's work. Recorded, deep: 95.0\u00a0%, mean "
        "of 2 runs."
    )
    assert lab.get_by_label("blocks").get_attribute("aria-valuetext") == "2.00 times"
    assert pixels(lab.locator("canvas")) != before


def test_nothing_is_told_before_an_answer(page):
    question = at(page, 5)
    assert question.locator("legend").text_content() == "How wide is the map?"
    assert question.locator("label").all_text_contents() == ["a)55", "b)54.25", "c)<54> & no more"]
    assert question.locator(":checked").count() == 0
    assert question.locator(".cnn-said").text_content() == ""


def test_an_answer_is_met_with_its_own_feedback_and_moves_nothing(page):
    question = at(page, 5)
    places = "widget => [...widget.querySelectorAll('legend, label')].map(node => node.getBoundingClientRect().top)"
    before = question.evaluate(places)
    question.get_by_text("54.25").click()
    said = question.get_by_role("status")
    assert said.text_content() == "What would a quarter of a place be?"
    assert said.get_attribute("aria-live") == "polite"
    question.get_by_text("55").click()
    assert said.text_content() == "Where would the last window end?"
    assert question.evaluate(places) == before


def test_a_question_is_answered_by_keyboard_and_the_slide_stays(page):
    question = at(page, 5)
    said, group = question.get_by_role("status"), question.get_by_role("group", name="How wide is the map?")
    last = group.get_by_role("radio", name="c) <54> & no more")
    page.keyboard.press("Tab")
    for key in ("ArrowDown", "ArrowRight"):  # past an answer that is not meant
        page.keyboard.press(key)
        assert said.text_content() == "Enter: this is my answer."
    assert last.is_checked() and last.evaluate("radio => radio === document.activeElement")
    page.keyboard.press("Enter")
    assert said.text_content() == "Then say what becomes of the pixels that are left over."
    page.keyboard.press("ArrowDown")
    assert group.get_by_role("radio", name="a) 55").is_checked()
    assert said.text_content() == "Enter: this is my answer."
    page.keyboard.press("Space")
    assert said.text_content() == "Where would the last window end?"
    page.keyboard.press("ArrowLeft")
    assert last.is_checked() and said.text_content() == "Enter: this is my answer."
    assert page.evaluate("Reveal.getIndices().h") == 5
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("Reveal.getIndices().h") == 4


LUMINANCE = """colour => {
    const [red, green, blue] = colour.match(/[\\d.]+/g).slice(0, 3).map(Number).map((c) => c / 255)
        .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}"""


RING = """() => {
    const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(document.activeElement);
    return document.activeElement.closest(".cnn-widget") && [outlineStyle, outlineWidth, outlineColor];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("slide", "stops"), [(1, 17), (2, 4), (3, 16), (4, 3), (5, 1)])
def test_tab_reaches_every_control_and_the_focus_is_seen(chromium, deck, scheme, slide, stops):
    page = chromium.new_context(offline=True, color_scheme=scheme).new_page()
    page.goto(deck.as_uri())
    paper = page.evaluate(f"({LUMINANCE})(getComputedStyle(document.body).backgroundColor)")
    at(page, slide).locator("input, select, button").first.focus()
    rings = []
    while (ring := page.evaluate(RING)) and len(rings) <= stops:
        rings.append(ring)
        page.keyboard.press("Tab")
    assert len(rings) == stops, "one for each control; radio buttons are one, and the arrows go on"
    for style, width, colour in rings:
        light, dim = sorted((page.evaluate(LUMINANCE, colour), paper), reverse=True)
        assert (style, width) == ("solid", "3px")
        assert (light + 0.05) / (dim + 0.05) >= 3


@pytest.mark.parametrize("slide", [1, 2, 3, 4, 5])
def test_every_control_has_a_name(page, slide):
    unnamed = """lab => [...lab.querySelectorAll("input, select, button, canvas")].filter(node =>
        !(node.getAttribute("aria-label") || node.labels?.length || node.textContent.trim())).length"""
    assert at(page, slide).evaluate(unnamed) == 0


def test_forced_colours_leave_the_bars_and_mark_only_the_chosen_answer(chromium, deck):
    page = chromium.new_context(offline=True, forced_colors="active").new_page()
    page.goto(deck.as_uri())
    paper = "getComputedStyle(document.body).backgroundColor"
    assert at(page, 3).locator(".cnn-bar").evaluate(f"bar => getComputedStyle(bar).backgroundColor != {paper}")
    question = at(page, 5)
    question.get_by_text("54.25").click()
    seen = f"labels => labels.map((label) => getComputedStyle(label).borderTopColor != {paper})"
    assert question.locator("label").evaluate_all(seen) == [False, True, False]
    at(page, 2).get_by_label("3: Conv2d · sees 14").check()
    marked = "labels => labels.filter((label) => getComputedStyle(label).outlineStyle == 'solid').length"
    assert page.locator(".present .cnn-layers label").evaluate_all(marked) == 1
