"""Words by which a ticket's category, urgency and mood are recognised. Data only; :mod:`rules` reads it.

Syntax of an entry, entries being separated by commas:

- ``refund``: the whole word, in any case; ``refund*``: words beginning so; ``*rechnung``: words ending so;
  ``*rechnung*``: words containing it (for languages that join words)
- ``money back``: words in a row; ``charged ~ twice``: with up to three other words between them
- in Japanese and Chinese entries are looked for anywhere, for lack of spaces

Numbers in front are weights. Category weights say how far an entry decides alone (3), helps (2) or hints (1).
Urgency points add up: twelve make a ticket critical, four high, one below zero low.
"""

from __future__ import annotations

Weighted = dict[int, str]
ByLanguage = dict[str, Weighted]

CATEGORIES: dict[str, ByLanguage] = {
    "billing": {
        "en": {
            3: "invoice*, billing, billed, overcharged, charged, double charge*, charged ~ twice, "
            "charged twice, "
            "extra charge, extra fee*, direct debit*, exchange rate*, subscription*, payment method*, "
            "payment failed, "
            "payment declined, payment ~ declined, card ~ declined, payment ~ pending, payment option*, "
            "late fee*, "
            "overdraft*, top up, top-up*, topup*, topping up, minimum payment, bank transfer*, credit "
            "note, vat, "
            "cancellation fee*, cancellation charge*, termination fee*, withdrawal fee*, withdrawal "
            "charge*, "
            "cash withdrawal, purchase price, price list, auto renew*, pricing, payment plan*, "
            "withdrawal penalt*, "
            "exit penalt*, exit fee*, billing cycle, payment due, amount due, past due, outstanding "
            "balance",
            2: "transaction*, funds, funding, payment*, pay, paid, paying, bill, bills, fee, fees, charge, "
            "charges, charging, price*, "
            "cost, costs, "
            "transfer, transfers, transferred, transferring, balance, debit*, declined, deposit*, "
            "withdrawal*, "
            "withdrawn, pending, credit card, interest, cheque, check deposit, tax, taxes, due date, "
            "overdue, owe, "
            "discount*, coupon*, promo code, money, cash, atm, statement, paypal, stripe, currency, "
            "currencies, "
            "receipt*, penalty, penalties, recurring, renewal, wire, sepa, swift, debt, collection agency",
            1: "card, cards, bank, amount, account balance, finance*, beneficiary, quote, budget, rate",
        },
        "de": {
            3: "*rechnung, *rechnungen, *rechnungs*, abgebucht*, *lastschrift*, überweisung*, *gebühr, "
            "*gebühren, "
            "*abonnement*, *abbuchung*, zahlungs*, *abrechnung*, doppelt berechnet, mahnung*, "
            "zahlungsmethode*, "
            "preisliste*, guthaben, kontoauszug, bezahlvorgang, faktura",
            2: "*zahlung, *zahlungen, bezahl*, zahlen, preis*, kosten, berechnet, betrag, beträge, abo, "
            "kreditkarte*, "
            "*tarif*, rabatt*, gutschein*, mehrwertsteuer, steuer*, buchhaltung*, beitrag, beiträge, "
            "fällig*, "
            "abgezogen, kündigungsgebühr, tariferhöhung*, finanz*",
            1: "konto, geld, bank, euro, transaktion*",
        },
        "fr": {
            3: "factur*, facture*, prélèvement*, prélevé*, abonnement*, moyen de paiement, surfactur*, "
            "virement*, "
            "frais, tarif*, débité*, double paiement, échéance*, mode de paiement",
            2: "paiement*, payer, payé*, prix, coût*, montant*, solde, carte bancaire, carte de crédit, "
            "tva, "
            "réduction*, remise, promo, devis, comptab*, impayé*",
            1: "argent, banque, compte bancaire, transaction*",
        },
        "es": {
            3: "factura, facturas, facturac*, cobro*, cobrado*, cobraron, cargo, cargos, suscripci*, "
            "domiciliaci*, "
            "transferencia*, comisión, comisiones, método de pago, métodos de pago, tarifa*, cobrar",
            2: "pago*, pagar, pagado, pagué, precio*, coste*, costo*, importe*, saldo, tarjeta de "
            "crédito, iva, "
            "descuento*, cupón, presupuesto*, cuota*, recibo*, deuda",
            1: "dinero, banco, tarjeta, transacci*",
        },
        "pt": {
            3: "fatura*, faturamento, faturação, cobrança*, cobrado*, cobraram, assinatura*, débito*, "
            "boleto*, "
            "transferência*, tarifa*, taxa, taxas, nota fiscal, forma de pagamento, método de "
            "pagamento, mensalidade*",
            2: "pagamento*, pagar, pago, paguei, preço*, custo*, valor, valores, saldo, cartão de "
            "crédito, pix, iva, "
            "desconto*, cupom, orçamento, dívida",
            1: "dinheiro, banco, cartão, transaç*",
        },
        "it": {
            3: "fattur*, addebit*, abbonament*, bonific*, commission*, tariff*, metodo di pagamento, "
            "canone, bolletta, "
            "bollette, fatturazione",
            2: "pagament*, pagare, pagato, prezz*, cost*, importo, importi, saldo, carta di credito, "
            "iva, sconto, sconti, "
            "ricevuta, preventivo, rata, rate, scadenza",
            1: "soldi, denaro, banca, transazion*",
        },
        "nl": {
            3: "factu*, rekening, rekeningen, incasso*, afgeschreven, abonnement*, kosten, "
            "betaalmethode*, betaalwijze*, "
            "overschrijving*, dubbel betaald, aanmaning*, *tarief, *tarieven, *vergoeding",
            2: "betaling*, betalen, betaald, betaal, prijs, prijzen, bedrag*, saldo, creditcard, btw, "
            "korting*, "
            "in rekening, ideal, offerte",
            1: "geld, bank, transactie*",
        },
        "ja": {
            3: "請求書, 請求, 二重請求, 課金, 引き落とし, 引落, 支払い方法, 料金, 手数料, サブスクリプション, "
            "振込, 決済",
            2: "支払, お支払い, 価格, 値段, 領収書, 残高, クレジットカード, 割引, 消費税, 更新料, 明細",
        },
    },
    "refund": {
        "en": {
            3: "refund*, money back, reimburse*, chargeback*, charge back, return policy, return label, "
            "rma, "
            "returns, restitution*, cash back, exchange ~ item, exchange it for, returning ~ item, "
            "return ~ item, "
            "return ~ product, return ~ order, send it back, sending it back, compensation*, rebate*, "
            "want my money, "
            "get my money",
            2: "returned ~ item, return this, return it, replacement product, credited back, give ~ "
            "back, reverse ~ charge, "
            "reversal, compensate*",
            1: "exchange, warranty, satisfaction guarantee",
        },
        "de": {
            3: "*rückerstatt*, *erstattung*, erstatte*, geld zurück, *rücksendung*, zurückschicken, "
            "zurücksenden, *retoure*, "
            "widerruf*, umtausch*, rückgabe*, rückzahlung*, rückbuchung*, entschädigung*, rückgeld",
            2: "zurückgeben, zurückerhalten, gutschrift*, gutgeschrieben, reklamation, *rücktausch*",
        },
        "fr": {
            3: "rembours*, retour produit, retourner ~ article, retourner ~ produit, échanger ~ "
            "article, rétractation, "
            "renvoyer ~ article, bon de retour, politique de retour, dédommag*, indemnis*",
            2: "retourner, renvoyer, échange, avoir sur",
        },
        "es": {
            3: "reembols*, devoluci*, devolver, devuelv*, devuelt*, reintegr*, mi dinero de vuelta, indemniz*, canjear",
            2: "cambio de producto, cambiar ~ artículo, cambiar ~ producto, compensaci*",
        },
        "pt": {
            3: "reembols*, devoluç*, devolver, devolv*, estorn*, ressarc*, dinheiro de volta, meu "
            "dinheiro, restituiç*, "
            "trocar ~ produto, indeniz*, indemniz*",
            2: "troca, trocas, compensaç*",
        },
        "it": {
            3: "rimbors*, reso, resi, restituire, restituzion*, restituito, soldi indietro, storno, "
            "risarc*, recesso, "
            "rendere ~ prodotto",
            2: "cambio merce, sostituire ~ articolo, indennizz*",
        },
        "nl": {
            3: "terugbetal*, geld terug, retour*, terugsturen, terugstort*, herroep*, omruil*, ruilen, "
            "restitutie*, "
            "schadevergoeding, terugzenden",
            2: "teruggeven, terugkrijgen, gecrediteerd, creditnota",
        },
        "ja": {3: "返金, 払い戻し, 払戻, 返品, 交換希望, 返送, キャッシュバック, 全額返", 2: "交換, 弁償, 補償"},
    },
    "technical": {
        "en": {
            3: "error*, bug, bugs, buggy, crash, crashes, crashed, crashing, outage*, not working, "
            "doesn't work, does not work, "
            "don't work, do not work, isn't working, stopped working, won't work, not functioning, "
            "malfunction*, broken, "
            "fails to, failed to, failing to, failure*, freezes, frozen, freezing, hangs, not "
            "responding, unresponsive, "
            "not loading, won't load, doesn't load, won't open, won't start, blue screen, timeout*, "
            "time out, "
            "timed out, exception, stack trace, traceback, segfault, segmentation fault, regression, "
            "http 500, error 500, 404 error, glitch*, connectivity, disconnect*, downtime, latency, "
            "incompatib*, "
            "compatibility issue*, technical issue*, technical problem*, technical difficult*, "
            "technical support, "
            "troubleshoot*, driver*, firmware, configuration issue*, synchroniz*, reboot*, memory leak, "
            "undefined, null, "
            "steps to reproduce, expected behavior, expected behaviour, actual behavior, current behavior, "
            "incorrect behavior, wrong result, deadlock, race condition, server down, site is down, is "
            "down, "
            "defect*, overheating, cannot connect, can't connect, unable to connect, swallowed, stuck in",
            2: "fail, fails, failed, failing, issue*, problem*, server*, network*, vpn, wifi, wi-fi, "
            "internet, api, "
            "integration*, install*, uninstall*, update failed, slow, slowly, slowness, lag, lagging, "
            "performance, printer*, "
            "laptop*, monitor, keyboard, mouse, docking, hardware, software, database*, router*, "
            "device*, screen, "
            "sync, syncing, browser*, deploy*, pipeline, plugin*, extension*, windows, macos, linux, "
            "ubuntu, android, ios, "
            "unexpected*, incorrect*, wrongly, interrupt*, unstable, instability, disk, storage, ssd, "
            "ram, backup*, "
            "data loss, corrupt*, damaged, cracked, bent, code, compile*, compilation, log, logs, "
            "warning*, debug*, "
            "version, reproduce, fix, fixed, fixes, rollback, restart*, unavailable, disruption*, "
            "virtual machine, "
            "configur*, render*, chip ~ card, contactless, battery, headset, adapter, cable, scanner, "
            "projector, skype, outlook",
            1: "app, application, website, site, page, system*, platform, feature*, upgrade*, working, "
            "work, load, "
            "loading, connection, connect, test, tests, file, files, email, module, patch, setup, "
            "machine, technical, "
            "function, button, tool, tools, data",
        },
        "de": {
            3: "*fehler, *fehlers, *fehlern, *fehlermeldung*, fehlerhaft*, *absturz*, *abstürze*, "
            "abstürzt, abgestürzt, *ausfall, "
            "*ausfälle, *ausfällen, ausgefallen, funktioniert nicht, funktionieren nicht, funktioniert "
            "~ nicht, geht nicht, "
            "*störung*, *unterbrechung*, unterbricht, verbindungsproblem*, kaputt, defekt*, hängt sich, "
            "friert ein, "
            "lädt nicht, startet nicht, lässt sich nicht, *abbruch*, *abbrüche*, fehlgeschlagen*, "
            "schlägt fehl, "
            "schlagen fehl, *konnektivität*, verbindungsabbr*, systemproblem*, technisch*, bug, bugs, "
            "*latenz*, "
            "nicht erreichbar, inkompatib*, kompatibilität*",
            2: "*problem, *probleme, *problemen, *problems, *server*, *netzwerk*, vpn, wlan, api, "
            "*schnittstelle*, *installation*, "
            "installier*, langsam*, *leistung, *drucker*, laptop*, *synchronis*, *datenbank*, *gerät, "
            "*geräte, *geräten, "
            "*software*, hardware, *bereitstellung*, deployment*, pipeline*, build, builds, "
            "sporadisch*, beeinträchtig*, "
            "*verzögerung*, konfiguration*, *integration*, router*, update*, *aktualisierung*, "
            "browser*, *wiederherstell*, "
            "zeitüberschreitung*, instabil*, verbindung*, bildschirm*, neustart*, *ladezeit*, version, "
            "rollback, code, "
            "jenkins, docker, kubernetes, git*",
            1: "app, anwendung*, webseite, website, system*, plattform, funktion*, *daten, lösung, einrichtung, team",
        },
        "fr": {
            3: "erreur*, bogue*, bug, bugs, plante*, planté*, plantage*, panne*, ne fonctionne pas, ne "
            "fonctionne plus, "
            "ne fonctionnent pas, ne marche pas, ne marche plus, dysfonctionn*, ne répond pas, bloqué*, "
            "ne s'ouvre pas, ne charge pas, interruption*, défectu*, cassé*, problème technique, "
            "problèmes techniques, "
            "connectivité, hors service, incompatib*, compatibilité, technique*, échou*, échec*",
            2: "problème*, serveur*, réseau*, vpn, wifi, internet, api, intégration*, install*, lent*, "
            "lenteur*, imprimante*, "
            "ordinateur*, logiciel*, matériel*, synchronis*, base de données, appareil*, mise à jour, "
            "navigateur, "
            "configur*, déploiement, dépann*, performance*, connexion internet, écran, routeur*",
            1: "application*, site, système*, plateforme*, page, données, solution*",
        },
        "es": {
            3: "error*, fallo*, falla, fallas, falló, fallan, bug, caída, caído*, caida, no funciona*, "
            "no carga, no abre, no responde, "
            "se bloquea, bloqueado, se cierra, avería*, interrupci*, defectu*, roto, rota, no puedo "
            "conectar, "
            "desconect*, problema técnico, problemas técnicos, técnic*, incompatib*, compatibilidad, "
            "conectividad, "
            "no se puede conectar, dej* de funcionar, mal funcionamiento",
            2: "problema*, inconveniente*, servidor*, red, redes, vpn, wifi, internet, api, integraci*, "
            "instal*, lento*, lentitud, "
            "impresora*, ordenador*, computador*, portátil, software, hardware, sincroniz*, base de "
            "datos, dispositivo*, "
            "actualizaci*, navegador*, configur*, rendimiento, pantalla*, router*, enrutador*",
            1: "aplicaci*, sitio, página, sistema*, plataforma*, datos, soluci*, funcion*",
        },
        "pt": {
            3: "erro, erros, falha*, falhou, bug, travou, trava, travando, travamento*, caiu, fora do "
            "ar, não funciona*, "
            "não carrega, não abre, não responde, parou de funcionar, queda*, interrupç*, defeito*, "
            "defeituos*, "
            "quebrad*, quebrou, problema técnico, problemas técnicos, técnic*, incompatib*, "
            "compatibilidade, conectividade, "
            "não consigo conectar, desconect*, mau funcionamento",
            2: "problema*, servidor*, rede, redes, vpn, wifi, wi-fi, internet, api, integraç*, instal*, "
            "lent*, impressora*, "
            "computador*, notebook, software, hardware, sincroniz*, banco de dados, dispositivo*, "
            "atualizaç*, navegador*, "
            "configur*, desempenho, tela, ecrã, roteador*, router*",
            1: "aplicativo*, aplicaç*, site, página, sistema*, plataforma*, dados, soluç*, funcion*",
        },
        "it": {
            3: "errore, errori, bug, crash*, blocca*, bloccato, guast*, malfunzion*, non funziona*, non "
            "va, non carica, non si apre, "
            "non risponde, interruzion*, difett*, rotto, rotta, problema tecnico, problemi tecnici, "
            "tecnic*, "
            "incompatib*, compatibilità, connettività, disconness*, ha smesso di funzionare, disservizi*",
            2: "problem*, server, rete, vpn, wifi, internet, api, integrazion*, install*, lent*, "
            "stampant*, computer, portatile, "
            "software, hardware, sincronizz*, database, dispositiv*, aggiornament*, browser, configur*, "
            "prestazion*, schermo, "
            "router",
            1: "applicazion*, app, sito, pagina, sistem*, piattaform*, dati, soluzion*",
        },
        "nl": {
            3: "fout, fouten, *foutmelding*, bug, bugs, crash*, storing*, werkt niet, werken niet, "
            "werkt ~ niet, doet het niet, "
            "vastgelopen, loopt vast, laadt niet, opent niet, reageert niet, kapot, defect*, "
            "uitgevallen, onderbreking*, "
            "technisch*, incompatib*, valt weg, verbindingsprobleem*, ligt eruit, mislukt*",
            2: "*probleem, *problemen, server*, netwerk*, vpn, wifi, internet, api, integratie*, "
            "installe*, installatie*, traag, "
            "traagheid, langzaam, printer*, laptop*, software, hardware, synchronis*, database*, "
            "apparaat, apparaten, "
            "update*, browser*, configur*, prestatie*, scherm, router*, verbinding*",
            1: "app, applicatie*, website, pagina, systeem, systemen, platform, oplossing*",
        },
        "ja": {
            3: "エラー, 不具合, バグ, 動かない, 動きません, 動作しない, 動作しません, 落ちる, クラッシュ, "
            "障害, 故障, 壊れ, フリーズ, "
            "固まる, 固まり, 繋がらない, つながらない, 接続できない, 接続できません, 起動しない, 起動しません, "
            "開けない, 開けません, "
            "表示されない, 表示されません, 応答しない, 読み込めない, 停止し, ダウンし",
            2: "遅い, 重い, サーバ, ネットワーク, インストール, 同期, 接続, プリンタ, パソコン, アップデート, "
            "ブラウザ, 通信, "
            "技術的, 設定, 連携, 画面, 端末, 問題",
            1: "アプリ, システム, サイト",
        },
    },
    "account": {
        "en": {
            3: "log in, login*, logging in, log-in*, sign in, sign-in*, signing in, sign up, signup*, "
            "password*, passcode*, "
            "pin, username*, user name, locked out, account ~ locked, unlock*, reset my, permission*, "
            "access right*, "
            "admin right*, administrator right*, administrative right*, verify my identity, identity "
            "verification, "
            "identity check, verification code, two-factor, 2fa, mfa, authenticat*, credential*, "
            "personal detail*, "
            "personal information, personal data, profile*, close my account, close ~ account, delete "
            "my account, "
            "delete ~ account, cancel my account, open ~ account, opening an account, create ~ account, "
            "new account, "
            "account ~ closed, account ~ blocked, blocked account, account ~ hold, hold on ~ account, "
            "edit ~ account, change ~ account, switch ~ account, account settings, account access, user "
            "account*, "
            "registration*, sign-on, sso, active directory, activate my card, activate ~ card, "
            "activation, application status, "
            "my application, apply for, verify ~ identity, grant access, access to, granted access, "
            "change my name, "
            "remove ~ account, deactivate*, standard account, premium account, freemium account, user "
            "accounts",
            2: "account, accounts, register*, rights, access, identity, verify, verification, verified, "
            "prove, role, "
            "roles, user, users, folder access, security question*, joiner, leaver, onboard user, "
            "membership*, "
            "change ~ address, activate*, credit limit, eligible, eligibility, mailbox, licence, "
            "license*, closing",
            1: "email address, settings, phone number, subscription settings, sharepoint, group, details",
        },
        "de": {
            3: "einloggen, anmelde*, *passwort*, *kennwort*, *benutzerkonto*, nutzerkonto, kundenkonto, "
            "*benutzername*, "
            "*zugangsdaten*, *zugriffsrecht*, *berechtigung*, konto ~ gesperrt, konto gesperrt, konto "
            "löschen, "
            "konto schließen, registrier*, *authentifizierung*, identitätsprüfung, profil*, persönliche "
            "daten, pin, "
            "login*, anmelden, anmeldung, entsperr*, freischalt*, kontozugriff*, log-in",
            2: "konto, kontos, konten, zugang, zugriff, zugänge, nutzer, benutzer*, rollen, rechte, "
            "gesperrt, verifizier*, "
            "identität, mitgliedschaft",
            1: "einstellungen, kontaktdaten",
        },
        "fr": {
            3: "se connecter, me connecter, identifiant*, mot de passe, mots de passe, authentif*, "
            "compte ~ bloqué, "
            "supprimer ~ compte, fermer ~ compte, ouvrir ~ compte, créer ~ compte, mon compte, profil*, "
            "droits d'accès, "
            "autorisation*, déverrouill*, données personnelles, inscription*, code pin",
            2: "compte, comptes, accès, accéder, identité, utilisateur*, adhésion",
            1: "paramètres, coordonnées",
        },
        "es": {
            3: "iniciar sesión, inicio de sesión, contraseña*, nombre de usuario, cuenta ~ bloqueada, "
            "mi cuenta, "
            "eliminar ~ cuenta, cerrar ~ cuenta, crear ~ cuenta, abrir ~ cuenta, perfil*, permisos, "
            "derechos de acceso, "
            "autentic*, verificación de identidad, datos personales, registr*, desbloque*, credencial*, "
            "acceder a mi",
            2: "cuenta, cuentas, acceso, acceder, usuario*, identidad, clave, pin",
            1: "ajustes",
        },
        "pt": {
            3: "fazer login, login, senha*, palavra-passe, nome de usuário, conta ~ bloqueada, minha "
            "conta, excluir ~ conta, "
            "encerrar ~ conta, fechar ~ conta, criar ~ conta, abrir ~ conta, perfil*, permiss*, "
            "direitos de acesso, "
            "autentic*, verificação de identidade, dados pessoais, cadastr*, registar, desbloque*, "
            "credencia*, iniciar sessão",
            2: "conta, contas, acesso, acessar, aceder, usuário*, utilizador*, identidade, pin",
        },
        "it": {
            3: "accedere, login, password, nome utente, account ~ bloccato, mio account, profilo, "
            "profili, permess*, "
            "autentic*, verifica ~ identità, dati personali, registrazion*, registrar*, sblocc*, "
            "credenzial*, "
            "chiudere ~ conto, cancellare ~ account, eliminare ~ account, creare ~ account",
            2: "account, accesso, utente, utenti, identità, conto, pin",
        },
        "nl": {
            3: "inloggen, ingelogd, inlog*, aanmelden, wachtwoord*, gebruikersnaam, account ~ "
            "geblokkeerd, mijn account, "
            "account verwijderen, account opzeggen, account aanmaken, profiel*, *rechten, machtiging*, "
            "autoris*, "
            "persoonlijke gegevens, registr*, deblokker*, verificatie*, persoonsgegevens",
            2: "account*, toegang, gebruiker*, identiteit, geblokkeerd, pincode",
        },
        "ja": {
            3: "ログイン, サインイン, パスワード, アカウント, 暗証番号, 退会, 会員登録, 権限, 認証, 本人確認, "
            "ユーザー名, 個人情報の変更, "
            "登録情報",
            2: "アクセス権, 登録, ユーザー, プロフィール, ロックされ, 解約",
        },
    },
    "order": {
        "en": {
            3: "my order*, order number, order status, an order, the order, place ~ order, placed ~ "
            "order, cancel ~ order, "
            "purchase order*, deliver*, shipping*, shipment*, shipped, ship, tracking number, track my, "
            "track ~ package, "
            "package*, parcel*, courier, backorder*, out of stock, in stock, has not arrived, hasn't "
            "arrived, not arrived, "
            "not received ~ card, still waiting for my card, when will ~ arrive, will my card arrive, "
            "estimated arrival, "
            "new purchase, replacement card, spare card, extra card, additional card, second card, "
            "order ~ card, "
            "get another card, get a card, third card, physical card, got my card, card be here, my card here, "
            "tracking, track it, track ~ card, card arrive, card delivered, my new card",
            2: "order*, purchase, purchases, purchased, purchasing, bought, buy, arrive*, arrival, "
            "stock, item, items, "
            "quantity, warehouse, dispatch*, supplier, vendor, shop, store, cart, checkout, catalog*, "
            "product availability, "
            "how long ~ take, procurement, shipping address",
            1: "address, product, received, receive, waiting, po, arrived, send, get",
        },
        "de": {
            3: "*bestellung*, bestellt*, *lieferung*, geliefert*, *versand*, *sendung, *paket*, "
            "lieferzeit*, sendungsverfolgung, "
            "lieferadresse, nicht angekommen, bestellnummer, *lieferschein*, verfügbarkeit ~ artikel, "
            "ausverkauft, auf lager",
            2: "bestellen, kaufen, gekauft, kauf, artikel*, warenkorb, lager*, liefern, lieferant*, "
            "auftrag*, zustell*, angekommen",
            1: "produkt, adresse",
        },
        "fr": {
            3: "commande, commandes, commandé*, livraison*, livrer, livré*, colis, expédi*, numéro de "
            "suivi, suivi de, en stock, "
            "rupture de stock, transporteur, adresse de livraison",
            2: "commander, achat*, acheter, acheté*, article*, panier, stock, reçu, fournisseur*, envoi",
            1: "produit*, adresse",
        },
        "es": {
            3: "pedido*, envío*, entrega*, paquete*, número de seguimiento, rastre*, sin stock, en "
            "stock, dirección de envío, "
            "no ha llegado, orden de compra",
            2: "compra, compras, comprar, compré, comprado, artículo*, carrito, existencias, mensajer*, "
            "enviado, proveedor*",
            1: "producto*, dirección, llegar",
        },
        "pt": {
            3: "pedido*, encomenda*, entrega*, envio*, frete, pacote*, rastre*, código de rastreio, "
            "fora de estoque, em estoque, "
            "não chegou, endereço de entrega, transportadora",
            2: "compra, compras, comprar, comprei, comprado, artigo*, carrinho, estoque, stock, enviado, fornecedor*",
            1: "produto*, endereço, chegar",
        },
        "it": {
            3: "ordine, ordini, ordinato, spedizion*, consegn*, pacco, pacchi, tracking, tracciamento, "
            "corriere, non è arrivato, "
            "indirizzo di consegna, esaurito, disponibilità",
            2: "acquist*, comprare, comprato, ordinare, articol*, carrello, magazzino, spedito, fornitor*",
            1: "prodott*, indirizzo",
        },
        "nl": {
            3: "bestelling*, besteld, *levering, *leveringen, geleverd, bezorg*, verzending*, "
            "verzonden, pakket*, pakje, "
            "track and trace, op voorraad, uitverkocht, niet aangekomen, bezorgadres, ordernummer",
            2: "bestellen, kopen, gekocht, aankoop*, artikel*, winkelwagen, voorraad, leveren, leverancier*",
            1: "product*, adres",
        },
        "ja": {
            3: "注文, 配送, 発送, 配達, 届かない, 届きません, 届いていません, 追跡番号, 荷物, 在庫, 出荷, お届け, 納期",
            2: "購入, 商品, 住所変更, 未着, 宅配",
        },
    },
    "feature_request": {
        "en": {
            3: "feature request*, request ~ feature, requesting ~ feature, new feature, feature "
            "suggestion*, would be nice, "
            "would be great, would be helpful, would be useful, would be awesome, would be good, would "
            "love, it'd be nice, "
            "please add, please support, please consider adding, could you add, can you add, add "
            "support, support for, "
            "adding support, add ability, add the ability, ability to, add an option, add option, add a "
            "way, allow users to, "
            "allow customiz*, suggestion*, wish list, wishlist, enhancement*, proposal*, propose, "
            "feature proposal, "
            "i wish, should be able to, would like to suggest, would like to see, nice to have, make it "
            "possible, "
            "missing feature, improve ~ experience, design feedback, user experience, usability, "
            "introduce, implement, "
            "dark mode, roadmap",
            2: "feature, suggest*, improvement*, improve, add, adding, allow, allows, customiz*, option "
            "to, support, "
            "enable, provide ~ option, idea, ideas, better, instead of, motivation, use case, use "
            "cases, alternative*, "
            "describe the solution, redesign, ux, ui",
            1: "new, configurable, should, could, useful, design, interface, refactor, expose",
        },
        "de": {
            3: "*funktionswunsch*, feature-wunsch, feature request*, wünschenswert, "
            "verbesserungsvorschlag, "
            "verbesserungsvorschläge, vorschlag, vorschläge, vorschlagen, wäre schön, wäre toll, wäre "
            "hilfreich, wäre super, "
            "wäre es möglich, würde mir wünschen, wünsche mir, neue funktion*, könnten sie ~ "
            "hinzufügen, bitte fügen, "
            "designfeedback, *benutzerfreundlich*, *benutzererfahrung*, *benutzeroberfläche*, "
            "*nutzererfahrung*, "
            "*nutzererlebnis*, feature*, erweiterung*, intuitiv*, usability, *dunkelmodus*",
            2: "*verbesserung*, verbessern, *anregung*, idee, ideen, hinzufügen, unterstützung für, "
            "design*, *layout*, "
            "*navigation*, *darstellung*, optisch*, *feedback*, wunsch, benutzerführung, menü*, "
            "schaltfläche*, ansprechend*, "
            "barrierefrei*",
            1: "anpass*, gestalt*, visuell*, oberfläche, ux, ui, redesign, vereinfach*, schlage",
        },
        "fr": {
            3: "nouvelle fonctionnalité, demande de fonctionnalité, suggestion*, suggérer, serait bien, "
            "serait utile, "
            "serait super, serait possible d'ajouter, pourriez-vous ajouter, j'aimerais pouvoir, "
            "ajouter ~ option, "
            "amélioration*, il manque",
            2: "fonctionnalité*, améliorer, ajouter, idée, idées, proposition*",
        },
        "es": {
            3: "nueva función, nueva funcionalidad, solicitud de función, sugerencia*, sugerir, sería "
            "bueno, sería útil, "
            "sería genial, podrían añadir, podrían agregar, me gustaría poder, añadir ~ opción, agregar "
            "~ opción, mejora, mejoras",
            2: "funcionalidad*, mejorar, añadir, agregar, idea, ideas, propuesta*",
        },
        "pt": {
            3: "nova funcionalidade, novo recurso, solicitação de recurso, sugestão, sugestões, "
            "sugerir, seria bom, seria útil, "
            "seria ótimo, poderiam adicionar, gostaria de poder, adicionar ~ opção, melhoria*",
            2: "funcionalidade*, melhorar, adicionar, ideia, ideias, proposta*, recurso",
        },
        "it": {
            3: "nuova funzione, nuova funzionalità, richiesta di funzionalità, suggeriment*, suggerire, "
            "sarebbe bello, "
            "sarebbe utile, sarebbe fantastico, potreste aggiungere, vorrei poter, aggiungere ~ "
            "opzione, migliorament*",
            2: "funzionalità, migliorare, aggiungere, idea, idee, proposta, proposte",
        },
        "nl": {
            3: "nieuwe functie, functieverzoek, feature request, suggestie*, zou fijn zijn, zou handig "
            "zijn, zou mooi zijn, "
            "zou leuk zijn, kunnen jullie ~ toevoegen, graag toevoegen, zou graag willen kunnen, optie "
            "toevoegen, "
            "verbeterpunt*, verbetering*",
            2: "functie, functionaliteit*, verbeteren, toevoegen, idee, ideeën, voorstel*",
        },
        "ja": {
            3: "要望, 機能追加, 追加してほしい, 追加して欲しい, 対応してほしい, 対応して欲しい, あると便利, "
            "できるようにして, "
            "改善提案, 提案, 新機能, できると嬉しい, 実装してほしい",
            2: "改善, 希望します, アイデア, 追加を",
        },
    },
    "security": {
        "en": {
            3: "fraud*, scam*, phishing, hacked, hacker*, hacking, hack, stolen, stole, steal*, theft, "
            "identity theft, "
            "compromised, unauthorized, unauthorised, not authorized, not authorised, did not "
            "authorize, didn't authorize, "
            "data breach*, breach*, security incident*, security issue*, security threat*, security "
            "concern*, "
            "malware, virus, viruses, ransomware, spyware, trojan, vulnerabilit*, exploit*, cve, "
            "suspicious, "
            "lost my card, lost card, lost my phone, lost phone, lost my wallet, lost my credit card, "
            "lost my debit card, "
            "card is missing, card is lost, misplaced, don't recognize, don't recognise, do not "
            "recognize, do not recognise, "
            "didn't make, did not make, never made, not familiar with, random payment, "
            "random charge, strange charge*, strange payment*, wasn't me, not mine, freeze ~ card, freeze ~ "
            "account, block ~ card, "
            "freeze, someone ~ used, someone else, used my card, using my card, intrusion*, "
            "cyberattack*, cyber attack*, "
            "ddos, injection attack, sql injection, xss, spam, leaked, data leak, penetration test*, "
            "identity ~ stolen, "
            "security breach*, impersonat*, fake, intercepted, stranger",
            2: "security, cybersecurity, attack*, threat*, antivirus, firewall*, encrypt*, lost, unknown, "
            "unrecognized, unrecognised, unfamiliar, suspect*, illegal, block, inquiries, dispute*, leak, "
            "intruder, secure, cyber, privacy violation, cloned",
            1: "protect*, protection, risk*, safe, safety, confidential*, missing, disputed",
        },
        "de": {
            3: "*betrug*, betrüg*, gehackt*, hacker*, *phishing*, *gestohlen*, diebstahl, "
            "*schadsoftware*, *malware*, *virus, *viren, "
            "*sicherheitslücke*, *sicherheitsvorfall*, *sicherheitsvorfälle*, *sicherheitsverletzung*, "
            "*sicherheitsproblem*, "
            "*sicherheitsbedenken*, *datenleck*, *datenpanne*, *datenschutzverletz*, *kompromittier*, "
            "unbefugt*, unautorisiert*, "
            "nicht autorisiert*, verdächtig*, *ransomware*, *schwachstelle*, *cyberangriff*, *angriff*, "
            "*eindring*, "
            "karte sperren, karte verloren, identitätsdiebstahl, missbrauch*, *sicherheitswarn*, "
            "*sicherheitsmeldung*, "
            "*sicherheitsbedroh*, einbruch*, *anomalie*, *bedrohung*, *sicherheitslücken*, "
            "ungewöhnlich* anmelde*",
            2: "*sicherheit, *sicherheits*, *firewall*, *antivirus*, *verschlüssel*, verloren, spam, "
            "gefälscht*, fremde, risiko, "
            "*bedroh*, unerlaubt*, *siem*, endpoint*, intrusion, sperren",
            1: "schutz, schützen, *risiken, zertifikat*",
        },
        "fr": {
            3: "fraud*, piraté*, pirat*, hameçonnage, phishing, volé*, vol de, escroc*, arnaque*, "
            "logiciel malveillant, virus, "
            "rançongiciel, ransomware, faille*, vulnérabilit*, violation*, fuite de données, "
            "compromis*, non autorisé*, suspect*, "
            "cyberattaque*, attaque*, intrusion*, usurpation*, carte perdue, perdu ma carte, "
            "opposition, incident de sécurité, "
            "malware, brèche*",
            2: "sécurité, menace*, antivirus, pare-feu, chiffrement, perdu*, spam, inconnu*, cybersécurité",
            1: "protection, protéger, risque*",
        },
        "es": {
            3: "fraud*, hacke*, jaque*, phishing, robad*, robo, robaron, estafa*, malware, virus, "
            "ransomware, vulnerabilidad*, "
            "brecha*, filtración, filtrad*, comprometid*, no autorizad*, sospechos*, ciberataque*, "
            "ataque*, intrusi*, "
            "suplantaci*, perdí mi tarjeta, tarjeta perdida, bloquear ~ tarjeta, incidente de seguridad",
            2: "seguridad, amenaza*, antivirus, cortafuegos, cifrado, perdid*, spam, desconocid*, ciberseguridad",
            1: "protección, proteger, riesgo*",
        },
        "pt": {
            3: "fraud*, hacke*, phishing, roubad*, roubo, roubaram, furt*, golpe*, malware, vírus, "
            "ransomware, vulnerabilidade*, "
            "violaç*, vazamento*, vazad*, comprometid*, não autorizad*, suspeit*, ciberataque*, "
            "ataque*, invas*, invadi*, "
            "clonad*, perdi meu cartão, cartão perdido, bloquear ~ cartão, incidente de segurança, intrus*",
            2: "segurança, ameaça*, antivírus, firewall, criptograf*, perdid*, spam, desconhecid*, cibersegurança",
            1: "proteção, proteger, risco*",
        },
        "it": {
            3: "frod*, hacker*, hackerat*, phishing, rubat*, furto, furti, truff*, malware, virus, "
            "ransomware, vulnerabilità, violazion*, "
            "fuga di dati, compromess*, non autorizzat*, sospett*, attacc*, intrusion*, clonat*, carta "
            "smarrita, perso la carta, "
            "bloccare ~ carta, incidente di sicurezza",
            2: "sicurezza, minacc*, antivirus, firewall, crittograf*, smarrit*, spam, sconosciut*",
            1: "protezione, proteggere, rischi*",
        },
        "nl": {
            3: "fraude*, gehackt*, hacker*, phishing, gestolen, diefstal, oplicht*, malware, virus*, "
            "ransomware, kwetsbaarheid, "
            "kwetsbaarheden, datalek*, beveiligingslek*, beveiligingsincident*, gecompromitteerd*, "
            "ongeautoriseerd*, onbevoegd*, "
            "verdacht*, cyberaanval*, aanval*, inbraak*, pas blokkeren, kaart blokkeren, pas verloren, "
            "identiteitsfraude, misbruik",
            2: "beveiliging*, veiligheid, dreiging*, antivirus, firewall, versleutel*, verloren, kwijt, "
            "spam, onbekende",
            1: "bescherm*, risico*",
        },
        "ja": {
            3: "不正アクセス, 不正利用, 不正使用, 不正, 乗っ取, ハッキング, フィッシング, 盗まれ, 盗難, 詐欺, "
            "ウイルス, マルウェア, 脆弱性, "
            "情報漏洩, 情報漏えい, 流出, 身に覚えのない, なりすまし, 紛失, 不審な, サイバー攻撃, ランサムウェア",
            2: "セキュリティ, 攻撃, 怪しい, 漏洩",
        },
    },
    "general": {
        "en": {
            3: "feedback, newsletter*, opening hours, business hours, customer service, customer "
            "support number, "
            "speak to ~ agent, speak with ~ agent, human agent, talk to ~ person, talk to someone, "
            "contact number, "
            "phone number for, general inquiry, general enquiry, inquiry, enquiry, partnership*, job "
            "application, vacancy, "
            "vacancies, career*, internship*, press, compliance, gdpr, legal request*, contract*, nda, "
            "training*, webinar*, "
            "demo, documentation, timecard*, timesheet*, holiday*, vacation*, annual leave, payroll, "
            "salary, badge, parking, "
            "employee*, human resources, marketing, brand*, social media, campaign*, seo, "
            "consultation*, case study, "
            "references, credit report*, credit bureau*, consumer report*, file a complaint, make a "
            "complaint, complaint, "
            "claim, review, onboarding, seminar, workshop, sales team, interest rate*, insurance, "
            "question about, "
            "how does, which countries",
            2: "information*, question*, ask, asking, details about, more about, curious, learn, "
            "guidance, advice, "
            "tell me, explain, inquire, wondering, interested, offer, offers, offering, available, "
            "availability, support hours, "
            "schedule*, meeting*, assistance, contact, reach, agent, supported, countries, country, age, "
            "strategy, strategies, analytics, investment*, digital, engagement, equifax, transunion, "
            "experian, "
            "hr, leave, absence, client, people, form, interview, "
            "candidate, candidates",
            1: "what is, what are, where can, do you, are there, is it possible, who, why, when, where, how, what, "
            "help, please, thanks, hello, hi, service, services, company, business, provide, "
            "recruitment, project, project's",
        },
        "de": {
            3: "*newsletter*, öffnungszeiten, *bewerbung*, stellenangebot*, *schulung*, *datenschutz, "
            "dsgvo, *vertrag, *vertrags*, "
            "*verträge*, *partnerschaft*, allgemeine frage, auskunft, *onboarding*, *einarbeitung*, "
            "*compliance*, *rechtlich*, "
            "*marketing*, *kampagne*, *dashboard*, *bericht*, *analyse*, *analytics*, *lieferanten*, "
            "*anbieter*, *partner*, "
            "*koordination*, *audit*, *urlaub*, webinar*, *kundenservice*, *vorschrift*, *prüfung*, "
            "*einhaltung*, *visualisier*, "
            "*richtlinie*",
            2: "frage, fragen, *information*, informationen, informieren, interesse, interessiert, "
            "rückmeldung, termin*, "
            "angebot*, beratung*, ansprechpartner*, *abstimmung*, zusammenarbeit, *zeitplan*, "
            "*dokumente*, *unterlagen*, "
            "*dokumentation*, *strategie*, *anfrage*, wissen, erfahren, *daten*",
            1: "hilfe, bitte, danke, service, unternehmen, kunden*, prozess*",
        },
        "fr": {
            3: "newsletter, horaires d'ouverture, candidature*, emploi, formation*, partenariat*, rgpd, "
            "contrat*, "
            "question générale, renseignement*, service client, marketing, marque, stratégi*, "
            "consultation*, réseaux sociaux, "
            "documentation, conseil*",
            2: "question*, information*, informations, intéressé*, rendez-vous, offre*, savoir, avis, "
            "demande d'information, "
            "détails, fournir, numérique*, investissement*, analyse*",
            1: "aide, merci, service*, entreprise",
        },
        "es": {
            3: "boletín, horario*, solicitud de empleo, empleo, formación, capacitaci*, rgpd, "
            "contrato*, consulta general, "
            "atención al cliente, marketing, marca, estrategi*, consultoría, redes sociales, "
            "documentación, colaboraci*, asociaci*",
            2: "pregunta*, información, consulta*, interesad*, cita, oferta*, saber, opinión, "
            "comentario*, detalles, "
            "digital*, inversi*, análisis, proporcionar",
            1: "ayuda, gracias, servicio*, empresa",
        },
        "pt": {
            3: "boletim, horário*, vaga, vagas, emprego, formação, treinamento*, lgpd, contrato*, "
            "dúvida geral, "
            "atendimento ao cliente, marketing, marca, estratégi*, consultoria, redes sociais, "
            "documentação, parceria*",
            2: "pergunta*, dúvida*, informaç*, interessad*, oferta*, saber, opinião, comentário*, "
            "detalhes, digital*, "
            "investiment*, análise*, fornecer",
            1: "ajuda, obrigad*, serviço*, empresa",
        },
        "it": {
            3: "newsletter, orari*, candidatura, lavoro, formazione, gdpr, contratt*, domanda generale, "
            "servizio clienti, "
            "marketing, marchio, strategi*, consulenz*, social, documentazione, collaborazion*",
            2: "domand*, informazion*, interessat*, appuntament*, offert*, sapere, opinione, dettagli",
            1: "aiuto, grazie, servizi*, azienda",
        },
        "nl": {
            3: "nieuwsbrief, openingstijden, sollicit*, vacature*, training*, avg, contract*, algemene "
            "vraag, klantenservice, "
            "marketing, merk, strategie*, documentatie, samenwerking*, partner*",
            2: "vraag, vragen, informatie, interesse, geïnteresseerd, afspraak, aanbod, weten, mening, "
            "feedback, meer over",
            1: "hulp, bedankt, dienst*, bedrijf",
        },
        "ja": {
            3: "営業時間, 採用, 求人, 応募, 研修, 契約書, 資料請求, 取材, 感想, ご意見, 問い合わせ先, "
            "メルマガ, パートナー",
            2: "質問, 教えてください, お尋ね, 情報, 案内, 知りたい, 相談",
        },
    },
}

