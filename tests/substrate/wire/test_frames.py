"""Messages as bytes, with their tensors in them or in shared memory beside them."""

from __future__ import annotations

import pytest
import torch

from substrate.wire import chip_pb2 as pb
from substrate.wire.frames import Tensors, Unreadable, bytes_of, pack, read_tensors, unpack

SENT = [torch.arange(6.0).reshape(2, 3), torch.tensor([[1, 2]]), torch.ones(40, dtype=torch.uint8)]
BYTES = sum(each.nbytes for each in SENT)


def a_message(memory=None, number=1):
    request = pb.Request(number=number)
    tensors = Tensors(request, memory=None if memory is None else lambda: memory)
    for each in SENT:
        tensors.add(each)
    return pack(request, tensors)


def read(raw, memory=None):
    message, data = unpack(pb.Request, raw, memory)
    return read_tensors(message, data, lambda *_: pytest.fail("none is an earlier one"))


@pytest.mark.parametrize("room", [None, BYTES, BYTES - 1, 30, 1])
def test_tensors_are_read_as_they_were_written(room):
    memory = None if room is None else memoryview(bytearray(room))
    raw = a_message(memory)
    assert all(map(torch.equal, read(raw, memory), SENT))
    in_memory = room == BYTES
    assert (len(raw) < bytes_of(raw)) == in_memory
    assert bytes_of(raw) > BYTES


def test_what_changes_after_it_was_settled_goes_as_it_was():
    for memory in (None, memoryview(bytearray(30)), memoryview(bytearray(1000))):
        request = pb.Request(number=1)
        tensors = Tensors(request, memory=lambda memory=memory: memory)
        changing = torch.arange(6.0)
        tensors.add(changing)
        tensors.settle()
        tensors.add(changing.zero_())
        raw = pack(request, tensors)
        then, now = read(raw, memory)
        assert torch.equal(then, torch.arange(6.0))
        assert torch.equal(now, torch.zeros(6))


def test_a_tensor_that_lies_in_steps_is_written_value_by_value():
    request = pb.Request(number=1)
    tensors = Tensors(request)
    turned, one = torch.arange(6.0).reshape(2, 3).T, torch.tensor(2.5)
    tensors.add(turned)
    tensors.add(one)
    found = read(pack(request, tensors))
    assert torch.equal(found[0], turned)
    assert torch.equal(found[1], one)


def test_memory_is_read_only_where_there_is_some_and_no_further_than_it_goes():
    memory = memoryview(bytearray(1000))
    raw = a_message(memory)
    with pytest.raises(Unreadable, match="does not begin with its checksum"):
        read(raw)
    with pytest.raises(Unreadable, match="not all there"):
        read(raw, memory[: BYTES - 1])
    more = raw[:1] + (2**60).to_bytes(8, "little") + raw[9:]
    with pytest.raises(Unreadable, match="belong to no tensor"):
        read(more, memory)
    with pytest.raises(Unreadable):
        read(raw[:4], memory)
