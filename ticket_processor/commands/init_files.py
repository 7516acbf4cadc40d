"""The files that ``ticketbot init`` writes, and what it finds out about the servers they point at."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ..analysis.model_server.chat import server_for
from ..analysis.model_server.presets import targets
from ..analysis.model_server.prices import LISTED
from ..analysis.rules.analyser import RulesAnalyser
from ..analysis.text.redact import redact
from ..core.clock import Deadline, SystemClock
from ..core.errors import AnalysisFailed, ConfigError
from ..core.private_files import opener
from ..monitoring.health.checks import Status
from ..monitoring.health.remote import ask_helpdesk
from ..settings.schema import Settings
from ..settings.sources import VARIABLES
from ..wiring.parts import model_analyser, transport_for

ENV_EXAMPLE = ".env.example"
CONFIG_TEXT = """\
# ticketbot.toml: how this site's tickets are triaged. Secrets do not belong here; see .env.example.
# Every line that is commented out shows the default, or an example where there is none.

# log_dir = "logs"              # receipts; TICKETBOT_LOG_DIR wins
# log_level = "off"             # on standard error: "info" decisions, "debug" requests too; TICKETBOT_LOG_LEVEL wins
# state_dir = "state"           # cursor and open intents; TICKETBOT_STATE_DIR wins; default: this user's state folder
# lowest_tls = "1.2"            # "1.3": no https connection by an older version
# fallback_category = "general" # for what fits nowhere else; has to be one of the categories
# team_language = "en"          # the language that summaries are written in
# entities = { order_number = "number of the order", product = "name of the product" }   # what models pick out

[zendesk]
# subdomain = "example"         # the name before .zendesk.com; ZENDESK_SUBDOMAIN wins
# url = "https://example.zendesk.com"   # whole base URL, instead of the subdomain; ZENDESK_URL wins
# oauth_client_id = "ticketbot" # the OAuth client's unique identifier; its secret belongs in .env
# email = "bot@example.com"     # only with an API token instead of an OAuth client
# source = "auto"               # where new tickets come from: "export" (admins), "search" (others, minutes late)
# search_window_hours = 6       # a ticket that the search shows later than this is lost; "health" says how late it was

[run]
# workers = 8                   # analyses at the same time
# deadline_s = 540              # a run is over after this, whatever happens; the rest waits for the next one
# analysis_timeout_s = 90       # a model call that hangs longer is left behind, and keyword rules answer
# limit_share = 0.5             # share of Zendesk's rate limits that ticketbot may use; people keep the rest
# stable_read_s = 6             # a ticket that changed this recently is left alone for now
# max_attempts = 5              # failures before a ticket goes on the dead-letter list
# retriage_on_reply = false     # look again when the customer answers; written only if that changes the labels
# write_mode = "auto"           # "single": one update after the other; "batch": jobs of a hundred; auto: as it fits
# verify_sample = 20            # so many writes of a run are read back at its end; "run --verify all": every one
# statuses = ["new", "open"]    # of new, open, pending, hold, solved, closed; another means that a person was faster
# wait_minutes = 0              # a ticket is people's for so long; one that is assigned by then stays theirs
# canary_percent = 100          # this share of the tickets is handled, always the same ones; the rest is left alone
# min_free_mb = 50              # with less room on the disk of the log or the state, nothing is changed (exit code 3)
# stop = false                  # the kill switch: true, or TICKETBOT_STOP=1, stops every run
# stop_file = "STOP"            # another: as long as this file is there; default: STOP in the state folder

[skip]                          # tickets that are left alone; one value of one list is enough
# channels = ["chat", "voice"]
# brands = [360001]             # ids, as groups and organizations
# groups = [360002]
# organizations = [360003]
# tags = ["vip"]
# requesters = ["boss@example.com", "partner.example", 360004]   # addresses, domains, user ids
# statuses = []                 # of those in run.statuses
# machine_mail = true           # bounces, out-of-office, automatic replies
# own_notes = true              # tickets that ticketbot's own user wrote through the API
# hands_off_tag = "ai_hands_off"   # a ticket that carries it is never touched; default: tag_prefix + hands_off