URGENCY: ByLanguage = {
    "en": {
        12: "complete outage, total outage, production down, production is down, production outage, "
        "system down, systems down, "
        "everything is down, entire site, whole company, all users affected, all users are affected, "
        "all customers, "
        "business critical, mission critical, data loss, losing data, lost all data, security breach, "
        "data breach, breach, "
        "ransomware, emergency, system failure, complete failure, complete standstill, standstill, "
        "completely down, "
        "critical outage, life threatening, legal action, lawsuit, my lawyer, my attorney, take you to "
        "court, hacked, "
        "account has been compromised, data leak",
        4: "outage*, critical*, next hour, within the hour, within ~ hours, next ~ hours, revenue loss, loss "
        "of revenue,  urgent*, asap, as soon as possible, immediately, right away, "
        "compromised, stolen, fraud*, "
        "deadline*, crash, crashes, crashed, crashing, unauthorized, unauthorised, hang, hangs, freeze, "
        "freezes, deadlock, "
        "cannot work, can't work, unable to work, losing money, losing customers, lawyer, attorney, "
        "severe*, "
        "high priority, top priority, blocker, blocking, segfault, segmentation fault, corrupt*, data "
        "corruption, infinite loop, "
        "phishing, malware, escalat*, emergency access, panic, ddos, cyberattack*, serious*, today",
        2: "prompt*, important, significant*, major, vulnerab*, disrupt*, interrupt*, unavailable, not "
        "accessible, down, "
        "impacting, affecting our, quickly, promptly, swift*, as quickly as, several days, for weeks, "
        "still waiting, again, "
        "third time, second time, overdue, breaches, failure*, unresponsive, memory leak, regression, "
        "cannot access, "
        "can't access, locked out, assert*, broken, doesn't work, does not work, not working, can't log "
        "in, fails",
        1: "issue*, problem*, error*, fail*, unable to, impact*, affect*, soon, unexpected*, despite, persist*",
        -4: "low priority, lowest priority, not a priority",
        -2: "workaround*, temporary solution, temporary fix, intermittent*, sporadic*, occasional*, question*, "
        "how do i, how can i, how to, would like to know, inquir*, enquir*, information, "
        "information on, curious, "
        "wondering, suggestion*, feature request*, would be nice, nice to have, typo*, cosmetic, minor, "
        "trivial, cleanup, "
        "clean up, rename, wording, tooltip*, icon*, colour, color, alignment, documentation, thank you "
        "for ~ great, love, "
        "great job, no rush, not urgent, no hurry, whenever you, when you have time, low priority, "
        "spelling, remove unused, "
        "unused, enhancement*, improve*, optimi*, guidance, details on, more details, details about, "
        "seeking, feedback, "
        "consider, dark mode, cosmetics, misspelled, interested, consult*, strategies",
        -1: "thanks, please advise, recommend*, could you, is it possible, learn, label*, font*, "
        "layout, indent*, comment*, "
        "warning*, test, tests, style*, menu, preference*, text, message, should, inconsistent, support "
        "for, add, better, "
        "digital, branding, brand, tips",
    },
    "de": {
        12: "komplettausfall, totalausfall, *systemausfall*, vollständige* ausfall, vollständigen "
        "ausfall, vollständiger ausfall, "
        "vollständige dienstunterbrechung, komplett ausgefallen, produktion steht, steht still, "
        "stillstand, notfall, "
        "*datenverlust*, *datenleck*, *sicherheitsverletzung*, rechtliche schritte, rechtsanwalt, anwalt, "
        "alle nutzer betroffen, alle benutzer, geschäftskritisch*, kritischen ausfall, kritischer "
        "ausfall, gehackt, "
        "kritischen systemausfall, lahmgelegt, katastrophal*, *großausfall*, sofortiges eingreifen, "
        "unverzügliches eingreifen, "
        "betrieb ~ gefährdet",
        4: "nächsten stunde, nächsten ~ stunden, innerhalb ~ stunde, innerhalb ~ stunden, hohe* priorität, "
        "hochprior*, ernsthaft*, *abgestürzt, umsatz*, dringend*, sofort*, umgehend*, kritisch*, *ausfall, "
        "*ausfälle, eilt, unverzüglich*, "
        "schwerwiegend*, "
        "frist, *kompromittiert*, unbefugt*, *betrug*, ausgefallen, unautorisiert*, höchste priorität, "
        "massiv*, gravierend*, "
        "akut*, schnellstmöglich*, eskal*, *angriff*, *unterbrechung*, *verstoß*, *ransomware*",
        2: "erheblich*, wichtig*, schnell*, zeitnah*, blockier*, *störung*, *abbruch*, *abstürz*, nicht "
        "erreichbar, *sicherheitslücke*, "
        "behinder*, hindernis*, funktioniert nicht, überfällig, verhinder*, gefährd*, rasch*, großes, "
        "großen, beeinträchtigt unsere, "
        "nicht möglich, verdächtig*, heute",
        1: "beeinträchtig*, fehler*, *probleme, unerwartet*, *fehlgeschlagen*",
        -4: "niedrige* priorität, geringe* priorität, nicht dringend*, keine eile, archivier*",
        -2: "vorübergehend*, übergangslösung*, zwischenlösung*, notlösung*, workaround*, temporäre*, "
        "sporadisch*, gelegentlich*, intermittierend*, *dokumentation*, *anleitung*, *anfrage*, zukommen "
        "lassen, frage, fragen, vorschlag, vorschläge, *verbesserung*, anregung*, *information*, würde "
        "gerne wissen, wäre schön, "
        "nicht dringend, keine eile, bei gelegenheit, kleine*, kleiner, kleines, kleinere*, "
        "geringfügig*, leichte, leichtes, leichten, "
        "kosmetisch*, tippfehler*, gelegentlich*, vorübergehend*, *feedback*, *layout*, optisch*, "
        "wünsch*, *anpassung*, "
        "darstellung*, interessiert, minimal*, unbedeutend*, freundlich*, geringe, gering, niedrige "
        "priorität",
        -1: "sporadisch*, manchmal, könnten sie, danke, hilfreich, design*, *aktualisierung*, hinweis*, "
        "ändern, behoben, workaround, "
        "umgehung*, zwischenlösung, manuell*, etwas, wenige, teilweise",
    },
    "fr": {
        12: "panne totale, panne générale, tout est en panne, production arrêtée, perte de données, "
        "fuite de données, violation de données, "
        "urgence absolue, avocat, action en justice, poursuites, tous les utilisateurs, à l'arrêt",
        4: "urgent*, urgence, immédiat*, au plus vite, dès que possible, le plus rapidement possible, "
        "critique*, panne*, piraté*, "
        "fraud*, date limite, délai, grave*, prioritaire, sans délai, plus tôt possible",
        2: "important*, rapidement, rapide, bloqué*, interruption*, ne fonctionne plus, ne fonctionne "
        "pas, perturb*, majeur*, retard*",
        1: "problème*, erreur*, impact*, affect*",
        -2: "question*, suggestion*, renseignement*, information*, savoir, pas urgent, non urgent, "
        "quand vous pourrez, serait bien, "
        "amélior*, intéressé*, détails, consultation*, mineur*",
        -1: "merci, pourriez-vous, conseil*, comment",
    },
    "es": {
        12: "caída total, todo caído, sistema caído, producción parada, pérdida de datos, fuga de datos, "
        "violación de datos, emergencia, "
        "abogado, acciones legales, demanda judicial, todos los usuarios",
        4: "urgente*, urgencia, inmediat*, lo antes posible, cuanto antes, crític*, caído, caída, "
        "hackead*, fraud*, fecha límite, grave*, "
        "de inmediato, máxima prioridad",
        2: "important*, rápid*, bloquead*, interrupci*, no funciona*, significativ*, retras*, pront*",
        1: "problema*, error*, impact*, afect*",
        -2: "pregunta*, sugerencia*, consulta*, información, me gustaría saber, no es urgente, sin "
        "prisa, sería bueno, mejorar, "
        "interesad*, detalles, menor, cuando puedan",
        -1: "gracias, podrían, cómo",
    },
    "pt": {
        12: "sistema fora do ar, tudo fora do ar, produção parada, perda de dados, vazamento de dados, "
        "violação de dados, emergência, advogado, "
        "processo judicial, ação judicial, todos os usuários, parada total",
        4: "urgente*, urgência, imediat*, o mais rápido possível, quanto antes, crític*, fora do ar, "
        "hackead*, fraud*, prazo, grave*, "
        "o mais breve possível",
        2: "important*, rápid*, rapidamente, bloquead*, interrupç*, não funciona*, significativ*, atras*",
        1: "problema*, erro*, impact*, afet*",
        -2: "pergunta*, dúvida*, sugest*, informaç*, gostaria de saber, não é urgente, sem pressa, "
        "seria bom, melhorar, interessad*, "
        "detalhes, quando puderem",
        -1: "obrigad*, poderiam, como",
    },
    "it": {
        12: "tutto fermo, sistema fermo, produzione ferma, blocco totale, perdita di dati, fuga di dati, "
        "violazione dei dati, emergenza, avvocato, "
        "azioni legali, vie legali, tutti gli utenti",
        4: "urgent*, urgenza, immediat*, al più presto, il prima possibile, quanto prima, critic*, "
        "hackerat*, frod*, scadenza, grave, gravi",
        2: "important*, rapid*, bloccat*, interruzion*, non funziona*, significativ*, ritard*",
        1: "problem*, errore, errori",
        -2: "domand*, suggeriment*, informazion*, vorrei sapere, non urgente, non è urgente, senza "
        "fretta, sarebbe bello, migliorare, "
        "interessat*, dettagli, quando potete",
        -1: "grazie, potreste, come",
    },
    "nl": {
        12: "alles ligt plat, ligt plat, productie ligt stil, totale uitval, dataverlies, "
        "gegevensverlies, datalek*, noodgeval, advocaat, "
        "juridische stappen, alle gebruikers",
        4: "dringend*, spoed*, onmiddellijk*, direct, zo snel mogelijk, meteen, kritiek*, kritisch*, "
        "storing, gehackt, fraude, deadline, ernstig*",
        2: "belangrijk*, snel, geblokkeerd, onderbreking*, werkt niet, werken niet, vertrag*",
        1: "probleem, problemen, fout*",
        -2: "vraag, vragen, suggestie*, informatie, zou graag willen weten, niet dringend, geen haast, "
        "zou fijn zijn, zou leuk zijn, verbeter*, "
        "geïnteresseerd, wanneer het uitkomt, klein",
        -1: "bedankt, zouden jullie, hoe",
    },
    "ja": {
        12: "全面停止, 全停止, 全ユーザー, データ消失, データが消え, 情報漏洩, 情報漏えい, 緊急事態, 弁護士, "
        "法的措置, 訴訟, 業務停止, 本番停止",
        4: "至急, 緊急, 大至急, 今すぐ, すぐに, 早急, 直ちに, 障害, 乗っ取, 不正アクセス, 不正利用, 期限, "
        "締め切り, 重大, 急いで",
        2: "お早めに, 早めに, 困って, 使えない, 使えません, 停止, 重要",
        1: "問題, エラー",
        -2: "質問, 要望, 提案, 急ぎではありません, 急ぎません, いつでも, お時間のあるとき, "
        "ありがとうございました, 知りたい",
        -1: "教えてください, ありがとう",
    },
}

