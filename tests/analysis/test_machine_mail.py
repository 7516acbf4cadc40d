from __future__ import annotations

from ticket_processor.core.models import Ticket
from ticket_processor.policy.skip_rules import machine_mail

from ..support.cases import for_each
from .mails import Mail, read

LANGUAGES = {"en", "de", "fr", "es", "pt", "it", "nl", "ja"}


def a_ticket(subject: str, description: str = "", sender: str = "jo@example.com", channel: str = "email") -> Ticket:
    stamp = "2026-01-01T00:00:00Z"
    return Ticket(
        id=1,
        subject=subject,
        description=description,
        sender=sender,
        channel=channel,
        created_at=stamp,
        updated_at=stamp,
    )


def test_of_two_hundred_tickets_of_people_with_subjects_like_a_bounces_none_is_dropped() -> None:
    mails = read("people")
    assert len(mails) == 200
    assert {mail.language for mail in mails} == LANGUAGES
    assert [mail.ticket.subject for mail in mails if machine_mail(mail.ticket)] == []


def test_of_two_hundred_mails_of_machines_at_least_ninety_five_percent_are_recognised() -> None:
    mails = read("machines")
    assert len(mails) == 200
    assert {mail.language for mail in mails} == LANGUAGES
    assert sum(machine_mail(mail.ticket) is not None for mail in mails) >= 190


@for_each("mail", read("machines")[::10])
def test_a_subject_alone_never_makes_machine_mail(mail: Mail) -> None:
    """Neither with an empty text, nor with one of a person's own."""
    for text in ("", "We look for a way to get rid of these, they fill our mailbox."):
        assert machine_mail(a_ticket(mail.ticket.subject, text)) is None


def test_mail_that_a_gateway_passed_on_is_known_by_its_requesters_address() -> None:
    ticket = a_ticket("whatever", sender="", channel="api")
    assert machine_mail(ticket) is None
    assert machine_mail(ticket.model_copy(update={"requester_address": "mailer-daemon@mx.example"})) == "bounce"


PERSON, NO_REPLY = "jo@example.com", "no-reply@forms.example"


@for_each(
    ("subject", "description", "sender"),
    [
        *(
            ("Out of office", text, sender)
            for sender in (PERSON, NO_REPLY)
            for text in (
                "I am on vacation. My card was declined twice, please unblock it.",
                "I am on vacation until Monday. Can you deliver on Tuesday?",
                "Ich bin im Urlaub. Bitte liefern Sie den Schrank erst danach.",
                "Name: Uwe\nNachricht: Ich bin im Urlaub.",
            )
        ),
        ("Out of office reply is not working in Outlook", "I set it up, but nobody gets it.", PERSON),
        ("How do I turn on the automatic reply?", "", PERSON),
        ("Automatic reply: how can I disable it?", "", PERSON),
        ("Abwesenheitsnotiz einrichten", "Wie geht das?", PERSON),
        ("My mails bounce", "I get 'Undelivered Mail Returned to Sender' for every mail I send. Please help.", PERSON),
        ("Delivery failed, where is my parcel?", "", PERSON),
        ("Read receipts do not arrive", "", PERSON),
        ("Delivered to the wrong address", "", PERSON),
        ("Read this please", "The printer is on fire.", PERSON),
        ("Holiday booking", "I am on vacation and my card does not work here, what can I do?", PERSON),
        ("Lost my card", "", PERSON),
        ("[ALERT] web-02 DOWN", "Down since 02:11", "alerts@watch.example"),
        ("[ALERT] web-02 not recovered", "", "alerts@watch.example"),
        ("My issue was resolved wrongly", "The refund is missing", "noreply@shop.example"),
        ("RESOLVED: web-02", "Is it really? Please check the log.", PERSON),
        ("Scanned image from my copier is black", "Device Name: MFP-3", PERSON),
        ("Scanned documents", "Attached is my contract. Did you get it?", "scan@example.com"),
        ("Contact form", "My order has not come.", "noreply@shop.example"),
    ],
)
def test_alerts_and_what_people_write_of_such_mail_stay_tickets(subject: str, description: str, sender: str) -> None:
    assert machine_mail(a_ticket(subject, description, sender)) is None


@for_each(
    ("subject", "description", "sender", "reason"),
    [
        ("Undelivered Mail Returned to Sender", "This is the mail system", "MAILER-DAEMON@mx.example", "bounce"),
        ("whatever", "", "Mail <mailer-daemon@mx.example>", "bounce"),
        ("Delivery Status Notification (Failure)", "", "postmaster@mx.example", "bounce"),
        ("Unzustellbar: Ihre Anfrage", "", "postmaster@mx.example", "bounce"),
        ("Read: Your ticket", "Your message\n\n To: Jo\n\nwas read on Monday.", "jo@example.com", "delivery_report"),
        ("Gelesen: Ihr Ticket", "Ihre Nachricht\n\n An: Jo\n\nwurde gelesen.", "jo@example.com", "delivery_report"),
        ("Automatic reply: Your ticket", "We have received your mail.", "jo@example.com", "auto_reply"),
        ("Automatische Antwort: Ihr Ticket", "Wir haben Ihre Mail erhalten.", "jo@example.com", "auto_reply"),
        ("Réponse automatique : votre demande", "Nous avons bien reçu votre message.", "jo@example.com", "auto_reply"),
        ("Respuesta automática: su consulta", "Hemos recibido su mensaje.", "jo@example.com", "auto_reply"),
        ("Resposta automática: seu pedido", "Recebemos a sua mensagem.", "jo@example.com", "auto_reply"),
        ("Risposta automatica: la sua richiesta", "Abbiamo ricevuto il suo messaggio.", "jo@example.com", "auto_reply"),
        ("Automatisch antwoord: uw vraag", "Wij hebben uw bericht ontvangen.", "jo@example.com", "auto_reply"),
        ("自動返信: お問い合わせ", "お問い合わせを受け付けました。", "jo@example.com", "auto_reply"),
        ("Out of Office: Your ticket", "I am on vacation.", "jo@example.com", "out_of_office"),
        ("Abwesenheitsnotiz: Ihr Ticket", "Ich bin im Urlaub.", "jo@example.com", "out_of_office"),
        ("Out of office", "I am currently out of the office until Monday.", "jo@example.com", "out_of_office"),
        ("Re: hi", "This is an automated message, do not reply.", "no-reply@shop.example", "auto_reply"),
        ("Scanned image from MFP-3", "Device Name: MFP-3\nResolution: 300dpi x 300dpi", "noreply@x.example", "device"),
        ("Scan vom Kopierer", "Device Model: Inkbridge 4400", "scanner2@firma.example", "device"),
        ("[ALERT] web-02 RECOVERED", "Up since 02:17. Do not reply.", "alerts@watch.example", "all_clear"),
        ("RESOLVED: disk usage on db-1", "", "noreply@watch.example", "all_clear"),
        ("Entwarnung: Server wieder erreichbar", "", "monitoring@firma.example", "all_clear"),
    ],
)
def test_mail_from_machines_is_recognised(subject: str, description: str, sender: str, reason: str) -> None:
    assert machine_mail(a_ticket(subject, description, sender)) == reason
