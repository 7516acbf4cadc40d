"""Mail that a machine wrote: bounces, out-of-office replies, acknowledgements, scans, all-clears. Nobody has to answer.

An alert that something is down is a ticket; only the one that says it is up again is not.
"""

from __future__ import annotations

import re

from .cleaning import MAX_SUBJECT, normalised
from .models import Ticket

_BOUNCE_SENDER = re.compile(r"(?:^|[<\s])(?:mailer-?daemon|mail-daemon|bounces?(?:[+\-][^@]{0,80})?)@", re.IGNORECASE)
_MACHINE_SENDER = re.compile(
    r"(?:^|[<\s])(?:no-?reply|do-?not-?reply|donotreply|postmaster|auto-?(?:reply|responder|mailer)|notifications?)"
    r"(?:[+\-.][^@]{0,80})?@",
    re.IGNORECASE,
)
_DEVICE_SENDER = re.compile(
    r"(?:^|[<\s])(?:scan(?:ner|s|ning)?|copier|kopierer|drucker|printer|mfp|xerox|konica|ricoh|canon|fax(?:server)?)"
    r"[\w\-]{0,40}@",
    re.IGNORECASE,
)
_DEVICE_SUBJECT = re.compile(
    r"\s{0,4}(?:scan(?:ned)? (?:image|document|file|data)?s? ?(?:from|of|to)\b|(?:message|attached image|fax) from \S+|"
    r"scan (?:vom?|von)\b|gescannte[sr]? (?:dokument|bild|datei)|numérisation (?:de|depuis)|document numérisé|"
    r"(?:documento|imagen) escanead[oa]|(?:documento|imagem) digitalizad[oa]|scansione da|documento scansionato|"
    r"gescand (?:document|bestand)|スキャン)",
    re.IGNORECASE,
)
_DEVICE_BODY = re.compile(
    r"attached (?:file|document|image) is (?:a )?scanned|device (?:name|model) ?:|(?:sent|scanned) "
    r"(?:from|by|using) (?:a|an|my) (?:xerox|multi-?function|copier|scanner)|resolution ?: ?\d{2,4} ?dpi",
    re.IGNORECASE,
)
_ALERT_SENDER = re.compile(
    r"(?:^|[<\s])(?:alerts?|alarms?|monitor(?:ing)?|status|uptime|nagios|zabbix|icinga|prometheus|alertmanager|grafana|"
    r"pingdom|statuspage|checkmk)(?:[+\-._][^@]{0,80})?@",
    re.IGNORECASE,
)
_ALL_CLEAR = re.compile(
    r"\b(?:recover(?:ed|y)|resolved|back (?:up|online|to normal)|is up(?: again)?|all clear|up again|entwarnung|"
    r"wieder (?:online|erreichbar|ok)|rétabli|recuperado|ripristinato|hersteld)\b|\bOK\s*$|復旧",
    re.IGNORECASE,
)
# From a sender that may also pass on what people write, only a subject of an alert's form counts.
_ALERT_SUBJECT = re.compile(
    r"\s{0,4}(?:\[[^\]]{0,40}(?:alert|resolved|recover|monitor|status|ok|up)|(?:RESOLVED|RECOVERED|OK)\b ?[:\-])", re.I
)
_STILL_BAD = re.compile(
    r"\b(?:not|un)[ -]?(?:resolved|recovered)|\bre-?opened\b|\bstill (?:down|failing)\b", re.IGNORECASE
)
_SUBJECTS: tuple[tuple[str, str], ...] = (
    (
        "bounce",
        r"undeliver(?:able|ed mail returned)|undelivered mail|mail delivery (?:failed|failure|subsystem)|"
        r"delivery status "
        r"notification ?\(?(?:failure|delay)|returned mail|failure notice|message (?:not delivered|undeliverable)$"
        r"|unzustellbar ?:|unzustellbare nachricht|nicht zustellbar ?:|non remis ?:|non distribuable ?:|"
        r"échec de (?:la )?remise"
        r"|no se puede entregar ?:|no entregado ?:|não entregue ?:|não é possível entregar ?:|"
        r"não foi possível entregar ?:"
        r"|non recapitabile ?:|mancato recapito|onbestelbaar ?:|niet bezorgd ?:|配信不能|配信できません ?:|无法投递",
    ),
    (
        "delivery_report",
        r"delivery (?:status notification|receipt|report) ?(?:\(success|\(relay|:)|delivered ?: |relayed ?: |read ?: "
        r"|not read ?: |read receipt ?:|return receipt ?\(|gelesen ?: |ungelesen gelöscht ?: |zugestellt ?: |lu ?: "
        r"|leído ?: |lida ?: |lido ?: |letto ?: |gelezen ?: |開封済み ?: |已读 ?: ",
    ),
    (
        "out_of_office",
        r"(?:auto(?:matic)? ?(?:reply|response) ?[:\-–] ?)?(?:out of (?:the )?office|"
        r"ooo) ?(?:auto(?:matic)?[ -]?reply|reply|"
        r"auto-?response|notification|message|re ?:|: )|abwesenheits(?:notiz|meldung|nachricht|benachrichtigung|"
        r"info)\b ?(?::|$|-)"
        r"|abwesend ?: |automatische abwesenheit|absence du bureau ?(?::|$)|absent du bureau ?(?::|$)|"
        r"message d'absence ?(?::|$)"
        r"|fuera de (?:la )?oficina ?(?::|$)|fora do escritório ?(?::|$)|ausência temporária ?(?::|$)|"
        r"fuori (?:sede|ufficio) ?(?::|$)"
        r"|afwezig(?:heid)?(?:sbericht|smelding)? ?(?::|$)|niet aanwezig ?: |frånvaro(?:meddelande)? ?(?::|$)|"
        r"不在(?:通知|のお知らせ|連絡)",
    ),
    (
        "auto_reply",
        r"auto(?:matic|mated)?[ -]?(?:reply|response|answer|responder) ?(?:[:：(]|$|- )|\[auto-?(?:reply|response)\]"
        r"|automatische (?:antwort|rückmeldung|eingangsbestätigung)\b ?(?::|$)|auto-?antwort ?:|"
        r"réponse automatique ?(?::|$)"
        r"|respuesta automática ?(?::|$)|resposta automática ?(?::|$)|risposta automatica ?(?::|$)"
        r"|automatisch(?:e)? (?:antwoord|beantwoording|bericht) ?(?::|$)|autosvar ?(?::|$)|"
        r"automatiskt svar ?(?::|$)|automatisk svar ?(?::|$)"
        r"|odpowiedź automatyczna ?(?::|$)|автоответ ?(?::|$)|【?自動(?:返信|応答|送信)】?|自动(?:回复|答复)|"
        r"自動回覆|자동 ?(?:회신|응답)",
    ),
)
_SUBJECT_PATTERNS = tuple(
    (reason, re.compile(rf"\s{{0,4}}(?:\[external\] ?)?(?:{pattern})", re.IGNORECASE)) for reason, pattern in _SUBJECTS
)
_ASKS = re.compile(
    r"\b(?:not work(?:ing)?|doesn't|does not|isn't|broken|how (?:do|can|to)|set ?up|configure|turn (?:on|off)|"
    r"disable|enable|"
    r"funktioniert nicht|geht nicht|einrichten|deaktivieren|ne (?:marche|fonctionne) pas|no funciona|não funciona|"
    r"non funziona|werkt niet|instellen)\b|\?\s*$",
    re.IGNORECASE,
)
_BOUNCE_BODY = re.compile(
    r"this (?:is the mail system at host|message was created automatically by mail)|"
    r"your message (?:to .{1,100} )?(?:couldn't|"
    r"could not|wasn't|was not) (?:be )?delivered|delivery to the following recipients? failed|diagnostic-code:|"
    r"final-recipient: rfc822",
    re.IGNORECASE,
)
_AWAY_BODY = re.compile(
    r"\bI(?: am|'m| will be)(?: currently| now)? (?:out of (?:the )?office|on (?:annual |parental |maternity |"
    r"sick )?(?:leave|vacation|"
    r"holiday)|away from (?:the office|my desk))|ich bin (?:derzeit |zur ?zeit |momentan |aktuell |vom .{3,40} |"
    r"bis .{3,40} |ab .{3,40} )?"
    r"(?:nicht (?:im (?:büro|haus)|erreichbar)|abwesend|im urlaub|außer haus)|"
    r"je suis (?:actuellement )?(?:absente?|en congés?)\b"
    r"|(?:estoy|estaré|me encuentro) (?:actualmente )?(?:fuera de la oficina|de vacaciones|ausente)|(?:estou|"
    r"estarei) (?:fora do "
    r"escritório|de férias|ausente)|sono (?:attualmente )?(?:fuori (?:ufficio|sede)|in ferie|assente)|"
    r"ik ben (?:momenteel |op dit moment |tot .{3,40} )?"
    r"(?:niet (?:aanwezig|op kantoor)|afwezig|met (?:vakantie|verlof))",
    re.IGNORECASE,
)
_AUTO_BODY = re.compile(
    r"this is an automat(?:ed|ic) (?:message|reply|response|e-?mail|notification)|automatically generated|"
    r"do not reply to this"
    r"|diese (?:nachricht|e-?mail) wurde automatisch|automatisch (?:generiert|erstellt)|(?:message|courriel|"
    r"e-?mail) (?:est )?(?:généré )?automatique"
    r"|mensaje (?:generado )?automático|mensagem automática|messaggio automatico|automatisch (?:gegenereerd|"
    r"verzonden)|自動(?:的に)?(?:送信|配信)",
    re.IGNORECASE,
)
_AWAY_SUBJECT = re.compile(
    r"\s{0,4}(?:out of (?:the )?office|on (?:vacation|leave|holiday)|away|abwesen|urlaub|nicht im büro|"
    r"absen[ct]e?|en congé|"
    r"vacaciones|férias|ferie|afwezig|vakantie)",
    re.IGNORECASE,
)


