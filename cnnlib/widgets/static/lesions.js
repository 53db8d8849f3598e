// The lesion lab: blocks to tick off, and for each network a bar of what it still names rightly.

const SECONDS = 8;  // after so many without an answer, the kernel is taken for gone
const percent = (share) => `${(100 * share).toFixed(1)}\u00a0%`;
const listed = (cut) => [...cut.slice(0, -2), cut.slice(-2).join(" and ")].join(", ");  // "1, 2 and 3"

// What is known without asking anybody: the whole network, each block by itself, some sets. Null for any others.
function known(net, cut) {
  const several = () => net.sets.find(([blocks]) => String(blocks) === String(cut))?.[1];
  const found = [net.whole, net.without[cut[0]]][cut.length] ?? several();
  if (!found) return null;
  const [mean, least, most] = found;
  return { share: mean, how: `recorded, mean of ${net.runs} runs: ${percent(least)} to ${percent(most)}` };
}

function render({ model, el }) {
  const { nets, stage } = model.get("state"), blocks = nets[0].without.length;
  const root = widget("lesions", "Lesion lab");
  const said = make("output", { class: "cnn-said", "aria-live": "polite" });
  const ticks = [];
  const stages = make("div", { class: "cnn-controls" });
  for (let first = 0; first < blocks; first += stage) {
    const set = make("fieldset", { class: "cnn-blocks" }, make("legend", {}, `stage ${first / stage + 1}`));
    for (let block = first; block < Math.min(first + stage, blocks); block++) {
      const tick = make("input", { type: "checkbox" });
      tick.checked = true;
      tick.addEventListener("change", ask);
      ticks.push(tick);
      set.append(control(`block ${block}`, tick));
    }
    stages.append(set);
  }
  const reset = make("button", { type: "button" }, "All blocks back");
  reset.addEventListener("click", () => {
    ticks.forEach((tick) => { tick.checked = true; });
    ask();
  });
  const rows = nets.map((net) => {
    const bar = make("div", { class: "cnn-bar" }), text = make("span"), track = make("div", { class: "cnn-track" }, bar);
    return { net, bar, text, track, row: make("div", { class: "cnn-row" }, make("b", {}, net.name), track, text) };
  });
  let timer = null, silent = false;

  const cut = () => ticks.flatMap((tick, block) => (tick.checked ? [] : [block]));

  function draw() {
    const now = cut(), answer = model.get("answer");
    const fresh = answer?.cut && String(answer.cut) === String(now) ? answer.found : {};
    const waiting = model.get("alive") && String(answer?.cut ?? "") !== String(now);
    for (const { net, bar, text, track } of rows) {
      let found = known(net, now);
      if (!found && net.name in fresh) found = { share: fresh[net.name], how: "your net, measured just now" };
      bar.style.width = found ? `${100 * found.share}%` : "0";
      track.classList.toggle("cnn-unknown", !found);
      const missing = waiting ? (silent ? "no answer" : "measuring …") : "not recorded";
      text.textContent = found ? `${percent(found.share)} (${found.how})` : missing;
    }
    const heard = rows.map(({ net, text }) => `${net.name}: ${text.textContent.split(" (")[0]}`).join("; ");
    let why = "";
    if (nets.some((net) => !known(net, now))) {
      const sets = nets[0].sets.map(([blocks]) => `; blocks ${listed(blocks)}`).join("");
      if (!model.get("alive")) why = ` Recorded: single blocks${sets}. Others are measured where a kernel runs.`;
      else if (waiting && silent) why = " The kernel does not answer: run the cell again.";
    }
    const without = `Without block${now.length > 1 ? "s" : ""} ${listed(now)}`;
    said.textContent = `${now.length ? without : "All blocks"}: ${heard}.${why}`;
  }

  function ask() {
    clearTimeout(timer);
    silent = false;
    if (model.get("alive") && nets.some((net) => !known(net, cut()))) {
      timer = setTimeout(() => { silent = true; draw(); }, 1000 * SECONDS);
      model.set("cut", cut());
      model.save_changes();
    }
    draw();
  }

  model.on("change:answer", draw);
  root.append(stages, ...rows.map(({ row }) => row), make("div", { class: "cnn-controls" }, reset), said);
  el.append(root);
  draw();
  return () => clearTimeout(timer);
}

export default { render, known };
