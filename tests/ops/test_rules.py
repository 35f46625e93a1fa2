"""The files of `ops/` as their own programs see them, and the promises between them: rules, tests, runbooks, routes."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from hipwatch.cli.main import app
from monitor.paging.deadman import PAGING_DOWN
from monitor.paging.planning import UNREACHABLE
from monitor.paging.receive import DELIVERY_REFUSED
from monitor.paging.sender import MESSAGE_REFUSED
from monitor.paging.target import Pace
from monitor.settings import ServeSettings
from tests.ops.tools import (
    ALERTMANAGER_CONFIG,
    CONTRACT,
    OPS,
    PROMETHEUS_CONFIG,
    RULE_FILES,
    RULE_TESTS,
    RUNBOOKS,
    Rule,
    alerts,
    load,
    names_in,
    program,
    rules,
    run,
)

COMMANDS = set(get_command(app).commands)  # type: ignore[attr-defined]
UNIT_LABELS = ("unit_id", "kind", "name_zh", "name_en")


def by_name(rule: Rule) -> str:
    return rule.name


def asserted(name: str) -> list[dict[str, Any]]:
    """Every assertion about alert `name` in the promtool tests."""
    return [
        assertion
        for path in RULE_TESTS
        for case in load(path)["tests"]
        for assertion in case.get("alert_rule_test", [])
        if assertion["alertname"] == name
    ]


def test_promtool_accepts_the_rules_without_a_remark() -> None:
    run(program("promtool"), "check", "rules", "--lint=all", "--lint-fatal", *RULE_FILES)


def test_promtool_accepts_the_configuration_and_finds_every_rule_file() -> None:
    output = run(program("promtool"), "check", "config", PROMETHEUS_CONFIG)
    assert f"{len(RULE_FILES)} rule files found" in output


@pytest.mark.parametrize("path", RULE_TESTS, ids=lambda path: path.stem)
def test_promtool_tests_pass(path: Path) -> None:
    run(program("promtool"), "test", "rules", path)


def test_amtool_accepts_the_configuration() -> None:
    run(program("amtool"), "check-config", ALERTMANAGER_CONFIG)


@pytest.mark.parametrize("alert", alerts(), ids=by_name)
def test_amtool_routes_the_watchdog_apart_and_the_rest_to_hipwatch(alert: Rule) -> None:
    receiver = "hipwatch-watchdog" if alert.name == "Watchdog" else "hipwatch"
    labels = {"alertname": alert.name, **alert.body["labels"]}
    run(
        program("amtool"),
        "config",
        "routes",
        "test",
        f"--config.file={ALERTMANAGER_CONFIG}",
        f"--verify.receivers={receiver}",
        *(f"{name}={value}" for name, value in labels.items()),
    )


def test_receivers_post_to_the_webhook_with_the_token_and_only_the_watchdog_keeps_its_end_to_itself() -> None:
    receivers = {receiver["name"]: receiver["webhook_configs"] for receiver in load(ALERTMANAGER_CONFIG)["receivers"]}
    assert set(receivers) == {"hipwatch", "hipwatch-watchdog"}
    for name, (webhook,) in receivers.items():
        assert webhook["url"] == "http://127.0.0.1:8080/webhooks/alertmanager"
        assert webhook["http_config"]["authorization"] == {"credentials_file": "/etc/hipwatch/webhook-token"}
        assert webhook["send_resolved"] is (name == "hipwatch")


@pytest.mark.parametrize(
    "config", [ALERTMANAGER_CONFIG, OPS / "paging" / "alertmanager-and-robots.yml"], ids=lambda path: path.stem
)
def test_a_silent_unit_reaches_a_robot_within_half_a_minute_of_being_seen(config: Path) -> None:
    """At worst: the scrape, the evaluation, Alertmanager's wait and the settling of the message come one after the other."""
    job = next(job for job in load(PROMETHEUS_CONFIG)["scrape_configs"] if job["job_name"] == "hipwatch")
    (group,) = (group for path in RULE_FILES for group in load(path)["groups"] if group["name"] == "hipwatch")
    (rule,) = (rule for rule in group["rules"] if rule.get("alert") == "UnitFeedSilent")
    waits = [job["scrape_interval"], group["interval"], rule.get("for", "0s"), load(config)["route"]["group_wait"]]
    assert sum(int(wait.removesuffix("s")) for wait in waits) + Pace().settle.total_seconds() <= 25
    assert rule["keep_firing_for"], "and a moment's doubt is no recovery"


