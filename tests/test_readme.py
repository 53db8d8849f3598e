import re
import runpy

from cnnlib.records import DATA

README = (DATA.parent / "README.md").read_text(encoding="utf-8")


def test_the_picture_s_sentence_is_made_from_the_recorded_runs():
    (alt,) = re.findall(r"!\[([^]]+)\]\(data/pixel-shuffle.png\)", README)
    assert " ".join(alt.split()) == runpy.run_path(str(DATA / "picture.py"))["picture"]().alt


def test_every_file_that_it_links_to_is_there():
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    assert len(links) > 3 and all((DATA.parent / link).exists() for link in links)


def test_a_command_is_written_as_it_can_be_typed_after_the_install():
    for program in ("python", "torchrun"):
        calls = re.findall(rf"(\S*){program} [^`\n]*-m cnnlib", README)
        assert calls and {call.lstrip("`") for call in calls} == {".venv/bin/"}
