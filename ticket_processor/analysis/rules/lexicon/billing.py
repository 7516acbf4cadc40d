"""Words that speak for the category ``billing``."""

from __future__ import annotations

from .entries import ByLanguage

BILLING: ByLanguage = {
    "en": {
        3: (
            "invoice*, billing, billed, overcharged, charged, double charge*, charged ~ twice, charged twice, "
            "extra charge, extra fee*, direct debit*, exchange rate*, subscription*, payment method*, "
            "payment failed, payment declined, payment ~ declined, card ~ declined, payment ~ pending, "
            "payment option*, late fee*, overdraft*, top up, top-up*, topup*, topping up, minimum payment, "
            "bank transfer*, credit note, vat, cancellation fee*, cancellation charge*, termination fee*, "
            "withdrawal fee*, withdrawal charge*, cash withdrawal, purchase price, price list, auto renew*, "
            "pricing, payment plan*, withdrawal penalt*, exit penalt*, exit fee*, billing cycle, payment due, "
            "amount due, past due, outstanding balance"
        ),
        2: (
            "transaction*, funds, funding, payment*, pay, paid, paying, bill, bills, fee, fees, charge, "
            "charges, charging, price*, cost, costs, transfer, transfers, transferred, transferring, balance, "
            "debit*, declined, deposit*, withdrawal*, withdrawn, pending, credit card, interest, cheque, "
            "check deposit, tax, taxes, due date, overdue, owe, discount*, coupon*, promo code, money, cash, "
            "atm, statement, paypal, stripe, currency, currencies, receipt*, penalty, penalties, recurring, "
            "renewal, wire, sepa, swift, debt, collection agency"
        ),
        1: "card, cards, bank, amount, account balance, finance*, beneficiary, quote, budget, rate",
    },
    "de": {
        3: (
            "*rechnung, *rechnungen, *rechnungs*, abgebucht*, *lastschrift*, überweisung*, *gebühr, *gebühren, "
            "*abonnement*, *abbuchung*, zahlungs*, *abrechnung*, doppelt berechnet, mahnung*, "
            "zahlungsmethode*, preisliste*, guthaben, kontoauszug, bezahlvorgang, faktura"
        ),
        2: (
            "*zahlung, *zahlungen, bezahl*, zahlen, preis*, kosten, berechnet, betrag, beträge, abo, "
            "kreditkarte*, *tarif*, rabatt*, gutschein*, mehrwertsteuer, steuer*, buchhaltung*, beitrag, "
            "beiträge, fällig*, abgezogen, kündigungsgebühr, tariferhöhung*, finanz*"
        ),
        1: "konto, geld, bank, euro, transaktion*",
    },
    "fr": {
        3: (
            "factur*, facture*, prélèvement*, prélevé*, abonnement*, moyen de paiement, surfactur*, virement*, "
            "frais, tarif*, débité*, double paiement, échéance*, mode de paiement"
        ),
        2: (
            "paiement*, payer, payé*, prix, coût*, montant*, solde, carte bancaire, carte de crédit, tva, "
            "réduction*, remise, promo, devis, comptab*, impayé*"
        ),
        1: "argent, banque, compte bancaire, transaction*",
    },
    "es": {
        3: (
            "factura, facturas, facturac*, cobro*, cobrado*, cobraron, cargo, cargos, suscripci*, "
            "domiciliaci*, transferencia*, comisión, comisiones, método de pago, métodos de pago, tarifa*, "
            "cobrar"
        ),
        2: (
            "pago*, pagar, pagado, pagué, precio*, coste*, costo*, importe*, saldo, tarjeta de crédito, iva, "
            "descuento*, cupón, presupuesto*, cuota*, recibo*, deuda"
        ),
        1: "dinero, banco, tarjeta, transacci*",
    },
    "pt": {
        3: (
            "fatura*, faturamento, faturação, cobrança*, cobrado*, cobraram, assinatura*, débito*, boleto*, "
            "transferência*, tarifa*, taxa, taxas, nota fiscal, forma de pagamento, método de pagamento, "
            "mensalidade*"
        ),
        2: (
            "pagamento*, pagar, pago, paguei, preço*, custo*, valor, valores, saldo, cartão de crédito, pix, "
            "iva, desconto*, cupom, orçamento, dívida"
        ),
        1: "dinheiro, banco, cartão, transaç*",
    },
    "it": {
        3: (
            "fattur*, addebit*, abbonament*, bonific*, commission*, tariff*, metodo di pagamento, canone, "
            "bolletta, bollette, fatturazione"
        ),
        2: (
            "pagament*, pagare, pagato, prezz*, cost*, importo, importi, saldo, carta di credito, iva, sconto, "
            "sconti, ricevuta, preventivo, rata, rate, scadenza"
        ),
        1: "soldi, denaro, banca, transazion*",
    },
    "nl": {
        3: (
            "factu*, rekening, rekeningen, incasso*, afgeschreven, abonnement*, kosten, betaalmethode*, "
            "betaalwijze*, overschrijving*, dubbel betaald, aanmaning*, *tarief, *tarieven, *vergoeding"
        ),
        2: (
            "betaling*, betalen, betaald, betaal, prijs, prijzen, bedrag*, saldo, creditcard, btw, korting*, "
            "in rekening, ideal, offerte"
        ),
        1: "geld, bank, transactie*",
    },
    "ja": {
        3: ("請求書, 請求, 二重請求, 課金, 引き落とし, 引落, 支払い方法, 料金, 手数料, サブスクリプション, 振込, 決済"),
        2: "支払, お支払い, 価格, 値段, 領収書, 残高, クレジットカード, 割引, 消費税, 更新料, 明細",
    },
}
