"""Scenarios: a month as data, in a folder. Shell: reads files.

A scenario is the two printed tables of a month and, if wanted, a `scenario.toml`. Invariant: a `Scenario` holds only
values that were checked; whatever is wrong with the files is a HipwatchError that names the place.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from ingest.simulator.faults import Faults
from schemas.errors import HipwatchError
from schemas.period import Period
from schemas.printed import FILES, PrintedMonth, read_printed_month
from schemas.register import Register

RECORDS_PER_EVENT: Final = 10_000
"""Documents that one event may stand for. Coarse enough to play a month of 280 million documents in minutes, fine
enough that a busy table of a large hospital still sends several events a night."""
_MOST_RECORDS_PER_EVENT: Final = 10**9
_SHORTEST_DAY: Final = 0.001
_LONGEST_DAY: Final = 86_400
"""Seconds that a platform day may take: never slower than a real one, and what is faster still is full speed."""
_LARGEST_SEED: Final = 2**63 - 1
"""TOML integers are 64 bits wide."""
SHIPPED: Final = Path(__file__).parent / "scenarios"
_SETTINGS: Final = "scenario.toml"


@dataclass(frozen=True)
class Scenario:
    """A month to be replayed. `day_seconds`: seconds that a platform day takes, None for full speed."""

    name: str
    folder: Path
    period: Period
    month: PrintedMonth
    seed: int = 1
    day_seconds: float | None = None
    records_per_event: int = RECORDS_PER_EVENT
    faults: Faults = field(default_factory=Faults)


def find_scenario(name_or_folder: str) -> Path:
    """The folder of that path, or the shipped scenario of that name. Raises HipwatchError naming what there is."""
    if name_or_folder.strip():
        for folder in (Path(name_or_folder), SHIPPED / name_or_folder):
            if _is_folder(folder):
                return folder
    raise HipwatchError(
        f"'{name_or_folder}' is neither a folder nor a shipped scenario; shipped are {', '.join(shipped_scenarios())}"
    )


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # a name too long for the file system, or with a NUL in it
        return False


def shipped_scenarios() -> list[str]:
    """Names of the scenarios that come with this release."""
    return sorted(folder.name for folder in SHIPPED.iterdir() if all((folder / name).is_file() for name in FILES.values()))


def load_scenario(folder: Path, register: Register, period: Period | None = None) -> Scenario:
    """Read the scenario in `folder`.

    The period is the argument, else `period` of scenario.toml, else the name of the folder. Raises HipwatchError naming
    file and line or key for anything that is wrong, and when no period can be found.
    """
    name = folder.resolve().name
    month = read_printed_month(folder, register)
    settings = _Settings(folder / _SETTINGS)
    stated = settings.period()
    return Scenario(
        name,
        folder,
        period or stated or _period_named(name, folder),
        month,
        settings.whole("seed", 0, _LARGEST_SEED, Scenario.seed),
        settings.day_seconds(),
        settings.whole("records_per_event", 1, _MOST_RECORDS_PER_EVENT, RECORDS_PER_EVENT),
        settings.faults(),
    )


def _period_named(name: str, folder: Path) -> Period:
    try:
        return Period.parse(name)
    except HipwatchError:
        raise HipwatchError(
            f'{folder} does not say which month it is: use --period YYYY-MM, or write period = "YYYY-MM" into {_SETTINGS}'
        ) from None


class _Settings:
    """Checked access to scenario.toml; a file that is not there holds nothing."""

    _KEYS: Final = ("period", "seed", "day_seconds", "records_per_event", "faults")

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values = _read_toml(path)
        self._refuse_unknown(self._values, self._KEYS, "")

    def period(self) -> Period | None:
        text = self._values.get("period")
        if text is None:
            return None
        if not isinstance(text, str):
            raise self._fail("period", 'must be a text such as "2024-09"')
        try:
            return Period.parse(text)
        except HipwatchError as error:
            raise self._fail("period", str(error)) from None

    def whole(self, key: str, least: int, most: int, default: int) -> int:
        number = self._values.get(key, default)
        if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
            raise self._fail(key, f"must be a whole number from {least} to {most}")
        return number

    def day_seconds(self) -> float | None:
        if "day_seconds" not in self._values:
            return None
        return self._number("day_seconds", self._values["day_seconds"], _SHORTEST_DAY, _LONGEST_DAY)

    def faults(self) -> Faults:
        table = self._values.get("faults", {})
        if not isinstance(table, dict):
            raise self._fail("faults", "must be a table: [faults]")
        names = [share.name for share in fields(Faults)]
        self._refuse_unknown(table, names, "faults.")
        shares = {name: self._number(f"faults.{name}", table.get(name, 0), 0, 1) for name in names}
        faults = Faults(**shares)
        if faults.duplicates + faults.reordered + faults.holes + faults.late > 1:
            raise self._fail("faults", "duplicates, reordered, holes and late befall different events: together at most 1")
        return faults

    def _number(self, key: str, value: object, least: float, most: float) -> float:
        # written so that nan, which compares with nothing, is refused too
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise self._fail(key, f"must be a number from {least} to {most}")
        return float(value)

    def _refuse_unknown(self, values: Mapping[str, Any], known: Sequence[str], prefix: str) -> None:
        for key in values:
            if key not in known:
                raise self._fail(f"{prefix}{key}", f"there is no such key (there are {', '.join(known)})")

    def _fail(self, key: str, problem: str) -> HipwatchError:
        return HipwatchError(f"{self._path}, key {key}: {problem}")


def _read_toml(path: Path) -> dict[str, Any]:
    """The contents of `path`, empty when there is no such file. Raises HipwatchError with line and column."""
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text)
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError as error:
        raise HipwatchError(f"{path}, byte {error.start}: not UTF-8") from None
    except OSError as error:
        raise HipwatchError(f"{path} cannot be read: {error.strerror}") from None
    except tomllib.TOMLDecodeError as error:
        raise HipwatchError(f"{path}, {_place(str(error), text)}") from None


def _place(message: str, text: str) -> str:
    """`line 3, column 7: Invalid value`, from a parser's message that ends in its place."""
    match = re.fullmatch(r"(?s)(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", message)
    if match is None:
        return message
    lines = text.split("\n")
    line, column = match[2] or len(lines), match[3] or len(lines[-1]) + 1
    return f"line {line}, column {column}: {match[1]}"
