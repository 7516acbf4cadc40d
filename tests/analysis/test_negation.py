"""A negation takes the alarm from the words that it belongs to, and from no others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.analysis.rules.matcher import entries_of, lists, weighted
from ticket_processor.analysis.text.redact import redact
from ticket_processor.core.models import Risk, Urgency
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.policy.escalation import CONDITIONS, Escalation, reasons_for

ANALYSER = RulesAnalyser(default_taxonomy())
EVERYTHING = Escalation(on=CONDITIONS)
PRESSING = (Urgency.HIGH, Urgency.CRITICAL)

DENIED = {
    "en": (
        "Nothing is broken and nothing is urgent", "There is no outage", "No emergency", "It is not at all urgent",
        "There was no data loss", "Without any data loss", "It isn't an emergency", "There's no real urgency",
        "None of this is urgent", "It is neither urgent nor critical", "This is not urgent or critical",
        "Nothing was stolen and nobody was hacked", "We had no privacy breach", "I don't have a deadline",
        "There has been no phishing and no fraud", "The account was not hacked",
    ),
    "de": (
        "Nichts ist dringend", "Nichts davon ist wirklich dringend", "Kein Ausfall", "Es gibt keinen Ausfall",
        "Keine Eile, das ist kein Notfall", "Es gab keinerlei Ausfall", "Ohne jeden Datenverlust",
        "Niemand wurde gehackt", "Es wurde nichts gestohlen", "Es ist weder dringend noch kritisch",
        "Das ist keineswegs dringend", "Es ist überhaupt nicht dringend", "Das ist kein akuter Notfall",
        "Das eilt nicht",
    ),
    "fr": (
        "Aucune urgence", "Rien d'urgent", "Rien n'est urgent", "Ce n'est pas du tout urgent", "Il n'y a pas d'urgence",
        "Aucune panne", "Cela s'est passé sans perte de données", "Personne n'a été piraté", "Rien n'a été volé",
        "Ce n'est ni urgent ni critique", "Ce n'est nullement urgent",
    ),
    "es": (
        "Nada es urgente", "No hay ninguna urgencia", "No es nada urgente", "Ninguna emergencia",
        "No me han robado nada", "Todo ha ido bien, sin pérdida de datos", "Nadie fue hackeado",
        "No es ni urgente ni crítico", "No se trata de una emergencia", "Esto tampoco es urgente",
    ),
    "pt": (
        "Nada é urgente", "Não há nenhuma urgência", "Nenhuma emergência", "Foi tudo bem, sem perda de dados",
        "Ninguém foi hackeado", "Não é urgente nem crítico", "Não se trata de uma emergência", "Não houve fraude",
    ),
    "it": (
        "Niente è urgente", "Nulla di urgente", "Non è affatto urgente", "Nessuna urgenza", "Nessun'emergenza",
        "Nessuno è stato hackerato", "Non è né urgente né critico", "Non si tratta di una emergenza",
        "È andato tutto bene senza perdita di dati",
    ),
    "nl": (
        "Niets is dringend", "Het is helemaal niet dringend", "Geen spoed", "Er is geen storing",
        "Het ging zonder dataverlies", "Er is niemand gehackt", "Het is niet dringend of kritiek",
        "Er is absoluut geen noodgeval", "Er is geen sprake van fraude",
    ),
    "ja": (
        "緊急ではありません", "至急ではないです", "障害ではありません", "障害は発生していません", "緊急性はありません",
        "パスワードは盗まれていません", "データ消失はありません", "全面停止ではない", "不正アクセスはありませんでした",
    ),
}  # fmt: skip

NOT_DENIED = {
    "en": (
        "This is not only urgent but critical", "I can't log in, urgent", "no answer for days, urgent!",
        "No internet, urgent please", "I have no access and it is urgent", "No reply from you. We were hacked!",
        "I still have no internet. It is an emergency", "No internet urgent help", "No doubt our server was hacked",
    ),
    "de": (
        "Das ist nicht nur dringend, sondern kritisch", "Ich kann mich nicht anmelden, dringend",
        "seit Tagen keine Antwort, dringend!", "Kein Internet, bitte dringend helfen", "Kein Internet dringend",
        "Ich kann nicht arbeiten, Notfall", "Ich komme nicht rein und es ist dringend",
    ),
    "fr": (
        "Ce n'est pas seulement urgent, c'est critique", "Je ne peux pas me connecter, urgent",
        "Aucune réponse depuis des jours, urgent !", "Pas d'internet, c'est urgent",
    ),
    "es": (
        "No solo es urgente, es crítico", "No puedo entrar, urgente", "No tengo internet y es urgente",
        "Ninguna respuesta desde hace días, ¡urgente!",
    ),
    "pt": (
        "Não é só urgente, é crítico", "Não consigo entrar, urgente", "Nenhuma resposta há dias, urgente!",
        "Houve uma fraude no cartão, urgente", "Não tenho internet e é urgente",
    ),
    "it": (
        "Non è solo urgente, è critico", "Non riesco ad accedere, urgente", "Nessuna risposta da giorni, urgente!",
        "Non ho internet ed è urgente",
    ),
    "nl": (
        "Het is niet alleen dringend maar kritiek", "Ik kan niet inloggen, dringend",
        "Al dagen geen antwoord, dringend!",
    ),
    "ja": (
        "ログインできません。至急お願いします", "返事がない、緊急です", "緊急です、連絡がありません",
        "障害ではないでしょうか、至急確認を", "誰もログインできていません、障害です", "障害が復旧していません",
    ),
}  # fmt: skip


def expect_no_alarm(text: str) -> None:
    analysis = ANALYSER.analyse(redact(text))
    assert analysis.urgency not in PRESSING
    assert (analysis.risk, analysis.alarms, analysis.urgent_tone) == (Risk.LOW, (), False)
    assert reasons_for(analysis, EVERYTHING) == ()


@pytest.mark.parametrize("text", [text for texts in DENIED.values() for text in texts])
def test_what_is_denied_raises_nothing(text: str) -> None:
    expect_no_alarm(text)


@pytest.mark.parametrize("text", [text for texts in NOT_DENIED.values() for text in texts])
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
