"""The layouts that labs have: all give the same curves."""

from pathlib import Path

import numpy as np
import pandas
import pytest

from devices.measurement_columns import MeasurementError
from substrate.fit.device.data import Measured, read_devices
from substrate.fit.device.layout import Asked

UP, DOWN = 4, 3
MICROSIEMENS = {
    "A": np.array([1, 2, 3, 4, 3.5, 2.5, 1.5]),
    "B": np.array([2, 3, 4, 5, 4.5, 3.5, 2.5]),
}
SIGNS = [0, 1, 1, 1, -1, -1, -1]
DIRECTIONS = ["up"] * UP + ["down"] * DOWN


def long_table(folder: Path) -> list[Path]:
    rows = [
        {"Device": name, "pulse": k + 1, "direction": DIRECTIONS[k], "G (uS)": g}
        for name, curve in MICROSIEMENS.items()
        for k, g in enumerate(curve)
    ]
    pandas.DataFrame(rows).to_csv(folder / "long.csv", index=False)
    return [folder / "long.csv"]


def column_a_device(folder: Path) -> list[Path]:
    table = pandas.DataFrame({f"{k} (uS)": v for k, v in MICROSIEMENS.items()})
    table.to_csv(folder / "wide.csv", sep=";", decimal=",", index=False)
    return [folder / "wide.csv"]


def file_a_device(folder: Path) -> list[Path]:
    paths = []
    for name, curve in MICROSIEMENS.items():
        frame = pandas.DataFrame({"V_pulse (V)": np.repeat([1.0, -1.2], [UP, DOWN])})
        frame["I (nA)"] = curve * 1e3 * 0.1
        frame.to_csv(folder / f"{name}.txt", sep="\t", index=False)
        paths.append(folder / f"{name}.txt")
    return paths


def resistances_in_parquet(folder: Path) -> list[Path]:
    frame = pandas.DataFrame(
        {
            "cell": np.repeat(list(MICROSIEMENS), UP + DOWN),
            "polarity": DIRECTIONS * 2,
            "R (kOhm)": 1e3 / np.concatenate(list(MICROSIEMENS.values())),
        }
    )
    frame.to_parquet(folder / "r.parquet")
    return [folder / "r.parquet"]


LAYOUTS = {
    long_table: Asked(),
    column_a_device: Asked(up=UP, down=DOWN),
    file_a_device: Asked(read_voltage=0.1),
    resistances_in_parquet: Asked(),
}


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda each: each.__name__)
def test_all_layouts_give_the_same_curves(tmp_path, layout):
    found = read_devices(layout(tmp_path), LAYOUTS[layout])
    assert found.siemens
    assert [each.device for each in found.responses] == list(MICROSIEMENS)
    for each in found.responses:
        np.testing.assert_allclose(each.readings, MICROSIEMENS[each.device] * 1e-6)
        assert each.pulses.tolist() == SIGNS


def test_numbers_of_pulses_say_how_many_lie_between_readings(tmp_path):
    path = tmp_path / "cells.csv"
    path.write_text("n,direction,G (uS)\n10,up,1\n20,up,2\n40,up,3\n10,down,2\n20,down,1\n")
    (response,) = read_devices([path], Asked()).responses
    assert response.pulses.tolist() == [0, 10, 20, -10, -10]


def test_names_of_files_say_the_direction(tmp_path):
    for name in ("potentiation", "depression"):
        (tmp_path / f"{name}.csv").write_text("G (uS)\n1\n2\n3\n")
    found = read_devices([tmp_path / "depression.csv"], Asked())
    assert found.responses[0].pulses.tolist() == [0, -1, -1]


def kinds(found: Measured) -> list[int]:
    return [len(found.responses), len(found.retention), len(found.reads), len(found.sweeps)]


