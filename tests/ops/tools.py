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

from tests.ops.metrics_page import series_names

OPS: Final = Path(__file__).resolve().parents[2] / "ops"
PROMETHEUS_CONFIG: Final = OPS / "prometheus" / "prometheus.yml"
RULE_FILES: Final = sorted((OPS / "prometheus" / "rules").glob("*.yaml"))
RULE_TESTS: Final = sorted((OPS / "prometheus" / "tests").glob("*-test.yaml"))
ALERTMANAGER_CONFIG: Final = OPS / "alertmanager" / "alertmanager.yml"
RUNBOOKS: Final = sorted((OPS / "runbooks").glob("*.md"))

CONTRACT: Final = frozenset(series_names()) | {"process_start_time_seconds"}
"""Every series that `hipwatch serve` and the workers export: what rules and runbooks may name."""

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
        "changes",
        "deriv",
        "max_over_time",
        "predict_linear",
        "histogram_quantile",
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
