import pytest

from cnnlib.claims import Score
from cnnlib.experiments import pixel_shuffle
from cnnlib.publish.pairs import ChapterError, read, sources
from cnnlib.publish.sabotage import RunClaim, run_claims, survivors


def scores(value: float) -> list[Score]:
    return [Score(seed, value + 0.001 * seed) for seed in range(3)]


def test_only_claims_about_runs_are_found_with_their_arms():
    cells = [
        'claim("A", two == 2)\nverdict("B", runs["cnn-all"], because="")',
        'claim("C", beats(runs["cnn-none"], runs["cnn-all"], by=0.1))',
    ]
    (found,) = run_claims(cells, pixel_shuffle)
    assert (found.text, found.arms) == ("C", {"cnn-none", "cnn-all"})
    assert found.holds({"cnn-none": scores(0.9), "cnn-all": scores(0.7)})
    assert not found.holds({"cnn-none": scores(0.9), "cnn-all": scores(0.9)})


def test_a_claim_that_prints_nothing_is_an_error_not_a_pass():
    assert (
        RunClaim("x", 'claim("x", mean_accuracy(runs["a"]) > 0.5)', frozenset("a")).holds({"a": scores(0.4)}) is False
    )


def test_chapter_03_speaks_of_every_arm():
    cells = [cell.source for cell in read(*sources(["03"])).cells if "claim" in cell.metadata.get("tags", ())]
    assert set().union(*(claim.arms for claim in run_claims(cells, pixel_shuffle))) == set(pixel_shuffle.ARMS)


@pytest.mark.slow
def test_every_claim_about_runs_turns_under_a_sabotage():
    assert survivors(out=lambda line: None) == []


def test_a_claim_about_runs_that_uses_the_chapter_s_names_is_named():
    claim = RunClaim("It learns", 'claim("It learns", mean_accuracy(runs["a"]) > chance)', frozenset("a"))
    with pytest.raises(ChapterError, match="claim “It learns” uses chance: claims about runs may use only runs"):
        claim.holds({"a": scores(0.4)})
