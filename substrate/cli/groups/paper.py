"""The commands about what the paper measured: its angles and its experiments."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from substrate.cli.options import (
    BudgetOption,
    ClusterOption,
    DeviceOption,
    JobsOption,
    JsonOption,
    ScenarioArgument,
    SetOption,
    TrustOption,
    code_trusted,
    command_line,
)

paper_app = typer.Typer()


@paper_app.command()
def align(
    scenario: ScenarioArgument,
    inputs: Annotated[
        int | None,
        typer.Option(
            min=1, help="Mean angle over so many inputs.", show_default="the scenario's, or 4"
        ),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Average up to so many noise samples.",
            show_default="the scenario's, or 10000",
        ),
    ] = None,
    sigma_samples: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Noise samples at every σ²; 0 leaves σ² alone.",
            show_default="the scenario's, or 1000",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the results.", show_default="runs/align-<scenario>-<date>"),
    ] = None,
    set_: SetOption = None,
    budget: BudgetOption = "full",
    device: DeviceOption = "cpu",
    trust: TrustOption = False,
    as_json: JsonOption = False,
) -> None:
    """Measure the angle between every rule's update and backpropagation's."""
    from substrate.cli.align import align_command

    chosen = {"inputs": inputs, "samples": samples, "sigma_samples": sigma_samples}
    with code_trusted(trust):
        align_command(scenario, chosen, set_ or [], budget, device, out, as_json)


@paper_app.command()
def replicate(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            help="Experiments, such as three_hidden or paper/noisy_baseline.",
            show_default="all",
        ),
    ] = None,
    budget: Annotated[
        str, typer.Option(help="One of the scenarios' budgets; full is the paper's setting.")
    ] = "short",
    runs: Annotated[
        Path, typer.Option(metavar="DIR", help="Run folders: GROUP-NAME-BUDGET each.")
    ] = Path("runs/replication"),
    page: Annotated[
        Path, typer.Option(help="The page; pictures go to images/replication beside it.")
    ] = Path("docs/replication.md"),
    page_only: Annotated[
        bool, typer.Option("--page-only", help="Run nothing; write the page from what was run.")
    ] = False,
    jobs: JobsOption = None,
    cluster: ClusterOption = None,
    device: DeviceOption = "cpu",
    as_json: JsonOption = False,
) -> None:
    """Run the paper's experiments, and write the page that sets its figures beside ours.

    What is complete stays, what was stopped goes on, and the page shows all that was run, at every
    budget. It is written after every experiment.
    """
    from substrate.cli.replicate import replicate_command
    from substrate.run.session import How

    how = How(device, jobs, cluster)
    raise typer.Exit(
        replicate_command(names or [], budget, runs, page, page_only, how, as_json, command_line())
    )
