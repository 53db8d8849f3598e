// Predict, then run: a question, its answers, and what the chosen one suggests.

function render({ model, el }) {
  const { question, answers } = model.get("state"), group = `cnn-predict-${Math.random()}`;
  const root = widget("predict", "Predict, then run");
  const said = make("output", { class: "cnn-said", "aria-live": "polite" });
  const radios = answers.map(() => make("input", { type: "radio", name: group }));
  const rows = answers.map(([answer], index) =>
    make("label", {}, radios[index], make("span", {}, `${String.fromCharCode(97 + index)})`), make("span", {}, answer)));

  function show(index) {
    radios[index].checked = true;
    if (said.textContent !== answers[index][1]) said.textContent = answers[index][1];  // heard once
  }

  // What another view of this question was told, or this one before it was drawn anew.
  function follow() {
    const index = answers.findIndex(([answer]) => answer === model.get("answer"));
    if (index >= 0) show(index);
  }

  radios.forEach((radio, index) => radio.addEventListener("change", () => {
    show(index);
    model.set("answer", answers[index][0]);
    model.save_changes();
  }));
  model.on("change:answer", follow);
  root.append(make("fieldset", {}, make("legend", {}, question), ...rows), said);
  el.append(root);
  follow();
}

export default { render };
