"""Recordings of a running hub, from the agreement to the purge, over HTTP and on the disk."""

import asyncio
import errno
import io
import json
import os
import shutil
import zipfile
from pathlib import Path

import aiohttp
import pytest
from msgspec.structs import replace

from hub.captions.board import Line
from hub.recording import index as indexes
from hub.recording.library import Library
from hub.recording.take import PROGRAMME, voice_file
from hub.recording.vault import INDEX, Vault
from hub.spaces.rights import Actor
from stagebox.media.frames import SAMPLE_RATE
from stagebox.wire.acts import Agree, RecordSet
from stagebox.wire.causes import ErrorCode
from tests.loopback.hub.crew import Guest, crew, until
from tests.loopback.recording.kit import (
    ADMIN,
    LATER_S,
    SPACE,
    RecordingHub,
    enter,
    hub_config,
    loud,
    recording_hub,
)
from tests.loopback.web.kit import Browser
from tests.support.voices import speaker
from tests.unit.hub.recording_kit import alike_anywhere, decoded, heard_in

ANNA, BERT = Guest("Anna", number=1), Guest("Bert", number=2)
SAID = speaker(0, 4), speaker(1, 4)
MARKER = "2031-05-01T20:00:00Z"


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def two_talked(hub: RecordingHub, *, agreed: tuple[Guest, ...]) -> tuple[str, list[bytes]]:
    """Record Anna and then Bert; return the recording and Bert's packets."""
    await hub.record(*agreed)
    now = asyncio.get_running_loop().time() + LATER_S
    hub.tape(ANNA, SAID[0], now)
    spoken = hub.tape(BERT, SAID[1], now + 6.0)
    hub.recorder.said(Line(SPACE, ANNA.id, now + 0.5, now + 1.5, "Good evening."))
    hub.recorder.said(Line(SPACE, BERT.id, now + 6.5, now + 7.5, "So it is."))
    return await hub.stop(), spoken


async def test_from_the_agreement_to_the_purge(tmp_path: Path) -> None:
    anna, bert = ANNA.again(), BERT.again()
    async with recording_hub(tmp_path) as hub, crew(anna, bert), Browser(hub) as admin:
        await enter(hub, anna, bert)
        await admin.administer()
        await hub.record(anna, bert)
        running = (await admin.ask("GET", "/recordings")).json["recordings"]
        assert [(one["running"], one["name"]) for one in running] == [(True, "Main")]
        assert (await admin.ask("GET", f"/recordings/{running[0]['id']}")).code == "already_live"
        now = asyncio.get_running_loop().time() + LATER_S
        hub.tape(anna, SAID[0], now)
        hub.tape(bert, SAID[1], now + 6.0)
        hub.recorder.said(Line(SPACE, anna.id, now + 0.5, now + 1.5, "Good evening."))
        recording = await hub.stop()
        assert ("tape", SPACE, "False") in hub.media.calls

        (line,) = (await admin.ask("GET", "/recordings")).json["recordings"]
        assert (line["id"], line["talkers"], line["why"]) == (recording, 2, "stopped")
        assert line["deleted_on"] > line["ended_at"]
        shown = (await admin.ask("GET", f"/recordings/{recording}")).json
        assert [part["name"] for part in shown["chapters"]] == ["Anna", "Bert"]
        assert shown["gaps"][0]["seconds"] > 5
        assert shown["notice"].startswith("This is a recording of Main.")
        vtt = await admin.ask("GET", f"/recordings/{recording}/captions.vtt")
        assert vtt.text.startswith("WEBVTT")
        assert "Good evening." in vtt.text

        async with admin.http.get(hub.url(f"/api/v1/recordings/{recording}/audio")) as answer:
            data = await answer.read()
            assert answer.content_type == "audio/ogg"
        programme = decoded(data)
        for said, part in zip(SAID, shown["chapters"], strict=True):
            alike, late = heard_in(said, programme, round(part["start"] * SAMPLE_RATE))
            assert alike > 0.85
            assert abs(late) < 0.02 * SAMPLE_RATE

        edit = {"name": "A quiet evening", "keep_days": 7, "start": 3.5}
        changed = (await admin.ask("PATCH", f"/recordings/{recording}", edit)).json
        assert (changed["name"], changed["keep_days"], changed["start"]) == tuple(edit.values())
        longer = await admin.ask("PATCH", f"/recordings/{recording}", {"keep_days": 8})
        assert (longer.code, longer.json["field"]) == ("bad_value", "keep_days")
        beyond = await admin.ask("PATCH", f"/recordings/{recording}", {"start": 1e5})
        assert (beyond.code, beyond.json["field"]) == ("bad_value", "start")

        assert (await admin.ask("DELETE", f"/recordings/{recording}")).status == 204
        assert (await admin.ask("GET", f"/recordings/{recording}")).code == "recording_gone"
        assert (await admin.ask("GET", f"/recordings/{recording}/audio")).status == 410
        assert list(hub.folder.iterdir()) == []
        assert (await admin.ask("GET", "/recordings/no-such-one")).code == "no_such_recording"
    left = everything(tmp_path)
    assert b"Good evening." not in left
    assert b"A quiet evening" not in left


