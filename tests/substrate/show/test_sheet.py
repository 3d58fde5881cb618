"""Sheets of panels: what stands on their axes can be read."""

import itertools

import pytest
from matplotlib.axes import Axes

from substrate.show.sheet import draw_sheet

RANGES = {
    "three quarters of a decade": (6e-6, 4e-5),
    "a few percent": (4.98, 5.11),
    "one point": (5.1, 5.1),
    "a decade": (1.0, 10.0),
    "four decades": (0.3, 3e3),
    "thirty decades": (1e-20, 1e10),
}


@pytest.mark.parametrize("ends", RANGES.values(), ids=RANGES)
@pytest.mark.parametrize("scale", ["log", "linear"])
def test_labels_of_ticks_do_not_stand_on_each_other(ends, scale):
    drawn: list[Axes] = []

    def panel(axes: Axes) -> None:
        axes.plot(ends, ends, "o")
        axes.set(xscale=scale, yscale=scale)
        drawn.append(axes)

    assert draw_sheet("title", [("a = 1", "")], [panel] * 3).startswith(b"\x89PNG")
    for axes in drawn:
        for axis in (axes.xaxis, axes.yaxis):
            ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
            low, high = sorted(axis.get_view_interval())
            boxes = [
                tick.label1.get_window_extent()
                for tick in ticks
                if tick.label1.get_text() and low <= tick.get_loc() <= high
            ]
            assert len(boxes) >= 2
            assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
