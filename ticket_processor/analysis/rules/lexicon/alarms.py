"""What a security incident or an outage is told with, and what says that there is none. Data only.

``SECURITY`` and ``OUTAGE`` are phrases that speak for themselves: "outage", not "down". ``DEFUSED`` in the same
sentence takes the alarm out: it is over, planned, a question about what is offered, or a thing with such a name.
"""

from __future__ import annotations

SECURITY: dict[str, str] = {
    "en": (
        "hacked, got hacked, hackers, hacker, been compromised, was compromised, were compromised, "
        "is compromised, compromised account*, compromised credential*, compromised password*, "
        "account takeover, took over my account, unauthorized access, unauthorised access, "
        "unauthorized login*, unauthorised login*, unauthorized transaction*, unauthorised transaction*, "
        "unauthorized charge*, unauthorised charge*, unauthorized payment*, unauthorised payment*, "
        "unauthorized purchase*, unauthorised purchase*, unauthorized withdrawal*, did not authorize, "
        "didn't authorize, did not authorise, didn't authorise, never authorized, never authorised, "
        "identity theft, identity ~ stolen, stole my identity, phishing mail*, phishing email*, "
        "phishing e-mail*, phishing link*, phishing attack*, phishing attempt*, phished, fell for ~ phishing, "
        "ransomware, ransom note, demand* ~ ransom, malware, trojan, spyware, keylogger, data breach, "
        "security breach, breach of, were breached, been breached, data leak*, leaked, leaking customer, "
        "fraudulent, been defrauded, scammed, got scammed, sim swap*, vulnerability in, "
        "security vulnerability, critical vulnerability, sql injection, xss, cross-site scripting, "
        "remote code execution, zero day, zero-day, ddos, cyber attack, cyberattack, suspicious login*, "
        "suspicious sign-in*, suspicious activity, suspicious transaction*, suspicious access*, intrusion, "
        "intruder*, someone ~ logged into, someone ~ logged in to, someone else ~ logged, "
        "someone ~ accessed my, someone ~ access to my, someone is using my, someone used my, "
        "someone has used my, somebody used my, somebody hacked, someone else ~ my account, "
        "payment* ~ ~ did not make, payment* ~ ~ didn't make, payment* ~ ~ never made, "
        "charge* ~ ~ did not make, charge* ~ ~ didn't make, transaction* ~ ~ did not make, "
        "transaction* ~ ~ didn't make, purchase* ~ ~ did not make, purchase* ~ ~ didn't make, "
        "don't recognize ~ charge*, don't recognise ~ charge*, don't recognize ~ transaction*, "
        "don't recognise ~ transaction*, don't recognize ~ payment*, don't recognise ~ payment*, "
        "do not recognize ~ charge*, do not recognise ~ charge*, do not recognize ~ transaction*, "
        "do not recognise ~ transaction*, do not recognize ~ payment*, do not recognise ~ payment*, "
        "stolen phone, stolen card, stolen laptop, stolen credential*, stolen password*, phone ~ stolen, "
        "card ~ stolen, laptop ~ stolen, wallet ~ stolen, bag ~ stolen, been stolen, was stolen, were stolen, "
        "stole my, robbed, mugged, typed in my password ~ link, gave ~ my password, entered my password, "
        "files ~ encrypted, invoices of other customers, data of other customers, other customers' data, "
        "other customers' invoices, other customer's data, other people's data, see another customer's, "
        "another customer's data, other users' data, another user's data, other user's data, key ~ exposed, "
        "key ~ public repository, password* ~ exposed, credentials ~ exposed, secret* ~ exposed, "
        "publicly accessible, exposed to the internet, skimming, skimmed, cloned card, card ~ cloned, "
        "blackmail*, extort*, confidential ~ exposed, someone impersonat*, impersonating, lost my card, "
        "lost my phone, lost my laptop, lost ~ device, changed ~ password without, someone is in my account, "
        "someone ~ in my account, somebody ~ in my account, it was not me, it wasn't me, that was not me, "
        "that wasn't me, my password has been changed, my password was changed, password has been changed, "
        "login from ~ country, sign-in from ~ country"
    ),
    "de": (
        "gehackt*, gehackte, hacker, hackerangriff*, kompromittiert*, unbefugte* zugriff*, unbefugten zugriff, "
        "unberechtigte* zugriff*, nicht autorisierte*, unautorisierte*, nicht genehmigte abbuchung*, "
        "identitätsdiebstahl, phishing-mail*, phishingmail*, phishing-angriff*, phishing-link*, ransomware*, "
        "erpress*, lösegeld*, schadsoftware, malware, trojaner, *datenleck*, *datenpanne*, datenabfluss, "
        "sicherheitslücke*, sicherheitsvorfall*, sicherheitsvorfälle, sicherheitsverletzung*, "
        "datenschutzverletzung*, betrügerisch*, betrogen, cyberangriff*, ddos*, verdächtige* anmelde*, "
        "verdächtige* anmeldung*, verdächtige* login*, verdächtige* aktivität*, verdächtige* zugriff*, "
        "verdächtige* transaktion*, verdächtige* abbuchung*, eindringling*, jemand ~ eingeloggt, "
        "jemand ~ angemeldet, jemand ~ mit meinen, jemand ~ mein konto, jemand hat mein*, fremde haben, "
        "fremder zugriff, zahlung* ~ ~ nicht getätigt, zahlung* ~ ~ nicht gemacht, "
        "abbuchung* ~ ~ nicht getätigt, abbuchung* ~ ~ nicht veranlasst, abbuchung* ~ ~ kenne ich nicht, "
        "buchung* ~ ~ nicht von mir, bestellung* ~ ~ nicht getätigt, gestohlen, gestohlene, geklaut, "
        "wurde ~ gestohlen, bestohlen, passwort eingegeben, gefälschte* mail*, gefälschte* rechnung*, "
        "gefälschte* website*, dateien verschlüsselt, rechnungen fremder, daten fremder, "
        "rechnungen anderer kunden, daten anderer kunden, fremde rechnungen, fremde kundendaten, fremde daten, "
        "offen im netz, öffentlich zugänglich, karte verloren, handy verloren, laptop verloren, "
        "diensthandy verloren, missbraucht, kreditkartenmissbrauch, ausgespäht, virus eingefangen, "
        "virenbefall, virus gefunden, im darknet, das war ich nicht, ich war das nicht, ich war es nicht, "
        "jemand ~ in meinem konto, passwort wurde geändert, anmeldung aus ~ ausland, anmeldung aus ~ land"
    ),
    "fr": (
        "piraté*, pirates, compte piraté, hacké*, compromis*, accès non autorisé*, connexion* non autorisé*, "
        "paiement* non autorisé*, usurpation*, hameçonnage, mail frauduleux, phishing, rançongiciel, "
        "ransomware, rançon, logiciel malveillant, malware, fuite de données, fuite des données, "
        "violation de données, violation de sécurité, faille de sécurité, incident de sécurité, "
        "vulnérabilité critique, frauduleux, frauduleuse*, escroqu*, arnaqué*, cyberattaque*, attaque ddos, "
        "connexion* suspecte*, activité* suspecte*, accès suspect*, transaction* suspecte*, intrusion*, "
        "quelqu'un ~ connecté, quelqu'un ~ utilise, quelqu'un ~ utilisé, quelqu'un ~ accès, "
        "paiement* ~ ~ pas effectué*, paiement* ~ ~ pas fait*, débit* ~ ~ pas effectué*, achat* ~ ~ pas fait*, "
        "achat* ~ ~ pas effectué*, volé*, m'a volé, s'est fait voler, me suis fait voler, fichiers ~ chiffrés, "
        "factures d'autres, factures d'un autre, données d'autres, données d'un autre client, "
        "saisi mon mot de passe, donné mon mot de passe, carte perdue, perdu ma carte, perdu mon téléphone, "
        "chantage, ne reconnais pas ~ paiement*, ne reconnais pas ~ débit*, ne reconnais pas ~ transaction*, "
        "accessibles publiquement, exposées sur internet, ce n'était pas moi, ce n'est pas moi qui, "
        "mot de passe a été changé, connexion depuis un pays"
    ),
    "es": (
        "hackead*, hackeado, jaquead*, hackers, comprometid*, acceso* no autorizado*, cargo* no autorizado*, "
        "pago* no autorizado*, transacci* no autorizad*, robo de identidad, suplantación, phishing, "
        "ransomware, rescate, malware, filtración de datos, fuga de datos, filtrad*, brecha de seguridad, "
        "incidente de seguridad, vulnerabilidad crítica, vulnerabilidad grave, fraudulent*, estafad*, "
        "me estafaron, ciberataque*, ataque ddos, acceso* sospechoso*, actividad sospechosa, "
        "inicio* de sesión sospechoso*, movimiento* sospechoso*, intrus*, alguien entró, alguien ~ ha entrado, "
        "alguien ~ usando mi, alguien ~ usado mi, alguien accedió, alguien ~ acceso a, cargo* ~ ~ no he hecho, "
        "cargo* ~ ~ no hice, pago* ~ ~ no he hecho, pago* ~ ~ no hice, cargo* ~ ~ no reconozco, "
        "no reconozco ~ cargo*, no reconozco ~ pago*, compra* ~ ~ no hice, me robaron, robado, robada, "
        "robaron, archivos ~ cifrados, facturas de otros, facturas de otro, datos de otros, "
        "datos de otro cliente, escribí mi contraseña, introduje mi contraseña, di mi contraseña, "
        "perdí mi tarjeta, perdí mi móvil, perdí el móvil, clonad*, chantaj*, extorsi*, expuest* en internet, "
        "no fui yo, no he sido yo, han cambiado la contraseña, acceso desde otro país, acceso desde un país"
    ),
    "it": (
        "hackerat*, hacker, compromess*, accesso non autorizzato, accessi non autorizzati, "
        "pagament* non autorizzat*, addebit* non autorizzat*, furto d'identità, furto di identità, phishing, "
        "ransomware, riscatto, malware, fuga di dati, violazione dei dati, violazione di sicurezza, "
        "incidente di sicurezza, falla di sicurezza, vulnerabilità critica, fraudolent*, truffat*, "
        "attacco informatico, attacco hacker, attacco ddos, access* sospett*, attività sospett*, "
        "transazion* sospett*, login sospett*, intrusion*, qualcuno ~ entrato, qualcuno ~ usando, "
        "qualcuno ~ usato, qualcuno ~ accesso, pagament* ~ ~ non ho fatto, pagament* ~ ~ mai fatto, "
        "addebit* ~ ~ non riconosco, non riconosco ~ addebit*, non riconosco ~ pagament*, "
        "acquist* ~ ~ non ho fatto, rubato, rubata, rubati, rubate, file ~ cifrati, file ~ criptati, "
        "fatture di altri, fatture di un altro, dati di altri, dati di un altro, inserito la password, "
        "inserito la mia password, perso la carta, perso il telefono, smarrito la carta, clonat*, ricatt*, "
        "estorsion*, esposti su internet, non sono stato io, non sono stata io, hanno cambiato la password, "
        "accesso da un paese, accesso da un altro paese, accesso dall'estero"
    ),
    "nl": (
        "gehackt, gehackte, hackers, gecompromitteerd*, ongeautoriseerde*, onbevoegde toegang, "
        "identiteitsfraude, identiteitsdiefstal, phishinglink*, phishingmail*, phishing-mail*, "
        "phishingaanval*, ransomware, losgeld, malware, datalek*, beveiligingslek*, beveiligingsincident*, "
        "frauduleu*, opgelicht, cyberaanval*, ddos*, verdachte inlog*, verdachte aanmeld*, "
        "verdachte activiteit*, verdachte transactie*, verdachte toegang, indringer*, iemand ~ ingelogd, "
        "iemand ~ gebruikt, iemand ~ toegang, betaling* ~ ~ niet heb gedaan, betaling* ~ ~ niet gedaan, "
        "betaling* ~ ~ niet herken, afschrijving* ~ ~ niet herken, herken ~ betaling* niet, gestolen, "
        "bestanden ~ versleuteld, facturen van andere, facturen van een ander*, gegevens van andere, "
        "gegevens van een ander*, wachtwoord ingevuld, wachtwoord gegeven, pas kwijt, telefoon kwijt, "
        "kaart verloren, afpers*, chantage, openbaar toegankelijk, op straat, dat was ik niet, "
        "ik was het niet, wachtwoord is gewijzigd door, inlog uit ~ buitenland"
    ),
    "pt": (
        "hackead*, hackers, comprometid*, acesso* não autorizado*, cobrança* não autorizada*, "
        "pagamento* não autorizado*, transaç* não autorizada*, roubo de identidade, phishing, ransomware, "
        "resgate, malware, vazamento, vazad*, vazaram, fuga de dados, violação de dados, "
        "violação de segurança, incidente de segurança, falha de segurança, vulnerabilidade crítica, "
        "fraudulent*, golpe, ciberataque*, ataque ddos, ataque hacker, acesso* suspeito*, atividade suspeita, "
        "login* suspeito*, transaç* suspeita*, invadi*, invasão, intrus*, alguém entrou, alguém ~ usando, "
        "alguém usou, alguém acessou, alguém ~ acesso, pagamento* ~ ~ não fiz, compra* ~ ~ não fiz, "
        "cobrança* ~ ~ não reconheço, não reconheço ~ cobrança*, não reconheço ~ compra*, "
        "não reconheço ~ pagamento*, roubaram, roubado, roubada, furtaram, furtado, arquivos ~ criptografados, "
        "ficheiros ~ encriptados, faturas de outros, faturas de outro, dados de outros, "
        "dados de outro cliente, digitei a minha senha, digitei minha senha, introduzi a minha senha, "
        "perdi meu cartão, perdi o cartão, perdi o telemóvel, perdi meu celular, clonad*, chantag*, extors*, "
        "expost* na internet, não fui eu, trocaram a senha, trocaram a minha senha, acesso de outro país, "
        "acesso de um país"
    ),
    "ja": (
        "不正アクセス, 不正利用, 不正使用, 不正ログイン, 不正送金, 乗っ取, ハッキング, ハッカー, "
        "身に覚えのない, 見覚えのない, フィッシング, ランサムウェア, 身代金, マルウェア, ウイルスに感染, "
        "ウイルス感染, 漏洩, 漏えい, 情報流出, データ流出, 流出し, 脆弱性が, 盗まれ, 盗難に, サイバー攻撃, "
        "不審なアクセス, 不審なログイン, なりすまし, 詐欺に, 騙され, 他のお客様の, 他人の情報, 他の顧客の, "
        "紛失し, スキミング, 脅迫, 私ではありません, 覚えがありません"
    ),
}

