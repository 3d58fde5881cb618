import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from substrate.files import (
    is_unfinished,
    lock_of_machine,
    remove_unfinished,
    sole_writer,
    write_atomically,
)


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


@pytest.fixture
def of_all_users(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder like `/tmp`; that of tests is the user's own."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o1777)
        monkeypatch.setattr("substrate.files._OF_ALL_USERS", folder)
        yield folder


def in_a_child(does: Callable[[], bool]) -> bool:
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if does() else 1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_lock_of_the_machine_is_had_once(of_all_users: Path) -> None:
    held = lock_of_machine("bench-a")
    assert held is not None
    assert lock_of_machine("bench-a") is None
    assert in_a_child(lambda: lock_of_machine("bench-a") is None)
    assert lock_of_machine("bench-b") is not None
    os.close(held)
    assert lock_of_machine("bench-a") is not None


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_a_lock_keeps_out_other_users_too(of_all_users: Path) -> None:
    umask = os.umask(0o077)
    held = lock_of_machine("bench-a")
    os.umask(umask)
    assert held is not None

    def as_another() -> bool:
        os.setuid(65534)
        return lock_of_machine("bench-a") is None

    assert in_a_child(as_another)
    os.close(held)

    def free_for_another() -> bool:
        os.setuid(65534)
        return lock_of_machine("bench-a") is not None

    assert in_a_child(free_for_another)


def test_what_somebody_put_in_its_place_is_neither_followed_nor_changed(
    of_all_users: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    mine.write_text("of my own")
    mine.chmod(0o600)
    (of_all_users / "substrate-link.lock").symlink_to(mine)
    (of_all_users / "substrate-nothing.lock").symlink_to(tmp_path / "not there")
    os.mkfifo(of_all_users / "substrate-pipe.lock")
    (of_all_users / "substrate-folder.lock").mkdir()
    for name in ("link", "nothing", "pipe", "folder"):
        with pytest.raises(OSError, match=rf"no lock file .*remove it: '.*substrate-{name}\.lock'"):
            lock_of_machine(name)
    assert not (tmp_path / "not there").exists()
    (of_all_users / "substrate-mine.lock").hardlink_to(mine)
    assert lock_of_machine("mine") is not None
    assert (mine.read_text(), mine.stat().st_mode & 0o777) == ("of my own", 0o600)
