"""What may be the id of an event or of a series: an identifier, and never free text or a person's number. Core."""

import re
from datetime import date
from typing import Final

MAX_TEXT: Final = 200
"""Longest identifier that is accepted, in characters: ids are keys, not prose."""
PUNCTUATION: Final = "._:/+=~-"
"""Beside letters and digits: what UUIDs, ULIDs, base64 and paths of numbers need. No space, no control character, nothing that
a terminal, a log or a shell could take for something else."""
FEWEST_DIGITS: Final = 18
"""Of a citizen's identity number (GB 11643-1999): 17 digits and a check digit, which may be an X."""

_IDENTIFIER: Final = re.compile(rf"[A-Za-z0-9][A-Za-z0-9{re.escape(PUNCTUATION)}]{{0,{MAX_TEXT - 1}}}")
_IDENTITY_NUMBER: Final = re.compile(r"(?<![0-9])[1-8][0-9]{16}[0-9Xx](?![0-9])")
_WEIGHTS: Final = [2**place % 11 for place in range(17, 0, -1)]
_CHECK_DIGITS: Final = "10X98765432"


def is_identifier(text: str) -> bool:
    """Whether `text` has the form of an identifier and holds nobody's identity number.

    A random number of 18 digits looks like one about once in 50,000 times, and is refused then.
    """
    if _IDENTIFIER.fullmatch(text) is None:
        return False
    return len(text) < FEWEST_DIGITS or not any(_is_identity_number(found) for found in _IDENTITY_NUMBER.findall(text))


def _is_identity_number(text: str) -> bool:
    """By its day of birth and its check digit (ISO 7064, MOD 11-2)."""
    try:
        born = date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(text[:17], _WEIGHTS, strict=True))
    return 1900 <= born.year < 2100 and _CHECK_DIGITS[total % 11] == text[17].upper()
