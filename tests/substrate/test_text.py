"""Text from elsewhere cannot act where it is shown."""

import io
import json

import pytest
from rich.table import Table
from rich.text import Text

from substrate.terminal import Console
from substrate.text import for_plot, one_line, plain

HOSTILE = "a\x1b[31m\x1b]8;;http://x\x1b\\\r\0\x7f\x9b31m\u202eb\u2028\udcff\U000e0041[/]:boom:"


def acts(text: str) -> list[str]:
    return [c for c in text if c != "\n" and not c.isprintable()]


def test_controls_are_written_out() -> None:
    assert plain("a\x1bb\u202ec\udcff\x7f\U000e0041") == (
        r"a\u001bb\u202ec\udcff\u007f\udb40\udc41"
    )
    assert not acts(plain(HOSTILE))
    plain(HOSTILE).encode()


@pytest.mark.parametrize("text", ["plain", "two\nlines\tand a tab", "σ² = 1 µV 日本 🚀"])
def test_all_else_stays(text: str) -> None:
    assert plain(text) == text


def test_json_says_the_same() -> None:
    written = json.dumps({HOSTILE: [HOSTILE]}, indent=2, ensure_ascii=False)
    assert json.loads(plain(written)) == json.loads(json.dumps({HOSTILE: [HOSTILE]}))


def test_a_message_is_one_line() -> None:
    assert one_line("a\n  b\r\nc\u2028d  e") == "a b c d  e"


def test_neither_markup_nor_controls_reach_the_terminal(monkeypatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    console = Console(force_terminal=True)
    console.file = io.StringIO()
    table = Table(HOSTILE, title=HOSTILE)
    table.add_row(HOSTILE)
    for each in (HOSTILE, table, Text(HOSTILE)):
        console.print(each, soft_wrap=True)
    console.rule(HOSTILE)
    shown = console.file.getvalue()
    assert shown.count("[/]:boom:") >= 3
    assert "\x1b]8" not in shown
    assert "\x1b[31m" not in shown  # styles of ours there may be
    for each in "\r\0\x7f\x9b\u202e\u2028":
        assert each not in shown


def test_a_dollar_is_no_formula() -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure()
    figure.text(0, 0, for_plot(r"$\frac{$" + HOSTILE.replace("\udcff", "")))
    FigureCanvasAgg(figure).draw()
