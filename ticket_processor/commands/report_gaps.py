"""Topics without an answer as Markdown: proposals for authors of articles. No word in it becomes mark-up."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..core.tables import markdown_text
from ..core.wording import many
from ..reporting.knowledge_gaps import ANY, Coverage
from ..reporting.report import Report
from .helpdesk_tables import GAPS


def proposals(report: Report, url_of: Callable[[int], str]) -> str:
    """One section for each topic, most tickets first."""
    found = report.knowledge.gaps if report.knowledge else ()
    lines = [f"# {markdown_text(f'Articles to write: {report.period}')}", "", markdown_text(report.origin), ""]
    if not found:
        lines.append("No topic of this period lacks an answer.")
    for number, item in enumerate(found, 1):
        lines += [*_section(number, item, url_of), ""]
    return "\n".join(lines).rstrip() + "\n"


def _section(number: int, item: Coverage, url_of: Callable[[int], str]) -> Iterator[str]:
    language = "" if item.language == ANY else f", {item.language}"
    counted = many(item.tickets, "ticket")
    yield f"## {number}. {markdown_text(f'{item.topic} ({item.kind}{language}): {counted}')}"
    yield ""
    if item.gap is not None:
        yield f"- [ ] Knowledge base: {GAPS[item.gap]}"
    if item.offered:
        yield (
            f"- Of {many(item.offered, 'ticket')} with a note: {item.no_answer:,} without an answer, {item.partial:,} "
            f"with a part of one, {item.ignored:,} whose answer people did not use"
        )
    if item.examples:
        yield "- Tickets: " + ", ".join(_link(ticket, url_of(ticket)) for ticket in item.examples)
    if item.near:
        yield "- Nearest articles: " + ", ".join(f"“{markdown_text(name)}”" for name in item.near)


def _link(ticket: int, url: str) -> str:
    return f"[{ticket}](<{url}>)" if url else str(ticket)
