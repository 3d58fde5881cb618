import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from substrate.record import RecordError
from substrate.report import write_report


def test_files(summary: Any, metrics: Any, leave_run: Callable[..., Path]) -> None:
    folder = leave_run(summary, metrics)
    assert write_report(folder) == folder / "report.html"
    assert {path.name for path in folder.iterdir()} == {
        "summary.json",
        "metrics.jsonl",
        "scenario.yaml",
        "learning_curves.png",
        "observed_noise.png",
        "report.html",
    }


def test_bad_metrics_name_the_line_and_leave_the_old_report(
    summary: Any, metrics: Any, leave_run: Callable[..., Path]
) -> None:
    folder = leave_run(summary, metrics[:3])
    (folder / "report.html").write_text("old")
    with (folder / "metrics.jsonl").open("a") as lines:
        lines.write('{"arm": "cross')
    with pytest.raises(RecordError, match=r"metrics\.jsonl, line 4: not valid JSON"):
        write_report(folder)
    assert (folder / "report.html").read_text() == "old"
    assert not (folder / "learning_curves.png").exists()


def test_matplotlib_comes_late_and_without_pyplot(
    summary: Any, metrics: Any, leave_run: Callable[..., Path]
) -> None:
    folder = leave_run(summary, metrics)
    program = (
        "import sys, pathlib, substrate.report\n"
        "assert not {'matplotlib', 'jinja2', 'rich'} & set(sys.modules)\n"
        f"substrate.report.write_report(pathlib.Path({str(folder)!r}))\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)
