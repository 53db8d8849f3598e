// What the site adds to live.js and the widgets: they come alive, and wide code and formulas can be scrolled by keyboard.
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
