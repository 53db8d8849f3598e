"""A question before a key cell: the reader commits to an answer, and only then is told what it suggests."""

from html import escape
from string import ascii_lowercase
from typing import Any

from ipywidgets import HTML, RadioButtons, VBox

answers: dict[str, str] = {}  # question: the answer chosen last


class Prediction(VBox):
    """A question with its answers to choose from. Stored, it is the question and the answers as text, no more."""

    def __init__(self, question: str, options: dict[str, str]) -> None:
        self.question, self.options = question, options
        self.choice = RadioButtons(
            options=list(options),
            value=None,  # nobody has answered yet
            description="Your answer:",
            style={"description_width": "initial"},
            layout={"width": "max-content"},
        )
        self.feedback = HTML()
        self.choice.observe(self.commit, "value")
        super().__init__([HTML(f"<p><strong>{escape(question)}</strong></p>"), self.choice, self.feedback])

    def commit(self, change: Any) -> None:
        """Remember the answer and show its feedback."""
        answers[self.question] = change["new"]
        text = escape(self.options[change["new"]])
        self.feedback.value = f'<div role="status" aria-live="polite">{text}</div>'

    def __repr__(self) -> str:
        lettered = (f"  {letter}) {option}" for letter, option in zip(ascii_lowercase, self.options))
        return "\n".join([self.question, *lettered])

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        # ipywidgets cuts the text at 110 characters.
        return super()._repr_mimebundle_(**kwargs) | {"text/plain": repr(self)}


def predict(question: str, options: dict[str, str]) -> Prediction:
    """Ask. `options` maps each answer to the feedback for it, which names the mistake that the answer suggests."""
    return Prediction(question, options)


def answered(question: str) -> str | None:
    """The answer that was chosen, or None if the question was passed over."""
    return answers.get(question)
