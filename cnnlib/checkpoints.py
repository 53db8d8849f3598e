"""An unfinished training on disk: all it takes to go on after its last finished epoch as if it had never stopped."""

import io
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Generator

from cnnlib.parallel import agreed, first, random_states, restore_random
from cnnlib.records import RecordError, replacing

REMEDY = "Delete it, and the run begins anew."


class Stateful(Protocol):
    """A model, an optimizer, a schedule of learning rates."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: dict[str, Any]) -> Any: ...


@dataclass(frozen=True)
class Checkpoint:
    """The file of one training. `about` says which: recipe, data, arm, seed; a file about another one is refused."""

    path: Path
    about: dict[str, Any]

    def save(self, rows: list[dict], parts: Mapping[str, Stateful], generator: Generator | None) -> None:
        """Write the finished epochs, the state of each part and of all that draws at random; whole, or not at all.

        OSError, with a sentence, where that is impossible.
        """
        if not first():
            return
        states = {name: part.state_dict() for name, part in parts.items()}
        state = {"about": self.about, "rows": rows, "states": states, "random": random_states(generator)}
        written = io.BytesIO()
        torch.save(state, written)
        with replacing(self.path) as temporary:
            temporary.write_bytes(written.getbuffer())

    def restore(self, parts: Mapping[str, Stateful], generator: Generator | None) -> list[dict]:
        """Put everything back as it was; the rows of the finished epochs. Without a file none, and nothing is done.

        RecordError for a file that is broken, or about another training.
        """
        state = agreed(self.read() if first() else None)
        if state is None:
            return []
        try:
            for name, part in parts.items():
                part.load_state_dict(state["states"][name])
            restore_random(state["random"], generator)
            return state["rows"]
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise RecordError(f"{self.path} is not a state of this net ({reason}). {REMEDY}") from error

    def read(self) -> dict[str, Any] | None:
        """What the file holds; None if there is none."""
        if not self.path.exists():
            return None
        try:
            state = torch.load(self.path, map_location="cpu", weights_only=True)
            about = state["about"]
        except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, KeyError, TypeError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise RecordError(f"{self.path} is no whole state of an unfinished run ({reason}). {REMEDY}") from error
        if about != self.about:
            names = sorted(name for name in {*about, *self.about} if about.get(name) != self.about.get(name))
            raise RecordError(f"{self.path} was left by another run: it differs in {', '.join(names)}. {REMEDY}")
        return state

    def remove(self) -> None:
        """The training is finished."""
        if first():
            self.path.unlink(missing_ok=True)
