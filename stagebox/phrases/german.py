"""German. It addresses nobody, so that it fits a child, a guest and a president alike.

Names of keys stay as they are written on the box.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from stagebox.phrases import numbers
from stagebox.phrases.wording import Noun, Phrase, Wording, same, tone

PHRASES: Final[Mapping[str, Phrase]] = {
    # --- a request was denied ---
    "deny.floor_taken": Phrase("{name} spricht.", "{name} spricht: Sonst kann gerade niemand."),
    "deny.queue_full": Phrase("Die Warteliste ist voll.", "Zu viele Hände oben. Bitte später."),
    "deny.hands_off": Phrase("Keine Meldungen hier.", "In diesem Raum gibt es keine Meldungen."),
    "deny.not_invited": Phrase(
        "Nur das Podium spricht.", "Hier sprechen nur eingeladene Mitglieder."
    ),
    "deny.consent_needed": Phrase(
        "Hier wird aufgenommen. Zum Zustimmen HAND drücken.",
        "Hier wird aufgenommen. Erst der Aufnahme zustimmen.",
    ),
    "deny.consent_needed.no_hand": Phrase(
        "Hier wird aufgenommen. Zum Zustimmen TALK halten.",
        "Hier wird aufgenommen. Erst der Aufnahme zustimmen.",
    ),
    "deny.receive_only": same("Diese Box hört nur zu."),
    "deny.muted_at_device": Phrase("Stumm.", "MUTE ist an. Erst ausschalten."),
    "deny.retry_after": Phrase("Einen Moment.", "Noch {seconds} bis zum nächsten Drücken."),
    "deny.stage_full": Phrase(
        "Das Podium ist voll.", "Hier sprechen so viele, wie dürfen: Das Podium ist voll."
    ),
    "deny.frozen": Phrase("Bitte warten.", "Die Leitung hält alle an oder hat keinen Kontakt."),
    "deny.held": Phrase("Pause von der Leitung.", "Die Leitung hält dieses Mikrofon an."),
    "deny.internal": Phrase("Das ging nicht.", "Der Hub hat einen Fehler. Nochmal drücken."),
    # --- the floor was taken back ---
    "revoke.too_long": Phrase("Zeit.", "Die Redezeit ist um."),
    "revoke.pre_empted": Phrase("Die Leitung spricht.", "Jetzt spricht jemand mit Vorrang."),
    "revoke.host_hold": Phrase("Pause von der Leitung.", "Die Leitung hält dieses Mikrofon an."),
    "revoke.consent_needed": Phrase(
        "Eine Aufnahme beginnt. Zum Zustimmen HAND drücken.",
        "Eine Aufnahme beginnt, und die Zustimmung dazu fehlt.",
    ),
    "revoke.consent_needed.no_hand": Phrase(
        "Eine Aufnahme beginnt. Zum Zustimmen TALK halten.",
        "Eine Aufnahme beginnt, und die Zustimmung dazu fehlt.",
    ),
    "revoke.frozen": Phrase("Bitte warten.", "Die Leitung hält alle an oder hat keinen Kontakt."),
    "revoke.silence": Phrase("Mikrofon zu.", "Eine Weile war nichts zu hören."),
    "revoke.lost": Phrase("Verbindung weg.", "Der Hub hat die Box verloren. Nochmal drücken."),
    "revoke.left_stage": Phrase("Wieder beim Zuhören.", "Diese Box hört jetzt zu."),
    "revoke.removed": Phrase("Nicht mehr im Raum.", "Die Leitung hat diese Box entfernt."),
    "revoke.room_ended": Phrase("Die Runde ist zu Ende.", "Die Runde ist zu Ende."),
    "revoke.internal": Phrase("Das ging nicht.", "Der Hub hat einen Fehler. Nochmal drücken."),
    # --- a waiting hand came down ---
    "cancel.by_self": Phrase("Hand unten.", "Die Hand ist unten."),
    "cancel.by_host": Phrase("Warteliste geleert.", "Die Leitung hat die Hand heruntergenommen."),
    "cancel.offer_expired": Phrase("Runde verpasst.", "Niemand hat gedrückt: weiter zum Nächsten."),
    "cancel.left": Phrase("Hand unten.", "Die Hand ist unten: zu lange fort."),
    # --- out of a space ---
    "gone.removed": Phrase("Nicht mehr im Raum.", "Die Leitung hat diese Box entfernt."),
    "gone.blocked": Phrase("Nicht mehr im Raum.", "Die Leitung hat diese Box für immer entfernt."),
    "gone.ended": Phrase("Die Runde ist zu Ende. Danke.", "Die Runde ist zu Ende."),
    # --- news of spaces ---
    "news.soon": Phrase("{name} beginnt in fünf Minuten.", "{name} beginnt in wenigen Minuten."),
    "news.due": Phrase("{name} ist dran.", "{name} ist dran: Die Leitung kann öffnen."),
    "news.live": same("{name} läuft."),
    "news.cancelled": same("{name} fällt aus."),
    # --- an act was refused ---
    "error.malformed": Phrase("Diese Box braucht ein Update.", "Die Nachricht war unverständlich."),
    "error.unknown_type": Phrase("Diese Box braucht ein Update.", "Hub und Box sind uneins."),
    "error.too_large": Phrase("Das war zu viel.", "Die Nachricht war zu lang."),
    "error.out_of_order": Phrase("Jetzt nicht.", "Das kam im falschen Moment. Nochmal versuchen."),
    "error.rate_limited": Phrase("Zu schnell.", "Zu viel auf einmal. Einen Moment warten."),
    "error.version": Phrase(
        "Diese Box braucht ein Update.", "Hub und Box brauchen dieselbe Version."
    ),
    "error.identity": Phrase("Diese Box muss eingerichtet werden.", "Der Hub kennt sie nicht."),
    "error.waiting": Phrase(
        "Diese Box wartet auf Einlass.", "Der Hub zeigt sie denen, die ihn betreuen."
    ),
    "error.no_such_space": same("Diesen Raum gibt es nicht."),
    "error.space_full": Phrase("Der Raum ist voll.", "Der Raum nimmt niemanden mehr auf."),
    "error.hub_full": Phrase("Der Hub ist voll.", "Der Hub nimmt niemanden mehr auf."),
    "error.not_in_space": Phrase("In keinem Raum.", "Erst in einen Raum gehen."),
    "error.not_allowed": Phrase("Das darf nur die Leitung.", "Dieser Platz erlaubt das nicht."),
    "error.no_such_member": Phrase("Da ist niemand.", "Niemand ist da, oder niemand wartet."),
    "error.bad_sdp": Phrase("Kein Ton.", "Das Angebot für den Ton war unverständlich."),
    "error.media_failed": Phrase("Kein Ton.", "Der Ton kam nicht zustande. Es geht weiter."),
    "error.replaced": Phrase("Diese Box gibt es doppelt.", "Eine andere Sitzung hat übernommen."),
    "error.bad_value": Phrase("Das kann nicht sein.", "Das kann nicht sein: siehe das Feld."),
    "error.host_not_allowed": Phrase(
        "Räume öffnet nur eine Studiobox.", "Nur Studioboxen und Verwalter machen Räume."
    ),
    "error.only_host": Phrase("Das kann nur die Leitung.", "Das darf nur die Leitung."),
    "error.chair_protected": Phrase(
        "Die Leitung hat immer das Wort.", "Die Leitung kann niemand anhalten oder entfernen."
    ),
    "error.cohost_limit": Phrase(
        "Keine weitere Leitung.", "Mehr können den Raum nicht gemeinsam leiten."
    ),
    "error.stage_full": Phrase("Das Podium ist voll.", "Hier sprechen so viele, wie dürfen."),
    "error.receive_only": Phrase("Diese Box hört nur zu.", "Dieses Mitglied hört nur zu."),
    "error.device_only": Phrase("Das kann nur ein Finger.", "Ein Mikrofon öffnet nur ein Finger."),
    "error.queue_empty": Phrase("Keine Hand oben.", "Es gibt keine Meldung."),
    "error.hands_off": Phrase("Keine Meldungen hier.", "In diesem Raum gibt es keine Meldungen."),
    "error.not_live": Phrase("Noch nicht offen.", "Der Raum ist noch nicht offen."),
    "error.already_live": Phrase("Läuft schon.", "Der Raum ist schon offen."),
    "error.space_ended": Phrase("Die Runde ist zu Ende.", "Die Runde ist zu Ende."),
    "error.standing": Phrase("Dieser Raum bleibt.", "Ein Raum aus den Einstellungen endet nie."),
    "error.confirm_expired": Phrase("Es geht weiter.", "Zu spät bestätigt. Nochmal fragen."),
    "error.blocked": Phrase("Hier ist kein Zutritt.", "In diesen Raum ist kein Zutritt."),
    "error.locked": Phrase("Der Raum ist zu.", "Jetzt kann niemand Neues herein."),
    "error.bad_invite": Phrase("Die Einladung gilt nicht.", "Einladung unbekannt oder zu alt."),
    "error.hidden_not_allowed": Phrase("Nicht ohne Namen.", "Niemand hört hier ohne Namen zu."),
    "error.no_such_pin": Phrase("Schon weg.", "Diesen Zettel gibt es nicht mehr."),
    "error.too_many": Phrase("Mehr geht nicht.", "Es gibt so viele, wie es geben darf."),
    "error.no_captions": Phrase("Keine Untertitel hier.", "Dieser Hub schreibt keine Untertitel."),
    "error.no_streams": Phrase("Kein Stream hier.", "Dieser Hub streamt an niemanden."),
    "error.disk_full": Phrase(
        "Kein Platz für die Aufnahme.", "Auf dem Hub ist kein Platz für eine Aufnahme."
    ),
    "error.internal": Phrase("Das ging nicht.", "Der Hub hat einen Fehler. Nochmal versuchen."),
    # --- how a box stands ---
    "state.offline": tone("Kein Hub. Die Box sucht ihn von selbst."),
    "state.no_space": tone("Verbunden, in keinem Raum: TALK drücken, um einzutreten."),
    "state.idle_free": tone("Das Wort ist frei: TALK drücken."),
    "state.idle_busy": tone("Jemand anders hat das Wort."),
    "state.asking": tone("Bitte um das Wort."),
    "state.queued": tone("Die Hand ist oben."),
    "state.next": tone("Als Nächstes dran."),
    "state.offered": tone("Jetzt dran: TALK drücken."),
    "state.live": tone("Auf Sendung: sprechen."),
    "state.cough": tone("Nicht zu hören, bis TALK losgelassen wird."),
    "state.held": tone("Die Leitung hält dieses Mikrofon an."),
    "state.frozen": tone("Die Leitung hat keinen Kontakt: bitte warten."),
    "state.soon": tone("Hinter der Bühne: Es beginnt bald."),
    "state.consent": tone("Aufnahme: HAND drücken stimmt zu, HAND halten geht hinaus."),
    "state.consent.no_hand": tone("Aufnahme: TALK halten stimmt zu."),
    "state.cooldown": tone("Einen Moment bis zum nächsten Drücken."),
    "state.cut": tone("MUTE ist an: Niemand hört diese Box."),
    # --- everything else ---
    "say.key": tone("Eine Taste ist gedrückt."),
    "say.latched": tone("Auf Sendung, bis TALK noch einmal getippt wird."),
    "say.cough": tone("Nicht zu hören, bis TALK losgelassen wird."),
    "say.permit": tone("Sprechen."),
    "say.queued": Phrase("Hand oben. Nummer {number}.", "Die Hand ist oben, Platz {number}."),
    "say.next": same("Als Nächstes dran."),
    "say.offered": Phrase("Das Wort ist da. TALK drücken.", "Jetzt dran: TALK drücken."),
    "say.turn_passed": Phrase("Runde verpasst.", "Niemand hat gedrückt: weiter zum Nächsten."),
    "say.warning": tone("Die Redezeit ist fast um."),
    "say.no_answer": Phrase(
        "Keine Antwort. Nochmal drücken.", "Der Hub antwortet nicht. Nochmal drücken."
    ),
    "say.muted": Phrase("Stumm.", "MUTE ist an."),
    "say.unmuted": tone("MUTE ist aus."),
    "say.no_microphone": Phrase(
        "Kein Mikrofon.", "Vom Mikrofon kommt nichts: keine Soundkarte, oder keine Tonverbindung."
    ),
    "say.button_stuck": Phrase("Taste klemmt.", "TALK ist zu lange unten: loslassen."),
    "say.link_lost": Phrase("Kein Kontakt zum Hub.", "Kein Hub."),
    "say.link_back": Phrase("Wieder verbunden.", "Der Hub ist wieder da."),
    "say.no_space": Phrase("In keinem Raum.", "In keinem Raum."),
    "say.space_joined": Phrase("Im Raum {name}.", "Im Raum {name}."),
    "say.space_left": Phrase("Hinaus.", "Nicht im Raum. TALK führt zurück."),
    "say.backstage": Phrase(
        "Hinter der Bühne. Das Publikum hört nichts.", "Hinter der Bühne: Das Publikum hört nichts."
    ),
    "say.soon": Phrase("Es beginnt bald.", "Hinter der Bühne: Es beginnt bald."),
    "say.space_live": Phrase("Der Raum ist offen.", "Der Raum ist offen."),
    "say.frozen": Phrase("Leitung ohne Kontakt. Bitte warten.", "Die Leitung hat keinen Kontakt."),
    "say.thawed": Phrase("Es geht weiter.", "Es geht weiter."),
    "say.recording_on": Phrase("Die Aufnahme läuft.", "Dieser Raum wird ab jetzt aufgenommen."),
    "say.recorded": Phrase("Hier wird aufgenommen.", "Dieser Raum wird aufgenommen."),
    "say.recording_off": Phrase("Die Aufnahme ist aus.", "Die Aufnahme ist zu Ende."),
    "say.consent": Phrase(
        "HAND drücken stimmt zu. HAND halten geht hinaus.",
        "HAND drücken stimmt der Aufnahme zu, HAND halten geht hinaus.",
    ),
    "say.consent.no_hand": Phrase("TALK halten stimmt zu.", "TALK halten stimmt der Aufnahme zu."),
    "say.consent_chair": Phrase("NEXT drücken stimmt zu.", "NEXT drücken stimmt der Aufnahme zu."),
    "say.agreed": Phrase("Danke. Sprechen ist frei.", "Der Aufnahme wurde zugestimmt."),
    "say.withdrawn": Phrase("Ohne Aufnahme.", "Diese Box wird nicht aufgenommen und hört nur zu."),
    "say.listener": Phrase("Wieder beim Zuhören.", "Diese Box hört zu."),
    "say.speaker": Phrase("Auf dem Podium.", "Diese Box darf sprechen."),
    "say.cohost": Phrase("Jetzt mit Leitung.", "Diese Box leitet mit: HAND ist jetzt NEXT."),
    "say.host": Phrase("Jetzt Leitung.", "Diese Box leitet: HAND ist jetzt NEXT."),
    "say.hand_up": tone("{name} hebt die Hand."),
    "say.next_given": Phrase("{name} ist dran.", "Das Wort wurde {name} angeboten."),
    "say.priority": tone("Alle anderen machen Pause."),
    "say.all_held": Phrase("Alle machen Pause.", "Alle anderen machen Pause."),
    "say.all_free": Phrase("Alle dürfen sprechen.", "Alle dürfen wieder sprechen."),
    "say.new_space": Phrase(
        "Neuer Raum. TALK öffnet, NEXT bricht ab.", "Neuer Raum? TALK öffnet, NEXT bricht ab."
    ),
    "say.end_space": Phrase(
        "Für alle beenden? TALK bestätigt.", "Für alle beenden ({people})? TALK bestätigt."
    ),
    "say.still_here": Phrase("Nichts geändert.", "Nichts geändert."),
    "say.open_it": same("TALK drücken öffnet den Raum."),
    "say.join_it": same("TALK drücken führt hinein."),
    # --- STATUS ---
    "say.talking": same("{name} spricht."),
    "say.nobody_talks": same("Niemand spricht."),
    "say.played_on": Phrase("Auch auf {name}.", "Läuft auch auf {name}."),
    "say.hands": same("{hands} oben."),
    # --- the network is set up ---
    "say.net_cable": Phrase("Mit Kabel verbunden.", "Das Netz ist da, über ein Kabel."),
    "say.net_joining": Phrase("Das WLAN wird versucht.", "Das WLAN {name} wird versucht."),
    "say.net_joined": Phrase("WLAN verbunden.", "Mit dem WLAN {name} verbunden."),
    "say.net_wrong_key": Phrase(
        "Das WLAN-Passwort ist falsch.", "Das WLAN {name} nimmt das Passwort nicht an."
    ),
    "say.net_no_address": Phrase(
        "Das WLAN gibt keine Adresse. Bitte den Router ansehen.",
        "Das WLAN {name} nimmt das Passwort an und gibt keine Adresse: den Router ansehen.",
    ),
    "say.net_not_found": Phrase(
        "Das WLAN ist nicht da. Die Suche geht weiter.",
        "Das WLAN {name} ist nicht in Reichweite. Die Box sucht weiter.",
    ),
    "say.net_no_route": Phrase(
        "Das WLAN führt nicht zum Hub.", "Das WLAN {name} führt weder zu einem Router noch zum Hub."
    ),
    "say.net_join_failed": Phrase(
        "Das WLAN geht nicht. Es wird weiter versucht.",
        "Das WLAN {name} geht nicht. Es wird weiter versucht.",
    ),
    "say.net_away": Phrase(
        "Das WLAN ist weg. Die Box wartet darauf.",
        "Das WLAN {name} ist weg. Die Box wartet darauf.",
    ),
    "say.net_bad_file": Phrase(
        "In der Einrichtungsdatei ist ein Fehler, Zeile {number}.",
        "stagebox.toml, Zeile {number}: {name}.",
    ),
    "say.net_no_country": Phrase(
        "In der Einrichtungsdatei fehlt das Land.",
        "stagebox.toml braucht das Land, sonst bleibt das WLAN aus.",
    ),
    "say.net_scanning": Phrase(
        "Netze werden gesucht. Bitte warten.",
        "Netze werden gesucht, bevor das Einrichtungsnetz aufgeht.",
    ),
    "say.net_hotspot": Phrase(
        "Am Telefon das WLAN {name} wählen.",
        "Das Einrichtungsnetz heißt {name}; seine Seite ist http://10.42.0.1/.",
    ),
    "say.net_hotspot_key": Phrase(
        "Das Passwort ist {name}. Noch einmal: {name}.",
        "Das Passwort des Einrichtungsnetzes: {name}.",
    ),
    "say.net_hotspot_over": Phrase(
        "Das Einrichtungsnetz ist zu.", "Das Einrichtungsnetz ist zu: Niemand hat es genutzt."
    ),
    "say.net_hotspot_failed": Phrase(
        "Einrichtungsnetz geht nicht. Kabel oder Datei nehmen.",
        "Das Einrichtungsnetz geht nicht auf. Ein Kabel oder stagebox.toml nehmen.",
    ),
    "say.net_no_radio": Phrase(
        "Hier ist kein WLAN. Bitte ein Netzkabel einstecken.",
        "Kein WLAN gefunden. Ein Netzkabel einstecken.",
    ),
    "say.net_no_manager": Phrase(
        "Das Netz geht nicht. Bitte aus- und einschalten.",
        "NetworkManager antwortet nicht. Die Box aus- und einschalten.",
    ),
    # --- a hub of its own ---
    "say.not_enrolled": Phrase(
        "Noch kein Hub. TALK und HAND fünf Sekunden halten.",
        "Diese Box gehört zu keinem Hub. TALK und HAND zusammen 5 s halten.",
    ),
    "say.not_enrolled.no_hand": Phrase(
        "Noch kein Hub. TALK fünf Sekunden halten.",
        "Diese Box gehört zu keinem Hub. TALK 5 s halten.",
    ),
    "say.not_known": Phrase(
        "Der Hub kennt diese Box nicht mehr.",
        "Der Hub kennt diese Box nicht mehr: neu verbinden.",
    ),
    "say.not_let_in": Phrase(
        "Warten auf Einlass.", "Der Hub weiß von dieser Box: Jemand muss sie hereinlassen."
    ),
    "say.strange_hub": Phrase(
        "Das ist nicht mein Hub. Neu verbinden.",
        "Was dort antwortet, ist nicht der Hub dieser Box: neu verbinden.",
    ),
    "say.enrol_code": Phrase(
        "Der Code ist {name}. Noch einmal: {name}.", "Die Box sagt ihren Code: am Hub eintippen."
    ),
    "say.enrolled": Phrase("Verbunden mit {name}.", "Diese Box gehört jetzt zu {name}."),
    "say.enrol_wrong": Phrase("Falscher Code.", "Dem Hub wurde ein anderer Code genannt."),
    "say.enrol_spent": Phrase(
        "Fünfmal falsch. Für einen neuen Code wieder halten.",
        "Dem Hub wurde fünfmal ein anderer Code genannt: Dieser ist verbraucht.",
    ),
    "say.enrol_over": Phrase(
        "Die Zeit ist um. Wieder halten.", "Niemand hat den Code rechtzeitig getippt."
    ),
    "say.enrol_no_window": Phrase(
        "Kein Hub wartet. Dort Box hinzufügen drücken.",
        "Es gibt einen Hub, aber er wartet auf keine Box: dort Box hinzufügen drücken.",
    ),
    "say.enrol_no_hub": Phrase("Kein Hub gefunden.", "In diesem Netz ist kein Hub."),
    "say.enrol_closed": Phrase(
        "Zu viele Codes. {minutes} warten.", "Zu viele Codes in kurzer Zeit: {minutes} warten."
    ),
    "say.enrol_not_kept": Phrase(
        "Das kann nicht gespeichert werden.",
        "Diese Box kann nicht auf ihre Karte schreiben: nicht verbunden.",
    ),
    "say.reset_again": Phrase(
        "Alles löschen? Loslassen und wieder halten.",
        "Loslassen und wieder halten löscht alles.",
    ),
    "say.reset_done": Phrase("Alles ist gelöscht.", "Diese Box hat alles vergessen."),
    "say.panel_gone": Phrase(
        "Das Tastenfeld ist weg. Kabel prüfen.",
        "Das Tastenfeld am Kabel antwortet nicht: Kabel prüfen.",
    ),
    "say.panel_back": Phrase(
        "Das Tastenfeld ist wieder da.", "Das Tastenfeld am Kabel ist wieder da."
    ),
    "say.panel_old": Phrase(
        "Das Tastenfeld braucht ein Update.",
        "Das Tastenfeld geht, hat aber fremde Firmware: 'stagebox panel install' behebt das.",
    ),
    "say.panel_strange": Phrase(
        "Das ist kein passendes Tastenfeld.",
        "Was eingesteckt ist, spricht nicht wie ein Tastenfeld: 'stagebox panel install' hilft.",
    ),
    "say.went_back": Phrase(
        "Das Update ging nicht. Es läuft wieder die alte Version.",
        "Das Update ging nicht: Es läuft die Version davor, so wie sie war.",
    ),
    # --- the box explains itself ---
    "say.learn_hello": Phrase(
        "Hallo. Das ist die Box. Jede Taste beendet die Erklärung.",
        "Jede Taste beendet die Erklärung.",
    ),
    "say.learn_free": Phrase("Weiß, fast immer an: Das Wort ist frei.", "Weiß: Das Wort ist frei."),
    "say.learn_talk": Phrase(
        "TALK halten und sprechen. Loslassen beendet es.", "TALK halten zum Sprechen."
    ),
    "say.learn_red": Phrase("Rot ohne Pause: auf Sendung.", "Rot: auf Sendung."),
    "say.learn_busy": Phrase(
        "Blau, einmal lang, einmal kurz: Jemand spricht.", "Blau: Jemand spricht."
    ),
    "say.learn_hand": Phrase(
        "HAND tippen: Wortmeldung. Grün blinkt: warten.",
        "HAND: Wortmeldung. Grün blinkt: warten.",
    ),
    "say.learn_hand.no_hand": Phrase(
        "TALK drücken: Wortmeldung. Grün blinkt: warten.",
        "TALK: Wortmeldung. Grün blinkt: warten.",
    ),
    "say.learn_turn": Phrase(
        "Grün, fast immer an: jetzt dran. TALK drücken.", "Grün: jetzt dran. TALK drücken."
    ),
    "say.learn_leave": Phrase(
        "Zwei Sekunden halten führt hinaus.", "Zwei Sekunden halten: hinaus."
    ),
    "say.learn_next": Phrase("NEXT gibt das Wort der nächsten Hand.", "NEXT: die nächste Hand."),
    "say.learn_priority": Phrase("NEXT halten: Alle anderen warten.", "NEXT halten: alle warten."),
    "say.learn_new": Phrase(
        "TALK und NEXT zusammen halten: ein neuer Raum.", "TALK und NEXT: ein neuer Raum."
    ),
    "say.learn_closed": Phrase("Gelb: Das Mikrofon bleibt zu.", "Gelb: Das Mikrofon ist zu."),
    "say.learn_mute": Phrase(
        "MUTE schließt das Mikrofon, was auch geschieht.", "MUTE: Das Mikrofon ist zu."
    ),
    "say.learn_listen": Phrase(
        "Diese Box spielt nur. Sie hat kein Mikrofon.", "Nur zum Hören: ohne Mikrofon."
    ),
    "say.learn_volume": Phrase("Zwei Tasten machen lauter und leiser.", "Lautstärke: zwei Tasten."),
    "say.learn_status": Phrase(
        "STATUS sagt, was gerade ist. Halten wiederholt alles.",
        "STATUS: was gerade ist. Halten: noch einmal.",
    ),
    "say.learn_both": Phrase(
        "Beide zusammen sagen, was gerade ist.", "Beide Lautstärketasten: was gerade ist."
    ),
    "say.learn_end": Phrase("Das war alles. Viel Freude.", "Das war alles."),
    "say.invite_code": Phrase("Der Code ist {name}.", "Einladungscode: {name}."),
}

_NOUNS: Final[Mapping[str, Noun]] = {
    "people": Noun("niemand", "eine Person", "Person", "Personen"),
    "hands": Noun("keine Hand", "eine Hand", "Hand", "Hände"),
    "seconds": Noun("keine Sekunde", "eine Sekunde", "Sekunde", "Sekunden"),
    "minutes": Noun("keine Minute", "eine Minute", "Minute", "Minuten"),
}

GERMAN: Final = Wording(
    MappingProxyType(PHRASES),
    MappingProxyType(_NOUNS),
    name="Jemand",
    number="einige",
    aloud=numbers.german,
    respelt=MappingProxyType({"MUTE": "[[mj'u:t]]", "Hub": "[[h'ap]]"}),
)
