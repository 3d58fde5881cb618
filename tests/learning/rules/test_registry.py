"""A shipped rule is its file and its line in `learning.rules`; all else follows from there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from learning.rules import RULES
from substrate.new.write import write_new

ROOT = Path(__file__).parents[3]

FOLLOWS = """
import json, sys
from pydantic import ValidationError
from learning.rules import RULES
from substrate.cli.main import main
from substrate.library import find_rule, rule_names
from substrate.scenario.schema import Arm, Scenario
from substrate.target import find_target
from substrate.verify import RuleConformance, run_checks
from tests.learning.rules.test_conformance import CASES

rule = RULES["wander"]
assert "wander" in rule_names() and find_rule("wander", None).rule is rule
assert find_target("wander", ["decay=0.5"]) == rule(decay=0.5)
assert rule() in CASES

arm = {"learning": {"rule": "wander", "optimiser": {"learning_rate": 0.1}}}
assert Arm.model_validate(arm).learning.settings == {"decay": 0.9}
arm["learning"]["settings"] = {"decy": 0.5}
try:
    Arm.model_validate(arm)
    raise SystemExit("a setting that there is not was taken")
except ValidationError as problem:
    assert "did you mean 'decay'" in str(problem)

offered = Scenario.model_json_schema()["$defs"]["Learning"]["allOf"]
(own,) = [each for each in offered if each["if"]["properties"]["rule"]["enum"] == ["wander"]]
(settings, _) = own["then"]["properties"]["settings"]["anyOf"]
assert settings["properties"]["decay"]["default"] == 0.9

kit = type("Kit", (RuleConformance,), {"rule": rule(), "replicas": 20, "warm_up": 5})
assert not [each for each in run_checks(kit()) if each.result == "failed"]

sys.argv = ["substrate", "list", "rules", "--json"]
main()
"""


def test_a_new_rule_is_its_file_and_its_line(tmp_path: Path) -> None:
    """In a copy of the learning layer, whose other files stay as they are."""
    shutil.copytree(ROOT / "learning", tmp_path / "learning")
    rules = tmp_path / "learning" / "rules"
    path, test = write_new("rule", "Wander", rules)
    test.unlink()
    # as shipped rules do, since the package that holds them imports them
    own = path.read_text().replace("from learning.rules import", "from learning.rules.base import")
    path.write_text(own)
    registry = rules / "__init__.py"
    text = registry.read_text()
    text = text.replace("\nRULES: dict", "from learning.rules.wander import Wander\n\nRULES: dict")
    text = text.replace(
        "        WeightMirror,\n    )", "        WeightMirror,\n        Wander,\n    )"
    )
    registry.write_text(text)
    assert registry.read_text().count("Wander") == 2
    done = subprocess.run(
        [sys.executable, "-c", FOLLOWS],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert '"name": "wander"' in done.stdout


def test_rules_are_registered_by_names_of_their_own() -> None:
    names = [each for rule in RULES.values() for each in (rule.name, rule.decorrelated_name)]
    given = [each for each in names if each is not None]
    assert len(set(given)) == len(given)
    assert all(name == rule.name for name, rule in RULES.items())
