"""Manifests for Kubernetes pass KubeRay's schema, and agree with the image and the other configurations."""

from __future__ import annotations

import gzip
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.ray_config import PINNED_RAY, TOP, load

FOLDER = TOP / "cluster" / "kubernetes"
MANIFESTS = sorted(FOLDER.glob("ray*.yaml"))
SCHEMA = Path(__file__).with_name("kuberay") / "rayservice-v1.json.gz"
LIBRARY = pytest.importorskip("jsonschema", reason="needs Ray, which brings it")


def schema(kind: str) -> dict[str, Any]:
    """KubeRay's schema of a manifest, that refuses fields which it does not know."""
    service = json.loads(gzip.decompress(SCHEMA.read_bytes()))
    if kind == "RayCluster":
        service["properties"]["spec"] = service["properties"]["spec"]["properties"]["rayClusterConfig"]
    forbid_unknown_fields(service)
    # Kubernetes knows the fields of metadata; the schema leaves them out.
    service["properties"]["metadata"] = {"type": "object", "required": ["name"]}
    assert isinstance(service, dict)
    return service


def forbid_unknown_fields(node: Any) -> None:
    """Kubernetes drops fields that a schema does not list; here they are mistakes."""
    if isinstance(node, list):
        for item in node:
            forbid_unknown_fields(item)
    elif isinstance(node, dict):
        if isinstance(node.get("properties"), dict) and "x-kubernetes-preserve-unknown-fields" not in node:
            node.setdefault("additionalProperties", False)
        for item in list(node.values()):
            forbid_unknown_fields(item)


def mistakes(manifest: dict[str, Any]) -> list[str]:
    validator = LIBRARY.Draft7Validator(schema(manifest["kind"]))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(manifest)]


def cluster_of(manifest: dict[str, Any]) -> dict[str, Any]:
    """The cluster's specification in a RayCluster or a RayService."""
    spec = manifest["spec"]
    cluster = spec if manifest["kind"] == "RayCluster" else spec["rayClusterConfig"]
    assert isinstance(cluster, dict)
    return cluster


@pytest.fixture(scope="module")
def service() -> dict[str, Any]:
    return load((FOLDER / "rayservice.yaml").read_text())


def test_there_are_both_kinds() -> None:
    kinds = {load(path.read_text())["kind"] for path in MANIFESTS}
    assert kinds == {"RayCluster", "RayService"}


def test_the_service_passes_serves_schema(service: dict[str, Any]) -> None:
    pytest.importorskip("grpc_reflection", reason="needs pip install 'ray[serve]'")
    from ray.serve.schema import ServeDeploySchema

    config = ServeDeploySchema.model_validate(load(service["spec"]["serveConfigV2"]))
    (application,) = config.applications
    module, _, function = application.import_path.partition(":")
    builder = importlib.import_module(module)
    assert callable(getattr(builder, function))
    settings = builder.ServeArguments.model_validate(application.args).settings(1 << 30)
    worker = cluster_of(service)["workerGroupSpecs"][0]["template"]["spec"]["containers"][0]
    assert settings.cluster.config.cpus_per_worker == int(worker["resources"]["limits"]["cpu"])
    assert settings.threads + 1 <= int(cluster_of(service)["headGroupSpec"]["resources"]["CPU"])
    with pytest.raises(ValueError, match="worker"):
        builder.ServeArguments.model_validate({**application.args, "worker": 2})


def test_keys_and_state_are_on_the_volume(service: dict[str, Any]) -> None:
    head = cluster_of(service)["headGroupSpec"]["template"]["spec"]
    volume = load((FOLDER / "volume.yaml").read_text())
    assert head["volumes"][0]["persistentVolumeClaim"]["claimName"] == volume["metadata"]["name"]
    (mount,) = head["containers"][0]["volumeMounts"]
    (application,) = load(service["spec"]["serveConfigV2"])["applications"]
    for path in (application["args"]["state"], *application["args"]["keys"]):
        assert path.rpartition("=")[2].startswith(f"{mount['mountPath']}/")
    # Two heads at once would count the same proofs.
    assert service["spec"]["upgradeStrategy"] == {"type": "None"}
    assert volume["spec"]["accessModes"] == ["ReadWriteOncePod"]


def test_what_runs_before_the_head_makes_a_token_and_waits(service: dict[str, Any], tmp_path: Path) -> None:
    (before,) = cluster_of(service)["headGroupSpec"]["template"]["spec"]["initContainers"]
    *shell, script = before["command"]
    (tmp_path / "ready").touch()
    script = script.replace("/srv/deepprove", str(tmp_path))
    python = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{python}:{os.environ['PATH']}", "PYTHONPATH": str(TOP)}
    subprocess.run([*shell, script], check=True, timeout=60, env=environment)
    assert (tmp_path / "state" / "tokens").stat().st_mode & 0o777 == 0o600


def pods(cluster: dict[str, Any]) -> list[dict[str, Any]]:
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    return [group["template"]["spec"] for group in groups]


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_the_schema(path: Path) -> None:
    assert mistakes(load(path.read_text())) == []


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_a_mistake_would_be_found(path: Path) -> None:
    manifest = load(path.read_text())
    group = cluster_of(manifest)["workerGroupSpecs"][0]
    group["minReplica"] = 1
    group["template"]["spec"]["containers"][0]["name"] = 5
    assert len(mistakes(manifest)) == 2


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_what_all_clusters_share(path: Path) -> None:
    cluster = cluster_of(load(path.read_text()))
    assert cluster["rayVersion"] == PINNED_RAY
    assert cluster["authOptions"] == {"mode": "token"}
    # No workers on the head: its CPUs are for the service's own parts.
    assert int(cluster["headGroupSpec"]["resources"]["CPU"]) < 16
    names = [group["groupName"] for group in cluster["workerGroupSpecs"]]
    assert names == ["cpu", "spot", "accelerator"]
    assert [group["labels"] for group in cluster["workerGroupSpecs"]] == [
        {"deepprove/group": name} for name in names
    ]
    containers = [container for pod in pods(cluster) for container in pod["containers"]]
    assert len({container["image"] for container in containers}) == 1
    for container in containers:
        # KubeRay takes the limits for what Ray may place there.
        assert container["resources"]["requests"] == container["resources"]["limits"]
        assert container["securityContext"]["runAsNonRoot"]
