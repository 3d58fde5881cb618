"""The one way to the terminal: nothing that is shown can act there (`substrate.text`)."""

from __future__ import annotations

from collections.abc import Iterable

import typer
from rich import console as rich_console
from rich.segment import Segment

from substrate.text import plain


def tell(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Write text to the standard output, or to the standard error."""
    typer.echo(plain(text), err=err, nl=nl)


class Console(rich_console.Console):
    """rich's console without markup, emoji codes and guessed highlights."""

    def __init__(self, *, stderr: bool = False, force_terminal: bool | None = None) -> None:
        """Write to the standard output, or to the standard error."""
        super().__init__(
            stderr=stderr,
            force_terminal=force_terminal,
            markup=False,
            emoji=False,
            highlight=False,
        )

    def render(
        self,
        renderable: rich_console.RenderableType,
        options: rich_console.ConsoleOptions | None = None,
    ) -> Iterable[Segment]:
        """As rich's, in plain text; its own control codes come apart from text."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else plain(text), style, control)
