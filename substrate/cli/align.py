"""`substrate align`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from substrate.cli.scenario import open_scenario
from substrate.files import write_atomically
from substrate.run.output import refuse_full
from substrate.scenario.aihwkit_check import check_runs_on
from substrate.scenario.load import resolved
from substrate.scenario.schema import Alignment, Scenario
from substrate.scenario.source import Source
from substrate.terminal import Console, tell

if TYPE_CHECKING:
    from substrate.align.measure import Alignment as Measured

_SHOWN = (1, 10, 100, 1000, 10_000, 100_000)


def align_command(
    path: Path,
    chosen: Mapping[str, int | None],
    overrides: list[str],
    budget: str,
    device: str,
    out: Path | None,
    as_json: bool,
) -> None:
    """Measure the angles, and write `align.json` and the pictures.

    Args:
        path: of the scenario.
        chosen: what takes the place of the scenario's `alignment`, None where nothing does.
        overrides: of the scenario's keys.
        budget: of the scenario.
        device: where to compute.
        out: folder to write.
        as_json: print `align.json`.

    Raises:
        ScenarioError: the scenario, the data or an option is wrong, backpropagation cannot
            differentiate the network or the loss, or there is no arm that perturbs.
    """
    given = [f"alignment.{name}={value}" for name, value in chosen.items() if value is not None]
    scenario, source = open_scenario(path, [*overrides, *given], budget)
    folder = out or Path("runs") / f"align-{scenario.name}-{datetime.now():%Y%m%d-%H%M%S}"
    refuse_full(folder, "--out")
    alignment = measure_into(scenario, source, folder, device)
    if as_json:
        tell((folder / "align.json").read_text(encoding="utf-8"), nl=False)
    else:
        _show(alignment)
        tell(f"Written: {folder}")


def measure_into(scenario: Scenario, source: Source, folder: Path, device: str) -> Measured:
    """Measure the angles; write `align.json`, the pictures and the resolved scenario to a folder.

    Raises:
        ScenarioError: as `align_command`.
    """
    for loc, part in (("network", scenario.network), ("training", scenario.training)):
        if not part.differentiable:
            raise source.error((loc,), "there is no gradient to compare with")
    from substrate.align.measure import measure, perturbed_arms
    from substrate.align.plots import pictures
    from substrate.assemble.dataset import checked_dataset
    from substrate.run.session import compute_device

    if not perturbed_arms(scenario):
        raise source.error(("arms",), "no arm has a rule that perturbs")
    where = compute_device(device)
    check_runs_on(scenario, source, where)
    dataset = checked_dataset(scenario, source).to(where)
    settings = scenario.alignment or Alignment()
    if settings.inputs > len(dataset.x_train):
        message = f"{dataset.name} has only {len(dataset.x_train)} training samples"
        raise source.error(("alignment", "inputs"), message, found=settings.inputs)
    console = Console(stderr=True)
    with console.status("") as status:
        shown: set[str] = set()

        def told(name: str, text: str) -> None:
            status.update(Text(f"{name}: {text}"))
            if not console.is_terminal and name not in shown:
                console.print(f"measuring {name}")
                shown.add(name)

        alignment = measure(
            scenario,
            dataset,
            where,
            **settings.model_dump(),
            told=told,
        )
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(dataclasses.asdict(alignment), indent=2, ensure_ascii=False)
    write_atomically(folder / "scenario.yaml", resolved(scenario))
    write_atomically(folder / "align.json", text + "\n")
    for name, png in pictures(alignment).items():
        write_atomically(folder / name, png)
    return alignment


def _show(alignment: Measured) -> None:
    table = Table(
        title="Angle to backpropagation's update, degrees", title_justify="left", box=None
    )
    table.add_column("Arm")
    table.add_column("Noise samples", justify="right")
    table.add_column("Noisy passes", justify="right")
    for number, layer in enumerate(alignment.layers, start=1):
        table.add_column(f"Layer {number}\n{layer}", justify="right")
    counts = alignment.noise_samples
    for name, arm in alignment.arms.items():
        rows = zip(counts, arm.passes, arm.angles, strict=True)
        for count, passes, angles in rows:
            if count in _SHOWN or count == counts[-1]:
                figures = [f"{each:.1f}" for each in angles]
                table.add_row(name, f"{count:,}", f"{passes:,}", *figures)
    Console().print(table)
