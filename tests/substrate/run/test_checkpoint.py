import pytest
import torch

from substrate.record import RecordError
from substrate.record.unit import CHECKPOINT, UnitProgress
from substrate.run.checkpoint import checksum, drop_checkpoint, load_checkpoint, save_checkpoint

PROGRESS = UnitProgress(key="ü", metrics_bytes=7, metrics_sha256="cd")
TENSORS = {
    "weights": torch.arange(12.0).view(4, 3).T,
    "steps": torch.tensor(7),
    "half": torch.tensor([1.5], dtype=torch.bfloat16),
    "generator": torch.Generator().get_state(),
    "empty": torch.empty(0),
    "one column of several": torch.arange(3.0).view(1, 3)[:, :1].T,
}


def test_what_is_saved_comes_back(tmp_path):
    save_checkpoint(tmp_path, TENSORS, PROGRESS)
    loaded, told = load_checkpoint(tmp_path)
    assert told == PROGRESS
    assert loaded.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert torch.equal(loaded[name], tensor)
        assert loaded[name].dtype == tensor.dtype
    drop_checkpoint(tmp_path)
    assert load_checkpoint(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_broken_checkpoint_is_named(tmp_path):
    (tmp_path / CHECKPOINT).write_bytes(b"\x80\x04pickle")
    with pytest.raises(RecordError, match=CHECKPOINT):
        load_checkpoint(tmp_path)


def test_every_flipped_bit_is_refused_or_means_the_same(tmp_path):
    save_checkpoint(tmp_path, {"weights": torch.ones(3)}, PROGRESS)
    content = (tmp_path / CHECKPOINT).read_bytes()
    refused = 0
    for at in range(len(content)):
        damaged = bytearray(content)
        damaged[at] ^= 1 << (at % 8)
        (tmp_path / CHECKPOINT).write_bytes(damaged)
        try:
            loaded, told = load_checkpoint(tmp_path)
        except RecordError:
            refused += 1
        else:
            assert told == PROGRESS
            assert torch.equal(loaded["weights"], torch.ones(3))
    assert refused > 0.95 * len(content)


@pytest.mark.parametrize(
    "other",
    [
        {"a": torch.tensor([1, 2])},
        {"b": torch.tensor([1.0, 2.0])},
        {"a": torch.tensor([[1.0, 2.0]])},
        {"a": torch.tensor([1.0]), "b": torch.tensor([2.0])},
        {"a": torch.tensor([1.0, 2.0]), "b": torch.empty(0)},
    ],
)
def test_the_checksum_is_of_names_types_shapes_and_values(other):
    assert checksum({"a": torch.tensor([1.0, 2.0])}) != checksum(other)
