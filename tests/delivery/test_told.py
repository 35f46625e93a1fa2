"""What the delivery run is judged by: its schedule, and what it takes for lost or told twice. `make delivery` is the run."""

from tests.delivery.schedule import Kind, schedule
from tests.services.told import Told, standing, told_twice

NAMES = {"a": "第1医院", "b": "第11医院"}
SILENT = "#### 【告警】第1医院 实时上传中断\n\n- 自 9月10日 15:00 起"
BOTH_BACK = "#### 【恢复】2 家单位 实时上传已恢复\n\n- 第1医院：…\n- 第11医院：…"


def told(*texts: str) -> list[Told]:
    return [Told(float(number), text) for number, text in enumerate(texts)]


def test_a_seed_always_gives_the_same_schedule_and_no_kind_is_missed() -> None:
    units = ["a", "b", "c"]
    assert schedule(5, units, 20) == schedule(5, units, 20)
    assert schedule(5, units, 20) != schedule(6, units, 20)
    assert {turn.kind for turn in schedule(5, units, len(Kind))} == set(Kind)


def test_the_last_message_says_how_a_unit_stands() -> None:
    assert standing(told(), NAMES) == {}
    assert standing(told(SILENT), NAMES) == {"a": True}
    assert standing(told(SILENT, BOTH_BACK), NAMES) == {"a": False, "b": False}


def test_two_messages_in_a_row_that_a_unit_fell_silent_are_one_too_many() -> None:
    assert told_twice(told(SILENT, BOTH_BACK, SILENT), NAMES) == []
    assert told_twice(told(SILENT, SILENT), NAMES) == ["a"]
    assert told_twice(told(SILENT, SILENT + "\n- 本消息（第 7 号）可能重复"), NAMES) == [], "it says so itself"
