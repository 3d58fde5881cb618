"""The page of a study whose seeds diverged, of made-up figures."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd

import substrate as sb
from substrate.study.energy import LACKING
from substrate.study.page import study_page
from substrate.study.schema import StudyAxis
from substrate.study.views import study_views

BITS, NOISE = [4, 5, 6, 8], [0.01, 0.02, 0.04, 0.08]


def page_of(diverged: dict[str, float]) -> str:
    """Of arms over noise by bits.

    Args:
        diverged: by arm, the noise from which on two of three seeds diverged, or all at 4 bits.
    """
    rows = []
    for arm, most in diverged.items():
        for point, (noise, bits) in enumerate((noise, bits) for noise in NOISE for bits in BITS):
            lost = (3 if bits == 4 else 2) if noise >= most else 0
            gap = np.nan if lost == 3 else 0.024 - 0.002 * bits + 0.02 * noise
            low, high = gap - 0.002 * (3 - lost), gap + 0.002 * (3 - lost)
            verdict = "feasible" if high < 0.02 else "undecided"
            rows.append(
                {
                    **{"point": point, "noise": noise, "bits": bits, "arm": arm, "mean": 0.95},
                    **{"gap": gap, "ci_low": low, "ci_high": high, "diverged": lost},
                    "verdict": "not feasible" if lost or low > 0.02 else verdict,
                    "feasible_at_once": high < 0.016 and not lost,
                    "training_joules": 1e-3 * 2.0**bits,
                }
            )
    points = pd.DataFrame(rows).assign(baseline="bp", seeds=3, tolerance=0.02, shared_error=0.001)
    points = points.assign(not_at_once=np.nan, baseline_doubted=False)
    points[[*LACKING]] = None
    path = "arms.native.chip"
    axes = {
        "noise": StudyAxis(field=f"{path}.conductance.read_noise", values=NOISE),
        "bits": StudyAxis(field=f"{path}.output_converter.bits", values=BITS),
    }
    study = SimpleNamespace(name="made-up", title="Made up", description="", axes=axes)
    scenario = sb.load("native_danp")
    plan = SimpleNamespace(study=study, points=[SimpleNamespace(scenario=scenario)] * 16)
    summary = SimpleNamespace(
        metric="test_accuracy",
        comparisons=[SimpleNamespace(arm=arm) for arm in [*diverged, "clean"]],
        data=SimpleNamespace(name="mnist", train=1000, test=360),
        network="784-64-10",
        epochs=8,
        seeds=[0, 1, 2],
        versions={},
    )
    result = SimpleNamespace(summaries=[summary], failed={}, units=96)
    views = study_views(plan, points)  # type: ignore[arg-type]
    return study_page(plan, result, views, "", "substrate study made-up")  # type: ignore[arg-type]


def test_a_page_tells_what_diverged_in_place_of_what_matters_most() -> None:
    page = page_of({"native": 0.04})
    assert "native: seeds diverged at 8 of 16 points (by noise: 0 of 24 seeds at" in page
    assert "matters most; by itself" not in page
    assert "What matters most" not in page
    assert "What changes the gap of the seeds that are left" in page
    assert "Left out, since no axis sets anything of theirs: clean." in page
    assert "What matters most" in page_of({"native": 1.0})
