import json

import torch

from devices.crossbars.aihwkit import AihwkitCrossbar
from devices.crossbars.aihwkit_config import preset_config
from devices.interface import Outer
from substrate.bench import devices
from substrate.bench.devices import bench_devices, show_device_bench

CPU = torch.device("cpu")


def test_all_crossbars_are_timed_next_to_the_product_of_the_same_rounds(capsys, monkeypatch):
    monkeypatch.setattr(devices, "_SMALL_REPEATS", {"forward": 1, "update": 1})
    bench = bench_devices(size=32, batch=20, repeats=1, update_repeats=1)
    product = bench.forward[0]
    for each in bench.forward:
        assert each.seconds > 0
        assert each.times_product == each.seconds / product.seconds
    assert len(bench.forward) == 6
    assert bench.update_ratio == bench.update[2].seconds / bench.update[1].seconds
    for each in bench.adapter:
        assert each.added == each.crossbar_seconds / each.tile_seconds - 1
    show_device_bench(bench, as_json=True)
    assert json.loads(capsys.readouterr().out)["size"] == 32
    show_device_bench(bench, as_json=False)
    shown = capsys.readouterr().out
    assert all(each.crossbar in shown for each in bench.forward)


def test_the_adapter_copies_nothing_that_is_laid_out_as_the_tile_wants_it():
    """What it adds to a tile's own time is bookkeeping: the tile gets the caller's own memory."""
    crossbar = AihwkitCrossbar(6, 5, preset_config("IdealizedPreset"), CPU)
    tile, seen = crossbar._tile, []

    class Spy:
        def __getattr__(self, name):
            return getattr(tile, name)

        def joint_forward(self, x, is_test):
            seen.append(x)
            return tile.joint_forward(x, is_test=is_test)

        def update(self, x, d):
            seen.extend([x, d])
            tile.update(x, d)

    crossbar._tile = Spy()
    images, x, d = torch.randn(4, 3, 5), torch.randn(4, 5), torch.randn(4, 6)
    crossbar.read(images)
    crossbar.update(Outer(x, d, 0.1))
    assert [each.data_ptr() for each in seen] == [each.data_ptr() for each in (images, x, d)]
