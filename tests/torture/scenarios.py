"""Mutated scenarios: each must be valid, or be refused in one line that says where.

    python -m tests.torture.scenarios --count 50000 --seed 0

A mutation follows from the seed and its number alone; `--only N` runs one and shows its text.
A process that dies or takes too long costs one mutation, not the rest.
"""

from __future__ import annotations

import argparse
import copy
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from tests.torture.workers import Try, place, tell_short, torture

SECONDS = 60
ROOT = Path(__file__).parents[2]

# What YAML, Python, pydantic, aihwkit or a terminal might choke on, as it stands in a file.
NASTY = r"""
~|true|yes|on|=|<<|''|[]|{}|-|"\0"|"\e[31m"|"\u202e"|"\ud83d"|"\U0001F680"|"\UFFFFFFFF"|"x[/]"|🚀
0|-0|-1|1e-320|1e308|1e999|.nan|-.inf|nan|inf|0x|0b1|0o7|1_0|1:1|12:30:45|1.|.5|+.inf|1e|9999999999
9223372036854775808|-9223372036854775809|1e400|0.1|0.9999999999999999|1.0000000000000002|1000000
!!int ''|!!int x|!!float ''|!!bool 7|!!null x|!!str 7|!!binary aGk=|!!set {a}|!!omap [a: 1]
!!timestamp 2026-01-01|!!python/object/apply:os.system [x]|!custom x|!!int 0x|!!merge x|! x
&a [*a]|&a {b: *a}|&a {<<: *a}|*nowhere|&a|{<<: 3}|{<<: [1]}|{? [a]: b}|{1: 2}|{a: 1, a: 2}
{null: 1}|[1]|[[1]]|[null]|{a: b}|[nan]|{class: 1}|{class: ConstantStepDevice}|[{class: x}]|[{}]
{"": 1}|digits|mnist|npz|gaussian|image_folder|sarcos|ideal|aihwkit|native|custom|sgd|adam|bp|danp
inp|sign|lab.py:X|nowhere.py:X|~nobody/x.py:X|os:system|"a\0b.py:X"|:|a:|:b|..:x|../x.py:Y|/dev/zero|/|~|$X
${|EcRamPreset|IdealizedPreset|GokmenVlasovPreset|PCMPreset|TorchInferenceRPUConfig|InferenceRPUConfig
{staircase: 2}|{staircase: 1}|{conv: 1}|{conv: 4, kernel: 0}|flatten|{crossbar: native}|{rule: np}
{model: gaussian, at: output}|{model: trace, at: input, path: /dev/null, sampling_rate: 1}|tang_2018
"""
TOKENS = [token for line in NASTY.strip().splitlines() for token in line.split("|")]
TOKENS += ["9" * 5000, "0x" + "f" * 5000, "1" + ":1" * 400, "[" * 500, "x" * 100_000, "- " * 500]
CHARACTERS = [*"\t\r\n:#&*!|>'\"%@`,[]{}?-<=~ \\", "\0", "\x1b", "\x85", "\ufeff", "\u2028", "é"]

Mutation = Callable[[random.Random, str, list[Any]], str | bytes]


def shipped() -> list[str]:
    """The texts that mutations begin from."""
    paths = sorted((ROOT / "scenarios").rglob("*.yaml"))
    return [path.read_text() for path in paths if path.parent.name != "studies"]


def mutated(seed: int, number: int, texts: list[str], trees: list[Any]) -> bytes:
    """One mutation: a few changes of a shipped scenario, of its tree, its text or both."""
    rng = random.Random(f"{seed}:{number}")
    which = rng.randrange(len(texts))
    text = texts[which]
    kind = rng.choice(["tree", "text", "both"])
    if kind != "text":
        text = _changed_tree(rng, copy.deepcopy(trees[which]), trees)
    if kind != "tree":
        for _ in range(rng.choice([1, 1, 1, 2, 5])):
            text = rng.choice([_characters, _lines, _token_for_word, _cut])(rng, text)
    data = text.encode("utf-8", "surrogatepass")
    if rng.random() < 0.03:
        place = rng.randrange(len(data) + 1)
        data = data[:place] + bytes(rng.randrange(256) for _ in range(rng.randrange(1, 4))) + data
    return data


