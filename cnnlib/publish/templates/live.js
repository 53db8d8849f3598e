// A widget takes the place of its picture or text: a model that only knows its state is all that it needs. Paper shows
// the picture or text again.
function mountWidgets() {
  for (const place of document.querySelectorAll(".live")) {
    const state = JSON.parse(place.dataset.state), el = document.createElement("div");
    const still = document.createElement("div");
    const model = { get: (name) => ({ state })[name], set() {}, on() {}, off() {}, save_changes() {} };
    WIDGETS[place.dataset.widget].render({ model, el });
    still.className = "still";
    still.append(...place.childNodes);
    place.replaceChildren(el);
    place.after(still);
  }
}
