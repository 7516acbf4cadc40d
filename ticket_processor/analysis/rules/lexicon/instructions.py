"""How people write who want to instruct a model. Data only; ``suspicion`` reads it.

Each row: the sign, the needles of which one must be in the text before the (costly) pattern is tried, the pattern. Both
are for text in lower case.
"""

from __future__ import annotations

_GAP = r"[^.!?\n]{0,40}?"
"""Stays inside one sentence."""
_RULES = (
    r"(?:instruct\w*|prompts?|rules?|guidelines?|guardrails?|directions?|directives?|commands?|constraints?"
    r"|restrictions?|programming|protocols?|safety (?:rules|features|measures)|limitations)\b"
)
_OPENING = r"(?:^|[.!?:;\n] {0,3})"
_ANSWER = r"(?:response|answer|output|reply)"

INSTRUCTIONS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (
        "override",
        (
            *("ignor", "disregard", "forget", "overrid", "overwrit", "bypass", "dismiss", "neglect", "overlook"),
            *("discard", "abandon"),
        ),
        rf"\b(?:ignore|disregard|forget|override|overwrite|bypass|dismiss|neglect|overlook|discard|abandon)\b {_GAP}"
        r"\b(?:previous|prior|above|earlier|preceding|foregoing|all|any|your|these|those|system|initial|original|safety"
        rf"|given|the)\b{_GAP}\b{_RULES}"
        r"|\b(?:ignore|disregard|forget) (?:everything|all|anything) (?:\w+ ){0,3}"
        r"(?:above|before|previous|prior|said|told|written|and)\b"
        r"|\b(?:ignore|disregard|forget) (?:all (?:of )?)?(?:the )?(?:above|previous|preceding) (?:and|text|sentences?"
        r"|document|statements?|context)\b"
        r"|\bforget (?:your|all (?:your|the)|all previous) (?:\w+ )?(?:tasks?|assignments?|training|instructions?)\b",
    ),
    (
        "override",
        ("instruction", "directive", "new task", "real task", "actual task", "stop what you"),
        r"\b(?:new|updated|real|actual) (?:instructions?|directives?|task) ?(?::|for you|are as follows)"
        r"|\bstop what you(?:'re| are) doing\b",
    ),
    (
        "override",
        ("ignorier", "verg", "missacht", "beachte"),
        rf"\b(?:ignorier\w*|vergiss|vergesst|vergessen sie|missachte\w*|beachte nicht)\b{_GAP}"
        r"\b(?:anweisung\w*|instruktion\w*|regeln|vorgaben|befehle?|aufgaben|aufträge|richtlinien|prompts?"
        r"|alles (?:davor|vorher\w*|bisher\w*|obige))\b|\bvergiss alles\b|\bvergessen sie alles\b",
    ),
    (
        "override",
        ("ignore", "oublie", "néglig", "tenez"),
        rf"(?<!j')\b(?:ignorez|ignore|oubliez|oublie|négligez|ne tenez pas compte)\b{_GAP}"
        r"\b(?:instructions?|consignes?|règles?|directives?)\b",
    ),
    (
        "override",
        ("ignor", "olvid", "omit", "caso omiso"),
        rf"\b(?:ignora|ignore|ignoren|olvida|olvide|olviden|omite|omita|haz caso omiso)\b{_GAP}"
        r"\b(?:instrucciones|reglas|órdenes|indicaciones|directrices)\b",
    ),
    (
        "override",
        ("ignor", "esque", "desconsider"),
        rf"\b(?:ignore|ignora|ignorem|esqueça|esquece|desconsidere|desconsidera)\b{_GAP}"
        r"\b(?:instruções|regras|ordens|diretrizes|comandos)\b",
    ),
    (
        "override",
        ("ignor", "dimentic", "trascur"),
        rf"\b(?:ignora|ignorate|ignori|dimentica|dimenticate|dimentichi|trascura)\b{_GAP}"
        r"\b(?:istruzioni|regole|direttive|comandi)\b",
    ),
    (
        "override",
        ("negeer", "vergeet"),
        rf"\b(?:negeer|vergeet)\b{_GAP}\b(?:instructies?|aanwijzingen|regels|opdrachten)\b",
    ),
    ("override", ("ignoruj", "zapomnij"), rf"\b(?:z?ignoruj|zapomnij)\b{_GAP}\b(?:instrukcj\w+|polece\w+|zasad\w*)\b"),
    (
        "override",
        ("игнорир", "забудь"),
        rf"\b(?:игнорируй\w*|проигнорируй\w*|забудь\w*)\b{_GAP}\b(?:инструкци\w+|указани\w+|правил\w*)",
    ),
    (
        "override",
        ("無視", "忘れ"),
        r"(?:以前|これまで|上記|前)の?(?:すべての|全ての)?(?:指示|命令|ルール|プロンプト)(?:を|は)(?:すべて|全て)?(?:無視|忘れ)",
    ),
    (
        "override",
        ("忽略", "无视", "忘记", "忽视", "無視"),
        r"(?:忽略|无视|忘记|忽视|無視)[^。\n]{0,12}(?:指令|指示|说明|规则|提示|命令)",
    ),
    (
        "role_marker",
        ("<", "["),
        r"<\|[a-z_]{2,20}\|>|\[/?inst\]|<<?/?sys>>?|</?(?:system|assistant|instructions?|system_prompt|prompt)>"
        r"|\[/?(?:end_)?system(?: (?:message|prompt|override))?\] ?:|\[inject|<(?:eot|sot|bos|eos)>",
    ),
    (
        "role_marker",
        ("system", "developer", "assistant", "gpt", "ai:", "ai :", "admin", "sudo"),
        r"(?:^|\n)\W{0,4}(?:(?:system|developer)(?: (?:message|prompt|instructions?|override|note))?\]? ?[:>] {0,3}"
        r"(?:you (?:are|must|will|should)|ignore|disregard|new |override|from now|always|never|respond|the user)"
        r"|(?:assistant|chatgpt|gpt|ai) ?: {0,3}\S"
        r"|(?:system|admin(?:istrator)?|developer|sudo)[ _-](?:override|prompt|mode|command)\b)",
    ),
    (
        "role_marker",
        ("##", "---", "===", " of prompt", "system prompt", "of the prompt"),
        r"#{2,} ?(?:instructions?|system|response|new task) ?:"
        r"|(?:---|===) ?(?:end|begin|start)(?: of)?(?: (?:the )?(?:prompt|input|text|ticket|context|user))?"
        r" ?(?:=|-|\n|$)"
        r"|\b(?:end|start) of (?:the )?(?:system )?prompt\b",
    ),
    (
        "asks_for_prompt",
        ("prompt", "instruction", "guideline", "directive", "configuration", "programming", "above", "before this"),
        r"\b(?:system|initial|hidden|secret|original) prompts?\b"
        r"|\b(?:reveal|show|print|repeat|output|display|recite|leak|summari[sz]e|tell me|give me|write|copy|state"
        rf"|what(?:'s| is| are| were)|spell ?check)\b{_GAP}\b(?:your (?:\w+ )?(?:prompt|instructions?|guidelines"
        r"|directives?|configuration|programming)|(?:prompt|instructions?|directives?) (?:you(?:'ve| have| were)"
        r"|given to you|above)|(?:text|everything|sentence|words?|conversation|all) (?:above|before this)\b"
        r"|context above|prompt texts?)",
    ),
    (
        "asks_for_prompt",
        ("prompt", "anweisung", "instru", "consigne", "istruzion", "プロンプト"),
        r"\b(?:zeig\w*|nenn\w*|wiederhol\w*|verrat\w*|gib)\b[^.!?\n]{0,30}\b(?:deine?[nrms]?|ihre?[nrms]?|den) "
        r"(?:system-?)?(?:prompt|anweisungen|instruktionen)\b"
        r"|\b(?:montre\w*|affiche\w*|révèle\w*|répète\w*)\b[^.!?\n]{0,30}\b(?:tes|vos|ton|votre) "
        r"(?:instructions|prompt|consignes)"
        r"|\b(?:muestra|revela|repite|dime)\b[^.!?\n]{0,30}\b(?:tus|tu|sus) (?:instrucciones|prompt)"
        r"|\b(?:mostre|revele|repita|mostra)\b[^.!?\n]{0,30}\b(?:suas|seu|tuas) (?:instruções|prompt)"
        r"|\b(?:mostra|rivela|ripeti)\b[^.!?\n]{0,30}\b(?:tue|tuo|sue|vostre) (?:istruzioni|prompt)"
        r"|\b(?:toon|onthul|herhaal)\b[^.!?\n]{0,30}\b(?:je|jouw|uw) (?:instructies|prompt|systeemprompt)"
        r"|プロンプト(?:を|の)[^。\n]{0,10}(?:表示|教え|見せ|出力)",
    ),
    (
        "label_demand",
        ("category", "urgency", "sentiment", "confidence", "classification"),
        r"[\"'](?:category|subcategory|urgency|sentiment|confidence|summary)[\"'] ?[:=] ?[\"']?(?:critical|urgent|high"
        r"|medium|low|security|billing|refund|technical|account|order|feature_request|general|positive|neutral|negative"
        r"|0?\.\d|1\b)"
        r"|\bset (?:the |its |my )?(?:category|urgency|sentiment|confidence|classification)\b"
        r"[^.!?\n]{0,20}\b(?:to|as)\b"
        r"|\b(?:category|urgency|sentiment) ?[=:] ?[\"']?(?:critical|urgent|security|positive)",
    ),
    (
        "label_demand",
        ("classif", "categori", "label", "kategor", "klassif", "class", "catégor", "clasific", "etiquet"),
        r"\b(?:classify|categori[sz]e|label) (?:this|it|me|my|the)\b[^.!?\n]{0,40}\bas\b"
        r"|\b(?:kategorisieren?|klassifizieren?)\b[^.!?\n]{0,40}\bals\b"
        r"|\b(?:classez|classe|catégorise\w*) (?:ce|cette|ceci)\b[^.!?\n]{0,40}\b(?:comme|en)\b"
        r"|\b(?:clasifica|clasifique|etiqueta) (?:este|esta|esto)\b[^.!?\n]{0,40}\bcomo\b"
        r"|\bclassifi(?:que|ca) (?:este|esta|isto|questo|questa)\b[^.!?\n]{0,40}\bcom[eo]\b"
        r"|\bclassificeer (?:dit|deze)\b[^.!?\n]{0,40}\bals\b",
    ),
    (
        "speaks_to_model",
        ("you're", "you are", "from now on", "anything now", "mode"),
        r"\byou(?:'re| are) (?:now|no longer|going to be) (?:an?|in|the|bound|gandalf|dan|free|not|called|\w+bot)\b"
        r"|\bfrom now on,? (?:you|respond|answer|act|your)\b|\bdo anything now\b"
        r"|\b(?:developer|god|dev|dan|jailbroken) mode (?:enabled|activated|on|and)\b"
        r"|\b(?:enter|enable|activate) (?:god|dan|unrestricted) mode\b|\benter developer mode\b"
        r"|\byou are (?:chatgpt|gpt|dan|an? (?:\w+ )?(?:ai|language model|llm|chatbot|assistant|evil|sentient"
        r"|unrestricted|uncensored))\b",
    ),
    (
        "speaks_to_model",
        ("act as", "pretend", "language model", "as an ai", "ai assistant", "role", "capacity", "position"),
        rf"(?:{_OPENING}|you (?:will|must|should|are to|now|can) (?:now )?)act as (?:an?|if|my)\b"
        r"|\bpretend (?:you(?:'re| are)|that you|as if|to be (?:an?|my|the))\b"
        r"|\bas an? (?:\w+ )?(?:ai|language model|llm)\b|\blarge language model\b|\bai assistant\b"
        r"|\b(?:in (?:the|your) (?:role|capacity|position) (?:as|of an?)|take on the role|role-?play\w*)\b",
    ),
    (
        "speaks_to_model",
        ("imagin", "envision", "suppose", "picture", "fiction", "hypothet", "parallel", "alternat", "moral", "ethic"),
        rf"{_OPENING}(?:\w+ )?(?:imagine|envision|suppose|picture) (?:that )?(?:you(?:'re| are)|yourself"
        r"|a (?:world|scenario)|we live)\b"
        r"|\b(?:fictional|hypothetical|parallel|alternate|alternative) (?:\w+ )?(?:world|scenario|universe|reality)\b"
        r"|\bno (?:moral|ethical) (?:\w+ )?(?:constraints|restrictions|guidelines|limits|barriers)\b",
    ),
    (
        "speaks_to_model",
        ("du bist", "tu es", "ahora eres", "agora você", "ora sei", "je bent", "ab jetzt"),
        r"\bdu bist (?:jetzt|nun|ab jetzt)\b|\bstell dir vor,? du bist\b|\btu es maintenant\b|\bahora eres\b"
        r"|\bagora você é\b|\bora sei (?:un|una|il)\b|\bje bent nu (?:een|de)\b|\bab jetzt (?:bist|antworte)",
    ),
    (
        "output_demand",
        ("say", "respon", "answer", "output", "print", "reply", "write", "return", "repeat"),
        r"\b(?:say|respond|answer|output|print|reply|write|return) (?:(?:only|exactly|just|with)\b"
        r"(?: (?:only|exactly|just|with|the (?:word|phrase|text|sentence|string)))*) ?[:,]? ?[\"'“‘`]"
        r"|\b(?:say|respond|answer|output|print|repeat|reply) (?:exactly|only|with|back)(?: \w+){0,2} "
        r"(?:the (?:exact )?(?:words?|phrases?|strings?)|: ?[\"'“‘`])"
        rf"|{_OPENING}(?:only|just|simply) (?:say|output|print|respond with|answer with)\b",
    ),
    (
        "output_demand",
        (" response", " answer", " output", " reply"),
        r"\byour (?:only |entire |next |final )?(?:response|answer|output) (?:must|should|will|has to|is to|shall) "
        r"(?:be|only|not|contain|start|begin|end|include)\b"
        rf"|\b(?:begin|start|end|finish|prefix|preface) (?:your|each|every) (?:{_ANSWER}|message)s?\b"
        rf"|(?:{_OPENING}|please )(?:add|insert|append|integrate|incorporate|augment|modify|replace|substitute|scramble"
        r"|jumble|embed|inject|use|encode|translate|reverse|provide|encrypt)\b[^.!?\n]{1,90}\b(?:in|to|of|within"
        rf"|throughout|into) your {_ANSWER}(?:'s)?\b"
        rf"|{_OPENING}(?:modify|augment|encrypt|encode|scramble|reverse|jumble|alter|compose|deliver|provide) (?:your "
        rf"{_ANSWER}|the letters)\b|{_OPENING}(?:respond|answer|reply) (?:in|with) (?:a |an |all )?(?:reverse|code"
        r"|cipher|caps|morse|binary|pig|riddle|emoji)",
    ),
)
