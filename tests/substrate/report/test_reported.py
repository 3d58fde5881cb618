"""What drivers reported, from epochs to report and terminal."""

import json
from io import StringIO
from pathlib import Path

from rich.console import Console

from substrate.record.metrics import Epoch, ranges_reported
from substrate.record.summary import Reported, Summary
from substrate.report import reported
from substrate.report.table import run_result
from tests.substrate.report.pages import page_of


def epoch(number: int, **told: float) -> Epoch:
    return Epoch(
        arm="a", seed=0, epoch=number, train_loss=1.0, test_loss=1.0, seconds=1.0, reported=told
    )


def test_the_range_of_every_figure_is_kept() -> None:
    rows = [epoch(0, kelvin=5.0), epoch(1, kelvin=3.0, amperes=1.0), epoch(2, kelvin=4.0), epoch(3)]
    assert ranges_reported(rows) == {
        "kelvin": Reported(last=4.0, lowest=3.0, highest=5.0),
        "amperes": Reported(last=1.0, lowest=1.0, highest=1.0),
    }
    assert ranges_reported([epoch(0)]) == {}


def test_report_and_terminal_tell_it(summary) -> None:
    told = {"temperature <K>": {"last": 4.25, "lowest": 4.0, "highest": 77.125}}
    summary["arms"]["crossbar"]["reported"] = told
    run = Summary.model_validate_json(json.dumps(summary))
    assert list(reported.reporting(run)) == ["crossbar"]
    page = page_of(run)
    for shown in ("From the bench", "temperature &lt;K&gt;", "4.25", "77.125"):
        assert shown in page, shown
    text = StringIO()
    Console(file=text, width=200).print(run_result(run, Path("runs/x")))
    assert "crossbar: the driver reported temperature <K> 4.25" in text.getvalue()


def test_nothing_is_said_where_no_driver_reports(summary) -> None:
    run = Summary.model_validate_json(json.dumps(summary))
    assert "From the bench" not in page_of(run)
    assert "reported" not in json.loads(run.as_json())["arms"]["crossbar"]
