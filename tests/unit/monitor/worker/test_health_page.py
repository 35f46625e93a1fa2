"""A worker's own port: what Prometheus and a supervisor find there."""

import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Final

import pytest

from monitor.counting.batch import Appended
from monitor.worker.health_page import serve_health
from monitor.worker.source import Behind, Part, Trouble
from monitor.worker.worker_metrics import WorkerMetrics
from schemas.errors import HipwatchError
from tests.factories import make_batch, make_event, make_letter

BEHIND: Final = [Behind("hip.cda-documents.v1", 3, 17, 42.0, 5.0)]
AWAY: Final = Trouble(Part.BROKER, "the broker does not answer")


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_metrics_and_health_have_a_port_of_their_own() -> None:
    now = 1_000.0
    metrics = WorkerMetrics(lambda: now)
    metrics.turned(BEHIND, [])
    batch = make_batch(make_event(), dead_letters=[make_letter(offset=1)])
    metrics.appended([batch, batch], [Appended(True, 1, 0, 2), Appended(False)], 0.02)
    with serve_health(metrics, "127.0.0.1", 0) as port:
        assert get(port, "/healthz") == (200, "ok\n")
        lines = get(port, "/metrics")[1].splitlines()
        assert get(port, "/")[0] == 404
    for line in (
        'hip_worker_events_total{outcome="accepted",topic="cda-documents"} 1.0',
        'hip_worker_dead_letters_total{reason="truncated",topic="cda-documents"} 1.0',
        'hip_worker_dead_letters_total{reason="sequence_conflict",topic="cda-documents"} 1.0',
        'hip_worker_lost_batches_total{topic="cda-documents"} 1.0',
        'hip_worker_lag_messages{partition="3",topic="hip.cda-documents.v1"} 17.0',
        'hip_worker_lag_seconds{partition="3",topic="hip.cda-documents.v1"} 42.0',
        'hip_worker_open_transaction_seconds{partition="3",topic="hip.cda-documents.v1"} 5.0',
        "hip_worker_partitions 1.0",
        "hip_worker_healthy 1.0",
        "hip_worker_last_commit_timestamp_seconds 1000.0",
    ):
        assert line in lines
    assert any(line.startswith("process_resident_memory_bytes") for line in lines)


@pytest.mark.parametrize(
    ("trouble", "part", "said"),
    [
        (lambda metrics, tick: tick(61), "loop", "the loop has not come round for 61 s"),
        (lambda metrics, tick: (metrics.ledger_away(), tick(5)), "ledger", "the ledger has been away for 5 s"),
        (lambda metrics, tick: metrics.turned([], [AWAY]), "broker", AWAY.sentence),
    ],
)
def test_health_says_what_is_wrong_and_the_metric_names_the_part(
    trouble: Callable[[WorkerMetrics, Callable[[float], None]], object], part: str, said: str
) -> None:
    now = [1_000.0]

    def tick(seconds: float) -> None:
        now[0] += seconds

    metrics = WorkerMetrics(lambda: now[0])
    trouble(metrics, tick)
    with serve_health(metrics, "127.0.0.1", 0) as port:
        assert get(port, "/healthz") == (503, f"{said}\n")
        found = get(port, "/metrics")[1]
        assert "hip_worker_healthy 0.0" in found
        wrong = {each: f'hip_worker_trouble{{part="{each}"}} 1.0' in found for each in Part}
        assert wrong == {each: each == part for each in Part}
        metrics.ledger_here()
        metrics.turned(BEHIND, [])
        assert get(port, "/healthz") == (200, "ok\n")
        assert 'hip_worker_trouble{part="' + part + '"} 0.0' in get(port, "/metrics")[1]


def test_a_port_in_use_is_one_sentence() -> None:
    with (
        serve_health(WorkerMetrics(), "127.0.0.1", 0) as port,
        pytest.raises(HipwatchError, match=f"cannot listen on 127.0.0.1:{port} for --metrics-port"),
        serve_health(WorkerMetrics(), "127.0.0.1", port),
    ):
        pass
