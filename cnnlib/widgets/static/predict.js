// Predict, then run: a question, its answers, and what the chosen one suggests.

const STEPS = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

function render({ model, el }) {
  const { question, answers } = model.get("state"), group = `cnn-predict-${Math.random()}`;
  const root = widget("predict", "Predict, then run");
  const said = make("output", { class: "cnn-said", "aria-live": "polite" });
  const radios = answers.map(() => make("input", { type: "radio", name: group }));
  const rows = answers.map(([answer], index) =>
    make("label", {}, radios[index], make("span", {}, `${String.fromCharCode(97 + index)})`), make("span", {}, answer)));
  let committed = -1;  // on a page without a kernel the model keeps nothing

  function say(text) {
    if (said.textContent !== text) said.textContent = text;  // heard once
  }

  function choose(index) {
    radios[index].checked = true;
    radios[index].focus();
    say(index === committed ? answers[index][1] : "Enter: this is my answer.");
  }

  function show(index) {
    committed = index;
    radios[index].checked = true;
    say(answers[index][1]);
  }

  function commit(index) {
    show(index);
    model.set("answer", answers[index][0]);
    model.save_changes();
  }

  // What another view of this question was told, or this one before it was drawn anew.
  function follow() {
    const index = answers.findIndex(([answer]) => answer === model.get("answer"));
    if (index >= 0) show(index);
  }

  radios.forEach((radio, index) => {
    radio.addEventListener("click", () => commit(index));  // by mouse or touch
    radio.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      if (event.key === "Enter" || event.key === " ") commit(index);
      else if (event.key in STEPS) choose((index + STEPS[event.key] + answers.length) % answers.length);
      else return;
      event.preventDefault();  // the browser's own arrow keys click, its space bar only on another one
    });
  });
  model.on("change:answer", follow);
  root.append(make("fieldset", {}, make("legend", {}, question), ...rows), said);
  el.append(root);
  follow();
}

export default { render };
