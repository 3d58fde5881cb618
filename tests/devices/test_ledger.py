"""The ledger of every kind of chip, against counts by hand on a network of 6, 5 and 3 nodes."""

from functools import partial

import pytest
import torch

from devices.chip import NetworkChip
from devices.chip_layer import ChipLayer
from devices.converters import Converter
from devices.crossbars.aihwkit import AihwkitCrossbar
from devices.crossbars.aihwkit_config import preset_config
from devices.crossbars.aihwkit_inference import AihwkitInferenceCrossbar
from devices.crossbars.ideal import IdealCrossbar
from devices.crossbars.native import pulse_count
from devices.crossbars.native.conductance import Conductance
from devices.crossbars.native.crossbar import NativeCrossbar
from devices.crossbars.native.device import NativeDevice
from devices.crossbars.native.response import PulseResponse
from devices.crossbars.tiled import TiledCrossbar
from devices.decorrelation import CrossbarDecorrelation, DigitalDecorrelation
from devices.interface import Capability, DecorrelationUpdate, Dense, LayerUpdate, Outer
from devices.layers import Conv2d
from devices.layers import Dense as DenseLayer
from devices.noisy_converter import NoisyConverter
from tests.chips import CPU, identity, make_chip

SIZES = (6, 5, 3)
BATCH = 4
EXACT_STEPS = PulseResponse(
    dw_min=0.01, dw_min_spread=0, up_down_spread=0, cycle_spread=0, write_noise=0, pulses=7
)
WIDE = Conductance(
    w_max=1e6, w_min=-1e6, w_max_spread=0, w_min_spread=0, programming_error=0, read_noise=0
)


def native(n_out: int, n_in: int, response: PulseResponse = EXACT_STEPS) -> NativeCrossbar:
    def generators(purpose: str) -> torch.Generator:
        return torch.Generator().manual_seed(sum(map(ord, purpose)))

    device = NativeDevice(conductance=WIDE, update=response)
    return NativeCrossbar(n_out, n_in, device, generators, CPU)


def aihwkit(n_out: int, n_in: int, preset: str = "IdealizedPreset", **fields) -> AihwkitCrossbar:
    return AihwkitCrossbar(n_out, n_in, preset_config(preset, fields), CPU)


def inference(n_out: int, n_in: int) -> AihwkitInferenceCrossbar:
    config = preset_config("InferenceRPUConfig")
    return AihwkitInferenceCrossbar(n_out, n_in, config, CPU, torch.Generator().manual_seed(0))


def drive(chip: NetworkChip) -> None:
    """Two passes of a batch, one backwards through the second layer, one update of either kind."""
    x = torch.randn(BATCH, SIZES[0], generator=torch.Generator().manual_seed(3))
    chip.passes(x, [None, None])
    chip.read_transposed(1, torch.randn(BATCH, SIZES[2]))
    outer = Outer(torch.randn(BATCH, SIZES[0]), torch.randn(BATCH, SIZES[1]), 0.01)
    chip.apply([LayerUpdate(0, weight=outer, bias=torch.zeros(SIZES[1]))])
    chip.apply([LayerUpdate(1, weight=Dense(torch.full((SIZES[2], SIZES[1]), 0.02)))])


def of(chip: NetworkChip, layer: int, part: str = "weights"):
    return next(m for m in chip.ledger.matrices if (m.layer, m.part) == (layer, part))


def test_an_ideal_chip_multiplies():
    chip = make_chip(SIZES)
    drive(chip)
    first, second = of(chip, 1), of(chip, 2)
    assert chip.ledger.passes == 2 * BATCH
    # two passes are computed once, and would be made twice
    assert (first.reads, first.transposed_reads, second.transposed_reads) == (8, 0, 4)
    assert first.multiplications == (2 * BATCH + BATCH) * 30
    assert second.multiplications == (2 * BATCH + BATCH) * 15
    assert (first.words, second.words) == (30 + 5, 15 + 3)
    assert (first.held, first.arrays, first.adc_conversions, first.pulses) == (
        "digital",
        0,
        0,
        None,
    )


def test_backpropagation_reads_back_through_all_layers_but_the_first():
    chip = make_chip(SIZES, decorrelated=True)
    chip.backpropagate(torch.randn(BATCH, 6), lambda output: output.square().sum(1))
    reads = [(m.layer, m.part, m.reads, m.transposed_reads) for m in chip.ledger.matrices]
    assert reads == [
        (1, "weights", 4, 0),
        (1, "decorrelation", 4, 0),
        (2, "weights", 4, 4),
        (2, "decorrelation", 4, 4),
        (2, "mirror", 0, 0),
    ]
    assert chip.ledger.passes == BATCH
    assert chip.ledger.activation_words == 6 + 5 + 5 + 3


