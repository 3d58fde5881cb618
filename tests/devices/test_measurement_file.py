"""Files as instruments and labs write them: what is read, and what is asked about."""

import pickle
import re
import tracemalloc

import numpy as np
import pytest

from devices.measurement_columns import MeasurementError, factor
from devices.measurement_file import open_table
from devices.measurement_numbers import to_numbers
from devices.noise.trace_file import read_trace

VALUES = [0.5, -1.25, 3.0]

LAYOUTS = {
    "plain": ("0.5\n-1.25\n3.0\n", {}),
    "header lines and a comment": (
        "Keithley 2636B\nSerial: 1234, SW 1.0\n\n# gain 1e6\nt (s),I (uA)\n"
        "0.0,0.5\n0.1,-1.25\n# paused\n0.2,3.0\n",
        {"unit": "uA", "rate": 10.0, "column": "I"},
    ),
    "decimal commas": (
        "Zeit [ms];Strom / µA\n0,0;0,5\n0,5;-1,25\n1,0;3,0\n",
        {"unit": "µA", "rate": 2000.0, "column": "Strom"},
    ),
    "decimal commas and tabs": ("t\tI\n0\t0,5\n1\t-1,25\n2\t3,0\n", {"rate": 1.0}),
    "one column of decimal commas": ("Strom\n0,5\n-1,25\n3,0\n", {}),
    "units in a line of their own": (
        "time,voltage\nms,mV\n0,0.5\n1,-1.25\n2,3.0\n",
        {"unit": "mV", "rate": 1000.0, "column": "voltage"},
    ),
    "words for units": ("Time (millisec),I\n0,0.5\n1,-1.25\n2,3.0\n", {"rate": 1000.0}),
    "words behind a name": ("time minutes,I\n0,0.5\n3,-1.25\n6,3.0\n", {"rate": 1 / 180}),
    "a unit for a name": ("Seconds,I\n0,0.5\n1,-1.25\n2,3.0\n", {"rate": 1.0}),
    "names in a comment": ("# time current\n 0  0.5\n 1 -1.25\n 2  3.0\n", {"rate": 1.0}),
    "decimal commas in quotes": ('"t","V"\n"0","0,5"\n"1","-1,25"\n"2","3,0"\n', {"rate": 1.0}),
    "names with a comma in quotes": ('t,"V, left"\n0,0.5\n1,-1.25\n2,3.0\n', {"rate": 1.0}),
    "a separator at the end": ("time;V;\n0;0.5;\n1;-1.25;\n2;3.0;\n", {"rate": 1.0}),
    "date and time": (
        "timestamp,V\n2026-01-01T00:00:00.000,0.5\n2026-01-01T00:00:00.004,-1.25\n"
        "2026-01-01T00:00:00.008,3.0\n",
        {"rate": 250.0},
    ),
    "settings that look like rows": (
        "Points\t3\nRate\t25000\nTime\tI\n0\t0.5\n1\t-1.25\n2\t3.0\n",
        {"rate": 1.0},
    ),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_text_is_read_as_labs_write_it(tmp_path, layout, encoding):
    text, expected = LAYOUTS[layout]
    path = tmp_path / "trace.csv"
    path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    trace = read_trace(path)
    np.testing.assert_array_equal(trace.samples, VALUES)
    assert trace.unit == expected.get("unit")
    assert trace.sampling_rate == pytest.approx(expected["rate"]) if "rate" in expected else True
    assert trace.column == expected.get("column", trace.column)


@pytest.mark.parametrize(
    ("unit", "meant"),
    [
        ("µA", (1e-6, "A")),
        ("uS", (1e-6, "S")),
        ("[ms]", (1e-3, "s")),
        ("kOhm", (1e3, "Ohm")),
        ("min", (60.0, "s")),
        ("MΩ", (1e6, "Ohm")),
        ("bananas", None),
        (None, None),
    ],
)
def test_units_with_prefixes(unit, meant):
    assert factor(unit) == (pytest.approx(meant) if meant is None else meant)


def refused(tmp_path, text, message, **asked):
    path = tmp_path / "trace.csv"
    path.write_text(text)
    with pytest.raises(MeasurementError, match=message):
        read_trace(path, **asked)


def test_what_can_be_read_in_two_ways_is_asked_about(tmp_path):
    refused(tmp_path, "1,5\n2,5\n3,5\n", re.escape("type --decimal , or --decimal ."))
    path = tmp_path / "trace.csv"
    np.testing.assert_array_equal(read_trace(path, decimal=",").samples, [1.5, 2.5, 3.5])
    np.testing.assert_array_equal(read_trace(path, 2, decimal=".").samples, [5, 5, 5])


def test_missing_samples_are_refused_or_left_out(tmp_path):
    text = "V\n1.0\nNaN\n3.0\nOVLD\n9.91E+37\n4.0\n"
    refused(tmp_path, text, r"3 of 6 samples .* row 2; type --missing drop")
    trace = read_trace(tmp_path / "trace.csv", missing="drop")
    np.testing.assert_array_equal(trace.samples, [1, 3, 4])
    assert "3 samples without a number left out" in trace.notes


def test_uneven_times_are_refused_or_cut_at_gaps(tmp_path):
    rows = [0, 1, 2, 3, 10, 11, 12]
    text = "t (ms),V\n" + "".join(f"{t},{2 * t}\n" for t in rows)
    refused(tmp_path, text, r"1 gaps, the first after row 4, .* type --uneven cut")
    trace = read_trace(tmp_path / "trace.csv", uneven="cut")
    np.testing.assert_array_equal(trace.samples, [0, 2, 4, 6])
    assert trace.sampling_rate == pytest.approx(1000)
    assert any("rows 1 to 4 of 7" in note for note in trace.notes)
    counted = read_trace(tmp_path / "trace.csv", sampling_rate=50.0)
    assert counted.sampling_rate == 50.0
    assert len(counted.samples) == 7
    assert any("the times of column t (ms) are uneven" in note for note in counted.notes)


def test_white_noise_at_uneven_times_stays_white(tmp_path):
    random = np.random.default_rng(0)
    white = random.normal(size=4000)
    steps = random.uniform(0.7, 1.3, len(white))
    steps[3000] = 300
    text = "".join(f"{t:.6f},{v}\n" for t, v in zip(np.cumsum(steps), white, strict=True))
    (tmp_path / "trace.csv").write_text(f"t (s),V\n{text}")
    trace = read_trace(tmp_path / "trace.csv", uneven="cut")
    assert len(trace.samples) == 3000
    assert np.isin(trace.samples, white).all()
    assert trace.sampling_rate == pytest.approx(1, rel=0.02)
    lagged = np.corrcoef(trace.samples[1:], trace.samples[:-1])[0, 1]
    assert abs(lagged) < 3 / np.sqrt(3000)
    assert trace.samples.std() == pytest.approx(1, rel=0.04)


def test_a_rate_that_changes_cannot_be_cut(tmp_path):
    times = np.cumsum(np.linspace(1, 1.4, 500))
    text = "t (s),V\n" + "".join(f"{t:.6f},1\n" for t in times)
    refused(tmp_path, text, "the rate changes in the course of rows 1 to 5", uneven="cut")
    text = "t (s),V\n" + "".join(f"{2**k},1\n" for k in range(12))
    refused(tmp_path, text, "uneven throughout", uneven="cut")


@pytest.mark.parametrize("header", ["t (ms)", "Time_ms", "Zeit in ms", "time ms", "elapsed [ms]"])
def test_a_sampling_rate_beside_times_that_say_another_is_refused(tmp_path, header):
    path = tmp_path / "trace.csv"
    path.write_text(f"{header},V\n0,5\n1,6\n2,7\n")
    assert read_trace(path).sampling_rate == pytest.approx(1000)
    assert read_trace(path, sampling_rate=1000.0).sampling_rate == 1000.0
    with pytest.raises(MeasurementError, match=r"\(ms\) says 1000 Hz, and you say 50"):
        read_trace(path, sampling_rate=50.0)
    path.write_text("t,V\n0,5\n1,6\n2,7\n")
    trace = read_trace(path, sampling_rate=50.0)
    assert trace.sampling_rate == 50
    assert "counted at 50 Hz; the times of column t would say 1 Hz" in trace.notes[-1]


def test_times_that_are_rounded_are_even(tmp_path):
    t = np.arange(1000) / 40e3
    text = "t,V\n" + "".join(f"{each:.4f},{i}\n" for i, each in enumerate(t))
    (tmp_path / "trace.csv").write_text(text)
    assert read_trace(tmp_path / "trace.csv").sampling_rate == pytest.approx(40e3, rel=0.01)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("t,V\n0,1\n1,2\n0.5,3\n", "time goes backwards at row 3"),
        ("t,V\n1,1\n1,2\n1,3\n", "time stands still"),
        ("V\n1\n2\nbroken\n4\n", r"row 3 of column V is 'broken'"),
        ("V,I\n1,2\n3,4\n", r"2 columns \(1 V, 2 I\): name one, as --column 2"),
        ("t1 (s),I1,t2 (s),I2\n0,1,0,1\n1,1,1,1\n", r"name one, as --time 3 --column 4 "),
        ("index,time (s),I\n0,1,1\n1,2,2\n", r"name one, as --column 3 "),
        ("time of day,I\n0,1\n1,2\n", r"name one, as --time 1 --column 2 "),
        ("nothing here\nat all\n", "no rows of numbers"),
        ("\n\n", "is empty"),
        ("t (s),V\n0,0,1,5\n0,1,2,5\n", r"line 1 names 2 columns, and the next has 4 .*semicolons"),
        ("t;V\n0;1.234,5\n1;1.235,5\n", r"1\.234,5 in line 2 has marks between thousands"),
        ("t;V\n01.02.2026;1\n02.02.2026;2\n", r"row 1 of column t is '01.*, nor a date such as"),
        ("n,who,V\n1,a,2\n2,a,3\nn,who,V\n1,a,2\n2,b,3\n", "header of line 1 .* again in line 4"),
    ],
)
def test_refusals_say_where(tmp_path, text, message):
    refused(tmp_path, text, message)


