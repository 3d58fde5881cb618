"""From the network's settings to layouts."""

import pytest
from pydantic import ValidationError

from devices.interface import LayerShape
from substrate.assemble.layouts import LayoutError, layouts, network_title
from substrate.scenario.schema import Network

CONVNET = Network.model_validate(
    {
        "layers": [
            {"conv": 16, "stride": 2},
            {"conv": 32, "stride": 2},
            {"conv": 64},
            "flatten",
            1024,
        ]
    }
)


def test_the_convnet_of_the_paper() -> None:
    shapes = [layout.shape for layout in layouts(CONVNET, (3, 32, 32), 10)]
    assert shapes == [
        LayerShape(16, 27, 225),
        LayerShape(32, 144, 49),
        LayerShape(64, 288, 25),
        LayerShape(1024, 1600),
        LayerShape(10, 1024),
    ]


def test_flatten_is_implied() -> None:
    layers = [layer for layer in CONVNET.layers if layer != "flatten"]
    without = CONVNET.model_copy(update={"layers": layers})
    assert layouts(without, (3, 32, 32), 10) == layouts(CONVNET, (3, 32, 32), 10)


def test_no_hidden_layer_is_a_single_layer() -> None:
    (only,) = layouts(Network(layers=[]), (3, 32, 32), 10)
    assert only.shape == LayerShape(10, 3072)


def test_networks_read_as_the_paper_writes_them() -> None:
    assert network_title(Network(layers=[128, 128]), (1, 8, 8), 10) == "64-128-128-10"
    assert network_title(CONVNET, (3, 32, 32), 10) == (
        "3×32×32 - conv 3×3×16 stride 2 - conv 3×3×32 stride 2 - conv 3×3×64 stride 1 - 1024 - 10"
    )


@pytest.mark.parametrize(
    ("layers", "index", "said"),
    [
        ([{"conv": 4, "kernel": 9}], 0, "9×9 does not fit on an image of 8×8"),
        ([{"conv": 4, "kernel": 5}, {"conv": 4, "kernel": 5}], 1, "on an image of 4×4"),
        ([32, {"conv": 4}], 1, r"needs an image .* shape \(32,\)"),
        ([{"conv": 2}, "flatten", {"conv": 4}], 2, r"needs an image .* shape \(72,\)"),
    ],
)
def test_a_layer_that_does_not_fit_is_named(layers: list[object], index: int, said: str) -> None:
    network = Network.model_validate({"layers": layers})
    with pytest.raises(LayoutError, match=said) as caught:
        layouts(network, (1, 8, 8), 10)
    assert caught.value.index == index


@pytest.mark.parametrize("layer", [0, -3, "flat", {"conv": 0}, {"kernel": 3}, {"conv": 1, "x": 2}])
def test_layers_that_mean_nothing_are_refused(layer: object) -> None:
    with pytest.raises(ValidationError):
        Network.model_validate({"layers": [layer]})
