"""The two pictures of a run: learning curves, and the observed noise of every layer.

Relative noise of a layer = noise_std / signal_std: the spread of its pre-activation
over repeated passes of the same input, over the spread of the pre-activation between inputs.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from substrate.record.metrics import Epoch
from substrate.record.summary import DivergedSeed, MetricName, Summary
from substrate.report.canvas import (
    DOTS_PER_INCH,
    WIDE_INCHES,
    Drawing,
    canvas,
    head_of,
    label_line_ends,
    shorten,
)
from substrate.report.palette import Theme, arm_styles
from substrate.report.wording import METRIC_TITLE, is_accuracy, percent, seeds_in_words


class Curve(NamedTuple):
    """An arm's metric against epoch: mean, lowest and highest over the seeds measured there."""

    epochs: list[int]
    mean: list[float]
    lowest: list[float]
    highest: list[float]


def learning_curves(
    summary: Summary, metrics: list[Epoch], theme: Theme, width_inches: float = WIDE_INCHES
) -> Drawing:
    """Draw the deciding metric against epoch: mean and range over seeds, one line an arm."""
    diverged = {arm: entry.diverged for arm, entry in summary.arms.items()}
    return curves(metrics, summary.metric, diverged, len(summary.seeds), theme, width_inches)


def curves(
    metrics: list[Epoch],
    metric: MetricName,
    diverged: Mapping[str, list[DivergedSeed]],
    seeds: int,
    theme: Theme,
    width_inches: float = WIDE_INCHES,
    *,
    train_metric: MetricName | None = None,
    dots_per_inch: int = DOTS_PER_INCH,
) -> Drawing:
    """Draw a metric against epoch: mean and range over seeds, one line an arm.

    Args:
        metrics: rows of all arms.
        metric: what to draw.
        diverged: all arms by name, with the seeds that they lost.
        seeds: how many were run.
        theme: its colours.
        width_inches: of the picture.
        train_metric: drawn too, as pale lines without a range.
        dots_per_inch: of the picture.
    """
    styles = arm_styles(theme, diverged)
    with canvas(theme, width_inches, 4.5, dots_per_inch) as (figure, axes, png):
        shown = {arm: _curve(metrics, arm, metric) for arm in diverged}
        ends: dict[str, float] = {}
        for arm, (colour, dash) in styles.items():
            curve = shown[arm]
            if not curve.epochs:
                continue
            axes.fill_between(
                curve.epochs, curve.lowest, curve.highest, color=colour, alpha=0.16, linewidth=0
            )
            (line,) = axes.plot(curve.epochs, curve.mean, color=colour, linewidth=1.9)
            lines = [line]
            if train_metric:
                train = _curve(metrics, arm, train_metric)
                lines += axes.plot(train.epochs, train.mean, color=colour, alpha=0.4, linewidth=1.2)
            for each in lines if dash else ():
                each.set_dashes(dash)
            ends[arm] = curve.mean[-1]
        _style_epochs(axes, theme)
        if is_accuracy(metric):
            axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{100 * y:.0f} %"))
        elif _spans_decades(list(shown.values())):
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
            axes.yaxis.set_minor_formatter(NullFormatter())
        lost = _mark_divergence(axes, metric, diverged, metrics, theme)
        note = (
            "Nothing was measured."
            if not ends
            else f"Line: mean over {seeds_in_words(seeds)}"
            + ("; band: lowest to highest seed" if seeds > 1 else "")
            + ("; pale: in training" if train_metric else "")
            + ("; ×: a seed diverged" if lost else "")
        )
        head_of(figure, axes, f"{METRIC_TITLE[metric]} by epoch", note, theme)
        label_line_ends(figure, axes, ends, styles)
    return Drawing(png.getvalue(), figure)


