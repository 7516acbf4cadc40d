"""The imitated Freshdesk account's adjustable behaviour: wherever no source is certain, this chooses a form."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FreshdeskRules:
    """The form that is imitated where the vendor's behaviour is not certain, or differs between accounts.

    - ``notes_move_stamp``: a note that is made, edited or deleted moves ``updated_at``; replies always do.
    - ``tags_move_stamp``: a change of nothing but tags moves ``updated_at``.
    - ``since_inclusive``: ``updated_since`` includes the second it names.
    - ``tags_in_lists``: rows of lists carry ``tags``.
    - ``conversations_per_page``: the longest page of conversations; a higher ``per_page`` gives no more.
    - ``required_fields``: fields that no update may leave empty, whatever it changes (dynamic form validation).
    - ``search_lag``: seconds by which the search index lags behind.
    """

    notes_move_stamp: bool = True
    tags_move_stamp: bool = True
    since_inclusive: bool = True
    tags_in_lists: bool = True
    conversations_per_page: int = 100
    required_fields: tuple[str, ...] = ()
    search_lag: float = 180.0
