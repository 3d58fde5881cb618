"""A lab's driver behind the interface of a crossbar: what is asked of it, and what is refused."""

import gc
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from devices.bench import ArraySize, Bench
from devices.counting import Requests, matrix_counts
from devices.crossbars.bench import BenchCrossbar, SavedBenchCrossbar, crossbar_on
from devices.crossbars.open_bench import BenchError, NoArrayError, OpenBench
from devices.crossbars.tiled import TiledCrossbar
from devices.interface import CapabilityError, Dense, NotFiniteError, Outer
from devices.without_trace import without_trace
from substrate.verify.seal import assert_crossbar_sealed
from tests.benches import Outerly, Programmed, ReadOnly, Updated, Whole

CPU = torch.device("cpu")
FORMS = [Programmed, Updated, Outerly, Whole]


def opened(kind: type[ReadOnly]) -> OpenBench:
    return OpenBench(kind(kind.Settings()))


def weights(n_out: int = 3, n_in: int = 4) -> Tensor:
    return torch.linspace(-0.9, 0.9, n_out * n_in).view(n_out, n_in)


@pytest.mark.parametrize("kind", FORMS)
def test_every_form_of_a_bench_holds_weights_and_changes_them(kind: type[ReadOnly]) -> None:
    crossbar = crossbar_on(opened(kind), 3, 4, CPU)
    crossbar.program(weights())
    assert torch.allclose(crossbar.read(torch.eye(4)).T, weights(), atol=1e-6)
    x, d = torch.rand(5, 4), torch.rand(5, 3)
    crossbar.update(Outer(x, d, 0.01))
    crossbar.update(Dense(-weights() / 10))
    wanted = 0.9 * weights() - 0.01 * d.T @ x
    assert torch.allclose(crossbar.read(torch.eye(4)).T, wanted, atol=1e-6)


def test_what_is_not_of_the_matrix_is_left_alone() -> None:
    bench = opened(Whole)
    crossbar = crossbar_on(bench, 3, 4, CPU)
    crossbar.program(weights())
    crossbar.update(Outer(torch.ones(2, 4), torch.ones(2, 3), 0.1))
    cells: Any = bench.bench
    assert cells.cells[1].shape == (4, 5)  # the smaller array is taken
    assert not cells.cells[1][3:].any()
    assert not cells.cells[1][:, 4:].any()
    assert not cells.cells[0].any()


def test_repeats_and_positions_are_drives_of_their_own() -> None:
    bench = opened(Programmed)
    crossbar = crossbar_on(bench, 3, 4, CPU)
    crossbar.program(weights())
    x = torch.rand(2, 7, 4)
    a = crossbar.read(x, repeats=3)
    assert torch.allclose(a, (x @ weights().T).repeat(3, 1, 1), atol=1e-6)
    cells: Any = bench.bench
    assert cells.driven[-1].shape == (42, 5)


def test_rows_are_never_driven_beyond_their_range() -> None:
    bench = opened(Programmed)
    crossbar = crossbar_on(bench, 3, 4, CPU)
    crossbar.program(weights())
    x = torch.tensor([[0.5, -1.0, 0.0, 0.2], [40.0, -20.0, 1.0, 0.0]])
    assert torch.allclose(crossbar.read(x), x @ weights().T, rtol=1e-5)
    cells: Any = bench.bench
    assert np.abs(cells.driven[-1]).max() == 2.0
    assert np.abs(cells.driven[-1][0]).max() == 1.0  # what fits goes as it is


def test_a_bench_that_is_only_programmed_keeps_its_target_in_digital_memory() -> None:
    bench = opened(Programmed)
    crossbar = crossbar_on(bench, 3, 4, CPU)
    crossbar.program(weights())
    for _ in range(4):
        crossbar.update(Dense(torch.full((3, 4), 0.5)))
    cells: Any = bench.bench
    assert cells.calls == ["program"] * 5
    assert np.allclose(cells.cells[1][:3, :4], 1.0)  # clipped, and not beyond
    crossbar.update(Dense(torch.full((3, 4), -0.1)))
    assert np.allclose(cells.cells[1][:3, :4], 0.9)  # from the bound on, at once
    assert crossbar.wear.programmings == 6
    assert crossbar.wear.holds_target
    assert not crossbar_on(opened(Updated), 3, 4, CPU).wear.holds_target


@pytest.mark.parametrize(
    ("kind", "formed"), [(Updated, True), (Programmed, True), (Outerly, False)]
)
def test_outer_products_that_a_bench_does_not_know_are_formed_by_the_periphery(
    kind: type[ReadOnly], formed: bool
) -> None:
    crossbar = crossbar_on(opened(kind), 3, 4, CPU)
    asked = Requests(outer_products=5)
    counts = matrix_counts(1, "weights", 3, 4, asked, crossbar)
    assert counts.multiplications == (5 * 12 if formed else 0)
    assert counts.words == (12 if kind is Programmed else 0)


