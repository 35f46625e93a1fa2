"""All the programs of a delivery run, with the shipped settings: what is told, and when, is what a user gets.

One thing is shorter: an alert that holds on for more than a minute after its end (`keep_firing_for`) does so for one.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import yaml
from sqlalchemy import Engine

from broker.connection import KafkaConnection
from broker.topics import ensure_topics
from hipwatch.local.prometheus import find_paging
from ingest.scenario import load_scenario
from monitor.ledger import database as database_room
from monitor.ledger.database import open_database
from schemas.clock import start_of_day
from schemas.register import Register
from schemas.register.folder import read_register
from tests.delivery.city import PERIOD, write_month, write_register
from tests.delivery.played import ClockWatch, Units, plan_of
from tests.ops.tools import ALERTMANAGER_CONFIG, PROMETHEUS_CONFIG, RULE_FILES, load
from tests.services.certificates import Authority
from tests.services.kafka import KafkaServer
from tests.services.mailbox import Mailbox
from tests.services.missing import missing
from tests.services.postgres import PostgresServer
from tests.services.process import LOOPBACK, ServiceProcess, clean_environment, lasting_port, listens
from tests.services.robots import RobotServer
from tests.services.told import Channel, channels_of, vendors
from tests.services.told import targets as targets_text

LAPSE_DAY: Final = 15
"""Day of the month from whose beginning on it is played in time-lapse: what is usual has been learned by then."""
_TOKEN: Final = "a-token-of-the-run"
_PASSWORD: Final = "geheim"
_LONGEST_HOLD: Final = "1m"


class Stage:
    """`serves` and `workers` are two each; everything runs when it is entered, but for the units."""

    def __init__(self, folder: Path, broker: KafkaServer, database: str, robots: RobotServer, mailbox: Mailbox) -> None:
        self.folder = folder
        self.robots = robots
        self.mailbox = mailbox
        database_room._LIMITS["idle_in_transaction_session_timeout"] = "120s"  # ours only watches: it may stand still for a while
        self.engine: Engine = open_database(database, create=True)
        self.register: Register = read_register(write_register(folder / "city"))
        self.clock = ClockWatch(self.engine)
        self._database = database
        self._kafka = KafkaConnection(broker.bootstrap)
        self._serve_ports = (lasting_port(), lasting_port())
        self._worker_ports = (lasting_port(), lasting_port())
        self._prometheus_port, self._alertmanager_port = lasting_port(), lasting_port()
        self.workers = [self._worker(index) for index in range(2)]
        self.serves = [self._serve(index) for index in range(2)]
        programs = find_paging() or missing("Prometheus or Alertmanager", "prometheus prometheus-alertmanager")
        self.prometheus = self._prometheus(programs[0])
        self.alertmanager = self._alertmanager(programs[1])
        ensure_topics(self._kafka)

    @property
    def processes(self) -> list[ServiceProcess]:
        """Every process of ours."""
        return [*self.workers, *self.serves, self.prometheus, self.alertmanager]

    def units(self, seed: int, day_seconds: float) -> Units:
        """The units, who have not begun."""
        scenario = load_scenario(write_month(self.folder / "month"), self.register)
        lapse_from = start_of_day(PERIOD.days[LAPSE_DAY - 1])
        return Units(plan_of(scenario, self.register, seed), self._kafka, lapse_from, day_seconds)

    def start(self, process: ServiceProcess) -> None:
        """Start one of ours, and wait until it listens."""
        process.start(self._ready(process))

    def start_all(self) -> None:
        """Start what does not run."""
        for process in self.processes:
            if not process.running:
                self.start(process)

    def channels(self) -> list[Channel]:
        """The four targets."""
        return channels_of(self.robots.robots, self.mailbox)

    def refused(self) -> list[str]:
        """What a robot did not take because it broke a rule."""
        return [f"{path} {code}" for path, robot in self.robots.robots.items() for code, _ in robot.refused]

    def close(self) -> None:
        """End everything."""
        self.clock.stop()
        for process in self.processes:
            process.kill()
        self.engine.dispose()

    def _ready(self, process: ServiceProcess) -> Callable[[], bool]:
        ports = [*self._worker_ports, *self._serve_ports, self._prometheus_port, self._alertmanager_port]
        port = dict(zip(map(id, self.processes), ports, strict=True))[id(process)]
        return lambda: listens(port)

    def _worker(self, index: int) -> ServiceProcess:
        options = ["--bootstrap", self._kafka.bootstrap, "--metrics-port", str(self._worker_ports[index])]
        return self._hipwatch(f"worker-{index + 1}", "worker", *options)

    def _serve(self, index: int) -> ServiceProcess:
        targets, ca_file = self.folder / "targets.toml", self.folder / "authority" / "authority.pem"
        if not targets.exists():
            targets.touch(mode=0o600)
            targets.write_text(targets_text(self.robots, self.mailbox, ca_file), encoding="utf-8")
        month_ends = PERIOD.last + timedelta(days=1)
        options = ["--port", str(self._serve_ports[index]), "--targets", str(targets), "--until", month_ends.isoformat()]
        return self._hipwatch(f"serve-{index + 1}", "serve", *options)

    def _hipwatch(self, name: str, command: str, *options: str) -> ServiceProcess:
        settings = {"HIPWATCH_DATABASE": self._database, "HIPWATCH_WEBHOOK_TOKEN": _TOKEN, "SMTP_PASSWORD": _PASSWORD}
        settings |= {"HIPWATCH_REGISTER": str(self.folder / "city"), "HIPWATCH_HOME": str(self.folder / "home")}
        line = [sys.executable, "-m", "hipwatch", command, *options]
        return ServiceProcess(name, line, self.folder / f"{name}.log", clean_environment() | settings)

    def _prometheus(self, program: str) -> ServiceProcess:
        config = load(PROMETHEUS_CONFIG)
        for job, ports in zip(config["scrape_configs"], (self._serve_ports, self._worker_ports), strict=True):
            job["static_configs"] = [{"targets": [f"{LOOPBACK}:{port}" for port in ports]}]
        config["alerting"]["alertmanagers"][0]["static_configs"] = [{"targets": [f"{LOOPBACK}:{self._alertmanager_port}"]}]
        config["rule_files"] = [str(_write(self.folder / "rules" / file.name, _brief(load(file)))) for file in RULE_FILES]
        line = [program, f"--config.file={_write(self.folder / 'prometheus.yml', config)}"]
        line += [f"--storage.tsdb.path={self.folder / 'prometheus'}", f"--web.listen-address={LOOPBACK}:{self._prometheus_port}"]
        return ServiceProcess("prometheus", line, self.folder / "prometheus.log")

    def _alertmanager(self, program: str) -> ServiceProcess:
        """It delivers to both of `serve`."""
        token = self.folder / "webhook-token"
        token.write_text(_TOKEN, encoding="ascii")
        config = load(ALERTMANAGER_CONFIG)
        for receiver in config["receivers"]:
            (webhook,) = receiver["webhook_configs"]
            guard = {"authorization": {"credentials_file": str(token)}}
            urls = [f"http://{LOOPBACK}:{port}/webhooks/alertmanager" for port in self._serve_ports]
            receiver["webhook_configs"] = [webhook | {"url": url, "http_config": guard} for url in urls]
        line = [program, f"--config.file={_write(self.folder / 'alertmanager.yml', config)}"]
        line += [f"--storage.path={self.folder / 'alertmanager'}", "--cluster.listen-address="]
        line += [f"--web.listen-address={LOOPBACK}:{self._alertmanager_port}"]
        return ServiceProcess("alertmanager", line, self.folder / "alertmanager.log")


@contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """Everything, started, until the block ends."""
    with ExitStack() as stack:
        broker, database = stack.enter_context(KafkaServer()), stack.enter_context(PostgresServer())
        server = stack.enter_context(RobotServer(vendors()))
        mailbox = stack.enter_context(Mailbox(Authority(folder / "authority").server(), password=_PASSWORD))
        stage = Stage(folder, broker, database.new_database(), server, mailbox)
        stack.callback(stage.close)
        stage.start_all()
        stage.clock.start()
        yield stage


def _brief(rules: dict[str, Any]) -> dict[str, Any]:
    for group in rules["groups"]:
        for rule in group["rules"]:
            if rule.get("keep_firing_for", _LONGEST_HOLD) != _LONGEST_HOLD:
                rule["keep_firing_for"] = _LONGEST_HOLD
    return rules


def _write(path: Path, content: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path
