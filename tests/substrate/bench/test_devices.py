import json

import pytest
import torch

from devices.crossbars.aihwkit import AihwkitCrossbar
from devices.crossbars.aihwkit_config import preset_config
from devices.interface import Outer
from substrate.bench import devices
from substrate.bench.devices import bench_devices, show_device_bench

CPU = torch.device("cpu")


def test_all_crossbars_are_timed_next_to_the_product_of_the_same_rounds(capsys, monkeypatch):
    monkeypatch.setattr(devices, "_SMALL_REPEATS", {"forward": 1, "update": 1})
    bench = bench_devices(1, sizes=((32, 20), (16, 8)))
    assert [(each.size, each.batch) for each in bench.sizes] == [(32, 20), (16, 8)]
    for size in bench.sizes:
        assert len(size.forward) == 7
        assert size.read_ratio == size.forward[4].seconds / size.forward[2].seconds
        assert len(size.update) == 3
        for timings in (size.forward, *(update.timings for update in size.update)):
            for each in timings:
                assert each.seconds > 0
                assert each.times_product == each.seconds / timings[0].seconds
        for update, part in zip(size.update, (1, 0.1, 0.01), strict=True):
            assert update.ratio == update.timings[2].seconds / update.timings[1].seconds
            assert update.pulses == pytest.approx(size.update[0].pulses * part)
    for each in bench.adapter:
        assert each.added == each.crossbar_seconds / each.tile_seconds - 1
    show_device_bench(bench, as_json=True)
    assert json.loads(capsys.readouterr().out)["sizes"][1]["size"] == 16
    show_device_bench(bench, as_json=False)
    shown = capsys.readouterr().out
    assert all(each.crossbar in shown for size in bench.sizes for each in size.forward)


def test_the_adapter_copies_nothing_that_is_laid_out_as_the_tile_wants_it():
    """What it adds to a tile's own time is bookkeeping: the tile gets the caller's own memory."""
    crossbar = AihwkitCrossbar(6, 5, preset_config("IdealizedPreset"), CPU)
    tile, seen = crossbar._tile, []
    cells = tile.tile

    class Cells:
        def __getattr__(self, name):
            return getattr(cells, name)

        def update(self, x, d, *lines):
            seen.extend([x, d])
            cells.update(x, d, *lines)

    class Spy:
        tile = Cells()

        def __getattr__(self, name):
            return getattr(tile, name)

        def joint_forward(self, x, is_test):
            seen.append(x)
            return tile.joint_forward(x, is_test=is_test)

    crossbar._tile = Spy()
    images, x, d = torch.randn(4, 3, 5), torch.randn(4, 5), torch.randn(4, 6)
    crossbar.read(images)
    crossbar.update(Outer(x, d, 0.1))
    assert [each.data_ptr() for each in seen] == [each.data_ptr() for each in (images, x, d)]
