"""The ledger's tables. Moments are stored as milliseconds since 1970-01-01T00:00:00Z, amounts as whole cents."""

from monitor.ledger.tables.canary import CanaryRow
from monitor.ledger.tables.counting import (
    ActiveHour,
    FeedState,
    LedgerKey,
    OpenGap,
    PlatformClock,
    SourceOffset,
    StoredReceipts,
    StreamState,
)
from monitor.ledger.tables.dashboards import (
    DashboardMoment,
    FeedStatusRow,
    LadderRow,
    MonthRow,
    RegisterForm,
    RegisterTable,
    RegisterUnit,
)
from monitor.ledger.tables.dead_letters import DeadLetterCount, DeadLetterRow, LetterState
from monitor.ledger.tables.findings import FindingRow, JudgedUntil, SentDay, UploadedTable
from monitor.ledger.tables.judgement import FeedHour, FeedOutage, Flip
from monitor.ledger.tables.kinds import TABLE_OF
from monitor.ledger.tables.paging import (
    Delivery,
    Incident,
    IncidentEvent,
    IncompleteDelivery,
    OutboxMessage,
    OutboxTarget,
    OutboxTold,
)
from monitor.ledger.tables.unknown_senders import UnknownSenderRow

__all__ = [
    "TABLE_OF",
    "ActiveHour",
    "CanaryRow",
    "DashboardMoment",
    "DeadLetterCount",
    "DeadLetterRow",
    "Delivery",
    "FeedHour",
    "FeedOutage",
    "FeedState",
    "FeedStatusRow",
    "FindingRow",
    "Flip",
    "Incident",
    "IncidentEvent",
    "IncompleteDelivery",
    "JudgedUntil",
    "LadderRow",
    "LedgerKey",
    "LetterState",
    "MonthRow",
    "OpenGap",
    "OutboxMessage",
    "OutboxTarget",
    "OutboxTold",
    "PlatformClock",
    "RegisterForm",
    "RegisterTable",
    "RegisterUnit",
    "SentDay",
    "SourceOffset",
    "StoredReceipts",
    "StreamState",
    "UnknownSenderRow",
    "UploadedTable",
]