def test_other_curves_are_known_by_their_columns(tmp_path):
    files = {
        "retention.csv": "time (h),C1 (uS),C2 (uS)\n1,5,6\n2,4,5\n3,3,4\n",
        "reads.csv": "cycle,read,G (uS)\n1,1,5\n1,2,5.1\n2,1,7\n2,2,7.1\n",
        "sweep.csv": "V (V),I (uA)\n-1,-5\n0,0\n1,5\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    found = read_devices([tmp_path / name for name in files], Asked())
    assert kinds(found) == [0, 2, 2, 1]
    np.testing.assert_allclose(found.retention[0].places, [3600, 7200, 10800])
    np.testing.assert_allclose(found.sweeps[0].readings, [-5e-6, 0, 5e-6])


def test_a_table_of_nothing_known_is_refused(tmp_path):
    (tmp_path / "cells.csv").write_text("time (s),pulse,direction\n1,1,up\n2,2,up\n")
    with pytest.raises(MeasurementError, match="none of its columns"):
        read_devices([tmp_path / "cells.csv"], Asked())


def test_columns_of_branches_need_both_directions(tmp_path):
    path = tmp_path / "cells.csv"
    path.write_text("D1 pot,D1 dep,D2 pot,D2 dep\n" + "1,4,5,8\n2,3,6,7\n" * 3)
    measured = read_devices([path], Asked())
    assert [each.device for each in measured.responses] == ["D1", "D1", "D2", "D2"]
    assert [int(np.sign(each.pulses[1])) for each in measured.responses] == [1, -1, 1, -1]
    path.write_text("D1 pot,D2 pot\n1,5\n2,6\n")
    with pytest.raises(MeasurementError, match="type --up"):
        read_devices([path], Asked())


def test_conductances_below_0_are_an_offset_and_no_weights(tmp_path):
    path, other = tmp_path / "pulses.csv", tmp_path / "reads.csv"
    path.write_text("pulse,direction,G (uS)\n" + "1,up,-0.5\n2,up,3\n3,up,5\n4,up,6\n" * 2)
    with pytest.raises(MeasurementError, match=r"2 of 8 readings of pulses are below 0 S.* row 1"):
        read_devices([path], Asked())
    found = read_devices([path], Asked(missing="drop"))
    assert found.siemens
    assert min(each.readings.min() for each in found.responses) == pytest.approx(3e-6)
    other.write_text("read,value\n1,-0.2\n2,-0.1\n3,-0.15\n")
    assert not read_devices([other], Asked()).siemens
    with pytest.raises(MeasurementError, match=r"pulses.csv is in siemens and other readings"):
        read_devices([path, other], Asked(missing="drop"))


def test_files_of_one_name_are_not_one_device(tmp_path):
    paths = [tmp_path / die / "pulses.csv" for die in ("die1", "die2")]
    for path in paths:
        path.parent.mkdir()
        path.write_text("pulse,direction,G (uS)\n1,up,1\n2,up,3\n3,up,5\n4,up,6\n")
    with pytest.raises(MeasurementError, match="rename one"):
        read_devices(paths, Asked())


def test_retention_at_several_levels_is_a_curve_a_cycle(tmp_path):
    path = tmp_path / "retention.csv"
    levels = "".join(
        f"{cycle},{t},{cycle * t**-0.05}\n" for cycle in (1, 5, 9) for t in (1, 10, 99)
    )
    path.write_text(f"cycle,time (s),G (uS)\n{levels}")
    found = read_devices([path], Asked())
    assert [len(each.readings) for each in found.retention] == [3, 3, 3]


def test_every_column_of_resistances_or_currents_is_a_cell(tmp_path):
    path = tmp_path / "cells.csv"
    path.write_text("pulse,direction,R1 (kOhm),R2 (kOhm)\n1,up,100,50\n2,up,80,40\n3,up,50,25\n")
    found = read_devices([path], Asked())
    assert [each.device for each in found.responses] == ["R1", "R2"]
    np.testing.assert_allclose(found.responses[1].readings, [2e-5, 2.5e-5, 4e-5])
    path.write_text("pulse,direction,Ids (uA)\n1,up,1\n2,up,2\n3,up,3\n")
    with pytest.raises(MeasurementError, match="type --read-voltage"):
        read_devices([path], Asked())
    (one,) = read_devices([path], Asked(read_voltage=0.1)).responses
    np.testing.assert_allclose(one.readings, [1e-5, 2e-5, 3e-5])
    path.write_text("pulse,direction,gate (V)\n1,up,1\n2,up,2\n3,up,3\n")
    with pytest.raises(MeasurementError, match="in volts"):
        read_devices([path], Asked())
