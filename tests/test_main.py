import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

import cnnlib.__main__
from cnnlib import records
from cnnlib.__main__ import main
from cnnlib.datasets import digits
from cnnlib.experiments import pixel_shuffle, running
from cnnlib.publish import lint, pairs, sabotage
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


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--size", "huge"], "pixel-shuffle has no size huge; there are: live, full"),
        (["--data", "imagenet"], "no data are called imagenet; there are: digits, fashion, mnist, fashion_mnist, cifa"),
        (["--device", "abacus", "--seeds", "99"], "CNNLIB_DEVICE is 'abacus', which this machine does not have"),
    ],
)
def test_run_says_what_there_is_instead(capsys, monkeypatch, words, sentence):
    monkeypatch.setenv("CNNLIB_DEVICE", "cpu")  # put back at the end
    assert main(["run", "pixel-shuffle", *words]) == 1
    assert sentence in capsys.readouterr().err


def test_run_lists_sizes_and_what_is_recorded(capsys):
    assert main(["run", "pixel-shuffle", "--list"]) == 0
    assert "size full: fashion_mnist, 10 epochs, 3 seeds; 24 runs in pixel-shuffle-full" in capsys.readouterr().out


def test_another_setting_has_another_name_and_its_record_says_so(capsys, tmp_path):
    other = [
        "--seeds",
        "1",
        "--epochs",
        "1",
        "--data",
        "fashion",
        "--precision",
        "bfloat16",
        "--arms",
        "mlp-none",
        "--rate",
        "2",
    ]
    assert main(["run", "pixel-shuffle", *other, "--arms", "mlp-none", "--folder", str(tmp_path)]) == 0
    record = records.read(tmp_path / "pixel-shuffle-fashion-1-epochs-rate-2-bfloat16" / "mlp-none-0.json")
    assert (record.data, len(record.epochs), record.recipe["bfloat16"]) == ("fashion", 1, True)
    assert record.recipe["learning_rate"] == 2 * pixel_shuffle.LIVE.recipe.learning_rate
    assert "mlp-none, seed 0: test accuracy" in capsys.readouterr().err


def test_results_shows_mean_spread_and_number(capsys, monkeypatch, tmp_path):
    for seed in range(3):
        records.write(records.Record(**vars(RECORD) | {"seed": seed}), "demo", tmp_path)
    monkeypatch.setattr(records, "RUNS", tmp_path)
    monkeypatch.setattr(records.read_all, "__defaults__", (tmp_path,))
    assert main(["results", "demo"]) == 0
    assert "cnn-none" in (out := capsys.readouterr().out) and "90.0%" in out and "    3" in out


def test_results_pass_over_a_setting_whose_first_run_is_under_way(capsys, tmp_path):
    records.write(RECORD, "demo", tmp_path)
    (tmp_path / "early").mkdir()
    (tmp_path / "early" / ".cnn-none-0.unfinished").touch()
    assert main(["results", "--folder", str(tmp_path)]) == 0
    assert "demo" in (out := capsys.readouterr().out) and "early" not in out


def test_data_that_an_experiment_is_not_made_for_are_refused(capsys, monkeypatch, tmp_path):
    colours = tuple(replace(part[:64], pixels=part[:64].pixels.repeat(1, 3, 1, 1)) for part in digits())
    monkeypatch.setitem(running.DATA, "cifar10", lambda: colours)
    assert main(["run", "lenets", "--data", "cifar10", "--seeds", "1", "--folder", str(tmp_path)]) == 1
    errors = capsys.readouterr().err
    assert "linear, seed 0: " in errors and "The other runs go on." in errors
    assert errors.rstrip().endswith("lenets may not be made for cifar10; its sizes use fashion, fashion_mnist.")


def test_results_of_nothing_says_where_to_look(capsys):
    assert main(["results", "no-such-thing"]) == 1
    assert "no runs recorded as no-such-thing" in capsys.readouterr().err


def test_an_unknown_chapter_is_named(capsys):
    assert main(["check", "99"]) == 1
    assert "no chapter is called 99" in capsys.readouterr().err


def test_a_command_is_required():
    with pytest.raises(SystemExit):
        main([])


def test_an_unknown_experiment_is_named(capsys):
    assert main(["run", "nosuch"]) == 1
    assert "no experiment is called nosuch; there are: pixel-shuffle" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--seeds", "--threads"])
@pytest.mark.parametrize("number", ["0", "-1", "2.5", "many"])
def test_numbers_of_seeds_and_threads_are_positive(capsys, option, number):
    with pytest.raises(SystemExit) as stopped:
        main(["check", f"{option}={number}"])
    assert stopped.value.code == 2 and f"{number} is not a whole number from 1 upwards" in capsys.readouterr().err


@pytest.mark.parametrize("option", [["--seeds", "2"], ["--threads", "1"], ["--device", "cpu"]])
def test_sabotage_takes_none_of_check_s_options(capsys, option):
    assert main(["check", "--sabotage", *option]) == 1
    assert "--sabotage sets its own seeds and device" in capsys.readouterr().err


def test_results_without_any_record_says_so(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(records, "RUNS", tmp_path)
    assert main(["results"]) == 1
    assert "no runs are recorded yet" in capsys.readouterr().err


@pytest.mark.parametrize(("left", "code"), [([], 0), (["A claim."], 1)])
def test_lint_and_sabotage_fail_where_something_is_left(capsys, monkeypatch, left, code):
    monkeypatch.setattr(lint, "problems", lambda notebook: left)
    monkeypatch.setattr(sabotage, "survivors", lambda names: left)
    assert main(["lint"]) == main(["check", "--sabotage"]) == code
    assert ("no sabotage turns: A claim." in capsys.readouterr().out) == bool(left)


def test_chapters_and_decks_are_found_from_any_folder():
    assert pairs.CHAPTERS == cnnlib.__main__.CHAPTERS
    assert pairs.CHAPTERS.parent / "build" / "slides" == cnnlib.__main__.DECKS


@pytest.mark.slow
def test_a_console_of_another_encoding_and_a_reader_who_leaves_do_no_harm():
    command = [sys.executable, "-m", "cnnlib"]
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run([*command, "check", "×"], capture_output=True, env=environment, cwd=records.DATA.parent)
    assert done.returncode == 1 and "no chapter is called ×" in done.stderr.decode()
    with subprocess.Popen([*command, "results"], stdout=-1, stderr=-1, cwd=records.DATA.parent) as process:
        process.stdout.close()
        assert process.stderr.read() == b"" and process.wait() == 1


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
def test_ctrl_c_keeps_what_is_finished(tmp_path):
    code = f"""
import sys
from dataclasses import replace
from cnnlib.__main__ import main
from cnnlib.experiments import pixel_shuffle
from tests.experiments.test_pixel_shuffle import few
pixel_shuffle.LIVE = replace(pixel_shuffle.LIVE, data=few)
sys.exit(main(["run", "pixel-shuffle", "--seeds", "500", "--folder", {str(tmp_path)!r}]))
"""
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=-1, stderr=-1, text=True, cwd=records.DATA.parent) as process:
        end = time.monotonic() + 60
        while len(list(tmp_path.glob("*/[!.]*.json"))) < 2:
            assert time.monotonic() < end and process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and "stopped: the same command goes on after the last finished epoch" in errors
    assert len(records.read_all("pixel-shuffle", tmp_path)) >= 2
