"""Files of measurements that a scenario names: beside it, unless the path is absolute."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator


def _beside_the_scenario(path: Path, info: Any) -> Path:
    folder = (info.context or {}).get("folder")
    return Path(folder, path).resolve() if folder is not None else path


ScenarioPath = Annotated[Path, AfterValidator(_beside_the_scenario)]
"""Made absolute where the scenario's folder is known, so that the file is part of what is run."""
