"""Predict, then run: a question before a key cell, answers to choose from, and for each of them what it suggests."""

from collections.abc import Mapping
from string import ascii_lowercase

from traitlets import Unicode

from cnnlib.widgets.live import Live


class Prediction(Live):
    """A question with its answers. Who commits to one is told what it suggests; the others stay untold.

    `options` maps each answer to the feedback for it. Stored, it is the question and the answers as text.
    """

    name = "predict"
    answer = Unicode(None, allow_none=True).tag(sync=True)  # the one chosen last; None: nobody has chosen yet

    def __init__(self, question: str, options: Mapping[str, str]) -> None:
        lettered = (f"  {letter}) {option}" for letter, option in zip(ascii_lowercase, options))
        # Pairs, for a mapping does not keep its order in a browser when answers are numbers.
        state = {"question": question, "answers": [list(pair) for pair in options.items()]}
        super().__init__(state, "\n".join([question, *lettered]))
