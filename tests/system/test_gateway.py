#!/usr/bin/env python3
"""The running gateway: bad input, repeats, long messages, stop words, full queues and disks, starting, stopping, hostile plugins.

test_gateway.py [PROGRAM] [name...]; PROGRAM is the built gateway, else $KENTONGAN; a name is a part of a test's.  Each
test prints "ok NAME" or "not ok NAME: why", the last line is "N passed, M failed".  Mounting small disks needs root, or sudo.
Tests with the parameter `usual` or `strange` share that scene, the others run beside them in one of their own.
"""

import concurrent.futures
import contextlib
import itertools
import json
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
import time
import urllib.parse

import gateway
import scenes
from gateway import CODE, FORM, NUMBER, SECRET, until
from scenes import bring, command, handset, lines, made, running, shows, stored, tell

SORRY = "Maaf, layanan ini sedang terganggu"  # the gateway's own words, by their beginnings
NOT_UNDERSTOOD = "Maaf, pesan Anda belum kami pahami."
HELP = "Pemkab Bojonegoro. Kirim salah satu kata ini:"
STOPPED = "Anda tidak akan kami kirimi pesan lagi."
STARTED = "Selamat datang kembali."
PAUSED = "Maaf, layanan PUTAR sedang dihentikan sementara."
GEMA = "Apa yang diulang?"
NAME, COLOUR = "Siapa nama Anda?", "Warna apa?\n1 Merah\n2 Putih"
SCREEN = f"CON {COLOUR}\n0 Kembali"
STOPPING_SECONDS = 15  # the gateway takes 10 at most


def usual():
    """The scene of tests that leave it as it was."""
    return running()


@contextlib.contextmanager
def strange():
    """Good plugins beside bad ones."""
    plugins = [*scenes.USUAL, scenes.PLUGINS / "putar", scenes.PLUGINS / "maling"]
    with made(plugins) as (gw, telco):
        scenes.add_plugin(gw, "rusak", "-- a plugin that Lua can't read\nlocal function dialog(citizen)\n  citizen:say(\n\nend\n")
        scenes.add_plugin(gw, "keliru", KELIRU)
        gw.start()
        yield gw, telco


KELIRU = """-- a plugin whose manifest has a mistake
return {
  name = "keliru", api = 1,
  triggers = {
    keywords = { KELIRU = "nothing" },
  },
  dialog = function() end,
}
"""


def says(text, beginning):
    assert text.startswith(beginning), text


def settled(gw, *phones):
    """Waits until the telco's answer to all that was sent is stored: a kill leaves no doubt then."""
    until("their states", lambda: all(set(gw.states(phone)) == {"accepted"} for phone in phones))


def silent(gw, phone, reason):
    """Nothing was sent to that sender, and one line says why."""
    assert gw.messages(phone) == [], gw.messages(phone)
    assert [line["why"] for line in lines(gw, "inbox.unanswered", phone)] == [reason]


# bad input


def test_a_wrong_secret_is_refused_and_nothing_is_stored(usual):
    gw, _ = usual
    phone, wrong = handset(), [None, "", SECRET[:-1], SECRET + "0", "0" * len(SECRET), "rahasia\0" + SECRET]
    refused, logged = gw.metric("inbound_refused"), len(gw.log("telco.refused"))
    for key in wrong[:-1]:
        assert bring(gw, phone, "SATU rahasia", key=key)[0] == 401, key
    assert bring(gw, phone, "SATU rahasia", key=wrong[-1])[0] in (400, 401)
    form = urllib.parse.urlencode({"sessionId": "s", "phoneNumber": phone, "serviceCode": CODE, "text": ""})
    assert gw.request(gw.public, "POST", f"/telco/a1/ussd?key={SECRET[1:]}", form, FORM)[0] == 401
    body = json.dumps({"id": "1", "from": phone, "to": NUMBER, "text": "SATU rahasia"})
    headers = {"Content-Type": "application/json", "X-Kentongan-Secret": SECRET}
    assert gw.request(gw.public, "POST", "/telco/phone/sms", body, headers)[0] == 401
    assert gw.get(gw.public, "/telco/k1/receipt?key=rahasia&ref=1&st=1")[0] == 401
    assert stored(gw, phone) == [] and gw.messages(phone) == []
    assert gw.metric("inbound_refused") - refused == len(wrong) + 3
    said = gw.log("telco.refused")[logged:]
    assert len(said) in (len(wrong) + 2, len(wrong) + 3), said  # a NUL in a query may be refused before the key is looked at
    assert {line["status"] for line in said} <= {400, 401} and all(line["why"] and line["connection"] for line in said)


def test_an_address_that_is_not_the_telcos_is_refused(usual):
    gw, _ = usual
    phone, logged = handset(), len(gw.log("telco.refused"))
    query = urllib.parse.urlencode({"key": SECRET, "id": "1", "from": phone, "to": NUMBER, "text": "SATU rahasia"})
    assert gw.exchange(gw.public, "GET", f"/telco/k1/sms?{query}", source="127.0.0.2")[0] == 403
    assert stored(gw, phone) == []
    assert [(line["status"], line["peer"]) for line in gw.log("telco.refused")[logged:]] == [(403, "127.0.0.2")]


def test_nul_bytes_and_invalid_utf8_become_replacement_characters(usual):
    gw, _ = usual
    for raw, clean in ((b"a\0b", "a\ufffdb"), (b"\xff\xfe", "\ufffd\ufffd"), (b"a\xc3", "a\ufffd"), (b"\xed\xa0\x80", "\ufffd" * 3)):
        phone = handset()
        tell(gw, phone, b"SATU rahasia " + raw)
        (text,) = stored(gw, phone)
        assert text.startswith("SATU rahasia ") and "\0" not in text and "\ufffd" in text, text
        if raw != b"\xed\xa0\x80":  # how many stand for a surrogate is a matter of taste
            assert text == f"SATU rahasia {clean}", text
        assert [one["text"] for one in gw.messages(phone)] == [f"Satu{text[4:]}."]


def test_ids_and_numbers_that_cannot_be_are_refused(usual):
    gw, _ = usual
    phone, logged = handset(), len(gw.log("telco.refused"))
    bad = [{"id": b"a\0b"}, {"id": b"\xff"}, {"id": "a\nb"}, {"to": b"27\xff72"}, {"from": b"+62812\0"}, {"from": ""}, {"text": None}]
    for more in bad:
        assert bring(gw, phone, more.pop("text", "SATU rahasia"), **more)[0] == 400, more
    assert stored(gw, phone) == []
    said = gw.log("telco.refused")[logged:]
    assert len(said) == len(bad) and all(line["status"] == 400 and line["why"] for line in said), said


def test_an_empty_text_gets_help_and_in_a_dialog_the_question(usual):
    gw, telco = usual
    phone = handset()
    tell(gw, phone, "")
    says(scenes.last(telco, phone, 1), HELP)
    tell(gw, phone, "GEMA", "", " \r\n")
    again = f"Maaf, jawaban itu belum sesuai.\n{GEMA}"
    until("the question", lambda: len(telco.taken(phone)) == 4)
    assert telco.taken(phone)[1:] == [GEMA, again, again], telco.taken(phone)
    tell(gw, phone, "rahasia")
    assert scenes.last(telco, phone, 5) == "Anda menulis: rahasia"


