"""The commands that train a scenario many times: rates, devices, studies, limits."""

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

studies_app = typer.Typer()


@studies_app.command()
def tune(
    scenario: ScenarioArgument,
    arm: Annotated[
        list[str] | None, typer.Option(help="Only this arm. Repeatable.", show_default="all arms")
    ] = None,
    start: Annotated[float, typer.Option(help="The first learning rate.")] = 1e-4,
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="Train so long at every rate.", show_default="the scenario's"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of tune.json.", show_default="runs/tune-<scenario>-<date>"),
    ] = None,
    set_: SetOption = None,
    budget: BudgetOption = "full",
    jobs: JobsOption = None,
    cluster: ClusterOption = None,
    device: DeviceOption = "cpu",
    trust: TrustOption = False,
    as_json: JsonOption = False,
) -> None:
    """Search the highest stable learning rate by doubling."""
    from substrate.cli.tune import tune_command
    from substrate.run.session import How

    how = How(device, jobs, cluster)
    with code_trusted(trust):
        tune_command(scenario, arm or [], start, epochs, set_ or [], budget, how, out, as_json)


@studies_app.command()
def survey(
    scenario: ScenarioArgument,
    presets: Annotated[
        str, typer.Option(help="aihwkit presets, separated by commas, or all.")
    ] = "all",
    rates: Annotated[
        str,
        typer.Option(
            help="Learning rates, separated by commas. The best on held-out training data is taken."
        ),
    ] = "0.1,0.02",
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="Train every preset so long.", show_default="the scenario's"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Run folder; one with part of this survey is gone on with.",
            show_default="runs/<scenario>-survey-<date>",
        ),
    ] = None,
    set_: SetOption = None,
    jobs: JobsOption = None,
    cluster: ClusterOption = None,
    trust: TrustOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train a scenario's device arms with one aihwkit preset after the other, as a table."""
    from substrate.cli.survey import survey_command
    from substrate.run.session import How

    how = How(jobs=jobs, cluster=cluster)
    with code_trusted(trust):
        raise typer.Exit(
            survey_command(
                scenario, presets, rates, epochs, set_ or [], out, how, as_json, command_line()
            )
        )


@studies_app.command()
def study(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A study file, or a shipped study's name.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder; one with part of this study is gone on with.",
            show_default="runs/<study>-study",
        ),
    ] = None,
    jobs: JobsOption = None,
    cluster: ClusterOption = None,
    device: DeviceOption = "cpu",
    trust: TrustOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run a scenario at many points of its settings: tables, maps, and what matters most."""
    from substrate.cli.study import study_command
    from substrate.run.session import How

    with code_trusted(trust):
        raise typer.Exit(
            study_command(file, out, How(device, jobs, cluster), as_json, command_line())
        )


@studies_app.command()
def spec(
    scenario: ScenarioArgument,
    vary: Annotated[
        list[str],
        typer.Option(
            metavar="PATH[=LOW:HIGH[:log]]",
            help="The field, and where to seek. Twice for two fields: the border between them.",
        ),
    ],
    within: Annotated[
        str,
        typer.Option(help="How far behind it may fall, such as '1 point'; of a loss a number."),
    ],
    arm: Annotated[
        str | None, typer.Option(help="Whose limit.", show_default="that of the field")
    ] = None,
    against: Annotated[
        str | None, typer.Option(metavar="BASELINE", show_default="the best baseline")
    ] = None,
    resolution: Annotated[
        float | None,
        typer.Option(
            help="How narrow the interval is to be, as a fraction of the range.",
            show_default="0.0625; with two fields 0.125",
        ),
    ] = None,
    runs: Annotated[
        int | None,
        typer.Option(help="Make no more.", show_default="60; with two fields 120"),
    ] = None,
    least: Annotated[
        str | None,
        typer.Option(
            metavar="energy|time", help="Say too where training takes least of it within that."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder; one with part of this search is gone on with.",
            show_default="runs/<scenario>-spec",
        ),
    ] = None,
    set_: SetOption = None,
    budget: BudgetOption = "full",
    jobs: JobsOption = None,
    cluster: ClusterOption = None,
    device: DeviceOption = "cpu",
    trust: TrustOption = False,
    as_json: JsonOption = False,
) -> None:
    """Find how good a device must be: the limit of a field that keeps it feasible."""
    from substrate.cli.spec import spec_command
    from substrate.run.session import How

    how = How(device, jobs, cluster)
    wanted = (vary, within, arm, against, resolution, runs, least, set_ or [], budget)
    with code_trusted(trust):
        raise typer.Exit(spec_command(scenario, *wanted, out, how, as_json, command_line()))