def test_a_dead_prometheus_is_told_within_twelve_minutes_and_one_that_restarts_is_not() -> None:
    """Alertmanager keeps an alert for four resend delays of Prometheus: so long its last Watchdog is repeated."""
    resend, most = timedelta(minutes=1), timedelta(minutes=12)
    (route,) = load(ALERTMANAGER_CONFIG)["route"]["routes"]
    between = sum(int(route[key][:-1]) * {"s": 1, "m": 60}[route[key][-1]] for key in ("group_interval", "repeat_interval"))
    after = ServeSettings("").watchdog_after
    assert 4 * resend + after + after / 10 + Pace().settle <= most, "/10: how often it is looked at"
    assert after >= 3 * timedelta(seconds=between)


def test_alert_names_are_unique() -> None:
    names = [alert.name for alert in alerts()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("alert", alerts(), ids=by_name)
def test_alert_has_severity_scope_and_texts_in_both_languages(alert: Rule) -> None:
    assert alert.body["labels"]["severity"] in {"page", "ticket", "none"}
    assert alert.body["labels"]["scope"] in {"monitor", "feed", "unit", "topic", "city"}
    assert set(alert.body["annotations"]) == {"summary", "summary_zh", "runbook", "runbook_url"}
    assert re.search(r"[\u4e00-\u9fff]", alert.body["annotations"]["summary_zh"])
    assert alert.body["annotations"]["runbook"] == f"ops/runbooks/{alert.name}.md"
    assert alert.body["annotations"]["runbook_url"] == f"http://127.0.0.1:8080/runbooks/{alert.name}"


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    # who cannot page cannot say so: these incidents do not come from a rule
    by_hipwatch_itself = {PAGING_DOWN, UNREACHABLE, MESSAGE_REFUSED, DELIVERY_REFUSED}
    assert {path.stem for path in RUNBOOKS} == {alert.name for alert in alerts()} | by_hipwatch_itself


@pytest.mark.parametrize("alert", alerts(), ids=by_name)
def test_alert_is_asserted_firing_and_silent(alert: Rule) -> None:
    expectations = [assertion["exp_alerts"] for assertion in asserted(alert.name)]
    assert any(expectations), f"no *-test.yaml asserts that {alert.name} fires"
    if alert.name != "Watchdog":  # it is never silent
        assert not all(expectations), f"no *-test.yaml asserts that {alert.name} is silent"


@pytest.mark.parametrize("alert", [alert for alert in alerts() if alert.body["labels"]["scope"] == "unit"], ids=by_name)
def test_unit_alert_names_its_unit_in_both_languages(alert: Rule) -> None:
    for assertion in asserted(alert.name):
        for expected in assertion["exp_alerts"]:
            assert all(expected["exp_labels"].get(label) for label in UNIT_LABELS)
            assert expected["exp_labels"]["name_zh"] in expected["exp_annotations"]["summary_zh"]
            assert expected["exp_labels"]["name_en"] in expected["exp_annotations"]["summary"]


@pytest.mark.parametrize("rule", rules(), ids=by_name)
def test_rule_reads_only_metrics_of_the_contract_or_recorded_before_it(rule: Rule) -> None:
    every = [other.name for other in rules()]
    recorded = {name for name in every[: every.index(rule.name) + 1] if ":" in name}
    assert names_in(rule.expr) <= CONTRACT | {"up", "ALERTS"} | recorded
    asked = {name for text in rule.body.get("annotations", {}).values() for name in re.findall(r'query "([^"]+)"', text)}
    assert asked <= recorded


def test_names_in_finds_metrics_and_nothing_else() -> None:
    promql = 'max by (unit_id) (hip_made_up{feed="hip_text"}) > on (kind) group_left (name) rate(a:b:c[5m]) or vector(1e9)'
    assert names_in(promql) == {"hip_made_up", "a:b:c"}


def test_monitor_alerts_stand_before_unit_alerts_in_one_group() -> None:
    """Alertmanager drops what resolves while inhibited: at a recovery it has to hear of the monitor first."""
    scopes = {
        group["name"]: [rule["labels"]["scope"] for rule in group["rules"] if "alert" in rule]
        for path in RULE_FILES
        for group in load(path)["groups"]
    }
    assert [name for name, found in scopes.items() if "unit" in found] == ["hipwatch"]
    order = scopes["hipwatch"]
    assert order == sorted(order, key=["monitor", "feed", "unit", "city"].index)
    assert order.count("monitor") == 3


def test_every_target_of_an_inhibition_has_the_label_that_must_be_equal() -> None:
    """A label missing on both sides counts as equal, and would inhibit what has nothing to do with the source."""
    firing = {alert.name: [e["exp_labels"] for a in asserted(alert.name) for e in a["exp_alerts"]] for alert in alerts()}
    for rule in load(ALERTMANAGER_CONFIG)["inhibit_rules"]:
        for matcher in rule["source_matchers"] + (rule["target_matchers"] if "equal" in rule else []):
            names = re.fullmatch(r'alertname=~?"([\w|]+)"', matcher)
            assert names, f"{matcher}: choose by alertname"
            for name in names[1].split("|"):
                assert firing[name]
                assert all(label in labels for labels in firing[name] for label in rule.get("equal", []))


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.stem)
def test_runbook_has_its_name_a_chinese_summary_and_the_four_headings(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == f"# {path.stem}"
    summary = [line for line in lines[: lines.index("## Meaning")] if line.startswith("> ")]
    assert 2 <= len(summary) <= 3
    assert re.search(r"[\u4e00-\u9fff]", "".join(summary))
    assert [line for line in lines if line.startswith("## ")] == ["## Meaning", "## Impact", "## Diagnosis", "## Mitigation"]


@pytest.mark.parametrize("path", [*RUNBOOKS, OPS / "README.md"], ids=lambda path: path.stem)
def test_runbook_names_only_commands_metrics_and_alerts_that_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL) + re.findall(r"`([^`\n]+)`", text))
    called = set(re.findall(r"^\s*hipwatch ([a-z][a-z-]+)", code, flags=re.MULTILINE))
    assert called <= COMMANDS
    assert set(re.findall(r"\bhip_\w+", re.sub(r"\w+:hip_\w+:\w+", "", text))) <= CONTRACT
    assert set(re.findall(r"\w+:hip_\w+:\w+", text)) <= {rule.name for rule in rules()}
    mentioned = set(
        re.findall(
            r"\b(?:Unit|Monitor|Feed|DeadLetters|SequenceGaps|NoWorker|Worker|Broker|Ledger|Lag|DiskFull|Canary)[A-Z]\w+", text
        )
    )
    assert mentioned <= {alert.name for alert in alerts()}


def test_promql_of_the_runbooks_parses(tmp_path: Path) -> None:
    lines = [
        line.strip()
        for path in RUNBOOKS
        for block in re.findall(r"```promql\n(.*?)```", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        for line in block.splitlines()
        if line.strip()
    ]
    assert len(lines) > 10
    found = [{"record": f"runbook:line:{number}", "expr": line} for number, line in enumerate(lines)]
    rule_file = tmp_path / "runbooks.yaml"
    rule_file.write_text(yaml.safe_dump({"groups": [{"name": "runbooks", "rules": found}]}), encoding="utf-8")
    run(program("promtool"), "check", "rules", rule_file)
