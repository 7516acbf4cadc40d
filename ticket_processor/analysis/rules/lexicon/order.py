"""Words that speak for the category ``order``."""

from __future__ import annotations

from .entries import ByLanguage

ORDER: ByLanguage = {
    "en": {
        3: (
            "my order*, order number, order status, an order, the order, place ~ order, placed ~ order, "
            "cancel ~ order, purchase order*, deliver*, shipping*, shipment*, shipped, ship, tracking number, "
            "track my, track ~ package, package*, parcel*, courier, backorder*, out of stock, in stock, "
            "has not arrived, hasn't arrived, not arrived, not received ~ card, still waiting for my card, "
            "when will ~ arrive, will my card arrive, estimated arrival, new purchase, replacement card, "
            "spare card, extra card, additional card, second card, order ~ card, get another card, get a card, "
            "third card, physical card, got my card, card be here, my card here, tracking, track it, "
            "track ~ card, card arrive, card delivered, my new card"
        ),
        2: (
            "order*, purchase, purchases, purchased, purchasing, bought, buy, arrive*, arrival, stock, item, "
            "items, quantity, warehouse, dispatch*, supplier, vendor, shop, store, cart, checkout, catalog*, "
            "product availability, how long ~ take, procurement, shipping address"
        ),
        1: "address, product, received, receive, waiting, po, arrived, send, get",
    },
    "de": {
        3: (
            "*bestellung*, bestellt*, *lieferung*, geliefert*, *versand*, *sendung, *paket*, lieferzeit*, "
            "sendungsverfolgung, lieferadresse, nicht angekommen, bestellnummer, *lieferschein*, "
            "verfügbarkeit ~ artikel, ausverkauft, auf lager"
        ),
        2: (
            "bestellen, kaufen, gekauft, kauf, artikel*, warenkorb, lager*, liefern, lieferant*, auftrag*, "
            "zustell*, angekommen"
        ),
        1: "produkt, adresse",
    },
    "fr": {
        3: (
            "commande, commandes, commandé*, livraison*, livrer, livré*, colis, expédi*, numéro de suivi, "
            "suivi de, en stock, rupture de stock, transporteur, adresse de livraison"
        ),
        2: "commander, achat*, acheter, acheté*, article*, panier, stock, reçu, fournisseur*, envoi",
        1: "produit*, adresse",
    },
    "es": {
        3: (
            "pedido*, envío*, entrega*, paquete*, número de seguimiento, rastre*, sin stock, en stock, "
            "dirección de envío, no ha llegado, orden de compra"
        ),
        2: (
            "compra, compras, comprar, compré, comprado, artículo*, carrito, existencias, mensajer*, enviado, "
            "proveedor*"
        ),
        1: "producto*, dirección, llegar",
    },
    "pt": {
        3: (
            "pedido*, encomenda*, entrega*, envio*, frete, pacote*, rastre*, código de rastreio, "
            "fora de estoque, em estoque, não chegou, endereço de entrega, transportadora"
        ),
        2: ("compra, compras, comprar, comprei, comprado, artigo*, carrinho, estoque, stock, enviado, fornecedor*"),
        1: "produto*, endereço, chegar",
    },
    "it": {
        3: (
            "ordine, ordini, ordinato, spedizion*, consegn*, pacco, pacchi, tracking, tracciamento, corriere, "
            "non è arrivato, indirizzo di consegna, esaurito, disponibilità"
        ),
        2: "acquist*, comprare, comprato, ordinare, articol*, carrello, magazzino, spedito, fornitor*",
        1: "prodott*, indirizzo",
    },
    "nl": {
        3: (
            "bestelling*, besteld, *levering, *leveringen, geleverd, bezorg*, verzending*, verzonden, pakket*, "
            "pakje, track and trace, op voorraad, uitverkocht, niet aangekomen, bezorgadres, ordernummer"
        ),
        2: "bestellen, kopen, gekocht, aankoop*, artikel*, winkelwagen, voorraad, leveren, leverancier*",
        1: "product*, adres",
    },
    "ja": {
        3: ("注文, 配送, 発送, 配達, 届かない, 届きません, 届いていません, 追跡番号, 荷物, 在庫, 出荷, お届け, 納期"),
        2: "購入, 商品, 住所変更, 未着, 宅配",
    },
}
