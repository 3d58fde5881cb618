"""What results cannot be written into is said before they are made."""

from collections.abc import Callable
from pathlib import Path

import pytest

from substrate.run.output import refuse_file_above, refuse_folder, refuse_full
from substrate.scenario.source import ScenarioError


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "units.json").touch()  # as of a run that was stopped before it began
    return tmp_path


@pytest.mark.parametrize(
    ("refuse", "path", "said"),
    [
        (refuse_full, "file", "--out file: this is a file, not a folder"),
        (refuse_full, "file/a/b", "--out file/a/b: file is a file, not a folder"),
        (refuse_full, "full", "--out full: is not an empty folder"),
        (refuse_file_above, "full/file/a", "--out full/file/a: full/file is a file, not a folder"),
        (refuse_folder, "full", "--out full: this is a folder; name a file in it"),
        (refuse_folder, "file/a.png", "--out file: this is a file, not a folder"),
        (refuse_folder, "ful/a.png", "--out ful/a.png: no such folder ful; did you mean full?"),
        (refuse_folder, "x/y/a.png", "--out x/y/a.png: no such folder x/y"),
    ],
)
def test_what_cannot_be_written_is_refused(
    here: Path, refuse: Callable[[Path, str], None], path: str, said: str
) -> None:
    with pytest.raises(ScenarioError) as refused:
        refuse(Path(path), "--out")
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("refuse", "path"),
    [
        (refuse_full, "new/folder"),
        (refuse_full, "empty"),
        (refuse_file_above, "full"),
        (refuse_folder, "new.png"),
        (refuse_folder, "file"),
        (refuse_folder, "full/new.png"),
    ],
)
def test_what_can_be_written_is_not(
    here: Path, refuse: Callable[[Path, str], None], path: str
) -> None:
    refuse(Path(path), "--out")
