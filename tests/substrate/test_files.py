import pytest

from substrate.files import sole_writer, write_atomically


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


def test_one_process_at_a_time_writes_a_folder(tmp_path):
    folder = tmp_path / "run"
    refused = pytest.raises(OSError, match=r"another process is running here: '.*/run'")
    with sole_writer(folder), refused, sole_writer(folder):
        pass
    with sole_writer(folder):
        assert list(folder.iterdir()) == []
