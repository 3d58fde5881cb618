"""The commands about one model: start it, draw it, check it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from substrate.cli.options import JsonOption, code_trusted

models_app = typer.Typer()

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


@models_app.command()
def verify(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A noise model, a crossbar, an aihwkit preset, a rule, a bench, or "
            "my_lab.py:MyNoise.",
        ),
    ],
    set_: ParameterOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Of all draws.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Check that a noise model, crossbar, rule or bench does what it says and what runs need."""
    from substrate.cli.verify import verify_command

    with code_trusted(True):  # whoever calls names the code themselves
        raise typer.Exit(verify_command(model, set_ or [], seed, as_json))


new_app = typer.Typer(
    help="Write a commented starting file for a noise model, device, rule or bench of your own, "
    "with its test.",
    no_args_is_help=True,
)
models_app.add_typer(new_app, name="new")

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


@new_app.command("bench")
def new_bench(name: NewName, out: NewFolder = Path()) -> None:
    """Start a bench: the driver of a real chip, behind which our periphery runs."""
    from substrate.cli.new import new_command

    new_command("bench", name, out)


@models_app.command()
def show(
    model: ModelArgument,
    set_: ParameterOption = None,
    out: Annotated[
        Path | None, typer.Option(help="The picture.", show_default="<model>.png")
    ] = None,
) -> None:
    """Draw what a noise model or crossbar does, next to its parameters with units and source."""
    from substrate.cli.show import show_command

    with code_trusted(True):  # whoever calls names the code themselves
        show_command(model, set_ or [], out)
