"""What a noise looks like in time: distribution, autocorrelation and spectrum, one line a trace."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from substrate.report.palette import LIGHT
from substrate.show.sheet import Panel
from substrate.text import for_plot

Samples = Float64[np.ndarray, " samples"]

MOST_LAGS = 1000


def trace_panels(
    traces: Mapping[str, Samples],
    interval: float | None,
    unit: str,
    stated: tuple[str, Samples] | None = None,
) -> list[Panel]:
    """Give the three panels, or a single one that says so where there is no noise at all.

    Args:
        traces: samples by name; the first is drawn filled.
        interval: seconds between samples; None for a model that knows no time.
        unit: of the samples.
        stated: name and autocovariance at lags 0, 1, … of what a model says of itself.
    """
    traces = {for_plot(name): samples for name, samples in traces.items()}
    unit = for_plot(unit)
    if all(np.ptp(samples) == 0 for samples in traces.values()):
        return [_no_noise]
    return [
        lambda axes: _distribution(axes, traces, unit),
        lambda axes: _autocorrelation(axes, traces, interval, stated),
        lambda axes: _spectrum(axes, traces, interval, unit, stated),
    ]


def _no_noise(axes: Axes) -> None:
    axes.set_axis_off()
    axes.text(0.5, 0.5, "No noise: every read is the same", ha="center", color=LIGHT.muted)


def _distribution(axes: Axes, traces: Mapping[str, Samples], unit: str) -> None:
    together = np.concatenate(list(traces.values()))
    edges = np.linspace(together.min(), together.max(), 81)
    for number, (name, samples) in enumerate(traces.items()):
        colour = LIGHT.arms[number]
        heights, _ = np.histogram(samples, edges, density=True)
        axes.stairs(
            heights,
            edges,
            fill=number == 0,
            alpha=0.35 if number == 0 else 1.0,
            color=colour,
            linewidth=1.4,
            label=name,
        )
    axes.set(title="Distribution", xlabel=f"noise ({unit})", ylabel="density")
    axes.set_ylim(0, axes.get_ylim()[1] * 1.25)
    axes.legend(fontsize=7, frameon=False, loc="upper right")


def autocorrelation(samples: Samples, lags: int) -> Samples:
    """Correlation of samples with themselves, at lags from 0 on."""
    centred = samples - samples.mean()
    size = 2 ** int(np.ceil(np.log2(2 * len(samples))))
    power = np.abs(np.fft.rfft(centred, size)) ** 2
    covariance = np.fft.irfft(power, size)[:lags]
    return covariance / covariance[0] if covariance[0] else covariance


def _autocorrelation(
    axes: Axes,
    traces: Mapping[str, Samples],
    interval: float | None,
    stated: tuple[str, Samples] | None,
) -> None:
    first = next(iter(traces.values()))
    lags = min(MOST_LAGS, len(first) // 4)
    curves = {name: autocorrelation(samples, lags) for name, samples in traces.items()}
    if stated is not None and stated[1][0] > 0:
        curves[stated[0]] = stated[1][:lags] / stated[1][0]
    # Lags up to where the last of the correlations has died away: its decay fills the panel.
    alive = [np.flatnonzero(np.abs(curve) > 0.1).max() for curve in curves.values() if curve.any()]
    shown = int(min(lags, max(20, 3 * max(alive, default=0))))
    for number, (name, curve) in enumerate(curves.items()):
        dashed = stated is not None and name == stated[0]
        x = np.arange(shown) * (interval or 1.0)
        axes.plot(
            x,
            curve[:shown],
            color=LIGHT.arms[number],
            linewidth=1.4,
            linestyle="--" if dashed else "-",
            label=name,
        )
    label = "lag (reads)" if interval is None else "lag (s)"
    axes.set(title="Autocorrelation", xlabel=label, ylim=(-0.25, 1.05))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.ticklabel_format(axis="x", scilimits=(-2, 4))
    axes.legend(fontsize=7, frameon=False, loc="upper right")


def _spectrum(
    axes: Axes,
    traces: Mapping[str, Samples],
    interval: float | None,
    unit: str,
    stated: tuple[str, Samples] | None,
) -> None:
    from scipy.signal import welch

    rate = 1 / (interval or 1.0)
    for number, (name, samples) in enumerate(traces.items()):
        window = min(len(samples), max(256, len(samples) // 16))
        frequency, density = welch(samples, rate, nperseg=window)
        axes.loglog(
            frequency[1:-1],
            density[1:-1],
            color=LIGHT.arms[number],
            linewidth=1.0,
            alpha=0.9,
            label=name,
        )
    if stated is not None and stated[1][0] > 0:
        # The taper keeps the cut at the last lag from rippling through the spectrum.
        lags = len(stated[1])
        covariance = stated[1] * np.hanning(2 * lags + 1)[lags:-1]
        density = 2 / rate * (2 * np.fft.rfft(covariance).real - covariance[0])
        frequency = np.fft.rfftfreq(lags, 1 / rate)
        axes.loglog(
            frequency[1:],
            density[1:],
            color=LIGHT.arms[len(traces)],
            linewidth=1.4,
            linestyle="--",
            label=stated[0],
        )
    if interval is None:
        axes.set(xlabel="frequency (cycles a read)", ylabel=f"power ({unit}² · reads)")
    else:
        axes.set(xlabel="frequency (Hz)", ylabel=f"power ({unit}²/Hz)")
    axes.set_title("Spectrum")
    axes.legend(fontsize=7, frameon=False, loc="lower left")
