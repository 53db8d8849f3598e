"""A question before a key cell: the reader commits to an answer, and only then is told what it suggests."""

from cnnlib.widgets import Prediction

answers: dict[str, str] = {}  # question: the answer chosen last


def predict(question: str, options: dict[str, str]) -> Prediction:
    """Ask. `options` maps each answer to the feedback for it, which names the mistake that the answer suggests."""
    prediction = Prediction(question, options)
    prediction.observe(lambda change: answers.update({question: change["new"]}), "answer")
    return prediction


def answered(question: str) -> str | None:
    """The answer that was chosen, or None if the question was passed over."""
    return answers.get(question)