class Clips(Outerly):
    """Rows cannot be driven beyond their range, as with real volts."""

    largest_input = 0.1

    def update_outer(self, array: int, x: np.ndarray, d: np.ndarray) -> None:
        super().update_outer(array, x.clip(-self.largest_input, self.largest_input), d)


def test_a_dense_change_as_outer_products_stays_within_the_range_of_rows() -> None:
    bench = opened(Clips)
    crossbar = crossbar_on(bench, 3, 4, CPU)
    crossbar.update(Dense(weights() / 10))
    cells: Any = bench.bench
    assert np.allclose(cells.cells[1][:3, :4], weights() / 10)


def test_reads_by_which_weights_are_written_are_counted() -> None:
    bench = opened(Updated)
    crossbar = crossbar_on(bench, 3, 4, CPU)
    crossbar.program(weights())
    cells: Any = bench.bench
    driven = sum(len(drives) for drives in cells.driven)
    assert driven > 0
    counts = matrix_counts(1, "weights", 3, 4, Requests(reads=7), crossbar)
    assert counts.reads == 7 + driven
    assert (counts.dac_conversions, counts.adc_conversions) == (counts.reads * 4, counts.reads * 3)


def test_outer_products_go_to_a_bench_that_knows_them_as_they_are() -> None:
    bench = opened(Outerly)
    crossbar = crossbar_on(bench, 3, 4, CPU)
    cells: Any = bench.bench
    crossbar.update(Outer(torch.rand(5, 4), torch.rand(5, 3), 0.1))
    sparse = torch.zeros(3, 4)
    sparse[1, 2] = 0.3
    crossbar.update(Dense(sparse))
    assert cells.calls == ["outer of 5", "outer of 1"]  # a row that does not change is not pulsed


def test_a_bench_is_closed_when_nobody_holds_it() -> None:
    released: list[bool] = []
    bench = Whole(Whole.Settings())
    holding = crossbar_on(OpenBench(bench, lambda: released.append(True)), 3, 4, CPU)
    assert bench.opened
    del holding
    gc.collect()
    assert not bench.opened
    assert released == [True]


def test_every_matrix_takes_an_array_of_its_own() -> None:
    bench = opened(Whole)
    crossbar_on(bench, 4, 5, CPU)
    crossbar_on(bench, 2, 2, CPU)
    with pytest.raises(NoArrayError, match="no free array for 1 rows and 1 columns"):
        crossbar_on(bench, 1, 1, CPU)
    with pytest.raises(NoArrayError, match=r"1 of 8 × 6, 1 of 5 × 4 \(rows × columns\)"):
        crossbar_on(opened(Whole), 7, 3, CPU)


def test_a_large_matrix_is_split_over_arrays() -> None:
    class Many(Whole):
        arrays = (ArraySize(rows=4, columns=3),) * 4

    bench = opened(Many)
    crossbar = TiledCrossbar(
        5, 8, 3, 4, lambda n_out, n_in, _: crossbar_on(bench, n_out, n_in, CPU)
    )
    crossbar.program(weights(5, 8))
    x = torch.rand(6, 8)
    assert torch.allclose(crossbar.read(x), x @ weights(5, 8).T, atol=1e-6)
    assert torch.allclose(crossbar.read_transposed(x[:, :5]), x[:, :5] @ weights(5, 8), atol=1e-6)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            np.zeros((2, 3)),
            r"Slips.read gave the shape \(2, 3\) for 2 drives .* \(2, 4\) is wanted",
        ),
        (np.array([[0, 0, 0, 0], [0, 0, np.nan, 0]]), "gave nan in drive 1, line 2"),
        (None, "gave the shape|NoneType"),
        ("overload", "gave str, no array of numbers"),
    ],
)
def test_slips_of_a_driver_are_named(given: object, message: str) -> None:
    class Slips(Programmed):
        def read(self, array: int, x: np.ndarray) -> Any:
            return given

    crossbar = crossbar_on(opened(Slips), 3, 4, CPU)
    with pytest.raises(BenchError, match=message):
        crossbar.read(torch.rand(2, 4))


@pytest.mark.parametrize("told", [{"temperature": float("nan")}, [1.0], {"a": "hot"}])
def test_metrics_are_finite_numbers_by_name(told: Any) -> None:
    class Slips(Whole):
        def metrics(self) -> Any:
            return told

    with pytest.raises(BenchError, match="metrics gave"):
        opened(Slips).metrics()


def test_a_driver_is_timed_and_asked_once_for_all_its_matrices() -> None:
    bench = opened(Whole)
    one, other = (crossbar_on(bench, 2, 3, CPU) for _ in range(2))
    one.read(torch.rand(4, 3))
    told = one.report()
    assert told["temperature (K)"] == 4.2
    assert 0 <= told["driver call p50 (ms)"] <= told["driver call p99 (ms)"]
    assert 0 <= told["time in driver (%)"] <= 100
    rows, columns = bench.bench.arrays[one._array]
    assert told["to driver (MB)"] == pytest.approx(4 * rows * 8e-6, rel=1e-3)
    assert told["from driver (MB)"] == pytest.approx(4 * columns * 8e-6, rel=1e-3)
    assert other.report() == {}


