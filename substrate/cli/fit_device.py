"""`substrate fit-device`."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from matplotlib.axes import Axes
from rich.table import Table
from rich.text import Text

from devices.measurement_columns import MeasurementError
from substrate.cli.outputs import check_picture, refuse_existing
from substrate.files import write_atomically
from substrate.fit.device.branch_points import points_of
from substrate.fit.device.data import Measured, read_devices
from substrate.fit.device.fit import DeviceFit, fit_device
from substrate.fit.device.layout import Asked, Values
from substrate.fit.device.response_fit import GOOD, USABLE, ResponseFit
from substrate.report.palette import LIGHT
from substrate.scenario.schema import NativeChip
from substrate.scenario.source import ScenarioError
from substrate.terminal import Console, tell

_SHOWN = 6
_SAID = {
    "good": "fits",
    "usable": "fits roughly",
    "poor": "does NOT fit: do not build on it",
}


def fit_device_command(
    paths: Sequence[Path], asked: Asked, out: Path, as_json: bool, *, table: bool = False
) -> None:
    """Fit a native crossbar's device to measured curves, and print it for a scenario.

    A table of measured steps goes into a file beside the picture.

    Raises:
        ScenarioError: the files hold no such curves, or none that a device could be fitted to, or
            such a table is there already.
    """
    console = Console(stderr=as_json)
    steps_path = out.with_name(f"{out.stem}-steps.csv")
    check_picture(out)
    refuse_existing(steps_path, "--out names the picture, and so the table of steps beside it")
    try:
        measured = read_devices(paths, asked)
        with console.status("Fitting…") as status:
            found = fit_device(
                measured,
                lambda what: status.update(f"Fitting {what}…"),
                table=table,
                steps_file=steps_path.name,
            )
    except MeasurementError as problem:
        raise ScenarioError(str(problem)) from None
    except ValueError as problem:
        raise ScenarioError(str(problem), file=", ".join(map(str, paths))) from None
    written = write_steps(measured, found, steps_path)
    NativeChip.model_validate(
        {"crossbar": "native", "device": found.settings}, context={"folder": out.parent}
    )
    write_atomically(out, fit_picture(measured, found))
    if as_json:
        result = for_programs(measured, found, out)
        if written:
            result["steps"] = str(steps_path)
        tell(json.dumps(result, indent=2, ensure_ascii=False))
        return
    tell_fit(console, measured, found)
    console.print("\nFor a scenario (under an arm's chip, with crossbar: native):")
    console.print(
        yaml.safe_dump({"device": found.settings}, sort_keys=False).rstrip(), soft_wrap=True
    )
    if written:
        console.print(
            f"Steps: {steps_path}; put it beside the scenario. dw_min scales it, and "
            "cycle_spread its spreads.",
            soft_wrap=True,
        )
    console.print(f"Picture: {out}", soft_wrap=True)


def write_steps(measured: Measured, found: DeviceFit, path: Path) -> bool:
    """Write the table of measured steps, if the device has one; gives whether it has."""
    if found.response is None or found.response.steps is None:
        return False
    unit = "S" if measured.siemens else ""
    text = found.response.steps.text(found.response.per_weight, found.response.zero, unit)
    write_atomically(path, text)
    return True


def tell_fit(console: Console, measured: Measured, found: DeviceFit) -> None:
    """Show parameters with their errors, and the verdict on every part."""
    for note in found.notes:
        console.print(f"  {note}", soft_wrap=True)
    console.print(_table(found))
    for part, verdict in found.verdicts.items():
        console.print(f"{part.capitalize()}: {verdict}; it {_SAID[verdict]}.", soft_wrap=True)
        if part == "response":
            for doubt in measured.clipped:
                console.print(Text(f"But {doubt}.", "yellow"), soft_wrap=True)
    if found.response is not None:
        _tell_response(console, measured, found.response)


def _tell_response(console: Console, measured: Measured, response: ResponseFit) -> None:
    unit = "S" if measured.siemens else "of weight"
    point, error = response.symmetry_point
    console.print(
        f"{len(response.followed)} devices, {response.kind}: mean curves and model differ by "
        f"{response.misfit:.1%} of the window beyond chance (up to {GOOD:.0%} is good, up to "
        f"{USABLE:.0%} usable). Symmetry point {point:.4g} ± {error:.1g} {unit}; weight 0 is at "
        f"{response.zero:.4g} {unit}.",
        soft_wrap=True,
    )


def _table(found: DeviceFit) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("Parameter", "Value", "± standard error"):
        table.add_column(heading, justify="left" if heading[0] == "P" else "right")
    for part, values in found.settings.items():
        for name, value in values.items():
            error = found.errors.get(f"{part}.{name}")
            said = "" if error is None else "unknown" if math.isinf(error) else f"{error:.2g}"
            table.add_row(f"{part}.{name}", f"{value}", said)
    return table


def for_programs(measured: Measured, found: DeviceFit, picture: Path) -> dict[str, Any]:
    """Give the same as numbers."""
    result: dict[str, Any] = {
        "device": found.settings,
        "errors": {k: v if math.isfinite(v) else None for k, v in found.errors.items()},
        "verdicts": found.verdicts,
        "clipped": measured.clipped,
        "notes": found.notes,
        "picture": str(picture),
    }
    if found.response is not None:
        response = found.response
        result["response"] = {
            "kind": response.kind,
            "devices": len(response.followed),
            "unit": "S" if measured.siemens else "weight",
            "misfit": response.misfit,
            "symmetry_point": list(response.symmetry_point),
            "zero": response.zero,
            "per_weight": response.per_weight,
            "window": list(response.window),
            "stuck": {name: list(each) for name, each in response.stuck.items()},
        }
    if found.drift is not None:
        result["drift"] = {"residual": found.drift.residual, "nu": list(found.drift.nu)}
    return result


def fit_picture(measured: Measured, found: DeviceFit) -> bytes:
    """Draw the curves and what was fitted to them."""
    from substrate.show.sheet import draw_sheet

    text = []
    for part, values in found.settings.items():
        for name, value in values.items():
            error = found.errors.get(f"{part}.{name}")
            known = error is not None and math.isfinite(error)
            text.append((f"{name} = {value}" + (f" ± {error:.1g}" if known else ""), ""))
    for part, verdict in found.verdicts.items():
        doubt = " (but readings clip)" if part == "response" and measured.clipped else ""
        text.append((f"{part}: {verdict}{doubt}", ""))
    panels: list[Any] = []
    if found.response is not None:
        response = found.response
        panels += [
            lambda axes: _courses(axes, response),
            lambda axes: _mean_cycle(axes, response),
            lambda axes: _steps(axes, response),
        ]
    if measured.retention:
        panels.append(lambda axes: _retention(axes, measured, found))
    if measured.reads:
        panels.append(lambda axes: _reads(axes, measured, found))
    if measured.sweeps:
        panels.append(lambda axes: _sweeps(axes, measured))
    return draw_sheet("Measured devices, and the native device fitted to them", text, panels)


def _courses(axes: Axes, response: ResponseFit) -> None:
    for number, (device, course) in enumerate(response.followed[:_SHOWN]):
        colour = LIGHT.arms[number % len(LIGHT.arms)]
        axes.plot(device.readings, ".", markersize=1.5, color=colour)
        axes.plot(course.free, linewidth=1, color=colour)
    axes.set(title="Readings (dots), law (lines)", xlabel="reading", ylabel="weight")


def _mean_cycle(axes: Axes, response: ResponseFit) -> None:
    """Cycles of the same pulses together: branches up and down may be cycles of their own."""
    cycles = [
        (device.readings[begin:end], course.free[begin:end], np.sign(device.pulses[begin:end]))
        for device, course in response.followed
        for begin, end in pairwise([*device.starts.tolist(), len(device.readings)])
    ]
    usual = int(np.median([len(readings) for readings, _, _ in cycles]))
    alike: dict[bytes, list[tuple[Values, Values]]] = {}
    for readings, free, signs in cycles:
        if len(readings) >= usual:
            same = alike.setdefault(signs[1:usual].tobytes(), [])
            same.append((readings[:usual], free[:usual]))
    for number, same in enumerate(sorted(alike.values(), key=len, reverse=True)[:2]):
        measured, expected = (np.array(each) for each in zip(*same, strict=True))
        mean, std = measured.mean(0), measured.std(0)
        places, colour = np.arange(usual), LIGHT.arms[2 * number]
        axes.fill_between(places, mean - std, mean + std, alpha=0.2, color=colour, linewidth=0)
        label = ("measured", "model") if number == 0 else (None, None)
        axes.plot(mean, color=colour, linewidth=1.4, label=label[0])
        axes.plot(expected.mean(0), "--", color=LIGHT.arms[1], linewidth=1.4, label=label[1])
    axes.set(title="Mean over devices and cycles", xlabel="reading of a cycle", ylabel="weight")
    axes.legend(fontsize=7, frameon=False)


def _steps(axes: Axes, response: ResponseFit) -> None:
    """Along smoothed branches: a reading that scatters up seems to be followed by a step down."""
    devices = [device for device, _ in response.followed]
    for number, sign in enumerate((1, -1)):
        points = [points_of(device, sign) for device in devices]
        w, step = (np.concatenate([getattr(p, key) for p in points]) for key in ("place", "slope"))
        if not len(w):
            continue
        edges = np.quantile(w, np.linspace(0, 1, 13))
        means = [
            (w[inside].mean(), sign * step[inside].mean())
            for low, high in pairwise(edges)
            if (inside := (w >= low) & (w <= high)).any()
        ]
        middles, steps = np.array(means).T
        line = sign * response.mean_steps(middles)[number]
        name = ("up", "down")[number]
        axes.plot(middles, steps, "o", markersize=3, color=LIGHT.arms[number], label=name)
        axes.plot(middles, line, color=LIGHT.arms[number], linewidth=1)
    axes.set(title="Mean step of a pulse", xlabel="weight", ylabel="step")
    axes.legend(fontsize=7, frameon=False)


def _retention(axes: Axes, measured: Measured, found: DeviceFit) -> None:
    factor, unit = (1e6, "conductance (µS)") if measured.siemens else (1.0, "weight")
    for number, each in enumerate(measured.retention[: 2 * _SHOWN]):
        colour = LIGHT.arms[number % len(LIGHT.arms)]
        usable = (each.places > 0) & (each.readings > 0)
        t, g = each.places[usable], factor * each.readings[usable]
        axes.loglog(t, g, ".", markersize=3, color=colour)
        if len(t) > 1:
            slope, offset = np.polyfit(np.log(t), np.log(g), 1)
            axes.loglog(t, np.exp(offset) * t**slope, color=colour, linewidth=0.8)
    axes.set(title="Retention", xlabel="time since programming (s)", ylabel=unit)


def _reads(axes: Axes, measured: Measured, found: DeviceFit) -> None:
    factor, unit, of = (1e6, "conductance (µS)", "µS") if measured.siemens else (1.0, "weight", "")
    groups = [each.readings for each in measured.reads if len(each.readings) > 1]
    means = np.array([abs(each.mean()) for each in groups])
    spreads = np.array([each.std(ddof=1) for each in groups])
    axes.loglog(factor * means, factor * spreads, "o", markersize=3)
    if found.read_noise is not None and means.max() > 1.01 * means.min():
        line = np.geomspace(means.min(), means.max(), 20)
        sigma = np.array([found.read_noise.sigma_at(each) for each in line])
        axes.loglog(factor * line, factor * sigma, linewidth=1)
    axes.set(title="Read noise", xlabel=unit, ylabel=f"σ ({of})" if of else "σ")


def _sweeps(axes: Axes, measured: Measured) -> None:
    for each in measured.sweeps[:_SHOWN]:
        axes.plot(each.places, each.readings, linewidth=1)
    axes.set(title="Sweeps", xlabel="voltage (V)", ylabel="current (A)")