def machine_mail(ticket: Ticket) -> str | None:
    """Why no person needs reading this ticket: ``"bounce"``, ``"delivery_report"``, ``"out_of_office"``,
    ``"auto_reply"``, ``"device"`` (a scan or fax) or ``"all_clear"`` (monitoring found something up again); ``None``
    for a person's mail, and for alerts.

    Goes by the sender's address and the opening of the subject, the weaker signs only together with how such
    mails begin. A ticket *about* bounces or out-of-office replies is a person's.
    """
    sender = ticket.sender[:1000]
    subject = normalised(ticket.subject[:MAX_SUBJECT])
    opening = normalised(ticket.description[:3000])
    if _BOUNCE_SENDER.search(sender):
        return "bounce"
    from_machine = bool(_MACHINE_SENDER.search(sender))
    for reason, pattern in _SUBJECT_PATTERNS:
        if pattern.match(subject) and (from_machine or not _ASKS.search(subject)):
            return reason
    if _BOUNCE_BODY.search(opening[:1500]) and (
        from_machine or re.match(r"\s*(?:re: )?(?:delivery|mail|undeliver)", subject, re.I)
    ):
        return "bounce"
    if _AWAY_SUBJECT.match(subject) and _AWAY_BODY.search(opening[:600]) and "?" not in opening[:600]:
        return "out_of_office"
    if from_machine and _AWAY_BODY.search(opening[:600]):
        return "out_of_office"
    if from_machine and _AUTO_BODY.search(opening):
        return "auto_reply"
    if (from_machine or _DEVICE_SENDER.search(sender)) and _is_scan(subject, opening):
        return "device"
    alerting = _ALERT_SENDER.search(sender) or (from_machine and _ALERT_SUBJECT.match(subject))
    if alerting and _says_all_clear(subject, opening):
        return "all_clear"
    return None


def _is_scan(subject: str, opening: str) -> bool:
    return bool(_DEVICE_SUBJECT.match(subject) and _DEVICE_BODY.search(opening[:600])) and "?" not in opening[:600]


def _says_all_clear(subject: str, opening: str) -> bool:
    return bool(_ALL_CLEAR.search(subject)) and not _STILL_BAD.search(subject) and "?" not in subject + opening[:600]