def test_a_connection_that_fails_is_named_and_no_fault_of_our_files() -> None:
    class Gone(Whole):
        def read(self, array: int, x: np.ndarray) -> np.ndarray:
            raise ConnectionResetError("the stage went away")

    with pytest.raises(
        BenchError, match=r"Gone\.read failed: ConnectionResetError: the stage went"
    ):
        crossbar_on(opened(Gone), 3, 4, CPU).read(torch.rand(2, 4))


def test_only_what_can_be_saved_is() -> None:
    assert type(crossbar_on(opened(Programmed), 3, 4, CPU)) is BenchCrossbar
    crossbar = crossbar_on(opened(Whole), 3, 4, CPU)
    assert isinstance(crossbar, SavedBenchCrossbar)
    crossbar.program(weights())
    saved = crossbar.state()
    crossbar.program(-weights())
    crossbar.restore(saved)
    assert torch.allclose(crossbar.read(torch.eye(4)).T, weights(), atol=1e-6)


def test_a_state_may_come_from_where_it_is_computed() -> None:
    class Elsewhere(Tensor):
        """What torch refuses of a tensor on a GPU."""

        def numpy(self, *, force: bool = False) -> Any:
            raise TypeError("can't convert cuda:0 device type tensor to numpy")

        def cpu(self, *_: Any) -> Tensor:  # type: ignore[override]
            return self.as_subclass(Tensor)

    crossbar = crossbar_on(opened(Whole), 3, 4, CPU)
    assert isinstance(crossbar, SavedBenchCrossbar)
    crossbar.program(weights())
    saved = {name: value.as_subclass(Elsewhere) for name, value in crossbar.state().items()}
    crossbar.program(-weights())
    crossbar.restore(saved)
    assert torch.allclose(crossbar.read(torch.eye(4)).T, weights(), atol=1e-6)


def test_reads_of_an_evaluation_write_nothing() -> None:
    class Counts(Whole):
        def restore(self, array: int, state: Any) -> None:
            raise AssertionError("wrote its cells after an evaluation")

    crossbar = crossbar_on(opened(Counts), 3, 4, CPU)
    with without_trace(crossbar):
        crossbar.read(torch.rand(2, 4))


def test_backward_reads_need_the_method() -> None:
    with pytest.raises(CapabilityError, match="Programmed has no read_transposed"):
        crossbar_on(opened(Programmed), 3, 4, CPU).read_transposed(torch.rand(2, 3))


def test_the_seal_holds() -> None:
    class Two(Whole):
        arrays = (ArraySize(rows=8, columns=8),) * 2

    bench = opened(Two)
    assert_crossbar_sealed(lambda n_out, n_in: crossbar_on(bench, n_out, n_in, CPU))


def test_a_bench_without_read_says_so() -> None:
    with pytest.raises(NotImplementedError, match="Bench has no read"):
        Bench(Bench.Settings()).read(0, np.zeros((1, 1)))


def test_outer_products_stay_within_the_range_of_inputs() -> None:
    asked: list[tuple[np.ndarray, np.ndarray]] = []

    class Recording(Outerly):
        def update_outer(self, array: int, x: np.ndarray, d: np.ndarray) -> None:
            asked.append((x, d))
            super().update_outer(array, x, d)

    crossbar = crossbar_on(opened(Recording), 3, 4, CPU)
    crossbar.program(weights())
    before = crossbar.read(torch.eye(4))
    asked.clear()
    x, d = 5 * torch.rand(5, 4), torch.rand(5, 3)
    crossbar.update(Outer(x, d, 0.001))
    ((drives, _),) = asked
    assert np.abs(drives).max() <= 2.0 + 1e-9  # `largest_input`
    wanted = before - 0.001 * x.T @ d
    assert torch.allclose(crossbar.read(torch.eye(4)), wanted, atol=1e-6)


@pytest.mark.parametrize("kind", FORMS)
def test_what_is_no_number_is_not_sent(kind: type[ReadOnly]) -> None:
    bench = opened(kind)
    crossbar = crossbar_on(bench, 3, 4, CPU)
    crossbar.program(weights())
    driver: Any = bench.bench
    driven, calls = len(driver.driven), list(driver.calls)
    nan = torch.full((2, 4), torch.nan)
    for ask in (
        lambda: crossbar.read(nan),
        lambda: crossbar.update(Outer(nan, torch.ones(2, 3), 0.1)),
        lambda: crossbar.update(Dense(torch.full((3, 4), torch.inf))),
        lambda: crossbar.program(torch.full((3, 4), torch.nan)),
    ):
        with pytest.raises(NotFiniteError, match="not sent"):
            ask()
    assert (len(driver.driven), list(driver.calls)) == (driven, calls)


def test_weights_that_updates_do_not_reach_are_warned_of() -> None:
    class Stuck(Updated):
        def update(self, array: int, change: np.ndarray) -> None:
            pass

    crossbar = crossbar_on(opened(Stuck), 3, 4, CPU)
    with pytest.warns(UserWarning, match=r"still off by 0\.\d+ rms"):
        crossbar.program(weights())
