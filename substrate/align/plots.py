"""The pictures of an alignment: a panel a layer, a line an arm, angle in degrees upwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import NamedTuple

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from substrate.align.measure import Alignment
from substrate.report.palette import LIGHT, arm_styles

_DOTS_PER_INCH = 160
_PANEL_INCHES = 2.9
_COLUMNS = 4


class _Lines(NamedTuple):
    """Of one arm: x, and a row of angles for every x, an entry a layer."""

    x: Sequence[float]
    angles: list[list[float]]


def pictures(alignment: Alignment) -> dict[str, bytes]:
    """PNGs by file name: angle against noise samples, noisy passes and (where measured) σ²."""
    samples = [float(count) for count in alignment.noise_samples]
    arms = alignment.arms
    drawn = {
        "angle_noise_samples.png": _picture(
            alignment,
            {name: _Lines(samples, arm.angles) for name, arm in arms.items()},
            "noise samples averaged",
        ),
        "angle_passes.png": _picture(
            alignment,
            {
                name: _Lines([float(n) for n in arm.passes], arm.angles)
                for name, arm in arms.items()
            },
            "noisy passes",
        ),
    }
    swept = {
        name: _Lines(alignment.sigmas_squared, arm.by_sigma)
        for name, arm in arms.items()
        if arm.by_sigma is not None
    }
    if swept:
        what = f"σ², {alignment.sigma_samples:,} noise samples"
        drawn["angle_sigma.png"] = _picture(alignment, swept, what)
    return drawn


def _picture(alignment: Alignment, lines: Mapping[str, _Lines], what: str) -> bytes:
    layers = alignment.layers
    columns = min(len(layers), _COLUMNS)
    rows = -(-len(layers) // columns)
    styles = arm_styles(LIGHT, alignment.arms)
    with matplotlib.rc_context({"font.size": 9, "axes.edgecolor": LIGHT.muted}):
        figure = Figure(
            figsize=(_PANEL_INCHES * columns, _PANEL_INCHES * rows + 0.8), layout="constrained"
        )
        panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat
        for layer, panel in enumerate(panels):
            if layer >= len(layers):
                panel.set_visible(False)
                continue
            for name, (x, angles) in lines.items():
                colour, dash = styles[name]
                (line,) = panel.plot(x, [row[layer] for row in angles], color=colour, label=name)
                if dash:
                    line.set_dashes(dash)
            panel.axhline(90, color=LIGHT.muted, linewidth=0.8, dashes=(4, 3))
            panel.set_xscale("log")
            panel.set_ylim(0, 100)
            panel.set_yticks([0, 30, 60, 90])
            panel.set_title(f"Layer {layer + 1}  ({layers[layer]})", fontsize=9)
            panel.grid(color=LIGHT.rule, linewidth=0.6)
            panel.spines[["top", "right"]].set_visible(False)
        inputs = alignment.inputs
        mean = f", mean over {inputs} inputs" if inputs > 1 else ""
        figure.suptitle(f"Angle to backpropagation's update against {what}{mean}", fontsize=11)
        figure.supylabel("angle (degrees)", fontsize=9)
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
        png = BytesIO()
        FigureCanvasAgg(figure).print_figure(png, format="png", dpi=_DOTS_PER_INCH)
    return png.getvalue()