def test_ten_thousand_characters_are_taken_and_long_answers_paged(usual):
    gw, telco = usual
    phone, text = handset(), "rahasia " * 1250
    assert bring(gw, phone, text)[0] == 414, "a URL has its limit"
    assert gw.mo("a1", phone, text) == 200
    assert stored(gw, phone) == [text]
    says(scenes.last(telco, phone, 1), NOT_UNDERSTOOD)
    tell(gw, phone, "GEMA")
    assert gw.mo("a1", phone, text) == 200
    assert scenes.last(telco, phone, 3) == f"Maaf, jawaban itu belum sesuai.\n{GEMA}"
    tell(gw, phone, text[:900])
    page = scenes.last(telco, phone, 4)
    assert page.startswith("Anda menulis: rahasia rahasia ") and page.endswith("(Balas LANJUT)") and len(page) <= 3 * 153, page
    tell(gw, phone, "LANJUT")
    says(scenes.last(telco, phone, 5), "rahasia ")


def test_what_is_longer_is_cut_at_a_character(usual):
    gw, _ = usual
    phone, text = handset(), "SATU rahasia " + "é" * 10000
    assert gw.mo("a1", phone, text) == 200
    (kept,) = stored(gw, phone)
    assert text.startswith(kept) and 5000 <= len(kept) <= 10000, len(kept)
    assert len(lines(gw, "telco.text_cut", phone)) == 1


def test_machines_get_no_answer(usual):
    gw, _ = usual
    short, name, own = "the sender is a short code", "the sender is a name, not a number", "the sender is a number of our own"
    unanswered = gw.metric("unanswered")
    for sender, reason in (("3636", short), (NUMBER, short), ("Telkomsel", name), (OWN_LOCAL, own)):
        tell(gw, sender, "SATU rahasia")
        key = scenes.OWN if sender == OWN_LOCAL else sender
        assert stored(gw, key) == ["SATU rahasia"]
        if sender == "Telkomsel" or sender == OWN_LOCAL:
            silent(gw, key, reason)
        else:
            assert gw.messages(key) == []
    assert gw.metric("unanswered") - unanswered == 4
    assert len([line for line in gw.log("inbox.unanswered") if line["why"] == short]) == 2


OWN_LOCAL = "0" + scenes.OWN[3:]


def test_a_message_to_a_number_that_is_not_ours_is_answered_from_one_that_is(usual):
    gw, telco = usual
    phone = handset()
    tell(gw, phone, "SATU rahasia", to="9999")
    shows(telco, phone, "Satu rahasia.")
    assert telco.seen(phone)[0]["from"] in (NUMBER, scenes.OWN), f"it comes from {telco.seen(phone)[0]['from']}"


def test_what_is_odd_about_a_message_is_one_line_of_the_log(usual):
    gw, _ = usual
    odd = {"a NUL": {"text": b"SATU rahasia \0"}, "invalid UTF-8": {"text": b"SATU rahasia \xff"}, "no text": {"text": ""},
           "an unknown number": {"text": "SATU rahasia", "to": "9999"}}  # fmt: skip
    silent = []
    for what, more in odd.items():
        phone = handset()
        tell(gw, phone, more.pop("text"), **more)
        if len([line for line in gw.log() if line.get("citizen") == scenes.mask(phone)]) != 1:
            silent.append(what)
    assert not silent, f"no line, or several, on {', '.join(silent)}"


def test_what_is_not_a_callback_is_not_found(usual):
    gw, _ = usual
    phone = handset()
    for path in ("/", "/telco", "/telco/", "/telco/k1", "/telco/k1/", "/telco/k1/fax", "/telco/K1/sms", "/telco/nobody/sms", "/telco//sms"):
        status, answer = gw.get(gw.public, f"{path}?key={SECRET}&id=1&from={urllib.parse.quote(phone)}&text=rahasia")
        assert status in ((404, 400) if "//" in path else (404,)), f"{path}: {status}"
        assert b"rahasia" not in answer
    assert bring(gw, phone, "SATU rahasia", connection="nobody")[0] == 404
    assert stored(gw, phone) == []


def test_other_methods_are_refused(usual):
    gw, _ = usual
    phone = handset()
    query = urllib.parse.urlencode({"key": SECRET, "id": "1", "from": phone, "to": NUMBER, "text": "SATU rahasia"})
    for method in ("HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"):
        status, headers, _ = gw.exchange(gw.public, method, f"/telco/k1/sms?{query}")
        assert status == 405 and headers["Allow"], f"{method}: {status} {headers.items()}"
    assert stored(gw, phone) == []


def test_receipts_for_what_was_never_sent_are_taken_and_change_nothing(usual):
    gw, telco = usual
    phone = handset()
    tell(gw, phone, "SATU rahasia")
    shows(telco, phone, "Satu rahasia.")
    until("its state", lambda: gw.states(phone) == ["accepted"])
    unknown, logged = gw.metric("receipts_unknown"), len(gw.log("outbox.receipt_unknown"))
    for ref in ("0" * 32, "f" * 32, "rahasia"):
        assert gw.get(gw.public, f"/telco/k1/receipt?key={SECRET}&ref={ref}&st=1")[0] == 200
    form = urllib.parse.urlencode({"id": "ATXid_rahasia", "status": "Success", "phoneNumber": phone})
    assert gw.request(gw.public, "POST", f"/telco/a1/receipt?key={SECRET}", form, FORM)[0] == 200
    assert gw.get(gw.public, f"/telco/k1/receipt?key={SECRET}&ref=&st=1")[0] == 400
    assert gw.metric("receipts_unknown") - unknown == 4 and len(gw.log("outbox.receipt_unknown")) - logged == 4
    assert gw.states(phone) == ["accepted"]


def test_a_session_with_another_number_is_refused(usual):
    gw, _ = usual
    phone, other = handset(), handset()
    assert gw.ussd("a1", "bad1", phone, "5") == (200, f"CON {NAME}")
    assert gw.ussd("a1", "bad1", other, "5*rahasia")[0] == 403
    assert gw.ussd("a1", "bad1", other, "")[0] == 403
    assert stored(gw, other) == [] and len(lines(gw, "inbox.session_of_another", other)) == 2
    assert gw.ussd("a1", "bad1", phone, "5*rahasia") == (200, SCREEN)


def test_an_input_that_does_not_go_on_from_the_one_before_shows_the_screen_again(usual):
    gw, _ = usual
    phone = handset()
    assert gw.ussd("a1", "bad2", phone, "5") == (200, f"CON {NAME}")
    assert gw.ussd("a1", "bad2", phone, "7*rahasia") == (200, f"CON {NAME}")
    assert len(lines(gw, "ussd.input_unfitting", phone)) == 1


# repeats


def test_a_message_that_comes_twice_acts_once(usual):
    gw, telco = usual
    phone, repeats = handset(), gw.metric("inbound_duplicate")
    for _ in range(3):
        tell(gw, phone, "SATU rahasia", id="twice")
    tell(gw, phone, "SATU rahasia b")
    shows(telco, phone, "Satu rahasia.", "Satu rahasia b.")
    assert gw.metric("inbound_duplicate") - repeats == 2 and len(stored(gw, phone)) == 2


def test_ten_copies_at_once_act_once(usual):
    gw, telco = usual
    phone, repeats = handset(), gw.metric("inbound_duplicate")
    statuses = scenes.beside(10, lambda _: bring(gw, phone, "SATU rahasia", id="ten")[0])
    assert statuses == [200] * 10, statuses
    shows(telco, phone, "Satu rahasia.")
    assert gw.metric("inbound_duplicate") - repeats == 9 and len(stored(gw, phone)) == 1 and len(gw.messages(phone)) == 1


