"""Releases in runs: receipts and what people made of labels name the release that decided, once one is in use."""

from __future__ import annotations

from ticket_processor.learning.store import FILE_NAME, LearningStore

from .conftest import OpenDesk


def test_receipts_name_the_release_from_the_first_one_on_and_nothing_before(open_desk: OpenDesk) -> None:
    desk = open_desk(4)
    desk("run", "--since", "1d", "--limit", "2")
    assert not any(b'"release' in path.read_bytes() for path in desk.logs.iterdir())
    (desk.folder / "new.toml").write_text("[policy]\nreview_below = 0.6\n", encoding="utf-8")
    release = desk("release", "activate", "new.toml", "--force", "--json").object["release"]
    desk("run")
    assert desk.events("run_started")[-1]["release"] == release
    named = {line["ticket_id"]: line["analysis"].get("release") for line in desk.events("ticket") if line["analysis"]}
    assert list(named.values()).count(release) == list(named.values()).count(None) == 2
    for number in desk.tickets:
        desk.sandbox.store.person_edit(number, status="solved")
    desk("learn", "collect")
    kept = LearningStore(desk.state / FILE_NAME, read_only=True).reactions()
    assert {item.ticket_id: item.release or None for item in kept} == named
