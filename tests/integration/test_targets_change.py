"""A targets file that changes while `serve` runs: who is new is told, and what is broken changes nothing."""

import json
import signal
from pathlib import Path
from typing import Final

from tests.factories import make_alert, make_delivery
from tests.integration.stack import Home, fetch, free_port, running, wait_until
from tests.services.robots import DingTalkRobot, RobotServer

_TOKEN: Final = "a-token-of-the-test"
_TARGET: Final = """
[pace]
settle_seconds = 0.5
apart_seconds = 0
[[target]]
name = "{name}"
kind = "dingtalk"
allow_private = true
url_file = "{name}-url"
"""


def test_a_changed_file_is_taken_and_a_broken_one_is_said(home: Home, tmp_path: Path) -> None:
    duty, night, port = DingTalkRobot(), DingTalkRobot(), free_port()
    page, targets = f"http://127.0.0.1:{port}", tmp_path / "targets.toml"
    settings = {"HIPWATCH_DATABASE": home.database, "HIPWATCH_WEBHOOK_TOKEN": _TOKEN, "HIPWATCH_TARGETS": str(targets)}
    with RobotServer({"/duty": duty, "/night": night}) as robots:
        for name in ("duty", "night"):
            (tmp_path / f"{name}-url").write_text(robots.url(f"/{name}", "access_token=a"))
        targets.write_text(_TARGET.format(name="duty"))
        with running(home, "serve", "--port", str(port), "--refresh", "0.3", settings=settings) as serve:
            wait_until(lambda: fetch(f"{page}/healthz")[0] == 200, "serve answers")
            headers = {"Authorization": f"Bearer {_TOKEN}", "Content-Type": "application/json"}
            fetch(f"{page}/webhooks/alertmanager", body=json.dumps(make_delivery(make_alert())).encode(), headers=headers)
            wait_until(lambda: len(duty.taken) == 1, "who is on duty is told")

            targets.write_text(_TARGET.format(name="night") + "colour = 'red'\n")
            serve.signal(signal.SIGHUP)
            wait_until(lambda: "hip_targets_valid 0.0" in fetch(f"{page}/metrics")[1], "the broken file is told as a metric")
            assert "colour" in fetch(page)[1], "and on the page"
            assert night.taken == []

            targets.write_text(_TARGET.format(name="night"))
            serve.signal(signal.SIGHUP)
            wait_until(lambda: len(night.taken) == 1, "who is new is told what is open")
            wait_until(lambda: "hip_targets_valid 1.0" in fetch(f"{page}/metrics")[1], "the mended file is in use")
            assert serve.err.count("the changed targets are not taken") == 1
            assert "the targets have changed: + night, - duty" in serve.err
        assert len(duty.taken) == 1
