"""The tables of a study."""

from pathlib import Path

import pandas as pd

import substrate as sb
from substrate.study.plan import StudyPoint
from substrate.study.schema import COLUMNS
from substrate.study.tables import points_table, runs_table, write_tables
from tests.torture.runs import write_scenario


def test_columns_beside_the_axes_are_those_that_no_axis_may_be_called(tmp_path, monkeypatch):
    monkeypatch.setenv("SUBSTRATE_STORE", str(tmp_path / "store"))
    scenario = sb.load(write_scenario(tmp_path), {"training.epochs": 1})
    run = sb.run(scenario, seeds=(0,), out=tmp_path / "run", jobs=1, quiet=True)
    point = StudyPoint({"bits": 4}, None, None)  # type: ignore[arg-type]
    tables = [table([point], [run.summary]) for table in (runs_table, points_table)]
    assert {*tables[0].columns, *tables[1].columns} - {"bits"} == {*COLUMNS}
    assert all(len(table) for table in tables)


def test_numbers_beside_words_can_be_written(tmp_path: Path) -> None:
    table = pd.DataFrame({"bits": ["exact", 6, None], "gap": [0.1, 0.2, None], "whole": [1, 2, 3]})
    write_tables(tmp_path, {"points": table})
    read = pd.read_parquet(tmp_path / "points.parquet")
    assert read["bits"].dropna().tolist() == ["exact", "6"]
    assert read["whole"].tolist() == [1, 2, 3]
    assert (tmp_path / "points.csv").read_text().splitlines()[1:3] == ["exact,0.1,1", "6,0.2,2"]
