"""A sealed record is held to what was written, by this version or by one that knew fewer fields."""

import json
from pathlib import Path

import pytest

from substrate.record import RecordError
from substrate.record.base import Part, SealedRecord

PATH = Path("record.json")


class Before(Part):
    reads: int
    rate: float = 1e-5


class After(Part):
    reads: int
    rate: float = 1e-5
    rows: int | None = None


class RecordBefore(SealedRecord):
    counts: list[Before]


class RecordAfter(SealedRecord):
    counts: list[After]
    notes: tuple[str, ...] = ()


def test_a_record_of_before_a_field_was_added_is_whole():
    text = RecordBefore(counts=[Before(reads=3), Before(reads=4, rate=0.5)]).sealed()
    found = RecordAfter.read_sealed(text, PATH)
    assert found.counts == [After(reads=3), After(reads=4, rate=0.5)]
    assert RecordAfter.read_sealed(found.sealed(), PATH).counts == found.counts


@pytest.mark.parametrize("change", ["value", "left out", "added"])
def test_a_record_that_was_changed_is_damaged(change):
    told = json.loads(RecordAfter(counts=[After(reads=3)]).sealed())
    if change == "value":
        told["counts"][0]["reads"] = 4
    elif change == "left out":
        del told["counts"][0]["rate"]
    else:
        told["counts"].append({"reads": 1})
    with pytest.raises(RecordError, match="is damaged"):
        RecordAfter.read_sealed(json.dumps(told), PATH)
