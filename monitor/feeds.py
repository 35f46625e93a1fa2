"""The two feeds of a unit and the topics that carry them. Core."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from schemas.topics import Topic


class Feed(StrEnum):
    """A stream of uploads that a unit owes: 定时上传 and 实时上传."""

    SCHEDULED = "scheduled"
    REALTIME = "realtime"


FEED_OF_TOPIC: Final[Mapping[Topic, Feed]] = {Topic.CDA_DOCUMENTS: Feed.SCHEDULED, Topic.REALTIME_FORMS: Feed.REALTIME}
"""Declarations and health-record snapshots belong to no feed: nobody is silent for not sending them."""
FEED_ZH: Final[Mapping[Feed, str]] = {Feed.SCHEDULED: "定时上传", Feed.REALTIME: "实时上传"}
