"""One scenario with one aihwkit preset after the other: what does each device reach?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from substrate.record.summary import Arm, MetricName, Summary
from substrate.scenario.schema import AihwkitChip, Scenario
from substrate.scenario.source import ScenarioError, Source, nearest


def survey_scenario(scenario: Scenario, source: Source, presets: Sequence[str]) -> Scenario:
    """Put an arm for every preset in the place of the scenario's device arms.

    Every arm is the first device arm with another preset. Presets without noise of their own
    (`FloatingPointPreset`) cannot be trained by it: there, noise is injected as well.

    Raises:
        ScenarioError: the first device arm is no aihwkit chip, or aihwkit has no such preset.
    """
    from devices.crossbars.aihwkit_config import PRESETS, preset_config

    name, arm = next(iter(scenario.arms.items()))
    if not isinstance(arm.chip, AihwkitChip):
        raise source.error(
            ("arms", name, "chip", "crossbar"),
            "a survey goes through aihwkit's presets, and needs an aihwkit chip",
            found=arm.chip.crossbar,
        )
    for preset in presets:
        if preset not in PRESETS:
            meant = nearest(preset, PRESETS)
            hint = f"did you mean {meant!r}?" if meant else "see `substrate list devices`"
            raise ScenarioError(
                "aihwkit has no such preset", file="--presets", found=preset, hint=hint
            )
    arms = {}
    for preset in presets or PRESETS:
        settings = arm.model_dump()
        settings["chip"]["preset"] = preset
        if preset_config(preset, arm.chip.config).forward.is_perfect:
            settings["chip"]["inject"] = True
            settings["learning"]["perturbation"]["source"] = "both"
        arms[preset] = settings
    settings = scenario.model_dump() | {"arms": arms, "name": f"{scenario.name}-survey"}
    return Scenario.model_validate(settings, context={"folder": Path()})


def survey_table(scenario: Scenario, summary: Summary) -> str:
    """Write what every arm reached as a Markdown table, best first."""
    metric = summary.metric
    best = 1 if metric == "test_loss" else -1
    value = {name: _mean(arm, metric) for name, arm in summary.arms.items()}
    order = sorted(value, key=lambda name: (value[name] is None, best * (value[name] or 0), name))
    learning = next(iter(scenario.arms.values())).learning
    versions = summary.versions
    seeds = ", ".join(map(str, summary.seeds))
    lines = [
        f"{learning.rule.upper()}, {summary.network}, {summary.data.name}; "
        f"{summary.epochs} epochs, batch {scenario.training.batch_size}, learning rate "
        f"{learning.optimiser.learning_rate:g}, write: {learning.optimiser.write}; "
        f"seeds {seeds}; {summary.started[:10]}; aihwkit {versions['aihwkit']}, "
        f"torch {versions['torch']}, Python {versions['python']}.",
        "",
        f"    {summary.command}",
        "",
        f"| chip | {metric.replace('_', ' ')} | seconds |",
        "| --- | ---: | ---: |",
        *(_row(name, summary.arms[name], value[name], metric) for name in order),
    ]
    return "\n".join(lines) + "\n"


def _row(name: str, arm: Arm, value: float | None, metric: str) -> str:
    if value is not None:
        reached = f"{value:.4g}" if metric == "test_loss" else f"{value:.1%}"
    else:
        reached = "; ".join(_divergences(arm)) or "not finished"
    title = f"**{name}** ({arm.chip}, {arm.rule})" if arm.role == "baseline" else name
    note = " (noise injected)" if arm.role == "device" and "injected" in arm.learning else ""
    return f"| {title}{note} | {reached} | {arm.seconds:.0f} |"


def _divergences(arm: Arm) -> Iterator[str]:
    for each in arm.diverged:
        yield f"diverged in epoch {each.epoch}"


def _mean(arm: Arm, metric: MetricName) -> float | None:
    measure = arm.measure(metric)
    return None if measure is None else measure.mean
