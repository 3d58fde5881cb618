"""The report of a run: pictures, a self-contained page, and tables for the terminal."""

from pathlib import Path


def write_report(run_dir: Path) -> Path:
    """Write ``learning_curves.png``, ``observed_noise.png`` and ``report.html`` into a run folder.

    Reads ``summary.json``, ``metrics.jsonl`` and ``scenario.yaml``.

    Returns:
        The path of ``report.html``.

    Raises:
        RecordError: one of the three files is missing, or is not what it should be.
    """
    # matplotlib and jinja2 take most of a second to import.
    from substrate.files import write_atomically
    from substrate.record.folder import read_run_folder
    from substrate.report import html, plots
    from substrate.report.palette import LIGHT

    run = read_run_folder(run_dir)
    report = run_dir / "report.html"
    files: dict[Path, str | bytes] = {
        run_dir / "learning_curves.png": plots.learning_curves(run.summary, run.metrics, LIGHT),
        run_dir / "observed_noise.png": plots.observed_noise(run.summary, LIGHT),
        report: html.render_report(run),
    }
    for path, content in files.items():
        write_atomically(path, content)
    return report