def test_a_pass_of_part_of_a_batch_is_charged_that_part():
    chip = make_chip(SIZES, native)
    chip.passes(torch.randn(BATCH, 6), [None, None], samples=[BATCH, 1])
    assert chip.ledger.passes == BATCH + 1
    assert of(chip, 1).adc_conversions == (BATCH + 1) * 5


@pytest.mark.parametrize("crossbar", [native, aihwkit, inference])
def test_an_array_converts_at_its_rows_and_columns(crossbar):
    chip = make_chip(SIZES, crossbar)
    drive(chip)
    first, second = of(chip, 1), of(chip, 2)
    assert (first.held, first.arrays) == ("arrays", 1)
    assert (first.array_rows, second.array_rows) == (6, 5)
    assert (first.dac_conversions, first.adc_conversions) == (8 * 6, 8 * 5)
    # driven from its columns four times
    assert (second.dac_conversions, second.adc_conversions) == (8 * 5 + 4 * 3, 8 * 3 + 4 * 5)
    assert first.programmings == (2 if crossbar is inference else 1)


@pytest.mark.parametrize(
    ("crossbar", "cells"),
    [
        (native, 2),
        (inference, 2),
        (aihwkit, 1),
        (partial(aihwkit, preset="EcRam4Preset"), 4),
        (partial(aihwkit, preset="PCMPreset"), 2),
        (partial(aihwkit, preset="TikiTakaEcRamPreset"), 2),
        (partial(aihwkit, preset="MixedPrecisionPCMPreset"), 2),
    ],
)
def test_a_weight_takes_all_cells_that_stand_for_it(crossbar, cells):
    chip = make_chip(SIZES, crossbar)
    assert of(chip, 1).cells_per_weight == cells


def test_mixed_precision_forms_and_keeps_changes_digitally():
    chip = make_chip(SIZES, partial(aihwkit, preset="MixedPrecisionPCMPreset"))
    outer = Outer(torch.randn(BATCH, 6), torch.randn(BATCH, 5), 0.01)
    chip.apply([LayerUpdate(0, weight=outer)])
    assert of(chip, 1).multiplications == BATCH * 30
    assert of(chip, 1).words == 30 + 5


@pytest.mark.parametrize("preset", ["TTv2EcRamPreset", "AGADEcRamPreset"])
def test_tiles_that_transfer_through_a_buffer_keep_it_digitally(preset):
    assert of(make_chip(SIZES, partial(aihwkit, preset=preset)), 1).words == 30 + 5


def test_every_array_of_a_split_matrix_has_its_own_converters():
    def split(n_out: int, n_in: int) -> TiledCrossbar:
        return TiledCrossbar(n_out, n_in, 2, 4, lambda out, into, _: native(out, into))

    chip = make_chip(SIZES, split)
    drive(chip)
    first, second = of(chip, 1), of(chip, 2)
    # 6 rows by 5 columns on arrays of 4 rows and 2 columns: 2 along the rows, 3 along the columns
    assert (first.arrays, second.arrays) == (6, 4)
    # rows on arrays of 4 and 2, and of 4 and 1
    assert (first.array_rows, second.array_rows) == (4, 4)
    assert (first.dac_conversions, first.adc_conversions) == (8 * 3 * 6, 8 * 2 * 5)
    assert second.dac_conversions == 8 * 2 * 5 + 4 * 2 * 3
    assert first.trains == 6 * BATCH
    assert first.programmings == 1


def test_a_convolution_reads_once_a_position():
    layers = [
        ChipLayer(Conv2d(1, 4, 4, 2, 3), native(2, 9), torch.tanh, torch.zeros(2)),
        ChipLayer(DenseLayer(8, 3), native(3, 8), identity, torch.zeros(3)),
    ]
    chip = NetworkChip(layers, frozenset({Capability.OBSERVE}))
    chip.forward(torch.randn(BATCH, 1, 4, 4))
    first = of(chip, 1)
    assert (first.reads, first.dac_conversions, first.adc_conversions) == (16, 16 * 9, 16 * 2)
    assert of(chip, 2).reads == 4
    # the patches, four of nine, and eight; pre-activations, four of two, and three
    assert chip.ledger.activation_words == 36 + 8 + 8 + 3 + 0