# Names under which sites keep the built-in categories.
SYNONYMS: dict[str, str] = {
    "bug": "technical",
    "bugs": "technical",
    "bug_report": "technical",
    "incident": "technical",
    "outage": "technical",
    "technical_issue": "technical",
    "technical_support": "technical",
    "tech": "technical",
    "feature": "feature_request",
    "features": "feature_request",
    "idea": "feature_request",
    "enhancement": "feature_request",
    "payment": "billing",
    "payments": "billing",
    "invoice": "billing",
    "invoices": "billing",
    "finance": "billing",
    "refunds": "refund",
    "returns": "refund",
    "login": "account",
    "access": "account",
    "accounts": "account",
    "orders": "order",
    "shipping": "order",
    "delivery": "order",
    "fraud": "security",
    "abuse": "security",
    "other": "general",
    "question": "general",
    "inquiry": "general",
    "misc": "general",
}

# What turns the meaning of a category word round when it stands right before it: "this is not a refund request".
NOT_ABOUT = (
    "not a, not an, not about, isn't a, isn't about, is no, nothing to do with, don't need a, do not "
    "need a, "
    "don't want a, do not want a, rather than a, no need for a, ist kein, ist keine, geht nicht um, "
    "n'est pas un, n'est pas une, no es un, no es una, não é um, não é uma, non è un, non è una, is geen"
)
# What takes the alarm out of an urgent word: "no data loss", "ohne Datenverlust".
NONE_OF = (
    "no, not, never, without, isn't, free of, prevent, preventing, avoid, kein, keine, keinen, keiner, "
    "nicht, ohne, vermeiden, "
    "pas, pas de, sans, aucun, aucune, éviter, no, sin, ningún, ninguna, evitar, não, sem, nenhum, "
    "nenhuma, non, senza, nessun, "
    "nessuna, evitare, geen, niet, zonder, voorkomen"
)

