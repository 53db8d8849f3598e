"""For each exercise: right answers, written in several ways, pass; usual wrong ones do not, and are named.

Also the chapter's glossary and its table of chapters.
"""

import re
from itertools import pairwise

import nbformat
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from cnnlib.claims import claim
from cnnlib.course.exercises import ch00
from cnnlib.datasets import digits
from cnnlib.publish.pairs import CHAPTERS
from tests.course.answers import answer_tests, output

CELLS = [cell.source for cell in nbformat.read(CHAPTERS / "00_start.ipynb", as_version=4).cells]
GLOSSARY = next(source for source in CELLS if source.startswith("## Glossary"))
ENTRY = re.compile(r"- <a id=\"([a-z-]+)\"></a>\*\*([^*]+)\*\*([^(:]*) \((\d\d)\): (.+)")


def entries() -> list[re.Match]:
    """The glossary's entries: id, term, what stands beside it, chapter, sentence."""
    lines = re.sub(r"\n  +", " ", GLOSSARY).splitlines()
    return [ENTRY.fullmatch(line) or pytest.fail(line) for line in lines if line.startswith("- ")]


# grey


def grey_by_hand(image):
    values = image.float()
    return ((values[0] + values[1] + values[2]) / 3)[None]


def grey_by_loops(image):
    result = torch.zeros(1, *image.shape[1:])
    for row in range(image.shape[1]):
        for column in range(image.shape[2]):
            result[0, row, column] = sum(image[:, row, column].tolist()) / 3
    return result


