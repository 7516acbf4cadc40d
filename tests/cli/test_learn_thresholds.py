"""Applied thresholds in runs: what is not proved is only suggested, until the change is taken back."""

from __future__ import annotations

from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.learning.store import FILE_NAME, LearningStore

from ..learning.test_thresholds import reaction
from .conftest import OpenDesk


def test_runs_write_only_what_is_proved_until_the_change_is_taken_back(open_desk: OpenDesk) -> None:
    desk = open_desk(2)
    desk.state.mkdir(exist_ok=True)
    store = LearningStore(desk.state / FILE_NAME)
    store.keep(
        [reaction(n, model="rules", confidence=1.0, taxonomy_hash=default_taxonomy().digest) for n in range(300)]
    )
    desk("learn", "thresholds", "--apply")
    first, second = sorted(desk.tickets)
    desk("run", "--since", "1d", "--limit", "1")
    assert desk.events("run_started")[-1]["learnt"] == {"thresholds": 1}
    done = next(number for number in (first, second) if "ai_processed" in desk.ticket(number)["tags"])
    assert not [tag for tag in desk.ticket(done)["tags"] if tag.startswith("ai_urgency")]
    assert "category" in desk.notes(done)[0]["body"]
    desk("learn", "undo", "1")
    desk("run", "--since", "1d")
    assert "learnt" not in desk.events("run_started")[-1]
    assert any(tag.startswith("ai_urgency") for tag in desk.ticket(second if done == first else first)["tags"])
