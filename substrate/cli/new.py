"""`substrate new`."""

from __future__ import annotations

from pathlib import Path

from substrate.new.write import Kind, write_new
from substrate.terminal import tell


def new_command(kind: Kind, name: str, folder: Path) -> None:
    """Write a starting file with its test, and say what to do next.

    Raises:
        ScenarioError: the name is none, or a file is already there.
    """
    model, test = write_new(kind, name, folder)
    made = next(line for line in model.read_text().splitlines() if line.startswith("class "))
    class_name = made.removeprefix("class ").split("(")[0].rstrip(":")
    tell(
        f"Wrote {model} and {test}.\n"
        f"Next:  substrate verify {model}:{class_name}\n"
        f"       substrate show {model}:{class_name}\n"
        f"       pytest {test}"
    )
