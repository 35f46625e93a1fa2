"""What the tests of `ops/` share: where the files are, the programs that check them, and a reader for the rules."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

OPS: Final = Path(__file__).resolve().parents[2] / "ops"
PROMETHEUS_CONFIG: Final = OPS / "prometheus" / "prometheus.yml"
RULE_FILES: Final = sorted((OPS / "prometheus" / "rules").glob("*.yaml"))
RULE_TESTS: Final = sorted((OPS / "prometheus" / "tests").glob("*-test.yaml"))
ALERTMANAGER_CONFIG: Final = OPS / "alertmanager" / "alertmanager.yml"
RUNBOOKS: Final = sorted((OPS / "runbooks").glob("*.md"))

CONTRACT: Final = frozenset(
    {
        "hip_unit_info",
        "hip_unit_seen",
        "hip_feed_active",
        "hip_feed_seen",
        "hip_feed_last_event_timestamp_seconds",
        "hip_feed_deadline_timestamp_seconds",
        "hip_platform_clock_timestamp_seconds",
        "hip_platform_clock_advanced_timestamp_seconds",
        "hip_platform_stall_after_seconds",
        "hip_snapshot_timestamp_seconds",
        "hip_snapshot_stale_after_seconds",
        "hip_events_total",
        "hip_duplicates_total",
        "hip_dead_letters_total",
        "hip_missing_sequences",
        "hip_watchdog_last_received_timestamp_seconds",
    }
)
"""Every metric that `hipwatch serve` exports and rules and runbooks may name."""

# What a PromQL expression may hold besides metrics; a name in neither list fails the test, which is the point.
_WORDS: Final = frozenset(
    {"and", "or", "unless", "on", "ignoring", "bool", "group_left", "group_right", "by", "without", "offset"}
    | {
        "max",
        "min",
        "sum",
        "avg",
        "count",
        "group",
        "topk",
        "sort",
        "sort_desc",
        "vector",
        "time",
        "increase",
        "rate",
        "label_replace",
    }
)


def program(*names: str) -> str:
    """Path of the first of `names` that is installed. Missing: skip visibly on a desk, fail in CI."""
    for name in names:
        if path := shutil.which(name):
            return path
    missing = f"{' / '.join(names)} is not installed"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


def run(*command: str | Path) -> str:
    """Standard output of `command`; its whole output is the message if it fails."""
    done = subprocess.run(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def load(path: Path) -> Any:
    """The YAML document in `path`."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Rule:
    """One rule as written; `name` is an alert's name or a recorded series'."""

    name: str
    is_alert: bool
    expr: str
    body: dict[str, Any]


def rules() -> list[Rule]:
    """All rules, in the order of files, groups and lines."""
    return [
        Rule(rule.get("alert") or rule["record"], "alert" in rule, str(rule["expr"]), rule)
        for path in RULE_FILES
        for group in load(path)["groups"]
        for rule in group["rules"]
    ]


def alerts() -> list[Rule]:
    return [rule for rule in rules() if rule.is_alert]


def names_in(promql: str) -> set[str]:
    """The metrics that `promql` reads: what remains after strings, label matchers, label lists, functions and keywords."""
    text = re.sub(r'"[^"]*"|\'[^\']*\'', "", promql)
    text = re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", text)
    text = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", r"\1 ", text)
    return set(re.findall(r"(?<![\w:.])[a-zA-Z_:][\w:]*", text)) - _WORDS
