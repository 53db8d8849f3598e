"""axe-core in a page: what keeps those out who cannot see it, or have no mouse."""

from functools import cache
from importlib.resources import files

# Without preload: it would fetch the style sheets once more, which no browser allows from disk.
FOUND = """async (within) => {
  const { violations } = await axe.run(within ?? document, { resultTypes: ["violations"], preload: false });
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ impact, id, nodes }) => `${impact}: ${id}, ${nodes.length} times, first in ${nodes[0].html.slice(0, 200)}`);
}"""


def violations(page, within: str | None = None) -> list[str]:
    """Serious and critical violations in the page, or in what this CSS selector finds: impact, rule, first element.

    axe looks at what the page shows now; colours it cannot tell under an element that overlaps the text, seen or not.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(script())
    return page.evaluate(FOUND, within)


@cache
def script() -> str:
    """axe-core, out of its wheel."""
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
