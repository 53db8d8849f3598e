import pytest

from cnnlib import records
from cnnlib.__main__ import main
from tests.test_records import RECORD


def test_run_without_a_name_lists_the_experiments(capsys):
    assert main(["run"]) == 0
    assert "pixel-shuffle" in capsys.readouterr().out


def test_run_names_the_arms_when_one_is_unknown(capsys):
    assert main(["run", "pixel-shuffle", "--arms", "cnn-sideways"]) == 1
    assert "no arm cnn-sideways; the arms are mlp-none" in capsys.readouterr().err


def test_run_skips_what_is_recorded(capsys):
    assert main(["run", "pixel-shuffle", "--seeds", "2"]) == 0
    assert "16 runs in data/runs/pixel-shuffle: 0 new, 16 were there already" in capsys.readouterr().out


def test_results_shows_mean_spread_and_number(capsys, monkeypatch, tmp_path):
    for seed in range(3):
        records.write(records.Record(**vars(RECORD) | {"seed": seed}), "demo", tmp_path)
    monkeypatch.setattr(records, "RUNS", tmp_path)
    monkeypatch.setattr(records.read_all, "__defaults__", (tmp_path,))
    assert main(["results", "demo"]) == 0
    assert "cnn-none" in (out := capsys.readouterr().out) and "90.0%" in out and "    3" in out


def test_results_of_nothing_says_where_to_look(capsys):
    assert main(["results", "no-such-thing"]) == 1
    assert "no runs recorded as no-such-thing" in capsys.readouterr().err


def test_an_unknown_chapter_is_named(capsys):
    assert main(["check", "99"]) == 1
    assert "no chapter is called 99" in capsys.readouterr().err


def test_a_command_is_required():
    with pytest.raises(SystemExit):
        main([])
