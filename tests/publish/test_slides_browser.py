"""The decks in a browser without a network: every slide fits, nothing is fetched, nothing goes wrong."""

import base64
import io
import re
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import numpy as np
import pytest
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from cnnlib.publish.slides import build_deck, deck_problems
from tests.axe import violations

CHAPTERS = sorted((Path(__file__).parents[2] / "chapters").glob("[0-9][0-9]_*.ipynb"))
WIDTH, HEIGHT = 1100, 720

pytestmark = pytest.mark.browser


def png(draw, size=(10, 5.2)) -> str:
    """The picture that `draw` makes on an Axes, as notebooks store it."""
    figure = Figure(size, dpi=140, layout="constrained")
    draw(figure.subplots())
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return base64.b64encode(buffer.getvalue()).decode()


def curves(axes) -> None:
    epochs = np.arange(1, 21)
    for name, floor, pace, marker in (("plain-56", 0.13, 0.22, "s"), ("ResNet-56", 0.08, 0.32, "o")):
        errors = floor + 0.6 * np.exp(-pace * epochs)
        axes.plot(epochs, errors, marker=marker, label=name)
        axes.fill_between(epochs, 0.9 * errors, 1.1 * errors, alpha=0.2)
    axes.set(xlabel="epoch", ylabel="test error", ylim=(0, 0.6))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)


def digit(axes) -> None:
    axes.imshow(np.add.outer(np.arange(28), np.arange(28)) % 9, cmap="gray_r")
    axes.axis("off")


def picture(data: str, title: str, alt: str) -> nbformat.NotebookNode:
    bundle = {"image/png": data, "text/plain": title}
    return new_output("display_data", bundle, metadata={"image/png": {"alt": alt}})


def text(source: str, kind: str = "slide") -> nbformat.NotebookNode:
    return new_markdown_cell(source, metadata={"slideshow": {"slide_type": kind}})


def code(*outputs, source: str = "show()", kind: str = "slide", tags: tuple[str, ...] = ()) -> nbformat.NotebookNode:
    metadata = {"slideshow": {"slide_type": kind}, "tags": list(tags)}
    return new_code_cell(source, metadata=metadata, outputs=list(outputs), execution_count=1)


def printed(text: str) -> nbformat.NotebookNode:
    return new_output("stream", name="stdout", text=text)


FORMULA = r"""
## The size of the map after a convolution

$$W' = \left\lfloor\frac{W - F + 2P}{S}\right\rfloor + 1$$

A filter of $F = 3$ with padding $P = 1$ keeps $W' = W$ at stride $S = 1$; in code `"$W"` is a string.
"""
TABLE = """
## Twenty layers, or fifty-six

| network | layers | parameters | MACs | error | train error | seconds |
|---|--:|--:|--:|--:|--:|--:|
| plain-20 | 20 | 269,722 | 40.8 M | 9.1 % | 2.0 % | 31 |
| plain-56 | 56 | 853,018 | 126 M | 13.1 % | 9.6 % | 88 |
| ResNet-20 | 20 | 269,722 | 40.8 M | 8.5 % | 1.2 % | 32 |
| ResNet-56 | 56 | 853,018 | 126 M | 7.9 % | 0.3 % | 90 |
"""
CODE = '''\
class Residual(nn.Module):
    """Add what the branch computed to its input."""

    def __init__(self, branch: Module, shortcut: Module):
        super().__init__()
        self.branch = branch
        self.shortcut = shortcut  # identity, or a 1x1 conv

    def forward(self, x: Tensor) -> Tensor:
        return relu(self.branch(x) + self.shortcut(x))

net = Residual(block(in_channels=16, width=16), nn.Identity())'''
CLAIMS = """\
✓ Plain-56 is worse than plain-20 on the images it was trained on.
✓ ResNet-56 is at least as good as ResNet-20.
✗ The shortcuts add parameters.
"""
STATEMENT = "“Deep plain networks fail because their gradients vanish.”"
VERDICTS = f"""\
does not hold: {STATEMENT}
    With batch norm the gradient reaches the first layer as strongly as the last.
it depends: “A deeper network is a better network.”
    ResNet-56 beats ResNet-20; plain-56 loses to plain-20.
"""
SUMMARY = """\
layer          output shape        parameters
conv1          16×32×32                   432
linear         10                         650
"""
TAKE_AWAYS = """
## What to take home

1. A layer that can do nothing is easier to add.
2. `F(x) + x` costs no parameters.
3. [He et al., 2015](https://arxiv.org/abs/1512.03385), Table 6.
"""
PICTURE = picture(
    png(curves), "Error falls to 8 %, or stops at 13 %", 'ResNet-56 ends at 8 % error, "plain-56" at 13 %.'
)
DIGITS = [picture(png(digit, (4, 4)), "Digits", f"Stripes, drawing {n} of 3.") for n in (1, 2, 3)]
FRAME = "<table><thead><tr><th></th><th>a</th></tr></thead><tbody><tr><th>0</th><td>1.5</td></tr></tbody></table>"


