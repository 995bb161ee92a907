"""Sentences of known text, read by a person: telephone prompts in American English.

They are those of Debian's ``asterisk-core-sounds-en-g722`` (16 kHz) that are whole
sentences of common words; numbers and names of products are left out.
"""

from functools import cache
from pathlib import Path
from typing import Final

import av
import numpy as np

from stagebox.media.frames import SAMPLE_RATE, Pcm

FOLDER: Final = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
REMEDY: Final = "Install a real voice: apt-get install asterisk-core-sounds-en-g722"

SENTENCES: Final = {
    "agent-newlocation": "please enter a new extension followed by pound",
    "agent-pass": "please enter your password followed by the pound key",
    "auth-incorrect": "password incorrect please enter your password followed by the pound key",
    "conf-extended": "the conference has been extended",
    "conf-getchannel": "please enter the channel number followed by the pound key",
    "conf-getconfno": "please enter your conference number followed by the pound key",
    "conf-invalid": "that is not a valid conference number please try again",
    "conf-kicked": "you have been kicked from this conference",
    "conf-leaderhasleft": "the leader has left the conference",
    "conf-lockednow": "the conference is now locked",
    "conf-noempty": "no empty conferences currently exist",
    "conf-nonextended": "the conference cannot be extended",
    "conf-now-muted": "the conference is now muted",
    "conf-now-recording": "the conference is now being recorded",
    "conf-onlyone": "there is currently one other participant in the conference",
    "conf-onlyperson": "you are currently the only person in this conference",
    "conf-otherinparty": "other participants in the conference",
    "conf-placeintoconf": "you will now be placed into the conference",
    "conf-waitforleader": "the conference will begin when the leader arrives",
    "demo-congrats": (
        "congratulations you have successfully installed and executed the asterisk open source"
        " pbx you have also installed a set of sample sounds and configuration files that should"
        " help you to get started like a normal pbx you will navigate this demonstration by"
        " dialing digits if you are using a console channel driver instead of a real phone you"
        " can use the dial answer and hang up commands to simulate the actions of a standard"
        " telephone"
    ),
    "demo-echodone": "the echo test has been completed",
    "demo-echotest": (
        "you are about to enter an echo test in this mode everything you say will be repeated"
        " back to you just as soon as it is received the purpose of this test is to give you an"
        " audible sense of the latency between you and the machine that is running the echo test"
        " application you may end the test by hanging up or by pressing the pound key"
    ),
    "demo-nomatch": "i'm sorry there are no matches for those keywords",
    "dir-nomore": "there are no more compatible entries in the directory",
    "dir-welcome": "welcome to the directory",
    "invalid": "i am sorry that's not a valid extension please try again",
    "pbx-invalidpark": ("i am sorry there is no call parked on that extension please try again"),
    "priv-callpending": "i have a caller waiting who introduces themselves as",
    "priv-introsaved": ("thank you please hold while i attempt to connect you with your party"),
    "priv-recordintro": "at the tone please say your name",
    "privacy-incorrect": "i'm sorry that number is not valid",
    "privacy-prompt": "please enter your phone number starting with the area code",
    "privacy-unident": ("the party you are trying to reach does not accept unidentified calls"),
    "queue-holdtime": "the estimated hold time is currently",
    "queue-thankyou": "thank you for your patience",
    "queue-youarenext": (
        "your call is now first in line and will be answered by the next available representative"
    ),
    "ss-noservice": (
        "the number you have dialed is not in service please check the number and try again"
    ),
    "transfer": "please hold while i try that extension",
    "tt-allbusy": (
        "all representatives of the household are currently assisting other telemarketers please"
        " hold and your call will be answered in the order it was received"
    ),
    "tt-monkeysintro": "they have been carried away by monkeys",
    "tt-somethingwrong": "something is terribly wrong",
    "tt-weasels": "weasels have eaten our phone system",
    "vm-dialout": "please wait while i connect your call",
    "vm-enter-num-to-call": "please enter the number you wish to call",
    "vm-nobodyavail": "nobody is available to take your call at the moment",
    "vm-tempgreetactive": "your temporary greeting is currently active",
}


class PromptsMissingError(RuntimeError):
    """The voice is not installed; the text says what to install."""


@cache
def prompt(name: str, rate: int = SAMPLE_RATE) -> Pcm:
    """Return one sentence, mono.

    Raises:
        PromptsMissingError: it is not installed.
    """
    path = FOLDER / f"{name}.g722"
    if not path.is_file():
        raise PromptsMissingError(REMEDY)
    resampler = av.AudioResampler("s16", "mono", rate)
    with av.open(str(path), format="g722") as source:
        pieces = [
            each.to_ndarray().ravel()
            for frame in [*source.decode(audio=0), None]
            for each in resampler.resample(frame)
        ]
    return np.concatenate(pieces)


def words(text: str) -> list[str]:
    """Return what is compared: words in small letters, without signs."""
    kept = "".join(sign if sign.isalnum() or sign == "'" else " " for sign in text.lower())
    return kept.split()


def word_errors(spoken: str, heard: str) -> tuple[int, int]:
    """Return how many words are wrong, missing or too many, and how many were spoken.

    The least number of changes (Levenshtein) that make one list of words the other.
    """
    truth, guess = words(spoken), words(heard)
    row = list(range(len(guess) + 1))
    for at, word in enumerate(truth, 1):
        before, row[0] = row[0], at
        for to, other in enumerate(guess, 1):
            best = min(row[to] + 1, row[to - 1] + 1, before + (word != other))
            before, row[to] = row[to], best
    return row[-1], len(truth)
