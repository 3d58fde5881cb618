import pytest
import torch

from substrate.run.checkpoint import (
    FILE_NAME,
    CheckpointError,
    drop_checkpoint,
    load_checkpoint,
    save_checkpoint,
)


def test_what_is_saved_comes_back(tmp_path):
    tensors = {
        "weights": torch.randn(4, 3).T,
        "steps": torch.tensor(7),
        "generator": torch.Generator().get_state(),
        "empty": torch.empty(0),
    }
    progress = {"seed": 1, "arms": ["a", "ü"], "seconds": 1.5}
    save_checkpoint(tmp_path, tensors, progress)
    loaded, told = load_checkpoint(tmp_path)
    assert told == progress
    assert loaded.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert torch.equal(loaded[name], tensor)
        assert loaded[name].dtype == tensor.dtype
    drop_checkpoint(tmp_path)
    assert load_checkpoint(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_broken_checkpoint_is_named(tmp_path):
    (tmp_path / FILE_NAME).write_bytes(b"\x80\x04pickle")
    with pytest.raises(CheckpointError, match=FILE_NAME):
        load_checkpoint(tmp_path)
