"""Words that speak for the category ``technical``."""

from __future__ import annotations

from .entries import ByLanguage

TECHNICAL: ByLanguage = {
    "en": {
        3: (
            "error*, bug, bugs, buggy, crash, crashes, crashed, crashing, outage*, not working, doesn't work, "
            "does not work, don't work, do not work, isn't working, stopped working, won't work, "
            "not functioning, malfunction*, broken, fails to, failed to, failing to, failure*, freezes, "
            "frozen, freezing, hangs, not responding, unresponsive, not loading, won't load, doesn't load, "
            "won't open, won't start, blue screen, timeout*, time out, timed out, exception, stack trace, "
            "traceback, segfault, segmentation fault, regression, http 500, error 500, 404 error, glitch*, "
            "connectivity, disconnect*, downtime, latency, incompatib*, compatibility issue*, "
            "technical issue*, technical problem*, technical difficult*, technical support, troubleshoot*, "
            "driver*, firmware, configuration issue*, synchroniz*, reboot*, memory leak, incorrect behavior, "
            "wrong result, deadlock, race condition, server down, site is down, is down, defect*, overheating, "
            "cannot connect, can't connect, unable to connect, swallowed, stuck in"
        ),
        2: (
            "fail, fails, failed, failing, server*, network*, vpn, wifi, wi-fi, internet, api, integration*, "
            "install*, uninstall*, update failed, slow, slowly, slowness, lag, lagging, performance, printer*, "
            "laptop*, monitor, keyboard, mouse, docking, hardware, software, database*, router*, device*, "
            "screen, sync, syncing, deploy*, pipeline, unexpected*, incorrect*, wrongly, interrupt*, unstable, "
            "instability, disk, storage, ssd, ram, backup*, data loss, corrupt*, damaged, cracked, bent, "
            "compilation, warning*, fixed, rollback, restart*, unavailable, disruption*, virtual machine, "
            "configur*, render*, chip ~ card, contactless, battery, headset, adapter, cable, scanner, "
            "projector, skype, outlook, steps to reproduce, expected behavior, expected behaviour, "
            "actual behavior, current behavior, undefined, null"
        ),
        1: (
            "app, application, website, site, page, system*, platform, feature*, upgrade*, working, work, "
            "load, loading, connection, connect, test, tests, file, files, email, module, patch, setup, "
            "machine, technical, function, button, tool, tools, data, issue*, problem*, code, version, "
            "windows, macos, linux, ubuntu, android, ios, extension*, plugin*, browser*, reproduce, log, logs, "
            "debug*, compile*, fix, fixes"
        ),
        0: (
            "have you reproduced the bug, reproduced the bug with, request a feature or report a bug, "
            "feature or report a bug, issue tracker, is only for technical issues, "
            "support and feature requests, is a bug please provide, bug report or, not a bug, bug or feature"
        ),
    },
    "de": {
        3: (
            "*fehler, *fehlers, *fehlern, *fehlermeldung*, fehlerhaft*, *absturz*, *abstürze*, abstürzt, "
            "abgestürzt, *ausfall, *ausfälle, *ausfällen, ausgefallen, funktioniert nicht, "
            "funktionieren nicht, funktioniert ~ nicht, geht nicht, *störung*, *unterbrechung*, unterbricht, "
            "verbindungsproblem*, kaputt, defekt*, hängt sich, friert ein, lädt nicht, startet nicht, "
            "lässt sich nicht, *abbruch*, *abbrüche*, fehlgeschlagen*, schlägt fehl, schlagen fehl, "
            "*konnektivität*, verbindungsabbr*, systemproblem*, technisch*, bug, bugs, *latenz*, "
            "nicht erreichbar, inkompatib*, kompatibilität*"
        ),
        2: (
            "*server*, *netzwerk*, vpn, wlan, api, *schnittstelle*, *installation*, installier*, langsam*, "
            "*leistung, *drucker*, laptop*, *synchronis*, *datenbank*, *gerät, *geräte, *geräten, *software*, "
            "hardware, *bereitstellung*, deployment*, pipeline*, build, builds, sporadisch*, beeinträchtig*, "
            "*verzögerung*, konfiguration*, router*, update*, *aktualisierung*, browser*, *wiederherstell*, "
            "zeitüberschreitung*, instabil*, verbindung*, bildschirm*, neustart*, *ladezeit*, version, "
            "rollback, code, jenkins, docker, kubernetes, git*"
        ),
        1: (
            "app, anwendung*, webseite, website, system*, plattform, funktion*, *daten, lösung, einrichtung, "
            "*problem, *probleme, *problemen, *problems, *integration*"
        ),
    },
    "fr": {
        3: (
            "erreur*, bogue*, bug, bugs, plante*, planté*, plantage*, panne*, ne fonctionne pas, "
            "ne fonctionne plus, ne fonctionnent pas, ne marche pas, ne marche plus, dysfonctionn*, "
            "ne répond pas, bloqué*, ne s'ouvre pas, ne charge pas, interruption*, défectu*, cassé*, "
            "problème technique, problèmes techniques, connectivité, hors service, incompatib*, compatibilité, "
            "technique*, échou*, échec*"
        ),
        2: (
            "serveur*, réseau*, vpn, wifi, internet, api, intégration*, install*, lent*, lenteur*, "
            "imprimante*, ordinateur*, logiciel*, matériel*, synchronis*, base de données, appareil*, "
            "mise à jour, navigateur, configur*, déploiement, dépann*, performance*, connexion internet, "
            "écran, routeur*"
        ),
        1: "application*, site, système*, plateforme*, page, données, solution*, problème*",
    },
    "es": {
        3: (
            "error*, fallo*, falla, fallas, falló, fallan, bug, caída, caído*, caida, no funciona*, no carga, "
            "no abre, no responde, se bloquea, bloqueado, se cierra, avería*, interrupci*, defectu*, roto, "
            "rota, no puedo conectar, desconect*, problema técnico, problemas técnicos, técnic*, incompatib*, "
            "compatibilidad, conectividad, no se puede conectar, dej* de funcionar, mal funcionamiento"
        ),
        2: (
            "servidor*, red, redes, vpn, wifi, internet, api, integraci*, instal*, lento*, lentitud, "
            "impresora*, ordenador*, computador*, portátil, software, hardware, sincroniz*, base de datos, "
            "dispositivo*, actualizaci*, navegador*, configur*, rendimiento, pantalla*, router*, enrutador*"
        ),
        1: ("aplicaci*, sitio, página, sistema*, plataforma*, datos, soluci*, funcion*, problema*, inconveniente*"),
    },
    "pt": {
        3: (
            "erro, erros, falha*, falhou, bug, travou, trava, travando, travamento*, caiu, fora do ar, "
            "não funciona*, não carrega, não abre, não responde, parou de funcionar, queda*, interrupç*, "
            "defeito*, defeituos*, quebrad*, quebrou, problema técnico, problemas técnicos, técnic*, "
            "incompatib*, compatibilidade, conectividade, não consigo conectar, desconect*, mau funcionamento"
        ),
        2: (
            "servidor*, rede, redes, vpn, wifi, wi-fi, internet, api, integraç*, instal*, lent*, impressora*, "
            "computador*, notebook, software, hardware, sincroniz*, banco de dados, dispositivo*, atualizaç*, "
            "navegador*, configur*, desempenho, tela, ecrã, roteador*, router*"
        ),
        1: "aplicativo*, aplicaç*, site, página, sistema*, plataforma*, dados, soluç*, funcion*, problema*",
    },
    "it": {
        3: (
            "errore, errori, bug, crash*, blocca*, bloccato, guast*, malfunzion*, non funziona*, non va, "
            "non carica, non si apre, non risponde, interruzion*, difett*, rotto, rotta, problema tecnico, "
            "problemi tecnici, tecnic*, incompatib*, compatibilità, connettività, disconness*, "
            "ha smesso di funzionare, disservizi*"
        ),
        2: (
            "server, rete, vpn, wifi, internet, api, integrazion*, install*, lent*, stampant*, computer, "
            "portatile, software, hardware, sincronizz*, database, dispositiv*, aggiornament*, browser, "
            "configur*, prestazion*, schermo, router"
        ),
        1: "applicazion*, app, sito, pagina, sistem*, piattaform*, dati, soluzion*, problem*",
    },
    "nl": {
        3: (
            "fout, fouten, *foutmelding*, bug, bugs, crash*, storing*, werkt niet, werken niet, werkt ~ niet, "
            "doet het niet, vastgelopen, loopt vast, laadt niet, opent niet, reageert niet, kapot, defect*, "
            "uitgevallen, onderbreking*, technisch*, incompatib*, valt weg, verbindingsprobleem*, ligt eruit, "
            "mislukt*"
        ),
        2: (
            "server*, netwerk*, vpn, wifi, internet, api, integratie*, installe*, installatie*, traag, "
            "traagheid, langzaam, printer*, laptop*, software, hardware, synchronis*, database*, apparaat, "
            "apparaten, update*, browser*, configur*, prestatie*, scherm, router*, verbinding*"
        ),
        1: ("app, applicatie*, website, pagina, systeem, systemen, platform, oplossing*, *probleem, *problemen"),
    },
    "ja": {
        3: (
            "エラー, 不具合, バグ, 動かない, 動きません, 動作しない, 動作しません, 落ちる, クラッシュ, 障害, "
            "故障, 壊れ, フリーズ, 固まる, 固まり, 繋がらない, つながらない, 接続できない, 接続できません, "
            "起動しない, 起動しません, 開けない, 開けません, 表示されない, 表示されません, 応答しない, "
            "読み込めない, 停止し, ダウンし"
        ),
        2: (
            "遅い, 重い, サーバ, ネットワーク, インストール, 同期, 接続, プリンタ, パソコン, アップデート, "
            "ブラウザ, 通信, 技術的, 設定, 連携, 画面, 端末"
        ),
        1: "アプリ, システム, サイト, 問題",
    },
}
