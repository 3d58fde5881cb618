"""`substrate`: the commands and their options."""

from __future__ import annotations

import json
import shlex
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Literal

import typer

import substrate
from substrate.cli.bench import bench_app

app = typer.Typer(
    help="Can this device be trained in place? Train networks on noisy analog crossbars from "
    "nothing but observed activities, next to clean training.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(bench_app, name="bench")

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
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def _version(show: bool) -> None:
    if show:
        from substrate.terminal import tell

        tell(f"substrate {substrate.__version__}")
        raise typer.Exit


@contextmanager
def _code_trusted(everything: bool) -> Iterator[None]:
    from substrate.plugins import Trust, trusting

    with trusting(Trust.EVERYTHING if everything else Trust.WORKING_FOLDER):
        yield


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
        Path | None, typer.Option(metavar="DIR", help="Go on with a run that was stopped.")
    ] = None,
    device: Annotated[str, typer.Option(metavar="cpu|cuda", help="Where to compute.")] = "cpu",
    trust: TrustOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train every arm of a scenario, and write the verdict, plots and report."""
    from substrate.cli.run import resume_command, run_command

    command = "substrate " + shlex.join(sys.argv[1:])
    with _code_trusted(trust):
        if resume is not None:
            if scenario or out or set_ or seeds or budget != "full":
                message = "a resumed run keeps its scenario, folder, seeds and settings"
                raise typer.BadParameter(message)
            raise typer.Exit(resume_command(resume, device, as_json, command))
        if scenario is None:
            raise typer.BadParameter("name a scenario, or --resume a run folder")
        raise typer.Exit(
            run_command(scenario, out, set_ or [], budget, seeds or [], device, as_json, command)
        )


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A run folder.")],
) -> None:
    """Write a run's report again, from its figures."""
    from substrate.cli.run import report_command

    report_command(folder)


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

    with _code_trusted(trust):
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
    device: Annotated[str, typer.Option(metavar="cpu|cuda", help="Where to compute.")] = "cpu",
    trust: TrustOption = False,
    as_json: JsonOption = False,
) -> None:
    """Search the highest stable learning rate by doubling."""
    from substrate.cli.tune import tune_command

    with _code_trusted(trust):
        tune_command(scenario, arm or [], start, epochs, set_ or [], budget, device, out, as_json)


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
    trust: TrustOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train a scenario's device arms with one aihwkit preset after the other, as a table."""
    from substrate.cli.survey import survey_command

    command = "substrate " + shlex.join(sys.argv[1:])
    with _code_trusted(trust):
        raise typer.Exit(
            survey_command(scenario, presets, rates, epochs, set_ or [], out, as_json, command)
        )


ModelArgument = Annotated[
    str,
    typer.Argument(
        metavar="MODEL", help="A noise model, a crossbar, an aihwkit preset, or my_lab.py:MyNoise."
    ),
]
ParameterOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A parameter, such as std=0.1. Repeatable."),
]


