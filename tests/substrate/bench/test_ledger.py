"""What counting adds to a step is measured by steps that do not count."""

import json

from devices.chip import NetworkChip
from devices.crossbars.native.crossbar import NativeCrossbar
from substrate.bench import ledger
from substrate.bench.workload import make_step, random_batch


def test_steps_without_counting_leave_the_ledger_as_it_is(monkeypatch):
    chips = []
    program = NetworkChip.program
    monkeypatch.setattr(
        NetworkChip, "program", lambda chip, weights: (chips.append(chip), program(chip, weights))
    )
    x, y = random_batch((8, 4), 5)
    step = make_step((8, 4), x, y, ledger._LEARNING, ledger._CHIP)
    (chip,) = chips
    step()
    counted = chip.ledger
    with ledger._uncounted():
        step()
    assert chip.ledger == counted
    step()
    assert chip.ledger.passes == 2 * counted.passes
    assert isinstance(chip.arrays[0], NativeCrossbar)
    assert chip.arrays[0].wear.pulses > 0
    assert chip.arrays[0].wear.trains == 2 * 5


def test_it_tells_a_median_within_its_interval(monkeypatch, capsys):
    monkeypatch.setattr(ledger, "SIZES", {(8, 4): 5})
    found = ledger.bench_ledger(0.1)
    assert found[0].low <= found[0].added <= found[0].high
    assert found[0].pairs >= ledger._LEAST_PAIRS
    assert found[0].seconds > 0
    ledger.show_ledger(found, as_json=True)
    assert json.loads(capsys.readouterr().out)[0]["layers"] == "8-4"