def test_the_same_id_is_another_message_from_another_telco_or_citizen(usual):
    gw, telco = usual
    phone, other = handset(), handset()
    tell(gw, phone, "SATU rahasia k1", id="same")
    tell(gw, phone, "SATU rahasia k2", id="same", connection="k2")
    tell(gw, other, "SATU rahasia", id="same")
    until("both", lambda: sorted(telco.taken(phone)) == ["Satu rahasia k1.", "Satu rahasia k2."])
    shows(telco, other, "Satu rahasia.")


def test_a_message_without_an_id_is_never_a_repeat(usual):
    gw, telco = usual
    phone = handset()
    tell(gw, phone, "SATU rahasia", "SATU rahasia", id="")
    tell(gw, phone, "SATU rahasia", id=None)
    shows(telco, phone, *["Satu rahasia."] * 3)


def test_without_an_id_the_telcos_time_tells_a_repeat_from_a_second_answer(usual):
    gw, telco = usual
    phone = handset()
    for ts in (1790000000, 1790000000, 1790000001):
        tell(gw, phone, "SATU rahasia", id="", ts=ts)
    tell(gw, phone, "SATU rahasia b", id=None, ts=1790000001)
    shows(telco, phone, "Satu rahasia.", "Satu rahasia.", "Satu rahasia b.")
    assert len(stored(gw, phone)) == 3


def test_a_repeated_step_of_a_session_gets_the_same_screen_also_the_last(usual):
    gw, _ = usual
    phone = handset()
    end = "END Terima kasih, rahasia twice. Jawaban ke-1."
    screens = [("", "CON Layanan Pemkab Bojonegoro\n"), ("5", f"CON {NAME}"), ("5*rahasia twice", SCREEN),
               ("5*rahasia twice*1", end), ("5*rahasia twice*1", end)]  # fmt: skip
    for text, beginning in screens:
        first = gw.ussd("a1", "repeat1", phone, text)
        says(first[1], beginning)
        assert gw.ussd("a1", "repeat1", phone, text) == first
        assert set(scenes.beside(4, lambda _, text=text: gw.ussd("a1", "repeat1", phone, text))) == {first}
    assert gw.ussd("a1", "repeat2", phone, "5*rahasia twice*2") == (200, "END Terima kasih, rahasia twice. Jawaban ke-2.")


def test_repeats_are_known_after_a_restart_and_a_kill():
    with running() as (gw, telco):
        phone, dialler = handset(), handset()
        screens = [gw.ussd("a1", "kept", dialler, text) for text in ("5", "5*rahasia", "5*rahasia*1")]
        assert screens[-1] == (200, "END Terima kasih, rahasia. Jawaban ke-1.")
        tell(gw, phone, "SATU rahasia", id="kept")
        shows(telco, phone, "Satu rahasia.")
        for kill in (False, True):
            gw.restart(kill)
            tell(gw, phone, "SATU rahasia", id="kept")
            assert [gw.ussd("a1", "kept", dialler, text) for text in ("5", "5*rahasia", "5*rahasia*1")] == screens
            assert gw.metric("inbound_duplicate") == 4 and gw.metric("inbound") == 0
        tell(gw, phone, "SATU rahasia b")
        until("the second", lambda: "Satu rahasia b." in telco.taken(phone))
        assert len(gw.messages(phone)) == 2 and len(stored(gw, phone)) == 2
        assert gw.ussd("a1", "kept2", dialler, "5*rahasia*1")[1].endswith("Jawaban ke-2.")


# long messages


PARTS = ["SATU rahasia ", "b" * 134, "c."]


def part(gw, phone, number, parts=None, ref=7, **more):
    parts = parts or PARTS
    tell(gw, phone, parts[number], udh=bytes([5, 0, 3, ref, len(parts), number + 1]), **more)


def test_parts_in_any_order_and_repeated_are_one_message(usual):
    gw, telco = usual
    for order in itertools.permutations(range(3)):
        phone = handset()
        for number in order:
            for _ in range(2):
                part(gw, phone, number, id=f"part{number}")
        shows(telco, phone, f"Satu{''.join(PARTS)[4:]}.")
        repeats = gw.metric("inbound_duplicate")
        for number in range(3):
            part(gw, phone, number, id=f"part{number}")
        assert gw.metric("inbound_duplicate") - repeats == 3, "each part is known as one of the whole"
        assert stored(gw, phone) == ["".join(PARTS)], f"{order}: {stored(gw, phone)}"


def test_parts_at_once_are_one_message(usual):
    gw, telco = usual
    phone = handset()
    scenes.beside(6, lambda n: part(gw, phone, n % 3, id=f"part{n % 3}"))
    shows(telco, phone, f"Satu{''.join(PARTS)[4:]}.")
    assert stored(gw, phone) == ["".join(PARTS)]


def test_a_character_that_two_parts_share_is_whole_again(usual):
    gw, _ = usual
    phone, text = handset(), "SATU rahasia 😀"
    wide = text.encode("utf-16-be")
    for number in (1, 0):
        part(gw, phone, number, [wide[:-2], wide[-2:]], coding=2, charset="UTF-16BE")
    assert stored(gw, phone) == [text]


def test_parts_wait_over_a_restart_and_a_kill():
    with running() as (gw, telco):
        phone = handset()
        part(gw, phone, 2)
        gw.restart()
        part(gw, phone, 0)
        part(gw, phone, 2)
        gw.restart(kill=True)
        assert gw.messages(phone) == []
        tell(gw, phone, "SATU rahasia between")
        part(gw, phone, 1)
        shows(telco, phone, "Satu rahasia between.", f"Satu{''.join(PARTS)[4:]}.")


# stop, start, help


def test_stop_start_and_help_are_heard_in_a_dialog(usual):
    gw, telco = usual
    phone = handset()
    tell(gw, phone, "TIGA", "Bantuan!")
    text = scenes.last(telco, phone, 2)
    says(text, HELP)
    assert text.endswith(f"\n{NAME}"), text
    tell(gw, phone, "rahasia", "stop")
    says(scenes.last(telco, phone, 4), STOPPED)
    assert gw.api("POST", "dialogs/find", {"citizen": phone})[1]["dialogs"] == []
    assert [one for one in gw.api("GET", "optouts")[1]["citizens"] if one["citizen"] == phone]
    tell(gw, phone, "1")  # no dialog is left to answer
    says(scenes.last(telco, phone, 5), HELP)
    tell(gw, phone, "SATU rahasia")
    assert scenes.last(telco, phone, 6) == "Satu rahasia."
    tell(gw, phone, "MULAI")
    says(scenes.last(telco, phone, 7), STARTED)
    assert not [one for one in gw.api("GET", "optouts")[1]["citizens"] if one["citizen"] == phone]


