"""``ticketbot analyse``: one ticket's way through the chain, for a person to follow."""

from __future__ import annotations

from typing import Any

from .conftest import Command, Desk

MAIL = """Charged twice
Hello,
I was charged twice, my mail is jane.doe@example.com and my card 4111 1111 1111 1111.

--
Jane Doe
On Mon, 3 Nov 2026 at 10:00, Support <help@example.com> wrote:
> How can we help?
"""


def test_each_step_of_a_text_from_standard_input_is_shown(bare: Command) -> None:
    shown = bare("analyse", "-", said=MAIL).out
    assert "> How can we help?" in shown.split("2. Redacted")[0]
    redacted = shown.split("2. Redacted")[1].split("4. The chain")[0]
    assert "[EMAIL_1]" in redacted
    assert "[CARD_1]" in redacted
    assert "jane.doe" not in redacted
    assert "4111" not in redacted
    assert "rules: answered" in shown
    assert "category: billing" in shown
    assert "+ tag ai_billing" in shown
    assert "note | Triage: billing" in shown


def test_the_steps_as_one_object(bare: Command) -> None:
    told: Any = bare("analyse", "-", "--json", said="Help\nThe app crashes.").object
    assert told["analysis"]["category"] == "technical"
    assert told["chain"][-1] == {"link": "rules", "answered": True, "reason": None, "ms": told["chain"][-1]["ms"]}
    assert "ai_technical" in told["decision"]["tags"]
    assert told["redacted"]["standard"]["text"].startswith("Help\n")


def test_machine_mail_is_said_to_be_skipped_by_a_run(bare: Command) -> None:
    shown = bare("analyse", "-", said="Out of office\nI am out of the office until Monday.").out
    assert shown.startswith("A run would skip this: machine mail")


def test_wrong_usage_is_told_in_a_sentence(desk: Desk) -> None:
    for wrong in ("abc", "²"):
        assert "number, or -" in desk("analyse", wrong, code=2).err
    assert "there is no ticket 99" in desk("analyse", "99", code=2).err
    assert "empty" in desk("analyse", "-", said="", code=2).err


def test_text_in_utf_8_is_read_whatever_the_locale_says(bare: Command) -> None:
    shown = bare("analyse", "-", said="Вход\nНе могу войти в аккаунт", PYTHONIOENCODING="cp1252")
    assert "Не могу войти" in shown.out


def test_hostile_input_is_a_text_like_any_other(bare: Command) -> None:
    for text in ('{"a":' * 50_000, "same line\n" * 20_000):
        bare("analyse", "-", said=text)
