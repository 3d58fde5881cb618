"""The page: what a run has come to, in the style of its report; escaped as everything there is."""

from __future__ import annotations

import time
from pathlib import Path

from substrate.record import RecordError
from substrate.record.metrics import ranges_reported
from substrate.record.summary import LayerNoise, Verdict
from substrate.report import reported, sentences, wording
from substrate.report.html import Picture, picture
from substrate.report.pages import Judged, Section, render_page
from substrate.report.plots import curves
from substrate.watch.live import Live, read_live

_LOOK = "The page looks again by itself. It shows, and can do nothing to the run."


class RunPage:
    """The page of a run's folder, made anew whenever it is asked for."""

    def __init__(self, folder: Path) -> None:
        """Look at a folder."""
        self._folder = folder
        self._drawn: tuple[object, Picture | None] | None = None

    def __call__(self) -> str:
        """Give the page; pictures are drawn anew when there is something new."""
        try:
            live = read_live(self._folder)
        except RecordError as problem:
            return render_problem(str(problem), str(self._folder), _LOOK)
        state = (len(live.rows), live.changed)
        if self._drawn is None or self._drawn[0] != state:
            self._drawn = (state, draw(live))
        return render(live, str(self._folder), self._drawn[1])


def render(live: Live, folder: str, drawn: Picture | None, now: float | None = None) -> str:
    """Give the page of a run as HTML text.

    Args:
        live: the run.
        folder: where it lies, in words.
        drawn: its curves, by `draw`.
        now: seconds since 1970.
    """
    summary = live.summary
    ended = summary is not None and summary.status == "complete"
    tone: Verdict = summary.verdict if summary is not None and ended else "undecided"
    reasons = [summary.verdict_reason] if summary is not None else [_progress(live, now)]
    sections = [
        _curves(live, drawn),
        _arms(live),
        _gaps(live, ended),
        _noise(live),
        _reported(live),
    ]
    return render_page(
        title=live.title,
        headline=tone.capitalize() if ended else "In training",
        tone=tone,
        reasons=reasons,
        sections=[each for each in sections if each.rows or each.pictures],
        about=f"{folder}: {len(live.arms)} arms, {wording.seeds_in_words(len(live.seeds))}, "
        f"{live.epochs} epochs each",
        command=live.command,
        versions=live.versions,
        notices=[] if ended else [_LOOK],
    )


def render_problem(problem: str, watched: str, notice: str) -> str:
    """Give the page of what cannot be read, or not yet: a folder, or a chip's address."""
    return render_page(
        title=watched,
        headline="Nothing to see",
        tone="undecided",
        reasons=[problem],
        sections=[],
        about=watched,
        command=f"substrate watch {watched}",
        versions={},
        notices=[notice],
    )


def _progress(live: Live, now: float | None) -> str:
    text = f"{live.ended} of {live.units} trainings have ended"
    if not live.changed:
        return f"{text}; no figure is there yet."
    ago = max(0, round((time.time() if now is None else now) - live.changed))
    return f"{text}; the last figure was written {ago} s ago."


def draw(live: Live) -> Picture | None:
    """Draw the curves; None before there is any figure."""
    if not live.rows:
        return None
    seeds = len({row.seed for row in live.rows})
    return picture(
        lambda theme, width: (
            curves(
                live.rows, live.metric, live.diverged, seeds, theme, width, dots_per_inch=120
            ).png
        )
    )


def _curves(live: Live, drawn: Picture | None) -> Section:
    what = f"{wording.METRIC_TITLE[live.metric]} by epoch, a line an arm."
    return Section("Learning curves", pictures=[] if drawn is None else [(drawn, what)])


def _arms(live: Live) -> Section:
    rows = []
    last = {(row.arm, row.seed): row for row in live.rows}
    for arm in live.arms:
        for seed in live.seeds:
            row = last.get((arm, seed))
            if row is None:
                continue
            lost = any(each.seed == seed for each in live.diverged[arm])
            figure = row.figure(live.metric)
            shown = (
                wording.percent(figure)
                if wording.is_accuracy(live.metric)
                else wording.NOTHING
                if figure is None
                else f"{figure:.4g}"
            )
            loss = wording.NOTHING if row.train_loss is None else f"{row.train_loss:.4f}"
            at = f"{row.epoch} of {live.epochs}" + (", diverged" if lost else "")
            rows.append((arm, str(seed), at, loss, shown, f"{row.seconds:.1f} s"))
    figures = wording.METRIC_TITLE[live.metric]
    return Section(
        "Trainings",
        headings=("Arm", "Seed", "Epoch", "Train loss", figures, "Time"),
        rows=rows,
        numbers=(1, 2, 3, 4, 5),
    )


def _gaps(live: Live, ended: bool) -> Section:
    lede = (
        "The verdict of the run."
        if ended
        else f"After the last epoch that both have reached; the tolerance is "
        f"{wording.gap_with_unit(live.tolerance, live.metric)}. Not the verdict: that is for the "
        "end, and knows the test samples too."
    )
    rows = [
        (
            each.arm,
            each.baseline,
            wording.gap_with_unit(each.gap, live.metric),
            wording.interval(each, live.metric),
            Judged(each.verdict, sentences.correction_in_words(each.verdict, each.not_at_once)),
        )
        for each in live.comparisons
        if each.gap is not None or ended
    ]
    return Section(
        "Behind clean training" if ended else "Behind clean training, so far",
        lede,
        headings=("Arm", "Baseline", "Gap", "Interval", "Verdict"),
        rows=rows,
        numbers=(2, 3),
    )


def _noise(live: Live) -> Section:
    rows = [
        (arm, str(each.layer), *_in_numbers(each))
        for arm, layers in live.noise.items()
        for each in layers
    ]
    return Section(
        "Observed noise of every layer",
        "Spread over repeated passes of one input, and of the signal between inputs; measured when "
        "the first seed of an arm has ended.",
        headings=("Arm", "Layer", "Noise", "Signal", "Noise / signal"),
        rows=rows,
        numbers=(1, 2, 3, 4),
    )


def _in_numbers(noise: LayerNoise) -> tuple[str, str, str]:
    std, signal = noise.noise_std, noise.signal_std
    ratio = wording.percent(std / signal) if std is not None and signal else wording.NOTHING
    numbers = (wording.NOTHING if each is None else f"{each:.3g}" for each in (std, signal))
    return (*numbers, ratio)  # type: ignore[return-value]  # two, and the third


def _reported(live: Live) -> Section:
    """What drivers report: the last figures of every arm, and the range that they went through."""
    of_arms = {
        arm: ranges_reported(row for row in live.rows if row.arm == arm) for arm in live.arms
    }
    return Section(
        "From the bench",
        "What the driver reports, temperatures and latencies among it: in the last epoch, and over "
        "all.",
        headings=reported.HEADINGS,
        rows=reported.rows(of_arms),
        numbers=(2, 3, 4),
    )
