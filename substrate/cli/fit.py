"""`substrate fit`."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from rich.table import Table

from devices.measurement_columns import MeasurementError
from devices.noise import NoiseModel
from devices.noise.trace_file import Missing, Trace, Uneven, read_trace
from devices.text_layout import Decimal
from substrate.cli.outputs import check_picture
from substrate.files import write_atomically
from substrate.fit.adequacy import simulate
from substrate.fit.fit import Fit, fit_all
from substrate.fit.predictive import Samples
from substrate.scenario.source import ScenarioError
from substrate.terminal import Console, tell


@dataclass(frozen=True)
class TraceOptions:
    """How a trace's file is read: as `devices.noise.trace_file.read_trace` takes it."""

    column: str | None = None
    time: str | None = None
    sampling_rate: float | None = None
    missing: Missing = "refuse"
    uneven: Uneven = "refuse"
    decimal: Decimal | None = None

    def given(self) -> dict[str, Any]:
        """What differs from the defaults, for a scenario."""
        numbers = ("column", "time")
        return {
            name: int(value) if name in numbers and str(value).isdecimal() else value
            for name, value in vars(self).items()
            if value not in (None, "refuse")
        }


def fit_command(
    path: Path,
    options: TraceOptions,
    scale: float,
    unit: str | None,
    most: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Fit sums of noise models to a measured trace, and print a scenario fragment.

    Raises:
        ScenarioError: the file holds no trace, or none that a model could be fitted to.
    """
    console = Console(stderr=as_json)
    picture = out or Path(f"{path.stem}-fit.png")
    check_picture(picture)
    try:
        trace = read_trace(path, most=most, **vars(options))
    except MeasurementError as problem:
        raise ScenarioError(str(problem)) from None
    rate = trace.sampling_rate
    if rate is None:
        raise ScenarioError(
            "has no column of times to take the sampling rate from",
            file=str(path),
            hint="type --sampling-rate HZ, or --time COLUMN",
        )
    unit = unit or (trace.unit if scale == 1 else None) or "a.u."
    used = trace.samples * scale
    try:
        with console.status(f"Fitting {len(used)} samples…") as status:
            fits = fit_all(used, 1 / rate, tell=lambda name: status.update(f"Fitting {name}…"))
    except ValueError as problem:
        raise ScenarioError(str(problem), file=str(path)) from None
    write_atomically(picture, _picture(path, used, fits[0], rate, unit))
    fragment = {"noise": [_entry(model) for model in fits[0].models]}
    replay = {"model": "trace", "at": "output", "path": str(path)} | options.given()
    if scale != 1:
        replay["scale"] = scale
    if as_json:
        result = {
            "trace": str(path),
            "column": trace.column,
            "samples": len(used),
            "sampling_rate": rate,
            "mean": float(used.mean()),
            "std": float(used.std()),
            "unit": unit,
            "notes": list(trace.notes),
            "best": fits[0].name,
            "verdict": fits[0].adequacy.verdict if fits[0].adequacy else None,
            "candidates": [_for_programs(fit, fits[0]) for fit in fits],
            "scenario": fragment,
            "replay": replay,
            "picture": str(picture),
        }
        tell(json.dumps(result, indent=2, ensure_ascii=False))
        return
    _show(console, path, trace, used, unit, fits)
    console.print("\nThe best, for a scenario (under an arm's chip):")
    console.print(_yaml(fragment), soft_wrap=True)
    console.print("Or the trace itself, replayed:")
    console.print(_yaml({"noise": [replay]}), soft_wrap=True)
    console.print(f"Picture: {picture}", soft_wrap=True)


def _show(
    console: Console, path: Path, trace: Trace, used: Samples, unit: str, fits: list[Fit]
) -> None:
    column = "" if trace.column.isdecimal() else f", column {trace.column}"
    console.print(
        f"{path.name}{column}: {len(used)} samples at {trace.sampling_rate:g} Hz, "
        f"mean {used.mean():.4g} {unit}, standard deviation {used.std():.4g} {unit}",
        soft_wrap=True,
    )
    for note in trace.notes:
        console.print(f"  {note}", soft_wrap=True)
    console.print(_table(fits))
    best = fits[0]
    if best.note:
        console.print(f"{best.name}: {best.note}", soft_wrap=True)
    if best.adequacy is not None:
        said = {
            "good": "The best fits the trace",
            "usable": "The best is not the whole truth, but near it",
            "poor": "Even the best does NOT fit the trace; replay the trace itself",
        }[best.adequacy.verdict]
        console.print(f"\n{said}: {best.adequacy.why}.", soft_wrap=True)


def _entry(model: NoiseModel) -> dict[str, Any]:
    parameters = model.model_dump(mode="json")
    rounded = {
        name: float(f"{value:.5g}") if isinstance(value, float) else value
        for name, value in parameters.items()
    }
    return {"model": model.name, "at": "output"} | rounded


def _for_programs(fit: Fit, best: Fit) -> dict[str, Any]:
    def finite(value: float) -> float | None:
        return value if math.isfinite(value) else None

    result: dict[str, Any] = {
        "name": fit.name,
        "models": [model.name for model in fit.models],
        "log_likelihood": finite(fit.log_likelihood),
        "bic": finite(fit.bic),
        "parameters": fit.parameters,
        "errors": {name: finite(error) for name, error in fit.errors.items()},
        "determined": fit.determined,
        "recommended": fit is best,
        "note": fit.note,
    }
    if fit.adequacy is None:
        behind = (fit.bic - best.bic) if math.isfinite(fit.bic) else math.inf
        undetermined = [name for name, error in fit.errors.items() if math.isinf(error)]
        result["verdict"] = (
            f"undetermined: {', '.join(undetermined)}"
            if undetermined
            else f"rejected: BIC {behind:.1f} above the best"
        )
        return result
    result["verdict"] = fit.adequacy.verdict
    result["checks"] = {
        name: {
            "outside": check.outside,
            "points": len(check.places),
            "furthest_beyond": check.furthest,
            "places": check.places.tolist(),
            "measured": check.measured.tolist(),
            "expected": check.expected.tolist(),
            "half_width": check.half_width.tolist(),
        }
        for name, check in fit.adequacy.checks.items()
    }
    return result


def _table(fits: list[Fit]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("Sum", "BIC − best", "Parameters with standard errors"):
        table.add_column(heading, justify="right" if heading[0] == "B" else "left")
    for fit in fits:
        values = [
            f"{name} {value:.4g} ± {fit.errors[name]:.1g}"
            if math.isfinite(fit.errors[name])
            else f"{name} undetermined"
            for name, value in fit.parameters.items()
        ]
        behind = 0.0 if fit is fits[0] else fit.bic - fits[0].bic
        table.add_row(fit.name, f"{behind:.1f}", ", ".join(values))
    return table


def _yaml(data: dict[str, Any]) -> str:
    return str(yaml.safe_dump(data, sort_keys=False, allow_unicode=True)).rstrip()


def _picture(path: Path, trace: Samples, best: Fit, sampling_rate: float, unit: str) -> bytes:
    from substrate.show.sheet import draw_sheet
    from substrate.show.traces import trace_panels

    interval = 1 / sampling_rate
    generator = torch.Generator().manual_seed(0)
    simulated = simulate(best.models, len(trace), 1, interval, generator)[0]
    text = [
        (f"{name} = {value:.4g} ± {best.errors[name]:.1g}", "")
        for name, value in best.parameters.items()
    ]
    if best.adequacy is not None:
        text.append((f"Verdict: {best.adequacy.verdict}", best.adequacy.why))
    panels = trace_panels(
        {
            path.name: trace - trace.mean(),
            f"{best.name}, simulated": np.asarray(simulated - simulated.mean()),
        },
        interval,
        unit,
    )
    return draw_sheet(
        f"{path.name}, and the best of the sums: {best.name}",
        [*text, ("Source", f"fitted to {len(trace)} samples of {path.name}")],
        panels,
    )
