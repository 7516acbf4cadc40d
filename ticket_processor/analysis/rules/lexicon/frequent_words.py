"""What a language is recognised by: its frequent words, telling letters and endings. Data only."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "en": "the and of to is in it you that was for on are with as his they be at have this from or had by not but "
    "what all were we when your can there an which their if do will each about how up out them then she many some "
    "so these would has been who my please i'm don't can't does did any could should because just get got after "
    "know where why its our he her than me no into over also want need help it's i've how's thanks more make new",
    "de": "der die das und ist nicht ich ein eine einen einem einer sie es wir mit auf für von zu im den dem des "
    "dass wie auch sich nach bei aus wenn aber noch nur werden wird wurde haben habe hat bin sind war kann können "
    "mein meine meinen ihr ihre ihnen mich mir uns oder als am um bitte vielen dank keine kein mehr sehr schon "
    "immer hier hallo über durch zum zur vom diese dieser dieses jetzt was warum seit gegen ihrer unsere leider",
    "fr": "le la les des du de et est un une pour dans que qui pas sur avec ce cette il elle nous vous je ne au aux "
    "mon ma mes votre vos notre nos plus par sont été être avoir ai avez bonjour merci mais ou où si tout très "
    "comme fait faire sans leur leurs ces son sa ses c'est j'ai n'est qu'il d'un d'une l'on suis à y en depuis "
    "même aussi bien peut encore après chez avant moi quand entre était deux",
    "es": "el la los las de del y que en un una por con para no se su sus es al lo como más pero le me mi mis ha he "
    "han este esta estos esto está están ser son muy sin sobre también hasta hay donde quien desde todo nos "
    "todos durante uno les ni contra otros ese eso había ante ellos e yo qué tiene tengo puedo hola gracias cuando "
    "porque cómo ya si fue usted favor necesito quiero después años entre dos era",
    "pt": "o os as a de do da dos das e que em um uma para com não por se na no nas nos mais como mas foi ao ele ela "
    "seu sua seus suas ou ser quando muito há já está eu também só pelo pela até isso entre era depois sem "
    "mesmo aos ter meu minha meus minhas você vocês nós são tem foram estou tenho olá obrigado obrigada pra aqui "
    "porque fazer posso preciso gostaria bom dia à às isto essa esse num numa",
    "it": "il lo la gli le di del della dei delle dello degli e che è un una uno per non con si da in sono al alla "
    "alle agli ai dal dalla nel nella nei come più ma anche se mi ha ho hanno questo questa questi quello io lei "
    "lui noi voi loro mio mia miei suo sua ci ne cosa essere stato perché molto quando dove chi dopo tutto "
    "tutti già ancora solo senza fare buongiorno grazie salve posso vorrei c'è sul sulla o nostro vostro",
    "nl": "de het een en van ik te dat die in is niet je op zijn met voor er aan als hij maar om ook dan wat nog "
    "naar bij uit ze wij we mijn jullie uw u kan kunnen heb heeft hebben wordt worden werd was deze dit door over "
    "tot geen meer al hoe waar wil mij haar hun zou of onze ons bedankt graag hallo moet veel sinds mogelijk ben",
    "sv": "och att det i en jag som på är av för med till den har inte om ett var de man så vi han hon du mig från "
    "kan när nu ska skulle eller men sig där min mitt mina din dem vad här år bara alla också efter vid hur "
    "blir blev varit mycket över under utan någon något några detta denna hade finns sedan får tack hej",
    "da": "og at det i en jeg som på er af for med til den har ikke om et var de man så vi han hun du mig fra kan "
    "når nu skal skulle eller men sig der min mit mine din dem hvad her år kun alle også efter ved hvordan bliver "
    "blev været meget over under uden nogen noget nogle dette denne havde findes siden får tak hej hvis hvor "
    "af hjælpe sige siger gøre bedre selv ud",
    "no": "og at det i en jeg som på er av for med til den har ikke om et var de man så vi han hun du meg fra kan "
    "når nå skal skulle eller men seg der min mitt mine din dem hva her år bare alle også etter ved hvordan blir "
    "ble vært mye over under uten noen noe dette denne hadde finnes siden får takk hei hvis hvor mellom hjelpe "
    "si sier gjøre bedre",
    "fi": "ja on ei se että en hän oli mutta ovat kun niin tai joka jos vain myös mitä minun sen ole olen minä me "
    "he sinä kuin voi olla ollut nyt tämä ne mukaan jo kanssa sitä hyvä kiitos hei miksi missä miten mikä",
    "pl": "i w na z się nie do to jest że o jak za po od ale co przez dla tak przy są już tylko jego jej ich "
    "może być "
    "czy był była który która które mnie mi ja ty my wy oraz gdy lub ze mam proszę dziękuję dzień dobry moje mój "
    "bardzo nie ma bez pod nad jako tego tym także jednak",
    "tr": "ve bir bu da de için ile ne çok var gibi daha o ben sen biz siz ama en kadar olan olarak mi mı mu "
    "mü değil "
    "sonra ki her şey yok beni bana benim nasıl niye neden olduğu ise veya lütfen merhaba teşekkür sizin iki "
    "ancak hiç diye şu önce zaman büyük ya hem",
    "cs": "a je se na v že to s z do i o jak za pro ale jsem by si co tak po jako není jsou který která když jsme "
    "být už mi od dobrý den prosím děkuji při nebo také mám ve k jen můj moje jeho této mezi",
    "ro": "și si în din la de cu pe nu este un o că ce să mai care pentru sunt am a fi are ai sau dar după acest "
    "această foarte când unde vă mulțumesc bună ziua fost prin fără lui către al ale cum dacă",
    "hu": "a az és hogy nem is egy van ez meg de csak már mint volt ha még én ki el vagy minden kell nagyon lesz azt "
    "kérem köszönöm nincs ezt vagyok lehet amely után között miért hogyan",
    "id": "yang dan di itu dengan untuk tidak ini dari dalam akan pada juga saya ke karena tersebut bisa ada mereka "
    "lebih sudah atau saat oleh kami kita anda bagaimana tolong terima kasih belum apa jika telah",
    "vi": "và là của có không một cho được tôi trong với các này đã người những để khi như bạn về thì làm từ đến "
    "nhưng cũng rất vì sao xin chào cảm ơn",
    # Hindi as it is typed in Latin letters, which has no spelling: every usual one is here.
    "hi": "hai hain hei haii tha thi thee ho hu hun hoon hua hui hue huye hoga hogi honge hota hoti hote hona hone "
    "hoke hokar nahi nahin nhi nai ni nahee kya kia kyu kyun kyon kyunki kyuki kyonki kaun kon kab kaise kese kaisa "
    "kaisi kahan kaha kitna kitne kitni kis kisi kisko kiska kisne koi kuch kuchh kch sab sabhi sabko sabse ka ki "
    "ke ko se me mein mai mei par pe pr tak liye lie saath sath bina baad pehle pahle phir fir ab abhi abi aaj aj "
    "kal raat rat subah yeh ye yah woh wo yahi wahi wahan waha yahan yaha idhar udhar jaha jahan ise usko isko "
    "isi usi iska uska iske uske iski uski inka unka inke unke unki inko unko unhone inhone jo jis jiska jiske "
    "jisne jab jabki toh tho bhi na naa mera meri mere mujhe mujhko muje mjhe mujh ham humko humein hame hamara "
    "hamare hamari tum tumko tumhe tumhara tumhare tumhari tera teri tere tu tujhe aap ap aapko apko aapka aapke "
    "aapki apka apke apki apna apne apni khud logo logon logg bhai bhaiya bhaijaan yaar yar dost ji jee kar karo "
    "kr kro karna krna karne krne karta krta karte krte karti krti kiya kiye karke krke karega kregaa karenge "
    "karunga raha rha rahe rhe rahi rhi rahega diya dia diye di dena dene deta dete deti dega denge dunga lo le "
    "lena lene leta lete liya lega gaya gya gaye gye gayi gyi jana jaana jane jaane jata jaata jate jaate jati "
    "jaoge jayega jaega jayegi jao ja aa aana aane aaya aya aaye aye aayi aata ata aate aati aayega aao wala wale "
    "wali waale vala bola bole bolo bolta bolte bolna baat baatein kehte kehta kehna kahte suna suno dekh dekho "
    "dekha dekhna dekhte dekhne dikha mil mila mile milta milte milega milna sakta sakte sakti skta skte chahiye "
    "chahie chahta chahte chaiye lagta lagti lgta laga lagi pata pta maza mazaa bahut bohot bhot bht boht bahot "
    "zyada jyada thoda thodi thode sirf hamesha kabhi kbhi accha acha achha achhi achi acche achhe bura buri "
    "bekar sahi galat glt theek thik bada badi bade chota choti ek aik char paanch din saal baar bar pyar pyaar "
    "dil zindagi duniya desh bharat sarkar neta jai matlab mtlb agar magar lekin lekhin aur aor ya warna varna "
    "shayad zaroor jaroor haan han ghar paisa paise kaam kam naam aadmi ladki ladka beta beti maa baap mummy papa "
    "bhagwan khuda allah inshallah shukriya dhanyavad namaste jaldi dobara waise vaise aise ese jaisa jaise jese "
    "tarah sirji kripya samajh samaj bhool gussa",
}

LETTERS: dict[str, tuple[str, ...]] = {
    "ß": ("de",), "ñ": ("es",), "¿": ("es",), "¡": ("es",), "ã": ("pt",), "õ": ("pt",), "å": ("sv", "da", "no"),
    "ø": ("da", "no"), "æ": ("da", "no"), "ł": ("pl",), "ą": ("pl",), "ę": ("pl",), "ż": ("pl",), "ś": ("pl",),
    "ğ": ("tr",), "ş": ("tr",), "ı": ("tr",), "ř": ("cs",), "ě": ("cs",), "ů": ("cs",), "ț": ("ro",),
    "ș": ("ro",), "ă": ("ro", "vi"), "ő": ("hu",), "ű": ("hu",), "œ": ("fr",), "ê": ("fr", "pt"), "è": ("fr", "it"),
    "ù": ("fr", "it"), "ò": ("it",), "ì": ("it",), "ä": ("de", "sv", "fi"), "ö": ("de", "sv", "fi", "tr"),
    "ü": ("de", "tr"), "ç": ("fr", "pt", "tr"), "ó": ("es", "pt", "pl"), "í": ("es", "pt", "cs"), "đ": ("vi",),
    "ư": ("vi",), "ơ": ("vi",), "â": ("fr", "pt", "ro"), "î": ("fr", "ro"), "ï": ("nl", "fr"), "ë": ("nl",),
}  # fmt: skip

# Endings and openings that vote when few frequent words are there: subject lines, lists of nouns.
AFFIXES: dict[str, tuple[str, ...]] = {
    "ción": ("es",), "ciones": ("es",), "dad": ("es",), "mente": ("es", "pt", "it"), "ção": ("pt",),
    "ções": ("pt",), "dade": ("pt",), "zione": ("it",), "zioni": ("it",), "ità": ("it",), "aggio": ("it",),
    "ung": ("de",), "ungen": ("de",), "keit": ("de",), "lich": ("de",), "isch": ("de",), "schaft": ("de",),
    "ment": ("fr",), "eux": ("fr",), "eaux": ("fr",), "ité": ("fr",), "tion": ("en", "fr"), "ing": ("en",),
    "ness": ("en",), "ould": ("en",), "ed": ("en",), "ly": ("en",), "heid": ("nl",), "lijk": ("nl",),
    "ijk": ("nl",), "aar": ("nl",), "ningen": ("sv", "da"), "ość": ("pl",), "anie": ("pl",), "lar": ("tr",),
    "ler": ("tr",), "ları": ("tr",), "leri": ("tr",), "dır": ("tr",), "ados": ("es", "pt"), "ando": ("es", "pt", "it"),
    "igt": ("sv", "da"), "orna": ("sv",), "arna": ("sv",), "erne": ("da",), "else": ("da",), "ssa": ("fi",),
}  # fmt: skip
