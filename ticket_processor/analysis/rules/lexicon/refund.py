"""Words that speak for the category ``refund``."""

from __future__ import annotations

from .entries import ByLanguage

REFUND: ByLanguage = {
    "en": {
        3: (
            "refund*, money back, reimburse*, chargeback*, charge back, return policy, return label, rma, "
            "returns, restitution*, cash back, exchange ~ item, exchange it for, returning ~ item, "
            "return ~ item, return ~ product, return ~ order, send it back, sending it back, compensation*, "
            "rebate*, want my money, get my money"
        ),
        2: (
            "returned ~ item, return this, return it, replacement product, credited back, give ~ back, "
            "reverse ~ charge, reversal, compensate*"
        ),
        1: "exchange, warranty, satisfaction guarantee",
    },
    "de": {
        3: (
            "*rückerstatt*, *erstattung*, erstatte*, geld zurück, *rücksendung*, zurückschicken, zurücksenden, "
            "*retoure*, widerruf*, umtausch*, rückgabe*, rückzahlung*, rückbuchung*, entschädigung*, rückgeld"
        ),
        2: "zurückgeben, zurückerhalten, gutschrift*, gutgeschrieben, reklamation, *rücktausch*",
    },
    "fr": {
        3: (
            "rembours*, retour produit, retourner ~ article, retourner ~ produit, échanger ~ article, "
            "rétractation, renvoyer ~ article, bon de retour, politique de retour, dédommag*, indemnis*"
        ),
        2: "retourner, renvoyer, échange, avoir sur",
    },
    "es": {
        3: ("reembols*, devoluci*, devolver, devuelv*, devuelt*, reintegr*, mi dinero de vuelta, indemniz*, canjear"),
        2: "cambio de producto, cambiar ~ artículo, cambiar ~ producto, compensaci*",
    },
    "pt": {
        3: (
            "reembols*, devoluç*, devolver, devolv*, estorn*, ressarc*, dinheiro de volta, meu dinheiro, "
            "restituiç*, trocar ~ produto, indeniz*, indemniz*"
        ),
        2: "troca, trocas, compensaç*",
    },
    "it": {
        3: (
            "rimbors*, reso, resi, restituire, restituzion*, restituito, soldi indietro, storno, risarc*, "
            "recesso, rendere ~ prodotto"
        ),
        2: "cambio merce, sostituire ~ articolo, indennizz*",
    },
    "nl": {
        3: (
            "terugbetal*, geld terug, retour*, terugsturen, terugstort*, herroep*, omruil*, ruilen, "
            "restitutie*, schadevergoeding, terugzenden"
        ),
        2: "teruggeven, terugkrijgen, gecrediteerd, creditnota",
    },
    "ja": {
        3: "返金, 払い戻し, 払戻, 返品, 交換希望, 返送, キャッシュバック, 全額返",
        2: "交換, 弁償, 補償",
    },
}
