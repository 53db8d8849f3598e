// The lesion lab: blocks to tick off, and for each network a bar of what it still names rightly.

const percent = (share) => `${(100 * share).toFixed(1)} %`;

// What is known without asking anybody: the whole network, and each block by itself. Null for several blocks.
function known(net, cut) {
  if (cut.length > 1) return null;
  const [mean, least, most] = cut.length ? net.without[cut[0]] : net.whole;
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
    const bar = make("div", { class: "cnn-bar" }), text = make("span");
    const row = make("div", { class: "cnn-row" }, make("b", {}, net.name), make("div", { class: "cnn-track" }, bar), text);
    return { net, bar, text, row };
  });

  const cut = () => ticks.flatMap((tick, block) => (tick.checked ? [] : [block]));

  function draw() {
    const now = cut(), answer = model.get("answer");
    const fresh = answer?.cut && String(answer.cut) === String(now) ? answer.found : {};
    const waiting = model.get("alive") && String(answer?.cut ?? "") !== String(now);
    for (const { net, bar, text } of rows) {
      let found = known(net, now);
      if (!found && net.name in fresh) found = { share: fresh[net.name], how: "your net, measured just now" };
      bar.style.width = found ? percent(found.share).replace(" ", "") : "0";
      text.textContent = found ? `${percent(found.share)} (${found.how})` : waiting ? "measuring …" : "not recorded";
    }
    const heard = rows.map(({ net, text }) => `${net.name}: ${text.textContent.split(" (")[0]}`).join("; ");
    const why = now.length < 2 || model.get("alive") ? ""
      : " Single blocks were recorded; several are measured where a kernel runs.";
    said.textContent = `${now.length ? `Without block ${now.join(", ")}` : "All blocks"}: ${heard}.${why}`;
  }

  function ask() {
    if (model.get("alive") && cut().length > 1) {
      model.set("cut", cut());
      model.save_changes();
    }
    draw();
  }

  model.on("change:answer", draw);
  root.append(stages, ...rows.map(({ row }) => row), make("div", { class: "cnn-controls" }, reset), said);
  el.append(root);
  draw();
}

export default { render, known };