def test_columns_are_counted_as_people_count(tmp_path):
    path = tmp_path / "trace.csv"
    path.write_text("a,b\n1,2\n3,4\n")
    np.testing.assert_array_equal(read_trace(path, 1).samples, [1, 3])
    np.testing.assert_array_equal(read_trace(path, "2").samples, [2, 4])
    with pytest.raises(MeasurementError, match="counted from 1; there is no number 0"):
        read_trace(path, 0)


@pytest.mark.parametrize("wanted", ["I (uA)", "I", "I [uA]"])
def test_columns_may_be_called_as_the_header_has_them(tmp_path, wanted):
    path = tmp_path / "trace.csv"
    path.write_text("t (s),I (uA),V (V)\n0,1,5\n1,3,5\n")
    np.testing.assert_array_equal(read_trace(path, wanted).samples, [1, 3])
    with pytest.raises(MeasurementError, match=r"no column 'I \(nA\)'"):
        read_trace(path, "I (nA)")


def test_no_more_is_read_than_asked_for(tmp_path):
    path = tmp_path / "long.csv"
    path.write_text("V\n" + "0.125\n" * 2_000_000)
    tracemalloc.start()
    assert len(read_trace(path, most=1000).samples) == 1000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * 2_000_000 / 2  # half of what all of it would take as numbers


