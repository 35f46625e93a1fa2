"""The mutants that survive, and why each may."""

import json
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from tests.mutants.run import Mutants

_STRICT: Final = re.compile(r",?\s*(strict=True,?)?\s*\)")


class Survivor(NamedTuple):
    """A mutant by what it changes, for its number moves with the code: the lines that were, and what they are now."""

    module: str
    function: str
    was: str
    now: str
    status: str = ""

    def as_toml(self) -> str:
        """What to write into the file, once it is known why."""
        values = {"module": self.module, "function": self.function, "was": self.was, "now": self.now}
        lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items()]
        return "\n".join([*lines, f'why = ""  # {self.status}', ""])


Explained = Sequence[Survivor]


def load(file: Path) -> Explained:
    """The survivors that are explained. Raises SystemExit where one sentence is missing."""
    found = tomllib.loads(file.read_text(encoding="utf-8")).get("survivor", [])
    for entry in found:
        if not entry["why"].strip():
            raise SystemExit(f"{file.name}: {entry['module']}, {entry['function']}: why may it survive?")
    return [Survivor(entry["module"], entry["function"], entry["was"], entry["now"]) for entry in found]


def unexplained(module: str, found: "Mutants", explained: Explained) -> Sequence[Survivor]:
    """The survivors of `module` that nobody has explained."""
    known = {_place(entry) for entry in explained if entry.module == module}
    return [survivor for survivor in found.survivors if _place(survivor) not in known and not only_asserts_less(survivor)]


def only_asserts_less(survivor: Survivor) -> bool:
    """Whether all that changed is that a `zip` is no longer strict: that asserts what holds, and no test can make it fail."""
    was, now = (_STRICT.sub(")", text.replace("strict=False", "strict=True")) for text in (survivor.was, survivor.now))
    return "strict=True" in survivor.was and was == now


def unused(module: str, found: "Mutants", explained: Explained) -> Sequence[Survivor]:
    """Explanations of mutants of `module` that did not survive, or are no longer made."""
    alive = {_place(survivor) for survivor in found.survivors}
    return [entry for entry in explained if entry.module == module and _place(entry) not in alive]


def _place(survivor: Survivor) -> tuple[str, str, str]:
    return survivor.function, survivor.was, survivor.now
