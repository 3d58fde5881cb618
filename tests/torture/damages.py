"""Damaged run folders: each is refused in one line, or ends as the undisturbed run did.

python -m tests.torture.damages 1000      so many random damages beside the systematic ones
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from substrate.record.folder import METRICS, SCENARIO, UNITS
from substrate.record.unit import CHECKPOINT
from tests.torture.damaged_folders import FILES, METRICS_OF_UNIT, Damage, Folders, place
from tests.torture.runs import store_of

torch.set_num_threads(1)


def systematic(folders: Folders) -> Iterator[tuple[str, Damage]]:
    """Everything that can be thought of, by name."""
    yield "nothing", lambda folder: None
    yield from _other_runs(folders)
    yield from _edited_scenarios(folders)
    yield from _metrics(folders)
    yield from _checkpoints(folders)
    yield from _data(folders)
    for name in FILES:
        yield f"{name} is empty", lambda folder, name=name: place(folder, name).write_bytes(b"")
        yield f"{name} is a folder", lambda folder, name=name: _folder(place(folder, name))
        yield f"{name} is missing", lambda folder, name=name: place(folder, name).unlink()
        for bits in ("0", "half", "last"):
            yield (
                f"{name} is cut: {bits}",
                lambda folder, name=name, bits=bits: _cut(place(folder, name), bits),
            )
    yield "the store is missing", lambda folder: shutil.rmtree(store_of(folder))
    for text in ("", "{", "[]", '{"status": "complete"}', "\x00"):
        yield (
            f"summary.json is {text!r}",
            lambda folder, text=text: (folder / "summary.json").write_text(text),
        )
    yield "summary.json is a folder", lambda folder: _folder(folder / "summary.json")
    yield (
        "summary.json of a complete run",
        lambda folder: shutil.copy(folders.whole / "summary.json", folder),
    )
    yield (
        "an unfinished checkpoint",
        lambda folder: (
            place(folder, CHECKPOINT).with_name(f".{CHECKPOINT}.a.unfinished").write_bytes(b"half")
        ),
    )


def _turned_over(tensor: torch.Tensor) -> torch.Tensor:
    return ~tensor if tensor.dtype == torch.bool else 255 - tensor


def random_damages(folders: Folders, count: int, seed: int) -> Iterator[tuple[str, Damage]]:
    """Flipped bits, cuts, and overwritten and doubled parts, at random places of random files."""
    draw = random.Random(seed)
    for number in range(count):
        name = draw.choice([CHECKPOINT, *FILES])
        size = place(folders.stopped, name).stat().st_size
        at, length = draw.randrange(size), draw.choice([1, 2, 8, 64])
        kind = draw.choice(["flip", "flip", "flip", "cut", "zero", "double", "drop"])

        def damage(
            folder: Path, name=name, at=at, length=length, kind=kind, bit=number % 8
        ) -> None:
            content = bytearray(place(folder, name).read_bytes())
            if kind == "flip":
                content[at] ^= 1 << bit
            elif kind == "cut":
                del content[at:]
            elif kind == "zero":
                content[at : at + length] = bytes(len(content[at : at + length]))
            elif kind == "double":
                content[at:at] = content[at : at + length]
            else:
                del content[at : at + length]
            place(folder, name).write_bytes(content)

        yield f"{name}: {kind} {length} at {at}", damage


def _other_runs(folders: Folders) -> Iterator[tuple[str, Damage]]:
    others = {
        "another seed": folders.stop("seed", "--seeds", "7,1"),
        "another rate": folders.stop(
            "rate", "--set", "arms.native.learning.optimiser.learning_rate=0.04"
        ),
        "another moment": folders.stop("moment", after=5),  # an arm has ended
        "the same again": folders.stop("again"),
    }
    for kind, other in others.items():
        for names in (*([name] for name in FILES), [CHECKPOINT, METRICS_OF_UNIT], [METRICS, UNITS]):
            yield (
                f"{' and '.join(names)} of {kind}",
                lambda folder, other=other, names=names: [
                    shutil.copy(place(other, name), place(folder, name)) for name in names
                ],
            )


def _edited_scenarios(folders: Folders) -> Iterator[tuple[str, Damage]]:
    settings = yaml.safe_load((folders.stopped / SCENARIO).read_text())
    for path, value in _leaves(settings):
        for edited in _near(value):

            def edit(folder: Path, path=path, edited=edited) -> None:
                changed = yaml.safe_load((folder / SCENARIO).read_text())
                *above, last = path
                part: Any = changed
                for key in above:
                    part = part[key]
                part[last] = edited
                (folder / SCENARIO).write_text(yaml.safe_dump(changed, sort_keys=False))

            yield f"{'.'.join(map(str, path))}: {value} -> {edited}", edit


def _leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in parts:
        if isinstance(each, dict | list):
            yield from _leaves(each, (*path, key))
        else:
            yield (*path, key), each


def _near(value: Any) -> list[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int | float):
        return [value + 1, 2 * value, value / 4] if value else [1, 0.125]
    return [f"{value}x"]


def _metrics(folders: Folders) -> Iterator[tuple[str, Damage]]:
    def lines(change: Callable[[list[bytes]], object]) -> Damage:
        def damage(folder: Path) -> None:
            found = (folder / METRICS).read_bytes().splitlines(keepends=True)
            change(found)
            (folder / METRICS).write_bytes(b"".join(found))

        return damage

    def alter(found: list[bytes], n: int, figure: str, value: object) -> None:
        found[n] = json.dumps({**json.loads(found[n]), figure: value}).encode() + b"\n"

    count = (folders.stopped / METRICS).read_bytes().count(b"\n")
    for n in range(count):
        yield f"line {n} removed", lines(lambda found, n=n: found.pop(n))
        yield f"line {n} doubled", lines(lambda found, n=n: found.insert(n, found[n]))
        yield f"line {n} to the end", lines(lambda found, n=n: found.append(found.pop(n)))
        for figure, value in (("test_accuracy", 1.0), ("seed", 1), ("arm", "hot"), ("epoch", 0)):
            yield (
                f"line {n}: {figure}",
                lines(lambda found, n=n, f=figure, v=value: alter(found, n, f, v)),
            )
    yield "a line more", lines(lambda found: found.append(found[-1]))
    yield "half a line more", lines(lambda found: found.append(found[-1][:20]))
    yield "reversed", lines(lambda found: found.reverse())
    yield "an empty line", lines(lambda found: found.insert(2, b"\n"))
    yield "CRLF", lines(lambda found: found.__setitem__(0, found[0][:-1] + b"\r\n"))
    yield "a byte-order mark", lines(lambda found: found.insert(0, b"\xef\xbb\xbf"))


def _checkpoints(folders: Folders) -> Iterator[tuple[str, Damage]]:
    from safetensors import safe_open
    from safetensors.torch import save_file

    def rewrite(change: Callable[[dict[str, torch.Tensor], dict[str, str]], object]) -> Damage:
        def damage(folder: Path) -> None:
            with safe_open(place(folder, CHECKPOINT), "pt") as file:
                tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
                metadata = dict(file.metadata())
            change(tensors, metadata)
            save_file(tensors, place(folder, CHECKPOINT), metadata)

        return damage

    with safe_open(place(folders.stopped, CHECKPOINT), "pt") as file:
        names = list(file.keys())
    for name in names:
        yield f"tensor {name} missing", rewrite(lambda tensors, _, name=name: tensors.pop(name))
        yield (
            f"tensor {name} turned over",
            rewrite(lambda tensors, _, n=name: tensors[n].copy_(_turned_over(tensors[n]))),
        )
    for key, value in (("progress", "{}"), ("progress", ""), ("sha256", "0"), ("sha256", "")):
        yield (
            f"metadata {key} {value!r}",
            rewrite(lambda _, found, key=key, value=value: found.update({key: value})),
        )
    for word in ('"key":', '"format":1', "metrics_sha256", "metrics_bytes"):
        yield (
            f"progress without {word}",
            rewrite(
                lambda _, found, w=word: found.update(progress=found["progress"].replace(w, ""))
            ),
        )
    yield "bytes more", lambda folder: place(folder, CHECKPOINT).open("ab").write(b"more")
    yield "pickle", lambda folder: torch.save({"weights": torch.ones(3)}, place(folder, CHECKPOINT))


def _data(folders: Folders) -> Iterator[tuple[str, Damage]]:
    path = folders.root / "data.npz"

    def arrays(change: Callable[[dict[str, Any]], object]) -> Damage:
        def damage(_: Path) -> None:
            with np.load(path) as file:
                found = dict(file)
            change(found)
            np.savez(path, **found)

        return damage

    yield "the data written again", arrays(lambda found: None)
    for key in ("x_train", "x_test"):
        yield f"a value of {key}", arrays(lambda found, k=key: found[k].__setitem__((3, 2), 0.5))
    for key in ("y_train", "y_test"):
        yield f"a label of {key}", arrays(lambda found, k=key: found[k].__setitem__(0, 2))
    yield (
        "a sample less",
        arrays(lambda found: found.update(x_test=found["x_test"][1:], y_test=found["y_test"][1:])),
    )
    yield (
        "another order",
        arrays(
            lambda found: found.update(
                x_train=found["x_train"][::-1], y_train=found["y_train"][::-1]
            )
        ),
    )


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _cut(path: Path, where: str) -> None:
    content = path.read_bytes()
    keep = {"0": 1, "half": len(content) // 2, "last": len(content) - 1}[where]
    path.write_bytes(content[:keep])


def main(count: int) -> int:
    """Try all damages; gives how many fell short."""
    with tempfile.TemporaryDirectory() as root:
        folders = Folders(Path(root))
        found = Counter[str]()
        for name, damage in [*systematic(folders), *random_damages(folders, count, seed=0)]:
            outcome = folders.outcome(damage)
            found[outcome.partition(":")[0]] += 1
            if outcome not in ("refused", "same"):
                print(f"{name}: {outcome}")
    short = found.total() - found["refused"] - found["same"]
    print(f"{found.total()} damaged run folders: {dict(found)}; {short} fell short")
    return short


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200) > 0)