def test_stop_drops_what_is_queued_and_was_not_asked_for():
    with running() as (gw, telco):
        phone = handset()
        telco.shut()
        tell(gw, phone, "SATU rahasia asked", "SATU rahasia unasked")
        assert gw.stop() == 0
        # Nothing sends what nobody asked for yet, so one of the two becomes such a message here.
        with contextlib.closing(store_of(gw)) as store:
            changed = store.execute("UPDATE outbound SET asked_for = 0 WHERE serial = (SELECT max(serial) FROM outbound)").rowcount
        assert changed == 1
        gw.start()
        tell(gw, phone, "STOP")
        assert gw.states(phone)[:2] == ["queued", "dropped"], gw.states(phone)
        telco.open()
        until("the confirmation", lambda: len(telco.taken(phone)) == 2)
        assert telco.taken(phone)[0] == "Satu rahasia asked." and telco.taken(phone)[1].startswith(STOPPED)
        tell(gw, phone, "SATU rahasia after")
        assert scenes.last(telco, phone, 3) == "Satu rahasia after."


def store_of(gw):
    """The store's file, as another program would open it."""
    return sqlite3.connect(gw.folder / "state/kentongan.db", isolation_level=None, timeout=gateway.PATIENCE)


# too much


@contextlib.contextmanager
def locked(gw):
    """Another program has the store to itself."""
    with contextlib.closing(store_of(gw)) as store:
        store.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            store.execute("ROLLBACK")


def is_503(answer):
    status, headers = answer
    assert status in (200, 503), status
    assert status == 200 or 0 < int(headers["Retry-After"]) <= 60, headers.items()
    return status == 503


def test_beyond_inbox_max_a_telco_is_told_to_come_again_and_nothing_is_lost():
    with running(inbox_max=1) as (gw, telco), concurrent.futures.ThreadPoolExecutor(1) as pool:
        phone, other = handset(), handset()
        with locked(gw):
            first = pool.submit(bring, gw, phone, "SATU rahasia")
            until("the first to be in work", lambda: gw.metric("steps_waiting") == 1)
            assert is_503(bring(gw, other, "SATU rahasia", id="later"))
            assert gw.ussd("a1", "over", other, "")[0] == 503
        assert first.result()[0] == 200
        tell(gw, other, "SATU rahasia", id="later")
        assert gw.metric("overload") == 2
        for one in (phone, other):
            shows(telco, one, "Satu rahasia.")


def test_beyond_outbox_max_likewise():
    with running(outbox_max=2) as (gw, telco):
        telco.shut()
        phones = [handset() for _ in range(5)]
        refused = [one for one in phones if is_503(bring(gw, one, "SATU rahasia", id="out"))]
        assert refused == phones[2:], f"{len(refused)} of 5 were refused"
        telco.open()
        for one in refused:
            until("it to be taken", lambda one=one: not is_503(bring(gw, one, "SATU rahasia", id="out")))
        for one in phones:
            shows(telco, one, "Satu rahasia.")
        assert gw.metric("overload") >= 3


def test_beyond_store_max_likewise():
    with running(store_max=1) as (gw, telco), concurrent.futures.ThreadPoolExecutor(2) as pool:
        phones = [handset(), handset()]
        with locked(gw):
            both = [pool.submit(bring, gw, one, "SATU rahasia", id="store") for one in phones]
            early = next(concurrent.futures.as_completed(both))
            assert is_503(early.result())
        assert sorted(one.result()[0] for one in both) == [200, 503]
        for one in phones:
            until("it to be taken", lambda one=one: not is_503(bring(gw, one, "SATU rahasia", id="store")))
            shows(telco, one, "Satu rahasia.")
        until("their states", lambda: [gw.states(one) for one in phones] == [["accepted"]] * 2)


@contextlib.contextmanager
def traffic(gw):
    """Citizens write all the time; gives who was answered with what (None: not at all)."""
    over, answers = threading.Event(), {}

    def write(_):
        while not over.is_set():
            phone = handset()
            try:
                answers[phone] = bring(gw, phone, "SATU rahasia")[0]
            except OSError:  # the gateway is stopped or killed
                answers[phone] = None

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        busy = pool.submit(scenes.beside, 3, write)
        until("some traffic", lambda: len(answers) > 20)
        try:
            yield answers
        finally:
            over.set()
        busy.result()


# a disk that is full, a store that can't be written


def health(gw):
    status, text = gw.get(gw.admin, "/healthz")
    return status, text.decode()


def recovers(gw, telco, waiting):
    """All that was refused is taken when it comes again, and shown once."""
    for phone, text in waiting.items():
        until("it to be taken", lambda phone=phone, text=text: not is_503(bring(gw, phone, f"SATU {text}", id="kept")))
    assert health(gw) == (200, "ok\n")
    for phone, text in waiting.items():
        shows(telco, phone, f"Satu {text}.")


def test_a_full_disk_refuses_what_it_cannot_store_and_recovers_by_itself():
    with made() as (gw, telco), scenes.small_disk(gw, 16) as state:
        gw.start()
        phones = {handset(): f"rahasia {n}" for n in range(30)}
        statuses = {}
        for n, (phone, text) in enumerate(phones.items()):
            if n == 5:
                scenes.fill(state / "filler")
            statuses[phone] = bring(gw, phone, f"SATU {text}", id="kept")
            is_503(statuses[phone])
        full = [phone for phone in phones if is_503(statuses[phone])]
        assert len(full) > 10 and not set(full) & set(list(phones)[:5]), f"{len(full)} were refused"
        assert gw.ussd("a1", "full", handset(), "5")[0] == 503
        assert health(gw)[0] == 503 and "No space left on device" in health(gw)[1], health(gw)
        for phone in phones:
            assert bool(stored(gw, phone)) == (phone not in full), "what is acknowledged is stored"
        causes = [line for line in gw.log() if line["event"].startswith("store.") and "full" in json.dumps(line)]
        works = len(gw.log("store.works_again"))  # a smaller commit may still have found room
        assert [(line["cause"], line["level"]) for line in causes] == [("the disk is full", "error")] * (works + 1), causes
        (state / "filler").unlink()
        recovers(gw, telco, phones)
        assert len(gw.log("store.works_again")) == len(gw.log("store.failing"))
        assert gw.stop() == 0


def test_on_a_disk_that_is_full_already_the_start_says_so_or_the_telco_is_told_to_come_again():
    with made() as (gw, telco), scenes.small_disk(gw, 8) as state:
        scenes.fill(state / "filler")
        said = scenes.refused(gw)
        assert "No space left on device" in said or "the disk is full" in said, said
        (state / "filler").unlink()
        gw.start()
        phone = handset()
        tell(gw, phone, "SATU rahasia")
        shows(telco, phone, "Satu rahasia.")
        gw.kill()
        scenes.fill(state / "filler")
        said = refused_or_started(gw)
        assert said is None or "the disk is full" in said or "No space" in said, said
        if said is None:
            assert is_503(bring(gw, phone, "SATU rahasia b", id="kept"))
            (state / "filler").unlink()
            recovers(gw, telco, {handset(): "rahasia b"})


def refused_or_started(gw):
    """What it says where it refuses to start; None where it runs."""
    try:
        gw.start()
        return None
    except AssertionError:
        return gw.text()


def test_below_the_reserve_nothing_is_taken():
    with made(reserve_mib=16) as (gw, telco), scenes.small_disk(gw, 32) as state:
        gw.start()
        phone, other = handset(), handset()
        tell(gw, phone, "SATU rahasia", id="kept")
        scenes.fill(state / "filler", 20 << 20)
        tries = itertools.count()
        until("the reserve to be seen", lambda: is_503(bring(gw, other, "SATU rahasia b", id=f"more{next(tries)}")))
        assert health(gw)[0] == 503 and "No space left on device" in health(gw)[1]
        (line,) = gw.log("store.below_reserve")
        assert line["level"] == "error" and line["folder"] == str(state)
        third = handset()
        assert is_503(bring(gw, third, "SATU rahasia c", id="kept")) and stored(gw, third) == []
        (state / "filler").unlink()
        recovers(gw, telco, {phone: "rahasia", third: "rahasia c"})
        assert len(gw.log("store.below_reserve")) == 1 and len(gw.log("store.above_reserve")) == 1


