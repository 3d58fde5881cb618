"""`substrate fit-device --bench`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import yaml

from devices.measurement_columns import MeasurementError
from substrate.assemble.bench import BenchBusy, open_bench
from substrate.cli.fit_device import fit_picture, for_programs, tell_fit, write_steps
from substrate.cli.outputs import check_picture, refuse_existing
from substrate.files import write_atomically
from substrate.fit.device.bench import BenchMeasured, complete, measure_bench, model_of
from substrate.fit.device.data import read_devices
from substrate.fit.device.fit import fit_device
from substrate.fit.device.layout import Asked
from substrate.run.output import refuse_folder
from substrate.scenario.schema import BenchChip, NativeChip
from substrate.scenario.schema.bench import default_model
from substrate.scenario.source import ScenarioError
from substrate.target import describe, find_target
from substrate.terminal import Console, tell


def fit_bench_command(
    name: str, settings: Sequence[str], model: Path | None, out: Path, as_json: bool
) -> None:
    """Let a bench measure itself, and write the model that `mock: true` trains on.

    Raises:
        ScenarioError: there is no such bench, it is in use, nothing can be fitted to it, or its
            model or readings are there already.
    """
    chip = find_target(name, settings)
    if not isinstance(chip, BenchChip):
        raise ScenarioError("is no bench", file="--bench", found=name)
    model = model or default_model(chip.bench, Path.cwd())
    if model is None:
        raise ScenarioError("is in no file: say where its model goes, by --model", found=name)
    refuse_folder(model, "--model")
    check_picture(out)
    table = model.with_name(f"{model.name.removesuffix('.yaml').removesuffix('.model')}-pulses.csv")
    steps = table.with_name(table.name.replace("-pulses.csv", "-steps.csv"))
    for path in (model, table, steps):
        refuse_existing(path, "--model names the model, and what lies beside it")
    console = Console(stderr=as_json)
    try:
        opened = open_bench(chip)
    except BenchBusy as problem:
        raise ScenarioError(str(problem), file="--bench") from None
    with console.status("Measuring…") as status:
        measured = measure_bench(opened, lambda what: status.update(f"Measuring {what}…"))
    opened.close()
    write_atomically(table, measured.table)
    try:
        curves = read_devices([table], Asked())
        with console.status("Fitting…"):
            found = fit_device(curves, steps_file=steps.name)
    except (MeasurementError, ValueError) as problem:
        raise ScenarioError(str(problem), file=str(table)) from None
    complete(found, measured)
    stands_for = model_of(measured, found)
    write_steps(curves, found, steps)
    NativeChip.model_validate(
        {"crossbar": "native", **stands_for}, context={"folder": model.parent}
    )
    about = {
        "bench": name,
        "title": describe(chip)[0],
        "settings": chip.settings,
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "verdicts": found.verdicts,
    }
    text = yaml.safe_dump(about | stands_for, sort_keys=False, allow_unicode=True)
    write_atomically(model, f"# A model of a bench, fitted to its own reads.\n{text}")
    write_atomically(out, fit_picture(curves, found))
    if as_json:
        told = for_programs(curves, found, out) | {"model": str(model), "table": str(table)}
        tell(json.dumps(told | _noise(measured), indent=2, ensure_ascii=False))
        return
    tell_fit(console, curves, found)
    console.print(
        f"Noise of a read: {measured.column_noise:.4g} at every column, {measured.cell_noise:.4g} "
        f"of every cell. Rows were driven {measured.drives} times.",
        soft_wrap=True,
    )
    console.print(
        f"Model: {model}; with `mock: true` beside `bench` a scenario trains on it.",
        soft_wrap=True,
    )
    console.print(f"Pulses: {table}\nPicture: {out}", soft_wrap=True)


def _noise(measured: BenchMeasured) -> dict[str, float | int]:
    return {
        "column_noise": float(f"{measured.column_noise:.4g}"),
        "cell_noise": float(f"{measured.cell_noise:.4g}"),
        "reads_averaged": measured.averaged,
        "drives": measured.drives,
    }
