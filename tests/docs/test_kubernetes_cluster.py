"""The cluster's manifests: Kubernetes and the program accept them, and each role has only what it needs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from typer.main import get_command

from ticket_processor.cli import app
from ticket_processor.settings.sources import VARIABLES

from .test_deploy import CONFIG_FOLDER, ROOT, SECRETS, UID, stages, values

FOLDER = ROOT / "deploy" / "kubernetes"
NAME = "app.kubernetes.io/name"
COMPONENT = "app.kubernetes.io/component"

Manifest = dict[str, Any]


def read(*path: str) -> list[Manifest]:
    return list(yaml.safe_load_all(FOLDER.joinpath(*path).read_text(encoding="utf-8")))


def merged(below: Any, above: Any) -> Any:
    """What kustomize makes of a manifest and a patch: lists are merged by name, all other lists replaced."""
    if isinstance(below, dict) and isinstance(above, dict):
        both = {key: merged(below[key], above[key]) if key in below else above[key] for key in above}
        return {**below, **both}
    if isinstance(below, list) and all(isinstance(item, dict) and "name" in item for item in [*below, *above]):
        known = {json.dumps(item.get("mountPath", item["name"])): item for item in below}
        for item in above:
            key = json.dumps(item.get("mountPath", item["name"]))
            known[key] = merged(known.get(key, {}), item)
        return list(known.values())
    return above


@pytest.fixture(scope="module")
def manifests() -> dict[tuple[str, str], Manifest]:
    """Every manifest of the cluster by its kind and name, the run's CronJob with its patch."""
    (plan,) = read("cluster", "kustomization.yaml")
    (patch,) = plan["patches"]
    below, *files = plan["resources"]
    assert below == "../run"
    everything = read("run", "run.yaml") + [manifest for file in files for manifest in read("cluster", file)]
    found = {(each["kind"], each["metadata"]["name"]): each for each in everything}
    (driver,) = read("cluster", patch["path"])
    key = (driver["kind"], driver["metadata"]["name"])
    return found | {key: merged(found[key], driver)}


@pytest.fixture(scope="module")
def pods(manifests: dict[tuple[str, str], Manifest]) -> dict[str, Manifest]:
    """The template of each role's pods."""
    return {
        "driver": manifests["CronJob", "ticketbot"]["spec"]["jobTemplate"]["spec"]["template"],
        "scheduler": manifests["Deployment", "ticketbot-scheduler"]["spec"]["template"],
        "worker": manifests["Deployment", "ticketbot-worker"]["spec"]["template"],
    }


@pytest.fixture(scope="module")
def containers(pods: dict[str, Manifest]) -> dict[str, Manifest]:
    """The one container of each role."""
    found = {}
    for role, pod in pods.items():
        (found[role],) = pod["spec"]["containers"]
    return found


def test_kubernetes_own_schemas_accept_every_manifest(manifests: dict[tuple[str, str], Manifest]) -> None:
    validate = pytest.importorskip("kubernetes_validate")
    assert len(manifests) == 10
    for manifest in manifests.values():
        validate.validate(manifest, "1.27", strict=True)
        validate.validate(manifest, validate.latest_version(), strict=True)


@pytest.mark.parametrize("role", ["driver", "scheduler", "worker"])
def test_the_program_takes_each_roles_words(containers: dict[str, Manifest], role: str) -> None:
    """The image's entry point is the program; whatever a command does not know ends this with an error."""
    _build, final = stages()
    assert values(final, "ENTRYPOINT") == ['["ticketbot"]']
    name, *words = (word.replace("$(POD_IP)", "10.1.2.3") for word in containers[role]["args"])
    assert name == {"driver": "run"}.get(role, role)
    program: Any = get_command(app)
    with program.make_context("ticketbot", [name, *words]) as above:
        command = program.get_command(above, name)
        taken = command.make_context(name, words, parent=above).params
    assert not taken["insecure"]
    if role == "worker":
        assert taken["host"] == "10.1.2.3"


def leaves(tree: Mapping[str, Any], *above: str) -> Iterator[str]:
    for key, value in tree.items():
        path = (*above, key.upper().replace("-", "_"))
        yield from leaves(value, *path) if isinstance(value, dict) else ["__".join(path)]


def test_every_variable_is_one_that_the_program_or_dask_reads(containers: dict[str, Manifest]) -> None:
    config = pytest.importorskip("dask").config
    pytest.importorskip("distributed")
    daskish = {f"DASK_{leaf}" for defaults in config.defaults for leaf in leaves(defaults)}
    for container in containers.values():
        for each in container.get("env", ()):
            name = each["name"]
            assert name in VARIABLES or name in daskish or f"$({name})" in container["args"], name
            assert name not in SECRETS


