from __future__ import annotations

import pytest

from ticket_processor.policy.reanalysis import LONGEST_THANKS, is_mere_thanks

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
    assert is_mere_thanks(TICKET, text)


@pytest.mark.parametrize(
    "text",
    [
        "Thanks, but where is my invoice?", "Thanks in advance", "Thanks for nothing", "Thank you. Please refund me",
        "Thanks, order 4711", "Thanks!\n\nRefund pending",
        "Thanks.\n\nBest regards,\nJohn\n\nPS: the invoice is wrong", "Thanks, it is not working", "Thanks 50 €",
        "Thanks :(", "Danke ;-(", "Thanks No", "Danke Nein", "Thank you? Really", "Danke, aber es geht wieder nicht",
        "Merci, et pour la facture ?", "Gracias, pero sigue igual", "Obrigado, mas falta a fatura",
        "Grazie, quando arriva il rimborso", "Bedankt, maar ik mis nog iets",
        "ありがとうございます。返金はいつですか。", "👎", "Best regards,\nJohn", "It works.", "",
        "Thanks " * LONGEST_THANKS,
        "Can I also change my address?", "It still does not work, the same error again. What now?",
        "The serial number is AB-1234, bought in Lyon.", "I am out of the office until 3 May. Thanks!",
    ],
)  # fmt: skip
def test_whatever_else_is_said_it_is_not_only_thanks(text: str) -> None:
    assert not is_mere_thanks(TICKET, text)
