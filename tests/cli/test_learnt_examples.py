"""What a person approves is shown to the model in the next run, named in its receipts, and taken back."""

from __future__ import annotations

from contextlib import closing

import pytest

from ticket_processor.learning.model import Correction
from ticket_processor.learning.store import FILE_NAME, LearningStore

from .conftest import OpenDesk

SETTINGS = "[learning]\nexamples = 4\n"
ROWS = [{"subject": "Badge", "body": f"The badge of door {n} does not open the gate.", "age": 7200.0} for n in range(3)]


def label(number: int) -> str:
    return "account" if number < 30 else "order"


@pytest.mark.slow
def test_approved_corrections_teach_the_next_run_until_that_is_undone(open_desk: OpenDesk) -> None:
    desk = open_desk(ROWS, model=True)
    desk.configure(SETTINGS)
    with closing(LearningStore(desk.state / FILE_NAME)) as store:
        badges = [f"the badge reader at gate {n} does not open" for n in range(60)]
        now = desk.sandbox.clock.now()
        store.keep(
            [],
            [
                Correction(
                    0,
                    900 + n,
                    "category",
                    "technical",
                    label(n),
                    20 + n % 4,
                    "person",
                    now,
                    text=text,
                )
                for n, text in enumerate(badges)
            ],
        )
    assert "60 corrections approved (learn undo 1" in desk("learn", "approve", *map(str, range(1, 61))).out
    desk("run", "--since", "1d", "--limit", "1")
    [line] = [item["analysis"] for item in desk.events("ticket")]
    assert (line["source"], len(line["examples"])) == ("model", 4)
    assert set(line["examples"]) <= set(range(1, 61))
    desk("learn", "undo", "1")
    desk("learn", "collect")
    desk("run", "--since", "1d")
    assert [item["analysis"].get("examples") for item in desk.events("ticket")][1:] == [None, None]
