"""Text of others made harmless for a terminal, a log or a chat: what moves the cursor or turns the line is shown. Core."""

import re
from typing import Final

_UNSEEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # control characters of both sets: escapes, bells, new lines that forge a second line
    "\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"  # bidirectional marks and overrides, zero widths, line separators
    "\ud800-\udfff]"  # halves of a character, which no encoder takes
)


def visible(text: str) -> str:
    r"""`text` on one line in which each unseen character stands as its code, such as \x1b or \u202e."""
    return _UNSEEN.sub(lambda found: _code(ord(found[0])), text)


def one_line(text: str) -> str:
    """`text` with its white space made single spaces, and then visible: for a table's cell or a title."""
    return visible(" ".join(text.split()))


def visible_json(document: str) -> str:
    r"""A JSON document that says the same, in which each unseen character of a text stands as JSON's own \u escape."""
    return _UNSEEN.sub(lambda found: found[0] if found[0] == "\n" else f"\\u{ord(found[0]):04x}", document)


def _code(point: int) -> str:
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}"
