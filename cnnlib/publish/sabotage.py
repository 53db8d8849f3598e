"""Claims under sabotage: an experiment is broken on purpose, and the chapter's claims about its runs must turn."""

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import ModuleType

from cnnlib import claims
from cnnlib.experiments import EXPERIMENTS
from cnnlib.publish.pairs import ChapterError, read, sources
from cnnlib.records import Record
from cnnlib.training import default_device

SEEDS = 3


@dataclass(frozen=True)
class RunClaim:
    """A call of `claim` in a chapter whose condition speaks of `runs`, the experiment's records by arm."""

    text: str
    call: str
    arms: frozenset[str]

    def holds(self, runs: dict[str, list[Record]]) -> bool:
        """Whether the chapter would print ✓ for these runs. ChapterError where the claim uses names of its chapter."""
        answers = []
        names = vars(claims) | {"runs": runs, "claim": lambda text, holds: answers.append(bool(holds))}
        try:
            exec(self.call, names)
        except NameError as error:
            raise ChapterError(f"claim “{self.text}” uses {error.name}: claims about runs may use only runs") from error
        return answers[0]


def run_claims(cells: Sequence[str], experiment: ModuleType) -> list[RunClaim]:
    """The claims about the experiment's runs among these claim cells."""
    found = []
    for statement in (statement for cell in cells for statement in ast.parse(cell).body):
        names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
        texts = [node.value for node in ast.walk(statement) if isinstance(node, ast.Constant)]
        if {"claim", "runs"} <= names:
            arms = frozenset(text for text in texts if text in experiment.ARMS)
            found.append(RunClaim(statement.value.args[0].value, ast.unparse(statement), arms))
    return found


def sabotage(experiment: ModuleType, spoil: Callable, claim: RunClaim, cache: dict) -> bool:
    """Whether the claim still holds when `spoil` prepares the data of its arms, for three seeds of the live setting."""
    size = replace(experiment.LIVE, seeds=SEEDS)
    for arm in claim.arms:
        if (spoil, arm) not in cache:
            device = default_device()
            cache[spoil, arm] = [experiment.run(arm, seed, size, device, spoil) for seed in range(SEEDS)]
    return claim.holds({arm: cache[spoil, arm] for arm in claim.arms})


def survivors(names: Sequence[str] = (), out: Callable[[str], None] = print) -> list[str]:
    """Break each experiment of the chapters in each of its ways; the claims that should have turned and did not.

    A claim of a chapter that no sabotage is said to turn is a survivor too.
    """
    found = []
    for source in sources(names):
        cells = read(source).cells
        claim_cells = [cell.source for cell in cells if "claim" in cell.metadata.get("tags", ())]
        text = "\n".join(cell.source for cell in cells)
        spoken_of: set[str] = set()  # texts of the claims that name an arm of an experiment
        for experiment in EXPERIMENTS.values():
            if f"{experiment.__name__.rpartition('.')[2]}.LIVE" not in text:
                continue  # the chapter does not train it
            waiting, cache = [claim for claim in run_claims(claim_cells, experiment) if claim.arms], {}
            spoken_of |= {claim.text for claim in waiting}
            for spoil, words in experiment.SABOTAGES.items():
                out(f"{source.stem}, {spoil.__doc__}")
                for claim in [claim for claim in waiting if any(word in claim.text for word in words)]:
                    holds = sabotage(experiment, spoil, claim, cache)
                    out(f"    {'still holds' if holds else 'turns ✗'}: {claim.text}")
                    if not holds:
                        waiting.remove(claim)
            found += [claim.text for claim in waiting]
        found += [claim.text for claim in run_claims(claim_cells, experiment) if claim.text not in spoken_of]
    return found


def check_sabotage(names: Sequence[str] = ()) -> int:
    """Print what each sabotage does; 1 if a claim survives all that should turn it."""
    left = survivors(names)
    for text in left:
        print(f"no sabotage turns: {text}")
    return int(bool(left))
