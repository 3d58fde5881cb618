"""Asking the chips behind wires what they are, before anything is trained on them."""

from __future__ import annotations

from substrate.assemble.layouts import layouts
from substrate.data.dataset import Dataset
from substrate.scenario.capabilities import check_capabilities
from substrate.scenario.schema import Arm, RemoteChip, Scenario
from substrate.scenario.source import Location, Source
from substrate.wire.address import AddressError, GuardError
from substrate.wire.errors import WireError
from substrate.wire.host import link_to
from substrate.wire.replies import Described

_ATTEMPTS_SECONDS = 5.0


def check_remote(scenario: Scenario, source: Source, dataset: Dataset) -> list[str]:
    """See to it that chips behind wires answer, and fit the scenario.

    Returns:
        Of every arm whose chip cannot be saved, why a run of it does not go on where it stopped.

    Raises:
        ScenarioError: one does not answer, or lacks what the arm needs.
    """
    found = []
    for group, arms in (("arms", scenario.arms), ("baselines", scenario.baselines)):
        for name, arm in arms.items():
            if isinstance(arm.chip, RemoteChip):
                about = _check(scenario, arm, arm.chip, source, (group, name), dataset)
                if not about.saves:
                    found.append(f"the chip of arm {name}, {about.title}, cannot be saved")
    return found


def _check(
    scenario: Scenario,
    arm: Arm,
    chip: RemoteChip,
    source: Source,
    loc: Location,
    dataset: Dataset,
) -> Described:
    at = (*loc, "chip", "remote")
    try:
        link = link_to(chip, _ATTEMPTS_SECONDS)
    except GuardError as problem:
        within, found = (*loc, "chip", problem.part), str(problem.path)
        raise source.error(within, str(problem), found=found, hint=problem.hint) from None
    except (WireError, AddressError) as problem:
        hint = "is `substrate serve` running there?"
        raise source.error(at, str(problem), found=chip.remote, hint=hint) from None
    about = link.about
    link.close()
    check_capabilities(scenario, arm, source, loc, about.capabilities)
    wanted = tuple(
        each.shape for each in layouts(scenario.network, dataset.input_shape, dataset.n_out)
    )
    if about.shapes != wanted:
        has, needs = (
            ", ".join(f"{each.n_in}→{each.n_out}" for each in shapes)
            for shapes in (about.shapes, wanted)
        )
        message = f"the chip has other layers than the network: {has}, and not {needs}"
        raise source.error(at, message, found=chip.remote)
    wants_r = arm.learning.decorrelation is not None
    if about.decorrelates != wants_r:
        has = "has" if about.decorrelates else "has no"
        raise source.error(
            (*loc, "learning", "decorrelation"),
            f"the chip {has} decorrelation matrices, and the arm"
            f" {'wants them' if wants_r else 'does not'}",
            hint="serve an arm whose learning has what this one's has",
        )
    if arm.learning.make_rule().mirror_on is not None and not about.mirrors:
        raise source.error(
            (*loc, "learning", "rule"),
            f"{arm.learning.rule} needs mirrors of the weights, and the chip has none",
            found=arm.learning.rule,
        )
    return about
