"""The jars of the Apache Kafka that `docker/kafka/pom.xml` names, fetched once for all runs on this machine."""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path

from tests.services.missing import missing, program
from tests.services.process import ServiceFailed

KAFKA: Final = Path(__file__).resolve().parents[2] / "docker" / "kafka"
_FETCH_SECONDS: Final = 600


def kafka_jars() -> Path:
    """The folder of the jars. Gives up as `missing` does without Java, or without Maven when they have to be fetched.

    The cache's name has the pom's hash: a changed pom fetches anew. Two runs that fetch at once do not disturb each other.
    """
    program("java", "java")
    pom = KAFKA / "pom.xml"
    jars = user_cache_path("hipwatch") / f"kafka-{hashlib.sha256(pom.read_bytes()).hexdigest()[:12]}"
    if not jars.is_dir():
        _fetch(pom, jars)
    return jars


def _fetch(pom: Path, jars: Path) -> None:
    maven = shutil.which("mvn") or missing("Apache Kafka is not in the cache, and Maven, which would fetch it,", "java maven")
    jars.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=jars.parent, prefix="fetching-") as scratch:
        found = Path(scratch) / "libs"
        command = [maven, "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", "-DincludeScope=runtime"]
        done = subprocess.run(
            [*command, f"-DoutputDirectory={found}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_FETCH_SECONDS,
            check=False,
        )
        if done.returncode != 0 or not any(found.glob("kafka_*.jar")):
            raise ServiceFailed(f"Maven could not fetch Apache Kafka\n{done.stdout[-2000:]}")
        try:
            found.rename(jars)  # atomic: whoever sees the folder sees all of it
        except OSError:
            if not jars.is_dir():  # else another run was faster
                raise
