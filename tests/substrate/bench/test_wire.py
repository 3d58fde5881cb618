"""What a wire costs is measured on real processes."""

from __future__ import annotations

import json

import pytest

from substrate.bench import wire
from substrate.bench.wire import Isolated, bench_rates, show_wire


def test_passes_over_the_wire_are_timed(monkeypatch, capsys):
    monkeypatch.setattr(wire, "BATCH", 20)
    still, ideal = bench_rates(3)
    for rate in (still, ideal):
        # two passes: inputs and pre-activations of 1024, 1024 and 10 units, in single precision
        assert rate.megabytes * 1e6 > 2 * 20 * (2 * 1024 + 10) * 4
        assert rate.rate > 0
        assert 0 < rate.of_floor < 1
    show_wire([Isolated("one job", [10.0, 10.0], [11.0, 13.0])], [still, ideal], as_json=False)
    assert "10 to 30 % longer, 20 % all together" in capsys.readouterr().out
    show_wire([Isolated("one job", [10.0], [12.0])], [still], as_json=True)
    assert json.loads(capsys.readouterr().out)["isolated"][0]["longer"] == pytest.approx(0.2)
