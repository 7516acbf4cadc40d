"""What a person sees in a browser: the sandbox at a glance, and one ticket with its history.

Everything shown is escaped: tickets are the customers' words. No scripts and nothing from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from .messages import Request, Response, text_response
from .records import Audit, StoredTicket
from .store import Store

SHOWN = 200

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = """
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent);
  --soft: color-mix(in srgb, currentColor 7%, transparent); --accent: #2a7a6f; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
h1 { font-size: 1.35rem; margin: 0 0 .2rem; } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
p.sub { margin: 0 0 1.2rem; opacity: .75; } a { color: inherit; }
dl { display: flex; flex-wrap: wrap; gap: .6rem; margin: 0 0 1.5rem; }
dl div { background: var(--soft); border-radius: .5rem; padding: .45rem .9rem; }
dt { font-size: .78rem; opacity: .75; } dd { margin: 0; font-weight: 600; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .45rem .6rem; text-align: left; vertical-align: top; }
th { font-size: .78rem; opacity: .75; } td.num { text-align: right; font-variant-numeric: tabular-nums; }
.tag { background: var(--soft); border-radius: .6rem; display: inline-block; font-size: .82rem;
  margin: 0 .2rem .2rem 0; padding: 0 .5rem; } .tag.ours { background: var(--accent); color: #fff; }
.note { font-size: .88rem; max-width: 26rem; white-space: pre-line; overflow-wrap: anywhere; }
article { border: 1px solid var(--line); border-radius: .5rem; margin: 0 0 .8rem; padding: .6rem .9rem; }
article.internal { border-left: .3rem solid #c98a00; } article header { font-size: .82rem; opacity: .8; }
article pre { font: inherit; margin: .4rem 0 0; white-space: pre-wrap; overflow-wrap: anywhere; }
"""


def render(request: Request, store: Store, stats: Mapping[str, Any], marker: str) -> Response:
    """The page for a path: ``/`` (``?refresh=5`` reloads it every five seconds) or ``/tickets/{id}``."""
    found = re.fullmatch(r"/tickets/(\d{1,18})", request.path.rstrip("/"))
    if found:
        ticket = store.tickets.get(int(found[1]))
        if ticket is not None:
            return _html(200, f"Ticket {ticket.id}", _ticket_page(store, ticket, marker))
    elif request.path in ("", "/", "/index.html"):
        seconds = request.query.get("refresh", "")
        refresh = int(seconds) if seconds.isdecimal() and 1 <= len(seconds) <= 4 else 0
        return _html(200, "Sandbox", _overview(store, stats, marker), max(0, refresh))
    body = "<h1>Nothing here</h1><p><a href='/'>To the list of tickets</a></p>"
    return _html(404, "Nothing here", body)


def _html(status: int, title: str, body: str, refresh: int = 0) -> Response:
    reload = f'<meta http-equiv="refresh" content="{refresh}">' if refresh else ""
    page = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{reload}<title>{escape(title)} · ticketbot sandbox</title><style>{_STYLE}</style></head>"
        f"<body>\n{body}\n</body></html>\n"
    )
    response = text_response(status, page, "text/html; charset=utf-8")
    response.headers |= {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff"}
    return response


def _overview(store: Store, stats: Mapping[str, Any], marker: str) -> str:
    numbers = {
        "Tickets": stats["tickets"],
        f"With {marker}": stats["marked"],
        "API requests": stats["requests_total"],
        "Model calls": stats["llm_calls"],
        "Jobs": stats["jobs"],
        "Plan": stats["plan"],
    }
    cells = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(str(v))}</dd></div>" for k, v in numbers.items())
    newest = sorted(store.tickets.values(), key=lambda ticket: (-ticket.created, -ticket.id))[:SHOWN]
    rows = "\n".join(_row(ticket, marker) for ticket in newest)
    heads = ("Id", "Subject", "Status", "Priority", "Tags", "Internal note", "Last change")
    head = "".join(f"<th scope='col'>{name}</th>" for name in heads)
    shown = f"The newest {SHOWN} of {len(store.tickets)}." if len(store.tickets) > SHOWN else ""
    return (
        "<h1>ticketbot sandbox</h1>"
        "<p class='sub'>A local imitation of a help desk and of a model server. No real data, nothing is sent."
        f" <a href='/?refresh=5'>Refresh every 5 s</a></p><dl>{cells}</dl><p class='sub'>{shown}</p>"
        f"<div class='wide'><table><thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table></div>"
    )


def _row(ticket: StoredTicket, marker: str) -> str:
    json = ticket.json
    notes = [comment["body"] for comment in ticket.comments if not comment["public"]]
    note = notes[-1][:400] if notes else ""
    subject = json["subject"] or "(no subject)"
    return (
        f"<tr><td class='num'>{ticket.id}</td><td><a href='/tickets/{ticket.id}'>{escape(subject)}</a></td>"
        f"<td>{escape(str(json['status']))}</td><td>{escape(json['priority'] or '–')}</td>"
        f"<td>{_tags(json['tags'], marker)}</td><td class='note'>{escape(note)}</td>"
        f"<td>{escape(json['updated_at'])}</td></tr>"
    )


def _tags(tags: Iterable[str], marker: str) -> str:
    prefix = marker.partition("_")[0] + "_"
    return "".join(f"<span class='tag{' ours' if tag.startswith(prefix) else ''}'>{escape(tag)}</span>" for tag in tags)


def _ticket_page(store: Store, ticket: StoredTicket, marker: str) -> str:
    json = ticket.json
    facts = {
        "Status": json["status"],
        "Priority": json["priority"] or "–",
        "Group": store.groups[json["group_id"]]["name"] if json["group_id"] in store.groups else "–",
        "Channel": json["via"]["channel"],
        "Requester": _name(store, json["requester_id"]),
        "Created": json["created_at"],
        "Last change": json["updated_at"],
    }
    cells = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(str(v))}</dd></div>" for k, v in facts.items())
    comments = "".join(_comment(store, comment) for comment in ticket.comments)
    audits = "".join(_audit(store, audit) for audit in reversed(ticket.audits))
    return (
        f"<p class='sub'><a href='/'>All tickets</a></p><h1>#{ticket.id} {escape(json['subject'])}</h1>"
        f"<p>{_tags(json['tags'], marker)}</p><dl>{cells}</dl>"
        f"<h2>Conversation</h2>{comments}"
        "<h2>History, newest first</h2><div class='wide'><table><thead><tr><th scope='col'>When</th>"
        f"<th scope='col'>Who</th><th scope='col'>What</th></tr></thead><tbody>{audits}</tbody></table></div>"
    )


def _comment(store: Store, comment: Mapping[str, Any]) -> str:
    kind = "Public" if comment["public"] else "Internal note"
    author = escape(_name(store, comment["author_id"]))
    style = "public" if comment["public"] else "internal"
    return (
        f"<article class='{style}'><header>{kind} · {author} · {escape(comment['created_at'])}</header>"
        f"<pre>{escape(comment['body'])}</pre></article>"
    )


def _audit(store: Store, audit: Audit) -> str:
    lines = []
    for event in audit.events:
        if event["type"] == "Comment":
            lines.append("public comment" if event["public"] else "internal note")
        elif event["type"] == "Change":
            lines.append(f"{event['field_name']}: {_show(event['previous_value'])} → {_show(event['value'])}")
        else:
            lines.append(f"{event['field_name']} = {_show(event['value'])}")
    what = "<br>".join(escape(line) for line in lines)
    who = f"{escape(_name(store, audit.author_id))} ({audit.actor})"
    return f"<tr><td>{escape(audit.as_json()['created_at'])}</td><td>{who}</td><td>{what}</td></tr>"


def _show(value: object) -> str:
    text = " ".join(map(str, value)) if isinstance(value, list) else "–" if value is None else str(value)
    return text if len(text) <= 200 else text[:199] + "…"


def _name(store: Store, user_id: int) -> str:
    user = store.users.get(user_id)
    return str(user["name"]) if user else "System"
