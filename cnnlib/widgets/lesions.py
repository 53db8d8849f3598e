"""The lesion lab: tick blocks off trained networks, and see how much they still know."""

from collections.abc import Callable, Mapping, Sequence

from traitlets import Bool, Dict, List

from cnnlib.experiments.lesions import BLOCKS as STAGE
from cnnlib.plots import Picture
from cnnlib.records import Record
from cnnlib.widgets.live import Live, spread

BLOCKS = 3 * STAGE
# Recorded, as the single blocks are.
SETS = {"without first three": range(3), "without last three": range(BLOCKS - 3, BLOCKS)}


class LesionLab(Live):
    """Tick off blocks of several trained networks of 15 blocks; bars show what they still name rightly.

    `recorded` holds by network the runs of the experiment `lesions`, whose `test` knows every single block, and perhaps
    the first three and the last three: these the lab answers from anywhere. For other blocks it asks
    `measure(network, blocks)`, in a notebook whose kernel runs; it returns an accuracy, or None for a network that is
    not there. `picture` stands where nothing can be touched.
    """

    name = "lesions"
    alive = Bool(False).tag(sync=True)  # is there a kernel to ask?
    cut = List().tag(sync=True)  # the blocks that are ticked off
    answer = Dict().tag(sync=True)  # {"cut": blocks, "found": {network: accuracy}}

    def __init__(
        self,
        recorded: Mapping[str, Sequence[Record]],
        picture: Picture,
        measure: Callable[[str, Sequence[int]], float | None] | None = None,
    ) -> None:
        nets = [
            {
                "name": name,
                "runs": len(runs),
                "whole": spread([run.accuracy for run in runs]),
                "without": [spread([run.test[f"without {block}"] for run in runs]) for block in range(BLOCKS)],
                "sets": [
                    [list(blocks), spread([run.test[taken] for run in runs])]
                    for taken, blocks in SETS.items()
                    if all(taken in run.test for run in runs)
                ],
            }
            for name, runs in recorded.items()
        ]
        super().__init__({"stage": STAGE, "nets": nets}, picture)
        self.names, self.measure, self.alive = list(recorded), measure, measure is not None
        self.observe(self.cut_out, "cut")

    def cut_out(self, change: Mapping) -> None:
        """Measure the networks without the blocks that the reader ticked off."""
        blocks = change["new"]
        found = {name: self.measure(name, blocks) for name in self.names} if self.measure else {}
        self.answer = {"cut": blocks, "found": {name: value for name, value in found.items() if value is not None}}
