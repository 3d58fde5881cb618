import pytest
import torch

from devices.crossbars.aihwkit import AihwkitCrossbar
from devices.crossbars.aihwkit_config import preset_config
from devices.crossbars.ideal import IdealCrossbar
from devices.crossbars.tiled import TiledCrossbar
from devices.interface import Dense, Outer

CPU = torch.device("cpu")
N_OUT, N_IN = 7, 11


def ideal(n_out: int, n_in: int, place: str) -> IdealCrossbar:
    return IdealCrossbar(n_out, n_in, CPU)


def split_and_whole() -> tuple[TiledCrossbar, IdealCrossbar]:
    pair = (TiledCrossbar(N_OUT, N_IN, 3, 4, ideal), IdealCrossbar(N_OUT, N_IN, CPU))
    weights = torch.randn(N_OUT, N_IN)
    for crossbar in pair:
        crossbar.program(weights)
    return pair


@pytest.mark.parametrize("shape", [(5, N_IN), (5, 6, N_IN)])
def test_a_split_matrix_reads_as_the_whole(shape):
    split, whole = split_and_whole()
    x = torch.randn(shape)
    torch.testing.assert_close(split.read(x, repeats=2), whole.read(x, repeats=2))


def test_a_split_matrix_reads_backwards_as_the_whole():
    split, whole = split_and_whole()
    y = torch.randn(5, N_OUT)
    torch.testing.assert_close(split.read_transposed(y), whole.read_transposed(y))


@pytest.mark.parametrize(
    "request_",
    [
        Outer(torch.randn(5, N_IN), torch.randn(5, N_OUT), 0.3),
        Dense(torch.randn(N_OUT, N_IN)),
    ],
)
def test_a_split_matrix_changes_as_the_whole(request_):
    split, whole = split_and_whole()
    for crossbar in (split, whole):
        crossbar.update(request_)
    eye = torch.eye(N_IN)
    torch.testing.assert_close(split.read(eye), whole.read(eye))


def test_no_array_is_larger_than_one_and_each_has_its_place():
    made = []

    def make(n_out: int, n_in: int, place: str) -> IdealCrossbar:
        made.append((n_out, n_in, place))
        return ideal(n_out, n_in, place)

    TiledCrossbar(N_OUT, N_IN, 3, 4, make)
    assert all(n_out <= 3 and n_in <= 4 for n_out, n_in, _ in made)
    assert sum(n_out * n_in for n_out, n_in, _ in made) == N_OUT * N_IN
    assert len({place for _, _, place in made}) == len(made) == 9


def test_a_state_takes_a_split_matrix_back():
    split, _ = split_and_whole()
    other, _ = split_and_whole()
    other.restore(split.state())
    eye = torch.eye(N_IN)
    assert torch.equal(other.read(eye), split.read(eye))


def test_every_array_adds_noise_of_its_own():
    """Output noise of variance σ² per array adds up over the arrays of a column."""
    settings = {"forward": {"out_noise": 0.1, "inp_res": -1, "out_res": -1, "out_bound": -1,
                            "noise_management": "NONE", "bound_management": "NONE",
                            "inp_bound": 100.0}}  # fmt: skip
    config = preset_config("IdealizedPreset", settings)

    def make(n_out: int, n_in: int, place: str) -> AihwkitCrossbar:
        return AihwkitCrossbar(n_out, n_in, config, CPU)

    split = TiledCrossbar(4, 9, 4, 3, make)
    split.program(torch.zeros(4, 9))
    assert not split.noise_free
    spread = split.read(torch.ones(20_000, 9)).std().item()
    # 80,000 independent draws: the standard error of the spread is 0.25 %
    assert spread == pytest.approx(0.1 * 3**0.5, rel=0.02)
