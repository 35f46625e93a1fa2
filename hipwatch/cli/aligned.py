"""Rows of text whose columns line up, whether a terminal reads them or a pipe; a Chinese character takes two columns. Core."""

from collections.abc import Sequence

from rich.cells import cell_len


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """One line for each row; nothing is cut, and nothing stands behind the last column."""
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(text + " " * (width - cell_len(text)) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
