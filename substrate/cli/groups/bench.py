"""`substrate bench`: how fast, how large, how it grows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from substrate.cli.options import JsonOption

bench_app = typer.Typer(
    help="Measure speed, memory and scaling on this machine.", no_args_is_help=True
)


@bench_app.command()
def step(
    repeats: Annotated[int, typer.Option(min=1, help="Rounds; the best of them counts.")] = 5,
    as_json: JsonOption = False,
) -> None:
    """Time learning steps of 3072-1024×3-10 at batch 1000 against their floating-point floor."""
    # torch's profiler, which counts memory, otherwise tells of its own doings
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")
    from substrate.bench.show import show_step_bench
    from substrate.bench.step import bench_step

    show_step_bench(bench_step(repeats), as_json)


@bench_app.command()
def devices(
    repeats: Annotated[int, typer.Option(min=1, help="Rounds; the best of them counts.")] = 10,
    as_json: JsonOption = False,
) -> None:
    """Time reads and pulsed updates of all crossbars, at two sizes and three drives."""
    from substrate.bench.devices import bench_devices, show_device_bench

    show_device_bench(bench_devices(repeats), as_json)


@bench_app.command()
def ledger(
    seconds: Annotated[
        float, typer.Option(min=0.1, help="Processor time for each of the two sizes.")
    ] = 20,
    as_json: JsonOption = False,
) -> None:
    """Measure what counting adds to a step on native crossbars, in processor time."""
    from substrate.bench.ledger import bench_ledger, show_ledger

    show_ledger(bench_ledger(seconds), as_json)


@bench_app.command()
def scaling(
    out: Annotated[Path | None, typer.Option(help="Folder for the plot and the figures.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Sweep width, depth, batch and K, and fit how the cost of a step grows."""
    from substrate.bench.scaling import bench_scaling
    from substrate.bench.show import show_scaling_bench
    from substrate.run.output import refuse_full
    from substrate.terminal import tell

    if out is not None:
        refuse_full(out, "--out")
    sweeps = bench_scaling(progress=lambda over: tell(f"measuring {over} …", err=True))
    show_scaling_bench(sweeps, out, as_json)


@bench_app.command()
def coverage(
    runs: Annotated[int, typer.Option(min=1, help="Simulated runs of every kind.")] = 2000,
    as_json: JsonOption = False,
) -> None:
    """Count how often the interval of a gap misses it, and how often verdicts are wrong."""
    from substrate.bench.coverage import bench_coverage, bench_until_decided, show_coverage

    show_coverage(list(bench_coverage(runs)), list(bench_until_decided(runs)), as_json)


@bench_app.command()
def jobs(
    count: Annotated[int, typer.Option("--jobs", min=2, help="As `substrate run` has it.")] = 2,
    repeats: Annotated[int, typer.Option(min=1, help="Rounds; the best of them counts.")] = 2,
    nothing_only: Annotated[
        bool, typer.Option("--nothing-only", help="Only the units that take no time.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Time units side by side: the main job, equal units, and ten thousand that take no time.

    The latter with local workers, and with a Dask cluster of this machine where Dask is installed.
    """
    from importlib.util import find_spec

    from substrate.bench.jobs import bench_jobs, bench_null_units, show_jobs

    nothing = [bench_null_units()]
    if find_spec("distributed") is not None:
        nothing.append(bench_null_units(dask=True))
    show_jobs([] if nothing_only else list(bench_jobs(count, repeats)), nothing, as_json)


@bench_app.command()
def spec(
    trials: Annotated[int, typer.Option(min=1, help="Searches of every kind.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """Count how often the interval of a limit misses it, and how many runs a search takes."""
    from substrate.bench.spec import bench_spec, show_spec

    show_spec(list(bench_spec(trials)), as_json)


@bench_app.command()
def wire(
    pairs: Annotated[int, typer.Option(min=1, help="Whole runs, with and without.")] = 4,
    requests: Annotated[int, typer.Option(min=1, help="For passes, of each chip.")] = 15,
    as_json: JsonOption = False,
) -> None:
    """Time runs whose chips are in processes of their own, and bytes over the wire."""
    from substrate.bench.wire import bench_isolated, bench_rates, show_wire

    show_wire(list(bench_isolated(pairs)), bench_rates(requests), as_json)
