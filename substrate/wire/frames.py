"""Messages as bytes: tensors beside the message that speaks of them, and a checksum in front.

    [1: crc32c] [2: data, all tensors' bytes] [the other fields]

That is what protobuf makes of a message whose fields are written in the order of their numbers, so
any protobuf library reads and writes it. Here the bytes of tensors go past that library, since it
would copy each of them several times: a message is joined once, and a tensor is copied out once.

Two processes that share memory leave the data there, and say in front how much it is:

    [0] [bytes of data, 8 bytes] [1: crc32c] [the other fields]
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import google_crc32c
import numpy as np
import torch
from google.protobuf.message import DecodeError
from google.protobuf.message import Message as ProtobufMessage
from numpy.typing import NDArray
from torch import Tensor

from substrate.wire import chip_pb2 as pb

_DTYPES = {
    torch.float32: pb.FLOAT32,
    torch.float64: pb.FLOAT64,
    torch.int64: pb.INT64,
    torch.uint8: pb.UINT8,
}
_TORCH = {of_wire: of_torch for of_torch, of_wire in _DTYPES.items()}
_CRC_TAG, _DATA_TAG, _SHARED_TAG = b"\x0d", b"\x12", b"\x00"
_CRC_END, _SHARED_END = 5, 9
_MOST_AXES, _LONGEST = 8, 2**40

if sys.byteorder != "little":  # pragma: no cover
    raise ImportError("tensors travel as they lie in memory, which must be little-endian")

Message = TypeVar("Message", bound=ProtobufMessage)
Earlier = Callable[[int, bool, int], Tensor]
"""Gives an earlier tensor by the request's number, whether it was in the reply, and its place."""


class Unreadable(ValueError):
    """Bytes that are no message of this schema, or not what was sent."""


class Tensors:
    """The tensors of a message in the making; what is added twice travels once.

    Attributes:
        held: they, as long as they may not have changed.
        parts: the bytes of those that travel in the message.
        size: bytes of all that travel.
        shared: whether they lie in shared memory.
    """

    def __init__(
        self,
        message: pb.Request | pb.Reply,
        known: Mapping[object, tuple[int, bool, int]] | None = None,
        memory: Callable[[], memoryview | None] | None = None,
    ) -> None:
        """Start with none.

        Args:
            message: that tells of them.
            known: where the other side has which tensors already; it may change.
            memory: gives what is shared with the other side, if that may be written now.
        """
        self.held: list[Tensor] = []
        self.parts: list[NDArray[np.uint8]] = []
        self.size = 0
        self.shared = False
        self._told = message.tensors
        self._memory = memory
        self._free = memoryview(b"")
        self._settled = 0
        self._known = {} if known is None else known
        self._places: dict[object, int] = {}

    def add(self, tensor: Tensor) -> int:
        """Give the tensor's place in the message."""
        key = identity(tensor)
        if (place := self._places.get(key)) is not None:
            return place
        dtype = _DTYPES.get(tensor.dtype)
        if dtype is None:
            raise TypeError(f"a tensor of {tensor.dtype} cannot travel")
        place = len(self._told)
        told = self._told.add(dtype=dtype, shape=tensor.shape)
        if (earlier := self._known.get(key)) is not None:
            number, in_reply, at = earlier
            told.earlier.number, told.earlier.in_reply, told.earlier.place = number, in_reply, at
        elif tensor.numel():
            self._take(np.ascontiguousarray(tensor.numpy(force=True)))
        self._places[key] = place
        self.held.append(tensor)
        return place

    def _take(self, array: NDArray[Any]) -> None:
        if not self.size and self._memory is not None and (free := self._memory()) is not None:
            self.shared, self._free = True, free
        before, self.size = self.size, self.size + array.nbytes
        if self.shared and self.size > len(self._free):
            # more than there is memory for: all of it goes in the message
            self.parts, self.shared = [np.array(self._free[:before])], False
            self._settled = 1
        if self.shared:
            self._free[before : self.size] = array.data.cast("B")
        else:
            self.parts.append(array.reshape(-1).view(np.uint8))

    def settle(self) -> None:
        """Let what was added change from here on."""
        self.parts[self._settled :] = [each.copy() for each in self.parts[self._settled :]]
        self._settled = len(self.parts)
        # other tensors may come to lie where these have been
        self._places.clear()
        self.held.clear()


def identity(tensor: Tensor) -> object:
    """What two tensors share only if they hold the same values, as long as both are there."""
    return (tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype, tensor._version)


