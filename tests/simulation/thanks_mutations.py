"""Guards of what thanks may do taken away one at a time: the simulation must notice each, or it proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from unittest import mock

from ticket_processor import zendesk
from ticket_processor.analysis.text import needs_no_answer as mere_thanks
from ticket_processor.audit import receipts
from ticket_processor.pipeline import write_planner
from ticket_processor.policy import reanalysis as thanks

from .mutations import MUTATIONS
from .reply_mutations import REPLY_MUTATIONS, _body

THANKS_MUTATIONS: Mapping[str, Callable[[], Any]] = {
    "every answer taken for thanks": lambda: mock.patch.object(mere_thanks, "is_mere_thanks", return_value=True),
    "edits behind thanks taken for rules": lambda: mock.patch.object(thanks, "_is_quiet", return_value=True),
    "thanks not looked at before the write": lambda: mock.patch.object(write_planner, "still_holds", return_value=True),
    "the intent names no status": lambda: mock.patch.object(receipts, "_status", return_value={}),
    "no stamp on a status": lambda: mock.patch.object(zendesk, "update_body", _body(safe_update="", updated_stamp="")),
    "a status resent without reading": REPLY_MUTATIONS["a reply resent without reading"],
    "writes repeated by the transport": MUTATIONS["writes repeated by the transport"],
}
"""Each gives a context manager in which one guard is gone."""

NOTICED_BY: Mapping[str, int] = {
    "every answer taken for thanks": 3,
    "edits behind thanks taken for rules": 1,
    "thanks not looked at before the write": 54,
    "the intent names no status": 3,
    "no stamp on a status": 102,
    "a status resent without reading": 17,
    "writes repeated by the transport": 3,
}
"""The seed of a story that notices it; 0 where none is named. When it no longer does, others are tried."""
