"""The page, from folders made by hand."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from substrate.record.summary import Comparison
from substrate.replicate.experiments import experiments
from substrate.replicate.page import _difference
from substrate.replicate.statements import Check
from substrate.replicate.write import write_page
from substrate.run.outcomes import save_outcomes

WHOLE = [
    (arm, seed, epoch, *accuracies)
    for seed in (0, 1)
    for arm, final in (("np", 0.30), ("bp", 0.50))
    for epoch, accuracies in enumerate(
        [(0.0, 0.1), (0.2, 0.2), (final + 0.1, final + seed / 50), (0.25, 0.25)]
    )
]


@pytest.fixture
def page(shipped, tmp_path):
    """Write the page, and give the parts between its headings."""

    def sections() -> dict[str, str]:
        path = tmp_path / "docs" / "replication.md"
        write_page(experiments(), tmp_path / "runs", path)
        parts = path.read_text().split("\n## ")
        return {part.partition("\n")[0]: part for part in parts}

    return sections


def row(section: str, *first: str) -> list[str]:
    """The cells of the one row that begins so."""
    start = "| " + " | ".join(first) + " |"
    (line,) = [line for line in section.splitlines() if line.startswith(start)]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_what_was_not_run_says_so(page, report):
    report(
        small={"paper": {"np": {"train": 28.1, "test": 28.2}}, "statements": ["bp best"]},
        unwritten={"source": "Fig. 9"},
    )
    shown = page()
    small = shown["paper/small"]
    assert "Not run: budget `full`, `short`." in small
    assert row(small, "np") == ["np", "–", "28.1 / 28.2", "not run", "–", "–", "–", "–"]
    assert row(small, "bp")[2:4] == ["not in our copy", "not run"]
    assert "Not checked yet: bp best." in small
    assert "No scenario file. In the paper: Fig. 9." in shown["paper/unwritten"]
    overview = shown["Overview"]
    assert row(overview, "[paper/small](#papersmall)")[1] == "not run"
    assert row(overview, "[paper/unwritten](#paperunwritten)")[1] == "not run (no scenario file)"


def test_no_interval_claims_to_include_the_choice_of_the_best_epoch(page):
    head = " ".join(page()["# The paper, replicated"].split())
    assert "neither interval includes this selection" in head
    assert "does not include that the epoch of a peak was chosen on the test images" in head


def test_paper_ours_and_the_difference(page, report, leave):
    report(
        small={
            "paper": {"np": {"train": 41.0, "test": 29.0}, "bp": {"train": 60.0, "test": 60.0}},
            "statements": ["bp better than np", "np within 3 of bp"],
        }
    )
    leave("paper-small-full", WHOLE)
    small = page()["paper/small"]
    # np peaks at 30 and 32 % in epoch 2: 31.0 ± 1.4; bp at 50 and 52
    assert row(small, "np") == [
        *("np", "`full`", "41.0 / 29.0", "40.0 ± 0.0 / 31.0 ± 1.4", "+2.0", "2", "3", "all")
    ]
    assert row(small, "bp")[4] == "**−9.0**"
    assert row(small, "bp better than np")[2:] == [
        "not told apart",
        "bp 51.0 ± 1.4 %, np 31.0 ± 1.4 %",
        "ahead by 20.0 (test samples unknown)",
    ]
    assert "**Not explained yet:** bp at `full` (−9.0)." in small
    assert "Not run: budget `short`." in small


def test_statements_have_an_answer_and_its_interval(page, report, leave):
    report(small={"statements": ["bp better than np", "np within 3 of bp", "np better than inp"]})
    folder = leave("paper-small-full", WHOLE)
    images = np.arange(10_000)
    fewer = {seed: images < 3000 + 200 * seed for seed in (0, 1)}
    more = {seed: right | (images >= 8000) for seed, right in fewer.items()}
    save_outcomes(folder, {"np": fewer, "bp": more})
    shown = page()
    small = shown["paper/small"]
    # both seeds differ by 20.0 points, and by the same samples: ±1.96 · √(0.16 + 2e-4) %
    assert row(small, "bp better than np")[2:] == [
        "confirmed",
        "bp 51.0 ± 1.4 %, np 31.0 ± 1.4 %",
        "ahead by 20.0 (19.2 to 20.8)",
    ]
    assert row(small, "np within 3 of bp")[2] == "**refuted**"
    assert row(small, "np within 3 of bp")[4] == "different by −20.0 (−20.8 to −19.2)"
    assert row(small, "np better than inp")[2:] == [
        "not measured",
        "inp not measured; np 31.0 ± 1.4 %",
        "–",
    ]
    overview = row(shown["Overview"], "[paper/small](#papersmall)")
    assert overview[2] == "1 of 3 confirmed, 1 refuted, 1 not measured"


def test_accuracies_on_fewer_classes_are_not_counted_against_the_paper(page, report, leave):
    report(small={"paper": {"np": {"test": 29.0}}})
    leave("paper-small-full", WHOLE, data={"name": "tiny_imagenet", "limit_classes": 20})
    shown = page()
    assert row(shown["paper/small"], "np")[4] == "+2.0, 20 classes"
    assert "tiny_imagenet, 20 of its classes;" in shown["paper/small"]
    assert row(shown["Overview"], "[paper/small](#papersmall)")[3] == "–"


def test_a_reason_stands_in_place_of_not_explained(page, report, leave):
    report(small={"paper": {"bp": {"test": 60}}, "why": {"bp": "Fewer\n epochs."}})
    leave("paper-small-full", WHOLE)
    small = page()["paper/small"]
    assert "**Why, bp:** Fewer epochs." in small
    assert "Not explained" not in small
    report(small={"paper": {"bp": {"test": 60}}, "why": {"all": "Fewer epochs."}})
    small = page()["paper/small"]
    assert "**Why:** Fewer epochs." in small
    assert "Not explained" not in small


def test_a_stopped_run_is_marked_and_asks_for_no_reason(page, report, leave):
    report(small={"paper": {"np": {"test": 60}, "bp": {"test": 60}}})
    leave("paper-small-short", WHOLE[:6], epochs=3)
    shown = page()
    small = shown["paper/small"]
    assert "has not come to its end" in small
    assert row(small, "np")[5:7] == ["**1 of 2**", "3"]
    assert row(small, "bp")[3:7] == ["20.0 / 20.0", "−40.0", "**1 of 2**", "**1 of 3**"]
    assert "Not explained yet:** np" in small
    assert "bp at" not in small
    overview = row(shown["Overview"], "[paper/small](#papersmall)")
    assert overview[1:] == ["`short`, **unfinished**", "–", "0 of 1"]


def test_diverged_seeds_are_said(page, leave):
    leave("paper-small-full", [row for row in WHOLE if row[:3] not in (("np", 0, 2), ("np", 0, 3))])
    cells = row(page()["paper/small"], "np")
    assert cells[3] == "40.0 / 32.0"
    assert cells[5] == "**1 of 2**; seed 0 diverged at epoch 2: no finite loss"
    assert cells[6] == "3"


def test_figures_are_small_and_linked(page, leave, tmp_path):
    leave("paper-small-full", WHOLE)
    small = page()["paper/small"]
    assert "(images/replication/paper-small-full.png)" in small
    png = (tmp_path / "docs" / "images" / "replication" / "paper-small-full.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    assert len(png) < 120_000


def test_crossbars_show_their_gaps_in_place_of_the_paper(page, leave, summary):
    folder = leave("crossbar-small-full", WHOLE)
    gap = Comparison(
        arm="np",
        baseline="bp",
        gap=0.2,
        ci_low=0.15,
        ci_high=0.25,
        tolerance=0.05,
        verdict="not feasible",
        reason="the whole interval lies beyond the tolerance",
    )
    found = summary.model_copy(update={"comparisons": [gap]})
    (folder / "summary.json").write_text(found.as_json())
    small = page()["crossbar/small"]
    assert row(small, "np", "`full`", "bp")[3:] == ["20.0", "15.0 to 25.0"]
    assert "| arm | budget | ours | seeds | epochs | images |" in small
    assert "64-8-10; CIFAR-10 (JPEG copy), 1,437 training samples, 400 test samples" in small
    assert "Run on 2026-11-23, trained for 12 s in all, torch 2.12.1." in small
    assert "Repeat in their statistics only (aihwkit cannot be seeded): np." in small


def test_a_statement_names_the_seeds_that_it_is_not_about() -> None:
    found = Check("a better than b", "confirmed", "a 1, b 0", "ahead by 1", 0.5, 1.5)
    run = SimpleNamespace(number=str)
    assert _difference(found, run) == "ahead by 1 (0.5 to 1.5)"
    lost = replace(found, lost="b lost 2 seeds")
    assert _difference(lost, run) == "ahead by 1 (0.5 to 1.5; b lost 2 seeds)"
