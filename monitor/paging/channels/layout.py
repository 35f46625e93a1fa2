"""Wordings as lines of the Markdown that robots understand. Core.

Names and summaries come from others: `safe` takes away what a robot would read as a mention, a tag or a link.
"""

from typing import Final

from monitor.paging.channels.channel import cut_line
from monitor.paging.wording import Link, Wording

_HARMLESS: Final = str.maketrans({"<": "＜", ">": "＞", "[": "［", "]": "］", "`": "'", "*": "＊", "_": "＿", "~": "～"})


def safe(text: str) -> str:
    """`text` without characters that mean something to a robot."""
    return text.translate(_HARMLESS)


def blocks(wording: Wording, shown: int, cut: int) -> list[list[str]]:
    """The paragraphs of a message: facts, the items that are shown, what to do. Empty ones are left out."""
    items = [cut_line(safe(item), cut) for item in wording.items[:shown]]
    items += rest(wording, len(items))
    facts = [cut_line(safe(fact), cut) for fact in wording.facts]
    return [block for block in (facts, items, [cut_line(safe(line), cut) for line in wording.tail]) if block]


def rest(wording: Wording, shown: int) -> list[str]:
    """The line that counts the incidents that are not shown, if there are any."""
    left = len(wording.items) - shown + wording.beyond
    return [wording.more(left)] if left else []


def links(found: tuple[Link, ...]) -> str:
    """The links in one line of Markdown."""
    return " · ".join(f"[{link.text}]({link.url})" for link in found)
