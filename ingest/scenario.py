"""Scenarios: a month as data, in a folder. Shell: reads files.

A scenario is the two printed tables of a month and, if wanted, a `scenario.toml`. Invariant: a `Scenario` holds only
values that were checked; whatever is wrong with the files is a HipwatchError that names the place.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import AliasChoices, Field, field_validator, model_validator

from ingest.simulator.faults import Faults
from schemas.bulletin.printed_month import FILES, PrintedMonth, read_printed_month
from schemas.errors import HipwatchError
from schemas.period import Period
from schemas.register import Register
from schemas.toml_file import Section, read_toml

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
_Share = Annotated[float, Field(ge=0, le=1)]


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
    try:
        settings = read_toml(folder / _SETTINGS, _Settings)
    except FileNotFoundError:
        settings = _Settings()
    stated = Period.parse(settings.period) if settings.period else None
    return Scenario(
        name,
        folder,
        period or stated or _period_named(name, folder),
        month,
        settings.seed,
        settings.day_seconds,
        settings.records_per_event,
        Faults(**settings.faults.model_dump()),
    )


def _period_named(name: str, folder: Path) -> Period:
    try:
        return Period.parse(name)
    except HipwatchError:
        raise HipwatchError(
            f'{folder} does not say which month it is: use --period YYYY-MM, or write period = "YYYY-MM" into {_SETTINGS}'
        ) from None


class _Faults(Section):
    """Shares, 0 to 1. `holes` is what `gaps` was called in 0.1."""

    duplicates: _Share = 0.0
    reordered: _Share = 0.0
    gaps: Annotated[_Share, Field(validation_alias=AliasChoices("gaps", "holes"))] = 0.0
    late: _Share = 0.0
    poison: _Share = 0.0
    wrong_clocks: _Share = 0.0

    @model_validator(mode="after")
    def _befall_different_events(self) -> Self:
        if self.duplicates + self.reordered + self.gaps + self.late > 1:
            raise ValueError("duplicates, reordered, gaps and late befall different events: together at most 1")
        return self


class _Settings(Section):
    """What scenario.toml may hold."""

    period: str | None = None
    seed: Annotated[int, Field(ge=0, le=_LARGEST_SEED)] = Scenario.seed
    day_seconds: Annotated[float, Field(ge=_SHORTEST_DAY, le=_LONGEST_DAY)] | None = None
    records_per_event: Annotated[int, Field(ge=1, le=_MOST_RECORDS_PER_EVENT)] = RECORDS_PER_EVENT
    faults: _Faults = _Faults()

    @field_validator("period")
    @classmethod
    def _month(cls, text: str | None) -> str | None:
        try:
            return text and str(Period.parse(text))
        except HipwatchError as error:
            raise ValueError(str(error)) from None
