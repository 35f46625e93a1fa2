"""The few kinds of panel that the dashboards are made of. Core: values in, builders out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from grafana_foundation_sdk.builders import barchart, common, dashboard, prometheus, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.models.common import GraphDrawStyle, LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    GridPos,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
    VariableRefresh,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE: Final = DataSourceRef(type_val="prometheus", uid="${source}")
"""The variable `source`: whoever imports a dashboard chooses the Prometheus."""
WIDTH: Final = 24
"""Columns of Grafana's grid."""
PROMETHEUS: Final = dashboard.DatasourceVariable("source").label("Prometheus").type("prometheus")
Variable = dashboard.DatasourceVariable | dashboard.QueryVariable
Panel = stat.Panel | table.Panel | timeseries.Panel | statetimeline.Panel | barchart.Panel
P = TypeVar("P", stat.Panel, table.Panel, timeseries.Panel, statetimeline.Panel, barchart.Panel)


@dataclass(frozen=True)
class Place:
    """Where a panel stands: column, row, width and height in Grafana's grid of 24 columns."""

    x: int
    y: int
    width: int
    height: int

    def grid(self) -> GridPos:
        """As Grafana has it."""
        return GridPos(x=self.x, y=self.y, w=self.width, h=self.height)


@dataclass(frozen=True)
class Step:
    """From `value` on (None: from the bottom) the colour is this one."""

    value: float | None
    colour: str


GOOD_UNTIL_ONE: Final = (Step(None, "green"), Step(1, "red"))


def begun(panel: P, title: str, description: str, source: DataSourceRef, unit: str, place: Place) -> P:
    """What every panel has."""
    return panel.title(title).description(description).datasource(source).grid_pos(place.grid()).unit(unit)


def last_value() -> common.ReduceDataOptions:
    """Of several values a number shows the last."""
    return common.ReduceDataOptions().calcs(["lastNotNull"])


def number(title: str, description: str, expr: str, unit: str, place: Place, steps: tuple[Step, ...]) -> stat.Panel:
    """One number, now. `description` says what it means and when to worry; `steps` colour it."""
    panel = begun(stat.Panel(), title, description, SOURCE, unit, place)
    panel.reduce_options(last_value())
    return panel.thresholds(thresholds(steps)).with_target(_query(expr, "", instant=True, ref="A"))


def lines(title: str, description: str, queries: dict[str, str], unit: str, place: Place) -> timeseries.Panel:
    """Lines over time; `queries` by their legends."""
    panel = begun(timeseries.Panel(), title, description, SOURCE, unit, place)
    panel.draw_style(GraphDrawStyle.LINE).min(0).thresholds(thresholds((Step(None, "green"),)))
    legend = common.VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM).show_legend(True)
    panel.legend(legend)
    for ref, (name, expr) in zip("ABCDEFGH", queries.items(), strict=False):
        panel.with_target(_query(expr, name, instant=False, ref=ref))
    return panel


def states(
    title: str, description: str, expr: str, legend: str, words: dict[str, tuple[str, str]], place: Place
) -> statetimeline.Panel:
    """What was true when: a bar for each series. `words`: by value, the word and its colour."""
    panel = begun(statetimeline.Panel(), title, description, SOURCE, "short", place)
    options = {value: ValueMappingResult(text=word, color=colour) for value, (word, colour) in words.items()}
    panel.mappings([ValueMap(options=options)]).merge_values(True).thresholds(thresholds((Step(None, "green"),)))
    return panel.with_target(_query(expr, legend, instant=False, ref="A"))


def rows(title: str, description: str, columns: dict[str, str], by: str, place: Place, units: dict[str, str]) -> table.Panel:
    """A table: one query for each column, joined by the label `by`. `units` by column heading; others are short numbers."""
    panel = begun(table.Panel(), title, description, SOURCE, "short", place)
    panel.thresholds(thresholds((Step(None, "text"),)))
    for ref, expr in zip("ABCDEFGHIJKLMNOP", columns.values(), strict=False):
        query = _query(expr, "", instant=True, ref=ref)
        panel.with_target(query.format(PromQueryFormat.TABLE))
    named = {f"Value #{ref}": heading for ref, heading in zip("ABCDEFGHIJKLMNOP", columns, strict=False)}
    panel.with_transformation(DataTransformerConfig(id_val="joinByField", options={"byField": by, "mode": "outer"}))
    hidden = {f"Time {number}": True for number in range(1, len(columns) + 1)} | {"Time": True}
    panel.with_transformation(DataTransformerConfig(id_val="organize", options={"excludeByName": hidden, "renameByName": named}))
    for heading, unit in units.items():
        panel.override_by_name(heading, [DynamicConfigValue(id_val="unit", value=unit)])
    return panel


def board(
    uid: str, title: str, description: str, panels: Sequence[Panel], *variables: Variable, since: str = "now-7d"
) -> dashboard.Dashboard:
    """A dashboard in Beijing time, refreshed every half minute; panels are numbered in their order.

    `variables` stand before what they choose from: the data sources first.
    """
    built = dashboard.Dashboard(title).uid(uid).description(description).tags(["hipwatch"]).timezone("Asia/Shanghai")
    built.refresh("30s").time(since, "now").tooltip(DashboardCursorSync.CROSSHAIR).readonly()
    for variable in variables:
        built.with_variable(variable)
    for number_, panel in enumerate(panels, 1):
        built.with_panel(panel.id(number_))
    return built


def choice(name: str, label: str, query: str) -> dashboard.QueryVariable:
    """A choice of label values, looked up when the dashboard is opened."""
    found = dashboard.QueryVariable(name).label(label).datasource(SOURCE).query(query)
    return found.refresh(VariableRefresh.ON_DASHBOARD_LOAD)


def _query(expr: str, legend: str, *, instant: bool, ref: str) -> prometheus.Dataquery:
    query = prometheus.Dataquery().expr(" ".join(expr.split())).legend_format(legend).ref_id(ref).datasource(SOURCE)
    return query.instant() if instant else query.range()


def thresholds(steps: tuple[Step, ...]) -> dashboard.ThresholdsConfig:
    """The steps as Grafana has them."""
    found = [Threshold(value=step.value, color=step.colour) for step in steps]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(found)