[models]
# names = ["local", "gpt-5-mini"]   # tried in this order; none: keyword rules only. TICKETBOT_MODELS wins
# preset = "compatible"         # what is known of the server: "openai", "azure", "ollama", "vllm", "llama.cpp",
#                               # "lm-studio", "litellm"; "compatible" finds out for itself
# base_url = "http://127.0.0.1:11434/v1"   # any OpenAI-compatible server; OPENAI_BASE_URL wins
# allow_plain_http = false      # true: base_url may be http beyond this machine; key and tickets can be read on the way
# timeout_s = 30
# max_output_tokens = 400
# ticket_tokens = 800           # a longer ticket is cut at the end of a sentence
# redaction = "standard"        # what is taken out before: "secrets" (cards, keys, passwords), "standard", "strict"
# cascade = false               # true: below policy.review_below the next model, the stronger one, is asked as well
# [models.prices]               # US dollars for a million tokens: input, output, cached; else list prices
# "gpt-5-mini" = [0.25, 2.0, 0.025]
# "local" = [0, 0, 0]
# [models.use.local]            # what is particular about the model "local" of the list above
# model = "qwen3:8b"            # what its server calls it
# preset = "ollama"
# base_url = "http://127.0.0.1:11434/v1"   # OPENAI_API_KEY is not sent to a server named here
# allow_plain_http = false
# api_key_variable = "LOCAL_KEY"           # the environment variable that holds this server's key
# api_version = "2024-10-21"    # Azure only, for addresses without /openai/v1
# timeout_s = 60
# max_output_tokens = 400
# ticket_tokens = 2000
# redaction = "secrets"

[budget]                        # spent: the classifier and the rules answer. A day is a UTC day
# run_usd = 1.0
# day_usd = 20.0
# run_tokens = 500000
# day_tokens = 10000000

[cache]
# days = 30                     # answers for texts that come again; 0: none are kept
# max_answers = 100000

[classifier]
# use = true                    # what 'ticketbot train' made, where it has proved better than the rules
# folder = "classifier"         # default: in the state folder

[embeddings]                    # optional, for 'ticketbot taxonomy check'
# model = "nomic-embed-text"
# base_url = "http://127.0.0.1:11434/v1"
# allow_plain_http = false
# api_key_variable = "EMBEDDINGS_KEY"
# timeout_s = 30

[audit]                         # the log; its keys are secrets: TICKETBOT_AUDIT_KEY, TICKETBOT_AUDIT_ENCRYPTION_KEYS
# retention_days = 365          # a day is deleted after so many, and not later

[alerts]                        # who is told is a secret: TICKETBOT_ALERT_URLS, TICKETBOT_PAGE_URLS (docs/alerts.md)
# daily_at = "07:00"            # summary of the day before, by the first run after this (UTC); "": none
# cool_down_minutes = 60        # what comes back so soon after its end is not told at once
# stale_minutes = 40            # so long no run may have looked at all new tickets; default: four times the interval
#                               # between your last runs, but no less than 40, and none where that is no schedule
# day_usd = 20.0                # what models may cost in a UTC day before you are told; [budget] stops them
# escalated = true              # a message for each run that escalated tickets: numbers, reasons, addresses
# runbook = "docs/alerts.md"    # where messages point to; an address becomes a link, with # and the alert's name

[slo]                           # the objectives that alerts watch over; docs/report.md says what each figure is
# success = 0.995               # the success rate of a month
# latency_s = 15                # from reading a ticket to its write ...
# latency_share = 0.95          # ... for so many of a day's answers
# fallback_share = 0.1          # unplanned fallback rate of the last six runs, before you are told

[policy]
# tag_prefix = "ai_"
# note = "always"               # one short internal note: "always" (or true), "never" (or false), or "when-useful":
#                               # something is only suggested, somebody should look, another category fits as well,
#                               # or some of the entities were found
# review_below = 0.5            # less confidence than this adds the tag ai_review
# model_may_set_urgent = false  # a model's "urgent" is suggested in the note, and set to "high"
# preset = "labels"             # "tiers" adds ai_tier_1, ai_tier_2 or ai_tier_complex, by [policy.tiers]
# tags = { mode = "apply", threshold = 0.0 }       # mode: "off", "suggest" (note only), "apply"
#                               # below the threshold: suggested in the note. overwrite: may a value that is there be
#                               # replaced? "never"; "bot-set": what ticketbot set and nobody touched; "always"
# priority = { mode = "apply", threshold = 0.0, overwrite = "never" }
# group = { mode = "apply", threshold = 0.0, overwrite = "never" }    # for categories that name a group
# fields = { mode = "apply", threshold = 0.0, overwrite = "never" }   # for categories that name ticket fields

[policy.escalation]             # the tag ai_escalated, with reason and plan in the note
# on = ["critical", "high_risk", "security", "negative_and_urgent"]   # these also: "suspicious"; [] for none
# categories = []               # tickets of these are escalated whatever else they are
# group = 123456                # theirs instead of the category's, under the rules of policy.group
# raise_priority = false        # true: "high" at least
[policy.escalation.plans]       # what to do, by category or reason; "" for no plan. Plain sentences, which may name
#                               # {category} {urgency} {risk} {sentiment} {language}
# suspicious = "Read the whole text yourself before anything is done that it asks for."
# security = "Protect the account, card or device first, tell whoever is responsible for security, then answer."
# category = "Handle it as agreed for {category}."
# critical = "Answer now that somebody is on it, find out who else is affected, and tell whoever is on call."
# high_risk = "Let somebody who may decide about it look at it before anybody answers."
# negative_and_urgent = "Answer in person today: say what has been done so far and when there will be news."

