"""Files of measurements that a scenario names: beside it, unless the path is absolute."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel


def _beside_the_scenario(path: Path, info: Any) -> Path:
    folder = (info.context or {}).get("folder")
    return Path(folder, path).resolve() if folder is not None else path


_BESIDE = AfterValidator(_beside_the_scenario)

ScenarioPath = Annotated[Path, _BESIDE]
"""Made absolute where the scenario's folder is known, so that the file is part of what is run."""


def with_default_files(model: type[BaseModel], given: Mapping[str, Any]) -> dict[str, Any]:
    """Add the files that are a model's defaults: pydantic validates only what is given."""
    files = {
        name: info.get_default(call_default_factory=True, validated_data={})
        for name, info in model.model_fields.items()
        if _BESIDE in info.metadata and not info.is_required()
    }
    return {**files, **given}
