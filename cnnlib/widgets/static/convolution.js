// The convolution lab: a window over a picture, its products, their sum, and the map they make.

// The weight `down` and `across` from the middle of a size × size kernel. Of size 1 there is but the copy.
const PRESETS = {
  "vertical edges": (down, across) => across,  // right minus left
  "horizontal edges": (down, across) => down,  // below minus above
  "blur": (down, across, size) => 1 / size ** 2,
  "sharpen": (down, across, size) => (down && across ? 0 : down || across ? -1 : 2 * size - 1),
  "outline": (down, across, size) => (down || across ? -1 : size ** 2 - 1),
  "copy": (down, across) => (down || across ? 0 : 1),
  "shift right": (down, across) => (down === 0 && across === -1 ? 1 : 0),
};
const MOST = 99;  // of a typed weight
const WIDE = 560;  // pixels a side of both canvases
const STEPS = { size: [1, 3, 5], stride: [1, 2, 3], padding: [0, 1, 2], dilation: [1, 2, 3] };

// The pixels from a window's first to its last: F, or with dilation D(F - 1) + 1.
const span = ({ size, dilation }) => dilation * (size - 1) + 1;

// floor((W - F + 2P) / S) + 1
function outputSide(side, options) {
  return Math.floor((side - span(options) + 2 * options.padding) / options.stride) + 1;
}

// The pixels under the window at (row, column) of the map, 0 outside the picture: size × size numbers.
function windowAt(pixels, side, options, row, column) {
  const { size, stride, padding, dilation } = options, values = [];
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++) {
      const y = row * stride - padding + i * dilation, x = column * stride - padding + j * dilation;
      values.push(y >= 0 && y < side && x >= 0 && x < side ? pixels[y * side + x] : 0);
    }
  return values;
}

function convolve(pixels, side, kernel, options) {
  const out = outputSide(side, options), map = new Float64Array(out * out);
  for (let row = 0; row < out; row++)
    for (let column = 0; column < out; column++) {
      const values = windowAt(pixels, side, options, row, column);
      let sum = 0;
      for (let k = 0; k < values.length; k++) sum += values[k] * kernel[k];
      map[row * out + column] = sum;
    }
  return map;
}

function presetKernel(name, size) {
  const middle = (size - 1) / 2;
  return Array.from({ length: size * size }, (_, k) => PRESETS[name](Math.floor(k / size) - middle, (k % size) - middle, size));
}

// The weights in the middle of a size × size kernel, of which what does not fit is lost.
function resized(kernel, size) {
  const old = Math.sqrt(kernel.length), shift = (size - old) / 2;
  return Array.from({ length: size * size }, (_, k) => {
    const i = Math.floor(k / size) - shift, j = (k % size) - shift;
    return i >= 0 && i < old && j >= 0 && j < old ? kernel[i * old + j] : 0;
  });
}

// Two decimals; of what would then be 0, the first digit. A rest of rounding is 0.
function said(value) {
  const size = Math.abs(value), text = size > 1e-9 && size < 0.01 ? value.toPrecision(1) : value.toFixed(2);
  return String(Number(text) || 0).replace("-", "−");
}

function choice(label, values, value) {
  const select = make("select", {}, ...values.map((v) => make("option", { value: v }, String(v))));
  select.value = value;
  return [control(label, select), select];
}

