import json

import pytest

from substrate.bench.scaling import SWEEPS, Setting, bench_scaling, fit_exponent
from substrate.bench.show import show_scaling_bench


def test_an_exact_power_is_found():
    assert fit_exponent([1, 2, 4, 8], [3 * size**1.7 for size in (1, 2, 4, 8)]) == pytest.approx(
        1.7
    )


def test_the_operations_grow_as_the_sweeps_say():
    # from the docstring's table: layers are w × w, and the last one is w × 10
    tiny = {
        over: tuple(setting._replace(batch=2) if over != "batch" else setting for setting in sweep)
        for over, sweep in {
            "depth": tuple(Setting(width=8, depth=depth) for depth in (1, 2, 4, 8)),
            "batch": tuple(Setting(width=8, batch=batch) for batch in (4, 8, 16, 32)),
        }.items()
    }
    depth, batch = bench_scaling(tiny)
    assert 0.8 < batch.operations_exponent < 1
    assert 0.8 < depth.operations_exponent < 1.2
    assert depth.values == (1, 2, 4, 8)
    assert depth.fitted_from == 4


def test_each_sweep_changes_what_it_says_and_nothing_else():
    for over, settings in SWEEPS.items():
        varied = {
            field
            for field in Setting._fields
            if len({getattr(setting, field) for setting in settings}) > 1
        }
        assert varied == {over}
        values = [getattr(setting, over) for setting in settings]
        assert values == sorted(values)


def test_figures_and_plot_are_written(tmp_path, capsys):
    sweeps = bench_scaling({"batch": tuple(Setting(8, 1, batch) for batch in (2, 4, 8, 16))})
    show_scaling_bench(sweeps, tmp_path / "new", as_json=True)
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "new" / "scaling.json").read_text())
    assert printed[0]["over"] == "batch"
    assert (tmp_path / "new" / "scaling.png").read_bytes().startswith(b"\x89PNG")


def test_figures_of_an_earlier_sweep_are_not_written_over(tmp_path, substrate_here):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "scaling.json").write_text("[]")
    run = substrate_here("bench", "scaling", "--out", "out")
    assert run.returncode == 2
    assert "--out out: is not an empty folder" in " ".join(run.stderr.split())
    assert (tmp_path / "out" / "scaling.json").read_text() == "[]"
