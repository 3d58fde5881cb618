import signal
import subprocess
import sys

import pytest

from substrate.files import is_unfinished, remove_unfinished, sole_writer, write_atomically


def test_it_replaces_and_leaves_nothing_beside(tmp_path):
    path = tmp_path / "summary.json"
    write_atomically(path, "one")
    write_atomically(path, b"two")
    assert path.read_text() == "two"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "summary.json"
    write_atomically(path, "old")

    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OSError, match=r"No space left on device: '.*summary.json'"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_kill_leaves_is_known_and_removed(tmp_path):
    program = (
        "import os, pathlib, sys, signal\n"
        "from substrate.files import write_atomically\n"
        "os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)\n"
        "write_atomically(pathlib.Path(sys.argv[1], 'summary.json'), 'half')\n"
    )
    (tmp_path / ".hidden").write_text("of the user's own")
    (tmp_path / "thesis.unfinished").write_text("of the user's own")
    killed = subprocess.run([sys.executable, "-c", program, tmp_path], check=False)
    assert killed.returncode == -signal.SIGKILL
    (left,) = filter(is_unfinished, tmp_path.iterdir())
    assert left.read_text() == "half"
    remove_unfinished(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {".hidden", "thesis.unfinished"}


def test_one_process_at_a_time_writes_a_folder(tmp_path):
    folder = tmp_path / "run"
    refused = pytest.raises(OSError, match=r"another process is running here: '.*/run'")
    with sole_writer(folder), refused, sole_writer(folder):
        pass
    with sole_writer(folder):
        assert list(folder.iterdir()) == []