OUTAGE: dict[str, str] = {
    "en": (
        "outage, outages, total outage, is down, are down, went down, gone down, been down, keeps going down, "
        "completely down, server down, servers down, site down, website down, system down, network down, "
        "production down, down for everyone, down for all, totally down, nobody ~ log in, nobody ~ connect, "
        "nobody ~ work, nobody ~ access, nobody can, no one can, no one ~ able to, none of us can, "
        "none of our users, none of our customers, none of our ~ users, none of my colleagues, "
        "everyone ~ blank page, everyone ~ error, everyone is affected, all users ~ affected, all users are, "
        "all customers are, all customers ~ affected, all our users, all our customers ~ cannot, "
        "stopped working for all, stopped working for everyone, not working for anyone, "
        "doesn't work for anyone, whole company ~ cannot, whole office ~ cannot, whole team ~ cannot, "
        "entire company, entire site, entire system, unreachable, not reachable, completely unavailable, "
        "service unavailable, is unavailable, are unavailable, system failure, complete failure, "
        "total failure, production ~ stopped, production ~ standstill, production line ~ stopped, standstill, "
        "lose orders, losing orders, losing sales, losing customers, losing money, data loss, lost all ~ data, "
        "lost all our, lost all my data, records are gone, data is gone, data are gone, files are gone, "
        "database ~ gone, data ~ disappeared, records ~ disappeared, data ~ wiped, database ~ corrupted, "
        "no calls in or out, is offline, are offline, went offline, system crash, server crash*, "
        "servers crashed, database is down, cannot process any, can't process any, unable to process any, "
        "fire alarm, gas leak, smoke ~ coming, caught fire, on fire, electric shock, no service, "
        "no signal at all, all the phones, all our phones, phones are dead, lines are dead, cannot reach us, "
        "can't reach us"
    ),
    "de": (
        "*totalausfall*, *systemausfall*, *serverausfall*, *netzausfall*, *komplettausfall*, *großausfall*, "
        "*ausfall, *ausfälle, ausgefallen, komplett ausgefallen, *störung, *störungen, nicht erreichbar, "
        "nicht mehr erreichbar, unerreichbar, nicht verfügbar, steht still, stehen still, stillstand, "
        "liegt lahm, lahmgelegt, niemand ~ anmelden, niemand mehr anmelden, niemand ~ einloggen, "
        "niemand ~ arbeiten, niemand kann, kann sich niemand, keiner ~ anmelden, keiner unserer, keiner kann, "
        "alle nutzer, alle benutzer, alle kunden ~ betroffen, alle mitarbeiter ~ nicht, alle ~ plätze stehen, "
        "server down, system down, ist down, sind down, offline, verlieren ~ umsatz, umsatzverlust, "
        "datenverlust, daten weg, daten ~ weg, kundendaten weg, daten sind verschwunden, daten verschwunden, "
        "daten gelöscht, datenbank ~ beschädigt, nichts geht mehr, geht nichts mehr, komplett tot, "
        "produktion steht, brand, rauch ~ gerät, stromschlag, gasgeruch, kein netz, alle telefone, "
        "alle leitungen"
    ),
    "fr": (
        "panne, pannes, panne générale, panne totale, en panne, hors service, hors ligne, inaccessible*, "
        "indisponible*, injoignable*, interruption de service, interruption totale, plus personne ne, "
        "personne ne peut, personne n'arrive, aucun de nos, aucun utilisateur, aucun client ne, "
        "tous nos utilisateurs, tous les utilisateurs, tous nos clients, à l'arrêt, arrêt de production, "
        "arrêt total, ne répond plus, ne répondent plus, perte de données, perdu toutes ~ données, "
        "données ont disparu, données ~ disparu, données ~ perdues, données ~ effacées, "
        "clients ne peuvent plus, plus rien ne fonctionne, rien ne fonctionne, est tombé, incendie, fumée"
    ),
    "es": (
        "caída, caídas, caído, caídos, está caíd*, caída total, fuera de servicio, fuera de línea, "
        "no está disponible, no disponible, inaccesible*, interrupción del servicio, corte de servicio, "
        "nadie ~ puede, nadie ~ consigue, nadie ~ iniciar sesión, ninguno de nuestros, ningún usuario, "
        "ningún cliente, todos los usuarios, todos nuestros clientes, está parad*, producción parada, "
        "parada total, no responde, no responden, pérdida de datos, perdido todos los datos, "
        "perdieron todos los datos, perdido todos nuestros, datos ~ desaparecido, datos ~ borrado*, "
        "nada funciona, no funciona nada, apagón, incendio, humo"
    ),
    "it": (
        "disservizio, disservizi, interruzione del servizio, blocco totale, fuori servizio, fuori uso, "
        "fuori linea, irraggiungibil*, non raggiungibil*, non disponibil*, inaccessibil*, è giù, sono giù, "
        "è down, sono down, guasto, nessuno ~ riesce, nessuno ~ può, nessuno ~ accedere, nessuno dei nostri, "
        "nessun utente, nessun cliente, tutti gli utenti, tutti i clienti, è ferma, è fermo, sono fermi, "
        "tutto fermo, non risponde, non rispondono, perdita di dati, persi tutti i dati, perso tutti i dati, "
        "spariti ~ dati, dati ~ spariti, dati ~ scomparsi, dati ~ cancellati, clienti non possono, "
        "non funziona più niente, niente funziona, incendio, fumo"
    ),
    "nl": (
        "storing, storingen, totale storing, ligt plat, liggen plat, ligt eruit, ligt stil, ligt down, "
        "is down, zijn down, onbereikbaar, niet bereikbaar, niet beschikbaar, uitgevallen, uitval, offline, "
        "niemand kan, niemand ~ inloggen, niemand ~ werken, geen van onze, geen van de, al onze gebruikers, "
        "alle gebruikers, al onze klanten, reageert niet, gegevensverlies, dataverlies, gegevens ~ verdwenen, "
        "gegevens ~ kwijt, data ~ verdwenen, gegevens ~ gewist, klanten kunnen niet, niets werkt, "
        "werkt niets meer, staat stil, brand, rook, stroomstoring"
    ),
    "pt": (
        "fora do ar, fora de serviço, fora de linha, queda, quedas, queda total, caiu, caíram, indisponível, "
        "indisponíveis, inacessível, inacessíveis, interrupção do serviço, interrupção total, "
        "ninguém ~ consegue, ninguém ~ pode, nenhum dos nossos, nenhum de nossos, nenhum usuário, "
        "nenhum utilizador, nenhum cliente, todos os usuários, todos os utilizadores, "
        "todos os nossos clientes, todos os clientes, está parad*, produção parada, parada total, "
        "não responde, não respondem, perda de dados, perdemos todos os dados, perdeu todos os dados, "
        "dados ~ sumiram, dados ~ desapareceram, dados ~ apagados, clientes não conseguem, clientes não podem, "
        "nada funciona, parou de funcionar para todos, apagão, incêndio, fumaça"
    ),
    "ja": (
        "障害, ダウンし, ダウンして, システムダウン, サーバーダウン, 停止し, 止まっ, 止まり, 全停止, 全面停止, "
        "落ちて, 誰もログイン, 誰も使え, 誰も接続, 全員が, 全ユーザー, すべてのユーザー, 繋がりません, "
        "つながりません, 応答せず, 応答しません, 応答がありません, 接続できません, 利用できません, "
        "データが消え, データがすべて消え, データ消失, データがなくな, 全店舗, 業務が止ま, 使用できません, "
        "停電, 火災, 煙が, 発煙"
    ),
}

