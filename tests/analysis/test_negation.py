from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.analysis.rules.matcher import entries_of, lists, weighted
from ticket_processor.analysis.text.redact import redact
from ticket_processor.core.models import Risk, Urgency
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.policy.note import CONDITIONS, Escalation, reasons_for

from .invented import texts

ANALYSER = RulesAnalyser(default_taxonomy())
EVERYTHING = Escalation(on=CONDITIONS)
PRESSING = (Urgency.HIGH, Urgency.CRITICAL)


def expect_no_alarm(text: str) -> None:
    analysis = ANALYSER.analyse(redact(text))
    assert analysis.urgency not in PRESSING
    assert (analysis.risk, analysis.alarms, analysis.urgent_tone) == (Risk.LOW, (), False)
    assert reasons_for(analysis, EVERYTHING) == ()


@pytest.mark.parametrize("text", texts("denied"))
def test_what_is_denied_raises_nothing(text: str) -> None:
    expect_no_alarm(text)


@pytest.mark.parametrize("text", texts("not_denied"))
def test_a_negation_of_something_else_takes_no_alarm(text: str) -> None:
    analysis = ANALYSER.analyse(redact(text))
    assert analysis.urgency in PRESSING or analysis.urgent_tone


CALM = {
    "en": "I have a question about the opening hours of your shop in our town, and where I can park my bicycle.",
    "de": "Ich habe eine Frage zu den Öffnungszeiten Ihres Ladens in unserer Stadt, und wo mein Fahrrad stehen kann.",
    "fr": "J'ai une question sur les horaires de votre magasin dans notre ville, et où je peux laisser mon vélo.",
    "es": "Tengo una pregunta sobre el horario de su tienda en nuestra ciudad, y dónde puedo dejar mi bicicleta.",
    "pt": "Tenho uma pergunta sobre o horário da sua loja na nossa cidade, e onde posso deixar a minha bicicleta.",
    "it": "Ho una domanda sugli orari del vostro negozio nella nostra città, e dove posso lasciare la mia bicicletta.",
    "nl": "Ik heb een vraag over de openingstijden van jullie winkel in onze stad, en waar ik mijn fiets kan zetten.",
    "ja": "駅前にあるお店の営業時間と、自転車を置ける場所について教えてください。",
}
FORMS = {
    "en": ("There is no {}", "It is not at all {}", "Nothing is {}"),
    "de": ("Es gibt keinen {}", "Das ist gar nicht {}", "Nichts ist {}"),
    "fr": ("Il n'y a aucune {}", "Ce n'est pas du tout {}", "Rien n'est {}"),
    "es": ("No hay ninguna {}", "No es nada {}", "Nada es {}"),
    "pt": ("Não há nenhuma {}", "Não é nada {}", "Nada é {}"),
    "it": ("Non c'è nessuna {}", "Non è affatto {}", "Niente è {}"),
    "nl": ("Er is geen {}", "Het is helemaal niet {}", "Niets is {}"),
    "ja": ("{}はありません", "{}ではありません", "{}は発生していません"),
}  # fmt: skip


def alarming_words(language: str) -> list[str]:
    """The words of haste, danger, law and incidents that deny nothing themselves; phrases are other tests' matter."""
    found = [row for weight, row in weighted(lists("urgency")["urgency"])[language].items() if weight >= 4]
    found += [lists("stakes")[kind][language] for kind in ("haste", "legal", "safety")]
    found += [lists("alarms")[kind][language] for kind in ("security", "outage")]
    words = {entry.replace("*", "") for row in found for entry in entries_of(row)}
    if language == "ja":
        return sorted(word for word in words if not set("誰何") & set(word))
    return sorted(word for word in words if word.isalpha() and word not in lists("negation")["between"][language])


DENYING = st.sampled_from(sorted(FORMS)).flatmap(
    lambda language: st.builds(
        lambda form, word, between: f"{form.format(word)}.{between}{CALM[language]}",
        st.sampled_from(FORMS[language]),
        st.sampled_from(alarming_words(language)),
        st.sampled_from("\n "),
    )
)


@given(DENYING)
def test_an_alarming_word_that_is_denied_raises_nothing_in_any_language(text: str) -> None:
    expect_no_alarm(text)
