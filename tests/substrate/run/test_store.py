"""The store of units: locks, and what pruning takes."""

import multiprocessing
import os
import time
from pathlib import Path

import pytest

from substrate.record.unit import CHECKPOINT, ENDED, UNIT
from substrate.run.store import Store, UnitBusy

KEYS = [f"{n:02d}" * 20 for n in range(4)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Four units of a kilobyte, the first used four hours ago, the last one hour ago."""
    store = Store(tmp_path / "store")
    for n, key in enumerate(KEYS):
        with store.held(key) as folder:
            (folder / UNIT).write_bytes(bytes(1000))
            (folder / ENDED).write_text("")
        then = time.time() - 3600 * (4 - n)
        for each in folder.iterdir():
            os.utime(each, (then, then))
    return store


def left(store: Store) -> list[str]:
    return sorted(each.key for each in store.units())


def test_what_was_not_used_for_long_goes(store: Store) -> None:
    assert store.prune(older_than=2.5 * 3600) == 2
    assert left(store) == KEYS[2:]


def test_the_longest_unused_go_until_the_rest_is_small_enough(store: Store) -> None:
    assert store.prune(keep_bytes=3000) == 1
    assert left(store) == KEYS[1:]
    assert store.prune(keep_bytes=3000) == 0
    assert store.prune(keep_bytes=0) == 3


def test_units_of_a_run_that_goes_on_stay(store: Store) -> None:
    with store.using(KEYS[:2]):
        assert store.prune(keep_bytes=0) == 2
        assert left(store) == KEYS[:2]
    assert store.prune(keep_bytes=0) == 2


def test_a_unit_in_the_making_stays_and_is_held_by_one(store: Store) -> None:
    with store.held(KEYS[0]):
        assert store.prune(keep_bytes=0) == 3
        with pytest.raises(UnitBusy), store.held(KEYS[0]):
            pass
    with store.held(KEYS[0]):
        pass


def _hold(root: Path, key: str, ready: object) -> None:
    store = Store(root)
    with store.held(key), store.using([key]):
        ready.set()  # type: ignore[attr-defined]
        time.sleep(600)


def test_what_a_killed_process_held_is_free(store: Store) -> None:
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    process = context.Process(target=_hold, args=(store.root, KEYS[0], ready))
    process.start()
    assert ready.wait(300)
    with pytest.raises(UnitBusy), store.held(KEYS[0]):
        pass
    process.kill()
    process.join()
    with store.held(KEYS[0]):
        pass
    assert store.prune(keep_bytes=0) == 4


def test_a_unit_with_weights_is_not_done(store: Store) -> None:
    (store.folder(KEYS[1]) / CHECKPOINT).write_bytes(b"weights")
    assert [each.key for each in store.units() if not each.ended] == [KEYS[1]]


def test_the_store_is_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUBSTRATE_STORE", str(tmp_path / "mine"))
    assert Store.default().root == tmp_path / "mine"
    monkeypatch.delenv("SUBSTRATE_STORE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert Store.default().root == tmp_path / "cache" / "substrate" / "units"
