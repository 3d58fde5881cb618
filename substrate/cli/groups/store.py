"""`substrate store`: what was done, and removing what is no longer wanted."""

from __future__ import annotations

import json
import re
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from substrate.cli.options import JsonOption

if TYPE_CHECKING:
    from substrate.run.store import Stored

store_app = typer.Typer(
    help="What runs have done, kept in $SUBSTRATE_STORE or the user's cache folder, "
    "so that nothing is trained twice.",
    no_args_is_help=True,
)

_SHOWN = 20
_SECONDS = {"h": 3600, "d": 86_400, "w": 7 * 86_400}
_BYTES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


@store_app.command("list")
def list_units(as_json: JsonOption = False) -> None:
    """List the units, each an arm with a seed, the last used first."""
    from rich.table import Table

    from substrate.run.store import Store
    from substrate.terminal import Console, tell

    store = Store.default()
    units = sorted(store.units(), key=lambda each: each.used, reverse=True)
    if as_json:
        tell(json.dumps([{**asdict(each), "folder": str(each.folder)} for each in units], indent=2))
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("Unit", "What", "State"):
        table.add_column(heading, no_wrap=heading != "What")
    for heading in ("Size", "Last used"):
        table.add_column(heading, justify="right", no_wrap=True)
    now = time.time()
    for each in units[:_SHOWN]:
        state = "done" if each.ended else "unfinished"
        table.add_row(each.key[:12], _what(each), state, _size(each.bytes), _ago(now - each.used))
    if units:
        Console().print(table)
    if len(units) > _SHOWN:
        tell(f"… and {len(units) - _SHOWN:,} more; --json lists all")
    ended, size = sum(each.ended for each in units), sum(each.bytes for each in units)
    tell(f"{len(units):,} units, {ended:,} of them done, {_size(size)}, in {store.root}")


@store_app.command()
def prune(
    older_than: Annotated[
        str | None,
        typer.Option(metavar="AGE", help="Remove what was not used for so long: 12h, 30d, 8w."),
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="Remove the longest unused until so much is left: 5G."),
    ] = None,
) -> None:
    """Remove units; none that a run is using."""
    from substrate.run.store import Store
    from substrate.terminal import tell

    if older_than is None and keep is None:
        raise typer.BadParameter("say what to remove: --older-than 30d, or --keep 5G")
    store = Store.default()
    removed = store.prune(
        older_than=None if older_than is None else _read(older_than, _SECONDS, "--older-than"),
        keep_bytes=None if keep is None else int(_read(keep, _BYTES, "--keep")),
    )
    tell(f"{removed:,} units removed from {store.root}")


def _read(text: str, units: dict[str, int], option: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([A-Za-z]?)", text)
    if found is None or found[2] not in units:
        known = ", ".join(filter(None, units))
        raise typer.BadParameter(f"{option} {text}: write a number with one of {known}")
    return float(found[1]) * units[found[2]]


def _what(each: Stored) -> str:
    """Chip, rule and seed."""
    from substrate.record import RecordError
    from substrate.record.unit import UNIT, UnitRecord

    path = each.folder / UNIT
    try:
        record = UnitRecord.read(path.read_bytes(), path)
        settings = json.loads(record.origin.scenario)
        chip = settings["arm"]["chip"]
        words = [
            settings["data"]["name"],
            chip["crossbar"],
            chip.get("preset"),
            settings["arm"]["learning"]["rule"],
            f"seed {record.seed}",
        ]
    except (OSError, RecordError, ValueError, KeyError):
        return "cannot be read"
    return " ".join(filter(None, words))


def _size(size: float) -> str:
    for name, unit in reversed(_BYTES.items()):
        if size >= unit:
            return f"{size / unit:.3g} {name}B"
    return "0 B"


def _ago(seconds: float) -> str:
    for name, unit in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name} ago"
    return "just now"
