"""States of parts within the state of a whole."""

from __future__ import annotations

import torch

from learning.states import below, prefixed


def test_a_part_finds_its_own_again():
    part = {"mean": torch.ones(2), "rule.mean": torch.zeros(1)}
    whole = prefixed("rule", part) | prefixed("ruler", part) | {"rule": torch.ones(1)}
    assert below("rule", whole) == part
    assert below("mean", whole) == {}
