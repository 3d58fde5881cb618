"""``report.html``: one self-contained page, in light and dark, the verdict first."""

import base64
from collections.abc import Callable
from datetime import datetime
from math import floor, log10
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from substrate.record.folder import RunFolder
from substrate.record.summary import Summary
from substrate.report import afterwards, bill, reported, sensitivity, sentences, wire, wording
from substrate.report.canvas import NARROW_INCHES, WIDE_INCHES
from substrate.report.palette import DARK, LIGHT, Theme, arm_styles
from substrate.report.plots import learning_curves, observed_noise, relative_noise
from substrate.text import plain


class GapAxis(NamedTuple):
    """The shared axis of the gap picture: gaps in the metric's unit, places in percent of width."""

    low: float
    high: float

    def place(self, gap: float) -> float:
        """Percent of the width at which ``gap`` lies."""
        return round(100 * (gap - self.low) / (self.high - self.low), 3)

    def ticks(self) -> list[float]:
        """Four to eight round values in the axis."""
        rough = (self.high - self.low) / 5
        decade = 10.0 ** floor(log10(rough))
        step = next(decade * size for size in (1, 2, 2.5, 5, 10) if decade * size >= rough)
        first, last = -floor(-self.low / step), floor(self.high / step)
        return [step * place for place in range(first, last + 1)]


class Picture(NamedTuple):
    """The renderings of one picture, as data URIs."""

    light: str
    dark: str
    light_narrow: str
    dark_narrow: str

    @property
    def png(self) -> bytes:
        """The light one as it stands on a page."""
        return base64.b64decode(self.light.partition(",")[2])


class RunPictures(NamedTuple):
    """What is drawn of every run."""

    curves: Picture
    noise: Picture


def run_pictures(run: RunFolder) -> RunPictures:
    """Draw a run."""
    summary, metrics = run.summary, run.metrics
    return RunPictures(
        picture(lambda theme, width: learning_curves(summary, metrics, theme, width).png),
        picture(lambda theme, width: observed_noise(summary, theme, width).png),
    )


def render_report(run: RunFolder, folder: Path, drawn: RunPictures) -> str:
    """The page of a run, as HTML text; everything that comes from the run is escaped.

    Args:
        run: what the page is of.
        folder: where the run lies, for the command that goes on with it.
        drawn: its pictures.
    """
    summary = run.summary
    return template("report.html.j2").render(
        summary=summary,
        next_step=sentences.what_next(summary, folder),
        scenario_yaml=run.scenario_yaml,
        themes={"light": LIGHT, "dark": DARK},
        arm_colour=_arm_variables(summary),
        axis=gap_axis(summary),
        started=_date(summary.started),
        curves=drawn.curves,
        noise=drawn.noise,
        curves_description=_curves_in_words(summary),
        noise_description=_noise_in_words(summary),
        sentences=sentences,
        wording=wording,
        bill=bill,
        wire=wire,
        reported=reported,
        afterwards=afterwards,
        sensitivity=sensitivity,
        costs=_costs(summary),
    )


def template(name: str) -> Template:
    """A template of ours; what is put into it is escaped."""
    environment = Environment(
        loader=PackageLoader("substrate.report"),
        autoescape=True,
        finalize=lambda value: plain(value) if type(value) is str else value,  # Markup is ours
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def gap_axis(summary: Summary) -> GapAxis:
    """Holds zero, the tolerance and every gap with its interval, with a little room around."""
    values = [0.0, summary.tolerance]
    for comparison in summary.comparisons:
        marks = comparison.gap, comparison.ci_low, comparison.ci_high
        values += [mark for mark in marks if mark is not None]
    room = 0.08 * (max(values) - min(values)) or 0.01
    return GapAxis(min(values) - room, max(values) + room)


def _arm_variables(summary: Summary) -> dict[str, str]:
    """The CSS variable with the colour of every arm."""
    names = {colour: f"var(--arm-{place})" for place, colour in enumerate(LIGHT.arms)}
    return {arm: names[colour] for arm, (colour, _) in arm_styles(LIGHT, summary.arms).items()}


def picture(draw: Callable[[Theme, float], bytes]) -> Picture:
    """Draw a picture in every theme and width."""

    def uri(theme: Theme, width_inches: float) -> str:
        encoded = base64.b64encode(draw(theme, width_inches)).decode("ascii")
        return f"data:image/png;base64,{encoded}"

    return Picture(
        light=uri(LIGHT, WIDE_INCHES),
        dark=uri(DARK, WIDE_INCHES),
        light_narrow=uri(LIGHT, NARROW_INCHES),
        dark_narrow=uri(DARK, NARROW_INCHES),
    )


def _costs(summary: Summary) -> Picture | None:
    found = summary.sensitivity
    if found is None or not found.parameters:
        return None
    return picture(
        lambda theme, width: sensitivity.sensitivity_plot(summary, found, theme, width).png
    )


def _curves_in_words(summary: Summary) -> str:
    metric = summary.metric
    ends = (
        f"{name} {wording.mean_and_deviation(arm.measure(metric), metric)}"
        for name, arm in summary.arms.items()
    )
    title = wording.METRIC_TITLE[metric]
    return f"{title} against epoch, a line an arm. At the end: {', '.join(ends)}."


def _noise_in_words(summary: Summary) -> str:
    bars = [
        f"{arm} layer {layer} {wording.percent(ratio)}"
        for arm, layers in relative_noise(summary).items()
        for layer, ratio in layers.items()
        if ratio
    ]
    return f"Noise relative to signal: {', '.join(bars) or 'none observed in any arm'}."


def _date(started: str) -> str:
    moment = datetime.fromisoformat(started)
    return f"{moment.day} {moment:%B %Y, %H:%M} {moment.tzname() or ''}".rstrip()
