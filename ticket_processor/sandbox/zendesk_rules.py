"""The account's adjustable behaviour: wherever no source is certain how the vendor acts, this chooses a form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from .messages import Refusal, json_response, text_response

StampRule = Literal["equal", "not_newer"]
FailedItem = Literal["recorded", "schema"]
Placeholders = Literal["expand", "expand_escaped", "remove", "keep"]
ErrorForm = Literal["error", "titled", "errors", "text"]
HelpCenter = Literal["open", "none", "not_in_plan", "forbidden"]
ArticleSearch = Literal["any", "all"]

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "stamp_rule": get_args(StampRule),
    "failed_item": get_args(FailedItem),
    "placeholders": get_args(Placeholders),
    "conflict_form": get_args(ErrorForm),
    "too_many_jobs_form": get_args(ErrorForm),
    "help_center": get_args(HelpCenter),
    "article_search": get_args(ArticleSearch),
}


@dataclass(frozen=True)
class Rules:
    """The form that is imitated where the vendor's behaviour is not certain, or differs between accounts.

    - ``stamp_rule``: a safe update passes when the stamp equals ``updated_at``, or when the ticket is not newer.
    - ``conflict_form``: how the 409 of a safe update is written; see :func:`error_in_form`.
    - ``placeholders``: ``{{ticket.id}}`` in a comment is expanded (``expand``; unknown ones are removed), also where it
      is written with character references (``expand_escaped``), removed, or kept as it stands.
    - ``failed_item``: a job's failed item as recorded (no ``success`` key) or as the vendor's schema declares it.
    - ``batch_comment``, ``batch_metadata``: whether a batch's items may carry them; else they are dropped in silence.
    - ``batch_private``: whether ``public: false`` counts there; else the comment goes the way of the ticket's first.
    - ``batch_stamps``: whether an item's own stamp counts; else it is guarded by the time the job was queued.
    - ``batch_guard``: whether an item without a stamp that counts is guarded at all; else it is always written.
    - ``batch_tag_edits``: whether ``additional_tags`` and ``remove_tags`` work in a batch's items.
    - ``job_seconds``: seconds until a job starts, and seconds for each of its items.
    - ``max_jobs``: jobs that may be queued or working at once; beyond it ``too_many_jobs_status`` is answered,
      written as ``too_many_jobs_form`` says.
    - ``drops``: keys that updates and a batch's items leave out; with ``drops_told`` a header names them.
    - ``most_comments``: comments that a ticket takes; a further one is refused, with all that it comes with. Where they
      are fewer than the vendor's, the others are counted as there already.
    - ``help_center``: open, not there (404), not in the account's plan (401), or forbidden for this user (403).
    - ``article_search``: whether an article is found that has any of the words asked for, or all of them.

    Raises ``ValueError`` for a form that there is not.
    """

    stamp_rule: StampRule = "equal"
    conflict_form: ErrorForm = "error"
    placeholders: Placeholders = "expand"
    failed_item: FailedItem = "recorded"
    batch_comment: bool = True
    batch_metadata: bool = True
    batch_private: bool = True
    batch_stamps: bool = True
    batch_guard: bool = True
    batch_tag_edits: bool = False
    job_seconds: tuple[float, float] = (1.0, 0.07)
    max_jobs: int = 30
    too_many_jobs_status: int = 429
    too_many_jobs_form: ErrorForm = "error"
    drops: tuple[str, ...] = ()
    drops_told: bool = True
    most_comments: int = 5_000
    help_center: HelpCenter = "open"
    article_search: ArticleSearch = "any"

    def __post_init__(self) -> None:
        for item in fields(self):
            choices = _CHOICES.get(item.name)
            if choices is not None and getattr(self, item.name) not in choices:
                raise ValueError(f"{item.name} is one of {', '.join(choices)}")


def error_in_form(form: ErrorForm, status: int, code: str, description: str, **headers: str) -> Refusal:
    """An error in one of the vendor's ways.

    ``error`` and ``description``; ``titled``, an object in ``error``; a list of ``errors``; or plain ``text``.
    """
    if form == "text":
        response = text_response(status, f"{description}\n")
    else:
        body: dict[str, Any] = {"error": code, "description": description}
        if form == "titled":
            body = {"error": {"title": code, "message": description}}
        elif form == "errors":
            body = {"errors": [{"code": code, "title": description}]}
        response = json_response(status, body)
    response.headers |= {name.replace("_", "-"): value for name, value in headers.items()}
    return Refusal(response)
