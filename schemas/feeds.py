"""The two feeds of a unit. Core."""

from enum import StrEnum


class Feed(StrEnum):
    """A stream of uploads that a unit owes: 定时上传 and 实时上传."""

    SCHEDULED = "scheduled"
    REALTIME = "realtime"
