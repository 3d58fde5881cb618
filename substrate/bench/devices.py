"""How long crossbars take to read and to be pulsed, next to the bare float32 product.

All are measured in turn in the same rounds, so that other work on the machine slows all alike, and
the best round of each counts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from rich.table import Table
from torch import Tensor

from devices.crossbars.aihwkit import AihwkitCrossbar
from devices.crossbars.aihwkit_config import preset_config
from devices.crossbars.aihwkit_inference import AihwkitInferenceCrossbar, is_programmed
from devices.crossbars.base import Crossbar
from devices.crossbars.ideal import IdealCrossbar
from devices.crossbars.native.crossbar import NativeCrossbar
from devices.crossbars.native.presets import PRESETS as NATIVE
from devices.interface import Outer
from devices.noise.base import NoiseSource
from devices.noise.gaussian import GaussianNoise
from substrate.bench.step import best_seconds
from substrate.randomness import stream
from substrate.terminal import Console

_CPU = torch.device("cpu")
_AIHWKIT_TILES = {
    "C++ pulsed": "GokmenVlasovPreset",
    "C++ inference": "InferenceRPUConfig",
    "torch": "TorchInferenceRPUConfig",
}
_NATIVE_DEVICE = "gokmen_2016"
_DRIVES = (1.0, 0.1, 0.01)
"""Parts of the full request that updates are measured at."""
# A layer of the digits: what the adapter adds is the same for a large one, and weighs less there.
_SMALL_SIZE, _SMALL_BATCH, _SMALL_REPEATS = 128, 100, {"forward": 200, "update": 200}


class Timing(NamedTuple):
    """One crossbar's best time.

    Attributes:
        crossbar: what it is.
        seconds: of the best round.
        times_product: over the time of the bare product in the same rounds.
    """

    crossbar: str
    seconds: float
    times_product: float


class Overhead(NamedTuple):
    """What the adapter adds to an aihwkit tile's own time, 128 × 128 at batch 100.

    Attributes:
        tile: which tile.
        operation: `forward` or `update`.
        tile_seconds: of the tile alone.
        crossbar_seconds: of the crossbar around the same tile.
        added: the share that the crossbar adds; negative where the clock cannot tell.
    """

    tile: str
    operation: str
    tile_seconds: float
    crossbar_seconds: float
    added: float


class Update(NamedTuple):
    """Pulsed updates in place of the same device, by aihwkit and natively.

    Attributes:
        pulses: that the batch asks of a cell on average.
        timings: of the bare product, the native crossbar and aihwkit's.
        ratio: aihwkit's time over the native crossbar's.
    """

    pulses: float
    timings: tuple[Timing, ...]
    ratio: float


class SizeBench(NamedTuple):
    """One size of crossbars.

    Attributes:
        size: rows and columns.
        batch: samples.
        forward: reads of all crossbars.
        read_ratio: time of aihwkit's pulsed tile over the native crossbar's with as much noise.
        update: pulsed updates at every drive.
    """

    size: int
    batch: int
    forward: tuple[Timing, ...]
    read_ratio: float
    update: tuple[Update, ...]


class DeviceBench(NamedTuple):
    """The result of `substrate bench devices`.

    Attributes:
        threads: of torch.
        sizes: every size that was measured.
        adapter: what the adapter to aihwkit adds.
    """

    threads: int
    sizes: tuple[SizeBench, ...]
    adapter: tuple[Overhead, ...]


def bench_devices(
    repeats: int, sizes: Sequence[tuple[int, int]] = ((1024, 1000), (128, 50))
) -> DeviceBench:
    """Measure reads and pulsed updates.

    Args:
        repeats: rounds at the first size; half as many of updates at the full request, but three
            at least, and ten times as many of them at a hundredth; 20 times as many of all at the
            other sizes.
        sizes: rows or columns, and samples.
    """
    return DeviceBench(
        torch.get_num_threads(),
        tuple(
            _bench_size(size, batch, repeats * (20 if number else 1))
            for number, (size, batch) in enumerate(sizes)
        ),
        tuple(_overheads()),
    )


def _bench_size(size: int, batch: int, repeats: int) -> SizeBench:
    weights = torch.randn(size, size, generator=stream(0, "weights")).div_(size**0.5)
    x, request = _drives(size, batch)
    aihwkit = {name: _aihwkit(preset, size) for name, preset in _AIHWKIT_TILES.items()}
    ideal, native = IdealCrossbar(size, size, _CPU), _native(size)
    crossbars: list[Crossbar] = [ideal, native, *aihwkit.values()]
    for crossbar in crossbars:
        crossbar.program(weights)
    product, out = weights.T.contiguous(), torch.empty(batch, size)

    def bare_product() -> Tensor:
        return torch.mm(x, product, out=out)

    readout = NoiseSource(GaussianNoise(std=0.01), stream(0, "readout"))
    reads: dict[str, Callable[[], object]] = {
        "bare product": bare_product,
        "ideal": lambda: ideal.read(x),
        "native: converters and output noise": lambda: native.read(x),
        "native, and read-out noise": lambda: readout(native.read(x)),
        **{f"aihwkit {name}": _reading(crossbar, x) for name, crossbar in aihwkit.items()},
    }
    forward = _timings(reads, repeats)
    updates = []
    for part in _DRIVES:
        asked = Outer(request.x, request.d, request.rate * part)
        timings = _timings(
            {
                "bare product": bare_product,
                f"native {_NATIVE_DEVICE}": _updating(native, asked),
                "aihwkit GokmenVlasovPreset": _updating(aihwkit["C++ pulsed"], asked),
            },
            # the less is asked, the sooner it is done, and the more a single round may be off
            max(3, round(repeats / 2 / part**0.5)),
        )
        updates.append(Update(_pulses(asked), timings, timings[2].seconds / timings[1].seconds))
    return SizeBench(size, batch, forward, forward[4].seconds / forward[2].seconds, tuple(updates))


def _pulses(request: Outer) -> float:
    """Give Σ_s |d_s| |x_s| · rate / Δw, mean over cells."""
    asked = (request.d.abs().T @ request.x.abs()).mean()
    return float(asked) * request.rate / NATIVE[_NATIVE_DEVICE].update.dw_min


def _drives(size: int, batch: int) -> tuple[Tensor, Outer]:
    """Draw inputs, and a request whose largest step takes some ten pulses, as DANP's do."""
    x = torch.randn(batch, size, generator=stream(0, "x"))
    d = torch.randn(batch, size, generator=stream(0, "d")).mul_(4 / batch)
    return x, Outer(x, d, 0.1)


