"""Requests that no learner sends: spoiled, misshapen, huge and out of place."""

from __future__ import annotations

import os
import queue
import random
import struct
from collections import Counter

import google_crc32c
import grpc
import torch

from substrate.wire import chip_pb2 as pb
from substrate.wire.frames import Tensors, pack, unpack
from substrate.wire.server import SERVICE, SESSION

_SHAPES = [(), (0,), (1,), (12,), (3, 64), (3, 12), (12, 64), (11, 12), (2, 3, 4), (1, 10)]
_WHAT = [field.name for field in pb.Request.DESCRIPTOR.oneofs_by_name["what"].fields]
_ORDERS = [field.name for field in pb.Order.DESCRIPTOR.oneofs_by_name["what"].fields]
_NUMBERS = [-1, 0, 1, 2, 3, 7, 2**31 - 1, -(2**31)]


def a_request(chance: random.Random, number: int) -> bytes:
    """A request of some kind with values of all kinds in it, perhaps spoiled as bytes."""
    request = pb.Request(number=number)
    tensors = Tensors(request)
    for _ in range(chance.randrange(5)):
        value = chance.choice([0.1, 0.1, 0.1, float("nan"), float("inf"), 1e38])
        dtype = chance.choice([torch.float32] * 4 + [torch.float64, torch.int64, torch.uint8])
        shape = chance.choice(_SHAPES)
        filled = value if dtype.is_floating_point else 1
        tensors.add(torch.full(shape, filled, dtype=dtype))
    for _ in range(chance.randrange(3)):
        order = getattr(request.orders.add(), chance.choice(_ORDERS))
        order.SetInParent()
        _fill(chance, order, 0)
    if chance.random() < 0.7:
        what = getattr(request, chance.choice(_WHAT))
        what.SetInParent()
        _fill(chance, what, 0)
    raw = pack(request, tensors)
    kind = chance.random()
    if kind < 0.15:
        spoiled = bytearray(raw)
        for _ in range(chance.randrange(1, 6)):
            spoiled[chance.randrange(len(spoiled))] ^= 1 << chance.randrange(8)
        raw = bytes(spoiled)
    elif kind < 0.25:
        raw = raw[: chance.randrange(len(raw))]
    elif kind < 0.3:
        raw = chance.randbytes(chance.randrange(200))
    elif kind < 0.4:
        # with a checksum that fits what is wrong
        body = bytearray(raw[5:])
        for _ in range(chance.randrange(1, 6)):
            if body:
                body[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
        raw = b"\x0d" + struct.pack("<I", google_crc32c.value(bytes(body))) + bytes(body)
    return raw


def _fill(chance: random.Random, message, depth: int) -> None:
    for field in message.DESCRIPTOR.fields:
        if chance.random() < 0.3 or depth > 4:
            continue
        count = chance.randrange(4) if field.is_repeated else 1
        for _ in range(count):
            if field.message_type is not None:
                value = getattr(message, field.name)
                value = value.add() if field.is_repeated else value
                value.SetInParent()
                _fill(chance, value, depth + 1)
                continue
            value = _value(chance, field)
            if field.is_repeated:
                getattr(message, field.name).append(value)
            else:
                setattr(message, field.name, value)


def _value(chance: random.Random, field):
    if field.cpp_type in (field.CPPTYPE_DOUBLE, field.CPPTYPE_FLOAT):
        return chance.choice([0.0, 0.1, -1.0, float("nan"), float("inf"), 1e300])
    if field.cpp_type == field.CPPTYPE_STRING:
        return chance.choice(["", "x", "../../etc/passwd", "0" * 40, "\0"])
    if field.cpp_type == field.CPPTYPE_BOOL:
        return chance.random() < 0.5
    if field.cpp_type == field.CPPTYPE_ENUM:
        return chance.randrange(6)
    number = chance.choice(_NUMBERS)
    unsigned = field.cpp_type in (field.CPPTYPE_UINT32, field.CPPTYPE_UINT64)
    return abs(number) if unsigned else number


def fuzz(address: str, count: int, seed: int, pid: int | None = None) -> tuple[Counter, list[int]]:
    """Send so many; gives how they were answered, and the server's memory on the way, in bytes.

    Raises:
        grpc.RpcError: one was not answered in 30 seconds, or the server is gone.
    """
    chance = random.Random(seed)
    answers: Counter[str] = Counter()
    memory: list[int] = []
    channel = grpc.insecure_channel(address)
    drive = channel.stream_stream(f"/{SERVICE}/Drive")
    lease = channel.unary_unary(f"/{SERVICE}/Lease")
    session = f"{chance.getrandbits(128):032x}"
    lease(pack(pb.LeaseRequest(holder="fuzz", session=session)), timeout=30)
    number = 0
    outgoing: queue.SimpleQueue = queue.SimpleQueue()
    replies = None
    for at in range(count):
        if replies is None:
            outgoing = queue.SimpleQueue()
            replies = drive(iter(outgoing.get, None), metadata=((SESSION, session),), timeout=600)
            begin = [pb.Order(begin=pb.Begin(seed=0))]
            outgoing.put(pack(pb.Request(number=number + 1, orders=begin)))
            number += 1
        if chance.random() < 0.05:
            method = chance.choice(["Describe", "Health", "Lease", "Release", "Nothing"])
            raw = chance.randbytes(chance.randrange(60))
            try:
                channel.unary_unary(f"/{SERVICE}/{method}")(raw, timeout=30)
                answers[f"{method} answered"] += 1
            except grpc.RpcError as problem:
                answers[_status(problem)] += 1
            continue
        asked = chance.choice([number + 1] * 8 + [0, number, number + 5])
        # whether it is taken for the next request is not known, so two questions follow it: the
        # second is answered in either case, and after it
        last = number + 2
        outgoing.put(a_request(chance, asked))
        for each in (number + 1, last):
            outgoing.put(pack(pb.Request(number=each, wait=pb.Wait())))
        try:
            reply = pb.Reply()
            while reply.number != last:
                reply, _ = unpack(pb.Reply, next(replies))
                told = reply.HasField("problem")
                answers[pb.Problem.Kind.Name(reply.problem.kind) if told else "done"] += 1
            number = last
        except grpc.RpcError as problem:
            answers[_status(problem)] += 1
            replies = None
            number = _done(lease, channel, session)
        if at % 100 == 0:
            memory.append(_resident(pid or os.getpid()))
    channel.close()
    return answers, memory


def _status(problem: grpc.RpcError) -> str:
    """Name the status that was the answer; a deadline that passed is none."""
    if problem.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
        raise problem
    return problem.code().name


def _done(lease, channel, session: str) -> int:
    lease(pack(pb.LeaseRequest(holder="fuzz", session=session)), timeout=30)
    health, _ = unpack(
        pb.HealthReply,
        channel.unary_unary(f"/{SERVICE}/Health")(pack(pb.HealthRequest()), timeout=30),
    )
    return health.requests


def _resident(pid: int) -> int:
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
