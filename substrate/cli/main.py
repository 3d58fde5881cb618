"""`substrate`: the command line, put together of its groups of commands, and its exit status."""

from __future__ import annotations

import sys
import warnings
from io import TextIOWrapper
from typing import Annotated

import typer

import substrate
from substrate.cli.groups.bench import bench_app
from substrate.cli.groups.measurements import measurements_app
from substrate.cli.groups.models import models_app
from substrate.cli.groups.paper import paper_app
from substrate.cli.groups.runs import runs_app
from substrate.cli.groups.scenarios import scenarios_app
from substrate.cli.groups.store import store_app
from substrate.cli.groups.studies import studies_app

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


for group in (
    runs_app,
    scenarios_app,
    studies_app,
    paper_app,
    models_app,
    measurements_app,
):
    app.add_typer(group)
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
        status = app(prog_name="substrate", standalone_mode=False)  # else errors come in boxes
        sys.exit(status if isinstance(status, int) else 0)
    except typer.TyperException as problem:
        from substrate.cli.misuse import told

        if text := told(problem):
            tell(f"error: {one_line(text)}", err=True)
        sys.exit(problem.exit_code)
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
