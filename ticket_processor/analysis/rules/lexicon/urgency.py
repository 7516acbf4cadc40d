"""Words of haste and calm; points add up (see the package)."""

from __future__ import annotations

from .entries import ByLanguage

URGENCY: ByLanguage = {
    "en": {
        12: (
            "complete outage, total outage, production down, production is down, production outage, "
            "system down, systems down, everything is down, entire site, whole company, all users affected, "
            "all users are affected, all customers, business critical, mission critical, data loss, "
            "losing data, lost all data, security breach, data breach, breach, ransomware, emergency, "
            "system failure, complete failure, complete standstill, standstill, completely down, "
            "critical outage, life threatening, legal action, lawsuit, my lawyer, my attorney, "
            "take you to court, hacked, account has been compromised, data leak"
        ),
        4: (
            "outage*, critical*, next hour, within the hour, within ~ hours, next ~ hours, revenue loss, "
            "loss of revenue, urgent*, asap, as soon as possible, immediately, right away, compromised, "
            "stolen, fraud*, deadline*, crash, crashes, crashed, crashing, unauthorized, unauthorised, hang, "
            "hangs, freeze, freezes, deadlock, cannot work, can't work, unable to work, losing money, "
            "losing customers, lawyer, attorney, severe*, high priority, top priority, blocker, blocking, "
            "segfault, segmentation fault, corrupt*, data corruption, infinite loop, phishing, malware, "
            "escalat*, emergency access, panic, ddos, cyberattack*, serious*, today"
        ),
        2: (
            "prompt*, important, significant*, major, vulnerab*, disrupt*, interrupt*, unavailable, "
            "not accessible, down, impacting, affecting our, quickly, promptly, swift*, as quickly as, "
            "several days, for weeks, still waiting, again, third time, second time, overdue, breaches, "
            "failure*, unresponsive, memory leak, regression, cannot access, can't access, locked out, "
            "assert*, broken, doesn't work, does not work, not working, can't log in, fails"
        ),
        1: ("issue*, problem*, error*, fail*, unable to, impact*, affect*, soon, unexpected*, despite, persist*"),
        -4: "low priority, lowest priority, not a priority",
        -2: (
            "workaround*, temporary solution, temporary fix, intermittent*, sporadic*, occasional*, question*, "
            "how do i, how can i, how to, would like to know, inquir*, enquir*, information, information on, "
            "curious, wondering, suggestion*, feature request*, would be nice, nice to have, typo*, cosmetic, "
            "minor, trivial, cleanup, clean up, rename, wording, tooltip*, icon*, colour, color, alignment, "
            "documentation, thank you for ~ great, love, great job, no rush, not urgent, no hurry, "
            "whenever you, when you have time, low priority, spelling, remove unused, unused, enhancement*, "
            "improve*, optimi*, guidance, details on, more details, details about, seeking, feedback, "
            "consider, dark mode, cosmetics, misspelled, interested, consult*, strategies"
        ),
        -1: (
            "thanks, please advise, recommend*, could you, is it possible, learn, label*, font*, layout, "
            "indent*, comment*, warning*, test, tests, style*, menu, preference*, text, message, should, "
            "inconsistent, support for, add, better, digital, branding, brand, tips"
        ),
    },
    "de": {
        12: (
            "komplettausfall, totalausfall, *systemausfall*, vollständige* ausfall, vollständigen ausfall, "
            "vollständiger ausfall, vollständige dienstunterbrechung, komplett ausgefallen, produktion steht, "
            "steht still, stillstand, notfall, *datenverlust*, *datenleck*, *sicherheitsverletzung*, "
            "rechtliche schritte, rechtsanwalt, anwalt, alle nutzer betroffen, alle benutzer, "
            "geschäftskritisch*, kritischen ausfall, kritischer ausfall, gehackt, kritischen systemausfall, "
            "lahmgelegt, katastrophal*, *großausfall*, sofortiges eingreifen, unverzügliches eingreifen, "
            "betrieb ~ gefährdet"
        ),
        4: (
            "nächsten stunde, nächsten ~ stunden, innerhalb ~ stunde, innerhalb ~ stunden, hohe* priorität, "
            "hochprior*, ernsthaft*, *abgestürzt, umsatz*, dringend*, sofort*, umgehend*, kritisch*, *ausfall, "
            "*ausfälle, eilt, unverzüglich*, schwerwiegend*, frist, *kompromittiert*, unbefugt*, *betrug*, "
            "ausgefallen, unautorisiert*, höchste priorität, massiv*, gravierend*, akut*, schnellstmöglich*, "
            "eskal*, *angriff*, *unterbrechung*, *verstoß*, *ransomware*"
        ),
        2: (
            "erheblich*, wichtig*, schnell*, zeitnah*, blockier*, *störung*, *abbruch*, *abstürz*, "
            "nicht erreichbar, *sicherheitslücke*, behinder*, hindernis*, funktioniert nicht, überfällig, "
            "verhinder*, gefährd*, rasch*, großes, großen, beeinträchtigt unsere, nicht möglich, verdächtig*, "
            "heute"
        ),
        1: "beeinträchtig*, fehler*, *probleme, unerwartet*, *fehlgeschlagen*",
        -4: "niedrige* priorität, geringe* priorität, nicht dringend*, keine eile, archivier*",
        -2: (
            "vorübergehend*, übergangslösung*, zwischenlösung*, notlösung*, workaround*, temporäre*, "
            "sporadisch*, gelegentlich*, intermittierend*, *dokumentation*, *anleitung*, *anfrage*, "
            "zukommen lassen, frage, fragen, vorschlag, vorschläge, *verbesserung*, anregung*, *information*, "
            "würde gerne wissen, wäre schön, nicht dringend, keine eile, bei gelegenheit, kleine*, kleiner, "
            "kleines, kleinere*, geringfügig*, leichte, leichtes, leichten, kosmetisch*, tippfehler*, "
            "gelegentlich*, vorübergehend*, *feedback*, *layout*, optisch*, wünsch*, *anpassung*, "
            "darstellung*, interessiert, minimal*, unbedeutend*, freundlich*, geringe, gering, "
            "niedrige priorität"
        ),
        -1: (
            "sporadisch*, manchmal, könnten sie, danke, hilfreich, design*, *aktualisierung*, hinweis*, "
            "ändern, behoben, workaround, umgehung*, zwischenlösung, manuell*, etwas, wenige, teilweise"
        ),
    },
    "fr": {
        12: (
            "panne totale, panne générale, tout est en panne, production arrêtée, perte de données, "
            "fuite de données, violation de données, urgence absolue, avocat, action en justice, poursuites, "
            "tous les utilisateurs, à l'arrêt"
        ),
        4: (
            "urgent*, urgence, immédiat*, au plus vite, dès que possible, le plus rapidement possible, "
            "critique*, panne*, piraté*, fraud*, date limite, délai, grave*, prioritaire, sans délai, "
            "plus tôt possible"
        ),
        2: (
            "important*, rapidement, rapide, bloqué*, interruption*, ne fonctionne plus, ne fonctionne pas, "
            "perturb*, majeur*, retard*"
        ),
        1: "problème*, erreur*, impact*, affect*",
        -2: (
            "question*, suggestion*, renseignement*, information*, savoir, pas urgent, non urgent, "
            "quand vous pourrez, serait bien, amélior*, intéressé*, détails, consultation*, mineur*"
        ),
        -1: "merci, pourriez-vous, conseil*, comment",
    },
    "es": {
        12: (
            "caída total, todo caído, sistema caído, producción parada, pérdida de datos, fuga de datos, "
            "violación de datos, emergencia, abogado, acciones legales, demanda judicial, todos los usuarios"
        ),
        4: (
            "urgente*, urgencia, inmediat*, lo antes posible, cuanto antes, crític*, caído, caída, hackead*, "
            "fraud*, fecha límite, grave*, de inmediato, máxima prioridad"
        ),
        2: "important*, rápid*, bloquead*, interrupci*, no funciona*, significativ*, retras*, pront*",
        1: "problema*, error*, impact*, afect*",
        -2: (
            "pregunta*, sugerencia*, consulta*, información, me gustaría saber, no es urgente, sin prisa, "
            "sería bueno, mejorar, interesad*, detalles, menor, cuando puedan"
        ),
        -1: "gracias, podrían, cómo",
    },
    "pt": {
        12: (
            "sistema fora do ar, tudo fora do ar, produção parada, perda de dados, vazamento de dados, "
            "violação de dados, emergência, advogado, processo judicial, ação judicial, todos os usuários, "
            "parada total"
        ),
        4: (
            "urgente*, urgência, imediat*, o mais rápido possível, quanto antes, crític*, fora do ar, "
            "hackead*, fraud*, prazo, grave*, o mais breve possível"
        ),
        2: "important*, rápid*, rapidamente, bloquead*, interrupç*, não funciona*, significativ*, atras*",
        1: "problema*, erro*, impact*, afet*",
        -2: (
            "pergunta*, dúvida*, sugest*, informaç*, gostaria de saber, não é urgente, sem pressa, seria bom, "
            "melhorar, interessad*, detalhes, quando puderem"
        ),
        -1: "obrigad*, poderiam, como",
    },
    "it": {
        12: (
            "tutto fermo, sistema fermo, produzione ferma, blocco totale, perdita di dati, fuga di dati, "
            "violazione dei dati, emergenza, avvocato, azioni legali, vie legali, tutti gli utenti"
        ),
        4: (
            "urgent*, urgenza, immediat*, al più presto, il prima possibile, quanto prima, critic*, hackerat*, "
            "frod*, scadenza, grave, gravi"
        ),
        2: "important*, rapid*, bloccat*, interruzion*, non funziona*, significativ*, ritard*",
        1: "problem*, errore, errori",
        -2: (
            "domand*, suggeriment*, informazion*, vorrei sapere, non urgente, non è urgente, senza fretta, "
            "sarebbe bello, migliorare, interessat*, dettagli, quando potete"
        ),
        -1: "grazie, potreste, come",
    },
    "nl": {
        12: (
            "alles ligt plat, ligt plat, productie ligt stil, totale uitval, dataverlies, gegevensverlies, "
            "datalek*, noodgeval, advocaat, juridische stappen, alle gebruikers"
        ),
        4: (
            "dringend*, spoed*, onmiddellijk*, direct, zo snel mogelijk, meteen, kritiek*, kritisch*, storing, "
            "gehackt, fraude, deadline, ernstig*"
        ),
        2: "belangrijk*, snel, geblokkeerd, onderbreking*, werkt niet, werken niet, vertrag*",
        1: "probleem, problemen, fout*",
        -2: (
            "vraag, vragen, suggestie*, informatie, zou graag willen weten, niet dringend, geen haast, "
            "zou fijn zijn, zou leuk zijn, verbeter*, geïnteresseerd, wanneer het uitkomt, klein"
        ),
        -1: "bedankt, zouden jullie, hoe",
    },
    "ja": {
        12: (
            "全面停止, 全停止, 全ユーザー, データ消失, データが消え, 情報漏洩, 情報漏えい, 緊急事態, 弁護士, "
            "法的措置, 訴訟, 業務停止, 本番停止"
        ),
        4: (
            "至急, 緊急, 大至急, 今すぐ, すぐに, 早急, 直ちに, 障害, 乗っ取, 不正アクセス, 不正利用, 期限, "
            "締め切り, 重大, 急いで"
        ),
        2: "お早めに, 早めに, 困って, 使えない, 使えません, 停止, 重要",
        1: "問題, エラー",
        -2: (
            "質問, 要望, 提案, 急ぎではありません, 急ぎません, いつでも, お時間のあるとき, "
            "ありがとうございました, 知りたい"
        ),
        -1: "教えてください, ありがとう",
    },
}

# What takes the alarm out of an urgent word: "no data loss", "ohne Datenverlust".
NONE_OF = (
    "no, not, never, without, isn't, free of, prevent, preventing, avoid, kein, keine, keinen, keiner, nicht, "
    "ohne, vermeiden, pas, pas de, sans, aucun, aucune, éviter, no, sin, ningún, ninguna, evitar, não, sem, "
    "nenhum, nenhuma, non, senza, nessun, nessuna, evitare, geen, niet, zonder, voorkomen"
)
