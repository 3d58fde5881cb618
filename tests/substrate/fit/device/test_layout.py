"""Which columns of a lab's file are what: names that labs give them, and what is not taken."""

from pathlib import Path

import pytest

from devices.measurement_columns import MeasurementError
from substrate.fit.device.data import Measured, read_devices
from substrate.fit.device.fit import fit_device
from substrate.fit.device.layout import Asked


def read(folder: Path, text: str, name: str = "cells.csv", **asked: float) -> Measured:
    (folder / name).write_text(text)
    return read_devices([folder / name], Asked(**asked))


@pytest.mark.parametrize(
    "name",
    ["Pulse No.", "Pulse #", "Number of pulses", "# pulses", "Pulses applied", "Anzahl der Pulse"],
)
def test_numbers_of_pulses_have_many_names(tmp_path, name):
    text = f"direction,{name},G (uS)\nup,10,1\nup,20,2\nup,30,3\n"
    (response,) = read(tmp_path, text).responses
    assert response.pulses.tolist() == [0, 10, 10]


def test_a_column_of_pulses_that_is_not_understood_is_refused_and_others_are_named(tmp_path):
    text = "direction,{},G (uS)\nup,10,1\nup,20,2\n"
    with pytest.raises(MeasurementError, match="column Pulse energy is of pulses, and not und"):
        read(tmp_path, text.format("Pulse energy"))
    assert "not used: humidity" in read(tmp_path, text.format("humidity")).notes[0]


@pytest.mark.parametrize("what", ["read", "time (s)"])
def test_a_new_series_begins_where_reads_or_times_go_back(tmp_path, what):
    found = read(tmp_path, f"state,{what},G (uS)\n0,1,5\n0,2,5.1\n1,1,9\n1,2,9.1\n")
    assert [each.places.tolist() for each in found.reads + found.retention] == [[1, 2], [1, 2]]


def test_series_that_lie_between_each_other_are_refused(tmp_path):
    with pytest.raises(MeasurementError, match="read stands still from row 1"):
        read(tmp_path, "read,state,G (uS)\n1,0,5\n1,1,9\n2,0,5.1\n2,1,9.1\n")


def test_reads_at_even_times_are_repeated_reads_and_at_growing_ones_retention(tmp_path):
    text = "cycle,read,time (s),G (uS)\n" + "".join(f"1,{n},{{}},5.{n}\n" for n in range(6))
    even = read(tmp_path, text.format(*range(6)))
    assert [len(each.readings) for each in even.reads] == [6]
    growing = read(tmp_path, text.format(*(10**n for n in range(6))))
    assert [len(each.readings) for each in growing.retention] == [6]


def test_a_log_of_pulses_with_times_is_a_response(tmp_path):
    found = read(tmp_path, "time (s),V_pulse (V),G (uS)\n0,1,5\n1,1,6\n2,-1,5\n3,-1,4\n")
    assert [each.pulses.tolist() for each in found.responses] == [[0, 1, -1, -1]]


def test_few_voltages_beside_a_current_are_no_sweep(tmp_path):
    text = "time (s),V (V),I (uA)\n0,1,5\n1,1,6\n2,-1,5\n"
    with pytest.raises(MeasurementError, match="has 2 different values, too few for"):
        read(tmp_path, text, read_voltage=0.1)


def test_a_read_voltage_beside_nothing_but_sweeps_is_of_no_use(tmp_path):
    text = "V (V),I (uA)\n-1,-5\n0,0\n1,5\n2,10\n"
    with pytest.raises(MeasurementError, match=r"--read-voltage 0\.1 is of no use"):
        read(tmp_path, text, read_voltage=0.1)


@pytest.mark.parametrize("names", [("row", "col"), ("die", "device"), ("X", "Y"), ("WL", "BL")])
def test_all_columns_that_tell_cells_apart_do(tmp_path, names):
    one, other = names
    text = f"{one},{other},cycle,direction,G (uS)\n"
    cells = [(a, b) for a in range(2) for b in range(2)]
    text += "".join(f"{a},{b},{c},up,{g}\n" for a, b in cells for c in (1, 2) for g in (1, 2))
    found = read(tmp_path, text).responses
    assert len(found) == 8
    assert len({each.device for each in found}) == 4


def test_a_cycle_that_comes_back_is_of_another_cell(tmp_path):
    text = "".join(f"{s},{c},up,{g}\n" for s in (1, 2) for c in (1, 2) for g in (1, 2))
    with pytest.raises(MeasurementError, match="cycle 1 of device cells comes back"):
        read(tmp_path, "site,cycle,direction,G (uS)\n" + text)
    assert read(tmp_path, "V_pulse (V),cycle,direction,G (uS)\n" + text).responses


@pytest.mark.parametrize(
    ("names", "devices"),
    [
        (["potentiation", "depression"], ["cell", "cell"]),
        (["chip1_pot", "chip1_dep", "chip2_pot"], ["chip1", "chip1", "chip2"]),
    ],
)
def test_files_of_a_branch_each_are_of_one_device(tmp_path, names, devices):
    paths = [tmp_path / f"{name}.csv" for name in names]
    for path in paths:
        path.write_text("pulse,G (uS)\n1,1\n2,2\n")
    found = read_devices(paths, Asked()).responses
    assert [each.device for each in found] == devices


def test_pulses_in_one_direction_only_are_asked_to_be_completed(tmp_path):
    rows = "".join(f"{n},{5 + n**0.5:.4f}\n" for n in range(40))
    measured = read(tmp_path, "pulse,G (uS)\n" + rows, "chip1_pot.csv")
    with pytest.raises(ValueError, match=r"one direction only.* chip1_down\.csv"):
        fit_device(measured)


@pytest.mark.parametrize("header", ["", ",A (uS),B (uS)\n"])
@pytest.mark.parametrize("third", [0, 2])
def test_a_first_column_of_no_name_that_numbers_rows_is_no_cell(tmp_path, header, third):
    rows = f"0,1e-5,2e-5\n1,2e-5,3e-5\n{third},1e-5,2e-5\n"
    found = read(tmp_path, header + rows, up=2, down=1)
    assert len(found.responses) == 2
    assert "rows counted by column 1" in found.notes[0]


def test_a_voltage_beside_a_column_of_amperes_a_device_is_a_sweep_of_each(tmp_path):
    found = read(tmp_path, "V (V),D1 (uA),D2 (nA)\n" + "".join(f"{v},{v},{v}\n" for v in range(5)))
    assert [each.device for each in found.sweeps] == ["D1", "D2"]
    assert found.sweeps[1].readings.tolist() == pytest.approx([0, 1e-9, 2e-9, 3e-9, 4e-9])
    assert "not used" not in found.notes[0]
