import pytest

from schemas.register import Register, UnitKind
from schemas.topics import DEFAULT_PREFIX, EVENT_TOPICS, Topic, topic_name, topic_named


def test_the_register_has_the_units_that_were_seen(register: Register) -> None:
    kinds = [unit.kind for unit in register.units.values()]
    assert kinds.count(UnitKind.DISTRICT) == 12
    assert kinds.count(UnitKind.HOSPITAL) == 40


def test_each_kind_has_its_catalogue(register: Register) -> None:
    assert len(register.required_tables(UnitKind.DISTRICT)) == 129
    assert len(register.required_tables(UnitKind.HOSPITAL)) == 83
    assert len(register.forms) == 11


def test_a_unit_is_found_by_every_name_it_ever_had(register: Register) -> None:
    for unit in register.units.values():
        assert {unit.name_zh, unit.name_en} <= set(unit.names)
        assert "" not in unit.names
        for name in unit.names:
            assert register.unit_named(f" {name} ") == unit


def test_a_former_name_leads_to_the_unit_of_today(register: Register) -> None:
    found = register.unit_named("解放军南京总医院")
    assert found is not None
    assert found.unit_id == "eastern-theater-general-hospital"
    assert found.name_zh == "东部战区总医院"


@pytest.mark.parametrize("name", ["", "玄武", "Atlantis"])
def test_no_unit_answers_to_another_name(name: str, register: Register) -> None:
    assert register.unit_named(name) is None


def test_no_name_belongs_to_two_units(register: Register) -> None:
    names = [name for unit in register.units.values() for name in set(unit.names)]
    assert len(names) == len(set(names))


def test_codes_hold_no_space(register: Register) -> None:
    # declared tables are stored separated by spaces, and ids are labels of metrics
    codes = [*register.units, *register.tables, *register.forms]
    assert all(code and code.isascii() and not any(char.isspace() for char in code) for code in codes)


def test_topics_are_named_after_prefix_and_version() -> None:
    assert topic_name(Topic.CDA_DOCUMENTS) == "hip.cda-documents.v1"
    assert topic_name(Topic.DEAD_LETTERS, "test") == "test.dead-letters.v1"
    assert len({topic_name(topic, DEFAULT_PREFIX) for topic in Topic}) == len(Topic)
    assert set(Topic) - set(EVENT_TOPICS) == {Topic.DEAD_LETTERS}


@pytest.mark.parametrize("prefix", ["hip", "a.b", "test-7"])
def test_a_topic_is_found_by_its_name_under_any_prefix(prefix: str) -> None:
    assert [topic_named(topic_name(topic, prefix)) for topic in Topic] == list(Topic)


@pytest.mark.parametrize(
    "name", ["", "cda-documents", "hip.cda-documents", "hip.cda-documents.v2", "hip.patients.v1", "..", "v1"]
)
def test_a_name_that_is_not_ours_is_no_topic(name: str) -> None:
    assert topic_named(name) is None