def test_native_pulses_are_those_that_moved_the_cells():
    """Steps of one size in one direction: a cell has moved by its pulses."""
    array = native(5, 6)
    array.program(torch.zeros(5, 6))
    generator = torch.Generator().manual_seed(1)
    x, d = torch.rand(9, 6, generator=generator), -torch.rand(9, 5, generator=generator)
    array.update(Outer(x, d, 0.05))
    array.update(Dense(torch.rand(5, 6, generator=generator) / 20))
    moved = array.state()["weights"].double() / 0.01
    assert array.wear.pulses == pytest.approx(moved.sum().item(), abs=1e-3)
    assert array.wear.worst_cell_pulses == pytest.approx(moved.max().item(), abs=1e-3)
    assert array.wear.trains == 9 + 6
    lengths = (0.05 / 0.01 * x.amax(1) * d.abs().amax(1)).ceil().clamp(max=7).sum()
    assert lengths < array.wear.slots <= lengths + 6 * 5


def test_native_pulses_have_the_mean_of_their_trains():
    array = native(5, 6, EXACT_STEPS.model_copy(update={"pulses": 31}))
    array.program(torch.zeros(5, 6))
    generator = torch.Generator().manual_seed(2)
    x, d = torch.randn(4000, 6, generator=generator), torch.randn(4000, 5, generator=generator)
    array.update(Outer(x, d, 0.002))
    mean = (0.002 / 0.01 * (d.abs().T @ x.abs())).sum().item()
    # each pulse comes with a variance below its mean; 5 standard deviations: one in 2 million
    assert abs(array.wear.pulses - mean) < 5 * mean**0.5


@pytest.mark.parametrize(
    "update", [{}, {"update_management": False}, {"desired_bl": 5}, {"update_bl_management": False}]
)
@pytest.mark.parametrize("rate", [0.003, 0.02, 0.2])
def test_pulses_computed_for_aihwkit_are_those_that_moved_its_cells(update, rate):
    """aihwkit does not tell its pulses; steps of one size in one direction show them."""
    steps = dict.fromkeys(("dw_min_dtod", "dw_min_std", "up_down_dtod", "w_max_dtod"), 0.0)
    device = {"class": "ConstantStepDevice", "dw_min": 0.001, "w_max": 1e4, "w_min": -1e4}
    tile = aihwkit(
        5, 6, "SingleRPUConfig", device=device | steps | {"w_min_dtod": 0.0}, update=update
    )
    tile.program(torch.zeros(5, 6))
    generator = torch.Generator().manual_seed(4)
    samples = 3000
    x, d = torch.rand(samples, 6, generator=generator), -torch.rand(samples, 5, generator=generator)
    with pytest.warns(UserWarning, match="cut short") if rate > 0.1 else _nothing():
        tile.update(Outer(x, d, rate))
    moved = tile.state()["weights"].double().sum().item() / 0.001
    wear = tile.wear
    assert wear.computed
    assert wear.trains == samples
    assert wear.slots <= samples * update.get("desired_bl", 31)
    # a cell's pulses in a train vary by less than their mean, and all cells of one together by at
    # most 30 times that, since they share it; 5 standard deviations: one in 2 million
    assert abs(wear.pulses - moved) < 5 * (30 * moved) ** 0.5


def _nothing():
    from contextlib import nullcontext

    return nullcontext()


def test_pulses_of_a_dense_change_are_its_steps():
    tile = aihwkit(5, 6)
    tile.program(torch.zeros(5, 6))
    delta = torch.rand(5, 6, generator=torch.Generator().manual_seed(5)) / 20
    tile.update(Dense(delta))
    assert tile.wear.pulses == pytest.approx(delta.sum().item() / 0.0002, rel=1e-4)
    assert tile.wear.worst_cell_pulses == pytest.approx(delta.max().item() / 0.0002, rel=1e-4)
    repeats = (delta.amax(0) / (31 * 0.0002)).ceil().sum().item()
    assert tile.wear.trains == repeats


def test_all_outer_products_are_charged_though_one_in_ten_is_looked_at():
    tile = aihwkit(5, 6)
    request = Outer(torch.ones(2, 6), torch.ones(2, 5), 0.0002 * 3)
    for _ in range(25):
        tile.update(request)
    # three steps of every cell by each of 50 samples
    assert tile.wear.pulses == pytest.approx(25 * 2 * 3 * 30, rel=1e-4)
    assert tile.wear.worst_cell_pulses == pytest.approx(25 * 2 * 3, rel=1e-4)
    assert (tile.wear.trains, tile.wear.slots) == pytest.approx((50, 150))


@pytest.mark.parametrize("preset", ["TikiTakaEcRamPreset", "MixedPrecisionEcRamPreset"])
def test_tiles_that_pulse_by_themselves_say_that_their_pulses_are_unknown(preset):
    chip = make_chip(SIZES, partial(aihwkit, preset=preset))
    drive(chip)
    first = of(chip, 1)
    assert (first.reads, first.programmings) == (8, 1)
    assert (first.pulses, first.trains, first.pulses_are) == (None, None, None)