# Moods. A problem by itself is no bad mood: "error" and "broken" are not here, "unacceptable" is.
SENTIMENT: ByLanguage = {
    "en": {
        0: "thanks in advance, thank you in advance, thank you ~ in advance, best regards, kind regards, warm "
        "regards, "
        "thank you for your time, thank you for your ~ support, thank you for your ~ attention, please advise",
        3: "excellent, amazing, awesome, fantastic, outstanding, wonderful, brilliant, superb, love, "
        "loved, loving, best, "
        "perfect, thrilled, delighted, incredible, phenomenal, kudos, exceptional, rocks, you rock, "
        "favorite, favourite, "
        "excited, gorgeous, legend, legends, made my day, well done, great job, good job, nice job, "
        "great service",
        2: "great, happy, glad, pleased, impressed, helpful, good, nice, beautiful, enjoy*, thank you "
        "so much, thanks so much, "
        "much appreciated, appreciate*, grateful, satisfied, smooth, smoothly, friendly, cool, "
        "congrats, congratulations, "
        "proud, fun, sweet, yay, woohoo, lol, haha*, cheers, thx for, thanks for the, thank you for "
        "the, blessed, win, wins, "
        "winner, safe travels, fabulous, super, lovely, hero, cute, celebrate, dope, hilarious, pumped, "
        "can't wait",
        1: "thanks, thank you, thank, ty, thx, better, recommend*, fine, hope, looking forward, smile*, "
        "kind, welcome, easy, like, "
        "fast, quick, quickly, comfortable, wow, good luck, ready, tomorrow night, birthday, favor",
        -1: "delay, delays, delayed, cancelled, canceled, late flight, flightled, flight late, still "
        "waiting, waiting, stuck, lost, unable, "
        "no response, no reply, unfortunately, sad, sorry, problem, problems, issue*, wrong, fail, "
        "fails, slow, confus*, "
        "hours, hour, hrs, hold, on hold, missed, missing, why, nothing, no one, nobody, still no, "
        "still not, never, again, refuse*, "
        "concern*, doesn't work, can't even, cannot, hung up, damaged, broken, sitting, tired, worried, "
        "least, without, forced, "
        "charge, lack, not working, another, excuse, excuses",
        -2: "bad, poor, poorly, annoy*, upset, disappoint*, dissatisf*, frustrat*, unhappy, rude, mess, "
        "ignored, ignoring, ridiculous, "
        "unreliable, waste, wasted, useless, hate, hates, hated, fail*, failure, lied, lies, liar*, "
        "lie, lying, stupid, dumb, suck*, "
        "complain*, complaint, complaints, unhelpful, misleading, dishonest, joke, nightmare, shame, "
        "unfair, incompetent, hell, "
        "crap, crappy, wtf, smh, damn, screwed, fuck*, shit*, bullshit, ass, bitch*, idiot*, cheat*, "
        "fed up, sick of, tired of, "
        "over an hour, for hours, hours on hold, hour delay, not happy, not impressed, not acceptable, "
        "terribly, blame, dead, death, "
        "kill*, die, died, murder*, war, racist, attack, ugly, boring, disgust, angry, mad, pissed, "
        "lousy, fool, moron*, evil, cry, crying",
        -3: "terrible, horrible, awful, worst, worse, unacceptable, disgust*, disgrace*, pathetic, "
        "outrageous, appalling, "
        "atrocious, abysmal, furious, rip off, ripoff, scam, scammers, never again, garbage, trash, "
        "cancel my contract, horrendous, horrid, disaster, worthless, never fly, never flying, never "
        "buy, last time i",
    },
    "de": {
        0: "danke im voraus, vielen dank im voraus, vielen dank für ihre, mit freundlichen grüßen, beste grüße, "
        "viele grüße, schöne grüße, guten tag, guten morgen",
        3: "ausgezeichnet*, hervorragend*, fantastisch*, großartig*, wunderbar*, perfekt*, begeistert, "
        "liebe, super, spitze, klasse, "
        "genial*, exzellent*, bester, beste, besten, toll, tolle, toller, tolles, traumhaft, vielen "
        "lieben dank",
        2: "gut, gute, guter, gutes, guten service, zufrieden*, schön*, freundlich, freundliche, "
        "hilfsbereit*, freue*, freu, freude, "
        "gefällt, lob, prima, glücklich*, angenehm*, pünktlich*, geil, geile, cool*, lustig*, lecker, "
        "endlich wieder, glückwunsch, "
        "bequem*, entspannt*, nett*, sympathisch, herzlichen dank, danke für, haha*, hihi, gewonnen, sieg",
        1: "danke, dank, gern*, hoffe, besser, dankbar, spaß, günstig*, lieb*, schnell*, interessant*, läuft, hurra",
        -1: "leider, verspätung*, verspätet*, wieder, schon wieder, ausfall*, ausgefallen, fällt aus, "
        "fallen aus, warten, warte, wartet, gewartet, "
        "immer noch, verpasst, gesperrt, stau, streckensperrung, traurig*, schade, nie, nix, nichts, "
        "niemand, teuer*, überfüllt*, "
        "problem*, störung*, voll, warum, wieso, dauert, kein, keine, defekt*, kaputt*, streik*, "
        "sorge*, angst, behinderung*, zugausfall*",
        -2: "schlecht*, ärger*, enttäusch*, frust*, unzufrieden*, unfreundlich*, nerv*, unverschämt*, "
        "peinlich*, lächerlich*, unfähig*, "
        "dumm*, blöd*, doof*, chaos, chaotisch, sauer, wütend*, hass*, hasse*, beschwer*, saftladen, "
        "dreck*, mist, verarsch*, abzocke*, "
        "stink*, ekel*, eklig*, unpünktlich*, zum kotzen, kotz*, scheiß*, scheiss*, arsch*, idiot*, "
        "lügen, lügner*, gelogen, versagt, versagen, "
        "schlimm*, schrecklich*, unmöglich*, frech*, frechheit, tot, tote, terror, krieg, opfer, "
        "überfall*, "
        "schlägerei, belästig*, aggressiv*, beleidig*, gewalt, messer, schlägt, verletzt*, unfall, "
        "gefährlich*, assi*, pöbel*",
        -3: "katastrophe, katastrophal*, furchtbar*, inakzeptabel*, unerträglich*, skandal*, "
        "miserabel*, grauenhaft*, grausam*, "
        "unzumutbar*, nie wieder, zumutung, schande, horror, drecks*, armutszeugnis, schlechteste*, "
        "entsetzlich*",
    },
    "fr": {
        0: "merci d'avance, merci de votre, bien cordialement, merci pour votre ~ attention, bien à vous",
        3: "excellent*, parfait*, génial*, formidable*, merveilleux, merveilleuse, adore, fantastique*, "
        "incroyable*, magnifique*, meilleur*, "
        "bravo, super, extraordinaire*, ravi*, j'adore",
        2: "bon, bonne, bien, content*, heureux, heureuse, satisfait*, agréable*, sympa*, gentil*, "
        "aime, j'aime, merci beaucoup, beau, belle, "
        "joli*, efficace*, plaisir, joie, félicitation*, cool, mdr, rire, drôle*, réussi*, top, fier, "
        "fière, impatien*",
        1: "merci, mieux, espère, espoir, rapide*, intéressant*, utile*, bonjour, bienvenue",
        -1: "malheureusement, retard*, attends, attendre, toujours pas, encore, dommage, triste*, "
        "problème*, perdu*, annul*, jamais, rien, personne, "
        "pourquoi, cher, crise, peur, marre, grève*, seul*, manque",
        -2: "mauvais*, mal, nul, nulle*, déçu*, décev*, décept*, frustr*, inutile*, ridicule*, honte*, "
        "énerv*, colère, agac*, insatisfait*, arnaque*, "
        "incompétent*, mensonge*, ment, menteur*, stupide*, bête, débile*, con, cons, connard*, merde*, "
        "putain, déteste, haine, pire, galère, "
        "chiant*, ras le bol, mort*, tue*, guerre, attentat*, racis*, dégoût*, dégueu*, pleure*, "
        "scandale*, fait chier, foutre, gueule, moche",
        -3: "horrible*, catastroph*, inacceptable*, inadmissible*, scandaleux, scandaleuse, affreux, "
        "affreuse, lamentable*, terrible*, plus jamais, "
        "honteux, honteuse, exécrable*, immonde*",
    },
    "es": {
        0: "gracias de antemano, buenos días, buenas tardes, buenas noches, gracias por su, un saludo",
        3: "excelente*, perfecto, perfecta, genial*, fantástic*, maravillos*, increíble*, encanta, "
        "encantó, amo, adoro, mejor, mejores, estupend*, "
        "espectacular*, enhorabuena, magnífic*, te quiero, felicidades",
        2: "buen, bueno, buena, buenos, buenas, bien, feliz, felices, contento*, contenta, satisfech*, "
        "gusta, gustó, gracias por, muchas gracias, bonit*, "
        "hermos*, lind*, agradable*, amable*, alegr*, guap*, divertid*, jaja*, éxito, orgullos*, "
        "disfrut*, suerte, ganar, ganas, amor, preciosa, precioso",
        1: "gracias, espero, esperanza, interesante, útil, rápid*, recomiend*, quiero, ojalá, sonr*",
        -1: "desafortunadamente, lamentablemente, retras*, esperando, todavía, nunca, nada, nadie, "
        "problema*, triste*, lástima, perdí, perdid*, cancel*, "
        "por qué, car*, miedo, cansad*, llorar, lloro, sol*, sin, falta, extraño, echo de menos, duele, "
        "dolor, enferm*",
        -2: "mal, malo, mala, malos, malas, decepcion*, frustra*, inútil*, ridícul*, vergüenza, "
        "vergonzos*, enfad*, enoj*, molest*, odio, odia, asco, "
        "mentir*, mentiros*, estúpid*, idiota*, tont*, mierda, puta, puto, joder, jode, coño, basura, "
        "estafa*, incompetent*, quej*, peor, muerte, muert*, matar, "
        "guerra, fatal, harto, harta, culpa, robar, roban, ladron*, corrupt*, feo, fea",
        -3: "horrible*, terrible*, pésim*, inaceptable*, desastre, desastros*, nefast*, lamentable*, "
        "nunca más, asqueros*, vergonzoso",
    },
    "pt": {
        0: "obrigado desde já, obrigada desde já, bom dia, boa tarde, boa noite, obrigado pela sua, boas",
        3: "excelente*, perfeito*, perfeita, maravilhos*, incrível, incríveis, fantástic*, amo, adoro, "
        "adorei, amei, melhor, melhores, ótim*, sensacional, "
        "parabéns, lind*, genial, espetacular",
        2: "bom, boa, bons, boas, bem, feliz, felizes, content*, satisfeit*, gosto, gostei, muito "
        "obrigad*, legal, bonit*, agradáve*, alegr*, divertid*, "
        "haha*, kkk*, rs, sucesso, orgulho, sorte, amor, fofo, fofa, top, show, arrasou, torcendo, "
        "saudade*",
        1: "obrigad*, espero, esperança, interessante, útil, rápid*, recomendo, quero, tomara, sorri*",
        -1: "infelizmente, atras*, esperando, ainda não, nunca, nada, ninguém, problema*, triste*, "
        "pena, perdi, cancel*, por que, caro, medo, cansad*, chor*, "
        "falta, sem, dor, doente, sozinh*, demora*, descaso",
        -2: "mau, má, ruim, ruins, mal, decepcion*, frustr*, inútil, inúteis, ridícul*, vergonha, "
        "vergonhos*, raiva, chat*, odeio, ódio, nojo, mentir*, mentiros*, "
        "estúpid*, idiota*, burr*, merda, puta, porra, caralho, lixo, golpe, incompetent*, reclam*, "
        "pior, piores, morte, morr*, matar, guerra, droga, saco, "
        "feio, feia, bosta, foda, ladrão, ladr*, corrupt*",
        -3: "horrível, horríveis, terrível, péssim*, inaceitável, desastre, lamentável, nunca mais, "
        "absurdo, desrespeito, nojent*",
    },
    "it": {
        0: "grazie in anticipo, buon giorno, buona sera, buona giornata, cordiali saluti",
        3: "eccellente*, perfett*, fantastic*, meraviglios*, stupend*, adoro, amo, ottim*, migliore, "
        "migliori, bellissim*, splendid*, magnific*, bravissim*, "
        "geniale, complimenti, grandissim*",
        2: "buon, buono, buona, buoni, bene, felice, felici, content*, soddisfatt*, piace, piaciuto, "
        "grazie mille, bello, bella, belle, belli, gentil*, piacevole, "
        "brav*, divertent*, ahah*, haha*, gioia, orgoglios*, vinto, amore, evviva, auguri, meglio, "
        "finalmente",
        1: "grazie, spero, speranza, interessante, utile, veloc*, consiglio, sorris*",
        -1: "purtroppo, ritard*, aspetto, aspettando, ancora, mai, niente, nessuno, problem*, triste*, "
        "peccato, perso, cancellat*, perché, caro, paura, stanc*, "
        "manca, senza, tasse, crisi, tagli, male",
        -2: "cattiv*, delus*, deluden*, frustr*, inutil*, ridicol*, vergogn*, arrabbiat*, rabbia, odio, "
        "odia, schifo, fa schifo, bugi*, bugiard*, stupid*, "
        "idiot*, scem*, merda, cazzo, cazzate, coglion*, stronz*, spazzatura, truff*, incompetent*, "
        "lament*, peggio, peggiore, morte, mort*, guerra, "
        "fallit*, fallimento, brutt*, ladri, ladro, corrott*, vaffanculo, culo, palle, buffon*, "
        "mafios*, mafia, crepa, nauseant*",
        -3: "orribil*, terribil*, pessim*, inaccettabil*, disastr*, vergognos*, mai più, schifos*, indecent*, scandal*",
    },
    "nl": {
        0: "bij voorbaat dank, bij voorbaat bedankt, goedemorgen, goede middag, vriendelijke groet, "
        "met vriendelijke groet",
        3: "uitstekend*, geweldig*, fantastisch*, perfect*, prachtig*, super, top, heerlijk*, beste, "
        "briljant, houd van, hou van, dolblij",
        2: "goed, goede, blij, tevreden, fijn*, mooi*, vriendelijk*, aardig*, leuk*, prima, gelukkig, "
        "behulpzaam, dank je wel, hartelijk dank, haha*, trots, gefeliciteerd",
        1: "bedankt, dank, hoop, beter, snel, graag, handig, interessant",
        -1: "helaas, vertraging*, wachten, wacht, nog steeds, nooit, niets, niemand, probleem, "
        "problemen, jammer, kwijt, geannuleerd, waarom, duur, bang, moe",
        -2: "slecht*, teleurgesteld, teleurstell*, frustr*, nutteloos, belachelijk*, schande, boos, "
        "woedend, irritant*, haat, ontevreden, klacht*, "
        "leugen*, dom, stom*, idioot, waardeloos, oplicht*, kut, klote, rot, zielig, incompetent*",
        -3: "verschrikkelijk*, vreselijk*, onacceptabel*, rampzalig*, ramp, nooit meer, schandalig*, "
        "afschuwelijk*, walgelijk*, slechtste",
    },
    "ja": {
        3: "素晴らしい, すばらしい, 最高, 大好き, 感動, 完璧, 大満足",
        2: "嬉しい, うれしい, 満足, 良い, 良かった, よかった, 助かりました, 感謝, 楽しい, 気に入って, 親切, 便利",
        1: "ありがとう",
        -1: "残念, 困って, 困る, まだ, 遅い, 不便",
        -2: "不満, がっかり, ひどい, 酷い, 怒, イライラ, 失望, 最低, 許せない, 迷惑, 不快, ふざけ, 納得でき, 使えない",
        -3: "最悪, 二度と, 詐欺, あり得ない, ありえない, 信じられない",
    },
    "ar": {
        2: "رائع*, جميل*, ممتاز*, شكرا*, سعيد*, مبروك, الحمد*, حب*, احب*, افضل, احلى, حلو*, ههه*, يارب, "
        "الله يحفظ*, بالتوفيق, خير, تهانينا, فرح*, ابداع, مبدع*, جميله, اجمل, عظيم*",
        -2: "سيء*, سيئ*, حزين*, حزن*, كره*, اكره*, للاسف, زفت, فاشل*, فشل*, غبي*, كذب*, كذاب*, ظلم*, "
        "موت*, قتل*, مشكل*, تعب*, زبال*, خرا, كلب*, حقير*, "
        "ازعاج, بكا*, ارهاب*, دمار, خسار*, اسوأ, اسوء, وجع*, مات*, حرب*, لعن*, وسخ*, قذر*, مريض*",
    },
    "hi": {
        2: "accha, achha, acha, badhiya, shukriya, dhanyavaad, dhanyavad, khush*, pyar, pyaar, mast, "
        "shandar, zabardast, best, great, good, love, happy, "
        "congrat*, awesome, nice, mubarak, jeet*, super, thank*, haha*, beautiful, अच्छ*, बढ़िया, "
        "धन्यवाद, शुक्रिया, खुश*, बधाई, प्यार, सुंदर, "
        "शानदार, शुभ*, जय, great, sahi, अच्छा",
        -2: "bura, bekar, bakwas, ghatiya, gussa, dukh*, nafrat, dhokha, chor*, jhoot*, jhuth*, sad, "
        "bad, worst, hate, kutta, kutte, kamin*, sala, "
        "saale, pagal, marr*, mar, maut, fail*, ganda, gande, gadha, chutiya*, harami, besharam, "
        "sharam, gaddar, dalal, बुरा, बेकार, घटिया, दुख*, "
        "झूठ*, चोर*, नफरत, शर्म*, मौत, भ्रष्ट*, गंदा, गद्दार*, कुत्त*, हत्या, आतंक*, हार",
    },
}

