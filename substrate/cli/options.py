"""Options that several commands share."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

ScenarioArgument = Annotated[
    Path, typer.Argument(metavar="SCENARIO", help="A scenario file, or a shipped scenario's name.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="Override a key, such as arms.crossbar.chip.preset=EcRamPreset. Repeatable.",
    ),
]
BudgetOption = Annotated[
    str, typer.Option(help="One of the scenario's budgets; full is what its file says.")
]
TrustOption = Annotated[
    bool,
    typer.Option(
        "--trust",
        help="Run the code that the scenario names wherever it lies; it is listed first.",
    ),
]
DeviceOption = Annotated[str, typer.Option(metavar="cpu|cuda", help="Where to compute.")]
JobsOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Train so many arms and seeds side by side, one thread each.",
        show_default="one a core, or a GPU, within the memory at hand",
    ),
]
ClusterOption = Annotated[
    str | None,
    typer.Option(
        metavar="dask://HOST:PORT",
        help="Let a Dask cluster that runs do the work.",
        show_default="processes of this machine",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def command_line() -> str:
    """Give the command as it was called, for records and reports."""
    return "substrate " + shlex.join(sys.argv[1:])


@contextmanager
def code_trusted(everything: bool) -> Iterator[None]:
    """Let code from anywhere be run within the block, else only that of `Trust.WORKING_FOLDER`."""
    from substrate.plugins import Trust, trusting

    with trusting(Trust.EVERYTHING if everything else Trust.WORKING_FOLDER):
        yield
