"""What only reads and names imports nothing that takes longer than the rest together."""

import subprocess
import sys

import pytest

from substrate.scenario.shipped import shipped_scenarios
from substrate.scenario.yaml_reader import load_yaml

SCRIPT = """
import sys
from substrate.cli.main import app

*commands, slow = {arguments!r}
for command in commands:
    app(command, standalone_mode=False)
    loaded = slow & sys.modules.keys()
    if loaded:
        sys.exit(f"{{command}} imports {{loaded}}")
"""
SLOW = {"torch", "aihwkit", "scipy", "sklearn", "matplotlib", "torchvision", "pandas", "numba"}


def refines_aihwkit(scenario: dict) -> bool:
    """Whether fields of an aihwkit configuration are set, which none but aihwkit can check."""
    arms = [*scenario["arms"].values(), *scenario["baselines"].values()]
    return any(arm.get("chip", {}).get("config") for arm in arms)


CHECKS = [
    ["check", str(path)]
    for path in shipped_scenarios().values()
    if not refines_aihwkit(load_yaml(path).data)
]
LISTS = [["list", what] for what in ("noise", "rules", "datasets", "scenarios")]


@pytest.mark.parametrize("commands", [CHECKS, LISTS, [["schema"], ["--help"]]])
def test_inert_commands_import_neither_torch_nor_aihwkit(commands: list[list[str]]) -> None:
    script = SCRIPT.format(arguments=[*commands, SLOW])
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_nearly_all_shipped_scenarios_are_checked_so() -> None:
    assert len(CHECKS) >= len(shipped_scenarios()) - 1 > 10