DEFUSED: dict[str, str] = {
    "en": (
        "was fixed, were fixed, been fixed, is fixed, was resolved, were resolved, been resolved, is resolved, "
        "is over, was solved, last year, last month, years ago, months ago, in the past, past outage*, "
        "previous outage*, back up, up again, back online, works again, working again, works fine, "
        "all good now, training, trainings, awareness, webinar*, seminar*, workshop*, course, hackathon*, "
        "questionnaire, whitepaper, policy, policies, protection, prevention, prevent, preventing, "
        "protect against, protected against, avoid, insurance, insured, planned maintenance, "
        "scheduled maintenance, maintenance window, planned outage, scheduled outage, status page, "
        "do you offer, do you have ~ insurance, recommend, what happens if, what if, in case of, in case my, "
        "in the event of, how do i report, how do you handle, how do you protect, history of, report on, "
        "article, would like to know, feature request, simulat*, drill, test alert, as an example, "
        "for example, hypothetical*, write down, down payment, false alarm, prices are down, interested in"
    ),
    "de": (
        "behoben, gelöst, erledigt, wieder erreichbar, läuft wieder, laufen wieder, funktioniert wieder, "
        "wieder online, letztes jahr, letzten jahr, letzten jahres, vergangenen jahr, letzten monat, "
        "vergangene, vergangenen, frühere*, *schulung*, schulen, webinar*, seminar*, hackathon*, fragebogen, "
        "richtlinie*, *schutz, schützen, schützt, vermeiden, vorbeugen, verhindern, *versicherung*, "
        "geplante wartung, geplanten wartung, geplante*, wartungsfenster, statusseite, empfehlen, empfehlung*, "
        "bieten sie, falls, im falle, wie melde ich, was passiert, was tun, artikel, broschüre, urlaub*, "
        "fehlalarm, übung, testalarm, zum beispiel, interesse an, wunsch"
    ),
    "fr": (
        "réparé*, résolu*, rétabli*, fonctionne de nouveau, fonctionne à nouveau, de nouveau en ligne, "
        "an dernier, année dernière, mois dernier, passées, formation*, webinaire*, séminaire*, hackathon*, "
        "questionnaire*, protection*, protéger, prévenir, éviter, assurance*, assuré, maintenance prévue, "
        "maintenance planifiée, page d'état, historique, recommandez, conseillez, proposez-vous, avez-vous, "
        "en cas de, que faire si, comment signaler, article, fausse alerte, exercice, par exemple, "
        "prix du vol, vol pour"
    ),
    "es": (
        "resolvió, resuelt*, solucion*, arregl*, restablecid*, funciona de nuevo, ya funciona, "
        "vuelve a funcionar, año pasado, mes pasado, pasad*, formación, capacitación, curso, webinar*, "
        "seminario*, hackathon, cuestionario*, protección, proteger, prevenir, prevención, evitar, "
        "seguro contra, seguro de, mantenimiento previsto, mantenimiento programado, página de estado, "
        "historial, recomiendan, recomienda, ofrecen, tienen un seguro, en caso de, qué hacer si, "
        "cómo denunciar, artículo, falsa alarma, simulacro, por ejemplo"
    ),
    "it": (
        "risolt*, riparat*, ripristinat*, funziona di nuovo, di nuovo online, anno scorso, mese scorso, "
        "passat*, corso, formazione, webinar*, seminario, hackathon, questionario, protezione, proteggere, "
        "prevenire, prevenzione, evitare, assicurazione*, manutenzione prevista, manutenzione programmata, "
        "pagina di stato, storico, consigliate, consiglia, offrite, avete un'assicurazione, in caso di, "
        "cosa fare se, come segnalare, articolo, falso allarme, esercitazione, per esempio, ad esempio"
    ),
    "nl": (
        "opgelost, verholpen, hersteld, werkt weer, weer online, weer bereikbaar, vorig jaar, vorige maand, "
        "eerdere, training*, cursus*, webinar*, hackathon*, vragenlijst*, bescherming, beschermen, voorkomen, "
        "verzekering*, gepland*, statuspagina, raden jullie, raadt u, bieden jullie, hebben jullie een, "
        "in geval van, wat moet ik doen als, hoe meld ik, artikel, vals alarm, oefening, bijvoorbeeld"
    ),
    "pt": (
        "resolvid*, corrigid*, restabelecid*, voltou a funcionar, funciona novamente, de volta ao ar, "
        "ano passado, mês passado, passad*, treinamento*, formação, curso, webinar*, seminário, hackathon, "
        "questionário*, proteção, proteger, prevenir, prevenção, evitar, seguro contra, seguro de, "
        "manutenção prevista, manutenção programada, página de status, histórico, recomendam, recomenda, "
        "oferecem, têm seguro, em caso de, o que fazer se, como denunciar, artigo, alarme falso, simulação, "
        "por exemplo, preços, preço, vendas"
    ),
    "ja": (
        "復旧しました, 復旧済み, 解決しました, 解消しました, 直りました, 昨年の, 去年の, 先月の, 過去の, 研修, "
        "セミナー, 講習, ハッカソン, 質問票, 対策, 防止, 保険, 補償, 計画メンテナンス, 計画停止, "
        "ステータスページ, 履歴, おすすめ, 場合はどう, 一時停止する方法, 訓練, 誤報, 障害はありません, "
        "障害ではありません, 漏洩はありません, 問題はありません"
    ),
}