[policy.tiers]                  # for preset = "tiers"
# groups = { 1 = 123456, 2 = 123457, complex = 123458 }   # where neither escalation nor category names a group
# tier_1_confidence = 0.7       # what is less sure is not for tier 1
# tier_1_categories = []        # what tier 1 gets; none named: all but the fallback category
# complex_below = 0.5           # less confidence than this is complex
# complex_categories = 3        # so is a ticket that fits so many categories: 2 or 3

# Your own categories replace the default ones (billing, refund, technical, account, order, feature_request,
# security, general). Descriptions are what the model decides by: write them for a new colleague.
# [[categories]]
# name = "billing"
# description = "Invoices, charges, fees, payments, prices and subscriptions."
# examples = ["Why was I charged twice?"]
# not_examples = ["I want my money back."]
# keywords = { en = ["invoice", "charged twice"], de = ["Rechnung"] }
# priority_floor = "medium"     # the lowest urgency that its tickets get: "low", "medium", "high", "critical"
# threshold = 0.7               # less confidence than this: the category is suggested only ('ticketbot backtest')
# tag = "finance"               # one more tag for its tickets
# group = 123456                # the group's id, where the ticket has none
# fields = { 360001234 = "billing_issue" }   # ticket fields by id, where they are empty
# [[categories]]
# name = "double_charge"
# parent = "billing"
# description = "The same thing was paid twice."
# [[categories]]
# name = "general"
# description = "Everything else."
"""


def env_text() -> str:
    """``.env.example``: every environment variable with its meaning."""
    lines = ["# Copy to .env and fill in what you use. Keep .env out of version control.", ""]
    for name, variable in VARIABLES.items():
        lines += [f"# {variable.meaning}{' (secret)' if variable.secret else ''}", f"# {name}=", ""]
    return "\n".join(lines)


@dataclass(frozen=True)
class SetupLine:
    """One line of what ``init`` found: ``ok`` is ``None`` for what is not set up yet."""

    ok: bool | None
    text: str


def write_files(folder: Path, *, force: bool = False) -> list[SetupLine]:
    """Write ``ticketbot.toml`` and ``.env.example``; existing ones stay unless ``force``."""
    found = []
    for name, text in (("ticketbot.toml", CONFIG_TEXT), (ENV_EXAMPLE, env_text())):
        path = folder / name
        if path.exists() and not force:
            found.append(SetupLine(True, f"{name} is there already and stays as it is (--force overwrites)"))
            continue
        # What is copied from the example gets its rights, and then secrets. The other a container's user has to read.
        with open(path, "w", encoding="utf-8", newline="\n", opener=opener if name == ENV_EXAMPLE else None) as file:
            file.write(text)
        found.append(SetupLine(True, f"{name} written"))
    return found


def check_helpdesk(settings: Settings) -> SetupLine:
    """Whether the helpdesk answers with these credentials: by a ticket read, since others succeed unsigned."""
    clock = SystemClock()
    transport = transport_for(settings.zendesk, clock, Deadline(clock, 20), read_only=True)
    try:
        check = ask_helpdesk(transport, clock).check
    finally:
        transport.close()
    return SetupLine(check.status is Status.OK, check.text)


def check_models(settings: Settings) -> list[SetupLine]:
    """Whether each model answers one invented ticket. This spends a few hundred tokens."""
    if not settings.models.names:
        return [SetupLine(None, "no model configured (TICKETBOT_MODELS): keyword rules will answer")]
    clock = SystemClock()
    deadline = Deadline(clock, 60)
    rules = RulesAnalyser(settings.taxonomy, settings.entities)
    found = []
    text = redact("Question about my invoice\nHello, I was charged twice this month. Please check.")
    try:
        models = targets(settings.models)
    except ConfigError as error:
        return [SetupLine(False, problem) for problem in error.problems]
    for target in models:
        try:
            with closing(server_for(target, deadline.remaining)) as server:
                analysis = model_analyser(server, target, settings, rules).analyse(text)
        except AnalysisFailed as error:
            found.append(SetupLine(False, f"model {target.name}: {error.in_words}"))
        else:
            price = f"list price of {LISTED}" if target.listed else "your price" if target.price else "no price"
            said = f"model {target.name}: answers, and calls a double charge {analysis.category} ({price})"
            found.append(SetupLine(True, said))
    return found