async def test_nothing_of_who_did_not_agree_is_in_any_file(tmp_path: Path) -> None:
    anna, bert = ANNA.again(), BERT.again()
    async with recording_hub(tmp_path) as hub, crew(anna, bert):
        await enter(hub, anna, bert)
        recording, spoken = await two_talked(hub, agreed=(anna,))
        folder = hub.folder / recording
        whole = everything(hub.folder)
        assert not any(payload in whole for payload in spoken)
        assert bert.id.encode() not in whole
        assert b"So it is." not in whole
        for path in folder.glob("*.opus"):
            assert alike_anywhere(SAID[1], decoded(path.read_bytes())) < 0.5, path
        assert alike_anywhere(SAID[0], decoded((folder / PROGRAMME).read_bytes())) > 0.8
        assert hub.recorder.counts()["refused_packets"] == len(spoken)


async def test_who_takes_its_own_turns_out_leaves_the_others(tmp_path: Path) -> None:
    anna, bert = ANNA.again(), BERT.again()
    async with recording_hub(tmp_path) as hub, crew(anna, bert):
        await enter(hub, anna, bert)
        recording, spoken = await two_talked(hub, agreed=(anna, bert))
        path = f"/recordings/{recording}"
        async with hub.browser_of(bert) as browser, hub.browser_of(anna) as other:
            (line,) = (await browser.ask("GET", "/recordings")).json["recordings"]
            assert (line["mine"], line["may_delete"]) == (True, False)
            for refused in (
                await browser.ask("DELETE", path),
                await browser.ask("PATCH", path, {"name": "Mine"}),
                await browser.ask("GET", f"{path}/voices/{anna.id}"),
            ):
                assert refused.code == "not_allowed"
            async with browser.http.get(hub.url(f"/api/v1{path}/voices/{bert.id}")) as answer:
                assert alike_anywhere(SAID[1], decoded(await answer.read())) > 0.8
            assert (await browser.ask("DELETE", f"{path}/mine")).status == 204
            assert (await browser.ask("GET", path)).code == "no_such_recording"
            assert (await browser.ask("DELETE", f"{path}/mine")).code == "no_such_member"
            shown = (await other.ask("GET", path)).json
        assert [part["name"] for part in shown["turns"]] == ["Anna"]
        assert [voice["withdrawn"] is None for voice in shown["voices"]] == [True, False]
        folder, whole = hub.folder / recording, everything(hub.folder)
        assert not (folder / voice_file(bert.id)).exists()
        assert not any(payload in whole for payload in spoken)
        assert b"So it is." not in whole
        programme = decoded((folder / PROGRAMME).read_bytes())
        assert alike_anywhere(SAID[1], programme) < 0.5
        assert alike_anywhere(SAID[0], programme) > 0.8


async def test_who_withdraws_while_it_runs_is_out_at_once(tmp_path: Path) -> None:
    anna, bert = ANNA.again(), BERT.again()
    async with recording_hub(tmp_path) as hub, crew(anna, bert):
        await enter(hub, anna, bert)
        recording = await hub.record(anna, bert)
        now = asyncio.get_running_loop().time() + LATER_S
        spoken = hub.tape(bert, SAID[1], now)
        file = hub.folder / recording / voice_file(bert.id)
        await until(file.exists)
        async with hub.browser_of(bert) as browser:
            assert (await browser.ask("DELETE", f"/recordings/{recording}/mine")).status == 204
        late = hub.tape(bert, SAID[1], now + 6)
        hub.tape(anna, SAID[0], now + 12)
        assert await hub.stop() == recording
        whole = everything(hub.folder)
        assert not any(payload in whole for payload in (*spoken, *late))
        programme = decoded((hub.folder / recording / PROGRAMME).read_bytes())
        assert alike_anywhere(SAID[1], programme) < 0.5
        assert alike_anywhere(SAID[0], programme) > 0.8


