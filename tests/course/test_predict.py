import nbformat
import pytest
from nbclient import NotebookClient

from cnnlib.course.predict import answered, answers, predict
from cnnlib.publish.pairs import WIDGET_VIEW
from cnnlib.widgets import MIME

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


def test_nothing_is_chosen_before_the_answer():
    assert predict(QUESTION, OPTIONS).answer is None and answered(QUESTION) is None


def test_the_answer_chosen_last_is_remembered():
    prediction = predict(QUESTION, OPTIONS)
    prediction.answer = "the convolutional one"
    assert answered(QUESTION) == "the convolutional one"
    prediction.answer = "the fully connected one"
    assert answered(QUESTION) == "the fully connected one"


def test_each_question_has_an_answer_of_its_own():
    first, second = predict(QUESTION, OPTIONS), predict("And on photographs?", OPTIONS)
    first.answer, second.answer = "the convolutional one", "both <of them>"
    assert [answered(QUESTION), answered("And on photographs?")] == ["the convolutional one", "both <of them>"]


@pytest.mark.slow
def test_a_stored_notebook_holds_the_whole_text_and_what_a_page_needs():
    ask = f"from cnnlib.course.predict import answered, predict\npredict({QUESTION!r}, {OPTIONS!r})"
    cells = [nbformat.v4.new_code_cell(source) for source in (ask, f"print(answered({QUESTION!r}))")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, kernel_name="python3", store_widget_state=False).execute()
    data = notebook.cells[0].outputs[0].data
    assert set(data) == {"text/plain", MIME, WIDGET_VIEW}
    assert data["text/plain"] == TEXT
    assert data[MIME] == {"widget": "predict", "state": predict(QUESTION, OPTIONS).state}
    assert notebook.cells[1].outputs[0].text == "None\n"