function render({ model, el }) {
  const { side, pixels, kernel: first } = model.get("state");
  const options = { size: 3, stride: 1, padding: 1, dilation: 1 };
  let kernel = [...first], place = 0, playing = null, map, out, low, high, padded, shaded, cells = [];

  const root = widget("convolution", "Convolution lab");
  const picture = make("canvas", { class: "cnn-input", role: "img" });
  const result = make("canvas", { class: "cnn-output", role: "img" });
  const weights = make("div", { class: "cnn-weights", role: "group", "aria-label": "Weights of the kernel" });
  const products = make("div", { class: "cnn-products" });
  picture.width = picture.height = result.width = result.height = WIDE;
  const sum = make("output", { class: "cnn-said", "aria-live": "polite" });
  const law = make("p", { class: "cnn-law" });
  const slider = make("input", { type: "range", min: 1, value: 1, class: "cnn-place" });
  const play = make("button", { type: "button" }, "Play");
  const whole = make("input", { type: "checkbox" });
  whole.checked = true;
  const names = ["your own", ...Object.keys(PRESETS)];
  const same = Object.keys(PRESETS).find((name) => presetKernel(name, 3).every((w, k) => Math.abs(w - first[k]) < 0.001));
  const [presetControl, preset] = choice("preset", names, same ?? "your own");
  const selects = Object.entries(STEPS).map(([name, values]) => {
    const [node, select] = choice(name, values, options[name]);
    select.addEventListener("change", () => {
      const middle = [Math.floor(place / out), place % out].map(middleOf);
      options[name] = Number(select.value);
      if (name === "size") {
        if (options.size === 1 && preset.value !== "your own") preset.value = "copy";
        kernel = preset.value === "your own" ? resized(kernel, options.size) : presetKernel(preset.value, options.size);
        typeKernel();
      }
      compute();
      go(...middle.map(nearest));
    });
    return node;
  });

  // The pixel under the middle of a row's windows, and the row whose middle is nearest to a pixel; columns alike.
  const middleOf = (row) => row * options.stride - options.padding + (span(options) - 1) / 2;
  const nearest = (pixel) => Math.round((pixel + options.padding - (span(options) - 1) / 2) / options.stride);

  function typeKernel() {
    for (const option of preset.options) option.disabled = options.size === 1 && !["your own", "copy"].includes(option.value);
    root.style.setProperty("--size", options.size);
    weights.replaceChildren(...kernel.map((weight, k) => {
      const where = `weight in row ${Math.floor(k / options.size) + 1}, column ${(k % options.size) + 1}`;
      const input = make("input", { type: "number", step: "any", min: -MOST, max: MOST, "aria-label": where });
      const show = () => { input.value = Number(kernel[k].toFixed(3)); };
      input.addEventListener("input", () => {
        if (!Number.isFinite(input.valueAsNumber)) return;  // half typed
        kernel[k] = Number(Math.max(-MOST, Math.min(MOST, input.valueAsNumber)).toFixed(3));
        preset.value = "your own";
        compute();
      });
      input.addEventListener("blur", show);  // what counts, not what was left half typed
      show();
      return input;
    }));
  }

  function compute() {
    out = outputSide(side, options);
    map = convolve(pixels, side, kernel, options);
    low = Math.min(...map), high = Math.max(...map);
    slider.max = out * out;
    place = Math.min(place, out * out - 1);
    const { size, stride, padding, dilation } = options, wide = side + 2 * padding;
    padded = pixelwise(wide, (k) => {
      const y = Math.floor(k / wide) - padding, x = (k % wide) - padding;
      if (y >= 0 && y < side && x >= 0 && x < side) return 255 * pixels[y * side + x];
      return (x + y) & 1 ? 96 : 128;  // padding counts as 0; chequered, so that one sees it is no picture
    });
    shaded = pixelwise(out, (k) => (255 * (map[k] - low)) / (high - low || 1));
    if (cells.length !== kernel.length) {
      cells = kernel.map(() => [make("div"), make("span"), make("b")]);
      cells.forEach(([cell, ...texts]) => cell.append(...texts));
      products.replaceChildren(...cells.map(([cell]) => cell));
    }
    const wideWindow = dilation > 1 ? `(${dilation}·(${size} − 1) + 1)` : size;
    law.textContent = `⌊(${side} − ${wideWindow} + 2·${padding}) / ${stride}⌋ + 1 = ${out}: ` +
      `the map is ${out} × ${out}, ${out * out} sums of ${size > 1 ? `${size * size} products` : "one product"}`;
    draw();
  }

  // An image of width × width greys.
  function pixelwise(width, shade) {
    const image = new ImageData(width, width);
    for (let k = 0; k < width * width; k++) {
      image.data.fill(shade(k), 4 * k, 4 * k + 3);
      image.data[4 * k + 3] = 255;
    }
    const small = new OffscreenCanvas(width, width);
    small.getContext("2d").putImageData(image, 0, 0);
    return small;
  }

  function paint(canvas, image) {
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.drawImage(image, 0, 0, WIDE, WIDE);
    return [context, WIDE / image.width];
  }

  function draw() {
    const { size, stride, padding, dilation } = options, row = Math.floor(place / out), column = place % out;
    const [context, cell] = paint(picture, padded);
    frame(context, column * stride * cell, row * stride * cell, span(options) * cell);
    if (dilation > 1) {
      for (let i = 0; i < size; i++)
        for (let j = 0; j < size; j++)
          frame(context, (column * stride + j * dilation + 0.3) * cell, (row * stride + i * dilation + 0.3) * cell, 0.4 * cell);
    }
    const last = whole.checked ? out * out - 1 : place, [onMap, wideCell] = paint(result, shaded);
    if (!whole.checked) {  // what is not computed yet is left blank: the rest of the row, and the rows below
      const [top, below, after] = [row, row + 1, column + 1].map((k) => Math.round(k * wideCell));
      onMap.clearRect(after, top, WIDE, below - top);
      onMap.clearRect(0, below, WIDE, WIDE);
    }
    frame(onMap, column * wideCell, row * wideCell, wideCell);
    const values = windowAt(pixels, side, options, row, column);
    cells.forEach(([cell, text, product], k) => {
      cell.className = values[k] * kernel[k] ? "" : "cnn-nothing";
      text.replaceChildren(`${said(values[k])}·`, size > 3 ? make("br") : "", said(kernel[k]));
      product.textContent = said(values[k] * kernel[k]);
    });
    slider.value = place + 1;
    slider.setAttribute("aria-valuetext", `window ${place + 1} of ${out * out}`);
    sum.setAttribute("aria-live", playing ? "off" : "polite");
    sum.textContent = `Window ${place + 1} of ${out * out} (row ${row + 1}, column ${column + 1}): ` +
      `${size > 1 ? `the ${size * size} products add up to` : "the one product is"} ${said(map[place])}`;
    picture.setAttribute("aria-label", `The picture, ${side} × ${side} pixels, padded by ${padding}. ${sum.textContent}.`);
    result.setAttribute("aria-label",
      `The map, ${out} × ${out} numbers, black ${said(low)}, white ${said(high)}; ${last + 1 < out * out ? place + 1 : "all"} shown.`);
    scale.textContent = `black ${said(low)}, white ${said(high)}`;
  }

  function stop() {
    if (playing) cancelAnimationFrame(playing);
    playing = null;
    play.textContent = "Play";
    draw();
  }

  play.addEventListener("click", () => {
    if (playing) return stop();
    const ended = place >= out * out - 1 && !whole.checked;
    whole.checked = false;
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {  // from end to beginning and back, without the way
      place = ended ? 0 : out * out - 1;
      return draw();
    }
    if (place >= out * out - 1) place = 0;
    play.textContent = "Pause";
    const step = () => {
      place += Math.max(1, Math.round(out / 12));
      if (place >= out * out - 1 || !el.isConnected) { place = Math.min(place, out * out - 1); return stop(); }
      playing = requestAnimationFrame(step);
      draw();
    };
    playing = requestAnimationFrame(step);
  });
  slider.addEventListener("input", () => { place = Number(slider.value) - 1; draw(); });
  whole.addEventListener("change", draw);
  preset.addEventListener("change", () => {
    if (preset.value === "your own") return;
    kernel = presetKernel(preset.value, options.size);
    typeKernel();
    compute();
  });
  const go = (row, column) => {
    const [down, across] = [row, column].map((k) => Math.max(0, Math.min(out - 1, k)));
    place = down * out + across;
    draw();
  };
  onPlace(result, (y, x) => go(Math.floor(y * out), Math.floor(x * out)));
  onPlace(picture, (y, x) => {
    const { padding } = options;
    go(...[y, x].map((part) => nearest(part * (side + 2 * padding) - padding - 0.5)));
  });

  const scale = make("div");
  const stage = make("div", { class: "cnn-stage" },
    make("div", {}, picture, make("div", {}, "picture")),
    make("div", { class: "cnn-middle" }, weights, products),
    make("div", {}, result, scale));
  root.append(
    make("div", { class: "cnn-controls" }, presetControl, ...selects),
    stage,
    make("div", { class: "cnn-controls" }, control("window", slider), play, control("whole map", whole)),
    sum, law);
  el.append(root);
  typeKernel();
  compute();
  const sizes = map.map(Math.abs);
  place = sizes.indexOf(Math.max(...sizes));  // where there is most to see
  draw();
  return () => playing && cancelAnimationFrame(playing);
}

export default { render, convolve, outputSide, said };