def test_a_locked_store_refuses_what_it_cannot_store_and_recovers_by_itself():
    with running() as (gw, telco):
        phone, reader = handset(), handset()
        tell(gw, reader, "SATU rahasia")
        with locked(gw):
            assert is_503(bring(gw, phone, "SATU rahasia b", id="kept"))
            assert health(gw)[0] == 503 and "busy" in health(gw)[1], health(gw)
            assert stored(gw, phone) == [] and stored(gw, reader) == ["SATU rahasia"]
            assert [line["cause"] for line in gw.log("store.failing")] == ["another program has locked the file"]
        recovers(gw, telco, {phone: "rahasia b"})
        shows(telco, reader, "Satu rahasia.")


def test_health_comes_back_by_itself():
    with running() as (gw, _):
        with locked(gw):
            assert is_503(bring(gw, handset(), "SATU rahasia"))
            assert health(gw)[0] == 503
        # A balancer that sends nothing to who isn't well would never send the message that makes it well again.
        until("/healthz to be well though no message comes", lambda: health(gw)[0] == 200, 10)


# starting


def test_a_second_gateway_on_the_same_store_is_refused():
    with running() as (gw, telco):
        pid = gw.process.pid
        other = gateway.Gateway(scenes.PROGRAM, scenes.rows(telco), state=gw.folder / "state")
        try:
            said = scenes.refused(other)
        finally:
            other.close()
        assert f"{pid}" in said and "kentongan.db" in said and len(said.splitlines()) == 1, said
        phone = handset()
        tell(gw, phone, "SATU rahasia")
        shows(telco, phone, "Satu rahasia.")
        assert "stop" in said or "another state" in said, f"it does not say what to do: {said}"


def test_a_taken_port_is_refused_with_what_to_do():
    with made() as (gw, _):
        for port, setting in ((gw.public, "public_port"), (gw.admin, "admin_port")):
            with socket.create_server(("127.0.0.1", port)):
                said = scenes.refused(gw)
            assert f"{port} is taken" in said and f"set {setting} to another" in said, said
        gw.start()


def test_a_mistake_in_the_settings_names_file_line_and_field():
    mistakes = {
        "dialog_expiry = 5": "dialog_expiry: must be 60 to 7776000 seconds, not 5",
        "dialog_expire = 60": "dialog_expire: no such setting; the nearest is dialog_expiry",
        'public_port = "http"': "public_port: must be 0 to 65535, not",
        'log_level = "all"': 'log_level: must be "debug", "info", "warn" or "error", not "all"',
        'trusted = { "telco.example" }': "trusted: must be a list of texts",
        "connections = { k1 = 5 }": "connections.k1: must be a table",
        'connections = { k1 = { adapter = "kannel" } }': "connections.k1: numbers is missing",
        'connections = { k1 = { adapter = "../kannel", numbers = { "1" } } }': "connections.k1.adapter: must be",
        'office = env "KENTONGAN_IS_NOT_SET"': "env: KENTONGAN_IS_NOT_SET is not set",
        "plugins = = 5": "",
        "os.exit()": "",
    }
    with made() as (gw, _):
        for line, words in mistakes.items():
            path = gw.configure()
            count = len(path.read_text().splitlines())
            path.write_text(f"{path.read_text()}{line}\n")
            said = scenes.refused(gw, path)
            assert f"{path}:{count + 1}: {words}" in said and len(said.splitlines()) == 1, f"{line}: {said}"
        gw.start()


def test_a_mistake_in_a_telcos_settings_names_file_line_and_field():
    mistakes = [("username", None), ("secret", "short"), ("send_url", "nowhere"), ("dlr_mask", 99), ("user", "telco"), ("adapter", "none")]
    unnamed = []
    with made() as (gw, _):
        for name, value in mistakes:
            right = dict(gw.connections["k1"])
            gw.connections["k1"] = {key: item for key, item in {**right, name: value}.items() if item is not None}
            path = gw.configure()
            number = next(n for n, line in enumerate(path.read_text().splitlines(), 1) if line.startswith("connections"))
            said = scenes.refused(gw, path)
            gw.connections["k1"] = right
            assert "k1" in said and len(said.splitlines()) == 1, f"{name}: {said}"
            if f"{path}:{number}: connections.k1.{name}" not in said:
                unnamed.append(said.strip())
    assert not unnamed, f"{len(unnamed)} do not name file, line and field, such as: {unnamed[0]}"


def test_what_is_secret_is_for_its_owner_alone():
    with made() as (gw, telco):
        state = gw.folder / "state"
        state.rmdir()  # the gateway makes it
        gw.umask = 0
        gw.start()
        phone = handset()
        tell(gw, phone, "SATU rahasia")
        shows(telco, phone, "Satu rahasia.")
        mode = lambda path: stat.S_IMODE(path.stat().st_mode)  # noqa: E731
        assert mode(state) == 0o700 and mode(state / "secrets") == 0o700
        secrets = [*(state / "secrets").iterdir(), state / "admin.secret"]
        assert [path.name for path in secrets] == ["phone", "admin.secret"], secrets
        assert all(mode(path) == 0o600 and len(path.read_text().strip()) >= 32 for path in secrets)
        open_ones = [path.name for path in state.glob("kentongan.db*") if mode(path) & 0o077]
        assert not open_ones, f"{open_ones} can be read by others"
        gw.restart()
        assert all(mode(path) == 0o600 for path in secrets)


# stopping


def test_stopped_while_a_telco_hangs_it_ends_in_time_and_loses_nothing():
    with running() as (gw, telco):
        phone, other = handset(), handset()
        telco.script(phone, "hang")
        tell(gw, phone, "SATU rahasia a", "SATU rahasia b")
        tell(gw, other, "GEMA")
        until("the call", lambda: telco.taken(phone))
        began = time.monotonic()
        assert gw.stop() == 0
        assert time.monotonic() - began < STOPPING_SECONDS, f"it took {time.monotonic() - began:.0f} s"
        gw.start()
        shows(telco, phone, "Satu rahasia a.", "Satu rahasia a.", "Satu rahasia b.")
        assert gw.messages(phone)[0]["note"] == "outcome unknown, sent once more"
        tell(gw, other, "rahasia")
        shows(telco, other, GEMA, "Anda menulis: rahasia")


def test_interrupted_twice_it_ends_at_once_and_loses_nothing():
    with running() as (gw, telco):
        phone = handset()
        telco.script(phone, "hang")
        tell(gw, phone, "SATU rahasia")
        until("the call", lambda: telco.taken(phone))
        began = time.monotonic()
        gw.process.send_signal(signal.SIGINT)
        until("it to be stopping", lambda: gw.log("serve.stopping"))
        assert health(gw)[0] == 503
        gw.process.send_signal(signal.SIGINT)
        assert gw.ended() == 0
        assert time.monotonic() - began < STOPPING_SECONDS / 2, f"it took {time.monotonic() - began:.0f} s"
        gw.start()
        shows(telco, phone, "Satu rahasia.", "Satu rahasia.")


