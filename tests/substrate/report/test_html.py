import base64
import re
from collections.abc import Callable
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread

from substrate.record.folder import read_run_folder
from substrate.record.summary import Summary
from substrate.report import write_report
from substrate.report.palette import DARK, LIGHT
from substrate.report.sentences import (
    verdict_in_words,
)

VOID = {"meta", "img", "source", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """Elements in document order with their text; refuses tags that do not nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        self.text += data

    def having(self, tag: str, css_class: str | None = None) -> list[dict[str, str | None]]:
        return [
            attributes
            for name, attributes in self.elements
            if name == tag
            and (css_class is None or css_class in (attributes.get("class") or "").split())
        ]

    def place(self, tag: str) -> int:
        return next(place for place, (name, _) in enumerate(self.elements) if name == tag)


@pytest.fixture
def render(leave_run: Callable[..., Path]) -> Callable[..., tuple[str, Page]]:
    def rendered(*run: Any) -> tuple[str, Page]:
        folder = leave_run(*run)
        html = write_report(folder, read_run_folder(folder)).read_text(encoding="utf-8")
        return html, Page(html)

    return rendered


@pytest.fixture
def interrupted(summary: Any, metrics: Any) -> tuple[Any, Any]:
    """Ctrl-C came in the second arm: one arm is whole, nothing can be compared."""
    summary["status"] = "interrupted"
    del summary["arms"]["danp_clean"]
    for name in ("test_accuracy", "train_accuracy", "test_loss", "train_loss"):
        summary["arms"]["bp"][name] = {"mean": None, "std": None, "values": []}
    summary["arms"]["bp"]["observed_noise"] = []
    summary["comparisons"] = []
    return summary, [row for row in metrics if row["arm"] == "crossbar"]


def kinds(request: pytest.FixtureRequest, kind: str) -> tuple[Any, Any]:
    found = request.getfixturevalue(kind)
    return found if isinstance(found, tuple) else (found, request.getfixturevalue("metrics"))


@pytest.mark.parametrize("kind", ["summary", "one_seed", "diverged", "interrupted", "regression"])
def test_page_stands_alone_with_the_verdict_first(
    kind: str, request: pytest.FixtureRequest, render: Callable[..., tuple[str, Page]]
) -> None:
    summary, metrics = kinds(request, kind)
    html, page = render(summary, metrics)
    assert "http:" not in html
    assert "https:" not in html
    assert not re.search(r"url\((?!['\"]?data:)", html)
    assert "@import" not in html
    for tag, attributes in page.elements:
        assert tag not in {"script", "link", "iframe", "object"}
        assert "href" not in attributes
        for name in ("src", "srcset"):
            assert (attributes.get(name) or "data:").startswith("data:image/png;base64,") or (
                name not in attributes
            )
    heading = page.place("h1")
    assert heading < page.place("h2") < page.place("table")
    reason = (
        verdict_in_words(Summary.model_validate(summary))
        .replace(" %", "\u00a0%")
        .replace("% CI", "%\u00a0CI")
    )
    assert page.text.index(summary["verdict"].capitalize()) < page.text.index(reason)
    assert all(image["alt"] for image in page.having("img"))
    assert all(cell.get("scope") for cell in page.having("th"))


def test_what_calls_for_doubt_in_the_data_stands_in_the_report(
    summary: Any, metrics: Any, render: Callable[..., tuple[str, Page]]
) -> None:
    said = "mine: 9 training and 4 test samples; 4 of the 4 test samples are training samples too"
    summary["data"]["understood"] = said
    assert said in render(summary, metrics)[1].text


def test_figures_are_those_of_the_summary(
    summary: Any, metrics: Any, render: Callable[..., tuple[str, Page]]
) -> None:
    _, page = render(summary, metrics)
    # Mean and sample deviation of 91.2, 92.1, 93.1 and of 96.7, 96.1, 96.9 by hand.
    assert "92.1 ± 1.0 %" in page.text
    assert "96.6 ± 0.4 %" in page.text
    # Differences 5.5, 4.0, 3.8: mean 4.433, standard error 0.536, times t 4.303.
    assert "4.4 points behind" in page.text
    assert "2.1 to 6.7" in page.text
    assert "81 s" in page.text


def test_gap_picture_is_to_scale(
    summary: Any, metrics: Any, render: Callable[..., tuple[str, Page]]
) -> None:
    _, page = render(summary, metrics)

    def at(value: str | None) -> float:
        assert value is not None
        return float(value.rstrip("%"))

    zero = at(page.having("line", "zero")[0]["x1"])
    tolerance = at(page.having("line", "tolerance")[0]["x1"])
    scale = (tolerance - zero) / summary["tolerance"]
    dots = [at(circle["cx"]) for circle in page.having("circle") if "%" in (circle["cx"] or "")]
    bars = [line for line in page.having("line") if "stroke-linecap" in line]
    for comparison, dot, bar in zip(summary["comparisons"], dots, bars, strict=True):
        assert dot == pytest.approx(zero + scale * comparison["gap"], abs=0.01)
        assert at(bar["x1"]) == pytest.approx(zero + scale * comparison["ci_low"], abs=0.01)
        assert at(bar["x2"]) == pytest.approx(zero + scale * comparison["ci_high"], abs=0.01)
        assert 0 <= at(bar["x1"]) < at(bar["x2"]) <= 100


def test_one_seed_has_a_gap_but_no_interval(
    one_seed: Any, metrics: Any, render: Callable[..., tuple[str, Page]]
) -> None:
    _, page = render(one_seed, [row for row in metrics if row["seed"] == 0])
    assert "5.5 points behind" in page.text
    assert page.text.count("no interval") == 2
    assert not [line for line in page.having("line") if "stroke-linecap" in line]
    assert "±" not in page.text.replace("Mean ± standard deviation", "")


def test_divergence_is_told(
    diverged: tuple[Any, Any], render: Callable[..., tuple[str, Page]]
) -> None:
    _, page = render(*diverged)
    assert "seed 1 diverged at epoch 5: loss is NaN" in page.text
    assert "2 of 3 seeds" in page.text
    assert page.text.count("no gap measured") == 2


def test_interruption_is_told_before_the_verdict(
    interrupted: tuple[Any, Any], render: Callable[..., tuple[str, Page]]
) -> None:
    html, page = render(*interrupted)
    assert page.having("p", "notice")
    assert html.index('class="notice"') < html.index("<h1>")


def test_updates_that_were_cut_short_stand_with_the_verdict(
    summary: Any, metrics: Any, render: Callable[..., tuple[str, Page]]
) -> None:
    summary["arms"]["crossbar"]["pulse_trains"] = {"looked_at": 12000, "cut_short": 372}
    html, page = render(summary, metrics)
    assert "crossbar: 3.1 % of its pulse trains were cut short" in page.text
    assert html.index("<h1>") < html.index("cut short") < html.index("gap-title")


def test_complete_run_has_no_notice(
    summary: Any, metrics: Any, render: Callable[..., tuple[str, Page]]
) -> None:
    _, page = render(summary, metrics)
    assert not page.having("p", "notice")


def test_hostile_text_stays_text(
    summary: Any, metrics: Any, render: Callable[..., tuple[str, Page]]
) -> None:
    hostile = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>&amp;{{7*7}}$x^2$"
    hostile += "\x1b[31m\0\u202e"
    for field in ("title", "description", "verdict_reason", "command", "network"):
        summary[field] = field + hostile
    summary["data"]["name"] = hostile
    summary["versions"][hostile] = hostile
    device = summary["arms"].pop("crossbar")
    device |= {"chip": hostile, "rule": hostile, "learning": hostile}
    device["diverged"] = [{"seed": 1, "epoch": 5, "what": hostile}]
    summary["arms"][hostile] = device
    for comparison in summary["comparisons"]:
        comparison |= {"arm": hostile, "reason": hostile}
    for row in metrics:
        row["arm"] = hostile if row["arm"] == "crossbar" else row["arm"]
    html, page = render(summary, metrics, f"title: {hostile}\n")
    assert not re.search("[\x00\x1b\u202e]", html)
    hostile = hostile.replace("\x1b", r"\u001b").replace("\0", r"\u0000")
    hostile = hostile.replace("\u202e", r"\u202e")
    assert not page.having("script")
    assert len(page.having("img")) == 2
    assert not any(name.startswith("on") for _, found in page.elements for name in found)
    assert page.text.count(hostile) > 10
    assert f"title: {hostile}" in page.text


def test_embedded_pictures_suit_their_scheme_and_width(
    summary: Any, metrics: Any, render: Callable[..., tuple[str, Page]]
) -> None:
    _, page = render(summary, metrics)
    offers = [(found["media"] or "", found["srcset"] or "") for found in page.having("source")]
    offers += [("", found["src"] or "") for found in page.having("img")]
    assert len(offers) == 8
    for media, uri in offers:
        pixels = imread(BytesIO(base64.b64decode(uri.partition(",")[2])), format="png")
        theme = DARK if "dark" in media else LIGHT
        corner = "#" + "".join(f"{round(255 * float(part)):02x}" for part in pixels[0, 0, :3])
        assert corner == theme.surface
        assert (pixels.shape[1] < 1000) == ("max-width" in media)
        assert np.ptp(pixels) > 0.5


def test_every_row_of_the_gaps_says_what_its_verdict_rests_on(
    summary: Any, metrics: Any, render: Callable[..., tuple[str, Page]]
) -> None:
    for number, row in enumerate(summary["comparisons"]):
        row["reason"] = f"reason of row {number}"
    summary["comparisons"][1]["baseline_doubted"] = True
    html, page = render(summary, metrics)
    rows = html.partition('<div class="gap">')[2].partition("</section>")[0].split('class="who"')
    assert ["reason of row 0" in row for row in rows] == [False, True, False]
    assert ["reason of row 1" in row for row in rows] == [False, False, True]
    assert "danp_clean is probably badly tuned" in page.text
