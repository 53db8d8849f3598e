"""The site: what a page shows of a chapter, and what is refused."""

import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_notebook, new_output

from cnnlib.__main__ import main
from cnnlib.publish.pairs import METADATA
from cnnlib.publish.site import README, build_site
from cnnlib.widgets import MIME
from tests.publish.test_slides import NOTES, PNG, code, picture, printed, text

ROW = "| 03 | [Training](chapters/03_training.ipynb) | 60 min | about 70 s |"
TABLE = f"# Course\n\nMeasured.\n\n## Start\n\nInstall.\n\n{ROW}\n"


def plain(source: str, tags: tuple[str, ...] = ()) -> nbformat.NotebookNode:
    return text(source, None, tags)


def built(folder: Path, *cells: nbformat.NotebookNode) -> Path:
    """The folder of the site of one chapter."""
    (folder / "README.md").write_text(TABLE, encoding="utf-8")
    numbered = [{**cell, "id": f"cell-{number}"} for number, cell in enumerate([plain("# Training"), *cells])]
    nbformat.write(nbformat.from_dict(new_notebook(metadata=METADATA, cells=numbered)), folder / "03_training.ipynb")
    return build_site([folder / "03_training.ipynb"], folder / "site", folder / "README.md").parent


def article(page: Path) -> str:
    """What stands between head and foot of a page."""
    return re.search(r"(?s)<article.*?</article>", page.read_text(encoding="utf-8"))[0]


def shown(folder: Path, *cells: nbformat.NotebookNode) -> str:
    return article(built(folder, *cells) / "03_training.html")


def test_a_page_shows_text_code_and_outputs_and_not_what_is_for_the_speaker_or_the_one_who_runs_it(tmp_path):
    page = shown(
        tmp_path,
        plain("## How it goes\n\n96 %<!-- pixel-shuffle: cnn, none, mean --> of them."),
        NOTES,
        code(printed("4 < 5\n"), printed("100 % it/s", "stderr"), source="print(line)"),
        code(printed("✓ It holds.\n"), source="claim(said, holds)", tags=["claim"]),
        code(new_output("error", ename="ValueError", evalue="too few", traceback=["a long one"])),
    )
    assert "<p>96 % of them.</p>" in page
    assert "<pre>4 &lt; 5</pre>" in page and ">line<" in page
    assert '<li class="holds"><span class="mark">✓</span> <span>It holds.</span>' in page
    assert "<pre>ValueError: too few</pre>" in page
    assert not re.search("pixel-shuffle|3 min|Ask why|it/s|a long one", page)


def test_a_solution_is_folded_and_its_neighbours_are_not(tmp_path):
    cells = [
        code(source="before()"),
        code(printed("✓ 3 of 3\n"), source="solved()", tags=["solution"]),
        code(source="after()"),
    ]
    before, folded, after = re.fullmatch(r"(?s)(.*)(<details.*</details>)(.*)", shown(tmp_path, *cells)).groups()
    assert "<summary>Solution</summary>" in folded
    assert "solved" in folded and "3 of 3" in folded
    assert "before" in before and "after" in after


def test_the_imports_are_one_fold_and_what_does_more_is_not_in_it(tmp_path):
    cells = [
        code(source="import torch"),
        code(
            source="from cnnlib.training import default_device\n\ndevice = default_device()\ntorch.set_num_threads(1)"
        ),
        code(source="import math\nshown = math.pi"),
        code(source="device = measured()"),
    ]
    before, folded, after = re.fullmatch(r"(?s)(.*)(<details.*</details>)(.*)", shown(tmp_path, *cells)).groups()
    assert folded.count("<details") == 1 and "<summary>The imports</summary>" in folded
    assert "set_num_threads" in folded and "torch" not in before
    assert "shown" in after and "measured" in after


def test_a_page_says_that_it_was_run_elsewhere(tmp_path):
    (line,) = re.findall(r'<p class="notebook">(.*?)</p>', shown(tmp_path))
    assert "shows what its last run printed" in line and "the labs and the questions are alive" in line


