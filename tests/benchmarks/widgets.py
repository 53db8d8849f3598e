"""How soon the widgets answer in JupyterLab, and how soon a deck is open, by the browser's own clock.

First paint counts from whichever comes first, the number beside the cell or the place for its output, to the end of the
frame that shows the widget: the first time in a page, when its code is fetched, and again. A step counts from the time
that the browser gives the key or the mouse to the end of the frame with the new picture. The steps come at moments that
do not follow the frames, as a hand's do: of the 16.7 ms between two frames, the wait for the next is 8.3 in the median
and is counted. Work is the page's part of it: the handlers, then style, layout and paint.
"""

import random
import tempfile
import time
from pathlib import Path
from statistics import median

from cnnlib.publish.slides import build_deck
from cnnlib.widgets.live import STATIC
from tests.browser.jupyterlab import LABS, notebook, server, visit
from tests.chromium import lacking, launched

CHAPTERS = sorted((Path(__file__).parents[2] / "chapters").glob("[0-9][0-9]_*.ipynb"))
STEPS = 100
AGAIN = 9
BARS = "bars: first paint 300 ms, a step 16 ms in the median and 50 ms at worst; a deck 2 s and 4 MB; scripts 120 kB"
# What is moved: sliders and a box by their labels, and the answers of a question.
MOVED = {
    "convolution": "window",
    "fields": "unit down",
    "lesions": "block 3",
    "scaling": "pixels a side",
    "predict": "",
}
AFTER_FRAME = """const afterFrame = (done) => requestAnimationFrame((start) => {
  const channel = new MessageChannel(), drawn = performance.now();
  channel.port1.onmessage = () => done(performance.now(), drawn);
  channel.port2.postMessage(null);
});"""
FIRST_PAINT = f"""([number, kind]) => {{
  {AFTER_FRAME}
  const cell = document.querySelectorAll(".jp-CodeCell")[number], prompt = cell.querySelector(".jp-InputPrompt");
  const old = new Set(cell.querySelectorAll(".jp-OutputArea-child, .cnn-widget")), before = prompt.textContent;
  const fresh = (selector) => [...cell.querySelectorAll(selector)].some((node) => !old.has(node));
  window.firstPaint = new Promise((resolve) => {{
    let ended = null;
    const observer = new MutationObserver(() => {{
      const numbered = /\\d/.test(prompt.textContent) && prompt.textContent !== before;
      if (ended === null && (numbered || fresh(".jp-OutputArea-child"))) ended = performance.now();
      if (!fresh(`.cnn-${{kind}}`)) return;
      observer.disconnect();
      afterFrame((shown) => resolve(shown - ended));
    }});
    observer.observe(cell, {{ subtree: true, childList: true, characterData: true }});
  }});
}}"""
NUMBERED = r"number => /\d/.test(document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')[number].textContent)"
WATCH_STEPS = f"""() => {{
  {AFTER_FRAME}
  let came, begun, handled, kind, waiting = false;
  for (const type of ["keydown", "keyup", "pointerdown", "pointermove", "pointerup"])
    addEventListener(type, (event) => {{ came = event.timeStamp; begun = performance.now(); kind = type; }}, true);
  const step = () => {{
    handled = performance.now();
    if (waiting) return;
    waiting = true;
    const [at, from] = [came, begun];
    afterFrame((shown, drawn) => {{
      steps.push([shown - at, handled - from + shown - drawn]);
      waiting = false;
    }});
  }};
  window.steps = [];
  for (const type of ["input", "change"]) addEventListener(type, step);
  addEventListener("focusin", () => {{ if (kind === "keydown") step(); }});  // an arrow moves to another answer
}}"""


def main() -> None:
    """Print the figures beside their bars."""
    if lack := lacking():
        print(f"widgets: not measured, {lack}")
        return
    print(f"widgets: {STEPS} steps each by keyboard and by mouse, in milliseconds; {BARS}")
    with tempfile.TemporaryDirectory() as folder, launched() as browser:
        with server(Path(folder)) as lab:
            in_jupyterlab(browser, lab, Path(folder) / "notebooks" / "labs.ipynb")
        largest_deck(browser, Path(folder))
    scripts = {path.stem: path.stat().st_size / 1000 for path in STATIC.glob("*.js")}
    print(f"    scripts of all widgets {sum(scripts.values()):.0f} kB, the largest {max(scripts.values()):.0f} kB")


