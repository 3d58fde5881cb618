import torch

from devices.states import below, on_device, prefixed


def test_what_is_prefixed_is_found_below_and_nothing_else():
    state = {"past": torch.ones(2), "0.past": torch.zeros(1)}
    whole = prefixed("noise", state) | prefixed("noise 2", state) | {"noise": torch.ones(3)}
    assert below("noise", whole) == state
    assert below("nois", whole) == {}


def test_a_state_goes_to_its_device_but_for_what_generators_take():
    state = {
        "weights": torch.ones(2),
        "steps": torch.tensor(3),
        "stuck": torch.ones(2, dtype=torch.bool),
        "stream": torch.Generator().get_state(),
    }
    there = on_device(state, torch.device("meta"))
    assert {name: value.device.type for name, value in there.items()} == {
        "weights": "meta",
        "steps": "meta",
        "stuck": "meta",
        "stream": "cpu",
    }
