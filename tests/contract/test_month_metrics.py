"""The numbers of the running month in Prometheus are those of the bulletin, and absent is not zero."""

from datetime import date

from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine

from monitor.ledger.append import Ledger
from monitor.ledger.month import read_month, read_running_month
from monitor.paging.exposition import exposition
from monitor.paging.month_metrics import MonthCollector
from schemas.period import Period
from schemas.register import Register
from tests.contract.test_reading import advance
from tests.factories import NOON, OTHER_UNIT, UNIT, make_batch, make_declaration, make_event, make_forms


def exported(engine: Engine, register: Register) -> dict[tuple[str, ...], float]:
    """Value by metric, unit and further labels."""
    month = read_running_month(engine)
    text = exposition(MonthCollector(lambda: month, lambda: register)).decode()
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items(), reverse=True))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_before_the_first_event_there_is_no_month(engine: Engine, register: Register) -> None:
    assert exported(engine, register) == {}


def test_the_running_month_has_the_numbers_of_the_bulletin(ledger: Ledger, engine: Engine, register: Register) -> None:
    earlier = make_event(sequence=1, table_code="C0001", business_date=date(2024, 8, 31), record_count=5)
    now = make_event(sequence=2, record_count=10, outpatient_visits=3, outpatient_revenue_cents=123_45)
    ledger.append(make_batch(earlier, now))
    ledger.append(make_batch(make_forms()))
    ledger.append(make_batch(make_declaration()))
    advance(ledger, NOON)
    found = exported(engine, register)

    def of(name: str, *labels: str) -> float | None:
        return found.get((f"hip_unit_month_{name}", *labels))

    assert found[("hip_month_start_timestamp_seconds",)] == 1725120000  # 2024-09-01, Asia/Shanghai
    required = len(register.required_tables(register.units[UNIT].kind))
    tables = [of(f"tables_{step}", UNIT) for step in ("required", "declared", "ever_uploaded", "uploaded")]
    assert tables == [required, 1, 2, 1]
    assert [of(name, UNIT) for name in ("records", "upload_days", "outpatient_visits", "discharges")] == [10, 1, 3, None]
    assert (of("revenue_yuan", UNIT, "outpatient"), of("revenue_yuan", UNIT, "inpatient")) == (123.45, None)
    assert (of("realtime_days", UNIT), of("realtime_forms", UNIT)) == (1, 1)
    assert (of("tables_declared", OTHER_UNIT), of("records", OTHER_UNIT), of("realtime_days", OTHER_UNIT)) == (None, 0, 0)
    assert read_running_month(engine) == read_month(engine, Period(2024, 9))
