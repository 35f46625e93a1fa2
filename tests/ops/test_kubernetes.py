"""The Kubernetes base, by Kubernetes' own schemas and beside hipwatch: what it starts, sets, asks and allows exists. Offline."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import kubernetes_validate
import pytest
import yaml
from fastapi.testclient import TestClient

from hipwatch.cli.main import load_all
from monitor.app.web import build_web
from monitor.board.guard import may_be_called
from monitor.settings import ServeSettings
from monitor.worker.health_page import serve_health
from monitor.worker.worker_metrics import WorkerMetrics
from tests.ops.tools import ALERTMANAGER_CONFIG, OPS

BASE: Final = OPS / "kubernetes"
FILES: Final = sorted(BASE.glob("*.yaml"))
RELEASES: Final = ("1.27", "1.30", "1.37")
"""Of Kubernetes: the oldest that a cluster is likely to have, one between, and the newest whose schemas are at hand."""
NAMESPACE: Final = "hipwatch"
USER: Final = 10001
NOT_OURS: Final = {"PGSERVICEFILE"}
"""Variables of libpq's."""


def documents(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def section() -> str:
    """What docs/operations.md says of it."""
    page = (OPS.parent / "docs" / "operations.md").read_text(encoding="utf-8")
    return page.partition("## On Kubernetes\n")[2].partition("\n## ")[0]


def kustomization() -> dict[str, Any]:
    (found,) = documents(BASE / "kustomization.yaml")
    return found


def resources() -> list[dict[str, Any]]:
    return [document for name in kustomization()["resources"] for document in documents(BASE / name)]


CANARY: Final = BASE / "canary"


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    """By name."""
    return {found["metadata"]["name"]: found for found in resources() if found["kind"] == kind}


DEPLOYMENTS: Final = of_kind("Deployment")


def pod(deployment: str) -> dict[str, Any]:
    spec: dict[str, Any] = DEPLOYMENTS[deployment]["spec"]["template"]["spec"]
    return spec


def container(deployment: str) -> dict[str, Any]:
    (found,) = pod(deployment)["containers"]
    assert isinstance(found, dict)
    return found


def test_the_base_holds_every_file_and_nothing_else() -> None:
    assert {path.name for path in FILES} == {*kustomization()["resources"], "kustomization.yaml"}
    keys = [(found["kind"], found["metadata"]["name"]) for found in resources()]
    assert len(set(keys)) == len(keys)
    assert set(DEPLOYMENTS) == {"hipwatch-worker", "hipwatch-serve"}


@pytest.mark.parametrize("release", RELEASES)
def test_each_resource_is_one_by_kubernetes_own_schema(release: str) -> None:
    for found in (*resources(), *documents(CANARY / "canary.yaml")):
        kubernetes_validate.validate(found, release, strict=True)


def test_a_resource_with_a_word_that_is_none_would_be_found() -> None:
    broken = DEPLOYMENTS["hipwatch-worker"] | {"spec": DEPLOYMENTS["hipwatch-worker"]["spec"] | {"replica": 2}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, RELEASES[-1], strict=True)


@pytest.fixture
def kustomize() -> Callable[[Path], list[dict[str, Any]]]:
    """What Kustomize makes of a folder."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed")

    def build(folder: Path) -> list[dict[str, Any]]:
        built = subprocess.run([kubectl, "kustomize", str(folder)], capture_output=True, text=True, check=False, timeout=60)
        assert built.returncode == 0, built.stderr
        return list(yaml.safe_load_all(built.stdout))

    return build


def images(built: list[dict[str, Any]]) -> set[str]:
    return {c["image"] for one in built if one["kind"] == "Deployment" for c in one["spec"]["template"]["spec"]["containers"]}


def test_kustomize_builds_it(kustomize: Callable[[Path], list[dict[str, Any]]]) -> None:
    built = kustomize(BASE)
    assert len(built) == len(resources())
    assert all(one["metadata"].get("namespace", NAMESPACE) == NAMESPACE for one in built)
    assert images(built) == {"hipwatch:latest"}


def test_the_canary_is_a_component_that_is_confined_as_a_worker_and_told_to_serve(
    kustomize: Callable[[Path], list[dict[str, Any]]], tmp_path: Path
) -> None:
    shutil.copytree(BASE, tmp_path / "base")
    (tmp_path / "overlay").mkdir()
    overlay = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": ["../base"]}
    overlay["components"] = ["../base/canary"]
    (tmp_path / "overlay" / "kustomization.yaml").write_text(yaml.safe_dump(overlay), encoding="utf-8")
    built = {(one["kind"], one["metadata"]["name"]): one for one in kustomize(tmp_path / "overlay")}
    assert built["ConfigMap", "hipwatch-settings"]["data"]["HIPWATCH_CANARY"] == "yes"
    assert ("Deployment", "hipwatch-canary") in built


def test_the_canary_is_started_and_confined_as_a_worker_is() -> None:
    (canary,) = documents(CANARY / "canary.yaml")
    spec = canary["spec"]["template"]["spec"]
    (alone,) = spec["containers"]
    assert alone["args"][0] in load_all().commands
    assert spec["securityContext"] == pod("hipwatch-worker")["securityContext"]
    assert spec["volumes"] == pod("hipwatch-worker")["volumes"]
    for key in ("image", "envFrom", "securityContext", "volumeMounts"):
        assert alone[key] == container("hipwatch-worker")[key], key
    (component,) = documents(CANARY / "kustomization.yaml")
    (patch,) = [yaml.safe_load(one["patch"]) for one in component["patches"]]
    assert patch["metadata"]["name"] in of_kind("ConfigMap")
    assert set(patch["data"]) <= {parameter.envvar for parameter in load_all().commands["serve"].params}


def test_the_documented_overlay_changes_image_and_settings(
    kustomize: Callable[[Path], list[dict[str, Any]]], tmp_path: Path
) -> None:
    (overlay,) = re.findall(r"```yaml\n(.*?)```", section(), re.DOTALL)
    shutil.copytree(BASE, tmp_path / "ops" / "kubernetes")
    (tmp_path / "overlay").mkdir()
    (tmp_path / "overlay" / "kustomization.yaml").write_text(overlay, encoding="utf-8")
    built = kustomize(tmp_path / "overlay")
    assert images(built) == {"registry.example/hipwatch:0.1.0"}
    (settings,) = [one["data"] for one in built if one["kind"] == "ConfigMap"]
    (base,) = of_kind("ConfigMap").values()
    assert settings == base["data"] | {"HIPWATCH_BOOTSTRAP": "kafka-bootstrap.kafka:9092"}


def test_the_page_names_services_paths_and_labels_that_exist() -> None:
    called = {re.sub(r"[`,\]}].*", "", call) for call in re.findall(rf"([\w-]+\.{NAMESPACE}\.svc\S*)", section())}
    for call in called:
        name, _, rest = call.partition(f".{NAMESPACE}.svc")
        port, _, path = rest.lstrip(":").partition("/")
        service = of_kind("Service")[name]["spec"]
        assert not port or int(port) == service["ports"][0]["port"]
        assert not path or f"/{path}" in ALERTMANAGER_CONFIG.read_text(encoding="utf-8")
    assert len(called) == 3
    for policy in of_kind("NetworkPolicy")["hipwatch"]["spec"]["ingress"][0]["from"]:
        ((label, value),) = policy["namespaceSelector"]["matchLabels"].items()
        assert f"kubectl label namespace monitoring {label}={value}" in section()


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_what_is_started_and_set_exists(name: str) -> None:
    command, *words = container(name)["args"]
    parameters = load_all().commands[command].params
    options = {option for parameter in parameters for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options
    (shared,) = of_kind("ConfigMap").values()
    own = {variable["name"] for variable in container(name).get("env", [])}
    known = {parameter.envvar for parameter in parameters}
    assert own <= known
    read_by_all = {p.envvar for each in ("worker", "serve") for p in load_all().commands[each].params}
    assert set(shared["data"]) - NOT_OURS <= read_by_all
    assert {source["configMapRef"]["name"] for source in container(name)["envFrom"]} == {shared["metadata"]["name"]}


def values_of(name: str) -> Iterator[str]:
    (shared,) = of_kind("ConfigMap").values()
    yield from shared["data"].values()
    yield from (variable["value"] for variable in container(name).get("env", []))


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_secrets_are_files_where_the_settings_look_for_them(name: str) -> None:
    volumes = {volume["name"]: volume for volume in pod(name)["volumes"]}
    mounts = {mount["mountPath"]: mount for mount in container(name)["volumeMounts"]}
    for path in (value for value in values_of(name) if value.startswith("/etc/")):
        mount = mounts[str(Path(path).parent)]
        assert mount["readOnly"], path
        assert volumes[mount["name"]]["secret"]["defaultMode"] == 0o440
    assert of_kind("Secret") == {}, "no secret is in the repository"
    for volume in volumes.values():
        assert "secret" not in volume or f"create secret generic {volume['secret']['secretName']} " in section()


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_the_pod_may_do_little(name: str) -> None:
    whole, alone = pod(name)["securityContext"], container(name)["securityContext"]
    assert (whole["runAsNonRoot"], whole["runAsUser"], whole["seccompProfile"]["type"]) == (True, USER, "RuntimeDefault")
    assert (alone["allowPrivilegeEscalation"], alone["readOnlyRootFilesystem"]) == (False, True)
    assert alone["capabilities"] == {"drop": ["ALL"]}
    assert pod(name)["automountServiceAccountToken"] is False
    (namespace,) = of_kind("Namespace").values()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    dockerfile = (OPS.parent / "docker" / "Dockerfile").read_text(encoding="utf-8")
    assert f"USER {USER}\n" in dockerfile
    (home,) = re.findall(r"HIPWATCH_HOME=(\S+)", dockerfile)
    written = {mount["mountPath"] for mount in container(name)["volumeMounts"] if not mount.get("readOnly")}
    assert written == {home, "/tmp"}


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_what_it_asks_for_and_may_have_is_said(name: str) -> None:
    resources = container(name)["resources"]
    assert set(resources["requests"]) == {"cpu", "memory"}
    assert "memory" in resources["limits"]
    assert "cpu" not in resources["limits"], "a limit makes a backlog slow and helps nobody"


def paths_of(name: str) -> set[str]:
    return {container(name)[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}


def test_the_probes_of_serve_are_answered(tmp_path: Path) -> None:
    with build_web(ServeSettings(f"sqlite:///{tmp_path / 'ledger.db'}")) as web:
        client = TestClient(web.site, base_url="http://127.0.0.1")
        assert {path: client.get(path).status_code for path in paths_of("hipwatch-serve")} == {"/metrics": 200, "/healthz": 200}


def test_the_probes_of_a_worker_are_answered() -> None:
    with serve_health(WorkerMetrics(), "127.0.0.1", 0) as port:
        statuses = {
            path: httpx.get(f"http://127.0.0.1:{port}{path}", timeout=60).status_code for path in paths_of("hipwatch-worker")
        }
    assert set(statuses) == {"/metrics", "/healthz"}
    assert statuses["/metrics"] == 200
    assert statuses["/healthz"] in (200, 503), "one that never ran is not ready"


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_what_is_only_away_kills_nobody(name: str) -> None:
    """/healthz is 503 while the ledger or the broker is away: it says who is ready, and not who has to die."""
    assert container(name)["readinessProbe"]["httpGet"]["path"] == "/healthz"
    assert container(name)["livenessProbe"]["httpGet"]["path"] == "/metrics"


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_ports_are_the_same_wherever_they_stand(name: str) -> None:
    (port,) = container(name)["ports"]
    _, *words = container(name)["args"]
    listening = dict(zip(words[::2], words[1::2], strict=True))
    (number,) = [value for option, value in listening.items() if option.endswith("port")]
    (host,) = [value for option, value in listening.items() if option.endswith("host")]
    assert (int(number), host) == (port["containerPort"], "0.0.0.0"), "loopback would be the pod's own"
    assert {container(name)[f"{probe}Probe"]["httpGet"]["port"] for probe in ("startup", "liveness", "readiness")} == {
        port["name"]
    }
    service = of_kind("Service")[name]["spec"]
    assert service["ports"] == [{"name": port["name"], "port": port["containerPort"], "targetPort": port["name"]}]
    assert service["publishNotReadyAddresses"], "Prometheus has to hear what is wrong"
    incoming = of_kind("NetworkPolicy")["hipwatch"]["spec"]["ingress"]
    assert {"port": port["containerPort"]} in incoming[0]["ports"]


def test_selectors_choose_the_pods_that_they_mean() -> None:
    labels = {name: found["spec"]["template"]["metadata"]["labels"] for name, found in DEPLOYMENTS.items()}

    def chosen(selector: dict[str, str]) -> set[str]:
        return {name for name, found in labels.items() if selector.items() <= found.items()}

    for name, found in DEPLOYMENTS.items():
        assert chosen(found["spec"]["selector"]["matchLabels"]) == {name}
        assert chosen(of_kind("Service")[name]["spec"]["selector"]) == {name}
    (budget,) = of_kind("PodDisruptionBudget").values()
    assert chosen(budget["spec"]["selector"]["matchLabels"]) == {"hipwatch-worker"}
    assert budget["spec"]["minAvailable"] < DEPLOYMENTS["hipwatch-worker"]["spec"]["replicas"], "else no node could be drained"
    policies = of_kind("NetworkPolicy")
    assert chosen(policies["hipwatch"]["spec"]["podSelector"]["matchLabels"]) == set(labels)
    assert chosen(policies["hipwatch-messages"]["spec"]["podSelector"]["matchLabels"]) == {"hipwatch-serve"}


def test_kafka_and_the_ledger_may_be_reached() -> None:
    policy = of_kind("NetworkPolicy")["hipwatch"]["spec"]
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}, "what is not named is refused in both directions"
    allowed = {port["port"] for rule in policy["egress"] for port in rule["ports"]}
    (shared,) = of_kind("ConfigMap").values()
    assert int(shared["data"]["HIPWATCH_BOOTSTRAP"].rpartition(":")[2]) in allowed
    assert {53, 5432} <= allowed


def test_serve_answers_to_the_names_of_its_service() -> None:
    (names,) = [one["value"] for one in container("hipwatch-serve")["env"] if one["name"] == "HIPWATCH_ALLOWED_HOSTS"]
    assert kustomization()["namespace"] == NAMESPACE
    for ending in ("", ".svc", ".svc.cluster.local"):
        name = f"hipwatch-serve.{NAMESPACE}{ending}"
        assert not may_be_called(f"{name}:8080", ())
        assert may_be_called(f"{name}:8080", names.split())
