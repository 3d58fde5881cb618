"""From an arm of a scenario to what is served of it: its chip, and what it tells of itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import torch

from devices.interface import Capability
from substrate.assemble.host import SimulatedHost
from substrate.assemble.layouts import layouts
from substrate.assemble.parameters import device_in_words
from substrate.assemble.resumable import lacks_state
from substrate.data.dataset import Dataset
from substrate.scenario.capabilities import chip_capabilities
from substrate.scenario.schema import Scenario
from substrate.scenario.schema.chips import chip_title
from substrate.wire.replies import MINOR, Described
from substrate.wire.served import Served
from substrate.wire.server import new_boot
from substrate.wire.states import States

MAX_MESSAGE_BYTES = 256 * 2**20
LEASE_SECONDS = 30.0


def serve_arm(
    scenario: Scenario,
    name: str,
    input_shape: Sequence[int],
    n_out: int,
    device: torch.device,
    states: Path,
    *,
    secret: bool,
    lease_seconds: float = LEASE_SECONDS,
    max_message_bytes: int = MAX_MESSAGE_BYTES,
) -> Served:
    """Make what a server serves of an arm.

    Args:
        scenario: checked.
        name: of the arm.
        input_shape: of one sample.
        n_out: nodes of the last layer.
        device: where the chip is simulated.
        states: the folder of the states that it keeps.
        secret: draw devices and noise from what nobody knows, and none of it twice.
        lease_seconds: until a lease lapses that nobody renews.
        max_message_bytes: of one message.
    """
    arm = scenario.all_arms[name]
    # a chip is built for a data set's shapes alone
    one = torch.zeros(1, *input_shape)
    dataset = Dataset(
        "shapes",
        one,
        torch.zeros(1, dtype=torch.int64),
        one,
        torch.zeros(1, dtype=torch.int64),
        n_out,
    )
    host = SimulatedHost(scenario, arm, dataset, device, secret=secret)
    words = device_in_words(arm.chip)
    shapes = tuple(each.shape for each in layouts(scenario.network, input_shape, n_out))
    about = Described(
        minor=MINOR,
        boot=new_boot(),
        title=chip_title(arm.chip),
        source="" if words is None else words.source,
        parameters=[]
        if words is None
        else [(each.name, each.value, each.meaning) for each in words.parameters],
        shapes=shapes,
        capabilities=chip_capabilities(arm.chip, scenario.network) - {Capability.GRADIENTS},
        decorrelates=arm.learning.decorrelation is not None,
        mirrors=arm.learning.make_rule().mirror_on is not None or len(shapes) == 1,
        draws=True,
        saves=not lacks_state(arm),
        steps_aside=True,
        repeats=not secret,
        max_message_bytes=max_message_bytes,
        lease_seconds=lease_seconds,
    )
    return Served(host, about, math.prod(input_shape), States(states))