def show_device_bench(bench: DeviceBench, as_json: bool) -> None:
    """Print the times, as tables or as JSON."""
    if as_json:
        print(json.dumps(_plain(bench), indent=2))
        return
    console = Console()
    for each in bench.sizes:
        console.print(
            f"{each.size} × {each.size}, batch {each.batch}, float32, {bench.threads} threads."
        )
        _show_timings(console, "forward", each.forward)
        console.print(f"The native read is {each.read_ratio:.1f} times as fast as aihwkit's.")
        for update in each.update:
            title = f"update in place, {update.pulses:.2g} pulses a cell"
            _show_timings(console, title, update.timings)
            console.print(f"The native update is {update.ratio:.1f} times as fast as aihwkit's.")
    table = Table("adapter to aihwkit", box=None, pad_edge=False)
    for heading in ("tile alone", "through the crossbar", "added"):
        table.add_column(heading, justify="right")
    for overhead in bench.adapter:
        table.add_row(
            f"{overhead.tile}, {overhead.operation}",
            f"{overhead.tile_seconds * 1e3:.3f} ms",
            f"{overhead.crossbar_seconds * 1e3:.3f} ms",
            f"{overhead.added:+.1%}",
        )
    console.print(table)


def _plain(value: Any) -> Any:
    """Give named tuples as dictionaries, all the way down."""
    if hasattr(value, "_asdict"):
        return {name: _plain(each) for name, each in value._asdict().items()}
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def _show_timings(console: Console, title: str, timings: tuple[Timing, ...]) -> None:
    table = Table(title, box=None, pad_edge=False)
    for heading in ("time", "times product"):
        table.add_column(heading, justify="right")
    for each in timings:
        table.add_row(each.crossbar, f"{each.seconds * 1e3:.3f} ms", f"{each.times_product:.2f}")
    console.print(table)


def _timings(candidates: dict[str, Callable[[], object]], repeats: int) -> tuple[Timing, ...]:
    """Time candidates against the first of them."""
    seconds = best_seconds(list(candidates.values()), repeats)
    return tuple(
        Timing(name, each, each / seconds[0])
        for name, each in zip(candidates, seconds, strict=True)
    )


def _overheads() -> list[Overhead]:
    """Time tiles alone, by aihwkit's own calls, and through their crossbars."""
    x, request = _drives(_SMALL_SIZE, _SMALL_BATCH)
    # few pulses: the shorter the tile's own time, the more an adapter would show
    request = Outer(request.x, request.d, 1e-4)
    overheads = []
    for name, preset in _AIHWKIT_TILES.items():
        crossbar = _aihwkit(preset, _SMALL_SIZE)
        tile: Any = crossbar._tile
        pairs: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
            "forward": (_forward(tile, x), _reading(crossbar, x))
        }
        if not isinstance(crossbar, AihwkitInferenceCrossbar):
            pairs["update"] = (_update(tile, request), _updating(crossbar, request))
        for operation, pair in pairs.items():
            alone, through = best_seconds(list(pair), _SMALL_REPEATS[operation])
            overheads.append(Overhead(name, operation, alone, through, through / alone - 1))
    return overheads


def _forward(tile: Any, x: Tensor) -> Callable[[], object]:
    def forward() -> None:
        with torch.no_grad():
            tile.joint_forward(x, is_test=True)

    return forward


def _update(tile: Any, request: Outer) -> Callable[[], object]:
    def update() -> None:
        with torch.no_grad():
            tile.set_learning_rate(request.rate)
            tile.update(request.x, request.d)
            tile.post_update_step()

    return update


def _reading(crossbar: Crossbar, x: Tensor) -> Callable[[], object]:
    return lambda: crossbar.read(x)


def _updating(crossbar: Crossbar, request: Outer) -> Callable[[], object]:
    return lambda: crossbar.update(request)


def _aihwkit(preset: str, size: int) -> AihwkitCrossbar:
    config = preset_config(preset)
    kind = AihwkitInferenceCrossbar if is_programmed(config) else AihwkitCrossbar
    return kind(size, size, config, _CPU, stream(0, "bench", preset))


def _native(size: int) -> NativeCrossbar:
    output_noise = NoiseSource(GaussianNoise(std=0.06), stream(0, "output noise"))
    return NativeCrossbar(
        size,
        size,
        NATIVE[_NATIVE_DEVICE],
        lambda purpose: stream(0, "bench", purpose),
        _CPU,
        output_noise=output_noise,
    )
