"""What Kubernetes is given: a CronJob, a volume claim for its state and receipts, and the configuration. Pure.

Secrets are named, never written: :data:`SECRET_COMMAND` makes them from an ``.env`` file.
"""

from __future__ import annotations

import json
import re

from .job import STOP_GRACE_S, Installed, Job, cron_times, every_of

UID = 10001
"""The user of the container image (see ``Dockerfile``)."""
DATA = "/var/lib/ticketbot"
CONFIG_FOLDER = "/etc/ticketbot"
CONFIG_FILE = "ticketbot.toml"
KINDS = "cronjob,configmap"
"""What ``remove`` takes back. The claim stays, with a year's receipts on it, and so does the secret."""
_MANAGED = {"app.kubernetes.io/managed-by": "ticketbot-schedule"}
_IMAGE = r"[a-z0-9][a-zA-Z0-9._:/-]{0,400}(:(?!latest$)[A-Za-z0-9_][A-Za-z0-9._-]{0,127}|@sha256:[0-9a-f]{64})"


def secret_command(name: str) -> str:
    """How the secret that the job names is made, once."""
    return f"kubectl create secret generic {name}-secrets --from-env-file=.env"


def selector(name: str) -> str:
    """The labels of what is rendered for the job, as ``kubectl -l`` takes them."""
    return ",".join(f"{key}={value}" for key, value in _labels(name).items())


def render(job: Job, image: str, config: str | None) -> str:
    """The manifests as YAML; ``config`` is the text of the configuration file, if there is one."""
    documents = [_claim(job)]
    if config is not None:
        documents.append(_config_map(job, config))
    documents.append(_cron_job(job, image, with_config=config is not None))
    return f"# Once, for the secrets: {secret_command(job.name)}\n" + "---\n".join(documents)


def problems(image: str | None) -> list[str]:
    """Why there can be no such job."""
    if image is None:
        return ["--image: Kubernetes needs the container image, such as registry.example/ticketbot:1.0"]
    if not re.fullmatch(_IMAGE, image):
        return ["--image: name a version, such as ticketbot:1.0 (not latest), or a digest (@sha256:...)"]
    return []


def is_ours(cron_job: str) -> bool:
    """Whether a CronJob, as JSON, was made here."""
    labels: dict[str, str] = json.loads(cron_job)["metadata"].get("labels", {})
    return _MANAGED.items() <= labels.items()


def installed(cron_job: str) -> Installed:
    """What a CronJob of ours, as JSON, was made with."""
    spec = json.loads(cron_job)["spec"]
    container = spec["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    return Installed(every_min=every_of(spec["schedule"]), image=container["image"])


def _labels(name: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": "ticketbot", "app.kubernetes.io/instance": name, **_MANAGED}


def _metadata(job: Job, name: str) -> str:
    labels = "".join(f"\n    {key}: {value}" for key, value in _labels(job.name).items())
    return f"metadata:\n  name: {name}\n  labels:{labels}\n"


def _claim(job: Job) -> str:
    return f"""\
apiVersion: v1
kind: PersistentVolumeClaim
{_metadata(job, f"{job.name}-data")}\
spec:
  accessModes: [ReadWriteOnce]
  resources:
    requests:
      storage: 5Gi
"""


def _config_map(job: Job, config: str) -> str:
    return f"""\
apiVersion: v1
kind: ConfigMap
{_metadata(job, f"{job.name}-config")}\
data:
  {CONFIG_FILE}: {_block(config)}
"""


def _cron_job(job: Job, image: str, *, with_config: bool) -> str:
    arguments = ["run", "--quiet", *(["--config", f"{CONFIG_FOLDER}/{CONFIG_FILE}"] if with_config else [])]
    config_mount = f"\n                - {{name: config, mountPath: {CONFIG_FOLDER}, readOnly: true}}"
    config_volume = f"\n            - name: config\n              configMap: {{name: {job.name}-config}}"
    return f"""\
apiVersion: batch/v1
kind: CronJob
{_metadata(job, job.name)}\
spec:
  schedule: {json.dumps(cron_times(job))}
  timeZone: Etc/UTC
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 300
  successfulJobsHistoryLimit: 3
  failedJobsHistoryLimit: 3
  jobTemplate:
    spec:
      activeDeadlineSeconds: {job.limit_s}
      backoffLimit: 0
      template:
        metadata:
          labels:
            app.kubernetes.io/name: ticketbot
            app.kubernetes.io/instance: {job.name}
        spec:
          restartPolicy: Never
          terminationGracePeriodSeconds: {STOP_GRACE_S}
          automountServiceAccountToken: false
          # A Service called ticketbot would put TICKETBOT_* variables there, which are no settings.
          enableServiceLinks: false
          securityContext:
            runAsNonRoot: true
            runAsUser: {UID}
            runAsGroup: {UID}
            fsGroup: {UID}
            fsGroupChangePolicy: OnRootMismatch
            seccompProfile:
              type: RuntimeDefault
          containers:
            - name: ticketbot
              image: {json.dumps(image)}
              imagePullPolicy: IfNotPresent
              args: {json.dumps(arguments)}
              env:
                - {{name: TICKETBOT_STATE_DIR, value: {DATA}/state}}
                - {{name: TICKETBOT_LOG_DIR, value: {DATA}/logs}}
              envFrom:
                - secretRef: {{name: {job.name}-secrets}}
              resources:
                requests: {{cpu: 100m, memory: 192Mi}}
                limits: {{cpu: "1", memory: 512Mi}}
              securityContext:
                allowPrivilegeEscalation: false
                privileged: false
                readOnlyRootFilesystem: true
                capabilities: {{drop: [ALL]}}
              volumeMounts:
                - {{name: data, mountPath: {DATA}}}
                - {{name: tmp, mountPath: /tmp}}{config_mount if with_config else ""}
          volumes:
            - name: data
              persistentVolumeClaim: {{claimName: {job.name}-data}}
            - name: tmp
              emptyDir: {{sizeLimit: 64Mi}}{config_volume if with_config else ""}
"""


def _block(text: str) -> str:
    """``text`` as YAML: readable line by line, or quoted where that would not keep it as it is."""
    lines = text.removesuffix("\n").split("\n")
    plain = text.endswith("\n") and lines[0][:1] not in ("", " ") and lines[-1].strip()
    if not plain or any(character not in "\n\t" and not character.isprintable() for character in text):
        quoted = json.dumps(text, ensure_ascii=False)
        return "".join(mark if mark.isprintable() else f"\\U{ord(mark):08x}" for mark in quoted)
    return "|\n" + "\n".join(f"    {line}" if line else "" for line in lines)
