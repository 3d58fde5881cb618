"""The commands about runs: make one, serve its chip, report it, watch it."""

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

runs_app = typer.Typer()


@runs_app.command()
def run(
    scenario: Annotated[
        Path | None,
        typer.Argument(metavar="SCENARIO", help="A scenario file, or a shipped scenario's name."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Run folder.", show_default="runs/<scenario>-<date>"),
    ] = None,
    set_: SetOption = None,
    budget: BudgetOption = "full",
    seeds: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SEEDS", help="In place of the scenario's, such as 0,1,2. Repeatable."
        ),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Go on with a run that was stopped, or with --seeds or --set train what is new.",
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="decided", help="Add seeds until the verdict stands."),
    ] = None,
    at_most: Annotated[
        int, typer.Option(min=1, metavar="SEEDS", help="Add no more than up to so many.")
    ] = 20,
    isolated: Annotated[
        bool,
        typer.Option(
            "--isolated",
            help="Simulate each chip in a process of its own, which the learner reaches by a pipe "
            "alone.",
        ),
    ] = False,
    sensitivity: Annotated[
        bool,
        typer.Option(
            "--sensitivity", help="Then vary each parameter of the device, and draw what it costs."
        ),
    ] = False,
    jobs: JobsOption = None,
    cluster: ClusterOption = None,
    device: DeviceOption = "cpu",
    trust: TrustOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train every arm of a scenario, and write the verdict, plots and report."""
    from substrate.cli.run import resume_command, run_command
    from substrate.run.session import How

    if until not in (None, "decided"):
        raise typer.BadParameter("--until knows one word: decided")
    how = How(
        device,
        jobs,
        cluster,
        until is not None,
        at_most,
        isolated=isolated,
        sensitivity=sensitivity,
    )
    overrides = [*(set_ or []), *([f"seeds=[{','.join(seeds)}]"] if seeds else [])]
    with code_trusted(trust):
        if resume is not None:
            if scenario or out or budget != "full":
                raise typer.BadParameter("a resumed run keeps its scenario, folder and budget")
            raise typer.Exit(resume_command(resume, overrides, how, as_json, command_line()))
        if scenario is None:
            raise typer.BadParameter("name a scenario, or --resume a run folder")
        raise typer.Exit(
            run_command(scenario, out, overrides, budget, how, as_json, command_line())
        )


@runs_app.command()
def serve(
    scenario: ScenarioArgument,
    arm: Annotated[str, typer.Option(help="Whose simulated chip.")],
    listen: Annotated[
        str, typer.Option(metavar="ADDRESS", help="host:port, or unix:/path/to/socket.")
    ] = "localhost:50051",
    set_: SetOption = None,
    budget: BudgetOption = "full",
    certificate: Annotated[
        Path | None, typer.Option(help="PEM certificate of this server; TLS with it.")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="Its key.")] = None,
    authority: Annotated[
        Path | None, typer.Option(help="PEM certificate that learners' must come from.")
    ] = None,
    token: Annotated[
        Path | None, typer.Option(help="File with a secret that learners must know.")
    ] = None,
    repeatable: Annotated[
        bool,
        typer.Option(
            "--repeatable",
            help="Let devices and noise follow from the seed, as in one process: whoever knows it "
            "knows them.",
        ),
    ] = False,
    states: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the states that the chip keeps.",
            show_default="one in the user's cache",
        ),
    ] = None,
    lease: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", help="A lease lapses unless it is renewed.")
    ] = 30.0,
    max_message: Annotated[
        int, typer.Option(min=2**20, metavar="BYTES", help="Larger requests are refused.")
    ] = 2**28,
    device: DeviceOption = "cpu",
    trust: TrustOption = False,
) -> None:
    """Serve the simulated chip of an arm to one learner at a time; docs/wire.md tells more."""
    from substrate.cli.serve import Serving, serve_command

    serving = Serving(
        listen, (certificate, key, authority, token), repeatable, states, lease, max_message, device
    )
    with code_trusted(trust):
        serve_command(scenario, arm, set_ or [], budget, serving)


@runs_app.command()
def report(
    folders: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="A run folder; several are compared.")
    ],
    against: Annotated[
        str | None,
        typer.Option(
            metavar="RUN:ARM",
            help="Of several: the arm that all are set against.",
            show_default="the first run's first device arm",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="PAGE",
            help="Of several: the page.",
            show_default="runs/comparison-<date>.html",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a run's report again, from its figures; of several runs a comparison."""
    from substrate.cli.report import compare_command, report_command

    if len(folders) == 1:
        if against or out or as_json:
            message = "--against, --out and --json belong to a comparison of several runs"
            raise typer.BadParameter(message)
        report_command(folders[0])
        return
    compare_command(folders, against, out, as_json, command_line())


@runs_app.command()
def watch(
    watched: Annotated[
        str,
        typer.Argument(
            metavar="RUN|ADDRESS", help="A run folder, or where `substrate serve` serves a chip."
        ),
    ],
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Of this machine, to listen on.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for any that is free.")] = 8420,
    anyone: Annotated[
        bool, typer.Option("--anyone", help="Let other machines read the page too.")
    ] = False,
    certificate: Annotated[
        Path | None, typer.Option(help="Of an ADDRESS: PEM certificate of one's own.")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="Its key.")] = None,
    authority: Annotated[
        Path | None,
        typer.Option(help="Of an ADDRESS: PEM certificate that the chip's must come from."),
    ] = None,
    token: Annotated[
        Path | None, typer.Option(help="Of an ADDRESS: file with the secret that it wants.")
    ] = None,
) -> None:
    """Show a run that goes on, or a served chip, as a web page, which only shows."""
    from substrate.cli.watch import Page, watch_command

    watch_command(watched, Page(host, port, anyone), (certificate, key, authority, token))