async def test_a_copy_to_take_along_is_all_there_is(tmp_path: Path) -> None:
    anna, bert = ANNA.again(), BERT.again()
    async with recording_hub(tmp_path) as hub, crew(anna, bert), Browser(hub) as stranger:
        await enter(hub, anna, bert)
        recording, _spoken = await two_talked(hub, agreed=(anna, bert))
        url = hub.url(f"/api/v1/recordings/{recording}/export")
        async with stranger.http.get(url) as answer:
            assert answer.status == 404
        async with hub.browser_of(anna) as browser:
            async with browser.http.get(url) as answer:
                archive = zipfile.ZipFile(io.BytesIO(await answer.read()))
                assert recording in answer.headers["Content-Disposition"]
            assert archive.testzip() is None
            assert sorted(archive.namelist()) == [
                "about.json",
                "captions.vtt",
                "programme.opus",
                "voice 1 Anna.opus",
                "voice 2 Bert.opus",
            ]
            for name, said in (("voice 1 Anna.opus", SAID[0]), ("programme.opus", SAID[1])):
                assert alike_anywhere(said, decoded(archive.read(name))) > 0.8
            async with browser.http.get(hub.url("/api/v1/me/export")) as answer:
                own = zipfile.ZipFile(io.BytesIO(await answer.read()))
        assert b"So it is." not in own.read(f"{recording}/captions.vtt")
        assert json.loads(own.read(f"{recording}/about.json"))["turns"][0]["member"] == anna.id
        assert alike_anywhere(SAID[0], decoded(own.read(f"{recording}/voice.opus"))) > 0.8
        await until(lambda: not list(hub.folder.glob(".export-*")))


@pytest.mark.parametrize(
    ("asked", "status", "begin", "end"),
    [
        (None, 200, 0, None),
        ("bytes=0-", 206, 0, None),
        ("bytes=100-199", 206, 100, 200),
        ("bytes=-50", 206, -50, None),
        ("bytes=999999999-", 416, 0, 0),
        ("lines=1-2", 200, 0, None),
        ("bytes=9-5", 200, 0, None),
    ],
)
async def test_players_get_the_part_they_ask_for(
    tmp_path: Path, asked: str | None, status: int, begin: int, end: int | None
) -> None:
    anna = ANNA.again()
    async with recording_hub(tmp_path) as hub, crew(anna):
        await enter(hub, anna)
        await hub.record(anna)
        recording = await hub.stop()
        data = (hub.folder / recording / PROGRAMME).read_bytes()
        async with hub.browser_of(anna) as browser:
            headers = {"Range": asked} if asked else {}
            url = hub.url(f"/api/v1/recordings/{recording}/audio")
            async with browser.http.get(url, headers=headers) as answer:
                assert answer.status == status
                if status != 416:
                    assert await answer.read() == data[begin:end]
                if status == 206:
                    part = range(len(data))[begin:end]
                    wanted = f"bytes {part.start}-{part.stop - 1}/{len(data)}"
                    assert answer.headers["Content-Range"] == wanted
                whole = answer
            async with browser.http.head(url, headers=headers) as answer:
                assert answer.status == status
                assert answer.content_length == whole.content_length
                assert await answer.read() == b""


