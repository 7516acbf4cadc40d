"""``ticketbot taxonomy``: prints the site's categories, and checks them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from ..analysis.model_server.settings import EmbeddingSettings
from ..analysis.text.outgoing import leaving
from ..analysis.text.similarity import similarities, vector_similarities
from ..audit.encryption import Keyring
from ..audit.files import events
from ..core.clock import Deadline, SystemClock, iso
from ..core.errors import AnalysisFailed, CannotRun, ConfigError, ExitCode
from ..core.taxonomy import Category, Taxonomy
from ..helpdesk.protocol import AccountLabels
from ..policy.taxonomy_check import Likeness, Logged, check_labels, in_order
from ..policy.taxonomy_check import check as find
from ..settings.load import load
from ..settings.schema import Settings
from ..wiring.desks import read_labels
from ..wiring.parts import keyring, transport_for
from .options import ConfigOption, JsonOption
from .screen import Screen

DEADLINE_S = 120.0
FEWEST_FOR_VECTORS = 3


def check(
    clock: SystemClock,
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not ask the helpdesk for tags, fields and groups.")
    ] = False,
    log_days: Annotated[
        int,
        typer.Option(min=0, max=3650, metavar="N", help="Look for unused and missing categories in the log of N days."),
    ] = 30,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Find overlaps, gaps, and targets that cannot work; writes nothing.

    Exit code 0: no problems; 1: problems; 3: the helpdesk could not be asked.
    """
    settings = _settings(config, offline=offline)
    screen = Screen(as_json=as_json)
    taxonomy = settings.taxonomy
    log = list(logged(settings.log_dir, clock.now(), log_days, keyring(settings))) if log_days else None
    trouble: list[str] = []
    with _likeness(settings.embeddings, trouble) as likeness:
        found = find(taxonomy, settings.policy, log=log, likeness=likeness, with_models=bool(settings.models.names))
    by_words = bool(trouble)
    code = ExitCode.OK
    if not offline:
        try:
            found = in_order([*found, *check_labels(taxonomy, settings.policy, _labels(settings, clock))])
        except CannotRun as error:
            trouble.append(f"the helpdesk was not asked: {error}")
            code = ExitCode.CANNOT_RUN
    problems = sum(finding.severity == "problem" for finding in found)
    if problems and code is ExitCode.OK:
        code = ExitCode.SOME_FAILED
    rows = [(finding.severity, finding.category or "-", finding.text) for finding in found]
    screen.table(("", "Category", "What to do"), rows, loud="problem")
    screen.notices(trouble)
    seen = f", {len(log)} tickets of the last {log_days} days" if log is not None else ""
    screen.result(
        f"{len(taxonomy.names)} categories{seen}: {problems} problems, {len(found) - problems} pieces of advice",
        {
            "categories": len(taxonomy.names),
            "tickets": None if log is None else len(log),
            "likeness_by": "embeddings" if settings.embeddings.model and not by_words else "words",
            "helpdesk": "not asked" if offline else "unreachable" if code is ExitCode.CANNOT_RUN else "read",
            "problems": problems,
            "findings": [finding.model_dump() for finding in found],
            "notes": trouble,
        },
    )
    return code


def show(as_json: JsonOption = False, config: ConfigOption = None) -> int:
    """Print the categories of both levels as they are used."""
    taxonomy = load(config=config, need_helpdesk=False).taxonomy
    Screen(as_json=as_json).result(
        "\n".join(_tree(taxonomy)),
        {"fallback": taxonomy.fallback, "categories": [_as_data(taxonomy, name) for name in taxonomy.top]},
    )
    return ExitCode.OK


def logged(folder: Path, now: float, days: int, keys: Keyring | None = None) -> Iterator[Logged]:
    """The categories of the tickets in the log's last ``days`` days; a ticket's last line counts."""
    last: dict[object, Logged] = {}
    for _, event in events(folder, first_day=iso(now - days * 86_400)[:10], keys=keys):
        analysis = event.get("analysis")
        if event.get("event") == "ticket" and isinstance(analysis, dict) and analysis.get("category"):
            subcategory = analysis.get("subcategory")
            last[event.get("ticket_id")] = Logged(
                str(analysis["category"]), subcategory and str(subcategory), leaving(str(analysis.get("summary") or ""))
            )
    yield from last.values()


def _settings(config: Path | None, *, offline: bool) -> Settings:
    try:
        return load(config=config, need_helpdesk=not offline)
    except ConfigError as error:
        try:
            load(config=config, need_helpdesk=False)
        except ConfigError:
            raise error from None
        raise ConfigError(*error.problems, "--offline looks at the categories without a helpdesk") from None


def _labels(settings: Settings, clock: SystemClock) -> AccountLabels:
    deadline = Deadline(clock, DEADLINE_S)
    with closing(transport_for(settings.desk, clock, deadline, read_only=True)) as transport:
        return read_labels(settings, transport)


@contextmanager
def _likeness(embeddings: EmbeddingSettings, trouble: list[str]) -> Iterator[Likeness]:
    """Likeness by the embedding server if there is one, else by words. If the server fails, ``trouble`` says so."""
    if not embeddings.model:
        yield similarities
        return
    from ..analysis.model_server.embeddings import Embedder

    embedder = Embedder(embeddings)

    def likeness(texts: Sequence[str]) -> Sequence[Sequence[float]]:
        if len(texts) < FEWEST_FOR_VECTORS:
            return similarities(texts)
        try:
            return vector_similarities(embedder.embed(texts))
        except AnalysisFailed as error:
            note = f"likeness is judged by words, since the embedding server gave no answer: {error}"
            trouble.extend([note] if note not in trouble else [])
            return similarities(texts)

    with closing(embedder):
        yield likeness


def _tree(taxonomy: Taxonomy) -> Iterator[str]:
    for name in taxonomy.top:
        mark = "   (for whatever fits nowhere else)" if name == taxonomy.fallback else ""
        yield f"{name}{mark}"
        yield from _lines(taxonomy[name], "    ")
        for child in taxonomy.children(name):
            yield f"  > {child}"
            yield from _lines(taxonomy[child], "      ")


def _lines(item: Category, indent: str) -> Iterator[str]:
    facts: dict[str, Any] = {
        "examples": len(item.examples),
        "keywords": sum(map(len, item.keywords.values())),
        "at least": item.priority_floor,
        "tag": item.tag,
        "group": item.group,
        "fields": ", ".join(f"{key} = {value}" for key, value in item.fields.items()),
    }
    yield f"{indent}{item.description or '(no description)'}"
    told = "; ".join(f"{name} {value}" for name, value in facts.items() if value)
    if told:
        yield f"{indent}{told}"


def _as_data(taxonomy: Taxonomy, name: str) -> dict[str, object]:
    data = taxonomy[name].model_dump(mode="json", exclude={"parent"})
    return {**data, "children": [_as_data(taxonomy, child) for child in taxonomy.children(name)]}
