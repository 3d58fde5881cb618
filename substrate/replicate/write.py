"""Writing the page and its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from substrate.files import write_atomically
from substrate.replicate.angles import AngleRun
from substrate.replicate.earlier import earlier
from substrate.replicate.experiments import Experiment
from substrate.replicate.kept import keep
from substrate.replicate.measured import Run, TrainingRun
from substrate.replicate.page import Outcome, outcome, render

_DOTS_PER_INCH = 110
_COLOURS = 128


def write_page(experiments: Sequence[Experiment], runs: Path, page: Path) -> list[Outcome]:
    """Write the page from what lies under `runs`, and its pictures under `images/replication`.

    What was measured there is kept beside the page, under `replication`, and what is kept there
    already counts as well. What an earlier page in the same place says of experiments of which
    neither knows anything stays.

    Args:
        experiments: all that the page shows.
        runs: the folder of the run folders.
        page: the file to write.
    """
    images = page.parent / "images" / "replication"
    images.mkdir(parents=True, exist_ok=True)
    before, records = earlier(page), page.parent / "replication"
    outcomes = []
    with TemporaryDirectory() as folder:
        for experiment in experiments:
            for budget in experiment.budgets:
                keep(experiment.folder(runs, budget), records)
            found = experiment.found(runs, records, Path(folder))
            pictures = {run.budget: _pictures(experiment, run, images) for run in found}
            outcomes.append(outcome(experiment, found, pictures, before.get(experiment.name)))
        write_atomically(page, render(outcomes, page.parent))
    return outcomes


def _pictures(experiment: Experiment, run: Run, images: Path) -> list[Path]:
    stem = experiment.folder(Path(), run.budget).name
    drawn = {stem: _curves(run)} if isinstance(run, TrainingRun) else _angle_pictures(run, stem)
    files = []
    for name, png in drawn.items():
        files.append(images / f"{name}.png")
        write_atomically(files[-1], _fewer_colours(png))
    return files


def _curves(run: TrainingRun) -> bytes:
    from substrate.report.palette import LIGHT
    from substrate.report.plots import curves

    counted = {(arm, seed) for arm in run.arms for seed in run.trained(arm)}
    counted |= {(arm, each.seed) for arm, lost in run.diverged.items() for each in lost}
    return curves(
        [row for row in run.rows if (row.arm, row.seed) in counted],
        run.metric,
        run.diverged,
        len(run.seeds),
        LIGHT,
        train_metric="train_accuracy" if run.higher_is_better else "train_loss",
        dots_per_inch=_DOTS_PER_INCH,
    ).png


def _angle_pictures(run: AngleRun, stem: str) -> dict[str, bytes]:
    """Those of `substrate align` that have more than one point."""
    names = ["angle_noise_samples", "angle_passes"] if len(run.counts) > 1 else []
    names += ["angle_sigma"] if run.angles_by_sigma else []
    return {f"{stem}-{name}": (run.folder / f"{name}.png").read_bytes() for name in names}


def _fewer_colours(png: bytes) -> bytes:
    """With a palette it is a third of the size, and a repository keeps every version."""
    from PIL import Image

    small = BytesIO()
    with Image.open(BytesIO(png)) as image:
        image.convert("RGB").quantize(_COLOURS).save(small, "PNG", optimize=True)
    return small.getvalue()