def test_a_question_is_asked_without_the_code_that_answers_it(tmp_path):
    question = code(printed("Which?\n  a) this\n  b) that\n"), source='predict("Which?", {"this": "Why not that?"})')
    page = shown(tmp_path, question)
    assert "<p>Which?</p>" in page and "<li>that</li>" in page
    assert "Why not" not in page


def test_a_widget_carries_its_state_beside_its_picture_or_its_text(tmp_path):
    state = {"widget": "fields", "state": {"side": 28}}
    told = new_output("display_data", {MIME: state, "text/plain": "Which one?"})
    site = built(tmp_path, code(picture("Stride 2.", **{MIME: state})), code(told))
    opening = r'<div class="live" data-widget="fields" data-state="{&quot;side&quot;:28}">'
    first, second = re.findall(rf"(?s){opening}(.*?)</div>", article(site / "03_training.html"))
    (name,) = re.findall(r'<figure .*?><img src="(_static/pictures/\w+\.png)" alt="Stride 2\."', first)
    assert (site / name).read_bytes() == PNG
    assert second == "<pre>Which one?</pre>"
    assert 'WIDGETS["fields"]' in (script := (site / "_static" / "site.js").read_text(encoding="utf-8"))
    assert 'WIDGETS["convolution"]' not in script, "only what the site shows"


def test_formulas_become_mathml_and_stay_with_their_commas(tmp_path):
    page = shown(tmp_path, plain("If $a_1$, then $b$ and:\n\n$$\n\\frac{a}{b}\n$$\n\nIt costs $5, not $10; `$x$`."))
    assert page.count("<math ") == 3 and page.count('display="block"') == 1
    assert re.search(r'<span class="joined"><math [^>]*"inline">.*?</math>,</span>', page)
    assert "It costs $5, not $10;" in page and ">$x$</span>" in page


def test_what_only_sphinx_would_understand_is_text(tmp_path):
    lines = ["% of them", "+++", "(name)=", "{math}`x`", ":::"]
    page = shown(tmp_path, *(plain(f"some\n{line}\nmore") for line in lines))
    assert all(line.split("`")[0] in page for line in lines)


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (code(picture(alt=None)), "03_training.ipynb, cell 2: its picture has no alt text"),
        (code(picture(alt=" ")), "03_training.ipynb, cell 2: its picture has no alt text"),
        (plain("$\\foo{x}$"), r"03_training: the formula '\\foo{x}' uses \foo, which latex2mathml does not know"),
        (plain("[next](04_lenet.ipynb)"), "04_lenet.ipynb"),
        (plain("![a cat](cat.png)"), "cat.png"),
    ],
)
def test_what_cannot_be_shown_is_refused_and_the_old_site_stays(tmp_path, cell, reason):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("old")
    with pytest.raises(ValueError) as refused:
        built(tmp_path, cell)
    assert reason in str(refused.value)
    assert [path.name for path in (tmp_path / "site").iterdir()] == ["index.html"]


def test_a_chapter_that_the_readme_does_not_name_is_refused(tmp_path):
    nbformat.write(new_notebook(cells=[plain("# More")]), tmp_path / "13_more.ipynb")
    with pytest.raises(ValueError, match=r"13_more.ipynb: not in README.md's table"):
        build_site([tmp_path / "13_more.ipynb"], tmp_path / "site", README)


def test_a_missing_package_is_named(monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, "cnnlib.publish.site")
    monkeypatch.setitem(sys.modules, "furo", None)
    assert main(["site"]) == 1
    assert "the package furo is missing; run `python -m pip install -e .`" in capsys.readouterr().err


def test_it_says_what_it_made(tmp_path, capsys):
    built(tmp_path, plain("some text"))
    first, last = capsys.readouterr().out.splitlines()
    assert first.endswith(" kB  03_training.html")
    assert re.fullmatch(rf"1 chapters, \d+\.\d MB, in \d+ s: {tmp_path}/site/index.html", last)
