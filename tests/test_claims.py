import pytest

from cnnlib.claims import Score, beats, claim, verdict


def scores(*accuracies: float, first: int = 0) -> list[Score]:
    return [Score(first + number, accuracy) for number, accuracy in enumerate(accuracies)]


def test_claim_prints_its_mark_and_never_raises(capsys):
    claim("Two and two are four.", 2 + 2 == 4)
    claim("Two and two are five.", 2 + 2 == 5)
    assert capsys.readouterr().out == "✓ Two and two are four.\n✗ Two and two are five.\n"


@pytest.mark.parametrize(
    ("cases", "word"),
    [
        (True, "holds"),
        (False, "does not hold"),
        ([True, True], "holds"),
        ([True, False], "it depends"),
        ([0, 0], "does"),
    ],
)
def test_verdict_knows_yes_no_and_it_depends(capsys, cases, word):
    verdict("Deeper is better.", cases, because="we measured it")
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(word) and "Deeper is better." in first
    assert second.strip() == "we measured it"


def test_beats_needs_the_margin():
    assert beats(scores(0.96, 0.97, 0.95), scores(0.88, 0.90, 0.87), by=0.05)
    assert not beats(scores(0.96, 0.97, 0.95), scores(0.88, 0.90, 0.87), by=0.10)


def test_beats_refuses_a_gain_within_the_noise():
    lucky = scores(0.99, 0.80, 0.80)
    assert not beats(lucky, scores(0.80, 0.79, 0.81), by=0.01)  # a mean gain of six points, from one run


@pytest.mark.parametrize(("gains", "wins"), [((0.02, 0.08, 0.05), True), ((0.00, 0.10, 0.05), False)])
def test_beats_takes_two_standard_errors_for_the_noise(gains, wins):
    # Both gain five points in the mean; the standard errors are 1.7 and 2.9 points.
    assert beats(scores(*(0.5 + gain for gain in gains)), scores(0.5, 0.5, 0.5), by=0.01) == wins


def test_beats_pairs_runs_by_seed_whatever_their_order():
    a, b = scores(0.5, 0.7, 0.9), scores(0.4, 0.6, 0.8)
    assert beats(a, b[::-1], by=0.09)


def test_one_run_against_one_run_decides_nothing():
    with pytest.raises(ValueError, match="at least three common seeds"):
        beats(scores(0.9), scores(0.1), by=0.05)
    with pytest.raises(ValueError, match="0 runs share a seed"):
        beats(scores(0.9, 0.9, 0.9), scores(0.1, 0.1, 0.1, first=10), by=0.05)
