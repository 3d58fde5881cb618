"""Run folders as they are read to be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from substrate.record.folder import RunFolder, read_run_folder, read_run_record
from substrate.record.summary import Summary
from substrate.run.outcomes import BySample, load_outcomes
from substrate.scenario.source import ScenarioError


@dataclass(frozen=True, eq=False)
class ReadRun:
    """A run folder, and what is compared of it.

    Attributes:
        name: of the folder, with as much of its path as tells it from the others.
        folder: where it lies.
        content: what was read from it.
        outcomes: what became of each test sample, by arm and seed.
        data: SHA-256 of all its data; None in folders of before.
        units: by arm, what its units are; the same units are the same training.
    """

    name: str
    folder: Path
    content: RunFolder
    outcomes: Mapping[str, Mapping[int, BySample]] = field(repr=False)
    data: str | None
    units: Mapping[str, tuple[str, ...]]

    @property
    def summary(self) -> Summary:
        """What the run came to."""
        return self.content.summary

    def figures(self, arm: str) -> dict[int, float]:
        """The deciding metric at the end of training, of every seed that came so far."""
        summary = self.summary
        measure = summary.arms[arm].measure(summary.metric)
        values = [] if measure is None else measure.values
        ended = self.outcomes.get(arm, {}) if self.outcomes else {}
        return {
            seed: value
            for seed, value in zip(summary.seeds, values, strict=True)
            if value is not None
            and (seed in ended or (not self.outcomes and summary.status == "complete"))
        }


def read_runs(folders: Sequence[Path]) -> list[ReadRun]:
    """Read run folders.

    Raises:
        RecordError: one of them holds no run that has come to a summary, or is damaged.
        ScenarioError: a folder is named twice.
    """
    places = [folder.resolve() for folder in folders]
    for place, folder in zip(places, folders, strict=True):
        if places.count(place) > 1:
            raise ScenarioError("is named twice", file=str(folder))
    found = []
    for name, folder in zip(_names(places), folders, strict=True):
        content, record = read_run_folder(folder), read_run_record(folder)
        units: dict[str, tuple[str, ...]] = {}
        for each in record.units if record else ():
            units[each.arm] = (*units.get(each.arm, ()), each.end.key)
        data = record.origin.data if record else None
        found.append(ReadRun(name, folder, content, load_outcomes(folder), data, units))
    return found


def _names(places: Sequence[Path]) -> list[str]:
    """The shortest ends of the paths that differ."""
    for length in range(1, max(len(place.parts) for place in places) + 1):
        names = ["/".join(place.parts[-length:]) for place in places]
        if len(set(names)) == len(names):
            return names
    raise AssertionError(places)