def test_text_columns_are_given_as_text(tmp_path):
    path = tmp_path / "long.csv"
    path.write_text("device,G (uS)\nA1,2.5\nA2,3.5\n")
    table = open_table(path)
    assert [each.unit for each in table.columns] == [None, "uS"]
    ((names, conductance),) = table.parts([0, 1])
    assert list(names) == ["A1", "A2"]
    np.testing.assert_array_equal(to_numbers(conductance, "G", path), [2.5, 3.5])


def test_decimal_commas_beside_words_are_numbers(tmp_path):
    path = tmp_path / "cells.csv"
    path.write_text("who;G (uS);H\nA;1,5;1\nB;lost;2,5\nC;-2,5e-3;3.5\n")
    table = open_table(path, ",")
    ((words, points),) = table.parts([1, 2])
    assert list(words) == ["1.5", "lost", "-2.5e-3"]
    with pytest.raises(MeasurementError, match=r"row 2 of column G is 'lost'"):
        to_numbers(words, "G", path)
    # 3.5 may be meant, or thirty-five hundred without its last digits
    with pytest.raises(MeasurementError, match=r"is '2,5', .* type --decimal ,"):
        to_numbers(points, "H", path)


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "a.csv").write_text("V\n1\n2\n")
    with pytest.raises(MeasurementError, match=r"is a folder; name a file in it, such as .*a\.csv"):
        open_table(tmp_path)


@pytest.mark.parametrize("ending", [".npy", ".npz"])
@pytest.mark.parametrize("content", [b"nothing of the kind", pickle.dumps([1, 2])])
def test_bytes_that_are_no_array_are_refused_without_advice_on_pickles(tmp_path, ending, content):
    path = tmp_path / f"junk{ending}"
    path.write_bytes(content)
    with pytest.raises(MeasurementError, match=f"junk{ending} cannot be read: it is") as told:
        open_table(path)
    assert "pickle" not in str(told.value)
