"""Golden bytes: one message of every released record. Written down once; a released message never changes."""

from datetime import UTC, date, datetime
from typing import Final, NamedTuple

from schemas.events import CdaDocuments, DeadLetter, Declaration, Event, FormCode, HealthRecords, RealtimeForms, TableCode, UnitId
from schemas.topics import Topic

_SENT: Final = datetime(2024, 9, 10, 4, 0, 0, 123_000, tzinfo=UTC)


class Golden(NamedTuple):
    """A message, its schema file, and the event that it always has meant."""

    topic: Topic
    schema: str
    event: Event
    value: bytes


GOLDEN: Final = (
    Golden(
        Topic.CDA_DOCUMENTS,
        "cda-documents.1.avsc",
        CdaDocuments(
            "a3f1-0001",
            UnitId("gulou"),
            TableCode("C0002"),
            date(2024, 9, 9),
            _SENT,
            series="2024",
            sequence=4012,
            record_count=500,
            outpatient_visits=120,
            discharges=None,
            outpatient_revenue_cents=1_234_567,
            inpatient_revenue_cents=0,
        ),
        bytes.fromhex(
            "c301d7f12dfbf3aba913"  # marker and fingerprint
            "12613366312d30303031"  # event_id
            "0a67756c6f750a4330303032"  # unit_id, table_code
            "8eb802f6e9b4a1bb64"  # business_date, event_time
            "0832303234d83ee807"  # series, sequence, record_count
            "02f00100028eda96010200"  # the four measures, each after its union index
        ),
    ),
    Golden(
        Topic.REALTIME_FORMS,
        "realtime-forms.1.avsc",
        RealtimeForms(
            "a3f1-0002",
            UnitId("nj-second-hospital"),
            FormCode("RT02"),
            date(2024, 9, 10),
            _SENT,
            series="",
            sequence=1,
            record_count=37,
        ),
        bytes.fromhex(
            "c301722d34029bc69df712613366312d30303032246e6a2d7365636f6e642d686f73706974616c085254303290b802f6e9b4a1bb6400024a"
        ),
    ),
    Golden(
        Topic.DECLARATIONS,
        "declarations.1.avsc",
        Declaration(
            "a3f1-0003", UnitId("gulou"), _SENT, series="b", sequence=2, table_codes=(TableCode("C0001"), TableCode("C0002"))
        ),
        bytes.fromhex("c30173121fc1954cee5412613366312d303030330a67756c6f75f6e9b4a1bb64026204040a43303030310a433030303200"),
    ),
    Golden(
        Topic.HEALTH_RECORDS,
        "health-records.1.avsc",
        HealthRecords(
            "a3f1-0004",
            UnitId("gulou"),
            date(2024, 9, 9),
            _SENT,
            series="",
            sequence=7,
            base_total=838_782,
            hypertension_total=0,
            diabetes_total=None,
        ),
        bytes.fromhex("c301f75fc3618e62608f12613366312d303030340a67756c6f758eb802f6e9b4a1bb64000e02fcb166020000"),
    ),
)

GOLDEN_LETTER: Final = DeadLetter(
    "hip.cda-documents.v1",
    11,
    2**33,
    _SENT,
    "unknown_unit",
    "the register has no unit 'nowhere'",
    b"nowhere",
    b"\xc3\x01\x00\xff",
)
GOLDEN_LETTER_VALUE: Final = bytes.fromhex(
    "c301ff86622460d7a2b4286869702e6364612d646f63756d656e74732e7631168080808040f6e9b4a1bb64"
    "18756e6b6e6f776e5f756e69744474686520726567697374657220686173206e6f20756e697420276e6f776865726527"
    "020e6e6f77686572650208c30100ff"
)
