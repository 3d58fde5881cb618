"""What is read back is what was written, or is refused by file, line and field."""

import json

import pytest

from substrate.record import RecordError
from substrate.record.folder import epochs, is_complete, read_run_folder, read_summary
from substrate.record.metrics import Epoch

ROW = {
    "format": 1,
    "arm": "a",
    "seed": 0,
    "epoch": 2,
    "train_loss": 0.1 + 0.2,
    "train_accuracy": 0.5,
    "test_loss": 1e-300,
    "test_accuracy": 0.25,
    "seconds": 1.5,
}


def line(**changed: object) -> bytes:
    return json.dumps(ROW | changed).encode()


def test_what_was_written_is_read_to_the_last_bit(tmp_path):
    (row,) = epochs(line() + b"\n", tmp_path)
    assert row == Epoch.model_validate(ROW)
    assert json.dumps(row.model_dump()).encode() == line()


def test_before_training_figures_of_it_are_null_and_in_a_regression_accuracies_are_absent():
    first = Epoch.model_validate({**ROW, "train_loss": None, "train_accuracy": None})
    assert first.model_dump()["train_accuracy"] is None
    values = {key: value for key, value in ROW.items() if "accuracy" not in key}
    assert Epoch.model_validate(values).model_dump() == values


@pytest.mark.parametrize(
    ("damaged", "words"),
    [
        (line()[:-9], "not valid JSON"),
        (line(test_loss=float("nan")), "test_loss: Input should be a finite number"),
        (line(test_loss="0.5"), "test_loss: Input should be a valid number (found '0.5')"),
        (line(test_lozz=0.5), "test_lozz: Extra inputs are not permitted (found 0.5)"),
        (line(seed=0.5), "seed: Input should be a valid integer"),
        (line(format=2), "is in format 2, and this version reads format 1"),
        (line().replace(b'"arm": "a", ', b""), "arm: Field required"),
        (b"[1]", "Input should be an object (found [1])"),
        (b"\xff", "not valid JSON"),
        (b"", "not valid JSON"),
    ],
)
def test_a_damaged_line_is_named(tmp_path, damaged, words):
    with pytest.raises(RecordError) as refused:
        epochs(line() + b"\n" + damaged + b"\n", tmp_path / "metrics.jsonl")
    assert str(refused.value).startswith(f"{tmp_path}/metrics.jsonl, line 2: ")
    assert words in str(refused.value)


def test_a_file_that_is_missing_or_a_folder_is_named(tmp_path):
    with pytest.raises(RecordError, match=r"is no run folder: it has no summary\.json"):
        read_run_folder(tmp_path)
    assert read_summary(tmp_path) is None
    assert not is_complete(tmp_path)
    (tmp_path / "summary.json").mkdir()
    with pytest.raises(RecordError, match=r"summary\.json: cannot be read: Is a directory"):
        is_complete(tmp_path)
