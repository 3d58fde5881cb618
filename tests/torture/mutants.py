"""Mutants of all that the conformance kit certifies: what is sound passes, each mutant fails.

    python -m tests.torture.mutants                     all of them
    python -m tests.torture.mutants --part 10           every tenth

Faults are made by code: every noise model and every kind of crossbar gets every fault that it may
have. The hand-made mutants of tests/substrate/verify say besides which check finds what.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
import warnings
from collections import Counter, defaultdict

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
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    began = time.monotonic()
    tried: dict[str, Counter[str]] = defaultdict(Counter)
    short = []
    every = itertools.chain(noise_mutants.mutants(), crossbar_mutants.mutants())
    for number, (name, fault, kit) in enumerate(every):
        if options.only not in f"{name}: {fault}" or (fault and number % options.part):
            continue
        found = first_failure(kit)
        right = bool(found) == bool(fault)
        tried[name]["sound" if not fault else "mutants"] += 1
        tried[name]["caught"] += bool(fault and found)
        if not right:
            short.append(
                f"{name}: {fault or 'sound, and accused'}{': ' if found else ''}{found[:300]}"
            )
    print(f"{'':34}{'mutants':>8}{'caught':>8}")
    for name, counts in tried.items():
        print(f"{name:34}{counts['mutants']:8}{counts['caught']:8}")
    total: Counter[str] = sum(tried.values(), Counter())
    print(
        f"{total['mutants']} mutants of {total['sound']} sound models and crossbars in"
        f" {time.monotonic() - began:.0f} s: {total['caught']} caught; {len(short)} fell short"
    )
    for each in short:
        print(f"  {each}")
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
