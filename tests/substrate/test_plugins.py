"""Objects of a user's own: what is found, and what is said when it is not."""

import importlib
import sys
from pathlib import Path

import pytest

from substrate.plugins import PluginError, absolute_spec, changed_since_import, load_object
from substrate.run.code import named_code
from substrate.scenario.source import ScenarioError


@pytest.fixture
def folder(working_folder: Path) -> Path:
    (working_folder / "my_losses.py").write_text("def hinge(output, target):\n    return 7\n")
    (working_folder / "broken.py").write_text("x = 1\nraise RuntimeError('no licence')\n")
    (working_folder / "needs_more.py").write_text("import a_package_that_is_not_there\n")
    return working_folder


def test_a_file_is_resolved_against_the_folder_of_the_scenario(folder: Path) -> None:
    assert load_object("my_losses.py:hinge", folder)(None, None) == 7


def test_an_absolute_path_needs_no_folder(folder: Path) -> None:
    assert load_object(f"{folder / 'my_losses.py'}:hinge", Path("/"))(None, None) == 7


def test_a_file_is_run_once_however_often_it_is_named(folder: Path) -> None:
    first = load_object("my_losses.py:hinge", folder)
    assert load_object(f"{folder}/../{folder.name}/my_losses.py:hinge", Path()) is first


def test_a_module_is_imported_by_name(tmp_path: Path) -> None:
    import math

    assert load_object("math:sqrt", tmp_path) is math.sqrt


def test_a_module_beside_the_scenario_is_found(folder: Path) -> None:
    (folder / "beside_the_scenario.py").write_text("answer = 42\n")
    assert load_object("beside_the_scenario:answer", folder) == 42


def test_a_file_may_import_what_lies_beside_it(folder: Path) -> None:
    (folder / "uses_another.py").write_text("from my_losses import hinge as mine\n")
    assert load_object("uses_another.py:mine", folder)(None, None) == 7


def test_a_spec_made_absolute_is_found_from_anywhere(folder: Path) -> None:
    for spec in ("my_losses.py:hinge", "my_losses:hinge"):
        absolute = absolute_spec(spec, folder)
        assert absolute == f"{folder / 'my_losses.py'}:hinge"
        assert load_object(absolute, Path("/"))(None, None) == 7
    assert absolute_spec("math:sqrt", folder) == "math:sqrt"


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("my_losses.py", "names no object"),
        ("my_losses.py:", "names no object"),
        ("my_losses.py:1st", "names no object"),
        ("my_loses.py:hinge", "did you mean .*my_losses.py"),
        ("my_losses.py:hing", "has no 'hing'; did you mean 'hinge'"),
        ("broken.py:x", r"RuntimeError: no licence \(line 2 of .*broken.py\)"),
        ("needs_more.py:x", "No module named 'a_package_that_is_not_there'"),
        ("my_lossez:hinge", "there is no module 'my_lossez'"),
    ],
)
def test_what_cannot_be_loaded_says_why(folder: Path, spec: str, said: str) -> None:
    with pytest.raises(PluginError, match=said):
        load_object(spec, folder)


def test_a_failed_import_can_be_tried_again(folder: Path) -> None:
    with pytest.raises(PluginError):
        load_object("broken.py:x", folder)
    (folder / "broken.py").write_text("x = 'mended'\n")
    assert load_object("broken.py:x", folder) == "mended"


def test_a_file_that_was_edited_is_imported_anew_with_what_lies_beside_it(folder: Path) -> None:
    (folder / "part.py").write_text("value = 1\n")
    (folder / "whole.py").write_text("from part import value\n")
    assert load_object("whole.py:value", folder) == 1
    assert not changed_since_import(folder / "whole.py")
    (folder / "part.py").write_text("value = 22\n")
    assert changed_since_import(folder / "whole.py")
    assert load_object("whole.py:value", folder) == 22
    assert not changed_since_import(folder / "whole.py")


def test_a_module_that_was_edited_is_refused_until_it_is_reloaded(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = folder / "my_lab_of_tests"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "part.py").write_text("value = 1\n")
    (package / "whole.py").write_text("from my_lab_of_tests.part import value\n")
    monkeypatch.syspath_prepend(folder)
    spec = "my_lab_of_tests.whole:value"
    assert load_object(spec, folder) == load_object(spec, folder) == 1
    named = named_code({"rule": spec})
    (package / "part.py").write_text("value = 22\n")
    with pytest.raises(PluginError, match=r"part\.py was changed after .*; start Python anew"):
        load_object(spec, folder)
    with pytest.raises(ScenarioError, match=r"part\.py: was changed after"):
        named_code({"rule": spec})  # else what the old code computes would be kept as the new's
    for name in ("part", "whole"):
        importlib.reload(sys.modules[f"my_lab_of_tests.{name}"])
    assert load_object(spec, folder) == 22
    assert named_code({"rule": spec}) != named
    (package / "part.py").unlink()
    with pytest.raises(PluginError, match="was changed after"):
        load_object(spec, folder)
