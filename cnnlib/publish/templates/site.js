// What the site adds to live.js and the widgets: they come alive, wide code and formulas can be scrolled by keyboard, and
// the search puts earlier chapters first and leads to the place.
mountWidgets();

const WIDE = ".highlight pre, .output > pre, .formula, .table-wrapper";

// A stop for the Tab key where there is something to scroll, and nowhere else.
function markWide() {
  for (const box of document.querySelectorAll(WIDE)) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

markWide();
addEventListener("load", markWide);
addEventListener("resize", markWide);
for (const fold of document.querySelectorAll("details")) fold.addEventListener("toggle", markWide);

// Where the search finds two pages equally good, the earlier chapter comes first.
if (window.Scorer) {
  window.Scorer.score = ([name, , , , score]) => {
    const chapter = parseInt(name, 10);
    return score - (chapter >= 0 ? chapter : 99) / 1000;
  };
}

// Who comes from the search is led to the first section headed by its words, or else to the first of them.
addEventListener("load", () => setTimeout(() => {
  const found = [...document.querySelectorAll("article .highlighted")].filter((word) => word.checkVisibility());
  const place = found.find((word) => word.closest("h1, h2")) ?? found[0];
  if (!location.hash) place?.scrollIntoView({ block: "center", behavior: "instant" });
}, 50));
