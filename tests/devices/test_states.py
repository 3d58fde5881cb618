import torch

from devices.states import below, prefixed


def test_what_is_prefixed_is_found_below_and_nothing_else():
    state = {"past": torch.ones(2), "0.past": torch.zeros(1)}
    whole = prefixed("noise", state) | prefixed("noise 2", state) | {"noise": torch.ones(3)}
    assert below("noise", whole) == state
    assert below("nois", whole) == {}
