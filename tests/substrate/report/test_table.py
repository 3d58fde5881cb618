from io import StringIO
from pathlib import Path
from typing import Any

from rich.console import Console

from substrate.record.summary import Summary
from substrate.report.table import run_result
from tests.substrate.report.pages import page_of


def printed(summary: Any, *, terminal: bool = False) -> str:
    out = StringIO()
    Console(file=out, width=110, force_terminal=terminal).print(
        run_result(Summary.model_validate(summary), Path("runs/first"))
    )
    return out.getvalue()


def row_of(text: str, *words: str) -> str:
    return next(line for line in text.splitlines() if all(word in line for word in words))


def test_figures(summary: Any) -> None:
    text = printed(summary)
    assert "92.1 ± 1.0 %" in row_of(text, "crossbar", "IdealizedPreset")
    assert "96.6 ± 0.4 %" in row_of(text, "bp", "ideal chip")
    comparison = row_of(text, "crossbar", "bp", "undecided")
    for figure in ("4.4 points behind", "2.1 to 6.7"):
        assert figure in comparison
    assert "tolerance 5.0 points" in text
    assert " ".join(text.split()).endswith(
        "? Undecided. The crossbar arm falls 4.4 points behind bp in test accuracy "
        "(95 % CI 2.1 to 6.7); the scenario allows 5.0. "
        "The interval holds the tolerance; more test samples would narrow it."
    )


def test_plain_when_not_a_terminal(summary: Any) -> None:
    assert "\x1b" not in printed(summary)
    assert "\x1b" in printed(summary, terminal=True)


def test_divergence_and_interruption(diverged: tuple[Any, Any]) -> None:
    summary, _ = diverged
    summary["status"] = "interrupted"
    text = printed(summary)
    assert "crossbar, seed 1 diverged at epoch 5: loss is NaN" in text
    assert "2 of 3 seeds" in text
    assert "Interrupted" in text
    assert "–" in row_of(text, "crossbar", "bp", "not feasible")


def test_one_seed_has_no_deviation(one_seed: Any) -> None:
    text = printed(one_seed)
    assert "91.2 %" in text
    assert "±" not in text.replace("mean ± standard deviation", "")


def test_regression_shows_losses(regression: tuple[Any, Any]) -> None:
    text = printed(regression[0])
    assert "%" not in text.replace("95 % CI", "")
    assert "0.0123 behind" in text
    # 2 × (1 − accuracy) of 0.912, 0.921, 0.931: mean 0.1573, deviation 0.0190.
    assert "0.157 ± 0.019" in row_of(text, "crossbar", "IdealizedPreset")


def test_names_are_neither_markup_nor_escapes(summary: Any) -> None:
    hostile = "[red]x[/red]\x1b[31m"
    summary["arms"][hostile] = summary["arms"].pop("crossbar")
    for comparison in summary["comparisons"]:
        comparison["arm"] = hostile
    text = printed(summary)
    assert "[red]x[/red]" in text
    assert "\x1b" not in text


def test_updates_that_were_cut_short_stand_with_the_verdict(summary: Any) -> None:
    summary["arms"]["crossbar"]["pulse_trains"] = {"looked_at": 12000, "cut_short": 372}
    summary["arms"]["bp"]["pulse_trains"] = {"looked_at": 12000, "cut_short": 0}
    text = " ".join(printed(summary).split())
    assert "crossbar: 3.1 % of its pulse trains were cut short (of 12,000 looked at)" in text
    assert "bp: " not in text
    assert text.index("cut short") < text.index("? Undecided")


def test_a_verdict_that_is_the_corrections_says_so_in_its_row(summary: Any) -> None:
    for row in summary["comparisons"]:
        row |= {"gap": 0.08, "ci_low": 0.06, "ci_high": 0.1, "verdict": "undecided"}
    reason = "the interval lies beyond the tolerance, but not with Holm's correction for 2"
    summary["comparisons"][0] |= {"not_at_once": 2, "reason": reason}
    text = printed(summary)
    lines = text.splitlines()
    first = lines.index(row_of(text, "crossbar", "bp", "undecided"))
    told = [line.rstrip().split("  ")[-1] for line in lines[first + 1 : first + 4]]
    assert told == ["by Holm's", "correction for", "2 comparisons"]
    assert f"crossbar against bp: {reason}." in text
    summary["comparisons"][0] |= {"verdict": "feasible", "not_at_once": 3}
    assert "not with\n" in "\n".join(each.rstrip() for each in printed(summary).splitlines())


def test_a_baseline_that_the_device_overtakes_is_doubted(summary: Any) -> None:
    assert "badly tuned" not in printed(summary)
    summary["comparisons"][1] |= {"gap": -0.08, "baseline_doubted": True}
    text = " ".join(printed(summary).split())
    assert (
        "danp_clean is probably badly tuned (learning rate, or too few epochs): crossbar is 8.0"
        " points ahead of it, by more than the tolerance."
    ) in text


def test_figures_of_an_arm_that_was_stopped_say_after_which_epoch(summary: Any) -> None:
    assert "epoch" not in printed(summary)
    summary["arms"]["crossbar"]["after_epoch"] = 3
    text = printed(summary)
    assert text.count("epoch 3 of 12") == 2  # test and train accuracy
    page = page_of(Summary.model_validate(summary))
    assert page.count("after epoch 3 of 12") == 3
