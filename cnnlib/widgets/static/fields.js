// The field lab: a network's column of layers, and on the picture the pixels that one unit of the chosen layer sees.

// One step of the arithmetic: the field grows by (F - 1) times the step so far; the step is multiplied by the stride.
function formula(layer, before) {
  const [kernel, stride, dilation] = layer.window, spread = dilation > 1 ? `${dilation}·` : "";
  // Of branches that meet, and of modules that hold several windows, there is no such step to show.
  const follows = layer.size === before.size + dilation * (kernel - 1) * before.step && layer.step === before.step * stride;
  if (!follows) return `sees ${layer.size} pixels a side; its units lie ${layer.step} pixels apart`;
  return `field ${before.size} + ${spread}(${kernel} − 1)·${before.step} = ${layer.size}, ` +
    `step ${before.step}·${stride} = ${layer.step}`;
}

function render({ model, el }) {
  const { networks, shown, pixels } = model.get("state"), group = `cnn-fields-${Math.random()}`;
  const root = widget("fields", "Field lab");
  const picture = make("canvas", { class: "cnn-input", role: "img" });
  const list = make("fieldset", { class: "cnn-layers" }, make("legend", {}, "layer"));
  const more = make("div", { class: "cnn-more", "aria-hidden": "true" });
  const said = make("output", { class: "cnn-said", "aria-live": "polite" });
  const sliders = [0, 1].map(() => make("input", { type: "range", min: 1, max: 1, value: 1 }));
  let { side, layers } = networks[0], chosen = 0, margin = 0;
  // Where the frame stood on the last layer's map, it stands on this one's: in the middle to begin with.
  function choose(index) {
    const layer = layers[index];
    for (const slider of sliders) {
      const share = slider.max > 1 ? (slider.value - 1) / (slider.max - 1) : 0.5;
      slider.max = layer.units;
      slider.value = 1 + Math.round(share * (layer.units - 1));
    }
    chosen = index;
    // Fields may reach beyond the picture, into the padding: leave room, but not more than half a picture.
    const last = layer.start + (layer.units - 1) * layer.step + layer.size;
    margin = Math.min(side / 2, Math.max(0, -layer.start, last - side));
    draw();
  }

  const small = new OffscreenCanvas(shown, shown), shades = new ImageData(shown, shown);
  pixels.forEach((shade, k) => shades.data.set([shade, shade, shade, 255], 4 * k));
  small.getContext("2d").putImageData(shades, 0, 0);

  function draw() {
    const layer = layers[chosen], [row, column] = sliders.map((slider) => slider.value - 1);
    const top = layer.start + row * layer.step, left = layer.start + column * layer.step;
    const cell = 640 / (side + 2 * margin);
    picture.width = picture.height = 640;
    const context = picture.getContext("2d");
    context.imageSmoothingEnabled = side > shown;
    context.fillStyle = "#707070";
    context.fillRect(0, 0, 640, 640);
    context.drawImage(small, margin * cell, margin * cell, side * cell, side * cell);
    const [x, y] = [left, top].map((from) => (from + margin) * cell), wide = layer.size * cell;
    const beyond = Math.min(x, y) < -1 || Math.max(x, y) + wide > 641;
    if (beyond) {  // dashed along the edge of what is drawn, where the frame itself cannot be
      const [from, to] = [(at) => Math.max(3, at), (at) => Math.min(637, at + wide)];
      context.setLineDash([18, 14]);
      frame(context, from(x), from(y), to(x) - from(x), to(y) - from(y));
      context.setLineDash([]);
    }
    frame(context, x, y, wide);
    const clip = (from) => Math.max(0, Math.min(side, from + layer.size) - Math.max(0, from));
    const share = Math.round((100 * clip(top) * clip(left)) / (side * side));
    const before = chosen ? layers[chosen - 1] : { size: 1, step: 1 };
    said.textContent = `${layer.name}: ${formula(layer, before)}. ` +
      `This unit sees ${share || "less than 1"}\u00a0% of the picture's ${side} × ${side} pixels.` +
      (beyond ? " Dashed: its field reaches beyond what is drawn." : "");
    sliders.forEach((slider, axis) =>
      slider.setAttribute("aria-valuetext", `unit ${slider.value} of ${slider.max}, ${axis ? "across" : "down"}`));
    picture.setAttribute("aria-label",
      `The picture, ${side} × ${side} pixels. Framed: rows ${top + 1} to ${top + layer.size}, columns ${left + 1} to ` +
      `${left + layer.size}.`);
  }

  // The column of another network, with its first layer chosen.
  function adopt(network) {
    ({ side, layers } = network);
    list.replaceChildren(list.firstChild, ...layers.map((layer, index) => {
      const radio = make("input", { type: "radio", name: group, value: index });
      radio.checked = index === 0;
      radio.addEventListener("change", () => choose(index));
      return make("label", {}, radio, `${layer.name} · sees ${layer.size}`);
    }));
    list.scrollTop = 0;
    choose(0);
  }

  onPlace(picture, (y, x) => {
    const layer = layers[chosen], middle = layer.start + (layer.size - 1) / 2;
    [y, x].forEach((at, axis) => {
      sliders[axis].value = 1 + Math.round((at * (side + 2 * margin) - margin - middle) / layer.step);
    });
    draw();
  });
  const controls = sliders.map((slider, axis) => control(axis ? "unit across" : "unit down", slider));
  if (networks.length > 1) {
    const menu = make("select", {}, ...networks.map(({ name }, index) => make("option", { value: index }, name)));
    menu.addEventListener("change", () => {
      adopt(networks[menu.value]);
      tell();
    });
    controls.unshift(control("network", menu));
  }
  sliders.forEach((slider) => slider.addEventListener("input", draw));
  // A list that is cut off must not look as if it ended there.
  const tell = () => {
    more.hidden = list.scrollHeight <= list.clientHeight + 4;
    more.textContent = list.scrollTop + list.clientHeight < list.scrollHeight - 4 ? "▾ more layers" : "";
  };
  list.addEventListener("scroll", tell);
  const sized = new ResizeObserver(tell);
  sized.observe(list);
  root.append(make("div", { class: "cnn-stage" }, make("div", {}, list, more),
    picture, make("div", { class: "cnn-side" }, ...controls, said)));
  el.append(root);
  adopt(networks[0]);
  return () => sized.disconnect();
}

export default { render, formula };
