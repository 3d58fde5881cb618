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
        "sweep.csv": "V (V),I (uA)\n-1,-5\n0,0\n1,5\n2,10\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    found = read_devices([tmp_path / name for name in files], Asked())
    assert kinds(found) == [0, 2, 2, 1]
    np.testing.assert_allclose(found.retention[0].places, [3600, 7200, 10800])
    np.testing.assert_allclose(found.sweeps[0].readings, [-5e-6, 0, 5e-6, 1e-5])


def test_a_table_of_nothing_known_is_refused(tmp_path):
    (tmp_path / "cells.csv").write_text("time (s),pulse,direction\n1,1,up\n2,2,up\n")
    with pytest.raises(MeasurementError, match="none of its columns"):
        read_devices([tmp_path / "cells.csv"], Asked())


def test_columns_of_branches_need_both_directions(tmp_path):
    path = tmp_path / "cells.csv"
    path.write_text("D1 pot,D1 dep,D2 pot,D2 dep\n" + "1,4,5,8\n2,3,6,7\n" * 3)
    measured = read_devices([path], Asked(unit="uS"))
    assert [each.device for each in measured.responses] == ["D1", "D1", "D2", "D2"]
    assert [int(np.sign(each.pulses[1])) for each in measured.responses] == [1, -1, 1, -1]
    path.write_text("D1 pot,D2 pot\n1,5\n2,6\n")
    with pytest.raises(MeasurementError, match="type --up"):
        read_devices([path], Asked(unit="uS"))


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
    with pytest.raises(MeasurementError, match=r"pulses.csv is in siemens and reads.csv"):
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
    with pytest.raises(MeasurementError, match=r"gate \(V\) is in V"):
        read_devices([path], Asked())


ENGLISH = "device,cycle,pulse,direction,G (uS)"
GERMAN = {
    "Zelle,Zyklus,Puls,Richtung,Leitwert (µS)": ("auf", "ab"),
    "ZELLE NR;Durchlauf;Pulsnummer;Polarität;Leitwert in µS": ("hoch", "runter"),
    "Bauteil\tZyklus\tPulse\trichtung\tleitwert_uS": ("Potenzierung", "Depression"),
}


@pytest.mark.parametrize("header", GERMAN)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1"])
def test_german_headers_are_read_as_english_ones(tmp_path, header, encoding):
    rows = [
        (cell, cycle, k + 1, SIGNS[k] or 1, g)
        for cell, curve in MICROSIEMENS.items()
        for cycle in (1, 2)
        for k, g in enumerate(curve)
    ]
    separator = next(each for each in "\t;," if each in header)
    up, down = GERMAN[header]

    def text(first: str, words: tuple[str, str], mark: str, separator: str) -> str:
        lines = [
            separator.join((cell, str(cycle), str(k), words[sign < 0], str(g).replace(".", mark)))
            for cell, cycle, k, sign, g in rows
        ]
        return "\n".join([first, *lines]) + "\n"

    paths = tmp_path / "english.csv", tmp_path / "deutsch.csv"
    paths[0].write_text(text(ENGLISH, ("up", "down"), ".", ","))
    mark = "." if separator == "," else ","
    paths[1].write_bytes(text(header, (up, down), mark, separator).encode(encoding))
    english, german = (read_devices([path], Asked()) for path in paths)
    assert len(german.responses) == 4
    for ours, theirs in zip(german.responses, english.responses, strict=True):
        assert ours.device == theirs.device
        assert ours.pulses.tolist() == theirs.pulses.tolist()
        np.testing.assert_allclose(ours.readings, theirs.readings)


