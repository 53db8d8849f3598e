"""What every widget has: a module of JavaScript, a state, and what stands where nothing can be touched."""

from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from anywidget import AnyWidget
from traitlets import Dict

from cnnlib.plots import Picture

STATIC = Path(__file__).parent / "static"
MIME = "application/vnd.cnnlib.widget+json"


class Live(AnyWidget):
    """A picture or a question to touch. `static/NAME.js` draws it in the browser from `state` alone.

    `still` stands where nothing can be touched: a picture, or plain text. A stored notebook keeps it and the state, not
    the live view: a deck or page makes the widget from the state again, without a kernel.
    """

    name: str
    state = Dict().tag(sync=True)

    def __init__(self, state: dict, still: Picture | str) -> None:
        self._esm = f"{text('shared.js')}\n{text(f'{self.name}.js')}"
        self._css = text("widgets.css")
        self.still = still
        super().__init__(state=state)

    def __repr__(self) -> str:
        return self.still if isinstance(self.still, str) else self.still.title

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict, dict]:
        live = super()._repr_mimebundle_(**kwargs) or {}
        if isinstance(self.still, str):
            data, metadata = {"text/plain": self.still}, {}
        else:
            data, metadata = self.still._repr_mimebundle_()
        # anywidget gives (data, metadata); ipywidgets, without a kernel, the data alone.
        live = live[0] if isinstance(live, tuple) else live
        return live | data | {MIME: {"widget": self.name, "state": self.state}}, metadata


def bundle(names: set[str]) -> str:
    """The widgets `names` as one plain script that sets WIDGETS: a page opened from disk cannot import modules.

    ValueError for a name that no widget has.
    """
    there = {path.stem for path in STATIC.glob("*.js")} - {"shared"}
    if unknown := names - there:
        raise ValueError(f"no widget is called {', '.join(sorted(unknown))}; there are: {', '.join(sorted(there))}")
    modules = {name: text(f"{name}.js").replace("export default", "return", 1) for name in sorted(names)}
    parts = [f'WIDGETS["{name}"] = (() => {{\n{module}}})();' for name, module in modules.items()]
    return "\n".join(["const WIDGETS = {};", text("shared.js"), *parts])


def text(file: str) -> str:
    """A file of the folder `static`."""
    return (STATIC / file).read_text(encoding="utf-8")


def spread(values: Sequence[float]) -> list[float]:
    """Mean, least and most, to four digits."""
    return [round(value, 4) for value in (mean(values), min(values), max(values))]