def demo() -> nbformat.NotebookNode:
    """A notebook with every kind of slide, each with notes."""
    widget = '<div class="cnn-widget"><label>stride <input type="range" min="1" max="4" value="1"></label></div>'
    slides = [
        [text("# ResNet: layers that may do nothing\n\nHow 56 layers learn what 20 could not")],
        [
            text("## Which of the two is worse on its own training images?"),
            text("- the plain network with 20 layers\n- the plain network with **56** layers\n- neither", "fragment"),
        ],
        [text(FORMULA)],
        [code(PICTURE)],
        [text("## What a shortcut changes\n\nThe same depth, the same parameters."), code(PICTURE, kind="fragment")],
        [code(*DIGITS)],
        [code(source=CODE, tags=("show-code",))],
        [code(PICTURE, source='show(plots.bands(runs, by="depth"))', tags=("show-code",))],
        [code(printed(CLAIMS))],
        [text(f"## Does it hold up?\n\n> {STATEMENT}\n\nCount the hands before you turn the page.")],
        [new_markdown_cell("### Does it hold up?"), code(printed(VERDICTS))],
        [text(TABLE)],
        [code(printed(SUMMARY))],
        [text("## Turn the slider"), code(new_output("display_data", {"text/html": widget}), kind="fragment")],
        [text("## As many words as a slide may have\n\n" + "measured " * 32)],
        [
            text("## A frame of results"),
            code(new_output("execute_result", {"text/html": FRAME, "text/plain": "a"}), kind="fragment"),
        ],
        [text(TAKE_AWAYS)],
    ]
    notes = "**3 min.** Ask: *why?* The usual wrong answer: overfitting."
    return new_notebook(cells=[cell for slide in slides for cell in (*slide, text(notes, "notes"))])


@dataclass
class Walk:
    """What was seen on the way through a deck with the space bar."""

    slides: int = 0
    milliseconds: float = 0
    faults: list[str] = field(default_factory=list)


FAULTS = """() => {
  const slide = Reveal.getCurrentSlide(), box = slide.getBoundingClientRect(), style = getComputedStyle(slide);
  const right = box.right - parseFloat(style.paddingRight) + 1;
  const bottom = box.bottom - parseFloat(style.paddingBottom) + 1;
  const faults = [], texts = document.createRange();
  texts.selectNodeContents(slide);
  for (const rect of texts.getClientRects())
    if (rect.right > right || rect.bottom > bottom || rect.left < box.left || rect.top < box.top)
      return [`reaches ${Math.round(rect.right)} × ${Math.round(rect.bottom)}, beyond ${right} × ${bottom}`];
  for (const image of slide.querySelectorAll("img:not(.still img)"))
    if (image.getBoundingClientRect().height < 200) faults.push("a picture is less than 200 pixels high");
  for (const notes of slide.querySelectorAll("aside.notes"))
    if (notes.getClientRects().length) faults.push("notes are visible");
  if (!slide.querySelector("h1, h2")) faults.push("has no heading");
  return faults;
}"""


