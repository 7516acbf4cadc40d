"""Words of mood, French, Spanish, Portuguese and Italian. The whole is ``moods.SENTIMENT``."""

from __future__ import annotations

from .entries import ByLanguage

MOODS_ROMANCE: ByLanguage = {
    "fr": {
        0: "merci d'avance, merci de votre, bien cordialement, merci pour votre ~ attention, bien à vous",
        3: (
            "excellent*, parfait*, génial*, formidable*, merveilleux, merveilleuse, adore, fantastique*, "
            "incroyable*, magnifique*, meilleur*, bravo, super, extraordinaire*, ravi*, j'adore, "
            "exceptionnel*, remarquable*, admirable*, splendide*, chapeau, enthousiast*, enchanté*, superbe*, "
            "sublime*, passionnant*, trop bien, trop bon, le meilleur, la meilleure"
        ),
        2: (
            "bon, bonne, bien, content*, heureux, heureuse, satisfait*, agréable*, sympa*, gentil*, aime, "
            "j'aime, merci beaucoup, beau, belle, joli*, efficace*, plaisir, joie, félicitation*, cool, mdr, "
            "rire, drôle*, réussi*, top, fier, fière, impatien*, succès, réussite*, réussir, gagné*, gagner, "
            "gagne, victoire*, remporte*, innovant*, innovation*, progrès, bonheur, amour, aimer, aimé, aimée, "
            "amis, fête, fêter, sourire, solidaire*, solidarité, découvr*, beauté, magie, magique, charmant*, "
            "adorable*, mignon*, chouette, excellence, confiance, bienvenu*, enfin, profiter, profite*, "
            "encourag*, favorable*, optimis*, lol, ptdr, haha*, hihi, kiff*, génial, trop cool, hâte, chance, "
            "vive, bel, récompens*, engagé*, positive*, positif, réaliste"
        ),
        1: "merci, mieux, espère, espoir, rapide*, intéressant*, utile*, bonjour, bienvenue",
        -1: (
            "malheureusement, retard*, attends, attendre, toujours pas, encore, dommage, triste*, problème*, "
            "perdu*, annul*, jamais, rien, personne, pourquoi, cher, crise, peur, marre, grève*, seul*, "
            "manque, pollu*, menac*, danger*, crise*, inqui*, abandon*, critiqu*, plainte*, victime*, "
            "catastrophe, fatigu*, malade*, ennui*, pauvre*, doute*, toxique*, seule*, trop cher, hypocri*"
        ),
        -2: (
            "mauvais*, mal, nul, nulle*, déçu*, décev*, décept*, frustr*, inutile*, ridicule*, honte*, énerv*, "
            "colère, agac*, insatisfait*, arnaque*, incompétent*, mensonge*, ment, menteur*, stupide*, bête, "
            "débile*, con, cons, connard*, merde*, putain, déteste, haine, pire, galère, chiant*, ras le bol, "
            "mort*, tue*, guerre, attentat*, racis*, dégoût*, dégueu*, pleure*, scandale*, fait chier, foutre, "
            "gueule, moche, détruit*, détruire, destruction, massacre*, punitif, punitive, brutal*, absurde*, "
            "aberrant*, désastre*, désastreux, fiasco, idiot*, imbécile*, crétin*, salaud*, salope*, pourri*, "
            "pourri, saloperie, escroc*, voleur*, voyou*, minable*, médiocre*, pitoyable*, pénible*, "
            "insupportable*, insulte*, hais, détest*, sale, sales, triche*, tricher, ruine, désolant*, "
            "navrant*, consternant*, foutu*, foutage, bordel, fuck, n'importe quoi, aucun respect, irrespect*, "
            "sacrifi*, souffr*, douleur*, violence*, violent*, mourir, meurt, décès, tragi*, drame*, "
            "sinistre*, fléau, arnaqueur*"
        ),
        -3: (
            "horrible*, catastroph*, inacceptable*, inadmissible*, scandaleux, scandaleuse, affreux, affreuse, "
            "lamentable*, terrible*, plus jamais, honteux, honteuse, exécrable*, immonde*"
        ),
    },
    "es": {
        0: "gracias de antemano, buenos días, buenas tardes, buenas noches, gracias por su, un saludo",
        3: (
            "excelente*, perfecto, perfecta, genial*, fantástic*, maravillos*, increíble*, encanta, encantó, "
            "amo, adoro, mejor, mejores, estupend*, espectacular*, enhorabuena, magnífic*, te quiero, "
            "felicidades, impresionante*, extraordinari*, sensacional*, buenísim*, bellísim*, preciosísim*, "
            "insuperable*, épic*, de lujo, me encanta, el mejor, la mejor, crack"
        ),
        2: (
            "buen, bueno, buena, buenos, buenas, bien, feliz, felices, contento*, contenta, satisfech*, gusta, "
            "gustó, gracias por, muchas gracias, bonit*, hermos*, lind*, agradable*, amable*, alegr*, guap*, "
            "divertid*, jaja*, éxito, orgullos*, disfrut*, suerte, ganar, ganas, amor, preciosa, precioso, "
            "divert*, risa, reír, sonrisa*, abrazo*, besos, beso, victoria, gané, ganamos, ganado, campe*, "
            "orgullo, ilusión, emocionad*, emoción, tranquil*, paz, bienvenid*, bendi*, agradec*, guay, mola, "
            "molan, chulo, chula, rico, rica, delicios*, simpátic*, majo, maja, tierno, dulce, aplauso*, viva, "
            "olé, por fin, xd, jeje*, jiji*, bravo, talento*, adorable*, cariño, enamorad*, admir*, merecid*"
        ),
        1: "gracias, espero, esperanza, interesante, útil, rápid*, recomiend*, quiero, ojalá, sonr*",
        -1: (
            "desafortunadamente, lamentablemente, retras*, esperando, todavía, nunca, nada, nadie, problema*, "
            "triste*, lástima, perdí, perdid*, cancel*, por qué, car*, miedo, cansad*, llorar, lloro, sol*, "
            "sin, falta, extraño, echo de menos, duele, dolor, enferm*, aburrid*, preocup*, extrañ*, "
            "cansancio, lamento, pobre*, ay, ojeras, deprim*"
        ),
        -2: (
            "mal, malo, mala, malos, malas, decepcion*, frustra*, inútil*, ridícul*, vergüenza, vergonzos*, "
            "enfad*, enoj*, molest*, odio, odia, asco, mentir*, mentiros*, estúpid*, idiota*, tont*, mierda, "
            "puta, puto, joder, jode, coño, basura, estafa*, incompetent*, quej*, peor, muerte, muert*, matar, "
            "guerra, fatal, harto, harta, culpa, robar, roban, ladron*, corrupt*, feo, fea, odi*, asquea*, "
            "repugnan*, vergonz*, llor*, sufr*, dolid*, traici*, mentira*, hipócrita*, payas*, gilipoll*, "
            "imbécil*, cabr*, hijo de puta, hdp, hijos de puta, zorra, capull*, subnormal, pendej*, culer*, "
            "verga, maldit*, desgraci*, corrup*, ladr*, dictad*, asesin*, violen*, terroris*, fracas*, ruina, "
            "penoso, penosa, patétic*, lamentabl*, insoport*, miser*, crisis, peligro*, amenaz*, injust*, "
            "rabia, ira, cabread*, cansino, cansina, me cago, a la mierda, no soporto, qué pena, una pena, "
            "fastidi*"
        ),
        -3: (
            "horrible*, terrible*, pésim*, inaceptable*, desastre, desastros*, nefast*, lamentable*, "
            "nunca más, asqueros*, vergonzoso"
        ),
    },
    "pt": {
        0: "obrigado desde já, obrigada desde já, bom dia, boa tarde, boa noite, obrigado pela sua, boas",
        3: (
            "excelente*, perfeito*, perfeita, maravilhos*, incrível, incríveis, fantástic*, amo, adoro, "
            "adorei, amei, melhor, melhores, ótim*, sensacional, parabéns, lind*, genial, espetacular, "
            "maravilha*, incrivel, espetácul*, melhor do mundo, apaixonad*, divo, diva, rainha, perfeição, "
            "excepcional*, impecáve*, arrasa*, show de bola, nota 10, nota dez"
        ),
        2: (
            "bom, boa, bons, boas, bem, feliz, felizes, content*, satisfeit*, gosto, gostei, muito obrigad*, "
            "legal, bonit*, agradáve*, alegr*, divertid*, haha*, kkk*, rs, sucesso, orgulho, sorte, amor, "
            "fofo, fofa, top, show, arrasou, torcendo, saudade*, adorando, amando, amores, amado, amada, "
            "querid*, fofinh*, lindeza, lindo, linda, lindos, lindas, rindo, rir, risada*, risos, hahaha*, "
            "hehe*, kkkk*, emocion*, emoção, merecid*, merece*, vencedor*, venceu, ganhou, campe*, talento*, "
            "talentos*, simpátic*, carism*, inteligente*, delícia*, delicios*, gostos*, sorriso*, abraço*, "
            "beijo*, bjs, paz, deus abençoe, bençã*, abenço*, agradec*, viva, finalmente, curti, curtindo, "
            "bacana, massa, maneiro, daora, da hora, engraçad*, orgulhos*, torço, torcida, fã, admir*, "
            "inspir*, esperanç*, tranquil*, rapidinho"
        ),
        1: "obrigad*, espero, esperança, interessante, útil, rápid*, recomendo, quero, tomara, sorri*",
        -1: (
            "infelizmente, atras*, esperando, ainda não, nunca, nada, ninguém, problema*, triste*, pena, "
            "perdi, cancel*, por que, caro, medo, cansad*, chor*, falta, sem, dor, doente, sozinh*, demora*, "
            "descaso, chato, chata, chatos, cansei, preocup*, coitad*, estranh*, devagar, atraso*, "
            "nao aguento, não aguento, pobre*"
        ),
        -2: (
            "mau, má, ruim, ruins, mal, decepcion*, frustr*, inútil, inúteis, ridícul*, vergonha, vergonhos*, "
            "raiva, chat*, odeio, ódio, nojo, mentir*, mentiros*, estúpid*, idiota*, burr*, merda, puta, "
            "porra, caralho, lixo, golpe, incompetent*, reclam*, pior, piores, morte, morr*, matar, guerra, "
            "droga, saco, feio, feia, bosta, foda, ladrão, ladr*, corrupt*, aff, afff*, credo, ridicul*, "
            "insuportáve*, irritant*, irrita*, nojenta, nojento, falsa, falso, falsidade, arrogan*, metid*, "
            "sonsa, sonso, injust*, injustiç*, odio, odei*, detest*, mentira*, hipócrit*, hipocrisia, babaca*, "
            "otári*, trouxa*, imbecil, imbecis, canalha*, safad*, vagabund*, desgraç*, maldit*, inferno, "
            "palhaç*, palhaçada, vergonha alheia, tosco, tosca, brega, cafona, fracass*, corrup*, ladrões, "
            "violênc*, criminos*, assassin*, bandid*, crise, sofr*, choran*, tristeza, decepç*, péssima, "
            "péssimo, horroroso, horrorosa, horror, cala a boca, racis*, machis*, pqp, vsf, fdp, vtnc, cacete, "
            "puto, puta que pariu, que saco, sem noção, sem graça, desrespeit*, mal educad*, grosseir*"
        ),
        -3: (
            "horrível, horríveis, terrível, péssim*, inaceitável, desastre, lamentável, nunca mais, absurdo, "
            "desrespeito, nojent*"
        ),
    },
    "it": {
        0: "grazie in anticipo, buon giorno, buona sera, buona giornata, cordiali saluti",
        3: (
            "eccellente*, perfett*, fantastic*, meraviglios*, stupend*, adoro, amo, ottim*, migliore, "
            "migliori, bellissim*, splendid*, magnific*, bravissim*, geniale, complimenti, grandissim*, "
            "spettacol*, straordinari*, incredibil*, favolos*, formidabil*, eccezional*, strepitos*, "
            "grandios*, sublime, mitic*, il migliore, la migliore, capolavoro"
        ),
        2: (
            "buon, buono, buona, buoni, bene, felice, felici, content*, soddisfatt*, piace, piaciuto, "
            "grazie mille, bello, bella, belle, belli, gentil*, piacevole, brav*, divertent*, ahah*, haha*, "
            "gioia, orgoglios*, vinto, amore, evviva, auguri, meglio, finalmente, bravo, brava, bravi, grande, "
            "vince, vincere, vittoria, vinciamo, speriamo, speranz*, sorriso, sorridere, ridere, rido, risate, "
            "ahaha*, eheh*, lol, xd, festa, festeggi*, amico, amici, abbracci*, baci, bacio, emozion*, "
            "orgoglio, onore, stima, forza, viva, apprezz*, piacere, piacciono, contenta, contento, competen*, "
            "fiducia, onest*, dolce, dolci, tener*, carino, carina, figo, figata, forte, simpatic*, divert*, "
            "allegr*, serenit*, applaus*, condivido, d'accordo, ragione, bella notizia, ottimismo, "
            "affascinant*, tesoro, ti amo, ti adoro"
        ),
        1: "grazie, spero, speranza, interessante, utile, veloc*, consiglio, sorris*",
        -1: (
            "purtroppo, ritard*, aspetto, aspettando, ancora, mai, niente, nessuno, problem*, triste*, "
            "peccato, perso, cancellat*, perché, caro, paura, stanc*, manca, senza, tasse, crisi, tagli, male, "
            "sacrifici*, disoccup*, precar*, pover*, fame, preoccup*, stanco, stanca, noia, noios*, annoi*, "
            "piange*, piangere, lacrime, sconfitt*, ansia, basta, inutile, poveri, poveracci*"
        ),
        -2: (
            "cattiv*, delus*, deluden*, frustr*, inutil*, ridicol*, vergogn*, arrabbiat*, rabbia, odio, odia, "
            "schifo, fa schifo, bugi*, bugiard*, stupid*, idiot*, scem*, merda, cazzo, cazzate, coglion*, "
            "stronz*, spazzatura, truff*, incompetent*, lament*, peggio, peggiore, morte, mort*, guerra, "
            "fallit*, fallimento, brutt*, ladri, ladro, corrott*, vaffanculo, culo, palle, buffon*, mafios*, "
            "mafia, crepa, nauseant*, merd*, cazz*, minchia, fottut*, fotter*, vaffa*, cretin*, deficient*, "
            "imbecill*, idiozi*, puttan*, troia, bastard*, infam*, falso, falsi, ipocrit*, ipocrisia, ladron*, "
            "corruzion*, inciucio, dittat*, golpe, massacr*, ammazz*, uccid*, suicid*, violen*, terror*, odi*, "
            "detest*, insopportabil*, patetic*, penos*, squallid*, schiav*, imbrogli*, menzogn*, balle, bugie, "
            "tradi*, vigliacc*, codard*, rovin*, distrut*, distrugg*, fregat*, fregare, presa in giro, "
            "prendere in giro, pagliacci*, buffonat*, assurd*, ridicolo, arrogan*, incapac*, indegn*, "
            "ingiust*, porc*, boh, che palle, mi fa schifo, affondare, macelleria"
        ),
        -3: (
            "orribil*, terribil*, pessim*, inaccettabil*, disastr*, vergognos*, mai più, schifos*, indecent*, scandal*"
        ),
    },
}