def test_stopped_and_killed_under_load_all_that_was_acknowledged_is_answered():
    with running() as (gw, telco):
        answers = {}
        for end in (gw.stop, gw.kill, gw.stop):
            with traffic(gw) as some:
                end()
            answers.update(some)
            gw.start()
        taken = [phone for phone, status in answers.items() if status == 200]
        assert len(taken) > 30 and set(answers.values()) <= {200, 503, None}, set(answers.values())
        for phone in taken:
            until("its answer", lambda phone=phone: telco.taken(phone))
            assert len(gw.messages(phone)) == 1


# other settings


def reloads(gw, event="settings.reloaded"):
    """Reads the settings again; the log's line about it."""
    before = len(gw.log(event))
    gw.reload()
    return until(event, lambda: gw.log(event)[before:])[0]


def test_changed_settings_are_taken_up_without_a_restart():
    with running() as (gw, telco):
        old, new, key = handset(), handset(), "n" * 32
        tell(gw, old, "TIGA")
        gw.settings["plugin_settings"] = {"tiga": {"question": "Nama lengkap?"}}
        gw.connections["k1"]["secret"] = key
        reloads(gw)
        assert bring(gw, new, "TIGA")[0] == 401
        tell(gw, new, "TIGA", key=key)
        shows(telco, new, "Nama lengkap?")
        tell(gw, old, "", key=key)  # an open dialog keeps the words that it began with
        tell(gw, old, "rahasia", "1", key=key)
        until("its end", lambda: len(telco.taken(old)) == 4)
        assert telco.taken(old) == [NAME, f"Maaf, jawaban itu belum sesuai.\n{NAME}", COLOUR, "Terima kasih, rahasia. Jawaban ke-1."]
        settled(gw, old, new)
        gw.restart(kill=True)
        tell(gw, new, "rahasia", "2", key=key)
        shows(telco, new, "Nama lengkap?", COLOUR, "Terima kasih, rahasia. Jawaban ke-2.")


def test_reloads_under_load_lose_nothing():
    with running() as (gw, telco):
        dialler = handset()
        assert gw.ussd("a1", "reloads", dialler, "5") == (200, f"CON {NAME}")
        with traffic(gw) as answers:
            for n in range(10):
                gw.settings["plugin_settings"] = {"tiga": {"question": f"Nama {n}?"}}
                reloads(gw)
        assert set(answers.values()) == {200}, set(answers.values())
        for phone in answers:
            shows(telco, phone, "Satu rahasia.")
        assert gw.ussd("a1", "reloads", dialler, "5*rahasia") == (200, SCREEN)


def test_an_open_dialog_outlives_other_code_and_the_plugin_itself():
    with running() as (gw, telco):
        phones = [handset() for _ in range(3)]
        for phone in phones:
            tell(gw, phone, "TIGA")
            shows(telco, phone, NAME)
        scenes.add_plugin(gw, "tiga", KELIRU.replace("keliru", "tiga").replace("KELIRU", "TIGA").replace('"nothing"', '"dialog"'))
        reloads(gw)
        for n, phone in enumerate(phones):
            tell(gw, phone, "rahasia")
            shows(telco, phone, NAME, COLOUR)
            settled(gw, phone)
            if n == 0:
                gw.restart(kill=True)
            if n == 1:
                shutil.rmtree(gw.folder / "plugins/tiga")
                reloads(gw)
                gw.restart(kill=True)
            tell(gw, phone, "2")
            shows(telco, phone, NAME, COLOUR, f"Terima kasih, rahasia. Jawaban ke-{n + 1}.")


def test_a_connection_that_is_taken_out_and_put_back_keeps_its_messages():
    with running() as (gw, telco):
        phone, other = handset(), handset()
        telco.shut()
        tell(gw, phone, "SATU rahasia")
        until("a failure", lambda: gw.messages(phone)[0]["attempts"] > 0 and gw.states(phone) == ["queued"])
        right = gw.connections.pop("k1")
        reloads(gw)
        assert bring(gw, phone, "SATU rahasia")[0] == 404
        gw.restart(kill=True)
        telco.open()
        tell(gw, other, "SATU rahasia", connection="k2")
        shows(telco, other, "Satu rahasia.")
        assert gw.states(phone) == ["queued"] and telco.seen(phone) == []
        gw.connections["k1"] = right
        reloads(gw)
        shows(telco, phone, "Satu rahasia.")


def test_with_broken_settings_the_old_ones_stay():
    with running() as (gw, telco):
        phone = handset()
        path, right = gw.folder / "kentongan.conf.lua", gw.configure().read_text()
        line = len(right.splitlines()) + 1
        gw.configure = lambda: path
        broken = {
            f"{right}dialog_expiry = 5\n": f"{path}:{line}: dialog_expiry: must be 60 to 7776000 seconds, not 5",
            f"{right}connections = = {{ }}\n": f"{path}:{line}: ",
            right.replace('"adapter"] = "kannel"', '"adapter"] = "none"'): "none",
            right.replace('"country"] = "ID"', '"country"] = "XX"'): "XX",
        }
        for text, words in broken.items():
            path.write_text(text)
            said = reloads(gw, "settings.not_reloaded")
            assert words in said["error"] and said["level"] == "error", said
            tell(gw, phone, "SATU rahasia")
        path.unlink()
        assert str(path) in reloads(gw, "settings.not_reloaded")["error"]
        path.write_text(right)
        reloads(gw)
        tell(gw, phone, "SATU rahasia")
        until("all answers", lambda: telco.taken(phone) == ["Satu rahasia."] * 5)


def test_a_plugins_setting_that_is_wrong_names_file_line_and_field():
    with made(plugin_settings={"tiga": {"question": 5}, "nobody": {"x": 1}}) as (gw, telco):
        gw.start()
        (line,) = gw.log("plugin.not_loaded")
        assert line["plugin"] == "tiga" and "plugin_settings.tiga.question: must be a text" in line["error"], line
        number = len((gw.folder / "kentongan.conf.lua").read_text().splitlines())
        assert line["error"].startswith(f"{gw.folder}/kentongan.conf.lua:{number}: "), line
        unused = [one["plugin"] for one in gw.log("plugin.settings_unused")]
        assert unused == ["nobody"], f"{unused} are said not to exist"
        phone = handset()
        tell(gw, phone, "TIGA", "SATU rahasia")
        assert scenes.last(telco, phone, 2) == "Satu rahasia."
        says(telco.taken(phone)[0], NOT_UNDERSTOOD)


# bad plugins


def test_a_broken_plugin_stops_itself_alone(strange):
    gw, telco = strange
    phone = handset()
    errors = {line["plugin"]: line["error"] for line in gw.log("plugin.not_loaded")}
    assert set(errors) == {"rusak", "keliru"}, errors
    assert "rusak:5: " in errors["rusak"], errors["rusak"]
    assert "keliru.lua:5: triggers.keywords.KELIRU: " in errors["keliru"] and "dialog" in errors["keliru"], errors["keliru"]
    tell(gw, phone, "RUSAK", "KELIRU", "SATU rahasia")
    assert scenes.last(telco, phone, 3) == "Satu rahasia."
    scenes.add_plugin(gw, "rusak", KELIRU.replace("keliru", "rusak").replace("KELIRU", "RUSAK").replace('"nothing"', '"dialog"'))
    reloads(gw)
    tell(gw, phone, "RUSAK")
    assert scenes.last(telco, phone, 4) == "Selesai. Terima kasih."


