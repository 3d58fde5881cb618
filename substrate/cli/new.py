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
    next_steps = [f"substrate verify {model}:{class_name}", f"pytest {test}"]
    if kind == "bench":
        next_steps.append(f"substrate fit-device --bench {model}:{class_name}")
    elif kind != "rule":
        next_steps.insert(1, f"substrate show {model}:{class_name}")
    steps = "\n       ".join(next_steps)
    tell(f"Wrote {model} and {test}.\nNext:  {steps}")
