"""What the measurements of steps and of scaling look like to people, and to programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from rich.table import Table

from substrate.bench.scaling import Sweep
from substrate.bench.step import StepBench
from substrate.files import write_atomically
from substrate.report.palette import LIGHT
from substrate.terminal import Console

_MEGABYTE = 1e6


def show_step_bench(bench: StepBench, as_json: bool) -> None:
    """Print the times and peaks of learning steps."""
    if as_json:
        steps = [step._asdict() for step in bench.steps]
        memory = [peak._asdict() for peak in bench.memory]
        print(json.dumps(bench._asdict() | {"steps": steps, "memory": memory}, indent=2))
        return
    console = Console()
    console.print(
        "3072-1024×3-10, batch 1000, ideal chip, Adam. Floor: the matrix products alone, at the"
        f" {bench.product_gflops:.0f} GFLOP/s of a large product ({bench.threads} threads)."
    )
    table = Table("step", box=None, pad_edge=False)
    for heading in ("time", "times DANP", "floor", "times floor"):
        table.add_column(heading, justify="right")
    for step in bench.steps:
        table.add_row(
            step.variant,
            f"{step.seconds:.3f} s",
            "" if step.times_danp is None else f"{step.times_danp:.2f}",
            f"{step.floor_seconds:.3f} s",
            f"{step.times_floor:.2f}",
        )
    console.print(table)
    console.print(
        f"DANP is {bench.times_published:.2f} times as fast as the matrix products alone of the"
        f" paper's published code would be ({bench.published_seconds:.3f} s)."
    )
    table = Table("peak memory of training", box=None, pad_edge=False)
    for heading in ("peak", "BP through autograd", "of it"):
        table.add_column(heading, justify="right")
    for peak in bench.memory:
        table.add_row(
            peak.rule.upper(),
            f"{peak.peak / _MEGABYTE:.0f} MB",
            f"{peak.autograd_peak / _MEGABYTE:.0f} MB",
            f"{peak.peak / peak.autograd_peak:.0%}",
        )
    console.print(table)


def show_scaling_bench(sweeps: Sequence[Sweep], out: Path | None, as_json: bool) -> None:
    """Print the exponents; with a folder, write `scaling.json` and `scaling.png` into it."""
    text = json.dumps([sweep._asdict() for sweep in sweeps], indent=2)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        write_atomically(out / "scaling.json", text + "\n")
        write_atomically(out / "scaling.png", scaling_plot(sweeps))
    if as_json:
        print(text)
        return
    console = Console()
    table = Table("DANP step against", box=None, pad_edge=False)
    for heading in ("from", "to", "fitted from", "exponent", "of its operations"):
        table.add_column(heading, justify="right")
    for sweep in sweeps:
        table.add_row(
            sweep.over,
            str(sweep.values[0]),
            str(sweep.values[-1]),
            str(sweep.fitted_from),
            f"{sweep.exponent:.2f}",
            f"{sweep.operations_exponent:.2f}",
        )
    console.print(table)
    if out is not None:
        console.print(f"Plot: {out / 'scaling.png'}", soft_wrap=True)


def scaling_plot(sweeps: Sequence[Sweep]) -> bytes:
    """PNG of seconds against size, one panel a sweep, with the fitted line over its range."""
    figure = Figure(figsize=(8.8, 2.6), layout="constrained", facecolor=LIGHT.surface)
    FigureCanvasAgg(figure)
    for axes, sweep in zip(figure.subplots(1, len(sweeps), squeeze=False)[0], sweeps, strict=True):
        axes.loglog(sweep.values, sweep.seconds, "o", color=LIGHT.arms[0], markersize=4)
        fitted = [value for value in sweep.values if value >= sweep.fitted_from]
        last = sweep.seconds[-1]
        line = [last * (value / sweep.values[-1]) ** sweep.exponent for value in fitted]
        axes.loglog(fitted, line, color=LIGHT.arms[1], linewidth=1.5)
        axes.set_xticks(sweep.values, [str(value) for value in sweep.values], fontsize=6)
        axes.minorticks_off()
        axes.tick_params(labelsize=6)
        axes.set_title(f"{sweep.over}: exponent {sweep.exponent:.2f}", fontsize=8)
    figure.supylabel("seconds a step", fontsize=8)
    png = BytesIO()
    figure.savefig(png, format="png", dpi=160)
    return png.getvalue()
