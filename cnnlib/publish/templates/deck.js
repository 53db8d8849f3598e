// Keys belong to the control that has the focus: an arrow moves the slider, not the slide.
const CONTROLS = "input, select, textarea, [contenteditable], .cnn-widget, .jupyter-widgets";

// A widget takes the place of its picture or text: a model that only knows its state is all that it needs. Prints keep
// what stood there.
if (!location.search.includes("print-pdf")) {
  for (const place of document.querySelectorAll(".live")) {
    const state = JSON.parse(place.dataset.state), el = document.createElement("div");
    const model = { get: (name) => ({ state })[name], set() {}, on() {}, off() {}, save_changes() {} };
    WIDGETS[place.dataset.widget].render({ model, el });
    place.replaceChildren(el);
  }
}

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
