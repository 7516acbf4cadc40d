"""Words of mood, Dutch, Japanese, Arabic (without vowel signs, letters unified) and Hindi (both scripts)."""

from __future__ import annotations

from .entries import ByLanguage

MOODS_OTHER: ByLanguage = {
    "nl": {
        0: (
            "bij voorbaat dank, bij voorbaat bedankt, goedemorgen, goede middag, vriendelijke groet, "
            "met vriendelijke groet"
        ),
        3: (
            "uitstekend*, geweldig*, fantastisch*, perfect*, prachtig*, super, top, heerlijk*, beste, "
            "briljant, houd van, hou van, dolblij"
        ),
        2: (
            "goed, goede, blij, tevreden, fijn*, mooi*, vriendelijk*, aardig*, leuk*, prima, gelukkig, "
            "behulpzaam, dank je wel, hartelijk dank, haha*, trots, gefeliciteerd, geniet*, genoten, lekker, "
            "liefde, schattig*, gezellig*, feest, gewonnen, winnen, succes*, bravo, respect, complimenten, "
            "tevredenheid, hilarisch, lachen, dankbaar, top geregeld, snel geholpen, goed geholpen, vlot, "
            "aanrader"
        ),
        1: "bedankt, dank, hoop, beter, snel, graag, handig, interessant",
        -1: (
            "helaas, vertraging*, wachten, wacht, nog steeds, nooit, niets, niemand, probleem, problemen, "
            "jammer, kwijt, geannuleerd, waarom, duur, bang, moe, vervelend*, ziek, gemist, te laat, zorgen, "
            "saai, onduidelijk*"
        ),
        -2: (
            "slecht*, teleurgesteld, teleurstell*, frustr*, nutteloos, belachelijk*, schande, boos, woedend, "
            "irritant*, haat, ontevreden, klacht*, leugen*, dom, stom*, idioot, waardeloos, oplicht*, kut, "
            "klote, rot, zielig, incompetent*, schandelijk*, wanhopig*, triest*, verdrietig*, dood, oorlog, "
            "moord, bedrog, bedrogen, gek van, klootzak*, godver*, tering*, kanker*, shit, flut*, afzetter*, "
            "afzetterij, niet normaal, geen reactie, onbeschoft*, bizar, minachting, klaag*"
        ),
        -3: (
            "verschrikkelijk*, vreselijk*, onacceptabel*, rampzalig*, ramp, nooit meer, schandalig*, "
            "afschuwelijk*, walgelijk*, slechtste"
        ),
    },
    "ja": {
        3: "素晴らしい, すばらしい, 最高, 大好き, 感動, 完璧, 大満足",
        2: ("嬉しい, うれしい, 満足, 良い, 良かった, よかった, 助かりました, 感謝, 楽しい, 気に入って, 親切, 便利"),
        1: "ありがとう",
        -1: "残念, 困って, 困る, まだ, 遅い, 不便",
        -2: (
            "不満, がっかり, ひどい, 酷い, 怒, イライラ, 失望, 最低, 許せない, 迷惑, 不快, ふざけ, 納得でき, 使えない"
        ),
        -3: "最悪, 二度と, 詐欺, あり得ない, ありえない, 信じられない",
    },
    "ar": {
        3: "*رائع*, *ممتاز*, *مذهل*, *افضل*, *اجمل*, *اروع*, *احلي*, *عبقري*, *مبدع*, *ابداع*, *تحفه*",
        2: (
            "*جميل*, *شكرا*, *سعيد*, *سعاده*, *مبروك*, *تهنئ*, *حبيب*, *عشق*, *هههه*, *بالتوفيق*, *فرح*, "
            "*عظيم*, *نجاح*, *ناجح*, *فوز*, *فاز*, *يفوز*, *تفوز*, *انتصار*, *تنتصر*, *فخر*, *فخور*, *كريم*, "
            "*لطيف*, *ممتع*, *متعه*, *يارب*, *الحمد*, *يحفظ*, *صداقه*, *مميز*, *مميزات*, *تسلم*, *يسلم*, "
            "*اعجاب*, *يعجب*, *عجبن*, *استمتع*, *مفيد*, *بركه*, *مبارك*, *تفاؤل*, *ابتسام*, *ضحك*, حب, الحب, "
            "احب*, بحب*, نحب, حبيب*, حلو, حلوه, الحلو, امل, الامل, نامل, خير, الخير, بخير, بطل, البطل, كفو, "
            "امين"
        ),
        -1: "*ليش*, *مو معقول*, *ضد*, *رفض*, *توقف*",
        -2: (
            "*سيء*, *سيئ*, *حزين*, *حزن*, *اكره*, *كراهي*, *يكره*, *للاسف*, *مؤسف*, *زفت*, *فاشل*, *فشل*, "
            "*غبي*, *غباء*, *كذب*, *كاذب*, *ظلم*, *ظالم*, *موت*, *قتل*, *يقتل*, *مقتل*, *قتيل*, *قصف*, *جرح*, "
            "*مصاب*, *تفجير*, *هجوم*, *ضحايا*, *مجازر*, *مجزره*, *تعب*, *زبال*, *كلب*, *كلاب*, *حقير*, "
            "*ازعاج*, *مزعج*, *بكاء*, *ابكي*, *ارهاب*, *دمار*, *تدمير*, *تدمر*, *خسار*, *خسر*, *اسوا*, *وجع*, "
            "*حرب*, *حروب*, *لعن*, *وسخ*, *قذر*, *مريض*, *مرض*, *خايس*, *خيان*, *خائن*, *فضيح*, *فضائح*, "
            "*جريم*, *مجرم*, *احتلال*, *عدوان*, *خطر*, *خطير*, *تهديد*, *يهدد*, *ازمه*, *كارث*, *مؤلم*, *قهر*, "
            "*عجز*, *فساد*, *فاسد*, *حرام*, *تافه*, *سخيف*, *مقرف*, *قرف*, *ممل*, *ملل*, *زعل*, *زعلان*, "
            "*غضب*, *غاضب*, *ندم*, *منافق*, *نفاق*, *حيوان*, *حمار*, *متوحش*, *نصاب*, مؤلم*, الالم, الام, ذل, "
            "الذل, عار, العار, مات, ماتت, خرا"
        ),
    },
    "hi": {
        3: (
            "jabardast, shaandar, lajawab, laajawab, kamaal, kamal, gazab, ghazab, dhamaal, fantastic, superb, "
            "jhakaas, rocks, dhansu"
        ),
        2: (
            "accha, achha, acha, badhiya, shukriya, dhanyavaad, dhanyavad, khush*, pyar, pyaar, mast, shandar, "
            "zabardast, best, great, good, love, happy, congrat*, awesome, nice, mubarak, jeet*, super, "
            "thank*, haha*, beautiful, अच्छ*, बढ़िया, धन्यवाद, शुक्रिया, खुश*, बधाई, प्यार, सुंदर, शानदार, "
            "शुभ*, जय, sahi, अच्छा, achchha, achhi, acchi, achi, acche, achhe, badiya, dhanyawad, pyara, "
            "pyaari, lovely, luv, mubarakbaad, badhai, thanx, thnx, hehe*, sundar, khubsurat, khoobsurat, "
            "swagat, maza, mazaa, maja, umeed, dua, duaa, salute, salaam, proud, garv, fav, favourite, cute, "
            "sweet, wah, waah, wow, lol, superhit, blockbuster, jai, zindabad, zindabaad, intezar, intezaar, "
            "dildar, mazedaar, funny, hasi, hansi, perfect, cool, bless*, jeetega, jeetenge, aashirwad, "
            "amazing, epic, rofl, lmao, kadak"
        ),
        -2: (
            "bura, bekar, bakwas, ghatiya, gussa, dukh*, nafrat, dhokha, chor*, jhoot*, jhuth*, sad, bad, "
            "worst, hate, kutta, kutte, kamin*, sala, saale, pagal, marr*, mar, maut, fail*, ganda, gande, "
            "gadha, chutiya*, harami, besharam, sharam, gaddar, dalal, बुरा, बेकार, घटिया, दुख*, झूठ*, चोर*, "
            "नफरत, शर्म*, मौत, भ्रष्ट*, गंदा, गद्दार*, कुत्त*, हत्या, आतंक*, हार, buri, bure, bekaar, bakwaas, "
            "dhoka, dhokebaaz, chor, choro, chori, chutiy*, jhooth*, kutto, kameen*, saala, saali, mara, mare, "
            "maro, mout, flop, gandi, gadhe, haraami, haramkhor, beshram, sharm, dalle, bhosd*, madarc*, "
            "behenc*, bhench*, bc, mc, randi, suar, haram, loot*, lut*, ghotala*, bhrasht*, corrupt*, bhikari, "
            "rona, rote, roti, ro raha, dard, takleef, pareshan*, bimar, barbaad, barbad, nuksan, haar, hara, "
            "hare, hargaya, besharmi, sharmnaak, ghamand, gunda, gunde, aatank*, atank*, jail, rape*, rapist, "
            "murder, jhagda, ladai, dushman, nakli, fake, faltu, fuck*, shit, stupid, idiot, boring, thoo, "
            "thu, chup, jhuthe, chamche, chamcha, bewakoof, bewkuf, ullu, besharm, kharab, kharaab, galat, "
            "dhakosla, nautanki, gaali, gali, tatti, chutiyapa, bakchod*, paap, papi, majboor, garib*, "
            "gareeb*"
        ),
    },
}