async def test_a_player_that_has_enough_is_no_failure(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    anna = ANNA.again()
    async with recording_hub(tmp_path) as hub, crew(anna):
        await enter(hub, anna)
        await hub.record(anna)
        recording = await hub.stop()
        path = hub.folder / recording / PROGRAMME
        path.write_bytes(path.read_bytes() * 2_000)
        async with hub.browser_of(anna) as browser:
            url = hub.url(f"/api/v1/recordings/{recording}/audio")
            async with browser.http.get(url) as answer:
                await answer.content.readexactly(300_000)
                tag = answer.headers["ETag"]
                answer.close()
            for header, status in ((tag, 206), ('"another"', 200)):
                headers = {"Range": "bytes=0-9", "If-Range": header}
                async with browser.http.get(url, headers=headers) as answer:
                    assert answer.status == status
                    answer.close()
            async with browser.http.get(url) as answer:
                await answer.content.readexactly(300_000)
                await hub.recorder.library.delete(recording)
                with pytest.raises(aiohttp.ClientError):
                    await answer.read()
    assert not [each for each in caplog.records if each.levelname == "ERROR"]


async def test_strangers_know_of_none(tmp_path: Path) -> None:
    anna = ANNA.again()
    async with recording_hub(tmp_path) as hub, crew(anna), Browser(hub) as stranger:
        await enter(hub, anna)
        running = await hub.record(anna)
        assert (await stranger.ask("GET", "/recordings")).json["recordings"] == []
        assert (await stranger.ask("GET", "/me/export")).code == "name_needed"
        await stranger.name("Zoe")
        answer = await stranger.ask("DELETE", f"/recordings/{running}/mine")
        assert answer.status in {403, 404, 409}
        recording = await hub.stop()
        for method, path in (("GET", ""), ("GET", "/audio"), ("GET", "/export"), ("DELETE", "")):
            answer = await stranger.ask(method, f"/recordings/{recording}{path}")
            assert answer.code == "no_such_recording", path
        assert recording in {each.id for each in hub.recorder.library.cards()}


async def test_what_a_hub_that_died_left_behind_is_finished(tmp_path: Path) -> None:
    anna, bert = ANNA.again(), BERT.again()
    async with recording_hub(tmp_path / "hub") as hub, crew(anna, bert):
        await enter(hub, anna, bert)
        recording = await hub.record(anna, bert)
        now = asyncio.get_running_loop().time() + LATER_S
        hub.tape(anna, SAID[0], now)
        hub.tape(bert, SAID[1], now + 6)
        folder = hub.folder / recording
        await until((folder / voice_file(bert.id)).exists)
        await until(lambda: (folder / voice_file(bert.id)).stat().st_size > 10_000)
        dead = tmp_path / "dead"
        shutil.copytree(hub.folder, dead)  # as SIGKILL leaves it
        with (dead / recording / PROGRAMME).open("ab") as file:
            file.write(b"OggS\x00half a page")
        with (dead / recording / "journal.jsonl").open("ab") as file:
            file.write(b'{"type":"Ended","mem')
        (dead / ".gone-something").mkdir()
        (dead / ".export-1.zip").touch()
        (dead / "broken").mkdir()
        library = await Library.open(dead, hub.store)
        try:
            (card,) = library.cards()
            found = await library.get(card.id)
        finally:
            await library.aclose()
        assert (card.id, card.why) == (recording, "crash")
        assert {turn.member for turn in found.turns} == {anna.id, bert.id}
        assert sorted(path.name for path in dead.iterdir()) == [recording, "broken"]
        programme = decoded((dead / recording / PROGRAMME).read_bytes())
        assert programme.size == card.samples - 312
        for said in SAID:
            assert alike_anywhere(said[: 3 * SAMPLE_RATE], programme) > 0.8
        assert not (dead / recording / "journal.jsonl").exists()


async def test_a_withdrawal_that_the_power_interrupted_is_carried_out(tmp_path: Path) -> None:
    anna, bert = ANNA.again(), BERT.again()
    async with recording_hub(tmp_path) as hub, crew(anna, bert):
        await enter(hub, anna, bert)
        recording, spoken = await two_talked(hub, agreed=(anna, bert))
        vault = Vault(hub.folder)
        made = vault.load(recording)
        voices = [
            replace(each, withdrawn=MARKER) if each.member == bert.id else each
            for each in made.voices
        ]
        vault.save(replace(made, voices=tuple(voices)))
        (left,) = vault.recover(MARKER)
        assert {turn.member for turn in left.turns} == {anna.id}
        assert vault.recover(MARKER) == [left]
        assert not any(payload in everything(hub.folder) for payload in spoken)


async def test_a_journal_says_who_withdrew_when_the_hub_did_not_come_to_it(
    tmp_path: Path,
) -> None:
    anna, bert = ANNA.again(), BERT.again()
    async with recording_hub(tmp_path / "hub") as hub, crew(anna, bert):
        await enter(hub, anna, bert)
        recording = await hub.record(anna, bert)
        now = asyncio.get_running_loop().time() + LATER_S
        spoken = hub.tape(bert, SAID[1], now)
        hub.tape(anna, SAID[0], now + 6)
        await until((hub.folder / recording / voice_file(anna.id)).exists)
        dead = tmp_path / "dead"
        shutil.copytree(hub.folder, dead)
        line = {
            "type": "Withdrew",
            "member": bert.id,
            "name": "Bert",
            "position": 1,
            "at": MARKER,
        }
        with (dead / recording / "journal.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")
        (left,) = Vault(dead).recover(MARKER)
        assert {turn.member for turn in left.turns} <= {anna.id}
        assert not any(payload in everything(dead) for payload in spoken)


async def test_old_ones_go_by_themselves_and_nothing_is_left(tmp_path: Path) -> None:
    anna = ANNA.again()
    async with recording_hub(tmp_path) as hub, crew(anna):
        await enter(hub, anna)
        recording, _spoken = await two_talked(hub, agreed=(anna,))
        vault = Vault(hub.folder)
        vault.save(replace(vault.load(recording), ended_at="2020-01-01T00:00:00Z"))
    async with recording_hub(tmp_path) as hub:
        await until(lambda: not hub.recorder.library.cards())
        assert list(hub.folder.iterdir()) == []
        rows = await hub.store.fetch("SELECT * FROM deleted_recordings", (), tuple)
        assert [row[0] for row in rows] == [recording]
        assert len(rows[0]) == 2  # its id and the moment
    left = everything(tmp_path / "recordings")
    assert left == b""


async def test_what_is_to_go_with_its_space_goes(tmp_path: Path) -> None:
    anna = ANNA.again()
    async with recording_hub(tmp_path) as hub, crew(anna):
        await enter(hub, anna)
        recording, _spoken = await two_talked(hub, agreed=(anna,))
        await hub.recorder.library.change(recording, lambda made: replace(made, keep_days=0))
        await hub.recorder.library.over("another")
        assert hub.recorder.library.cards()
        await hub.recorder.library.over(SPACE)
        assert not hub.recorder.library.cards()


async def test_without_room_nothing_begins_and_what_runs_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = ANNA.again()
    async with recording_hub(tmp_path / "full", min_free_mb=1_000_000) as hub:
        await until(lambda: not hub.spaces.facilities.disk)
        refused = hub.refused(ADMIN, RecordSet(req="one", on=True))
        assert refused.code is ErrorCode.DISK_FULL
    async with recording_hub(tmp_path / "fills") as hub, crew(anna):
        await enter(hub, anna)
        recording = await hub.record(anna)
        now = asyncio.get_running_loop().time() + LATER_S
        hub.tape(anna, SAID[0], now)
        await until((hub.folder / recording / voice_file(anna.id)).exists)

        def full(_descriptor: int, _data: bytes) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            patch.setattr("hub.recording.deck.os.write", full)
            hub.tape(anna, SAID[0], now + 6)
            await until(lambda: not hub.recorder.running())
        space = hub.spaces.get(SPACE)
        assert space is not None
        assert space.info.recording is None
        await until(lambda: bool(hub.recorder.library.cards()))
        (card,) = hub.recorder.library.cards()
        assert (card.id, card.why) == (recording, "disk_full")
        assert loud(decoded((hub.folder / recording / PROGRAMME).read_bytes())) > 100


async def test_a_hub_that_stops_ends_its_recordings(tmp_path: Path) -> None:
    anna = ANNA.again()
    async with recording_hub(tmp_path) as hub, crew(anna):
        await enter(hub, anna)
        recording = await hub.record(anna)
        hub.tape(anna, SAID[0], asyncio.get_running_loop().time() + LATER_S)
    made = indexes.read((tmp_path / "recordings" / recording / INDEX).read_bytes())
    assert made.why == "hub_stopped"
    async with recording_hub(tmp_path) as hub:  # the space is recorded still, in another part
        await until(lambda: bool(hub.recorder.running()))
        (part,) = hub.recorder.running().values()
        assert part.id != recording
        assert [member for member, _name in part.agreed] == [anna.id]


async def test_where_nothing_can_be_kept_spaces_know_it(tmp_path: Path) -> None:
    (tmp_path / "recordings").write_text("in the way")
    hub = RecordingHub(hub_config(), tmp_path)
    await hub.start()
    try:
        assert hub.home.recorder is None
        assert not hub.spaces.facilities.disk
        async with Browser(hub) as browser:
            assert (await browser.ask("GET", "/recordings")).json["recordings"] == []
            answer = await browser.ask("GET", "/recordings/some-one")
            assert answer.code == "no_such_recording"
    finally:
        await hub.aclose()


async def test_an_agreement_to_another_version_is_none(tmp_path: Path) -> None:
    anna = ANNA.again()
    async with recording_hub(tmp_path) as hub, crew(anna):
        await enter(hub, anna)
        await hub.record(anna)
        await hub.stop()
        await hub.record()
        refused = hub.spaces.act(SPACE, Actor(anna.id, "Anna"), Agree(req="old", recording=1))
        assert getattr(refused, "code", None) is ErrorCode.BAD_VALUE
        spoken = hub.tape(anna, SAID[0], asyncio.get_running_loop().time() + LATER_S)
        recording = await hub.stop()
        whole = everything(hub.folder / recording)
        assert not any(payload in whole for payload in spoken)
