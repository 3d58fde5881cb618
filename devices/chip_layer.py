"""One layer of a chip: a crossbar with what stands around it."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field

from jaxtyping import Float
from torch import Tensor

from devices.activations import Activation
from devices.array_noise import AddNoise, ArrayNoise, LineNoise
from devices.crossbars.base import Crossbar
from devices.crossbars.ideal import IdealCrossbar
from devices.decorrelation import Decorrelation, DigitalDecorrelation
from devices.layers import Layout
from devices.shared_product import SharedProduct
from devices.states import Saved


@dataclass(frozen=True)
class ChipLayer:
    """One layer of a chip.

    Attributes:
        layout: geometry of the layer on its crossbar.
        crossbar: holds the weights.
        activation: f of x_l = f(a_l).
        bias: b_l, digital, (n_out,).
        decorrelation: R_l, None where the chip has none.
        input_noise: acts on what drives the rows; travels.
        output_noise: acts on what the columns give; travels.
        transposed_noise: acts around the crossbar where it is driven from its columns.
        readout: acts on the pre-activation as observed; does not travel.
        input_readout: acts on the layer's input as observed; does not travel.
        mirror: holds B_l, a learner's estimate of W_l; None where the chip has none.
        mirror_noise: acts around the mirror.
    """

    layout: Layout
    crossbar: Crossbar
    activation: Activation
    bias: Float[Tensor, " n_out"]
    decorrelation: Decorrelation | None = None
    _: KW_ONLY
    input_noise: AddNoise | None = None
    output_noise: AddNoise | None = None
    transposed_noise: LineNoise = field(default_factory=LineNoise)
    readout: AddNoise | None = None
    input_readout: AddNoise | None = None
    mirror: Crossbar | None = None
    mirror_noise: ArrayNoise = field(default_factory=ArrayNoise)

    def keepers(self) -> dict[str, Saved]:
        """Give the parts whose state can be saved, by name."""
        parts: dict[str, object] = {
            "crossbar": self.crossbar,
            "decorrelation": self.decorrelation,
            "mirror": self.mirror,
            "input noise": self.input_noise,
            "output noise": self.output_noise,
            "transposed noise": self.transposed_noise,
            "readout": self.readout,
            "input readout": self.input_readout,
            "mirror noise": self.mirror_noise,
        }
        return {name: part for name, part in parts.items() if isinstance(part, Saved)}

    def shared_product(self) -> SharedProduct | None:
        """What passes may be read through at once; None where noise or a device is in between."""
        crossbar, decorrelation = self.crossbar, self.decorrelation
        if self.input_noise is not None or self.input_readout is not None:
            return None
        if not isinstance(crossbar, IdealCrossbar) or not crossbar.noise_free:
            return None
        if not isinstance(decorrelation, DigitalDecorrelation):
            return None
        return SharedProduct(crossbar, decorrelation)
