// Keys belong to the control that has the focus: an arrow moves the slider, not the slide.
const CONTROLS = "input, select, textarea, [contenteditable], .cnn-widget, .jupyter-widgets";

// Prints keep what stands in a widget's place.
if (!location.search.includes("print-pdf")) mountWidgets();

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
