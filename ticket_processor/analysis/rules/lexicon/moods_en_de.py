"""Words of mood, English and German. The whole is ``moods.SENTIMENT``."""

from __future__ import annotations

from .entries import ByLanguage

MOODS_EN_DE: ByLanguage = {
    "en": {
        0: (
            "thanks in advance, thank you in advance, thank you ~ in advance, best regards, kind regards, "
            "warm regards, thank you for your time, thank you for your ~ support, "
            "thank you for your ~ attention, please advise"
        ),
        3: (
            "excellent, amazing, awesome, fantastic, outstanding, wonderful, brilliant, superb, love, loved, "
            "loving, best, perfect, thrilled, delighted, incredible, phenomenal, kudos, exceptional, rocks, "
            "you rock, favorite, favourite, excited, gorgeous, legend, legends, made my day, well done, "
            "great job, good job, nice job, great service, stunning, epic, greatest, flawless, masterpiece, "
            "ecstatic, overjoyed, love it, so proud, thank god"
        ),
        2: (
            "great, happy, glad, pleased, impressed, helpful, good, nice, beautiful, enjoy*, "
            "thank you so much, thanks so much, much appreciated, appreciate*, grateful, satisfied, smooth, "
            "smoothly, friendly, cool, congrats, congratulations, proud, fun, sweet, yay, woohoo, lol, haha*, "
            "cheers, thx for, thanks for the, thank you for the, blessed, win, wins, winner, safe travels, "
            "fabulous, super, lovely, hero, cute, celebrate, dope, hilarious, pumped, can't wait, enjoyed, "
            "enjoying, laugh*, lmao, hahaha*, yay*, woot, victory, winning, won, bless*, hug, hugs, xoxo, "
            "sunshine, celebrating, adorable, handsome, inspiring, inspired, thankful, relaxing, peaceful, "
            "joy, wishing, honored, honoured, delicious, yummy, awww*, aww, sweetheart, babe, sexy, exciting, "
            "brilliantly, pleasant*, courteous, patient, accommodating, resolved quickly, quick response, "
            "on time, saving my, hooray, shout out, shoutout, props, pleasure, smiling, thrill*"
        ),
        1: (
            "thanks, thank you, thank, ty, thx, better, recommend*, fine, hope, looking forward, smile*, kind, "
            "welcome, easy, like, fast, quick, quickly, comfortable, wow, good luck, ready, tomorrow night, "
            "birthday, favor"
        ),
        -1: (
            "delay, delays, delayed, cancelled, canceled, late flight, flightled, flight late, still waiting, "
            "waiting, stuck, lost, unable, no response, no reply, unfortunately, sad, sorry, problem, "
            "problems, issue*, wrong, fail, fails, slow, confus*, hours, hour, hrs, hold, on hold, missed, "
            "missing, why, nothing, no one, nobody, still no, still not, never, again, refuse*, concern*, "
            "doesn't work, can't even, cannot, hung up, damaged, broken, sitting, tired, worried, least, "
            "without, forced, charge, lack, not working, another, excuse, excuses, bored, miss you, ugh, meh, "
            "pain, hurt*, lonely, unlucky, no help, no answer, no luck, too long, late, overbooked, stranded, "
            "misplaced, busy signal, grounded, understaffed, no explanation, no record"
        ),
        -2: (
            "bad, poor, poorly, annoy*, upset, disappoint*, dissatisf*, frustrat*, unhappy, rude, mess, "
            "ignored, ignoring, ridiculous, unreliable, waste, wasted, useless, hate, hates, hated, fail*, "
            "failure, lied, lies, liar*, lie, lying, stupid, dumb, suck*, complain*, complaint, complaints, "
            "unhelpful, misleading, dishonest, joke, nightmare, shame, unfair, incompetent, hell, crap, "
            "crappy, wtf, smh, damn, screwed, fuck*, shit*, bullshit, ass, bitch*, idiot*, cheat*, fed up, "
            "sick of, tired of, over an hour, for hours, hours on hold, hour delay, not happy, not impressed, "
            "not acceptable, terribly, blame, dead, death, kill*, die, died, murder*, war, racist, attack, "
            "ugly, boring, disgust, angry, mad, pissed, lousy, fool, moron*, evil, cry, crying, tragic, "
            "tragedy, loser, losers, losing, weak, sucks, sucked, killed, killing, terrorist*, corrupt*, "
            "hypocrit*, racism, rape, pathetic*, dreadful, clueless, careless, inexcusable, insane, insult*, "
            "insulting, lame, crazy, awful*, sadly, suffering, disrespect*, mistreat*, unprofessional, "
            "unresponsive, inept, ineptitude, fiasco, shambles, debacle, appalled, shocking, horribly, "
            "poorest, misled, ripped, effing, ffs, wth, are you kidding, kidding me, seriously, "
            "get it together, no excuse, do better, not okay, not ok, not cool, not fair, lack of, "
            "switching to, lost a customer, losing a customer, epic fail, thanks for nothing, "
            "thanks a lot for nothing, way to go, waited ~ hours, waiting ~ hours, been on hold, on hold for, "
            "never respond*, refuse to"
        ),
        -3: (
            "terrible, horrible, awful, worst, worse, unacceptable, disgust*, disgrace*, pathetic, outrageous, "
            "appalling, atrocious, abysmal, furious, rip off, ripoff, scam, scammers, never again, garbage, "
            "trash, cancel my contract, horrendous, horrid, disaster, worthless, never fly, never flying, "
            "never buy, last time i"
        ),
    },
    "de": {
        0: (
            "danke im voraus, vielen dank im voraus, vielen dank für ihre, mit freundlichen grüßen, "
            "beste grüße, viele grüße, schöne grüße, guten tag, guten morgen"
        ),
        3: (
            "ausgezeichnet*, hervorragend*, fantastisch*, großartig*, wunderbar*, perfekt*, begeistert, liebe, "
            "super, spitze, klasse, genial*, exzellent*, bester, beste, besten, toll, tolle, toller, tolles, "
            "traumhaft, vielen lieben dank"
        ),
        2: (
            "gut, gute, guter, gutes, guten service, zufrieden*, schön*, freundlich, freundliche, "
            "hilfsbereit*, freue*, freu, freude, gefällt, lob, prima, glücklich*, angenehm*, pünktlich*, geil, "
            "geile, cool*, lustig*, lecker, endlich wieder, glückwunsch, bequem*, entspannt*, nett*, "
            "sympathisch, herzlichen dank, danke für, haha*, hihi, gewonnen, sieg, erfreulich*, erfolg*, "
            "gelungen*, empfehl*, vorbildlich*, sauber*, bravo, respekt, daumen hoch, hut ab, lachen, lacht, "
            "lustig, witzig*, süß*, hübsch*, niedlich*, verliebt, geliebt*, glück, freude*, feiern, jubel*, "
            "siegt, erleichter*, aufatmen, endlich, stolz, zuverlässig*, kompetent*, hilfreich*, flott*, lob*, "
            "gelobt, genieß*, genoss*, gemütlich*, wow, yeah, juhu*, hehe*, xd, liebt, liebe dich, pünktlich, "
            "gratulation, gratulier*, dankeschön"
        ),
        1: ("danke, dank, gern*, hoffe, besser, dankbar, spaß, günstig*, lieb*, schnell*, interessant*, läuft, hurra"),
        -1: (
            "leider, verspätung*, verspätet*, wieder, schon wieder, ausfall*, ausgefallen, fällt aus, "
            "fallen aus, warten, warte, wartet, gewartet, immer noch, verpasst, gesperrt, stau, "
            "streckensperrung, traurig*, schade, nie, nix, nichts, niemand, teuer*, überfüllt*, problem*, "
            "störung*, voll, warum, wieso, dauert, kein, keine, defekt*, kaputt*, streik*, sorge*, angst, "
            "behinderung*, zugausfall*, unpünktlich, vergeblich, umsonst, gestrichen, kritik, kritisier*, "
            "vorwurf, vorwürfe, krank*, müde, langweil*, einsam, weinen, heul*, verpass*, blockier*, "
            "unverständlich*, keine durchsage, keine info*, keine ahnung, bleibt liegen"
        ),
        -2: (
            "schlecht*, ärger*, enttäusch*, frust*, unzufrieden*, unfreundlich*, nerv*, unverschämt*, "
            "peinlich*, lächerlich*, unfähig*, dumm*, blöd*, doof*, chaos, chaotisch, sauer, wütend*, hass*, "
            "hasse*, beschwer*, saftladen, dreck*, mist, verarsch*, abzocke*, stink*, ekel*, eklig*, "
            "unpünktlich*, zum kotzen, kotz*, scheiß*, scheiss*, arsch*, idiot*, lügen, lügner*, gelogen, "
            "versagt, versagen, schlimm*, schrecklich*, unmöglich*, frech*, frechheit, tot, tote, terror, "
            "krieg, opfer, überfall*, schlägerei, belästig*, aggressiv*, beleidig*, gewalt, messer, schlägt, "
            "verletzt*, unfall, gefährlich*, assi*, pöbel*, unzuverlässig*, katastrophal, mies, miese, mieser, "
            "mieses, übel*, hassen, verpennt, bescheuert*, behindert, schwachsinn, unsinn, quatsch, wahnsinn, "
            "kriminell*, gestört*, unmenschlich*, unsozial*, unverschämtheit, verarsche, verarschung, "
            "scheisse, kacke, kack*, fuck*, fick*, wichser, hurensohn, spasti, trottel, depp, deppen, pfui, "
            "igitt, versifft*, verdreckt*, gestank, mobbing, nazi*, rassis*, mord, tod, tödlich, gestorben, "
            "sterben, stirbt, anschlag, schock*, panik, versäum*, pleite, unfassbar*, unglaublich schlecht, "
            "inkompeten*, kotzt, ausgeraubt, lüge, lügt, schlimmer, absurd*, zum heulen, wie immer zu spät, "
            "mal wieder, schon wieder verspätung, natürlich wieder, danke für nichts"
        ),
        -3: (
            "katastrophe, katastrophal*, furchtbar*, inakzeptabel*, unerträglich*, skandal*, miserabel*, "
            "grauenhaft*, grausam*, unzumutbar*, nie wieder, zumutung, schande, horror, drecks*, "
            "armutszeugnis, schlechteste*, entsetzlich*"
        ),
    },
}
