"""`substrate fit`."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import torch
import yaml
from rich.table import Table

from devices.measurement_file import MeasurementError
from devices.noise import NoiseModel
from devices.noise.base import Memory
from devices.noise.trace_file import read_trace
from substrate.files import write_atomically
from substrate.fit.fit import Fit, fit_all
from substrate.fit.two_levels import Samples
from substrate.scenario.source import ScenarioError
from substrate.terminal import Console, tell


def fit_command(
    path: Path,
    sampling_rate: float,
    column: str | None,
    scale: float,
    unit: str,
    most: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Fit noise models to a measured trace, and print a scenario fragment.

    Raises:
        ScenarioError: the file holds no trace, or none that a model could be fitted to.
    """
    console = Console(stderr=as_json)
    try:
        whole = read_trace(path, column).samples * scale
        used = whole[:most]
        with console.status(f"Fitting {len(used)} samples…"):
            fits = fit_all(used, 1 / sampling_rate)
    except MeasurementError as problem:
        raise ScenarioError(str(problem)) from None
    except ValueError as problem:
        raise ScenarioError(str(problem), file=str(path)) from None
    picture = out or Path(f"{path.stem}-fit.png")
    write_atomically(picture, _picture(path, used, fits[0], sampling_rate, unit))
    fragment = {"noise": [_entry(fits[0])]}
    replay = {"path": str(path), "sampling_rate": sampling_rate, "scale": scale}
    if column is not None:
        replay["column"] = column
    if as_json:
        result = {
            "trace": str(path),
            "samples": len(used),
            "mean": float(used.mean()),
            "fits": [_for_programs(fit) for fit in fits],
            "scenario": fragment,
            "picture": str(picture),
        }
        tell(json.dumps(result, indent=2, ensure_ascii=False))
        return
    part = "" if len(used) == len(whole) else f" of {len(whole)}"
    console.print(
        f"{path.name}: {len(used)}{part} samples at {sampling_rate:g} Hz, mean {used.mean():.4g} "
        f"{unit}, standard deviation {used.std():.4g} {unit}",
        highlight=False,
    )
    console.print(_table(fits))
    for fit in fits[:1]:
        if fit.note:
            console.print(f"{fit.model.name}: {fit.note}")
    console.print("\nThe best, for a scenario (under an arm's chip):")
    console.print(_yaml(fragment))
    console.print("Or the trace itself, replayed:")
    replayed = {"noise": [{"model": "trace", "at": "output"} | replay]}
    console.print(_yaml(replayed))
    console.print(f"Picture: {picture}", soft_wrap=True)


def _entry(fit: Fit) -> dict[str, Any]:
    parameters = fit.model.model_dump(mode="json")
    rounded = {
        name: float(f"{value:.4g}") if isinstance(value, float) else value
        for name, value in parameters.items()
    }
    return {"model": fit.model.name, "at": "output"} | rounded


def _for_programs(fit: Fit) -> dict[str, Any]:
    def finite(value: float) -> float | None:
        return value if math.isfinite(value) else None

    return {
        "model": fit.model.name,
        "log_likelihood": finite(fit.log_likelihood),
        "aic": finite(fit.aic),
        "parameters": fit.model.model_dump(mode="json"),
        "errors": {name: finite(error) for name, error in fit.errors.items()},
        "note": fit.note,
    }


def _table(fits: list[Fit]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("Model", "ln likelihood", "AIC − best", "Parameters with standard errors"):
        table.add_column(heading, justify="left" if heading[0] in "MP" else "right")
    for fit in fits:
        values = [
            f"{name} {getattr(fit.model, name):.4g} ± {error:.1g}"
            for name, error in fit.errors.items()
        ]
        behind = 0.0 if fit is fits[0] else fit.aic - fits[0].aic
        table.add_row(
            fit.model.name, f"{fit.log_likelihood:.1f}", f"{behind:.1f}", ", ".join(values)
        )
    return table


def _yaml(data: dict[str, Any]) -> str:
    return str(yaml.safe_dump(data, sort_keys=False, allow_unicode=True)).rstrip()


def _picture(path: Path, trace: Samples, best: Fit, sampling_rate: float, unit: str) -> bytes:
    from substrate.show.sheet import draw_sheet
    from substrate.show.traces import trace_panels

    simulated = _simulate(best.model, len(trace))
    text = [
        (name, f"{getattr(best.model, name):.4g} ± {error:.1g}; {_describe(best.model, name)}")
        for name, error in best.errors.items()
    ]
    panels = trace_panels(
        {path.name: trace - trace.mean(), f"{best.model.name}, simulated": simulated},
        1 / sampling_rate,
        unit,
    )
    return draw_sheet(
        f"{path.name}, and the best of the models: {best.model.title}",
        [*text, ("Source", f"fitted to {len(trace)} samples of {path.name}")],
        panels,
    )


def _describe(model: NoiseModel, parameter: str) -> str:
    return type(model).model_fields[parameter].description or ""


def _simulate(model: NoiseModel, samples: int) -> Samples:
    memory = Memory(torch.Generator().manual_seed(0))
    drawn = model.sample(torch.zeros(samples, 1, dtype=torch.float64), memory)[:, 0].numpy()
    simulated: Samples = drawn - drawn.mean()
    return simulated
