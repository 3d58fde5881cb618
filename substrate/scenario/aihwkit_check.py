"""Checking aihwkit's settings against aihwkit itself, before anything is built."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from devices.crossbars.aihwkit_presets import NOISY_PRESETS
from substrate.nearest import did_you_mean
from substrate.scenario.schema import AihwkitChip, Learning, Scenario
from substrate.scenario.source import NOT_GIVEN, Location, ScenarioError, Source, decimal_point

if TYPE_CHECKING:
    import torch

    from devices.crossbars.aihwkit import AihwkitCrossbar
    from devices.crossbars.aihwkit_config import ConfigProblem
    from devices.crossbars.tiled import TiledCrossbar

_PROBE = 8
_OF_THE_TILE = ("config", "seconds_per_read", "seconds_after_programming")


def refused_config(problem: ConfigProblem, source: Source, loc: Location) -> ScenarioError:
    """The error of a preset or field that aihwkit has not; `loc` is that of the chip."""
    preset = problem.path == ("preset",)
    otherwise = "see `substrate list devices`" if preset else None
    hint = decimal_point(problem.found)
    if problem.known:
        hint = did_you_mean(str(problem.found), problem.known, otherwise)
    within = () if preset else ("config",)
    found = NOT_GIVEN if problem.found is None else problem.found
    return source.error((*loc, *within, *problem.path), str(problem), found=found, hint=hint)


def check_aihwkit_chip(
    chip: AihwkitChip, learning: Learning, source: Source, loc: Location
) -> None:
    """Refuse presets, fields and values that the installed aihwkit does not have or cannot do.

    Beyond names and types, a tile of 8 × 8 is programmed, read and updated once: what aihwkit
    refuses only then is told as well. A preset that is known to pass is not tried, and aihwkit not
    imported for it.

    Args:
        chip: the chip's settings.
        source: the scenario's file.
        learning: what the chip is to be trained by.
        loc: where the arm stands in it.

    Raises:
        ScenarioError: with the field and the nearest valid name.
    """
    as_it_is = AihwkitChip(crossbar="aihwkit", preset=chip.preset)
    same = all(getattr(chip, name) == getattr(as_it_is, name) for name in _OF_THE_TILE)
    if same and chip.preset in NOISY_PRESETS:
        return
    from devices.crossbars.aihwkit_config import ConfigProblem, preset_config
    from devices.crossbars.aihwkit_inference import is_programmed

    try:
        config = preset_config(chip.preset, chip.config)
    except ConfigProblem as problem:
        raise refused_config(problem, source, (*loc, "chip")) from None
    if chip.seconds_after_programming is not None and not is_programmed(config):
        raise source.error(
            (*loc, "chip", "seconds_after_programming"),
            f"{chip.preset} is pulsed, not programmed",
            found=chip.seconds_after_programming,
            hint="use seconds_per_read, and config.device.drift",
        )
    tried = _tried(chip, source, loc)
    if tried.pulse_trains is not None and config.update.um_grad_scale < 1:
        raise source.error(
            (*loc, "chip", "config", "update", "um_grad_scale"),
            "below 1 it clips trains before they are full, and how much each loses is not counted",
            found=config.update.um_grad_scale,
            hint="leave it at 1, or lower update.desired_bl for shorter trains",
        )
    perturbation = learning.perturbation
    intrinsic = perturbation is not None and perturbation.source == "intrinsic"
    if tried.noise_free and intrinsic and not chip.adds_travelling_noise:
        raise source.error(
            (*loc, "learning", "perturbation", "source"),
            f"{chip.preset} with these settings has no noise of its own to learn from",
            found="intrinsic",
            hint="use injected, with the chip's inject: true, or give the chip some noise",
        )


def _tried(chip: AihwkitChip, source: Source, loc: Location) -> AihwkitCrossbar | TiledCrossbar:
    """Give a small tile that was programmed, read and updated."""
    import torch

    from devices.crossbars.aihwkit import AihwkitCrossbar
    from devices.crossbars.tiled import TiledCrossbar
    from devices.interface import LayerShape, Outer
    from substrate.assemble.crossbar import build_crossbar

    x, d = torch.ones(2, _PROBE), torch.ones(2, _PROBE)
    try:
        crossbar = build_crossbar(chip, LayerShape(_PROBE, _PROBE), 0, "probe", torch.device("cpu"))
        crossbar.program(torch.eye(_PROBE) / 10)
        crossbar.read(x, repeats=2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # nobody asked for this update
            crossbar.update(Outer(x, d, 0.01))
    except Exception as problem:  # aihwkit raises and asserts many things of its own
        what = str(problem) or f"{type(problem).__name__}: it lacks a device or another part"
        raise source.error(
            (*loc, "chip", "config"), f"aihwkit refuses {chip.preset} so: {what}"
        ) from None
    assert isinstance(crossbar, AihwkitCrossbar | TiledCrossbar)
    return crossbar


def check_runs_on(scenario: Scenario, source: Source, device: torch.device) -> None:
    """Refuse a device that the installed aihwkit's tiles cannot be on.

    Raises:
        ScenarioError: a C++ tile is to be on a GPU, and aihwkit was built without CUDA.
    """
    from devices.crossbars.aihwkit import runs_on
    from devices.crossbars.aihwkit_config import preset_config

    for group, arms in (("arms", scenario.arms), ("baselines", scenario.baselines)):
        for name, arm in arms.items():
            chip = arm.chip
            if isinstance(chip, AihwkitChip) and not runs_on(
                preset_config(chip.preset, chip.config), device
            ):
                raise source.error(
                    (group, name, "chip", "preset"),
                    "its tiles are computed in C++, and the installed aihwkit was built without"
                    f" CUDA, so that they cannot be on {device}",
                    found=chip.preset,
                    hint="leave out --device, or use a torch tile such as TorchInferenceRPUConfig,"
                    " or crossbar: native",
                )
