// The scaling lab: three sliders choose a network; its price is looked up, and marked beside the recorded ones.

const HIGH = 260, WIDE = 560, EDGE = 46, LEGEND = 302;
// Marks of the recorded networks, as points of a polygon around (0, 0); every mark is told from the others in grey.
const round = (corners, turn, inner = 1, outer = 7) => Array.from({ length: corners }, (_, k) => {
  const angle = (2 * Math.PI * k) / corners + turn, reach = k % 2 ? outer * inner : outer;
  return [reach * Math.sin(angle), -reach * Math.cos(angle)];
});
const MARKS = [
  round(24, 0, 1, 5), round(3, 0), round(4, Math.PI / 4), round(3, Math.PI), round(10, 0, 0.45), round(4, 0), round(8, 0, 0.4),
];

// The number of the combination in the list of costs: sides change fastest, then widths.
function place({ widths, sides }, [depth, width, side]) {
  return (depth * widths.length + width) * sides.length + side;
}

const percent = (share) => `${(100 * share).toFixed(1)}\u00a0%`;
const times = (ratio) => `${ratio.toFixed(2)} times`;

function render({ model, el }) {
  const state = model.get("state"), { depths, widths, sides, costs, known, target } = state;
  const root = widget("scaling", "Scaling lab");
  const axes = [["blocks", depths, (v) => times(v)], ["maps", widths, (v) => times(v)], ["pixels a side", sides, String]];
  const sliders = axes.map(([, values]) =>
    make("input", { type: "range", min: 0, max: values.length - 1, value: 0, step: 1 }));
  const picture = make("canvas", { class: "cnn-chart", role: "img" });
  picture.width = 2 * WIDE, picture.height = 2 * HIGH;
  const said = make("output", { class: "cnn-said", "aria-live": "polite" });

  const work = (choice) => costs[place(state, choice)][1] / costs[0][1];
  const index = ({ choice }) => [depths.indexOf(choice[0]), widths.indexOf(choice[1]), sides.indexOf(choice[2])];
  const most = work([depths.length - 1, widths.length - 1, sides.length - 1]);
  const shares = known.flatMap(({ found }) => found);
  const low = Math.min(...shares) - 0.01, high = Math.max(...shares) + 0.02;
  const x = (ratio) => EDGE + ((WIDE - 2 * EDGE) * Math.log(ratio)) / Math.log(most);
  const y = (share) => 14 + ((HIGH - 50) * (high - share)) / (high - low);

  const drawn = known.map((net, k) => ({ ...net, at: x(work(index(net))), mark: MARKS[k % MARKS.length] }))
    .sort((a, b) => b.found[0] - a.found[0]);

  function draw() {
    const chosen = sliders.map((slider) => Number(slider.value)), [parameters, macs] = costs[place(state, chosen)];
    const ratio = work(chosen), ink = getComputedStyle(root).color, context = picture.getContext("2d");
    context.setTransform(2, 0, 0, 2, 0, 0);
    context.clearRect(0, 0, WIDE, HIGH);
    context.font = "12px sans-serif", context.fillStyle = context.strokeStyle = ink, context.lineWidth = 1;
    const line = (x1, y1, x2, y2) => { context.beginPath(); context.moveTo(x1, y1); context.lineTo(x2, y2); context.stroke(); };
    const marked = (corners, across, down) => {
      context.beginPath();
      for (const [right, low] of corners) context.lineTo(across + right, down + low);
      context.closePath();
      context.fillStyle = "#0072b2", context.strokeStyle = "#ffffff";
      context.fill();
      context.stroke();
      context.fillStyle = context.strokeStyle = ink;
    };
    line(EDGE, HIGH - 34, WIDE - 10, HIGH - 34);
    line(EDGE, 8, EDGE, HIGH - 34);
    for (const tick of [1, 2, 4, 8, 16, 32, 64].filter((tick) => tick <= most)) context.fillText(`${tick}×`, x(tick) - 8, HIGH - 18);
    for (let tick = Math.ceil(low * 50) / 50; tick <= high; tick += 0.02) context.fillText(`${Math.round(100 * tick)}\u00a0%`, 6, y(tick) + 4);
    context.fillText("multiply-adds, as a multiple of the small net's", EDGE + 90, HIGH - 3);
    context.setLineDash([4, 4]);
    line(x(target), 8, x(target), HIGH - 34);
    context.setLineDash([]);
    context.strokeStyle = "#d55e00", context.lineWidth = 3;
    line(x(ratio), 8, x(ratio), HIGH - 34);
    context.strokeStyle = ink, context.lineWidth = 1;
    for (const { found: [, least, greatest], at } of drawn) line(at, y(least), at, y(greatest));
    for (const { found: [mean], at, mark } of drawn) marked(mark, at, y(mean));
    const top = HIGH - 46 - 18 * drawn.length;
    context.clearRect(LEGEND, top, WIDE - LEGEND, 18 * drawn.length + 4);  // the orange line passes behind the names
    context.strokeRect(LEGEND, top, WIDE - LEGEND - 1, 18 * drawn.length + 4);
    drawn.forEach(({ name, found: [mean], mark }, row) => {
      marked(mark, LEGEND + 14, top + 11 + 18 * row);
      context.fillStyle = ink;
      context.fillText(`${name}, ${percent(mean)}`, LEGEND + 28, top + 15 + 18 * row);
    });
    const here = known.find((net) => String(index(net)) === String(chosen));
    const record = here
      ? `Recorded, ${here.name}: ${percent(here.found[0])}, mean of ${here.runs} runs.`
      : "This one is not recorded here.";
    said.textContent = `${parameters.toLocaleString("en")} parameters, ${macs.toLocaleString("en")} multiply-adds, ` +
      `${times(ratio)} the small net's work. ${record}`;
    sliders.forEach((slider, k) => slider.setAttribute("aria-valuetext", axes[k][2](axes[k][1][chosen[k]])));
    readings.forEach((reading, k) => { reading.textContent = axes[k][2](axes[k][1][chosen[k]]); });
    picture.setAttribute("aria-label", `Accuracy over work. ${known.map((net) =>
      `${net.name}: ${percent(net.found[0])} at ${times(work(index(net)))}`).join("; ")}. Yours: ${times(ratio)}.`);
  }

  const readings = axes.map(() => make("span"));
  const controls = axes.map(([name], k) => {
    const node = control(name, sliders[k]);
    node.append(readings[k]);
    return node;
  });
  sliders.forEach((slider) => slider.addEventListener("input", draw));
  root.append(make("div", { class: "cnn-controls" }, ...controls), picture, said);
  el.append(root);
  requestAnimationFrame(draw);  // the ink's colour is known once it is on the page
  const themes = new MutationObserver(draw);  // and another one when the reader turns the light off
  for (const place of [document.documentElement, document.body]) themes.observe(place, { attributes: true });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", draw);
  draw();
  return () => {
    themes.disconnect();
    dark.removeEventListener("change", draw);
  };
}

export default { render, place };
