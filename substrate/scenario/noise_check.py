"""Where noise may act: what a scenario's noise needs of its chip and network."""

from __future__ import annotations

from devices.noise.common_mode import CommonModeNoise
from substrate.scenario.schema import AihwkitChip, CustomChip, Network
from substrate.scenario.schema.noise import NoisyChip
from substrate.scenario.source import Location, Source


def check_noise(chip: NoisyChip, network: Network, source: Source, loc: Location) -> None:
    """Refuse noise where the chip has no such place.

    Args:
        chip: all but the ideal one.
        network: says how many layers there are.
        source: the scenario's text.
        loc: of the list of noise in it.

    Raises:
        ScenarioError: noise at the weights of a crossbar that cannot have it, a layer that the
            network has not, or noise along rows where the signal has none.
    """
    n_layers = sum(layer != "flatten" for layer in network.layers) + 1
    quiet = _why_weights_are_quiet(chip)
    for number, each in enumerate(chip.noise):
        if each.at == "weight" and quiet:
            raise source.error(
                (*loc, number, "at"),
                quiet,
                found="weight",
                hint="use a native crossbar, or input, output or readout",
            )
        for layer in each.layers or []:
            if layer > n_layers:
                raise source.error(
                    (*loc, number, "layers"),
                    f"the network has {n_layers} layers with weights, counted from 1",
                    found=layer,
                )
        if isinstance(each, CommonModeNoise) and each.shared != "tile" and each.at != "weight":
            raise source.error(
                (*loc, number, "shared"),
                f"only weights have rows and columns; the lines of the {each.at} share a tile",
                found=each.shared,
                hint="use shared: tile, or at: weight",
            )


def _why_weights_are_quiet(chip: NoisyChip) -> str | None:
    if isinstance(chip, AihwkitChip):
        return (
            "an aihwkit tile keeps its weights to itself; its own weight noise is part of its "
            "configuration"
        )
    if isinstance(chip, CustomChip):
        return "a crossbar of your own keeps its weights to itself, and draws their noise itself"
    return None