def test_the_mirror_and_digital_r_are_charged():
    chip = make_chip(SIZES, native, decorrelated=True)
    chip.passes(torch.randn(BATCH, 6), [None, None])
    chip.read_decorrelation_transposed(0, torch.randn(BATCH, 6))
    chip.read_mirror(1, torch.randn(BATCH, 5))
    chip.read_mirror_transposed(1, torch.randn(BATCH, 3))
    mirror = Outer(torch.randn(BATCH, 5), torch.randn(BATCH, 3), 0.01)
    chip.apply(
        [
            LayerUpdate(0, decorrelation=DecorrelationUpdate(torch.randn(BATCH, 6), 0.01)),
            LayerUpdate(1, mirror=mirror),
        ]
    )
    r, b = of(chip, 1, "decorrelation"), of(chip, 2, "mirror")
    # Rᵀx*, its outer product with x*, and 1 + rate Σ x*² on every row
    assert r.multiplications == (8 + 4) * 36 + 2 * 4 * 36 + 4 * 6 + 36
    assert b.multiplications == (4 + 4 + 4) * 15
    assert (r.words, b.words) == (36, 15)


def test_r_on_an_array_is_charged_what_reading_it_back_takes():
    layer = ChipLayer(
        DenseLayer(6, 3),
        native(3, 6),
        identity,
        torch.zeros(3),
        CrossbarDecorrelation(native(6, 6), 6, CPU),
    )
    chip = NetworkChip([layer], frozenset({Capability.OBSERVE}))
    chip.forward(torch.randn(BATCH, 6))
    r = of(chip, 1, "decorrelation")
    assert r.reads == 16 * 6 + BATCH
    assert r.programmings == 2
    # what is read back goes through no gain
    assert r.multiplications == BATCH * 6
    layer.decorrelation.reads_back += 16 * 6
    assert of(chip, 1, "decorrelation").multiplications == BATCH * 6 + 6 * 6


def test_a_read_out_converter_converts_what_is_observed():
    layer = ChipLayer(
        DenseLayer(6, 3),
        native(3, 6),
        identity,
        torch.zeros(3),
        DigitalDecorrelation(6, CPU),
        readout=NoisyConverter(Converter(bits=6), None),
    )
    chip = NetworkChip([layer, layer_of(3, 2)], frozenset({Capability.OBSERVE}))
    chip.passes(torch.randn(BATCH, 6), [None, None])
    assert chip.ledger.readout_conversions == 2 * BATCH * 3
    chip.passes(torch.randn(BATCH, 6), [None, None], read_pre_activations=[0])
    assert chip.ledger.readout_conversions == 3 * BATCH * 3


def layer_of(n_in: int, n_out: int) -> ChipLayer:
    return ChipLayer(DenseLayer(n_in, n_out), native(n_out, n_in), identity, torch.zeros(n_out))


def test_what_leaves_no_trace_is_charged_to_nobody():
    chip = make_chip(SIZES, native)
    drive(chip)
    before = chip.ledger
    with chip.without_trace():
        chip.forward(torch.randn(BATCH, 6))
        assert chip.ledger.passes == before.passes + BATCH
    assert chip.ledger == before


@pytest.mark.parametrize(
    "crossbar", [native, aihwkit, inference, lambda out, into: IdealCrossbar(out, into, CPU)]
)
def test_a_restored_chip_goes_on_counting_from_where_it_stood(crossbar):
    chip, other = make_chip(SIZES, crossbar), make_chip(SIZES, crossbar)
    drive(chip)
    other.restore(chip.state())
    assert other.ledger == chip.ledger
    other.forward(torch.randn(BATCH, 6))
    assert other.ledger.passes == chip.ledger.passes + BATCH


@pytest.mark.parametrize(
    "request_",
    [Dense(torch.full((1, 1), 0.01)), Outer(torch.ones(1, 1), -torch.ones(1, 1), 0.01)],
)
def test_pulses_are_counted_on_beyond_what_single_precision_counts(request_):
    array = native(1, 1)
    array.restore(array.state() | {"pulses": torch.full((1, 1), 2.0**24, dtype=torch.float64)})
    array.update(request_)
    assert array.wear.pulses == 2**24 + 1


def test_counts_are_carried_over_before_single_precision_ends(monkeypatch):
    monkeypatch.setattr(pulse_count, "_LARGEST", 20)
    array = native(1, 1)
    for number in range(1, 9):
        array.update(Outer(torch.ones(1, 1), torch.ones(1, 1), 0.01))
        assert array.wear.pulses == number
        assert array._count.recent.max() <= 20
