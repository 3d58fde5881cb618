"""`substrate show`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from pydantic import BaseModel

from devices.noise.base import Memory, NoiseModel
from learning.rules import Rule
from substrate.files import write_atomically
from substrate.run.output import refuse_folder
from substrate.scenario.schema import BenchChip, Chip
from substrate.scenario.schema.arrays import ArrayChip
from substrate.scenario.source import ScenarioError
from substrate.show.sheet import Panel, draw_sheet
from substrate.show.traces import trace_panels
from substrate.target import describe, find_target
from substrate.terminal import tell

READS = 2**15
SIGNAL = 0.7
"""The constant signal at which noise is drawn."""


def show_command(name: str, settings: Sequence[str], out: Path | None) -> None:
    """Draw what a noise model or crossbar does.

    Raises:
        ScenarioError: there is nothing of that name, or a parameter is wrong.
    """
    target = find_target(name, settings)
    if isinstance(target, Rule):
        raise ScenarioError(
            "is a learning rule, of which there is nothing to draw",
            found=name,
            hint="see `substrate verify`, and `substrate align` for its angle to the gradient",
        )
    if isinstance(target, BenchChip):
        raise ScenarioError(
            "is a bench, which is not drawn",
            found=name,
            hint="`substrate fit-device --bench` measures it, and draws what it found",
        )
    picture = out or Path(f"{Path(name.partition(':')[0]).stem}.png")
    refuse_folder(picture, "--out")
    title, citation, parameters = describe(target)
    panels = _noise(target) if isinstance(target, NoiseModel) else _crossbar(target)
    text = list(_rows(parameters))
    source = [("Source", citation)] if citation else []
    for key, value in [*text, *source]:
        tell(f"{key}: {value}")
    write_atomically(picture, draw_sheet(f"{name}: {title}", [*text, *source], panels))
    tell(f"Picture: {picture}")


def _rows(parameters: BaseModel, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every parameter with its value, unit and meaning; what all arrays share is left out."""
    shared = set(ArrayChip.model_fields) if isinstance(parameters, ArrayChip) else set()
    for name, field in type(parameters).model_fields.items():
        value = getattr(parameters, name)
        if name in shared or name == "crossbar" or value is None or value == {}:
            continue
        if isinstance(value, BaseModel):
            yield from _rows(value, f"{prefix}{name}.")
        else:
            shown = f"{value:.6g}" if isinstance(value, float) else str(value)
            yield f"{prefix}{name} = {shown}", field.description or ""


def _noise(model: NoiseModel) -> list[Panel]:
    memory = Memory(torch.Generator().manual_seed(0))
    signal = torch.full((READS, 1), SIGNAL, dtype=torch.float64)
    drawn = model.sample(signal, memory)[:, 0].numpy()
    stated = model.autocovariance(torch.arange(READS // 8), SIGNAL)
    known = None if stated is None else ("as stated", stated.double().numpy())
    interval = getattr(model, "read_interval", None)
    return trace_panels({f"at signal {SIGNAL}": drawn}, interval, "units of the signal", known)


def _crossbar(chip: Chip) -> list[Panel]:
    from substrate.show.crossbar import crossbar_panels, measure

    measured = measure(chip, seed=0)
    noise = trace_panels({"read noise at x = 1": measured.noise}, None, "units of a")
    return [*crossbar_panels(measured), *noise[::2]]
