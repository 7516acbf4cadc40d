"""What ``docs/alerts.md`` lists of health is what there is: checks, metrics, fields."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from ticket_processor.monitoring.doctor import Doctor
from ticket_processor.monitoring.health_checks import exposition
from ticket_processor.monitoring.run_metrics import RunMetrics
from ticket_processor.settings.helpdesks import ZendeskSettings
from ticket_processor.settings.schema import Settings

from ..monitoring.test_health import EVERYTHING
from ..support.fakes import ManualClock

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")


def part(heading: str) -> str:
    return re.split(r"\n##+ ", TEXT.partition(f"\n### {heading}\n")[2])[0]


def test_every_check_is_listed_and_no_other(tmp_path: Path) -> None:
    settings = Settings(
        zendesk=ZendeskSettings(url="https://desk.example", oauth_client_id="x"),
        state_dir=tmp_path / "state",
        log_dir=tmp_path / "logs",
    )
    made = {check.name for check in Doctor(settings, ManualClock(), offline=True).examine().checks} - {"models"}
    rows = [line.split("|")[1] for line in part("The checks").splitlines() if line.startswith("| `")]
    listed = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
    assert listed == made | {"model NAME"}


def test_every_metric_that_is_named_is_there_and_says_what_it_is() -> None:
    made = {family.name: family for family in text_string_to_metric_families(exposition(EVERYTHING)[0].decode())}
    named = set(re.findall(r"\b(ticketbot_[a-z0-9_]+)", part("For load balancers and Prometheus")))
    assert named
    assert named <= set(made)
    assert all(family.documentation.endswith(".") for family in made.values())


def test_every_field_of_a_day_is_listed_and_no_other() -> None:
    rows = [line.split("|")[1] for line in part("The last 24 hours").splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`([^`]+)`", row)} == set(RunMetrics.model_fields)
