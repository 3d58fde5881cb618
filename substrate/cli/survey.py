"""`substrate survey`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from rich.markdown import Markdown

from substrate.cli.run import refuse_full
from substrate.cli.scenario import open_scenario
from substrate.environment import check_aihwkit
from substrate.files import write_atomically
from substrate.record.folder import RunFolder
from substrate.terminal import Console, tell

TABLE = "survey.md"


def survey_command(
    path: Path,
    presets: str,
    epochs: int | None,
    overrides: list[str],
    out: Path | None,
    as_json: bool,
    command: str,
) -> None:
    """Train a scenario's first device arm with every preset, and print and write the table.

    Raises:
        ScenarioError: the scenario, a preset or the data is wrong; nothing has been written.
    """
    if epochs is not None:
        overrides = [*overrides, f"training.epochs={epochs}"]
    scenario, source = open_scenario(path, overrides)
    check_aihwkit()
    import torch

    from substrate.assemble.dataset import checked_dataset
    from substrate.cli.progress import display_for
    from substrate.run.experiment import run_scenario
    from substrate.survey import survey_scenario, survey_table

    names = [] if presets == "all" else [name.strip() for name in presets.split(",")]
    surveyed = survey_scenario(scenario, source, names)
    dataset = checked_dataset(surveyed, source)
    folder = out or Path("runs") / f"{surveyed.name}-{datetime.now():%Y%m%d-%H%M%S}"
    refuse_full(folder, "--out")
    # one line an arm rather than a bar: there are more arms than a terminal has lines
    lines = Console(stderr=as_json, force_terminal=False)

    def write_table(folder: Path, run: RunFolder) -> None:
        write_atomically(folder / TABLE, survey_table(surveyed, run.summary))

    cpu = torch.device("cpu")
    with display_for(surveyed, lines) as display:
        summary = run_scenario(surveyed, dataset, folder, cpu, command, display, write_table)
    if as_json:
        tell(summary.as_json())
    else:
        Console().print(Markdown(survey_table(surveyed, summary), hyperlinks=False))
        tell(f"Table: {folder / TABLE}")
