import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from substrate.record.folder import read_run_folder
from substrate.report import write_report


def test_files(summary: Any, metrics: Any, leave_run: Callable[..., Path]) -> None:
    folder = leave_run(summary, metrics)
    assert write_report(folder, read_run_folder(folder)) == folder / "report.html"
    assert {path.name for path in folder.iterdir()} == {
        "summary.json",
        "metrics.jsonl",
        "scenario.yaml",
        "learning_curves.png",
        "observed_noise.png",
        "report.html",
    }


def test_matplotlib_comes_late_and_without_pyplot(
    summary: Any, metrics: Any, leave_run: Callable[..., Path]
) -> None:
    folder = leave_run(summary, metrics)
    program = (
        "import sys, pathlib, substrate.report\n"
        "assert not {'matplotlib', 'jinja2', 'rich'} & set(sys.modules)\n"
        "from substrate.record.folder import read_run_folder\n"
        f"folder = pathlib.Path({str(folder)!r})\n"
        "substrate.report.write_report(folder, read_run_folder(folder))\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)
