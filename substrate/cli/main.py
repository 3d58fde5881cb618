"""`substrate`: the command line, and the commands that take a scenario."""

from __future__ import annotations

import json
import shlex
import sys
import warnings
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

import substrate
from substrate.cli.bench import bench_app
from substrate.cli.measurements import measurements_app
from substrate.cli.models import models_app
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
)
from substrate.cli.store import store_app

app = typer.Typer(
    help="Can this device be trained in place? Train networks on noisy analog crossbars from "
    "nothing but observed activities, next to clean training.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(show: bool) -> None:
    if show:
        from substrate.terminal import tell

        tell(f"substrate {substrate.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    pass


@app.command()
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
            help="Simulate each chip in a process of its own, which the learner reaches by a local "
            "socket alone.",
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

    command = "substrate " + shlex.join(sys.argv[1:])
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
            raise typer.Exit(resume_command(resume, overrides, how, as_json, command))
        if scenario is None:
            raise typer.BadParameter("name a scenario, or --resume a run folder")
        raise typer.Exit(run_command(scenario, out, overrides, budget, how, as_json, command))


@app.command()
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


@app.command()
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
    command = "substrate " + shlex.join(sys.argv[1:])
    compare_command(folders, against, out, as_json, command)


@app.command()
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


@app.command()
def check(
    scenario: ScenarioArgument,
    set_: SetOption = None,
    budget: BudgetOption = "full",
    trust: TrustOption = False,
    as_json: JsonOption = False,
) -> None:
    """Validate a scenario; build nothing."""
    from substrate.cli.inspect import check_command

    with code_trusted(trust):
        check_command(scenario, set_ or [], budget, as_json)


@app.command()
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


@app.command()
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

    command = "substrate " + shlex.join(sys.argv[1:])
    how = How(jobs=jobs, cluster=cluster)
    with code_trusted(trust):
        raise typer.Exit(
            survey_command(scenario, presets, rates, epochs, set_ or [], out, how, as_json, command)
        )


@app.command()
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
    """Run a scenario at many points of its settings: tables, maps, and what costs most."""
    from substrate.cli.study import study_command
    from substrate.run.session import How

    command = "substrate " + shlex.join(sys.argv[1:])
    with code_trusted(trust):
        raise typer.Exit(study_command(file, out, How(device, jobs, cluster), as_json, command))


@app.command()
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
            min=0.001,
            max=1,
            help="How narrow the interval is to be, as a fraction of the range.",
            show_default="0.0625; with two fields 0.125",
        ),
    ] = None,
    runs: Annotated[
        int | None,
        typer.Option(min=5, help="Make no more.", show_default="60; with two fields 120"),
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

    command = "substrate " + shlex.join(sys.argv[1:])
    how = How(device, jobs, cluster)
    wanted = (vary, within, arm, against, resolution, runs, least, set_ or [], budget)
    with code_trusted(trust):
        raise typer.Exit(spec_command(scenario, *wanted, out, how, as_json, command))


@app.command()
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


@app.command()
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

    command = "substrate " + shlex.join(sys.argv[1:])
    how = How(device, jobs, cluster)
    raise typer.Exit(
        replicate_command(names or [], budget, runs, page, page_only, how, as_json, command)
    )


@app.command("list")
def list_(
    what: Annotated[str, typer.Argument(metavar="devices|noise|rules|datasets|scenarios")],
    as_json: JsonOption = False,
) -> None:
    """List what a scenario can name."""
    from substrate.cli.inspect import list_command

    list_command(what, as_json)


@app.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors."""
    from substrate.scenario.schema import Scenario
    from substrate.terminal import tell

    tell(json.dumps(Scenario.model_json_schema(), indent=2))


app.add_typer(models_app)
app.add_typer(measurements_app)
app.add_typer(bench_app, name="bench")
app.add_typer(store_app, name="store")


def _show_warning(message: Warning | str, *_: object) -> None:
    from substrate.terminal import tell

    tell(f"warning: {message}", err=True)


def main() -> None:
    """Run the command line, and give its exit status.

    1: a file or folder cannot be read or written. 2: what was asked for makes no sense.
    3: nobody foresaw it, and a log says more. 130: interrupted.
    """
    from substrate.cli.failure import log_folder, tell_unforeseen
    from substrate.environment import EnvironmentProblem
    from substrate.record import RecordError
    from substrate.scenario.source import ScenarioError
    from substrate.terminal import tell
    from substrate.text import one_line

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # one that cannot show all characters shows codes
            stream.reconfigure(errors="backslashreplace")
    warnings.showwarning = _show_warning  # type: ignore[assignment]  # without lines of our code
    log_folder.set(None)
    try:
        app()
    except (ScenarioError, RecordError) as problem:
        tell(f"error: {one_line(str(problem))}", err=True)
        sys.exit(2)
    except EnvironmentProblem as problem:
        tell(f"error: {problem}", err=True)
        sys.exit(2)
    except OSError as problem:
        # a full disk, a folder that may not be written
        place = f"{problem.filename}: " if problem.filename else ""
        tell(f"error: {one_line(f'{place}{problem.strerror or problem}')}", err=True)
        sys.exit(1)
    except Exception as problem:
        sys.exit(tell_unforeseen(problem))
