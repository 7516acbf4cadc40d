"""Words that speak for the category ``general``."""

from __future__ import annotations

from .entries import ByLanguage

GENERAL: ByLanguage = {
    "en": {
        3: (
            "feedback, newsletter*, opening hours, business hours, customer service, customer support number, "
            "speak to ~ agent, speak with ~ agent, human agent, talk to ~ person, talk to someone, "
            "contact number, phone number for, general inquiry, general enquiry, inquiry, enquiry, "
            "partnership*, job application, vacancy, vacancies, career*, internship*, press, compliance, gdpr, "
            "legal request*, contract*, nda, training*, webinar*, demo, documentation, timecard*, timesheet*, "
            "holiday*, vacation*, annual leave, payroll, salary, badge, parking, employee*, human resources, "
            "marketing, brand*, social media, campaign*, seo, consultation*, case study, references, "
            "credit report*, credit bureau*, consumer report*, file a complaint, make a complaint, complaint, "
            "claim, review, onboarding, seminar, workshop, sales team, interest rate*, insurance, "
            "question about, how does, which countries, issue type ~ support, issue type ~ documentation, "
            "issue type ~ others, doc issue, documentation issue, documentation feature request, docs issue, "
            "general question, discussion, discuss, is it expected, is this expected, is this intended, "
            "am i missing something, am i doing something wrong, what am i doing wrong, i don't understand, "
            "i do not understand, can someone explain, could someone explain, anyone know, does anyone know, "
            "any idea, any help ~ appreciated, stack overflow, stackoverflow, tutorial*, newbie"
        ),
        2: (
            "information*, question*, ask, asking, details about, more about, curious, learn, guidance, "
            "advice, tell me, explain, inquire, wondering, interested, offer, offers, offering, available, "
            "availability, support hours, schedule*, meeting*, assistance, contact, reach, agent, supported, "
            "countries, country, age, strategy, strategies, analytics, investment*, digital, engagement, "
            "equifax, transunion, experian, hr, leave, absence, client, people, form, interview, candidate, "
            "candidates, doc, docs, readme, is there a way, is there any way, wonder, clarification, clarify, "
            "confused"
        ),
        1: (
            "what is, what are, where can, do you, are there, is it possible, who, why, when, where, how, "
            "what, help, please, thanks, hello, hi, service, services, company, business, provide, "
            "recruitment, project, project's"
        ),
    },
    "de": {
        3: (
            "*newsletter*, öffnungszeiten, *bewerbung*, stellenangebot*, *schulung*, *datenschutz, dsgvo, "
            "*vertrag, *vertrags*, *verträge*, *partnerschaft*, allgemeine frage, auskunft, *onboarding*, "
            "*einarbeitung*, *compliance*, *rechtlich*, *marketing*, *kampagne*, *dashboard*, *bericht*, "
            "*analyse*, *analytics*, *lieferanten*, *anbieter*, *partner*, *koordination*, *audit*, *urlaub*, "
            "webinar*, *kundenservice*, *vorschrift*, *prüfung*, *einhaltung*, *visualisier*, *richtlinie*"
        ),
        2: (
            "frage, fragen, *information*, informationen, informieren, interesse, interessiert, rückmeldung, "
            "termin*, angebot*, beratung*, ansprechpartner*, *abstimmung*, zusammenarbeit, *zeitplan*, "
            "*dokumente*, *unterlagen*, *dokumentation*, *strategie*, *anfrage*, wissen, erfahren, *daten*"
        ),
        1: "hilfe, bitte, danke, service, unternehmen, kunden*, prozess*",
    },
    "fr": {
        3: (
            "newsletter, horaires d'ouverture, candidature*, emploi, formation*, partenariat*, rgpd, contrat*, "
            "question générale, renseignement*, service client, marketing, marque, stratégi*, consultation*, "
            "réseaux sociaux, documentation, conseil*"
        ),
        2: (
            "question*, information*, informations, intéressé*, rendez-vous, offre*, savoir, avis, "
            "demande d'information, détails, fournir, numérique*, investissement*, analyse*"
        ),
        1: "aide, merci, service*, entreprise",
    },
    "es": {
        3: (
            "boletín, horario*, solicitud de empleo, empleo, formación, capacitaci*, rgpd, contrato*, "
            "consulta general, atención al cliente, marketing, marca, estrategi*, consultoría, redes sociales, "
            "documentación, colaboraci*, asociaci*"
        ),
        2: (
            "pregunta*, información, consulta*, interesad*, cita, oferta*, saber, opinión, comentario*, "
            "detalles, digital*, inversi*, análisis, proporcionar"
        ),
        1: "ayuda, gracias, servicio*, empresa",
    },
    "pt": {
        3: (
            "boletim, horário*, vaga, vagas, emprego, formação, treinamento*, lgpd, contrato*, dúvida geral, "
            "atendimento ao cliente, marketing, marca, estratégi*, consultoria, redes sociais, documentação, "
            "parceria*"
        ),
        2: (
            "pergunta*, dúvida*, informaç*, interessad*, oferta*, saber, opinião, comentário*, detalhes, "
            "digital*, investiment*, análise*, fornecer"
        ),
        1: "ajuda, obrigad*, serviço*, empresa",
    },
    "it": {
        3: (
            "newsletter, orari*, candidatura, lavoro, formazione, gdpr, contratt*, domanda generale, "
            "servizio clienti, marketing, marchio, strategi*, consulenz*, social, documentazione, "
            "collaborazion*"
        ),
        2: "domand*, informazion*, interessat*, appuntament*, offert*, sapere, opinione, dettagli",
        1: "aiuto, grazie, servizi*, azienda",
    },
    "nl": {
        3: (
            "nieuwsbrief, openingstijden, sollicit*, vacature*, training*, avg, contract*, algemene vraag, "
            "klantenservice, marketing, merk, strategie*, documentatie, samenwerking*, partner*"
        ),
        2: (
            "vraag, vragen, informatie, interesse, geïnteresseerd, afspraak, aanbod, weten, mening, feedback, meer over"
        ),
        1: "hulp, bedankt, dienst*, bedrijf",
    },
    "ja": {
        3: (
            "営業時間, 採用, 求人, 応募, 研修, 契約書, 資料請求, 取材, 感想, ご意見, 問い合わせ先, メルマガ, パートナー"
        ),
        2: "質問, 教えてください, お尋ね, 情報, 案内, 知りたい, 相談",
    },
}