def test_a_plugin_that_never_ends_keeps_no_one_waiting_and_is_paused(strange):
    gw, telco = strange
    phones, other = [handset() for _ in range(5)], handset()
    failed = gw.metric("steps_failed")
    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        turning = [pool.submit(tell, gw, phone, "PUTAR") for phone in phones]
        until("one to be in work", lambda: gw.metric("steps_waiting") > 0)
        tell(gw, other, "SATU rahasia")
    for one in turning:
        one.result()
    shows(telco, other, "Satu rahasia.")
    for phone in phones:
        says(scenes.last(telco, phone, 1), SORRY)
    assert telco.seen(other)[0]["n"] < max(telco.seen(phone)[0]["n"] for phone in phones), "it waited for all of them"
    assert gw.metric("steps_failed") - failed == 5
    said = [line for phone in phones for line in lines(gw, "dialog.failed", phone)]
    assert len(said) == 5 and all(line["plugin"] == "putar" and "putar:" in line["error"] for line in said), said
    paused = [(line["plugin"], line["level"]) for line in gw.log("plugin.paused")]
    assert paused == [("putar", "error")], f"paused: {paused}"
    tell(gw, phones[0], "PUTAR")
    says(scenes.last(telco, phones[0], 2), PAUSED)
    reloads(gw)  # loaded again, it gets another chance
    tell(gw, phones[0], "PUTAR")
    says(scenes.last(telco, phones[0], 3), SORRY)


def test_a_plugin_finds_nothing_of_anothers_records(strange):
    gw, telco = strange
    phone, thief = handset(), handset()
    tell(gw, phone, "TIGA", "rahasia", "1", "SURVEI", "1")
    assert scenes.last(telco, phone, 5) == "Terima kasih atas jawaban Anda."
    tell(gw, thief, "MALING")
    shows(telco, thief, "Didapat: 0.")


# two listeners


def test_metrics_and_health_are_the_admin_listeners_alone(usual):
    gw, _ = usual
    for path in ("/metrics", "/healthz", "/api/v1/optouts", "/phone/messages", "/telco/../metrics", "/%6detrics"):
        status, answer = gw.get(gw.public, path)
        assert status in (404, 400) and b"kentongan_" not in answer, f"{path}: {status}"
    assert gw.get(gw.public, "/metrics")[0] == 404 and gw.get(gw.public, "/healthz")[0] == 404
    assert health(gw) == (200, "ok\n")
    status, headers, page = gw.exchange(gw.admin, "GET", "/metrics")
    assert status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4") and b"\nkentongan_inbound_total " in page
    assert gw.get(gw.admin, "/api/v1/optouts")[0] == 401
    assert bring(gw, handset(), "SATU rahasia")[0] == 200 and gw.get(gw.admin, f"/telco/k1/sms?key={SECRET}")[0] == 404


# what operators do


def test_an_operator_finds_and_shows_messages(usual):
    gw, telco = usual
    phone = handset()
    tell(gw, phone, "SATU rahasia")
    shows(telco, phone, "Satu rahasia.")
    until("its state", lambda: gw.states(phone) == ["accepted"])
    found = command(gw, "message", "find", phone)
    assert found.returncode == 0 and "SATU rahasia" in found.stdout and "Satu rahasia." in found.stdout and "accepted" in found.stdout
    got, sent = json.loads(command(gw, "message", "find", phone, "--json").stdout)["messages"]
    assert (got["direction"], sent["direction"], sent["reply_to"]) == ("in", "out", got["id"])
    for one, text in ((got, "SATU rahasia"), (sent, "Satu rahasia.")):
        shown = command(gw, "message", "show", one["id"])
        assert shown.returncode == 0 and text in shown.stdout and phone in shown.stdout, shown
    missing = command(gw, "message", "show", "0" * 31 + "1")
    assert missing.returncode == 1 and "no such thing" in missing.stderr, missing
    missing = command(gw, "message", "show", "0" * 32)
    assert missing.returncode != 0 and not missing.stdout, f"zeros name no message: {missing.stdout}"
    assert command(gw, "message", "show", "5").returncode == 2
    assert "SATU rahasia" in command(gw, "message", "find", "0" + phone.removeprefix("+62")).stdout, "as people write it"
    assert "No messages." in command(gw, "message", "find", handset()).stdout


def test_an_operator_lists_who_said_stop(usual):
    gw, _ = usual
    phone = handset()
    assert phone not in command(gw, "optout", "list").stdout
    tell(gw, phone, "STOP")
    listed = command(gw, "optout", "list")
    assert listed.returncode == 0 and phone in listed.stdout


def test_an_operator_shows_and_ends_a_dialog(usual):
    gw, telco = usual
    phone = handset()
    tell(gw, phone, "TIGA", "rahasia")
    assert scenes.last(telco, phone, 2) == COLOUR
    (dialog,) = json.loads(command(gw, "dialog", "list", "--citizen", phone, "--json").stdout)["dialogs"]
    assert (dialog["plugin"], dialog["dialog"], dialog["state"]) == ("tiga", "steps", "waiting")
    assert dialog["id"] in command(gw, "dialog", "list", "--plugin", "tiga").stdout
    assert dialog["id"] not in command(gw, "dialog", "list", "--plugin", "gema").stdout
    shown = command(gw, "dialog", "show", dialog["id"])
    assert shown.returncode == 0 and "rahasia" in shown.stdout and "journal" in shown.stdout, shown.stdout
    ended = command(gw, "dialog", "end", dialog["id"])
    assert ended.returncode == 0 and "ended" in ended.stdout, ended
    assert command(gw, "dialog", "end", dialog["id"]).returncode == 1
    tell(gw, phone, "TIGA")
    assert scenes.last(telco, phone, 3) == NAME


ARSIP = """-- a plugin that keeps what nobody may change
local function dialog(citizen, _, message)
  records.log:insert { what = message.rest }
  citizen:say("Ada %d.", records.log:count())
end
return {
  name = "arsip", api = 1, triggers = { keywords = { ARSIP = "dialog" } }, needs = { "records" },
  records = { log = { what = "text", append_only = true } }, dialog = dialog,
}
"""


def test_an_operator_finds_a_changed_record_of_an_append_only_table():
    with made(scenes.USUAL) as (gw, telco):
        scenes.add_plugin(gw, "arsip", ARSIP)
        gw.start()
        phone = handset()
        assert "no such thing" in command(gw, "records", "verify", "arsip.log").stderr
        tell(gw, phone, "ARSIP satu", "ARSIP dua", "ARSIP tiga")
        shows(telco, phone, "Ada 1.", "Ada 2.", "Ada 3.")
        whole = command(gw, "records", "verify", "arsip.log")
        assert whole.returncode == 0 and "Whole: 3 records" in whole.stdout, whole
        gw.stop()
        with contextlib.closing(store_of(gw)) as store:
            store.execute("UPDATE record SET json = CAST(replace(json, 'dua', 'dui') AS BLOB)")
        gw.start()
        broken = command(gw, "records", "verify", "arsip.log")
        assert broken.returncode == 1 and "BROKEN at record 2" in broken.stdout, broken