NEGATIONS: dict[str, str] = {
    "en": "not, no, never, n't, don't, doesn't, didn't, isn't, wasn't, aren't, weren't, can't, cannot, "
    "couldn't, won't, wouldn't, shouldn't, "
    "haven't, hasn't, hadn't, without, hardly, barely, nothing, dont, doesnt, didnt, isnt, wasnt, cant, "
    "wont, zero",
    "de": "nicht, kein, keine, keinen, keiner, keinem, nie, niemals, ohne, weder, nix, kaum",
    "fr": "pas, jamais, aucun, aucune, sans, ni, plus",
    "es": "no, nunca, jamás, sin, ni, tampoco, nada",
    "pt": "não, nao, nunca, jamais, sem, nem, n",
    "it": "non, mai, senza, né, nessun, nessuna, niente",
    "nl": "niet, geen, nooit, zonder, noch",
    "ar": "لا, ليس, ما, مو, مش, لم, لن, غير, بدون",
    "hi": "nahi, nahin, nhi, mat, na, not, no, नहीं, मत, ना",
}

INTENSIFIERS: dict[str, str] = {
    "en": "very, really, so, extremely, absolutely, totally, completely, incredibly, super, too, "
    "highly, truly, such, most, fucking, freaking",
    "de": "sehr, wirklich, so, extrem, absolut, total, völlig, unglaublich, echt, mega, richtig, zu, ziemlich, äußerst",
    "fr": "très, vraiment, si, tellement, extrêmement, absolument, totalement, trop, complètement",
    "es": "muy, realmente, tan, extremadamente, absolutamente, totalmente, demasiado, súper, completamente",
    "pt": "muito, muita, realmente, tão, extremamente, absolutamente, totalmente, demais, super",
    "it": "molto, davvero, così, estremamente, assolutamente, totalmente, troppo, completamente, veramente",
    "nl": "heel, erg, echt, zo, extreem, absoluut, totaal, zeer, te, ontzettend",
}

# Emoji and emoticons by the mood they carry.
EMOJI: dict[int, str] = {
    2: "😀😃😄😁😆😊😍🥰😘🤩😎👍👏🙌🎉❤💕💖💗💙💚💛💜😂🤣😋🥳💪✨🔥☺😻💯🌹🙏",
    -2: "😠😡🤬😞😢😭😤😩😫😒🙄👎💔😔😣😖😟🤮🤢😱😕🙁☹😓😑🖕",
}
EMOTICONS: dict[int, str] = {
    2: ":) :-) :D :-D ;) ;-) <3 =) ^^ xD :p",
    -2: ":( :-( :/ :-/ >:( :'( =(",
}