def in_jupyterlab(browser, lab: str, file: Path) -> None:
    """Print first paint and steps of each widget."""
    with visit(browser, lab, file, notebook(list(LABS.values()))) as seen:
        first = {kind: first_paint(seen.page, number, kind) for number, kind in enumerate(LABS)}
        again = {kind: [first_paint(seen.page, number, kind) for _ in range(AGAIN)] for number, kind in enumerate(LABS)}
        seen.page.evaluate(WATCH_STEPS)
        for kind in LABS:
            paint = (
                f"first paint {first[kind]:4.0f}, again {median(again[kind]):4.0f} ({max(again[kind]):.0f} at worst)"
            )
            ways = (("key", by_keyboard(seen.page, kind)), ("mouse", by_mouse(seen.page, kind)))
            print(f"    {kind:<12}{paint}; " + "; ".join(f"{way} {told(steps)}" for way, steps in ways), flush=True)
        if seen.faults:
            print("   ", "; ".join(seen.faults))


def first_paint(page, number: int, kind: str) -> float:
    """Milliseconds from the end of the cell to the frame that shows its widget."""
    page.evaluate(FIRST_PAINT, [number, kind])
    page.locator(".jp-CodeCell .jp-InputArea-editor").nth(number).click()
    page.keyboard.press("Control+Enter")
    taken = page.evaluate("firstPaint")
    page.wait_for_function(NUMBERED, arg=number)
    return taken


def by_keyboard(page, kind: str) -> list[list[float]]:
    """Steps to and fro by the arrows, or by the space bar."""
    control = moved(page, kind)
    control.focus()
    keys = ["Space"] if control.get_attribute("type") == "checkbox" else ["ArrowRight", "ArrowLeft"]
    return measured(page, lambda step: page.keyboard.press(keys[step % len(keys)]))


def moved(page, kind: str):
    """The control that is moved: by its label, or the first of the answers."""
    widget = page.locator(f".cnn-{kind}")
    return widget.get_by_label(MOVED[kind], exact=True) if MOVED[kind] else widget.locator("input").first


def by_mouse(page, kind: str) -> list[list[float]]:
    """Steps by dragging the slider, or by clicking the box."""
    control = moved(page, kind)
    control.scroll_into_view_if_needed()
    box = control.bounding_box()
    down = box["y"] + box["height"] / 2
    if control.get_attribute("type") == "checkbox":
        return measured(page, lambda step: page.mouse.click(box["x"] + box["width"] / 2, down))
    if control.get_attribute("type") == "radio":
        other = page.locator(f".cnn-{kind} input").nth(1).bounding_box()
        ends = [other["y"] + other["height"] / 2, down]
        return measured(page, lambda step: page.mouse.click(box["x"] + box["width"] / 2, ends[step % 2]))
    page.mouse.move(box["x"] + box["width"] / 2, down)
    page.mouse.down()
    steps = measured(page, lambda step: page.mouse.move(box["x"] + box["width"] * (0.2 + 0.6 * (step % 2)), down))
    page.mouse.up()
    return steps


def measured(page, move) -> list[list[float]]:
    """From event to picture, and the page's work in it, of each step; pauses between them as a hand makes them."""
    pause = random.Random(0)
    page.evaluate("steps.length = 0")
    for step in range(STEPS):
        move(step)
        page.wait_for_function("count => steps.length > count", arg=step)
        time.sleep(pause.uniform(0, 0.05))
    return page.evaluate("steps")


def told(steps: list[list[float]]) -> str:
    """Median and worst, and the same of the page's work."""
    shown, work = zip(*steps)
    return f"{median(shown):.1f}, {max(shown):.0f} at worst (work {median(work):.1f}, {max(work):.0f} at worst)"


def largest_deck(browser, folder: Path) -> None:
    """Print how large it is, and how long it takes to open without a network."""
    decks = [build_deck(chapter, folder / f"{chapter.stem}.html") for chapter in CHAPTERS]
    deck = max(decks, key=lambda deck: deck.stat().st_size)
    seconds = []
    for _ in range(AGAIN):
        page = browser.new_context(offline=True, viewport={"width": 1100, "height": 720}).new_page()
        page.goto(deck.as_uri())
        page.wait_for_function("window.Reveal?.isReady()")
        seconds.append(page.evaluate("performance.now()") / 1000)
        page.context.close()
    size = deck.stat().st_size / 1e6
    print(f"    {deck.stem}: {size:.1f} MB, open in {median(seconds):.2f} s, {max(seconds):.2f} s at worst")
