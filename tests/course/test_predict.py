import nbformat
import pytest
from nbclient import NotebookClient

from cnnlib.course.predict import answered, answers, predict

QUESTION = "Scrambled digits: which network gets worse?"
OPTIONS = {
    "the fully connected one": "It gives every pixel a weight of its own: does it know which pixels are neighbours?",
    "the convolutional one": "What does it take for granted about neighbours?",
    "both <of them>": "Is there anything in 'x & y' that moves with the pixels?",
}
TEXT = f"{QUESTION}\n  a) the fully connected one\n  b) the convolutional one\n  c) both <of them>"


@pytest.fixture(autouse=True)
def forgotten():
    answers.clear()


def test_nothing_is_chosen_and_nothing_told_before_the_answer():
    prediction = predict(QUESTION, OPTIONS)
    assert prediction.choice.value is None and prediction.feedback.value == "" and answered(QUESTION) is None


def test_the_answer_is_remembered_and_met_with_its_own_feedback():
    prediction = predict(QUESTION, OPTIONS)
    prediction.choice.value = "the convolutional one"
    assert answered(QUESTION) == "the convolutional one"
    assert "What does it take for granted" in prediction.feedback.value
    assert 'aria-live="polite"' in prediction.feedback.value
    prediction.choice.value = "the fully connected one"
    assert answered(QUESTION) == "the fully connected one" and "for granted" not in prediction.feedback.value


def test_texts_are_texts_not_html():
    prediction = predict("a < b?", OPTIONS)
    prediction.choice.value = "both <of them>"
    assert "x &amp; y" in prediction.feedback.value and "a &lt; b?" in prediction.children[0].value


def test_the_choice_has_a_label():
    assert predict(QUESTION, OPTIONS).choice.description == "Your answer:"


def test_the_text_is_the_question_and_the_answers_and_never_changes():
    prediction = predict(QUESTION, OPTIONS)
    assert repr(prediction) == TEXT
    prediction.choice.value = "both <of them>"
    assert repr(prediction) == TEXT and repr(predict(QUESTION, OPTIONS)) == TEXT


@pytest.mark.slow
def test_a_stored_notebook_holds_the_whole_text_and_no_feedback():
    ask = f"from cnnlib.course.predict import answered, predict\npredict({QUESTION!r}, {OPTIONS!r})"
    cells = [nbformat.v4.new_code_cell(source) for source in (ask, f"print(answered({QUESTION!r}))")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, kernel_name="python3", store_widget_state=False).execute()
    data = notebook.cells[0].outputs[0].data
    assert data["text/plain"] == TEXT
    assert set(data) == {"text/plain", "application/vnd.jupyter.widget-view+json"}
    assert "for granted" not in str(notebook.cells[0].outputs)
    assert notebook.cells[1].outputs[0].text == "None\n"
