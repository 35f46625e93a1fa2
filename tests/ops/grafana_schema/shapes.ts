// What Grafana 11.6 takes as a dashboard, in its own words: the types of its package @grafana/schema (Apache-2.0, Grafana Labs).
// make.sh makes shapes.json of them, which tests/ops/test_grafana_schema.py holds our dashboards against.

import type { Dashboard } from "./node_modules/@grafana/schema/dist/esm/raw/dashboard/x/dashboard_types.gen";
import type * as barchart from "./node_modules/@grafana/schema/dist/esm/raw/composable/barchart/panelcfg/x/BarChartPanelCfg_types.gen";
import type * as stat from "./node_modules/@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type * as statetimeline from "./node_modules/@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen";
import type * as table from "./node_modules/@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen";
import type * as timeseries from "./node_modules/@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";

/** What stands in a dashboard's JSON: the dashboard, and each sort of panel's options and custom fields. */
export interface Shapes {
  dashboard: Dashboard;
  options: {
    barchart: barchart.Options;
    stat: stat.Options;
    "state-timeline": statetimeline.Options;
    table: table.Options;
    timeseries: timeseries.Options;
  };
  custom: {
    barchart: barchart.FieldConfig;
    "state-timeline": statetimeline.FieldConfig;
    table: table.FieldConfig;
    timeseries: timeseries.FieldConfig;
  };
}