def observed_noise(summary: Summary, theme: Theme, width_inches: float = WIDE_INCHES) -> Drawing:
    """Draw the relative noise of every layer, grouped by layer, one bar an arm with noise."""
    noise = relative_noise(summary)
    noisy = {arm: layers for arm, layers in noise.items() if any(layers.values())}
    quiet = [arm for arm in noise if arm not in noisy and summary.arms[arm].observed_noise]
    styles = arm_styles(theme, summary.arms)
    rows: list[tuple[str, str | None, float]] = []
    for layer in sorted({layer for layers in noisy.values() for layer in layers}):
        rows.append((f"Layer {layer}", None, 0.0))
        rows += [
            (shorten(arm), styles[arm][0], layers[layer])
            for arm, layers in noisy.items()
            if layer in layers
        ]
    with canvas(theme, width_inches, 1.3 + 0.27 * len(rows)) as (figure, axes, png):
        widths = [ratio for _, _, ratio in rows]
        bars = axes.barh(
            range(len(rows)),
            widths,
            height=0.74,
            color=[colour or theme.ink for _, colour, _ in rows],
        )
        for bar, (_, colour, ratio) in zip(bars, rows, strict=True):
            if colour is not None:
                axes.annotate(
                    percent(ratio),
                    (ratio, bar.get_y() + bar.get_height() / 2),
                    xytext=(5, 0),
                    textcoords="offset points",
                    va="center",
                    color=theme.ink,
                )
        axes.set_yticks(range(len(rows)), [label for label, _, _ in rows])
        for tick, (_, colour, _) in zip(axes.get_yticklabels(), rows, strict=True):
            tick.set_color(colour or theme.ink)
            tick.set_fontweight("bold" if colour is None else "normal")
        axes.set_xlim(0, 1.18 * max(widths, default=1.0))
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{100 * x:g} %"))
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.grid(visible=True, axis="x", color=theme.rule, linewidth=0.7)
        axes.spines["left"].set_visible(bool(rows))
        axes.spines["bottom"].set_visible(False)
        if not rows:
            axes.set_axis_off()
        note = "Spread over repeated passes of one input, in percent of the signal's spread."
        if quiet:
            note += f"\nNo noise observed: {', '.join(shorten(arm) for arm in quiet)}."
        head_of(figure, axes, "Observed noise of the pre-activations", note, theme)
    return Drawing(png.getvalue(), figure)


def relative_noise(summary: Summary) -> dict[str, dict[int, float]]:
    """Of every arm and layer, noise_std / signal_std (a fraction); no entry without a signal."""
    return {
        name: {
            layer.layer: layer.noise_std / layer.signal_std
            for layer in arm.observed_noise
            if layer.noise_std is not None and layer.signal_std
        }
        for name, arm in summary.arms.items()
    }


def _curve(metrics: list[Epoch], arm: str, metric: MetricName) -> Curve:
    by_epoch: defaultdict[int, list[float]] = defaultdict(list)
    for row in metrics:
        value = row.figure(metric)
        if row.arm == arm and value is not None:
            by_epoch[row.epoch].append(value)
    epochs = sorted(by_epoch)
    measured = [by_epoch[epoch] for epoch in epochs]
    return Curve(
        epochs,
        [sum(values) / len(values) for values in measured],
        [min(values) for values in measured],
        [max(values) for values in measured],
    )


def _spans_decades(curves: list[Curve]) -> bool:
    lows = [low for curve in curves for low in curve.lowest]
    highs = [high for curve in curves for high in curve.highest]
    return bool(lows) and min(lows) > 0 and max(highs) / min(lows) > 20


def _mark_divergence(
    axes: Axes,
    metric: MetricName,
    diverged: Mapping[str, list[DivergedSeed]],
    metrics: list[Epoch],
    theme: Theme,
) -> bool:
    """A cross where each seed was last seen finite, at the epoch in which it diverged."""
    found = False
    for arm, (colour, _) in arm_styles(theme, diverged).items():
        for divergence in diverged[arm]:
            finite = [
                (row.epoch, value)
                for row in metrics
                if row.arm == arm and row.seed == divergence.seed
                if (value := row.figure(metric)) is not None
            ]
            level = max(finite)[1] if finite else axes.get_ylim()[0]
            axes.plot(
                divergence.epoch,
                level,
                marker="X",
                markersize=10,
                color=colour,
                markeredgecolor=theme.surface,
                clip_on=False,
                zorder=5,
            )
            found = True
    return found


def _style_epochs(axes: Axes, theme: Theme) -> None:
    axes.grid(visible=True, axis="y", color=theme.rule, linewidth=0.7)
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=7))
    axes.set_xlabel("Epoch (0: before training)")
    axes.margins(x=0.0, y=0.06)