def _changed_tree(rng: random.Random, tree: Any, trees: list[Any]) -> str:
    tokens: dict[str, str] = {}

    def token() -> str:
        name = f"TOKEN{len(tokens)}TOKEN"
        tokens[name] = rng.choice(TOKENS)
        return name

    for _ in range(rng.choice([1, 1, 1, 2, 3, 8])):
        container, key = rng.choice(_places(tree))
        other_container, other_key = rng.choice(_places(rng.choice([tree, *trees])))
        other = copy.deepcopy(other_container[other_key])
        kind = rng.randrange(8)
        if kind <= 2:
            container[key] = token()
        elif kind == 3:
            container[key] = other
        elif kind == 4 and isinstance(container, dict):
            del container[key]
        elif kind == 5 and isinstance(container, dict):
            container[rng.choice([token(), key + "x", key[1:], str(other_key)])] = container[key]
        elif kind == 6:
            container[key] = rng.choice(
                [[container[key]] * rng.randrange(4), {"a": container[key]}]
            )
        elif isinstance(container[key], int | float):
            container[key] = container[key] * rng.choice([-1, 0, 1e-9, 1e9, 0.5, 1e300])
        if not _places(tree):
            break
    dumped = yaml.safe_dump(
        tree, sort_keys=False, default_flow_style=rng.choice([None, False, True]), width=10**9
    )
    return re.sub(r"TOKEN\d+TOKEN", lambda found: tokens[found[0]], dumped)


def _places(tree: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    below = [tree]
    while below:
        container = below.pop()
        pairs = container.items() if isinstance(container, dict) else enumerate(container)
        for key, value in pairs:
            found.append((container, key))
            if isinstance(value, dict | list):
                below.append(value)
    return found


def _characters(rng: random.Random, text: str) -> str:
    place = rng.randrange(len(text) + 1)
    end = place + rng.choice([0, 0, 1, 3])
    return text[:place] + rng.choice(["", *CHARACTERS]) + text[end:]


def _lines(rng: random.Random, text: str) -> str:
    lines = text.split("\n")
    here, there = rng.randrange(len(lines)), rng.randrange(len(lines))
    kind = rng.randrange(4)
    if kind == 0:
        lines[here], lines[there] = lines[there], lines[here]
    elif kind == 1:
        lines.insert(there, lines[here])
    elif kind == 2:
        del lines[here]
    else:
        lines[here] = " " * rng.randrange(6) + lines[here].lstrip()
    return "\n".join(lines)


def _token_for_word(rng: random.Random, text: str) -> str:
    words = list(re.finditer(r"[^\s\[\]{},:]+", text))
    if not words:
        return rng.choice(TOKENS)
    word = rng.choice(words)
    return text[: word.start()] + rng.choice(TOKENS) + text[word.end() :]


def _cut(rng: random.Random, text: str) -> str:
    start, end = sorted(rng.randrange(len(text) + 1) for _ in range(2))
    return text[:start] if rng.random() < 0.3 else text[:start] + text[end:]


def outcome(path: Path, number: int) -> str:
    """`valid`, `refused`, or in words what fell short."""
    from substrate.plugins import Trust, trusting
    from substrate.scenario.load import load_scenario, resolved
    from substrate.scenario.source import ScenarioError

    budget = "short" if number % 3 == 0 else "full"
    try:
        with trusting(Trust.NOTHING):
            scenario, _ = load_scenario(path, budget=budget)
            text = resolved(scenario)
            again = path.with_name("resolved.yaml")
            again.write_text(text, encoding="utf-8")
            if resolved(load_scenario(again)[0]) != text:
                return "valid, and its resolved form is read as another"
    except ScenarioError as problem:
        said = str(problem)
        if path.name not in said:
            return f"refused without its file: {said[:300]}"
        if problem.line is None and problem.field is None and len(said) > 600:
            return f"refused at length: {said[:300]}"
        return "refused"
    except Exception as problem:
        return f"{type(problem).__name__}: {str(problem)[:200]!r} at {place(problem)}"
    return "valid"


@contextmanager
def prepared(seed: int) -> Iterator[Try]:
    """Make ready to try mutations of this seed."""
    texts = shipped()
    trees = [yaml.safe_load(text) for text in texts]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mutated.yaml"
        (Path(folder) / "lab.py").write_text("X = 1\n")

        def attempt(number: int) -> tuple[str, str]:
            path.write_bytes(mutated(seed, number, texts, trees))
            return "scenarios", outcome(path, number)

        yield attempt


def main() -> int:
    """Say what was tried and what fell short."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int)
    options = parser.parse_args()
    if options.only is not None:
        texts = shipped()
        trees = [yaml.safe_load(text) for text in texts]
        sys.stdout.buffer.write(mutated(options.seed, options.only, texts, trees))
        return 0
    from substrate.scenario.load import load_scenario

    load_scenario(ROOT / "scenarios" / "crossbar_danp.yaml")  # imports, once for all processes
    started = time.monotonic()
    by_kind, short = torture(partial(prepared, options.seed), options.count, SECONDS)
    ends: Counter[str] = sum(by_kind.values(), Counter())
    print(
        f"scenarios: {sum(ends.values()):,} mutations (seed {options.seed}) in"
        f" {time.monotonic() - started:.0f} s: {ends['valid']:,} valid, {ends['refused']:,} refused"
        f" in one line, {ends['short']:,} fell short"
    )
    tell_short(short)
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