def test_a_phone_in_the_terminal_by_sms_two_at_once(usual):
    gw, _ = usual
    phones = [handset(), handset()]

    def chat(n):
        return command(gw, "chat", "--from", phones[n], input=f"GEMA\nrahasia {n}\nSATU rahasia {n}\n")

    for n, done in enumerate(scenes.beside(2, chat)):
        want = [f"{NUMBER}: {text}" for text in (GEMA, f"Anda menulis: rahasia {n}", f"Satu rahasia {n}.")]
        assert done.returncode == 0 and done.stdout.splitlines() == want, f"{done.stdout} {done.stderr}"
    for phone in phones:
        until("the receipts", lambda phone=phone: gw.states(phone) == ["delivered"] * 3)


def test_a_phone_in_the_terminal_dials(usual):
    gw, _ = usual
    done = command(gw, "chat", "--from", handset(), "--ussd", "*123*5#", "--wait", "1", input="rahasia dials\n2\n")
    screens = [text.strip("\n") for text in done.stdout.split("-" * 40)]
    assert done.returncode == 0 and NAME in screens and f"{COLOUR}\n0 Kembali" in screens, f"{done.stdout} {done.stderr}"
    assert "Terima kasih, rahasia dials. Jawaban ke-1." in done.stdout and "session ended" in done.stdout


def test_a_phone_with_a_wrong_secret_is_let_in_nowhere(usual):
    gw, _ = usual
    phone, state = handset(), gw.folder / "wrong"
    (state / "secrets").mkdir(parents=True)
    shutil.copy(gw.folder / "state/addresses", state / "addresses")
    line = [gw.program, "chat", "--from", phone, "--state", str(state)]
    said = []
    for secret in (None, "", "0" * 32, SECRET):
        if secret is not None:
            (state / "secrets/phone").write_text(secret)
        done = subprocess.run(line, input="SATU rahasia\n", capture_output=True, text=True, timeout=gateway.PATIENCE, check=False)
        assert done.returncode == 1 and not done.stdout, done
        said.append(done.stderr)
    assert str(state / "secrets/phone") in said[0] and "is empty" in said[1] and "refused the secret" in said[2] + said[3], said
    assert stored(gw, phone) == []


def test_a_copy_made_under_load_goes_on_with_open_dialogs():
    with running() as (gw, telco), made() as (again, other_telco):
        phone = handset()
        store, copy = str(gw.folder / "state/kentongan.db"), str(gw.folder / "copy.db")
        backup, restore = [scenes.PROGRAM, "backup", store, copy], [scenes.PROGRAM, "restore", copy]
        tell(gw, phone, "TIGA", "rahasia copied")
        shows(telco, phone, NAME, COLOUR)
        with traffic(gw) as answers:
            subprocess.run(backup, check=True, timeout=gateway.PATIENCE)
            before = len(answers)
            into_running = subprocess.run([*restore, store], capture_output=True, text=True, timeout=gateway.PATIENCE, check=False)
            until("more traffic", lambda: len(answers) > before + 20)
        assert into_running.returncode == 1 and "has it open" in into_running.stderr, into_running
        assert set(answers.values()) == {200}
        for one in answers:
            shows(telco, one, "Satu rahasia.")
        subprocess.run([*restore, str(again.folder / "state/kentongan.db")], check=True, timeout=gateway.PATIENCE)
        again.start()
        tell(again, phone, "1")
        until("the answer", lambda: other_telco.taken(phone)[-1:] == ["Terima kasih, rahasia copied. Jawaban ke-1."])
        tell(gw, phone, "2")
        shows(telco, phone, NAME, COLOUR, "Terima kasih, rahasia copied. Jawaban ke-1.")


# killed


def test_killed_with_open_dialogs_they_go_on():
    with running() as (gw, telco):
        asked, named, echoed, dialled, broken = phones = [handset() for _ in range(5)]
        tell(gw, asked, "TIGA")
        tell(gw, named, "TIGA", "rahasia named")
        tell(gw, echoed, "GEMA")
        for phone, session in ((dialled, "on"), (broken, "off")):
            assert gw.ussd("a1", session, phone, "5") == (200, f"CON {NAME}")
            assert gw.ussd("a1", session, phone, "5*rahasia dials") == (200, SCREEN)
        settled(gw, *phones[:3])
        for _ in range(2):
            gw.restart(kill=True)
            (dialog,) = gw.api("POST", "dialogs/find", {"citizen": asked})[1]["dialogs"]
            assert dialog["state"] == "waiting"
        tell(gw, asked, "rahasia asked", "putih")
        tell(gw, named, "merah")
        tell(gw, echoed, "rahasia")
        until("the ends", lambda: [len(telco.taken(phone)) for phone in phones] == [3, 3, 2, 0, 0])
        assert [telco.taken(phone)[-1] for phone in phones[:3]] == [
            "Terima kasih, rahasia asked. Jawaban ke-1.", "Terima kasih, rahasia named. Jawaban ke-1.", "Anda menulis: rahasia",
        ]  # fmt: skip
        assert gw.ussd("a1", "on", dialled, "5*rahasia dials*1") == (200, "END Terima kasih, rahasia dials. Jawaban ke-1.")
        status, screen = gw.ussd("a1", "anew", broken, "")
        says(screen, "CON Anda belum selesai di TIGA. Lanjutkan?")
        assert gw.ussd("a1", "anew", broken, "1") == (200, SCREEN)
        assert gw.ussd("a1", "anew", broken, "1*2") == (200, "END Terima kasih, rahasia dials. Jawaban ke-2.")
        assert gw.metric("replays") >= 5


def test_after_a_kill_a_sessions_id_shows_another_number_nothing_of_it():
    with running() as (gw, _):
        phone, other = handset(), handset()
        assert gw.ussd("a1", "killed", phone, "5") == (200, f"CON {NAME}")
        gw.restart(kill=True)
        # Who had the session is known only to the process before: the other number is not refused, but has a dialog of its own.
        assert gw.ussd("a1", "killed", other, "5*rahasia other")[0] in (200, 403)
        (dialog,) = gw.api("POST", "dialogs/find", {"citizen": phone})[1]["dialogs"]
        assert "other" not in json.dumps(gw.api("GET", f"dialogs/{dialog['id']}")[1])
        answer = gw.ussd("a1", "killed", phone, "5*rahasia mine")
        if answer[0] == 403:  # the id is the other's now; she dials again
            assert gw.ussd("a1", "anew", phone, "")[0] == 200
            answer = gw.ussd("a1", "anew", phone, "1")
            assert answer == (200, f"CON {NAME}"), answer
            assert gw.ussd("a1", "anew", phone, "1*rahasia mine") == (200, SCREEN)
        else:
            assert answer == (200, SCREEN), answer


# after all of it


def test_numbers_are_masked_and_texts_and_secrets_absent_in_all_logs(logs):
    assert logs
    for log in logs:
        for word in (scenes.HANDSETS, "0" + scenes.HANDSETS[2:], scenes.OWN, "rahasia", SECRET, "telco-password", "telco-key"):
            assert word not in log, f"{word!r} stands in a log: {log[max(log.index(word) - 200, 0) :][:400]}"


if __name__ == "__main__":
    if not scenes.PROGRAM:
        sys.exit(__doc__)
    only = sys.argv[2:]
    sys.exit(scenes.run([
        value for name, value in list(globals().items())
        if name.startswith("test_") and (not only or any(word in name for word in only))
    ], {"usual": usual, "strange": strange}))  # fmt: skip
