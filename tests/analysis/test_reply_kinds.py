"""What a customer's further message is: it only thanks where nothing else is said, whatever the language."""

from __future__ import annotations

import pytest

from ticket_processor.analysis.reply_kinds import LONGEST, reply_kind

from ..support.fakes import a_ticket

TICKET = a_ticket(1, channel="email", names=("Jo van Dyke",))


@pytest.mark.parametrize(
    "text",
    [
        "Thanks!",
        "Hi Anna,\n\nperfect, it works now. Thank you so much for your quick help :-)\n\nBest regards,\nJohn Smith",
        "Danke, jetzt funktioniert alles wieder.\n\nViele Grüße\nPeter",
        "Merci beaucoup pour votre aide, tout fonctionne. Bonne journée !",
        "¡Muchas gracias por su ayuda!",
        "Muito obrigado, resolvido!",
        "Grazie mille, ora funziona.",
        "Bedankt, het werkt nu weer!",
        "ありがとうございました。無事に解決しました。",
        "<p>Thank you</p><blockquote type='cite'>Can you tell us your order number 4711?</blockquote>",
        "Thank you.\n\nOn 3 May 2026 at 10:12, Support <help@example.com> wrote:\n> Is order 4711 yours?",
        "Thanks\n-- \nJo van Dyke, Example Ltd, +49 30 1234567",
        "Thanks\nJo van Dyke",
        "👍",
    ],
)
def test_thanks_and_nothing_else_is_thanks(text: str) -> None:
    assert reply_kind(TICKET, text) == "thanks"


@pytest.mark.parametrize(
    "text",
    [
        "Thanks, but where is my invoice?",
        "Thanks in advance",
        "Thanks for nothing",
        "Thank you. Please refund me",
        "Thanks, order 4711",
        "Thanks!\n\nRefund pending",
        "Thanks.\n\nBest regards,\nJohn\n\nPS: the invoice is wrong",
        "Thanks, it is not working",
        "Thanks 50 €",
        "Thanks :(",
        "Danke ;-(",
        "Thanks No",
        "Danke Nein",
        "Thank you? Really",
        "Danke, aber es geht wieder nicht",
        "Merci, et pour la facture ?",
        "Gracias, pero sigue igual",
        "Obrigado, mas falta a fatura",
        "Grazie, quando arriva il rimborso",
        "Bedankt, maar ik mis nog iets",
        "ありがとうございます。返金はいつですか。",
        "👎",
        "Best regards,\nJohn",
        "It works.",
        "",
        "Thanks " * LONGEST,
    ],
)
def test_whatever_else_is_said_it_is_not_only_thanks(text: str) -> None:
    assert reply_kind(TICKET, text) != "thanks"


def test_with_files_it_is_not_only_thanks() -> None:
    assert reply_kind(TICKET, "Thanks!", files=True) == "more_information"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Can I also change my address?", "new_question"),
        ("Ich hätte gern noch eine Rechnung für Mai", "new_question"),
        ("It still does not work, the same error again. What now?", "same_problem"),
        ("Le problème persiste depuis ce matin", "same_problem"),
        ("The serial number is AB-1234, bought in Lyon.", "more_information"),
        (
            "I am out of the office until 3 May with limited access to my mail. If urgent, write to my colleague.",
            "out_of_office",
        ),
    ],
)
def test_the_other_kinds(text: str, kind: str) -> None:
    assert reply_kind(TICKET, text) == kind
