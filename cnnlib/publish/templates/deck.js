// Keys belong to the control that has the focus: an arrow moves the slider, not the slide.
const CONTROLS = "input, select, textarea, [contenteditable], .cnn-widget, .jupyter-widgets";

// Where PageUp and PageDown have a meaning of their own; everywhere else they are the lecturer's clicker.
const PAGED = "input:not([type=checkbox], [type=radio], [type=button]), select, textarea, [contenteditable]";

// Prints keep what stands in a widget's place.
if (!location.search.includes("print-pdf")) mountWidgets();

document.addEventListener("keydown", (event) => {
  const turn = { PageUp: Reveal.prev, PageDown: Reveal.next }[event.key];
  if (!turn || !event.target.closest?.(CONTROLS) || event.target.matches(PAGED)) return;
  event.preventDefault();
  event.stopPropagation();
  turn();
}, true);

// Escape gives the keys back to the slides.
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target.closest?.(CONTROLS)) event.target.blur();
}, true);

Reveal.initialize({
  plugins: [RevealNotes],
  width: 1100,
  height: 720,
  margin: 0,
  center: false,
  display: "flex",
  hash: true,
  slideNumber: "c/t",
  controlsLayout: "edges",
  controlsTutorial: false,
  scrollActivationWidth: null,
  pdfSeparateFragments: false,
  transition: "none",
  backgroundTransition: "none",
  keyboardCondition: (event) => !event.target.closest?.(CONTROLS),
});
