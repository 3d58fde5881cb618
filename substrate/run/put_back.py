"""Units of a run folder, back into the store from which they have been pruned."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from substrate.files import write_atomically
from substrate.record import RecordError
from substrate.record.folder import METRICS, OUTCOMES, UNITS, epochs, read_metrics
from substrate.record.unit import ARM, ENDED, OUTCOME, UNIT, RunRecord
from substrate.run.outcomes import encoded_outcome, load_outcomes
from substrate.run.store import Store, is_ended
from substrate.run.unit_settings import Unit


def put_back(folder: Path, record: RunRecord, units: Sequence[Unit], store: Store) -> None:
    """Put ended units of a run back into the store where they are no longer there.

    Args:
        folder: of the run.
        record: of its units.
        units: that are wanted now; others are left out.
        store: of units.

    Raises:
        RecordError: the folder does not hold what the record counted.
        OSError: the store cannot be written.
    """
    wanted = {unit.key: unit for unit in units}
    missing = [
        each
        for each in record.units
        if each.end.key in wanted and not is_ended(store.folder(each.end.key))
    ]
    if not missing:
        return
    rows = epochs(read_metrics(folder), folder / METRICS)
    outcomes = load_outcomes(folder)
    for each in missing:
        lines = b"".join(
            row.model_copy(update={"arm": ARM}).as_line()
            for row in rows
            if (row.arm, row.seed) == (each.arm, each.seed)
        )
        by_sample = outcomes.get(each.arm, {}).get(each.seed)
        content = b"" if by_sample is None else encoded_outcome(by_sample)
        for stated, data, name in (
            (each.end.metrics_sha256, lines, METRICS),
            (each.end.outcome_sha256, content, OUTCOMES),
        ):
            if hashlib.sha256(data).hexdigest() != stated:
                raise RecordError(
                    f"{folder / name}: is damaged: {each.arm} with seed {each.seed} is not what"
                    f" {UNITS} counted"
                )
        with store.held(each.end.key) as home:
            write_atomically(home / UNIT, wanted[each.end.key].record)
            write_atomically(home / METRICS, lines)
            if content:
                write_atomically(home / OUTCOME, content)
            write_atomically(home / ENDED, each.end.sealed())
