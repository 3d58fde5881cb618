"""Mutants of all that the conformance kit certifies: what is sound passes, each mutant fails.

    python -m tests.torture.mutants                     all of them
    python -m tests.torture.mutants --part 10           every tenth
    python -m tests.torture.mutants --without aihwkit   what takes little time

Faults are made by code: every noise model and every kind of crossbar gets every fault that it may
have. The hand-made mutants of tests/substrate/verify say besides which check finds what.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
import warnings
from collections import Counter

import torch

from substrate.verify import run_checks
from tests.torture import crossbar_mutants, noise_mutants

torch.set_num_threads(1)


def first_failure(kit: object) -> str:
    """Name the first check that fails, empty if none does."""
    failed = (each for each in run_checks(kit) if each.result == "failed")
    outcome = next(failed, None)
    return "" if outcome is None else f"{outcome.check}: {outcome.detail}"


def main() -> int:
    """Print a table of what was tried, and what slipped through or was wrongly accused."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", type=int, default=1, help="try one in so many")
    parser.add_argument("--only", default="", help="try those whose name holds this")
    parser.add_argument(
        "--without", action="append", default=[], help="leave out those whose name holds this"
    )
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    began = time.monotonic()
    total: Counter[str] = Counter()
    short = []
    numbers = itertools.count()
    every = itertools.chain(noise_mutants.mutants(), crossbar_mutants.mutants())
    print(f"{'':34}{'mutants':>8}{'caught':>8}")
    for name, mutants in itertools.groupby(every, lambda each: each[0]):
        here: Counter[str] = Counter()
        for _, fault, kit in mutants:
            left_out = bool(next(numbers) % options.part)
            title = f"{name}: {fault}"
            if (
                left_out
                or options.only not in title
                or any(each in title for each in options.without)
            ):
                continue
            found = first_failure(kit)
            here["mutants" if fault else "sound"] += 1
            here["caught"] += bool(fault and found)
            if bool(found) != bool(fault):
                what = fault or f"sound, and accused: {found[:300]}"
                short.append(f"{name}: {what}")
                print(f"  fell short: {short[-1]}", flush=True)
        if here:
            print(f"{name:34}{here['mutants']:8}{here['caught']:8}", flush=True)
        total += here
    print(
        f"{total['mutants']} mutants of {total['sound']} sound models and crossbars in"
        f" {time.monotonic() - began:.0f} s: {total['caught']} caught; {len(short)} fell short"
    )
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
