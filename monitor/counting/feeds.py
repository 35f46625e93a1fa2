"""The two feeds of a unit and the topics that carry them. Core."""

from collections.abc import Mapping
from typing import Final

from schemas.feeds import Feed
from schemas.topics import KINDS, Topic

__all__ = ["FEED_OF_TOPIC", "FEED_ZH", "Feed"]

FEED_OF_TOPIC: Final[Mapping[Topic, Feed]] = {topic: kind.feed for topic, kind in KINDS.items() if kind.feed is not None}
"""Declarations and health-record snapshots belong to no feed: nobody is silent for not sending them."""
FEED_ZH: Final[Mapping[Feed, str]] = {Feed.SCHEDULED: "定时上传", Feed.REALTIME: "实时上传"}
