"""Panels that ask the ledger's database, by the views of migration 0010. Core: values in, builders out.

The SQL is PostgreSQL's: Grafana has no data source of its own for SQLite.
"""

from collections.abc import Mapping
from typing import Final

from grafana_foundation_sdk.builders import barchart, dashboard, stat, table
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import (
    DashboardSpecialValueMapOptions,
    DataSourceRef,
    DynamicConfigValue,
    SpecialValueMap,
    SpecialValueMatch,
    ValueMap,
    ValueMappingResult,
    VariableRefresh,
)

from ops.grafana.panels import Place, Step, begun, last_value, thresholds

_TYPE: Final = "grafana-postgresql-datasource"
SOURCE: Final = DataSourceRef(type_val=_TYPE, uid="${ledger}")
"""The variable `ledger`: whoever imports a dashboard chooses the PostgreSQL."""
LEDGER: Final = dashboard.DatasourceVariable("ledger").label("PostgreSQL").type(_TYPE)


class SqlQuery(Dataquery, Builder[Dataquery]):
    """One SELECT whose rows are the panel's rows. The SDK has no query of Grafana's SQL data sources: this is their JSON."""

    def __init__(self, sql: str) -> None:
        self._sql = " ".join(sql.split())

    def build(self) -> Dataquery:
        """The query itself."""
        return self

    def to_json(self) -> dict[str, object]:
        """As Grafana keeps it."""
        text = {"editorMode": "code", "format": "table", "rawQuery": True, "rawSql": self._sql}
        return {"datasource": SOURCE, "refId": "A", **text}


def sql_number(title: str, description: str, sql: str, unit: str, place: Place, steps: tuple[Step, ...]) -> stat.Panel:
    """One number: the one cell of the one row."""
    panel = begun(stat.Panel(), title, description, SOURCE, unit, place)
    panel.reduce_options(last_value())
    return panel.thresholds(thresholds(steps)).with_target(SqlQuery(sql))


def sql_rows(
    title: str,
    description: str,
    sql: str,
    place: Place,
    *,
    units: Mapping[str, str] | None = None,
    missing: Mapping[str, str] | None = None,
    words: Mapping[str, Mapping[str, str]] | None = None,
) -> table.Panel:
    """A table with the columns of the query.

    By column: `units` other than plain numbers, what stands where it is `missing`, and the `words` that stand for its values.
    """
    panel = begun(table.Panel(), title, description, SOURCE, "locale", place)
    panel.thresholds(thresholds((Step(None, "text"),))).with_target(SqlQuery(sql))
    for column, unit in (units or {}).items():
        panel.override_by_name(column, [DynamicConfigValue(id_val="unit", value=unit)])
    for column, word in (missing or {}).items():
        options = DashboardSpecialValueMapOptions(match=SpecialValueMatch.NULL, result=ValueMappingResult(text=word))
        panel.override_by_name(column, [DynamicConfigValue(id_val="mappings", value=[SpecialValueMap(options=options)])])
    for column, meanings in (words or {}).items():
        named = ValueMap(options={value: ValueMappingResult(text=word) for value, word in meanings.items()})
        panel.override_by_name(column, [DynamicConfigValue(id_val="mappings", value=[named])])
    return panel


def sql_bars(title: str, description: str, sql: str, place: Place) -> barchart.Panel:
    """Bars: the query's first column, a text, says what each stands for; every other column is a bar of its own."""
    panel = begun(barchart.Panel(), title, description, SOURCE, "locale", place)
    return panel.min(0).thresholds(thresholds((Step(None, "green"),))).with_target(SqlQuery(sql))


def counted(condition: str, heading: str) -> str:
    """A column: how many rows there are for which the condition holds."""
    return f'count(*) FILTER (WHERE {condition}) AS "{heading}"'


def sql_choice(name: str, label: str, sql: str) -> dashboard.QueryVariable:
    """A choice of the values of a query's only column, or of its columns `__text` and `__value`, looked up as `choice` does."""
    found = dashboard.QueryVariable(name).label(label).datasource(SOURCE).query(" ".join(sql.split()))
    return found.refresh(VariableRefresh.ON_DASHBOARD_LOAD)
