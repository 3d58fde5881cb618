"""Studies killed at any moment, workers too: gone on with to their end, their tables are the same.

python -m tests.torture.studies 10      so many kills at random moments
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.torture.runs import write_scenario

STUDY = """\
name: torture
scenario: torture.yaml
axes:
  bits: {field: arms.native.chip.output_converter.bits, values: [3, 4, 5, 6, 8]}
  noise: {field: arms.native.chip.conductance.read_noise, range: [0.005, 0.1], scale: log, steps: 2}
"""
TABLES = ("points.csv", "runs.csv", "points.parquet", "runs.parquet")


def start(study: Path, folder: Path) -> subprocess.Popen[bytes]:
    """Begin a study, or go on with it, in a group of processes of its own."""
    environment = {**os.environ, "SUBSTRATE_STORE": str(folder.with_suffix(".store"))}
    words = [sys.executable, "-m", "substrate", "study", study, "--out", folder, "--jobs", 2]
    return subprocess.Popen(
        [*map(str, words)],
        env=environment,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def main(kills: int, seed: int = 0) -> int:
    """Kill a study so many times, let it end, and compare; gives the exit status."""
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write_scenario(root)
        study = root / "study.yaml"
        study.write_text(STUDY)
        began = time.perf_counter()
        assert start(study, root / "whole").wait() == 0
        lasts = time.perf_counter() - began
        killed = studies = 0
        differ: list[str] = []
        while killed < kills:
            folder, studies, fresh = root / f"killed{studies}", studies + 1, True
            while killed < kills:
                began = time.perf_counter()
                process = start(study, folder)
                try:
                    process.wait(draw.uniform(0.3, 0.9) * lasts)
                except subprocess.TimeoutExpired:
                    # now the parent alone, whose workers must end by themselves, now all of them
                    send = os.killpg if draw.random() < 0.5 else os.kill
                    send(process.pid, signal.SIGKILL)
                    process.wait()
                    killed, fresh = killed + 1, False
                else:
                    if fresh:  # the machine has become faster, or a kill would come too late again
                        lasts = min(lasts, time.perf_counter() - began)
                    break
            assert start(study, folder).wait() == 0
            whole = root / "whole"
            differ += [t for t in TABLES if (whole / t).read_bytes() != (folder / t).read_bytes()]
    print(f"{killed} kills of {studies} studies; tables that differ: {', '.join(differ) or 'none'}")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10))
