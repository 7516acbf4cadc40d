"""What is at stake besides the matter itself, and the words by which writers press for haste. Data only."""

from __future__ import annotations

LEGAL: dict[str, str] = {
    "en": (
        "my lawyer, our lawyer*, our lawyers, my attorney, our attorney*, legal action, legal steps, "
        "take you to court, see you in court, small claims, sue you, suing, lawsuit, litigation, "
        "gdpr complaint, data protection authority, data protection officer, information commissioner, "
        "ombudsman, consumer protection, trading standards, report you to, file a complaint with, regulator, "
        "chargeback, press charges, filed a police report, police report"
    ),
    "de": (
        "rechtsanwalt, rechtsanwältin, anwalt, anwältin, rechtliche schritte, juristische schritte, "
        "vor gericht, klage, verklagen, verklage, dsgvo-beschwerde, datenschutzbehörde, "
        "datenschutzbeauftragte*, aufsichtsbehörde, verbraucherzentrale, verbraucherschutz, strafanzeige, "
        "anzeige erstatten, anzeige erstattet, abmahnung, mahnbescheid"
    ),
    "fr": (
        "mon avocat, notre avocat, avocat, action en justice, tribunal, porter plainte, porté plainte, "
        "dépôt de plainte, mise en demeure, poursuites, cnil, plainte rgpd, répression des fraudes, médiateur, "
        "association de consommateurs"
    ),
    "es": (
        "mi abogado, nuestro abogado, abogado, abogada, acciones legales, demanda, demandar, denunciar, "
        "denuncia, juzgado, tribunales, protección de datos, consumo, hoja de reclamaciones, burofax, rgpd"
    ),
    "it": (
        "il mio avvocato, nostro avvocato, avvocato, azioni legali, vie legali, tribunale, denuncia, "
        "denunciare, querela, diffida, garante della privacy, garante, associazione consumatori"
    ),
    "nl": (
        "mijn advocaat, onze advocaat, advocaat, juridische stappen, rechtbank, rechter, aangifte, "
        "ingebrekestelling, autoriteit persoonsgegevens, consumentenbond, geschillencommissie, avg-klacht"
    ),
    "pt": (
        "meu advogado, nosso advogado, advogado, ação judicial, processo judicial, processar vocês, tribunal, "
        "justiça, procon, reclame aqui, lgpd, anpd, boletim de ocorrência, queixa na polícia, "
        "livro de reclamações"
    ),
    "ja": ("弁護士, 法的措置, 訴訟, 訴え, 裁判, 消費者センター, 消費生活センター, 被害届, 警察, 個人情報保護委員会"),
}

SAFETY: dict[str, str] = {
    "en": (
        "caught fire, on fire, smoke, sparks, electric shock, burned my, burnt my, injured, injury, exploded, "
        "explosion, gas leak, overheated and, life threatening, danger to life, allergic reaction, poisoned, "
        "suicid*, kill myself"
    ),
    "de": (
        "brand, feuer gefangen, rauch, funken, stromschlag, verbrannt, verletzt, verletzung, explodiert, "
        "explosion, gasgeruch, lebensgefahr, lebensgefährlich, allergische reaktion, vergiftet, suizid*, "
        "umbringen"
    ),
    "fr": (
        "incendie, pris feu, fumée, étincelles, choc électrique, brûlé, blessé, blessée, explosé, explosion, suicid*"
    ),
    "es": (
        "incendio, se incendió, humo, chispas, descarga eléctrica, quemadura*, herido, herida, explotó, "
        "explosión, suicid*"
    ),
    "it": (
        "incendio, preso fuoco, fumo, scintille, scossa elettrica, ustion*, ferito, ferita, esploso, "
        "esplosione, suicid*"
    ),
    "nl": (
        "brand, vlam gevat, rook, vonken, elektrische schok, verbrand, gewond, ontploft, explosie, "
        "levensgevaar*, zelfmoord"
    ),
    "pt": (
        "incêndio, pegou fogo, fumaça, faíscas, choque elétrico, queimadura*, ferido, ferida, explodiu, "
        "explosão, suicíd*"
    ),
    "ja": "火災, 発火, 煙が, 火花, 感電, やけど, 怪我, 爆発, 命に",
}

