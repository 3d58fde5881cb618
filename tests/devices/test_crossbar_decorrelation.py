"""R on a crossbar: the same as R in the digital periphery, as far as the device allows."""

import torch
from torch import Tensor

from devices.crossbars.ideal import IdealCrossbar
from devices.decorrelation import CrossbarDecorrelation, DigitalDecorrelation
from devices.interface import DecorrelationUpdate, Dense, Outer
from tests.chips import CPU, make_chip
from tests.host import waits_of


class Windowed(IdealCrossbar):
    """Holds weights within ±0.6 alone, and adds read noise."""

    noise_free = False

    def __init__(self, n: int, noise: float = 0.0) -> None:
        super().__init__(n, n, CPU)
        self.noise = noise
        self.generator = torch.Generator().manual_seed(0)
        self.programmed = 0

    def program(self, weights: Tensor) -> None:
        super().program(weights.clamp(-0.6, 0.6))
        self.programmed += 1

    def read(self, x: Tensor, repeats: int = 1) -> Tensor:
        a = super().read(x, repeats)
        return a + self.noise * torch.randn(a.shape, generator=self.generator)

    def update(self, request: Outer | Dense) -> None:
        super().update(request)
        self.weights.clamp_(-0.6, 0.6)


def requests(n: int, count: int, gain: float = 1.001) -> list[DecorrelationUpdate]:
    """Requests whose x* are ±1, so that every row has this gain."""
    generator = torch.Generator().manual_seed(1)
    signs = torch.randint(2, (count, 20, n), generator=generator) * 2.0 - 1
    return [DecorrelationUpdate(each, (gain - 1) / 20) for each in signs]


def test_on_an_exact_crossbar_it_is_the_digital_one():
    crossbar, digital = (
        CrossbarDecorrelation(IdealCrossbar(6, 6, CPU), 6, CPU),
        DigitalDecorrelation(6, CPU),
    )
    x = torch.randn(7, 6)
    torch.testing.assert_close(crossbar.read(x), x)
    # a gain of 5 % a step has the rows programmed anew several times within 60 steps
    for request in requests(6, 60, gain=1.05):
        crossbar.update(request)
        digital.update(request)
    torch.testing.assert_close(crossbar.read(x), digital.read(x), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        crossbar.read_transposed(x), digital.read_transposed(x), rtol=1e-4, atol=1e-5
    )


def test_a_narrow_window_is_made_up_for_by_the_digital_gain():
    decorrelation = CrossbarDecorrelation(Windowed(6), 6, CPU)
    x = torch.randn(7, 6)
    torch.testing.assert_close(decorrelation.read(x), x)
    for request in requests(6, 10):
        decorrelation.update(request)
    digital = DigitalDecorrelation(6, CPU)
    for request in requests(6, 10):
        digital.update(request)
    torch.testing.assert_close(decorrelation.read(x), digital.read(x), rtol=1e-4, atol=1e-5)


def test_rows_are_programmed_anew_only_when_their_gain_has_doubled():
    crossbar = Windowed(4)
    decorrelation = CrossbarDecorrelation(crossbar, 4, CPU)
    started = crossbar.programmed
    quiet = requests(4, 64, gain=1 + 1e-6)
    for request in quiet:
        decorrelation.update(request)
    assert crossbar.programmed == started
    for request in requests(4, 32, gain=1.05):
        decorrelation.update(request)
    assert crossbar.programmed > started


def test_it_is_read_through_its_own_noise_and_so_tells_passes_apart():
    chip = make_chip((4, 3, 2), decorrelated=True)
    noisy = CrossbarDecorrelation(Windowed(4, noise=0.1), 4, CPU)
    object.__setattr__(chip._layers[0], "decorrelation", noisy)
    x = torch.randn(500, 4)
    one, other = chip.passes(x, [None, None])
    assert (one.inputs[0] != other.inputs[0]).all()
    # noise of 0.1 on M reaches x* through the gain, 1/0.3; 2,000 deviates, five standard errors
    spread = (one.inputs[0] - other.inputs[0]).std() / 2**0.5
    assert abs(spread / (0.1 / 0.3) - 1) < 0.15


def test_it_goes_on_from_its_state():
    first = CrossbarDecorrelation(IdealCrossbar(5, 5, CPU), 5, CPU)
    for request in requests(5, 20):
        first.update(request)
    second = CrossbarDecorrelation(IdealCrossbar(5, 5, CPU), 5, CPU)
    second.restore(first.state())
    x = torch.randn(3, 5)
    for request in requests(5, 20):
        first.update(request)
        second.update(request)
    assert torch.equal(first.read(x), second.read(x))


def test_updates_wait_for_nothing_but_for_what_was_found_long_before():
    decorrelation = CrossbarDecorrelation(IdealCrossbar(4, 4, CPU), 4, CPU)
    found = waits_of(lambda: [decorrelation.update(each) for each in requests(4, 64, gain=1.05)])
    # once in 16 updates a flag is looked at, which on a GPU was sent off 16 updates before
    assert len(found) == 4
    assert all("flag.py" in each for each in found)