def test_only_the_driver_has_the_helpdesks_credentials_and_the_volume(pods: dict[str, Manifest]) -> None:
    given = {
        role: [each["secretRef"]["name"] for each in pod["spec"]["containers"][0].get("envFrom", ())]
        for role, pod in pods.items()
    }
    assert given == {
        "driver": ["ticketbot-secrets", "ticketbot-models"],
        "scheduler": [],
        "worker": ["ticketbot-models"],
    }
    volumes = {role: {each["name"] for each in pod["spec"]["volumes"]} for role, pod in pods.items()}
    assert volumes == {
        "driver": {"data", "tmp", "config", "tls"},
        "scheduler": {"tmp", "tls"},
        "worker": {"tmp", "tls", "config"},
    }
    (mount,) = (each for each in pods["worker"]["spec"]["containers"][0]["volumeMounts"] if each["name"] == "config")
    assert mount["mountPath"] == CONFIG_FOLDER


@pytest.mark.parametrize("role", ["scheduler", "worker"])
def test_pods_may_do_nothing_that_they_do_not_need(pods: dict[str, Manifest], role: str) -> None:
    """The driver's pod is the run's, which has a test of its own."""
    spec, driver = pods[role]["spec"], pods["driver"]["spec"]
    assert spec["automountServiceAccountToken"] is spec["enableServiceLinks"] is False
    assert spec["securityContext"] == {
        name: value for name, value in driver["securityContext"].items() if name != "fsGroupChangePolicy"
    }
    assert spec["securityContext"]["runAsUser"] == UID
    (container,), (runs,) = spec["containers"], driver["containers"]
    assert container["securityContext"] == runs["securityContext"]
    assert container["image"] == runs["image"]
    assert "memory" in container["resources"]["limits"]


# --- who may talk to whom


def fits(selector: Manifest, labels: Mapping[str, str]) -> bool:
    assert set(selector) <= {"matchLabels", "matchExpressions"}
    wanted = selector.get("matchLabels", {}).items()
    rules = selector.get("matchExpressions", ())
    assert all(rule["operator"] == "In" for rule in rules)
    return wanted <= labels.items() and all(labels.get(rule["key"]) in rule["values"] for rule in rules)


def open_ports(policies: list[Manifest], way: str, of: Mapping[str, str], other: Mapping[str, str]) -> set[object]:
    """The ports at which policies let pods with labels ``of`` reach ``other`` (or be reached); ``None``: any."""
    side = {"egress": "to", "ingress": "from"}[way]
    found: set[object] = set()
    for policy in (each["spec"] for each in policies if fits(each["spec"]["podSelector"], of)):
        assert policy["policyTypes"] == ["Ingress", "Egress"]
        for rule in policy.get(way, ()):
            peers = [each["podSelector"] for each in rule[side] if set(each) == {"podSelector"}]
            if any(fits(peer, other) for peer in peers):
                found |= {each["port"] for each in rule.get("ports", [{"port": None}])}
    return found


def test_nobody_talks_to_whom_it_need_not(
    pods: dict[str, Manifest], manifests: dict[tuple[str, str], Manifest]
) -> None:
    policies = [each for (kind, _), each in manifests.items() if kind == "NetworkPolicy"]
    labels = {role: pod["metadata"]["labels"] for role, pod in pods.items()}
    ways = {}
    for one, its in labels.items():
        for other, others in labels.items():
            out = open_ports(policies, "egress", its, others)
            assert out == open_ports(policies, "ingress", others, its), (one, other)
            if out:
                ways[one, other] = out
    assert ways == {
        ("driver", "scheduler"): {8786},
        ("worker", "scheduler"): {8786},
        ("worker", "worker"): {None},
        ("scheduler", "worker"): {None},
    }
    stranger = {NAME: "another", COMPONENT: "worker"}
    assert not any(open_ports(policies, "ingress", its, stranger) for its in labels.values())


def test_the_internet_is_for_those_who_ask_models_and_the_helpdesk_and_holds_nothing_inside(
    pods: dict[str, Manifest], manifests: dict[tuple[str, str], Manifest]
) -> None:
    reach = {}
    for role, pod in pods.items():
        reach[role] = [
            ([port["port"] for port in rule["ports"]], peer["ipBlock"])
            for (kind, _), policy in manifests.items()
            if kind == "NetworkPolicy" and fits(policy["spec"]["podSelector"], pod["metadata"]["labels"])
            for rule in policy["spec"].get("egress", ())
            for peer in rule["to"]
            if "ipBlock" in peer
        ]
    private = ["10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"]
    outside = [([443], {"cidr": "0.0.0.0/0", "except": private})]
    assert reach == {"driver": outside, "worker": outside, "scheduler": []}
