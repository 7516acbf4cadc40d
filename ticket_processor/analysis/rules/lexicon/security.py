"""Words that speak for the category ``security``."""

from __future__ import annotations

from .entries import ByLanguage

SECURITY: ByLanguage = {
    "en": {
        3: (
            "fraud*, scam*, phishing, hacked, hacker*, hacking, hack, stolen, stole, steal*, theft, "
            "identity theft, compromised, unauthorized, unauthorised, not authorized, not authorised, "
            "did not authorize, didn't authorize, data breach*, breach*, security incident*, security issue*, "
            "security threat*, security concern*, malware, virus, viruses, ransomware, spyware, trojan, "
            "vulnerabilit*, exploit*, cve, suspicious, lost my card, lost card, lost my phone, lost phone, "
            "lost my wallet, lost my credit card, lost my debit card, card is missing, card is lost, "
            "misplaced, don't recognize, don't recognise, do not recognize, do not recognise, didn't make, "
            "did not make, never made, not familiar with, random payment, random charge, strange charge*, "
            "strange payment*, wasn't me, not mine, freeze ~ card, freeze ~ account, block ~ card, freeze, "
            "someone ~ used, someone else, used my card, using my card, intrusion*, cyberattack*, "
            "cyber attack*, ddos, injection attack, sql injection, xss, spam, leaked, data leak, "
            "penetration test*, identity ~ stolen, security breach*, impersonat*, fake, intercepted, stranger"
        ),
        2: (
            "security, cybersecurity, attack*, threat*, antivirus, firewall*, encrypt*, lost, unknown, "
            "unrecognized, unrecognised, unfamiliar, suspect*, illegal, block, inquiries, dispute*, leak, "
            "intruder, secure, cyber, privacy violation, cloned"
        ),
        1: "protect*, protection, risk*, safe, safety, confidential*, missing, disputed",
    },
    "de": {
        3: (
            "*betrug*, betrüg*, gehackt*, hacker*, *phishing*, *gestohlen*, diebstahl, *schadsoftware*, "
            "*malware*, *virus, *viren, *sicherheitslücke*, *sicherheitsvorfall*, *sicherheitsvorfälle*, "
            "*sicherheitsverletzung*, *sicherheitsproblem*, *sicherheitsbedenken*, *datenleck*, *datenpanne*, "
            "*datenschutzverletz*, *kompromittier*, unbefugt*, unautorisiert*, nicht autorisiert*, "
            "verdächtig*, *ransomware*, *schwachstelle*, *cyberangriff*, *angriff*, *eindring*, karte sperren, "
            "karte verloren, identitätsdiebstahl, missbrauch*, *sicherheitswarn*, *sicherheitsmeldung*, "
            "*sicherheitsbedroh*, einbruch*, *anomalie*, *bedrohung*, *sicherheitslücken*, "
            "ungewöhnlich* anmelde*"
        ),
        2: (
            "*sicherheit, *sicherheits*, *firewall*, *antivirus*, *verschlüssel*, verloren, spam, gefälscht*, "
            "fremde, risiko, *bedroh*, unerlaubt*, *siem*, endpoint*, intrusion, sperren"
        ),
        1: "schutz, schützen, *risiken, zertifikat*",
    },
    "fr": {
        3: (
            "fraud*, piraté*, pirat*, hameçonnage, phishing, volé*, vol de, escroc*, arnaque*, "
            "logiciel malveillant, virus, rançongiciel, ransomware, faille*, vulnérabilit*, violation*, "
            "fuite de données, compromis*, non autorisé*, suspect*, cyberattaque*, attaque*, intrusion*, "
            "usurpation*, carte perdue, perdu ma carte, opposition, incident de sécurité, malware, brèche*"
        ),
        2: "sécurité, menace*, antivirus, pare-feu, chiffrement, perdu*, spam, inconnu*, cybersécurité",
        1: "protection, protéger, risque*",
    },
    "es": {
        3: (
            "fraud*, hacke*, jaque*, phishing, robad*, robo, robaron, estafa*, malware, virus, ransomware, "
            "vulnerabilidad*, brecha*, filtración, filtrad*, comprometid*, no autorizad*, sospechos*, "
            "ciberataque*, ataque*, intrusi*, suplantaci*, perdí mi tarjeta, tarjeta perdida, "
            "bloquear ~ tarjeta, incidente de seguridad"
        ),
        2: "seguridad, amenaza*, antivirus, cortafuegos, cifrado, perdid*, spam, desconocid*, ciberseguridad",
        1: "protección, proteger, riesgo*",
    },
    "pt": {
        3: (
            "fraud*, hacke*, phishing, roubad*, roubo, roubaram, furt*, golpe*, malware, vírus, ransomware, "
            "vulnerabilidade*, violaç*, vazamento*, vazad*, comprometid*, não autorizad*, suspeit*, "
            "ciberataque*, ataque*, invas*, invadi*, clonad*, perdi meu cartão, cartão perdido, "
            "bloquear ~ cartão, incidente de segurança, intrus*"
        ),
        2: ("segurança, ameaça*, antivírus, firewall, criptograf*, perdid*, spam, desconhecid*, cibersegurança"),
        1: "proteção, proteger, risco*",
    },
    "it": {
        3: (
            "frod*, hacker*, hackerat*, phishing, rubat*, furto, furti, truff*, malware, virus, ransomware, "
            "vulnerabilità, violazion*, fuga di dati, compromess*, non autorizzat*, sospett*, attacc*, "
            "intrusion*, clonat*, carta smarrita, perso la carta, bloccare ~ carta, incidente di sicurezza"
        ),
        2: "sicurezza, minacc*, antivirus, firewall, crittograf*, smarrit*, spam, sconosciut*",
        1: "protezione, proteggere, rischi*",
    },
    "nl": {
        3: (
            "fraude*, gehackt*, hacker*, phishing, gestolen, diefstal, oplicht*, malware, virus*, ransomware, "
            "kwetsbaarheid, kwetsbaarheden, datalek*, beveiligingslek*, beveiligingsincident*, "
            "gecompromitteerd*, ongeautoriseerd*, onbevoegd*, verdacht*, cyberaanval*, aanval*, inbraak*, "
            "pas blokkeren, kaart blokkeren, pas verloren, identiteitsfraude, misbruik"
        ),
        2: ("beveiliging*, veiligheid, dreiging*, antivirus, firewall, versleutel*, verloren, kwijt, spam, onbekende"),
        1: "bescherm*, risico*",
    },
    "ja": {
        3: (
            "不正アクセス, 不正利用, 不正使用, 不正, 乗っ取, ハッキング, フィッシング, 盗まれ, 盗難, 詐欺, "
            "ウイルス, マルウェア, 脆弱性, 情報漏洩, 情報漏えい, 流出, 身に覚えのない, なりすまし, 紛失, "
            "不審な, サイバー攻撃, ランサムウェア"
        ),
        2: "セキュリティ, 攻撃, 怪しい, 漏洩",
    },
}