@pytest.fixture(scope="module")
def demo_deck(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    nbformat.write(demo(), folder / "demo.ipynb")
    assert deck_problems(folder / "demo.ipynb") == []
    return build_deck(folder / "demo.ipynb", folder / "demo.html")


def barriers(chromium, deck: Path) -> list[str]:
    """What axe finds on each slide with all its steps, then around the slides; in light, then in dark."""
    page, found = opened(chromium, deck), []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for number in range(page.evaluate("Reveal.getTotalSlides()")):
            page.evaluate("number => Reveal.slide(number, 0, 99)", number)
            found += [f"{scheme}, slide {number + 1}: {line}" for line in violations(page, "section.present")]
        found += [f"{scheme}: {line}" for line in violations(page)]
    page.context.close()
    return found


def opened(chromium, deck: Path, **options):
    page = chromium.new_context(offline=True, viewport={"width": WIDTH, "height": HEIGHT}, **options).new_page()
    page.goto(deck.as_uri())
    page.wait_for_function("window.Reveal?.isReady()")
    return page


def walk(chromium, deck: Path, scheme: str = "light") -> Walk:
    """Go through the deck by the space bar, with the network off, and note what is wrong with each slide."""
    context = chromium.new_context(offline=True, viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme)
    page, seen = context.new_page(), Walk()
    page.on("pageerror", lambda error: seen.faults.append(f"page error: {error}"))
    page.on("requestfailed", lambda request: seen.faults.append(f"request: {request.url[:80]}"))
    page.on("console", lambda line: seen.faults.append(line.text) if line.type in ("error", "warning") else None)
    page.goto(deck.as_uri())
    page.wait_for_function("window.Reveal?.isReady()")
    seen.milliseconds = page.evaluate("performance.now()")
    while True:
        seen.slides += 1
        while page.evaluate("Reveal.availableFragments().next"):
            page.keyboard.press("Space")
        seen.faults += [f"slide {seen.slides} {fault}" for fault in page.evaluate(FAULTS)]
        for answer in page.locator(".present .cnn-predict input").all():
            answer.dispatch_event("click")  # no focus: the space bar stays the deck's
            faults = page.evaluate(FAULTS)
            if not page.locator(".present .cnn-said").text_content():
                faults.append("does not meet an answer with its feedback")
            seen.faults += [f"slide {seen.slides}, answered, {fault}" for fault in faults]
        if page.evaluate("Reveal.isLastSlide()"):
            break
        page.keyboard.press("Space")
        if page.evaluate("Reveal.getIndices().h") != seen.slides:
            seen.faults.append(f"slide {seen.slides}: the space bar does not leave it")
            break
    context.close()
    print(f"{deck.name}: {seen.slides} slides, opens in {seen.milliseconds:.0f} ms ({scheme})")
    return seen


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_kind_of_slide_fits(chromium, demo_deck, scheme):
    seen = walk(chromium, demo_deck, scheme)
    assert seen.faults == []
    assert seen.slides == 17


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.stem)
def test_every_slide_of_a_chapter_fits(chromium, chapter, tmp_path):
    deck = build_deck(chapter, tmp_path / f"{chapter.stem}.html")
    assert walk(chromium, deck).faults == []


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.stem)
def test_axe_finds_no_barrier_on_any_slide_of_a_chapter(chromium, chapter, tmp_path):
    assert barriers(chromium, build_deck(chapter, tmp_path / "deck.html")) == []


def test_axe_finds_a_barrier_where_there_is_one(chromium, demo_deck, tmp_path):
    assert barriers(chromium, demo_deck) == []
    page = demo_deck.read_text(encoding="utf-8").replace('alt="Stripes', 'data-alt="Stripes', 1)
    pale = "<style>li { color: #a0a0a0 } @media (prefers-color-scheme: dark) { li { color: #505050 } }</style>"
    faulty = tmp_path / "faulty.html"
    faulty.write_text(page.replace("</head>", f"{pale}</head>"), encoding="utf-8")
    found = [line.partition(", first")[0] for line in barriers(chromium, faulty)]
    for scheme in ("light", "dark"):
        assert f"{scheme}, slide 2: serious: color-contrast, 4 times" in found
        assert f"{scheme}, slide 6: critical: image-alt, 1 times" in found


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        (code(printed("line\n" * 40)), "slide 1 reaches"),
        (code(printed("x" * 120)), "slide 1 reaches"),
        (code(PICTURE, source="line()\n" * 11 + "line()", tags=("show-code",)), "less than 200 pixels"),
        (text("no heading"), "has no heading"),
    ],
    ids=["too tall", "too wide", "picture squeezed", "no heading"],
)
def test_the_walk_sees_what_does_not_fit(chromium, tmp_path, cell, fault):
    nbformat.write(new_notebook(cells=[cell]), tmp_path / "one.ipynb")
    seen = walk(chromium, build_deck(tmp_path / "one.ipynb", tmp_path / "one.html"))
    assert len(seen.faults) == 1
    assert fault in seen.faults[0]


