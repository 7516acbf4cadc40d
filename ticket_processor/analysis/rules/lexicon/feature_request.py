"""Words that speak for the category ``feature_request``."""

from __future__ import annotations

from .entries import ByLanguage

FEATURE_REQUEST: ByLanguage = {
    "en": {
        3: (
            "feature request*, request ~ feature, requesting ~ feature, new feature, feature suggestion*, "
            "would be nice, would be great, would be helpful, would be useful, would be awesome, "
            "would be good, would love, it'd be nice, please add, please support, please consider adding, "
            "could you add, can you add, add support, support for, adding support, add ability, "
            "add the ability, ability to, add an option, add option, add a way, allow users to, "
            "allow customiz*, suggestion*, wish list, wishlist, enhancement*, proposal*, propose, "
            "feature proposal, i wish, should be able to, would like to suggest, would like to see, "
            "nice to have, make it possible, missing feature, improve ~ experience, design feedback, "
            "user experience, usability, introduce, implement, dark mode, roadmap, "
            "issue type ~ feature request, describe the feature, feature and motivation, "
            "is your feature request related, describe the solution, feature type, proposed solution, "
            "enhancement request, missing support, add support for, support adding, "
            "would it be possible to add, there is no way to, there's no way to, currently no way, "
            "it should be possible, allow to, provide a way, provide an option, option to disable, "
            "option to enable, make it easier, motivation, use case, use cases, expose, feature suggestion, "
            "consider adding, expected new behavior, possible to have"
        ),
        2: (
            "feature, suggest*, improvement*, improve, add, adding, allow, allows, customiz*, option to, "
            "support, enable, provide ~ option, idea, ideas, better, instead of, motivation, use case, "
            "use cases, alternative*, describe the solution, redesign, ux, ui, desired, proposal, it could be, "
            "rather than, more flexible, less confusing, consistent with, followup, polish, discoverab*"
        ),
        1: "new, configurable, should, could, useful, design, interface, refactor, expose",
    },
    "de": {
        3: (
            "*funktionswunsch*, feature-wunsch, feature request*, wünschenswert, verbesserungsvorschlag, "
            "verbesserungsvorschläge, vorschlag, vorschläge, vorschlagen, wäre schön, wäre toll, "
            "wäre hilfreich, wäre super, wäre es möglich, würde mir wünschen, wünsche mir, neue funktion*, "
            "könnten sie ~ hinzufügen, bitte fügen, designfeedback, *benutzerfreundlich*, *benutzererfahrung*, "
            "*benutzeroberfläche*, *nutzererfahrung*, *nutzererlebnis*, feature*, erweiterung*, intuitiv*, "
            "usability, *dunkelmodus*"
        ),
        2: (
            "*verbesserung*, verbessern, *anregung*, idee, ideen, hinzufügen, unterstützung für, design*, "
            "*layout*, *navigation*, *darstellung*, optisch*, *feedback*, wunsch, benutzerführung, menü*, "
            "schaltfläche*, ansprechend*, barrierefrei*"
        ),
        1: "anpass*, gestalt*, visuell*, oberfläche, ux, ui, redesign, vereinfach*, schlage",
    },
    "fr": {
        3: (
            "nouvelle fonctionnalité, demande de fonctionnalité, suggestion*, suggérer, serait bien, "
            "serait utile, serait super, serait possible d'ajouter, pourriez-vous ajouter, j'aimerais pouvoir, "
            "ajouter ~ option, amélioration*, il manque"
        ),
        2: "fonctionnalité*, améliorer, ajouter, idée, idées, proposition*",
    },
    "es": {
        3: (
            "nueva función, nueva funcionalidad, solicitud de función, sugerencia*, sugerir, sería bueno, "
            "sería útil, sería genial, podrían añadir, podrían agregar, me gustaría poder, añadir ~ opción, "
            "agregar ~ opción, mejora, mejoras"
        ),
        2: "funcionalidad*, mejorar, añadir, agregar, idea, ideas, propuesta*",
    },
    "pt": {
        3: (
            "nova funcionalidade, novo recurso, solicitação de recurso, sugestão, sugestões, sugerir, "
            "seria bom, seria útil, seria ótimo, poderiam adicionar, gostaria de poder, adicionar ~ opção, "
            "melhoria*"
        ),
        2: "funcionalidade*, melhorar, adicionar, ideia, ideias, proposta*, recurso",
    },
    "it": {
        3: (
            "nuova funzione, nuova funzionalità, richiesta di funzionalità, suggeriment*, suggerire, "
            "sarebbe bello, sarebbe utile, sarebbe fantastico, potreste aggiungere, vorrei poter, "
            "aggiungere ~ opzione, migliorament*"
        ),
        2: "funzionalità, migliorare, aggiungere, idea, idee, proposta, proposte",
    },
    "nl": {
        3: (
            "nieuwe functie, functieverzoek, feature request, suggestie*, zou fijn zijn, zou handig zijn, "
            "zou mooi zijn, zou leuk zijn, kunnen jullie ~ toevoegen, graag toevoegen, "
            "zou graag willen kunnen, optie toevoegen, verbeterpunt*, verbetering*"
        ),
        2: "functie, functionaliteit*, verbeteren, toevoegen, idee, ideeën, voorstel*",
    },
    "ja": {
        3: (
            "要望, 機能追加, 追加してほしい, 追加して欲しい, 対応してほしい, 対応して欲しい, あると便利, "
            "できるようにして, 改善提案, 提案, 新機能, できると嬉しい, 実装してほしい"
        ),
        2: "改善, 希望します, アイデア, 追加を",
    },
}
