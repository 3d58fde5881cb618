"""The commands about measurements: what noise is it, what device is it?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from substrate.cli.options import JsonOption, code_trusted

measurements_app = typer.Typer()

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


@measurements_app.command()
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
        Literal["refuse", "cut"],
        typer.Option(help="What to do about uneven times: cut takes the longest even stretch."),
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


@measurements_app.command("fit-device")
def fit_device(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILES",
            help="Curves of single cells: responses to pulses, retention, repeated reads, sweeps.",
        ),
    ] = None,
    read_voltage: Annotated[
        float | None, typer.Option(metavar="V", help="Of columns that are currents.")
    ] = None,
    unit: Annotated[
        str | None,
        typer.Option(
            metavar="uS",
            help="Of readings whose header says none: uS, kOhm, nA, or weight.",
        ),
    ] = None,
    up: Annotated[
        int | None,
        typer.Option(min=1, help="Readings after pulses up in turn, where files do not say."),
    ] = None,
    down: Annotated[
        int | None, typer.Option(min=1, help="Readings after pulses down in turn, likewise.")
    ] = None,
    missing: MissingOption = "refuse",
    decimal: DecimalOption = None,
    table: Annotated[
        bool,
        typer.Option(
            "--table",
            help="Take steps as measured, as a table against the weight, even where a closed form "
            "fits; where none fits they are in any case.",
        ),
    ] = False,
    bench: Annotated[
        str | None,
        typer.Option(
            metavar="my_bench.py:MyBench",
            help="In place of files: let a bench measure itself, for `mock: true`. What its "
            "smallest array holds is lost.",
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting of the bench. Repeatable."),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(help="What stands for the bench.", show_default="my_bench.model.yaml"),
    ] = None,
    out: Annotated[Path, typer.Option(help="The picture.")] = Path("device-fit.png"),
    as_json: JsonOption = False,
) -> None:
    """Fit a native crossbar's device to measured curves; print it for a scenario, draw both.

    Columns are known by their names and units: G (uS), I (A), R (kOhm), device, cycle, direction,
    pulse, read, time (s). A table of conductances may have a column a device, and so may files.
    """
    from substrate.cli.fit_device import fit_device_command
    from substrate.fit.device.layout import Asked

    asked = Asked(read_voltage, up, down, missing, decimal, unit)
    if (bench is None) == (not files):
        raise typer.BadParameter("name files of curves, or a --bench that measures itself")
    if bench is not None:
        from substrate.cli.fit_bench import fit_bench_command

        with code_trusted(True):  # whoever calls names the code themselves
            fit_bench_command(bench, set_ or [], model, out, as_json)
        return
    assert files is not None
    fit_device_command(files, asked, out, as_json, table=table)
