// What all widgets use; it is put before each widget's module.

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

let labels = 0;

// An input under its label, tied to it by an id.
function control(label, input) {
  input.id = `cnn-${++labels}-${Math.random().toString(36).slice(2)}`;
  return make("div", { class: "cnn-control" }, make("label", { for: input.id }, label), input);
}

// A widget's outermost element. JupyterLab and decks take arrow keys for themselves: none leaves it.
function widget(kind, label) {
  const root = make("div", { class: `cnn-widget cnn-${kind}`, role: "group", "aria-label": label });
  root.addEventListener("keydown", (event) => event.stopPropagation());
  return root;
}

// Call `moved` with the place, from 0 to 1 down and across, where the canvas is pressed or dragged over.
function onPlace(canvas, moved) {
  const listen = (event) => {
    if (event.type === "pointermove" && !event.buttons) return;
    const box = canvas.getBoundingClientRect();
    moved((event.clientY - box.top) / box.height, (event.clientX - box.left) / box.width);
  };
  canvas.addEventListener("pointerdown", listen);
  canvas.addEventListener("pointermove", listen);
}

// A frame in orange on white, a square unless it has a height: seen on black, on white, and in grey.
function frame(context, x, y, width, height = width) {
  for (const [colour, thick] of [["#ffffff", 9], ["#d55e00", 5]]) {
    context.strokeStyle = colour;
    context.lineWidth = thick;
    context.strokeRect(x, y, width, height);
  }
}
