"""What decks and the site share: formulas as MathML, a cell's outputs as html, and what makes a widget alive."""

import base64
import html
import json
import re
import struct
from collections.abc import Sequence

from latex2mathml.converter import convert
from nbconvert.filters.ansi import strip_ansi
from nbformat import NotebookNode

from cnnlib.widgets import MIME

COURSE = "Convolutional networks, measured"
# Dollars as in pandoc, so that prices and code stay what they are: $x$ hugs its formula, which has no backtick.
FORMULA = r"(?s:(?<![$\\])\$(?=[^\s$])(?P<math_inline_tex>(?:\\.|[^\\`$])+?)(?<!\s)\$(?![\d$]))"
OPTION = re.compile(r"^  [a-z]\) ")
CLAIM = re.compile(r"(?P<mark>✓|✗|holds:|it depends:|does not hold:)\s*(?P<text>.*)")
MEANING = {"✓": "holds", "✗": "fails", "holds:": "holds", "it depends:": "depends", "does not hold:": "fails"}


def mathml(formula: str, display: str) -> str:
    """The formula as MathML. ValueError where latex2mathml would stop, or would go on with something else."""
    formula = formula.strip()
    without_escapes = re.sub(r"\\.", "", formula)
    if without_escapes.count("{") != without_escapes.count("}"):
        raise ValueError(f"the formula {formula!r} does not close its braces.")
    try:
        converted = convert(formula, display=display)
    except Exception as error:
        raise ValueError(f"the formula {formula!r} does not become MathML: {error!r}.") from error
    if unknown := re.search(r">(\\\w+)<", converted):
        raise ValueError(f"the formula {formula!r} uses {unknown[1]}, which latex2mathml does not know.")
    return converted


def picture(output: NotebookNode, address: str = "") -> str:
    """A picture with its alt text. `address`: where the page finds the PNG; without one, the PNG is in the page."""
    known = output.metadata.get("image/png", {})
    data = "".join(output.data["image/png"].split())
    stored = struct.unpack(">II", base64.b64decode(data)[16:24])
    width, height = (known.get(side, pixels) for side, pixels in zip(("width", "height"), stored))
    return (
        f'<figure style="--ratio: {width / height:.4f}"><img src="{address or f"data:image/png;base64,{data}"}" '
        f'alt="{html.escape(known.get("alt", "").strip())}" width="{width}" height="{height}"></figure>'
    )


def alive(output: NotebookNode, still: str) -> str:
    """`still`, and for a widget the state that live.js makes it alive from."""
    live = output.get("data", {}).get(MIME)
    if not live:
        return still
    state = html.escape(json.dumps(live["state"], ensure_ascii=False, separators=(",", ":")))
    return f'<div class="live" data-widget="{html.escape(live["widget"])}" data-state="{state}">{still}</div>'


def widgets_of(cells: Sequence[NotebookNode]) -> set[str]:
    """The names of the widgets that the cells show."""
    outputs = (output for cell in cells for output in cell.get("outputs", []))
    return {output.data[MIME]["widget"] for output in outputs if MIME in output.get("data", {})}


def text_of(output: NotebookNode) -> str:
    """An output without a picture as html; "" for what only the person who runs the cell needs to see (stderr)."""
    if output.output_type == "stream":
        text = output.text if output.name == "stdout" else ""
    elif output.output_type == "error":
        text = f"{output.ename}: {output.evalue}"
    elif "text/html" in output.data:
        return output.data["text/html"]
    else:
        text = output.data.get("text/plain", "")
    lines = [line.rstrip() for line in strip_ansi(text).strip("\n").splitlines()]
    if not any(lines):
        return ""
    if CLAIM.match(lines[0]):
        return _claims(lines)
    if lines[1:] and all(map(OPTION.match, lines[1:])):
        return _prediction(lines)
    return f"<pre>{html.escape(chr(10).join(lines), quote=False)}</pre>"


def _prediction(lines: Sequence[str]) -> str:
    """What `predict` prints, a question and its lettered answers, as a list."""
    question, *answers = (html.escape(OPTION.sub("", line), quote=False) for line in lines)
    return f'<p>{question}</p><ol type="a">{"".join(f"<li>{answer}</li>" for answer in answers)}</ol>'


def _claims(lines: Sequence[str]) -> str:
    """Lines of `claim` and `verdict` as a list; a line without a mark continues the one above it."""
    rows: list[str] = []
    for line in filter(None, lines):
        match = CLAIM.match(line)
        if match:
            mark, text = match["mark"], html.escape(match["text"], quote=False)
            rows.append(f'<li class="{MEANING[mark]}"><span class="mark">{mark.rstrip(":")}</span> <span>{text}</span>')
        else:
            rows.append(f'<span class="because">{html.escape(line.strip(), quote=False)}</span>')
    return f'<ul class="claims">{"".join(rows)}</ul>'
