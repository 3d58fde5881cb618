"""Hardware-in-the-loop simulator for learning on noisy analog substrates.

    import substrate as sb

    result = sb.run(sb.load("crossbar_danp"))
    result.comparisons

The interface from Python is `substrate.api`, and all of it can be had from here. Nothing is
imported before it is used.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from substrate.api.comparisons import compare as compare
    from substrate.api.limits import Limit as Limit
    from substrate.api.limits import spec as spec
    from substrate.api.runs import Run as Run
    from substrate.api.runs import load as load
    from substrate.api.runs import read as read
    from substrate.api.runs import resume as resume
    from substrate.api.runs import run as run
    from substrate.api.studies import Study as Study
    from substrate.api.studies import study as study
    from substrate.scenario.schema import Scenario as Scenario
    from substrate.scenario.source import ScenarioError as ScenarioError

    __version__: str

_HOMES = {
    "Run": "substrate.api.runs",
    "load": "substrate.api.runs",
    "read": "substrate.api.runs",
    "resume": "substrate.api.runs",
    "run": "substrate.api.runs",
    "Limit": "substrate.api.limits",
    "Study": "substrate.api.studies",
    "compare": "substrate.api.comparisons",
    "spec": "substrate.api.limits",
    "study": "substrate.api.studies",
    "Scenario": "substrate.scenario.schema",
    "ScenarioError": "substrate.scenario.source",
}
_ALSO_PACKAGES = {"compare", "run", "spec", "study"}
"""Functions of this interface that have the name of a package which does what they ask for."""


class _CallablePackage(ModuleType):
    """A package that can be called like the function of the same name."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        name = self.__name__.rpartition(".")[2]
        return getattr(import_module(_HOMES[name]), name)(*args, **kwargs)


class _Substrate(ModuleType):
    def __setattr__(self, name: str, value: object) -> None:
        # the import system sets a package as an attribute here once it has been imported
        if name in _ALSO_PACKAGES and isinstance(value, ModuleType):
            value.__class__ = _CallablePackage
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Substrate


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("substrate")
    if name in _ALSO_PACKAGES:
        return import_module(f"{__name__}.{name}")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, "__version__"})