def test_german_curves_of_other_kinds(tmp_path):
    files = {
        "halten.csv": "Zeit (h);Zelle;Widerstand (kOhm)\n1;A;5\n2;A;6,5\n3;A;7\n",
        "lesen.csv": "Zyklus;Lesung;Strom_nA\n1;1;5\n1;2;5,1\n2;1;7\n2;2;7,1\n",
        "kennlinie.csv": "Spannung in mV;Strom in uA\n-1;-5\n0;0\n1;5\n2;10\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    found = read_devices([tmp_path / name for name in files], Asked(read_voltage=0.1))
    assert kinds(found) == [0, 1, 2, 1]
    np.testing.assert_allclose(found.retention[0].places, [3600, 7200, 10800])
    np.testing.assert_allclose(found.retention[0].readings, [2e-4, 1 / 6500, 1 / 7000])
    np.testing.assert_allclose(found.reads[0].readings, [5e-8, 5.1e-8])
    np.testing.assert_allclose(found.sweeps[0].places, [-1e-3, 0, 1e-3, 2e-3])


def one_curve(folder: Path, header: str, values: str = "1 2 3 4") -> Path:
    path = folder / "cells.csv"
    rows = [f"{k},up,{value}\n" for k, value in enumerate(values.split(), 1)]
    path.write_text(f"pulse,direction,{header}\n{''.join(rows)}")
    return path


@pytest.mark.parametrize(
    ("header", "factor"),
    [
        ("Conductance in uS", 1e-6),
        ("G_uS", 1e-6),
        ("G uS", 1e-6),
        ("conductance [mS]", 1e-3),
        ("G_S", 1.0),
        ("Cell (uS)", 1e-6),
    ],
)
def test_units_stand_behind_names_in_many_ways(tmp_path, header, factor):
    found = read_devices([one_curve(tmp_path, header)], Asked())
    assert found.siemens
    np.testing.assert_allclose(found.responses[0].readings, np.arange(1, 5) * factor)


@pytest.mark.parametrize(
    ("header", "values", "asked", "message"),
    [
        ("G", "1 2 3 4", Asked(), r"column G says no unit.* 4 S.*--unit uS"),
        ("Leitwert", "0.5 1 0.9 0.8", Asked(), r"Leitwert says no unit.* or --unit weight"),
        ("D1", "10 40000 9 8", Asked(), r"D1 \(uS\), or type --unit uS"),
        ("D1", "10 4e6 9 8", Asked(), r"or type --unit nS"),
        ("R", "12.5 9 8 7", Asked(), r"column R says no unit, and in ohms.*--unit kOhm"),
        ("I", "12 9 8 7", Asked(read_voltage=0.1), r"in amperes it would make 120 S.*--unit uA"),
        ("G (kOhm)", "1 2 3 4", Asked(), r"column G \(kOhm\) is in kOhm, and no conductance"),
        ("G (ms)", "1 2 3 4", Asked(), r"is in ms, and no conductance"),
        ("R", "1 2 3 4", Asked(unit="uS"), "no resistance if it is in uS"),
        ("G (uS)", "1 2 3 4", Asked(unit="nS"), "--unit nS is of no use: every header"),
        ("G (uS)", "1 2 3 4", Asked(read_voltage=0.1), "--read-voltage 0.1 is of no use"),
        ("G", "1 2 3 4", Asked(unit="bananas"), "--unit bananas: readings are in siemens"),
        ("G", "1 2 3 4", Asked(unit="mV"), "--unit mV: readings are in siemens"),
        ("I (uA)", "1 2 3 4", Asked(read_voltage=0.0), "^--read-voltage 0: .* not 0"),
        ("I (uA)", "1 2 3 4", Asked(read_voltage=-0.1), "all readings .* with the other sign"),
        ("I", "-1 -2 -3 -4", Asked(read_voltage=0.1), "all readings .* with the other sign"),
        ("delay (us)", "1 2 3 4", Asked(), "none of its columns"),
        ("C1 (uS),Temp", "1,295 2,295 3,295 4,295", Asked(), "column Temp says no unit and others"),
    ],
)
def test_readings_of_an_unknown_unit_are_asked_about(tmp_path, header, values, asked, message):
    with pytest.raises(MeasurementError, match=message) as caught:
        read_devices([one_curve(tmp_path, header, values)], asked)
    assert "\n" not in str(caught.value)


def test_what_no_unit_was_taken_for_is_said(tmp_path):
    found = read_devices([one_curve(tmp_path, "G", "1e-6 2e-6 3e-6 4e-6")], Asked())
    assert found.siemens
    assert "column G says no unit and is taken to be in siemens" in found.notes[-1]
    assert "4e-06 S at most" in found.notes[-1]
    named = read_devices([one_curve(tmp_path, "weight")], Asked())
    asked = read_devices([one_curve(tmp_path, "G")], Asked(unit="weight"))
    signed = read_devices([one_curve(tmp_path, "G", "-1 0 1 2")], Asked())
    assert not named.siemens
    assert not asked.siemens
    assert not signed.siemens
    assert "readings of no unit are taken as weights" in signed.notes[-1]
    in_unit = read_devices([one_curve(tmp_path, "R", "2 4 5 8")], Asked(unit="MOhm"))
    np.testing.assert_allclose(in_unit.responses[0].readings, 1e-6 / np.array([2, 4, 5, 8]))


def test_parquet_headers_are_known_with_their_units(tmp_path):
    frame = pandas.DataFrame({"n": [1, 2, 3], "V_pulse (V)": [1.0, 1, -1], "G (uS)": [1.0, 2, 1]})
    frame.to_parquet(tmp_path / "a.parquet")
    (one,) = read_devices([tmp_path / "a.parquet"], Asked()).responses
    assert one.pulses.tolist() == [0, 1, -1]
    np.testing.assert_allclose(one.readings, [1e-6, 2e-6, 1e-6])


def courses(folder: Path, header: str, rows: str, asked: Asked | None = None) -> list[list[int]]:
    path = folder / "cells.csv"
    path.write_text(f"{header}\n" + "\n".join(rows.split()) + "\n")
    found = read_devices([path], asked or Asked(missing="drop"))
    return [each.pulses.tolist() for each in found.responses]


def test_pulses_of_rows_without_a_reading_count(tmp_path):
    header = "direction,G (uS)"
    assert courses(tmp_path, header, "up,1 up, up, up,4 down,3") == [[0, 3, -1]]
    # the turn was not read: nobody knows how far up it went
    assert courses(tmp_path, header, "up,1 up,2 up, down,2 down,1") == [[0, 1], [0, -1]]
    turns = Asked(missing="drop", up=3, down=2)
    rows = "1 2 nan 2 1 1 2 3 2 1"
    assert courses(tmp_path, "G (uS)", rows, turns) == [[0, 1], [0, -1, 1, 1, 1, -1, -1]]


def test_readings_after_no_pulse_are_no_pulses_up(tmp_path):
    header = "V_pulse (V),G (uS)"
    # written and read in turn, at 0 V
    rows = "0,1 1.2, 0,2 1.2, 0,3 -1.3, 0,2 -1.3, 0,1"
    assert courses(tmp_path, header, rows) == [[0, 1, 1, -1, -1]]
    with pytest.raises(MeasurementError, match=r"no pulse lies between .* rows 3 and 4"):
        courses(tmp_path, header, "1,1 1,2 1,3 0,3 -1,2 -1,1")


def test_numbers_of_pulses_are_in_order(tmp_path):
    header = "n,direction,G (uS)"
    begun_again = "1,up,1 2,up,2 3,up,3 1,up,1 2,up,2 3,up,3"
    assert courses(tmp_path, header, begun_again) == [[0, 1, 1], [0, 1, 1]]
    backwards = "1,up,1 2,up,2 3,up,3 3,down,3 2,down,2 1,down,1"
    assert courses(tmp_path, header, backwards) == [[0, 1, 1, -1, -1, -1]]
    with pytest.raises(MeasurementError, match="pulse 2 in row 3 comes after pulse 3"):
        courses(tmp_path, header, "1,up,1 3,up,3 2,up,2 4,up,4")
    with pytest.raises(MeasurementError, match="pulse 2 in row 3 comes after pulse 2"):
        courses(tmp_path, header, "1,up,1 2,up,2 2,up,2.1 3,up,3")
    with pytest.raises(MeasurementError, match="row 2 has no number"):
        courses(tmp_path, header, "1,up,1 ,up,2 3,up,3")
    with pytest.raises(MeasurementError, match=r"1e\+09 pulses lie before row 2"):
        courses(tmp_path, header, "1,up,1 1000000001,up,2 1000000002,up,3")


def test_readings_that_stop_at_one_value_are_spoken_of(tmp_path):
    random = np.random.default_rng(0)
    curve = np.concatenate([np.linspace(1, 40, 60), np.linspace(40, 1, 60)])
    curve += 0.05 * random.normal(size=120)
    path = tmp_path / "cells.csv"

    def clipped(readings: np.ndarray) -> list[str]:
        ways = ["up"] * 60 + ["down"] * 60
        rows = [f"{way},{g:.3f}\n" for way, g in zip(ways, readings, strict=True)]
        path.write_text("direction,G (uS)\n" + "".join(rows))
        return read_devices([path], Asked()).clipped

    assert clipped(curve) == []
    assert clipped(np.round(curve / 5) * 5 + 1) == []  # coarse, at the ends as elsewhere
    (told,) = clipped(curve.clip(max=30))
    assert "readings are 3e-05 exactly, the highest of all" in told
    (told,) = clipped(curve.clip(min=10))
    assert "1e-05 exactly, the lowest" in told
