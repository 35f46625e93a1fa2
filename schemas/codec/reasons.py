"""Why a message cannot become an event. Core."""

from enum import StrEnum


class Reason(StrEnum):
    """Why a message is a dead letter. A label of metrics and a key of reports: bounded, and never renamed."""

    NOT_AVRO = "not_avro"
    UNKNOWN_FINGERPRINT = "unknown_fingerprint"
    TRUNCATED = "truncated"
    TRAILING_BYTES = "trailing_bytes"
    WRONG_TYPE = "wrong_type"
    UNKNOWN_UNIT = "unknown_unit"
    UNKNOWN_TABLE = "unknown_table"
    UNKNOWN_FORM = "unknown_form"
    OUT_OF_RANGE = "out_of_range"
    OVERSIZED = "oversized"
    SEQUENCE_CONFLICT = "sequence_conflict"
    KEY_MISMATCH = "key_mismatch"
    """The message's key is not its unit's id: somebody else may have sent it."""
    UNREADABLE_BATCH = "unreadable_batch"
    """Messages that were packed together and that nobody can unpack: one dead letter for all of them."""
    SUM_OVERFLOW = "sum_overflow"
    TOO_MANY_SERIES = "too_many_series"
    SIMULATED = "simulated"
    """It was made by `hipwatch simulate` or `replay`, and the worker was not told to take that."""


class DecodeError(Exception):
    """A message that cannot become an event. `detail` names the place and never quotes free text of the message."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
