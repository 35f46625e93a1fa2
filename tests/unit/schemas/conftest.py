"""Releases that may come."""

import copy
from collections.abc import Iterator

import pytest

from schemas.codec import single_object
from schemas.topics import Topic
from tests.unit.schemas.golden import GOLDEN

COLUMNAR_TOPICS = (Topic.CDA_DOCUMENTS, Topic.REALTIME_FORMS, Topic.HEALTH_RECORDS)
Versions = dict[Topic, list[single_object.Released]]


def later(topic: Topic) -> list[single_object.Released]:
    """Two later versions: one with fields that none has heard of, one that takes a measure for granted and reorders."""
    golden = next(golden for golden in GOLDEN if golden.topic is topic)
    schema = copy.deepcopy(single_object.newest_releases()[topic].schema)
    schema = {key: value for key, value in schema.items() if not key.startswith("__")}
    added = [{"name": "channel", "type": "string", "default": "direct"}, {"name": "tries", "type": ["int", "null"], "default": 1}]
    second = {**schema, "fields": [added[0], *schema["fields"], added[1]]}
    third = {**schema, "fields": [*reversed(schema["fields"])]}
    return [single_object._release(golden.topic, 2, second), single_object._release(golden.topic, 3, third)]


@pytest.fixture
def three_versions(monkeypatch: pytest.MonkeyPatch) -> Iterator[Versions]:
    versions = {topic: [single_object.newest_releases()[topic], *later(topic)] for topic in COLUMNAR_TOPICS}
    others = [found for found in single_object.released() if found.topic not in COLUMNAR_TOPICS]
    monkeypatch.setattr(single_object, "released", lambda: (*others, *(found for its in versions.values() for found in its)))
    single_object.by_fingerprint.cache_clear()
    single_object.newest_releases.cache_clear()
    yield versions
    monkeypatch.undo()
    single_object.by_fingerprint.cache_clear()
    single_object.newest_releases.cache_clear()
