"""The container, the Kubernetes and Cloud Run jobs and the page about scheduling keep what they promise."""

from __future__ import annotations

import configparser
import fnmatch
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ticket_processor.core.errors import ExitCode
from ticket_processor.monitoring.run_watch import GRACE_S
from ticket_processor.schedule.schedulers import STOP_GRACE_S
from ticket_processor.settings.schema import Settings
from ticket_processor.settings.sources import VARIABLES

ROOT = Path(__file__).resolve().parents[2]
SCHEDULING = (ROOT / "docs" / "scheduling.md").read_text(encoding="utf-8")
LIMIT_S = int(Settings().run.deadline_s + GRACE_S) + 20
DEFAULT_EVERY_MIN = 10
SECRETS = {name for name, variable in VARIABLES.items() if variable.secret}
UID = 10001
CONFIG_FOLDER = "/etc/ticketbot"

Instruction = tuple[str, str]


def instructions() -> list[Instruction]:
    """The Dockerfile's instructions, each with its whole text."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    text = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in text.splitlines() if line.strip()]


def stages() -> list[list[Instruction]]:
    """The instructions of each stage."""
    found: list[list[Instruction]] = []
    for instruction in instructions():
        if instruction[0] == "FROM":
            found.append([])
        if found:
            found[-1].append(instruction)
    return found


def values(stage: list[Instruction], name: str) -> list[str]:
    return [text for kind, text in stage if kind == name]


def test_it_runs_as_a_user_without_rights_who_is_known_by_number() -> None:
    _build, final = stages()
    assert values(final, "USER") == [f"{UID}:{UID}"]
    after = [kind for kind, _text in final[final.index(("USER", f"{UID}:{UID}")) :]]
    assert "RUN" not in after
    assert "COPY" not in after


def test_no_secret_gets_into_the_image() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert not [name for name in SECRETS if name in text]
    assert re.search(r"ARG .*(TOKEN|SECRET|KEY|PASSWORD)", text) is None


def let_through(path: str) -> bool:
    """Whether ``.dockerignore`` lets a file of the repository into the build; the last line that fits decides."""
    ignored = False
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.removeprefix("!")
        if line and not line.startswith("#"):
            parts = Path(path).parts
            above = ["/".join(parts[: length + 1]) for length in range(len(parts))]
            deep = pattern.startswith("**/") and any(fnmatch.fnmatch(part, pattern[3:]) for part in parts)
            if deep or any(fnmatch.fnmatch(name, pattern) for name in above):
                ignored = not line.startswith("!")
    return not ignored


def test_the_build_gets_what_it_copies_and_nothing_else() -> None:
    build, _final = stages()
    copied = [name for text in values(build, "COPY") for name in text.split()[:-1]]
    assert all((ROOT / name).exists() for name in copied)
    assert all(let_through(name) for name in copied)
    assert let_through("ticket_processor/sandbox/app.py")
    for name in (".env", ".git/config", "logs/ticketbot-2026-01-01.jsonl", "tests/support/fakes.py", "ticketbot.toml"):
        assert not let_through(name), name
    assert not let_through("ticket_processor/__pycache__/cli.cpython-311.pyc")


def test_whatever_the_package_reads_is_installed_with_it() -> None:
    """The image has the installed package only; a checkout has every file, told or not."""
    told = configparser.ConfigParser(interpolation=None)
    told.read(ROOT / "setup.cfg", encoding="utf-8")
    patterns = told["options.package_data"]["*"].split(", ")
    program = ROOT / "ticket_processor"
    packages = {file.parent for file in program.rglob("__init__.py")}
    installed = {file for package in packages for pattern in patterns for file in package.glob(pattern)}
    files = [file for file in program.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    assert {file.parent for file in files if file.suffix == ".py"} == packages
    assert {file for file in files if file.suffix != ".py"} <= installed


def test_the_linter_finds_nothing() -> None:
    linter = shutil.which("hadolint", path=Path(sys.executable).parent.as_posix()) or shutil.which("hadolint")
    if linter is None:
        pytest.skip("there is no hadolint here")
    ended = subprocess.run([linter, str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "")


# --- Kubernetes


@pytest.fixture
def manifests() -> dict[str, Any]:
    text = (ROOT / "deploy" / "kubernetes" / "run" / "run.yaml").read_text(encoding="utf-8")
    return {document["kind"]: document for document in yaml.safe_load_all(text)}


def test_the_cronjob_never_overlaps_and_ends_before_the_next(manifests: dict[str, Any]) -> None:
    job = manifests["CronJob"]["spec"]
    assert job["schedule"].endswith(f"-59/{DEFAULT_EVERY_MIN} * * * *")
    assert (job["timeZone"], job["concurrencyPolicy"]) == ("Etc/UTC", "Forbid")
    run = job["jobTemplate"]["spec"]
    assert (run["activeDeadlineSeconds"], run["backoffLimit"]) == (LIMIT_S, 0)
    pod = run["template"]["spec"]
    assert (pod["restartPolicy"], pod["terminationGracePeriodSeconds"]) == ("Never", STOP_GRACE_S)


def test_the_pod_may_do_nothing_that_a_run_does_not_need(manifests: dict[str, Any]) -> None:
    pod = manifests["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": UID,
        "runAsGroup": UID,
        "fsGroup": UID,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "privileged": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert set(container["resources"]) == {"requests", "limits"}


def test_kubernetes_secret_is_named_and_nowhere_written(manifests: dict[str, Any]) -> None:
    (container,) = manifests["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert container["envFrom"] == [{"secretRef": {"name": "ticketbot-secrets"}}]
    assert not container["image"].endswith(":latest")


# --- Cloud Run


@pytest.fixture
def job() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "cloud-run-job.yaml").read_text(encoding="utf-8"))
    assert (loaded["apiVersion"], loaded["kind"]) == ("run.googleapis.com/v1", "Job")
    return loaded


def test_a_cloud_run_execution_is_one_run_that_ends_before_the_next(job: dict[str, Any]) -> None:
    execution = job["spec"]["template"]["spec"]
    task = execution["template"]["spec"]
    assert (execution["parallelism"], execution["taskCount"]) == (1, 1)
    assert task["maxRetries"] == 0
    assert task["timeoutSeconds"] == LIMIT_S < DEFAULT_EVERY_MIN * 60


def test_cloud_runs_secrets_are_references(job: dict[str, Any]) -> None:
    (container,) = job["spec"]["template"]["spec"]["template"]["spec"]["containers"]
    variables = {item["name"]: item for item in container["env"]}
    assert set(variables) <= set(VARIABLES)
    for name, item in variables.items():
        assert ("secretKeyRef" in item.get("valueFrom", {})) == (name in SECRETS), name
        assert ("value" in item) != (name in SECRETS), name
    assert not container["image"].endswith(":latest")


# --- the page


def test_the_page_has_every_exit_code_and_every_scheduler() -> None:
    table = SCHEDULING[SCHEDULING.index("## Exit codes") : SCHEDULING.index("## cron")]
    listed = {int(code) for row in re.findall(r"^\| ([\d, ]+) \|", table, re.MULTILINE) for code in row.split(",")}
    assert listed == {int(code) for code in ExitCode}
    for heading in ("cron", "systemd", "Windows", "Containers", "Kubernetes", "Cloud Run"):
        assert f"\n## {heading}\n" in SCHEDULING