CHURN: dict[str, str] = {
    "en": (
        "cancel my contract, cancel our contract, cancel my subscription, cancel our subscription, "
        "cancel my membership, cancel everything, terminate my contract, terminate our contract, "
        "terminating our, leaving you, switch to ~ competitor, switching to ~ competitor, "
        "switch to another provider, switching to another, move to another provider, "
        "taking our business elsewhere, take my business elsewhere, going elsewhere, never buy from you, "
        "never use ~ again, last chance, lose me as a customer, lost a customer, lose us as a customer, "
        "not renew, won't renew, will not renew, close my account immediately"
    ),
    "de": (
        "kündige, kündigen, kündigung, vertrag kündigen, anbieter wechseln, zur konkurrenz, "
        "nie wieder bei ihnen, letzte chance, als kunden verlieren, kunden verloren, nicht verlängern, "
        "vertrag auflösen, abo beenden, sonderkündigung*, außerordentlich kündigen"
    ),
    "fr": (
        "résilier, résilie, résiliation, changer de fournisseur, chez un concurrent, la concurrence, "
        "plus jamais chez vous, dernière chance, ne renouvellerons pas, ne renouvellerai pas, "
        "annuler mon abonnement, annuler mon contrat"
    ),
    "es": (
        "cancelar mi contrato, cancelar el contrato, darme de baja, dar de baja, rescindir, "
        "cambiar de proveedor, irme a la competencia, la competencia, última oportunidad, no renovar*, "
        "cancelar mi suscripción"
    ),
    "it": (
        "disdire, disdetta, recedere, cancellare il contratto, cambiare fornitore, alla concorrenza, "
        "ultima possibilità, non rinnover*, annullare l'abbonamento, annullare il contratto"
    ),
    "nl": (
        "contract opzeggen, abonnement opzeggen, opzegging, zeg ~ op, overstappen, naar de concurrent, "
        "laatste kans, niet verlengen, klant kwijt, nooit meer bij jullie"
    ),
    "pt": (
        "cancelar meu contrato, cancelar o contrato, cancelar minha assinatura, cancelar a assinatura, "
        "rescindir, mudar de fornecedor, trocar de fornecedor, para a concorrência, última chance, "
        "não vamos renovar, não vou renovar"
    ),
    "ja": "解約, 契約を解除, 退会し, 他社に, 乗り換え, 二度と利用, 更新しません",
}

HASTE: dict[str, str] = {
    "en": (
        "asap, a.s.a.p, as soon as possible, immediately, immediate attention, immediate action, "
        "immediate help, urgent, urgently, right now, right away, at once, without delay, hurry, "
        "quickly as possible, by end of day, by eod, by tonight, by tomorrow, within the hour, within ~ hours, "
        "top priority, high priority, time critical, time-critical, time sensitive, emergency, "
        "need this today, need it today, need this now, need help now, still waiting, third time, fourth time, "
        "last warning, final warning, deadline, can't wait any longer, cannot wait, no more delays"
    ),
    "de": (
        "sofort, sofortige*, dringend, dringende*, dringlich*, eilt, eilig, umgehend, unverzüglich, "
        "schnellstmöglich*, so schnell wie möglich, so bald wie möglich, asap, höchste priorität, noch heute, "
        "bis heute abend, bis morgen, innerhalb ~ stunde*, notfall, frist, letzte mahnung, zum dritten mal, "
        "zum wiederholten mal, warte immer noch, keine zeit"
    ),
    "fr": (
        "urgent*, urgence, d'urgence, immédiatement, tout de suite, au plus vite, dès que possible, "
        "le plus vite possible, le plus rapidement possible, sans délai, sans tarder, aujourd'hui même, "
        "avant ce soir, avant demain, dans l'heure, dernier délai, troisième fois, j'attends toujours"
    ),
    "es": (
        "urgente*, urgencia, inmediatamente, de inmediato, ya mismo, ahora mismo, cuanto antes, "
        "lo antes posible, a la mayor brevedad, hoy mismo, antes de mañana, en una hora, fecha límite, "
        "tercera vez, sigo esperando, sin demora"
    ),
    "it": (
        "urgente, urgenti, urgentemente, urgenza, immediatamente, subito, al più presto, il prima possibile, "
        "quanto prima, entro oggi, entro stasera, entro domani, entro un'ora, terza volta, "
        "sto ancora aspettando, senza indugio, immediato"
    ),
    "nl": (
        "dringend*, spoed, spoedeisend, met spoed, onmiddellijk, meteen, direct nodig, nu meteen, "
        "zo snel mogelijk, zsm, asap, vandaag nog, voor morgen, binnen een uur, hoogste prioriteit, "
        "derde keer, wacht nog steeds"
    ),
    "pt": (
        "urgente*, urgência, imediatamente, de imediato, agora mesmo, já, o quanto antes, quanto antes, "
        "o mais rápido possível, o mais breve possível, ainda hoje, até amanhã, em uma hora, prazo, "
        "terceira vez, continuo esperando, sem demora"
    ),
    "ja": (
        "至急, 大至急, 緊急, 今すぐ, すぐに対応, 直ちに, 早急に, 急いで, 本日中, 今日中, 明日まで, 一刻も早く, "
        "まだですか"
    ),
}
