"""Settings of what articles bring into a note, and to customers."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from ..core.models import Frozen

ReplyMode = Literal["off", "note", "draft", "public"]
StatusAfterReply = Literal["nothing", "pending", "solved"]


class PublicReplySettings(Frozen):
    """When a draft may go to the customer by itself, some time after the note; see `docs/knowledge.md`."""

    thresholds: dict[str, Annotated[float, Field(ge=0.5, le=1)]] = Field(
        default_factory=dict,
        description="least confidence for a public reply, by category; take it from `ticketbot eval --from-helpdesk`",
    )
    delay_minutes: float = Field(
        10, ge=2, le=1440, description="time between note and reply; any touch of the ticket cancels the reply"
    )
    never: tuple[str, ...] = Field(
        ("refund", "security", "legal", "outage", "safety", "churn"),
        description="categories and alarms whose tickets never get a public reply",
    )
    then: StatusAfterReply = Field(
        "nothing", description="status a day after the reply, unless a person changes the ticket"
    )


class ReplySettings(Frozen):
    """Which tickets get articles or a draft of a reply into their note; see `docs/knowledge.md`."""

    mode: ReplyMode = Field(
        "off",
        description="`note` names the two best articles and their lines in the note; `draft` also has a model draft a "
        "reply from articles for customers; `public`, for single categories only, sends it",
    )
    categories: dict[str, ReplyMode] = Field(
        default_factory=dict, description="another mode for a category, by its name"
    )
    public: PublicReplySettings = PublicReplySettings()

    @field_validator("mode")
    @classmethod
    def _public_one_by_one(cls, value: ReplyMode) -> ReplyMode:
        if value == "public":
            raise ValueError("public replies are switched on for single categories, in replies.categories")
        return value

    @model_validator(mode="after")
    def _public_with_a_threshold(self) -> Self:
        for category, mode in self.categories.items():
            if mode != "public":
                continue
            if category in self.public.never:
                raise ValueError(f"replies.public.never names {category}, so that its tickets get no public reply")
            if category not in self.public.thresholds:
                raise ValueError(
                    f"a public reply in {category} needs a threshold: run 'ticketbot eval --from-helpdesk' and set "
                    f"replies.public.thresholds.{category}"
                )
        return self

    def of(self, category: str) -> ReplyMode:
        """The mode of a category."""
        return self.categories.get(category, self.mode)

    @property
    def wanted(self) -> bool:
        """Whether any ticket may get articles."""
        return self._wants("note", "draft", "public")

    @property
    def drafts(self) -> bool:
        """Whether any ticket may get a draft."""
        return self._wants("draft", "public")

    @property
    def public_wanted(self) -> bool:
        """Whether any ticket may get a public reply."""
        return self._wants("public")

    def _wants(self, *modes: ReplyMode) -> bool:
        return any(mode in modes for mode in (self.mode, *self.categories.values()))
