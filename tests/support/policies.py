"""Analyses, policies and categories by the hundred, for what holds whatever a site wishes."""

from __future__ import annotations

from hypothesis import strategies as st

from ticket_processor.core.models import Overwrite, Risk, Sentiment, Urgency
from ticket_processor.core.taxonomy import Category, Taxonomy
from ticket_processor.policy.decide import FieldPolicy, Mode, Policy, Tier, Tiers
from ticket_processor.policy.note import CONDITIONS, Escalation, NoteWhen

from .fakes import an_analysis

MODES = st.sampled_from(list(Mode))
FIELDS = st.builds(FieldPolicy, mode=MODES, threshold=st.floats(0, 1), overwrite=st.sampled_from(list(Overwrite)))
ESCALATIONS = st.builds(
    Escalation,
    on=st.lists(st.sampled_from(CONDITIONS), unique=True).map(tuple),
    categories=st.sampled_from([(), ("billing",), ("double_charge",)]),
    group=st.sampled_from([None, 70]),
    raise_priority=st.booleans(),
)
POLICIES = st.builds(
    Policy,
    tags=st.builds(FieldPolicy, mode=MODES, threshold=st.floats(0, 1)),
    priority=FIELDS,
    group=FIELDS,
    fields=FIELDS,
    note=st.sampled_from(list(NoteWhen)),
    note_urgent_words=st.booleans(),
    tag_secondary=st.booleans(),
    review_below=st.floats(0, 1),
    model_may_set_urgent=st.booleans(),
    preset=st.sampled_from(["labels", "tiers"]),
    escalation=ESCALATIONS,
    tiers=st.builds(Tiers, groups=st.sampled_from([{}, {Tier.FIRST: 81, Tier.SECOND: 82, Tier.COMPLEX: 83}])),
)
ANALYSES = st.builds(
    an_analysis,
    urgency=st.sampled_from(list(Urgency)),
    sentiment=st.sampled_from(list(Sentiment)),
    urgent_tone=st.booleans(),
    urgent_words=st.sampled_from([(), ("asap",), ("production down", "urgent", "within the hour")]),
    confidence=st.floats(0, 1),
    source=st.sampled_from(["model", "classifier", "rules"]),
    subcategory=st.sampled_from([None, "double_charge"]),
    secondary=st.sampled_from([(), ("refund",), ("refund", "account")]),
    risk=st.sampled_from(list(Risk)),
    alarms=st.sampled_from([(), ("security",), ("outage", "churn")]),
    suspicious=st.sampled_from([(), ("orders",), ("orders", "hidden_text")]),
)
TAXONOMY = Taxonomy(
    categories=(
        Category(name="billing", description="Money.", tag="finance", group=7, fields={1: "topic_billing", 2: "money"}),
        Category(name="double_charge", parent="billing", description="Twice.", tag="twice", fields={1: "topic_twice"}),
        Category(name="refund_desk", parent="billing", description="Back.", group=9),
        Category(name="general", description="Everything else."),
    )
)
