"""The chips that a scenario can name, told apart by `crossbar`; those on a bench by `bench`."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Tag

from substrate.library import bench_class, custom_crossbar
from substrate.scenario.schema.aihwkit import AihwkitChip
from substrate.scenario.schema.base import Settings
from substrate.scenario.schema.bench import BenchChip, MockChip
from substrate.scenario.schema.custom import CustomChip, is_custom
from substrate.scenario.schema.native import NativeChip
from substrate.scenario.schema.remote import RemoteChip


class IdealChip(Settings):
    """The ideal chip: noise-free float32, with clean passes and gradients."""

    crossbar: Literal["ideal"] = "ideal"


def crossbar(chip: Any) -> str | None:
    """Tell chips apart by the name of their crossbar; all of the user's own are one kind."""
    if isinstance(chip, RemoteChip) or (isinstance(chip, dict) and "remote" in chip):
        return "remote"
    if isinstance(chip, MockChip) or (isinstance(chip, dict) and "bench" in chip):
        mock = isinstance(chip, MockChip) or chip.get("mock") is True
        return "mock" if mock else "bench"
    if isinstance(chip, BenchChip):
        return "bench"
    name = chip.get("crossbar") if isinstance(chip, dict) else getattr(chip, "crossbar", None)
    return "custom" if isinstance(name, str) and is_custom(name) else name


Chip = Annotated[
    Annotated[IdealChip, Tag("ideal")]
    | Annotated[AihwkitChip, Tag("aihwkit")]
    | Annotated[NativeChip, Tag("native")]
    | Annotated[CustomChip, Tag("custom")]
    | Annotated[BenchChip, Tag("bench")]
    | Annotated[MockChip, Tag("mock")]
    | Annotated[RemoteChip, Tag("remote")],
    Discriminator(crossbar),
]


def chip_title(chip: Chip) -> str:
    """Name a chip for people."""
    if isinstance(chip, IdealChip):
        return "ideal chip"
    if isinstance(chip, CustomChip):
        return custom_crossbar(chip.crossbar, Path()).title
    if isinstance(chip, RemoteChip):
        return f"chip at {chip.remote}"
    if isinstance(chip, BenchChip | MockChip):
        title = bench_class(chip.bench, Path()).title or chip.bench.rpartition(":")[2]
        sample = f", {chip.sample}" if chip.sample else ""
        return f"{title}{sample}" if isinstance(chip, BenchChip) else f"model of {title}{sample}"
    if isinstance(chip, NativeChip):
        return f"native {chip.preset}"
    return f"aihwkit {chip.preset}"
