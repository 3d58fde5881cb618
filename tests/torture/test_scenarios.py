"""The harness itself: mutations repeat, and what falls short is seen."""

import importlib.util
from pathlib import Path

import pytest
import yaml

from substrate.scenario import load

_spec = importlib.util.spec_from_file_location("torture", Path(__file__).with_name("scenarios.py"))
torture = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(torture)


@pytest.fixture(scope="module")
def shipped():
    texts = torture.shipped()
    return texts, [yaml.safe_load(text) for text in texts]


def test_mutations_repeat_and_differ(shipped):
    first = [torture.mutated(0, number, *shipped) for number in range(30)]
    assert first == [torture.mutated(0, number, *shipped) for number in range(30)]
    assert len(set(first)) > 25
    unchanged = {text.encode() for text in shipped[0]}  # as two equal lines that are swapped
    assert sum(each in unchanged for each in first) < 3


def test_some_are_valid_and_some_refused(shipped, tmp_path):
    path = tmp_path / "mutated.yaml"
    ends = set()
    for number in range(40):
        path.write_bytes(torture.mutated(1, number, *shipped))
        ends.add(torture.outcome(path, number))
    assert ends == {"valid", "refused"}


def test_what_falls_short_is_seen(shipped, tmp_path, monkeypatch):
    path = tmp_path / "mutated.yaml"
    path.write_text(shipped[0][0])

    def fails(*_: object, **__: object) -> None:
        raise KeyError("no such thing")

    monkeypatch.setattr(load, "load_scenario", fails)
    assert torture.outcome(path, 1).startswith("KeyError: \"'no such thing'\" at ")
