"""Where data is looked for."""

from pathlib import Path

import pytest

from substrate.data.error import DataError
from substrate.data.paths import expand


def test_the_variable_names_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBSTRATE_DATA", "/data")
    assert expand("$SUBSTRATE_DATA/cifar") == Path("/data/cifar")
    assert expand("${SUBSTRATE_DATA}/cifar") == Path("/data/cifar")


def test_without_it_the_cache_folder_of_the_user_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUBSTRATE_DATA", raising=False)
    monkeypatch.setenv("HOME", "/home/someone")
    assert expand("$SUBSTRATE_DATA/x") == Path("/home/someone/.cache/substrate-data/x")
    assert expand("~/x") == Path("/home/someone/x")


@pytest.mark.parametrize("path", ["~nobody-of-that-name/x", "a\0b", "x" * 300])
def test_what_is_no_path_is_named(path: str) -> None:
    with pytest.raises(DataError, match="is no path"):
        expand(path)


def test_another_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_PLACE", raising=False)
    with pytest.raises(DataError, match=r"\$NO_SUCH_PLACE is not set"):
        expand("$NO_SUCH_PLACE/x")