@app.command()
def verify(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A noise model, a crossbar, an aihwkit preset, a rule, or my_lab.py:MyNoise.",
        ),
    ],
    set_: ParameterOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Of all draws.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Check that a noise model, crossbar or rule does what it says and what runs need."""
    from substrate.cli.verify import verify_command

    with _code_trusted(True):  # whoever calls names the code themselves
        raise typer.Exit(verify_command(model, set_ or [], seed, as_json))


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
    device: Annotated[str, typer.Option(metavar="cpu|cuda", help="Where to compute.")] = "cpu",
    trust: TrustOption = False,
    as_json: JsonOption = False,
) -> None:
    """Measure the angle between every rule's update and backpropagation's."""
    from substrate.cli.align import align_command

    chosen = {"inputs": inputs, "samples": samples, "sigma_samples": sigma_samples}
    with _code_trusted(trust):
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
    device: Annotated[str, typer.Option(metavar="cpu|cuda", help="Where to compute.")] = "cpu",
    as_json: JsonOption = False,
) -> None:
    """Run the paper's experiments, and write the page that sets its figures beside ours.

    What is complete stays, what was stopped goes on, and the page shows all that was run, at every
    budget. It is written after every experiment.
    """
    from substrate.cli.replicate import replicate_command

    command = "substrate " + shlex.join(sys.argv[1:])
    raise typer.Exit(
        replicate_command(names or [], budget, runs, page, page_only, device, as_json, command)
    )


ColumnOption = Annotated[
    str | None,
    typer.Option(help="Name of the column, or its number from 1, if there are several."),
]
MissingOption = Annotated[
    Literal["refuse", "drop"], typer.Option(help="What to do about samples without a number.")
]
DecimalOption = Annotated[
    Literal[".", ","] | None,
    typer.Option(help="Decimal mark of a text file.", show_default="found"),
]


@app.command()
def fit(
    trace: Annotated[
        Path,
        typer.Argument(
            metavar="TRACE", help="Text, NumPy, MATLAB or Parquet file of a measurement."
        ),
    ],
    sampling_rate: Annotated[
        float | None,
        typer.Option(min=1e-12, help="In Hz.", show_default="from the column of times"),
    ] = None,
    column: ColumnOption = None,
    time: Annotated[
        str | None,
        typer.Option(
            help="The column of times.", show_default="the one that its name or unit says is"
        ),
    ] = None,
    scale: Annotated[
        float, typer.Option(help="Units of the signal for one unit of the file.")
    ] = 1.0,
    unit: Annotated[
        str | None,
        typer.Option(help="Name of the signal's unit, for people.", show_default="the header's"),
    ] = None,
    samples: Annotated[int, typer.Option(min=100, help="Fit so many at most.")] = 200_000,
    missing: MissingOption = "refuse",
    uneven: Annotated[
        Literal["refuse", "resample"], typer.Option(help="What to do about uneven times.")
    ] = "refuse",
    decimal: DecimalOption = None,
    out: Annotated[
        Path | None, typer.Option(help="The picture.", show_default="<trace>-fit.png")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Fit sums of noise models to a measured trace; print a scenario fragment, draw both.

    Telegraph noise of up to three fluctuators, 1/f, AR(1), white noise and drift are added up as
    far as the trace bears out, and the best sum is judged by itself.
    """
    from substrate.cli.fit import TraceOptions, fit_command

    options = TraceOptions(column, time, sampling_rate, missing, uneven, decimal)
    fit_command(trace, options, scale, unit, samples, out, as_json)


new_app = typer.Typer(
    help="Write a commented starting file for a noise model, device or learning rule of your own, "
    "with its test.",
    no_args_is_help=True,
)
app.add_typer(new_app, name="new")

NewName = Annotated[
    str, typer.Argument(metavar="NAME", help="Of the class, such as CryoReadNoise.")
]
NewFolder = Annotated[Path, typer.Option("--out", metavar="DIR", help="Where to write.")]


@new_app.command("noise")
def new_noise(name: NewName, out: NewFolder = Path()) -> None:
    """Start a noise model."""
    from substrate.cli.new import new_command

    new_command("noise", name, out)


@new_app.command("device")
def new_device(name: NewName, out: NewFolder = Path()) -> None:
    """Start a device: a crossbar that reads and is updated as yours is."""
    from substrate.cli.new import new_command

    new_command("device", name, out)


@new_app.command("rule")
def new_rule(name: NewName, out: NewFolder = Path()) -> None:
    """Start a learning rule."""
    from substrate.cli.new import new_command

    new_command("rule", name, out)


@app.command()
def show(
    model: ModelArgument,
    set_: ParameterOption = None,
    out: Annotated[
        Path | None, typer.Option(help="The picture.", show_default="<model>.png")
    ] = None,
) -> None:
    """Draw what a noise model or crossbar does, next to its parameters with units and source."""
    from substrate.cli.show import show_command

    with _code_trusted(True):  # whoever calls names the code themselves
        show_command(model, set_ or [], out)


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
