from __future__ import annotations

from collections.abc import Sequence

import pytest

from ticket_processor.core.errors import ConfigError
from ticket_processor.helpdesk.protocol import Fetched, Shard
from ticket_processor.pipeline.jobs import Delivery
from ticket_processor.state.store import HORIZON

from ..support.fakes import START, a_ticket
from ..support.memory_helpdesk import ONE_BY_ONE, Office, Open


def begun(office: Office) -> Office:
    """The office, as if its first run had been a day ago."""
    office.runs = 1
    office.state.remember(**{HORIZON: "2020-01-01T00:00:00Z"})
    return office


def written(office: Office) -> list[int]:
    return [change.ticket_id for change in office.desk.written]


def test_tickets_of_other_shards_are_left_to_these_and_are_not_even_read(open_office: Open) -> None:
    office, half = begun(open_office(*(a_ticket(number) for number in range(1, 20)))), Shard(2, 2)
    for told in ({"told": tuple(range(1, 10))}, {"told_of": lambda: range(1, 20)}):
        office.run(shard=half, **told)  # type: ignore[arg-type]
        read = [number for name, numbers in office.desk.asked if name == "fetch" for number in numbers]  # type: ignore[attr-defined]
        assert all(map(half.has, (*read, *written(office))))
        assert written(office)
    assert all(office.state.is_done(number) == half.has(number) for number in range(1, 20))


def test_before_the_first_run_nothing_is_done(open_office: Open) -> None:
    office = open_office(a_ticket(1))
    office.runs = 1
    with pytest.raises(ConfigError):
        office.run(told=(1,))


def test_a_ticket_that_is_too_young_is_waited_for_and_written_in_the_same_run(open_office: Open) -> None:
    office = begun(open_office(a_ticket(1, age=1.0)))
    began, fetch = office.clock.monotonic(), office.desk.fetch

    def read_now(ticket_ids: Sequence[int]) -> Fetched:
        at = START + office.clock.monotonic() - began
        return {key: one.model_copy(update={"read_at": at}) for key, one in fetch(ticket_ids).items()}

    office.desk.fetch = read_now  # type: ignore[method-assign]
    office.run(told=(1,))
    assert office.ends()[1][0] == "updated"


def test_an_ordinary_run_takes_tickets_first_that_it_is_told_of(open_office: Open) -> None:
    office = begun(open_office(*(a_ticket(number) for number in range(1, 7))))
    news = [(5,), (), (6, 3), ()]
    office.run(told_of=lambda: news.pop(0) if news else ())
    assert written(office)[0] == 5
    assert sorted(written(office)) == [1, 2, 3, 4, 5, 6]
    assert set(written(office)[1:5]) >= {6, 3}


@pytest.mark.parametrize("comes_back", [True, False])
@pytest.mark.parametrize("way", [ONE_BY_ONE, Delivery("batch", batch_from=1)], ids=lambda way: way.mode)
def test_a_newborn_ticket_is_deleted_only_if_the_next_run_does_not_find_it_either(
    open_office: Open, way: Delivery, comes_back: bool
) -> None:
    office = begun(open_office(a_ticket(1, age=5.0), a_ticket(2, age=6.0)))
    known, shown = office.desk.tickets, {}
    office.desk.fetch = lambda _numbers: shown  # type: ignore[method-assign]
    office.run(delivery=way)  # a page has listed both, and the copy that is read next lacks them
    assert office.ends() == {1: ("skipped", "deferred_changed_just_now"), 2: ("skipped", "deleted")}
    assert [number for number, *_ in office.waiting()] == [1]
    if comes_back:
        shown[1] = known[1].model_copy(update={"read_at": START + 600.0})
    del known[2]
    office.run(delivery=way)
    assert office.ends()[1] == (("updated", "by m-1, confidence 0.90") if comes_back else ("skipped", "deleted"))
    assert (written(office), office.waiting()) == ([1] if comes_back else [], [])
