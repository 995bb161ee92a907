"""What the lamps, tones and gestures mean, in German; English is beside the tables themselves."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from device.audio.earcons import Earcon
from device.buttons.gesture import Gesture
from device.buttons.meanings import Standing

LAMPS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "off": "Im Ruhezustand, oder verbunden und in keinem Raum: TALK drücken.",
        "connecting": "Die Box startet oder sucht den Hub.",
        "no_hub": "Kein Kontakt zum Hub, oder sie gehört zu keinem.",
        "no_media": "Der Hub antwortet, aber noch kommt kein Ton.",
        "idle_free": "Das Wort ist frei: TALK drücken und sprechen.",
        "idle_busy": "Jemand anderes spricht.",
        "not_heard": "TALK ist gedrückt, und noch hört es niemand.",
        "queued": "Die Hand ist oben.",
        "next": "Gleich an der Reihe.",
        "offered": "Jetzt an der Reihe: TALK drücken.",
        "live": "Die eigene Stimme geht hinaus.",
        "warning": "Die eigene Stimme geht hinaus, und die Zeit ist bald um.",
        "held": "Die Leitung hält das Mikrofon geschlossen.",
        "cough": "Das Mikrofon ist eingerastet, und zu, solange TALK unten ist.",
        "frozen": "Die Leitung hat keinen Kontakt oder hält alle an: bitte warten.",
        "soon": "Der Raum beginnt bald.",
        "consent": "Hier wird aufgenommen, und das Mikrofon ist zu bis zur Zustimmung.",
        "cooldown": "Das war lang: einen Moment warten bis zum nächsten Druck.",
        "cut": "MUTE ist an: Das Mikrofon ist abgeschaltet.",
        "no_sound": "Mikrofon oder Lautsprecher fehlt.",
        "stuck": "Eine Taste ist zu lange unten: wegnehmen, was darauf liegt.",
        "confirm": "Die Box wartet auf eine Taste, die ja sagt.",
        "tutorial": "Die Box erklärt ihre Tasten; jede Taste beendet das.",
        "pairing": "Die Box wartet darauf, mit einem Hub verbunden zu werden.",
        "hotspot": "Die Box wartet auf ein Telefon, das ihr WLAN einrichtet.",
        "no_network": "Das Netz braucht jemanden: Die Stimme hat gesagt, was fehlt.",
        "find": "Das ist die Box, die jemand sucht.",
        "link_lost": "Das Tastenfeld hat seine Box verloren: Kabel prüfen.",
        "refused": "Dreimal Blinken: Das geht jetzt nicht.",
        "sparkle": "Ein Zwinkern: Jemand klatscht.",
        "news": "Ein langes Leuchten: Neues von einem Raum, etwa eine Einladung.",
    }
)
TONES: Final[Mapping[Earcon, str]] = MappingProxyType(
    {
        Earcon.PERMIT: "Jetzt sprechen: Alle hören zu.",
        Earcon.OFFERED: "Jetzt an der Reihe: TALK drücken. Oder eine Frage: TALK heißt ja.",
        Earcon.QUEUED: "Erledigt: Die Hand ist oben, oder was gewünscht war, ist getan.",
        Earcon.DENY: "Nein: nicht jetzt oder nicht hier. Die Stimme sagt, warum.",
        Earcon.BUSY: "Jemand anderes spricht.",
        Earcon.WARNING: "Die Zeit ist bald um. Oder eine Frage, die etwas beendet.",
        Earcon.REVOKED: "Das Wort ist weg, oder die Reihe ist vorbei.",
        Earcon.RECORDING: "Eine Aufnahme beginnt, läuft oder endet.",
        Earcon.ENDED: "Der Raum ist zu Ende, oder man ist hinaus.",
        Earcon.HAND_UP: "Jemand meldet sich, oder es gibt Neues von einem Raum.",
        Earcon.LINK_LOST: "Kein Kontakt zum Hub.",
        Earcon.LINK_BACK: "Der Hub ist wieder da.",
        Earcon.TICK: "Eine Taste hat gewirkt: ein Schritt lauter, oder lange genug gehalten.",
        Earcon.LATCHED: "Das Mikrofon bleibt ohne Finger offen, bis zum nächsten Tippen.",
        Earcon.COUGH: "Niemand hört zu, solange TALK gehalten wird.",
    }
)
GESTURES: Final[Mapping[Gesture, str]] = MappingProxyType(
    {
        Gesture.TALK: "TALK drücken",
        Gesture.TALK_TAP: "TALK antippen",
        Gesture.TALK_HOLD: "TALK halten",
        Gesture.HAND_TAP: "{hand} antippen",
        Gesture.HAND_DOUBLE: "{hand} zweimal antippen",
        Gesture.HAND_HOLD: "{hand} halten",
        Gesture.HAND_LET_GO: "{hand} loslassen",
        Gesture.HAND_STUCK: "{hand} vier Minuten halten",
        Gesture.DOUBLE_HOLD: "{hand} zweimal antippen und halten",
        Gesture.BOTH: "TALK und {hand} zusammen 2 s halten",
        Gesture.BOTH_LONG: "TALK und {hand} zusammen 3 s halten",
        Gesture.BOTH_ENROL: "TALK und {hand} zusammen 5 s halten",
        Gesture.TALK_ENROL: "TALK 5 s halten",
        Gesture.MUTE_ON: "MUTE an",
        Gesture.MUTE_OFF: "MUTE aus",
        Gesture.STATUS: "STATUS drücken, oder lauter + leiser",
        Gesture.STATUS_HOLD: "STATUS halten, oder lauter + leiser",
        Gesture.VOLUME_UP: "lauter drücken",
        Gesture.VOLUME_DOWN: "leiser drücken",
    }
)
STANDINGS: Final[Mapping[Standing, str]] = MappingProxyType(
    {
        Standing.OFFLINE: "ohne Hub",
        Standing.UNENROLLED: "wenn die Box zu keinem Hub gehört",
        Standing.OUT: "in keinem Raum",
        Standing.ASKED: "nach einer Frage der Box",
        Standing.LATCHED: "wenn das Mikrofon eingerastet ist",
        Standing.WAITING: "mit erhobener Hand",
        Standing.CONSENT: "bei einer Aufnahme ohne Zustimmung",
        Standing.STAGE: "auf dem Podium",
        Standing.SEAT: "in einem Raum",
        Standing.BACKSTAGE: "als Leitung vor dem Beginn",
        Standing.HOST: "als Leitung",
        Standing.CHAIR: "als Leitung oder Mitleitung",
        Standing.LISTENING: "auf einer Box, die nur zuhört",
    }
)
# By the English words: a row that changes there asks for new words here.
OUTCOMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "talk while you hold it, or ask for the floor": "Sprechen, solange sie unten ist, oder"
        " um das Wort bitten.",
        "are not heard while you hold it": "Solange hört niemand zu.",
        "hear that the space is recorded, and how to agree": "Die Box sagt, dass aufgenommen"
        " wird und wie man zustimmt.",
        "hear that there is no hub": "Die Box sagt, dass der Hub fehlt.",
        "say yes": "Ja sagen.",
        "join the space": "In den Raum gehen.",
        "hear that the box only listens": "Die Box sagt, dass sie nur zuhört.",
        "are heard until the next tap": "Alle hören zu, bis zum nächsten Tippen.",
        "are not heard any more": "Niemand hört mehr zu.",
        "are heard again when you let go (after three seconds the floor is given back)": (
            "Nach dem Loslassen hören wieder alle zu (nach drei Sekunden ist das Wort weg)."
        ),
        "agree to be recorded": "Der Aufnahme zustimmen.",
        "take your hand down": "Die Hand herunternehmen.",
        "raise your hand, or take it down": "Die Hand heben oder herunternehmen.",
        "hear why there is no hand to raise": "Die Box sagt, warum das nicht geht.",
        "say no": "Nein sagen.",
        "clap, silently": "Klatschen, ohne Ton.",
        "step down into the audience": "Vom Podium ins Publikum gehen.",
        "leave the space": "Den Raum verlassen.",
        "give the floor to the next hand": "Der nächsten Hand das Wort geben.",
        "hear the code that lets guests in": "Die Box liest den Code für Gäste vor.",
        "pause everybody, or let everybody talk again": "Alle anhalten oder wieder freigeben.",
        "open the space to its audience": "Den Raum für das Publikum öffnen.",
        "pause everybody else while you hold it": "Alle anderen anhalten, solange sie unten ist.",
        "let the others talk again": "Die anderen dürfen wieder sprechen.",
        "hear that a key is stuck": "Die Box sagt, dass eine Taste klemmt.",
        "are asked whether to open a new space": "Die Box fragt: einen neuen Raum öffnen?",
        "are asked the same": "Die Box fragt dasselbe.",
        "are asked whether to end the space": "Die Box fragt: den Raum beenden?",
        "hear the code that joins the box to a hub": "Die Box sagt den Code, der sie mit einem Hub"
        " verbindet.",
        "are not heard, whatever happens": "Niemand hört zu, was auch geschieht.",
        "may talk again, with a new press of TALK": "Wieder sprechen, sobald TALK neu gedrückt"
        " wird.",
        "hear where you are, who talks and what is next": "Die Box sagt, wo man ist, wer spricht"
        " und was kommt.",
        "hear what the keys and the lamp mean": "Die Box erklärt Tasten und Lampe.",
        "hear the others louder": "Die anderen sind lauter.",
        "hear the others less loud": "Die anderen sind leiser.",
    }
)