def pack(message: ProtobufMessage, tensors: Tensors | None = None) -> bytes:
    """Give a message with its tensors as bytes."""
    parts: list[Any] = []
    front = b""
    if tensors is not None and tensors.shared:
        front = _SHARED_TAG + tensors.size.to_bytes(8, "little")
    elif tensors is not None and tensors.parts:
        parts = [_DATA_TAG + _varint(tensors.size), *tensors.parts]
    parts.append(message.SerializeToString())
    crc = 0
    for part in parts:
        crc = google_crc32c.extend(crc, part)
    return b"".join([front, _CRC_TAG, crc.to_bytes(4, "little"), *parts])


def bytes_of(raw: bytes) -> int:
    """Give the bytes of a message, with those of its tensors that lie in shared memory."""
    shared = int.from_bytes(raw[1:_SHARED_END], "little") if raw[:1] == _SHARED_TAG else 0
    return len(raw) + shared


def unpack(
    kind: type[Message], raw: bytes | None, memory: memoryview | None = None
) -> tuple[Message, memoryview]:
    """Read a message; gives the bytes of its tensors too, for `read_tensors`.

    Args:
        kind: of message.
        raw: its bytes.
        memory: that is shared with who sent it.

    Raises:
        Unreadable: the bytes are none, or were changed on the way.
    """
    shared = None
    if raw is not None and memory is not None and raw[:1] == _SHARED_TAG:
        shared = memory[: int.from_bytes(raw[1:_SHARED_END], "little")]
        raw = raw[_SHARED_END:]
    # gRPC gives none where a reply's status came through and its message did not
    if raw is None or raw[:1] != _CRC_TAG or len(raw) < _CRC_END:
        raise Unreadable("the message does not begin with its checksum")
    found = google_crc32c.value(np.frombuffer(raw, np.uint8, offset=_CRC_END)) if raw[5:6] else 0
    if found != int.from_bytes(raw[1:_CRC_END], "little"):
        raise Unreadable("the message was changed on the way: its checksum does not fit")
    start, end = _CRC_END, _CRC_END
    if raw[start : start + 1] == _DATA_TAG:
        start, size = _read_varint(raw, start + 1)
        end = start + size
        if end > len(raw):
            raise Unreadable(f"the message ends before its {size} bytes of data do")
    try:
        message = kind.FromString(raw[end:])
    except DecodeError as problem:
        raise Unreadable(f"the message is not of this schema: {problem}") from None
    if getattr(message, "data", b""):
        raise Unreadable("the message has its data not where it belongs, right behind the checksum")
    return message, memoryview(raw)[start:end] if shared is None else shared


def read_tensors(
    message: pb.Request | pb.Reply, data: memoryview, earlier: Earlier
) -> list[Tensor]:
    """Give the tensors of a message, each in memory of its own.

    Raises:
        Unreadable: the bytes do not fit what is told of them, or an earlier tensor is not there.
    """
    at = 0
    own: list[Tensor] = []
    for each in message.tensors:
        if each.HasField("earlier"):
            own.append(_repeated(each, own, earlier))
            continue
        of_torch, shape = _TORCH.get(each.dtype), tuple(each.shape)
        if of_torch is None or len(shape) > _MOST_AXES:
            raise Unreadable(f"tensor {len(own)} has no type that is known, or too many axes")
        end = at + math.prod(shape) * of_torch.itemsize
        if end > len(data) or max(shape, default=0) > _LONGEST:
            raise Unreadable(f"tensor {len(own)} of shape {shape} is not all there")
        # a copy that torch has allocated, so that sums over it go as in one process, bit for bit
        tensor = torch.empty(shape, dtype=of_torch)
        if end > at:
            tensor.numpy().data.cast("B")[:] = data[at:end]
        at = end
        own.append(tensor)
    if at != len(data):
        raise Unreadable(f"{len(data) - at} bytes of data belong to no tensor")
    return own


def _repeated(told: pb.Tensor, own: list[Tensor], earlier: Earlier) -> Tensor:
    ref = told.earlier
    if ref.number:
        tensor = earlier(ref.number, ref.in_reply, ref.place)
    elif ref.place < len(own):
        tensor = own[ref.place]
    else:
        raise Unreadable(f"tensor {len(own)} repeats tensor {ref.place}, a later one")
    if tuple(tensor.shape) != tuple(told.shape) or _DTYPES[tensor.dtype] != told.dtype:
        raise Unreadable("a tensor that is said to repeat another has another shape")
    return tensor


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _read_varint(raw: bytes, at: int) -> tuple[int, int]:
    """Give where it ends, and its value."""
    value = shift = 0
    while at < len(raw) and shift < 64:
        byte = raw[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return at, value
        shift += 7
    raise Unreadable("the message ends in the length of its data")