GREY_RIGHT = [
    lambda image: image.float().mean(0, keepdim=True),
    grey_by_hand,
    grey_by_loops,
    lambda image: image.numpy().mean(0, keepdims=True),
    lambda image: (image / 3).sum(0).unsqueeze(0),
    lambda image: F.conv2d(image.float(), torch.full((1, 3, 1, 1), 1 / 3)),
]
GREY_WRONG = [
    ("wrapped round", lambda image: ((image[0] + image[1] + image[2]) / 3)[None]),
    ("axis of channels is lost", lambda image: (image[0] + image[1] + image[2]) / 3),
    ("lost its fraction", lambda image: sum(channel // 3 for channel in image)[None]),
    ("by 255 as well", lambda image: image.float().mean(0, keepdim=True) / 255),
    ("last channel is divided", lambda image: (image[0].float() + image[1] + image[2] / 3)[None]),
    ("whole numbers", lambda image: image.float().mean(0, keepdim=True).byte()),
    ("the sum, not the mean", lambda image: image.sum(0, keepdim=True)),
    ("axis of channels is lost", lambda image: image.float().mean(0)),
    ("one number for the whole image", lambda image: image.float().mean()),
    ("rows or columns", lambda image: image.float().mean(1, keepdim=True)),
    ("rows or columns", lambda image: image.float().mean(2, keepdim=True)),
    ("one channel", lambda image: image[:1]),
    ("three channels", lambda image: image / 3),
    ("weighted", lambda image: (torch.tensor([0.299, 0.587, 0.114])[:, None, None] * image).sum(0, keepdim=True)),
    ("make floats", lambda image: image.mean(0, keepdim=True)),
]

# downward


def downward_by_loops(image):
    rows = [image[:, row].float() - image[:, row - 1].float() for row in range(1, image.shape[1])]
    return torch.stack(rows, dim=1)


DOWNWARD_RIGHT = [
    lambda image: image[:, 1:].float() - image[:, :-1].float(),
    downward_by_loops,
    lambda image: image.int().diff(dim=1),
    lambda image: np.diff(image.numpy().astype(float), axis=1),
    lambda image: F.conv2d(image[:, None].float(), torch.tensor([-1.0, 1.0]).view(1, 1, 2, 1))[:, 0],
]
DOWNWARD_WRONG = [
    ("wrapped round", lambda image: image[:, 1:] - image[:, :-1]),
    ("wrapped round", lambda image: (image[:, 1:] - image[:, :-1]).float()),
    ("sign is turned", lambda image: image[:, :-1].float() - image[:, 1:].float()),
    ("from left to right", lambda image: image[:, :, 1:].float() - image[:, :, :-1].float()),
    ("from channel to channel", lambda image: image[1:].float() - image[:-1].float()),
    ("sign is lost", lambda image: (image[:, 1:].float() - image[:, :-1].float()).abs()),
    ("as many rows", lambda image: image.float() - image.float().roll(1, 1)),
    ("first row is subtracted", lambda image: image[:, 1:].float() - image[:, :1].float()),
    ("two rows apart", lambda image: image[:, 2:].float() - image[:, :-2].float()),
    ("lacks the first", lambda image: image[:, 1:].float() - image.float()),
]

ANSWERS = {"grey": (GREY_RIGHT, GREY_WRONG), "downward": (DOWNWARD_RIGHT, DOWNWARD_WRONG)}


TestAnswers = answer_tests(ch00.EXERCISES, ANSWERS)


@pytest.mark.parametrize("answer", ["seven", [], torch.zeros(2), np.zeros((9, 9, 9)), torch.zeros(3, 4, 5, 6)])
@pytest.mark.parametrize("name", ANSWERS)
def test_nonsense_does_not_stop_the_check(name, answer, capsys):
    assert output(capsys, lambda image: answer, name).startswith("✗ 1 of")


def test_both_exercises_are_in_the_chapter():
    assert [exercise.name for exercise in ch00.EXERCISES] == list(ANSWERS)


@pytest.mark.parametrize(("middle", "marks"), [("8.0", "✓✓"), ("9.0", "✓✗")])
def test_the_claim_that_readers_break_breaks_as_the_text_says(middle, marks, capsys):
    names = {"torch": torch, "F": F, "claim": claim, "digit": digits()[0].pixels[300]}
    for start in ("kernel = ", "place = ", 'claim("Nine'):
        (source,) = [source for source in CELLS if source.startswith(start)]
        exec(source.replace("8.0", middle), names)
    assert "".join(line[0] for line in capsys.readouterr().out.splitlines() if line[0] in "✓✗") == marks


def test_the_glossary_is_in_alphabetical_order_under_its_headings():
    terms = [entry[2].lower() for entry in entries()]
    assert len(terms) >= 50 and all(a < b for a, b in pairwise(terms))
    for part in GLOSSARY.split("\n### ")[1:]:
        first, last = re.match(r"([A-Z]) to ([A-Z])\n", part).groups()
        initials = [letter.upper() for letter in re.findall(r"</a>\*\*(.)", part)]
        assert (initials[0], initials[-1]) == (first, last)


def test_every_entry_is_a_sentence_with_a_chapter_and_an_address_made_of_its_term():
    for entry in entries():
        address, term, _, chapter, sentence = entry.groups()
        assert re.sub(r"[^a-z]+", "-", term.lower()).startswith(address)
        assert 0 <= int(chapter) <= 12 and sentence.endswith(".") and sentence.count(". ") == 0


def test_links_to_the_glossary_lead_to_an_entry():
    there = {entry[1] for entry in entries()}
    wanted = {
        address
        for source in CHAPTERS.glob("*.py")
        for address in re.findall(r"\(00_start\.ipynb#([^)]+)\)", source.read_text(encoding="utf-8"))
    }
    assert wanted <= there


def test_the_table_of_chapters_links_those_that_exist():
    text = (CHAPTERS / "00_start.py").read_text(encoding="utf-8")
    rows = re.findall(r"^# \| (\d\d) \| (?:\[.+\]\((.+)\)|[^\[\n]+) \| .+ \|$", text, re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(13))
    linked = {link for _, link in rows if link}
    there = {path.name for path in CHAPTERS.glob("[0-9]*.ipynb")} - {"00_start.ipynb"}
    assert linked == there, "write the link and the state into the table of chapters/00_start.py, and sync 00"