def test_keys_in_a_widget_turn_no_slide(chromium, demo_deck):
    page = opened(chromium, demo_deck)
    number = page.evaluate("Reveal.getSlides().findIndex(slide => slide.querySelector('.cnn-widget'))")
    page.evaluate("number => Reveal.slide(number, 0, 0)", number)
    page.locator(".present .cnn-widget input").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".present .cnn-widget input").input_value() == "2"
    assert page.evaluate("Reveal.getIndices().h") == number
    page.locator(".present .cnn-widget input").blur()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("Reveal.getIndices().h") == number + 1


@pytest.fixture(scope="module")
def convolution(tmp_path_factory) -> Path:
    """The deck of chapter 01: labs, questions, pictures."""
    return build_deck(CHAPTERS[1], tmp_path_factory.mktemp("convolution") / "deck.html")


def slide_with(page, selector: str) -> int:
    """Turn to the first slide with such an element; its number."""
    number = page.evaluate("css => Reveal.getSlides().findIndex(slide => slide.querySelector(css))", selector)
    page.evaluate("number => Reveal.slide(number, 0, 99)", number)
    return number


@pytest.mark.parametrize("control", ["input[type=radio]", "input[type=checkbox]", "button", "canvas"])
def test_a_clicker_turns_the_page_after_a_click_into_a_widget(chromium, convolution, control):
    page = opened(chromium, convolution)
    widget = ".cnn-predict" if "radio" in control else ".cnn-widget"
    number = slide_with(page, f"{widget} {control}")
    touched = page.locator(f".present {widget} {control}").first
    touched.click()
    page.keyboard.press("PageDown")
    assert page.evaluate("Reveal.getIndices().h") == number + 1
    page.keyboard.press("PageUp")
    assert page.evaluate("Reveal.getIndices().h") == number


@pytest.mark.parametrize("control", ["input[type=range]", "input[type=number]", "select"])
def test_where_page_down_has_a_meaning_of_its_own_it_keeps_it(chromium, convolution, control):
    page = opened(chromium, convolution)
    number = slide_with(page, f".cnn-widget {control}")
    page.locator(f".present .cnn-widget {control}").first.focus()
    page.keyboard.press("PageDown")
    assert page.evaluate("Reveal.getIndices().h") == number


def sheets(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def test_a_print_is_a_sheet_a_slide_with_pictures_in_the_place_of_widgets(chromium, convolution):
    page = opened(chromium, convolution, color_scheme="dark")
    slides = page.evaluate("Reveal.slide(5) ?? Reveal.getTotalSlides()")
    assert sheets(page.pdf()) == slides
    page.emulate_media(media="print")
    sections = page.locator(".slides > section").all()
    assert [round(section.bounding_box()["height"]) for section in sections] == [720] * slides
    pictures = page.locator(".slides figure img").all()
    assert len(pictures) > 5 and min(picture.bounding_box()["height"] for picture in pictures) > 200
    assert page.locator(".still ol li").first.is_visible(), "the question of a prediction"
    assert not page.locator(".cnn-widget:visible, .notes:visible, .speaker-notes:visible, .controls:visible").count()


def test_on_a_phone_no_arrow_lies_over_a_slide(chromium, convolution):
    page = opened(chromium, convolution)
    page.evaluate("Reveal.slide(3)")
    assert page.locator(".controls button:visible").count()
    page.set_viewport_size({"width": 400, "height": 800})
    assert page.locator(".controls button:visible").count() == 0


def test_the_tab_key_stays_on_its_slide(chromium, demo_deck):
    page = opened(chromium, demo_deck)
    number = page.evaluate("Reveal.getSlides().findIndex(slide => slide.querySelector('.cnn-widget'))")
    for neighbour in (number - 1, number + 1):
        page.evaluate("number => Reveal.slide(number, 0, 99)", neighbour)
        for _ in range(8):
            page.keyboard.press("Tab")
            assert not page.evaluate("document.activeElement.matches('section:not(.present) *')")


def test_a_slide_has_an_address(chromium, demo_deck):
    page = opened(chromium, demo_deck)
    page.keyboard.press("Space")
    page.wait_for_url("**#/1", timeout=20_000)


def test_the_speaker_sees_the_notes(chromium, demo_deck):
    page = opened(chromium, demo_deck)
    with page.expect_popup() as window:
        page.keyboard.press("s")
    notes = window.value.get_by_text("The usual wrong answer: overfitting.")
    notes.wait_for(timeout=20_000)
    window.value.frame_locator("#current-slide iframe").locator("p", has_text="How 56 layers").wait_for(timeout=20_000)
