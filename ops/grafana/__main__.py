"""Write the dashboards' JSON: `python -m ops.grafana`. Shell."""

from pathlib import Path
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from ops.grafana.alerts import alerts
from ops.grafana.city import city
from ops.grafana.district import district
from ops.grafana.month import month
from ops.grafana.pipeline import pipeline
from ops.grafana.unit import unit

FOLDER: Final = Path(__file__).parent / "dashboards"
DASHBOARDS: Final = {"alerts": alerts, "city": city, "district": district, "month": month, "pipeline": pipeline, "unit": unit}


def text_of(name: str) -> str:
    """The JSON of one dashboard, as it is committed.

    The SDK gives every variable what only one of intervals has, and what Grafana's own types do not know.
    """
    dashboard = DASHBOARDS[name]().build()
    for variable in dashboard.templating.list_val or []:
        variable.auto = variable.auto_min = variable.auto_count = None
    encoded: str = JSONEncoder(sort_keys=True, indent=2, ensure_ascii=False).encode(dashboard)
    return encoded + "\n"


def main() -> None:
    """Write them all."""
    for name in DASHBOARDS:
        path = FOLDER / f"{name}.json"
        path.write_text(text_of(name), encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
