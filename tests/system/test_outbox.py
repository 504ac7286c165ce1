#!/usr/bin/env python3
"""What becomes of replies when the telco, its receipts or the program itself fail.

test_outbox.py [PROGRAM]; PROGRAM is the built gateway, else $KENTONGAN.  Each test prints "ok NAME" or "not ok NAME: why",
the last line is "N passed, M failed".
"""

import contextlib
import os
import socket
import sys
import urllib.parse

import faketelco
import gateway
from gateway import until

PROGRAM = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("KENTONGAN", "")
PLUGIN = gateway.TOP / "tests/system/plugins/satu"
HANDSET = "+62812000001"
UNKNOWN_SECONDS = 2  # how long a receipt is awaited here
RECEIPT_TAKEN = 200


@contextlib.contextmanager
def running(**connection):
    """A gateway with Kannel (k1) and Africa's Talking (a1) as its telcos, both one faketelco."""
    with faketelco.Telco() as telco:
        rows = {
            "k1": gateway.kannel(telco.port, unknown_seconds=UNKNOWN_SECONDS, **connection),
            "a1": gateway.africastalking(telco.port, unknown_seconds=UNKNOWN_SECONDS),
        }
        with gateway.Gateway(PROGRAM, rows, [PLUGIN]) as gw:
            telco.gateway = gw
            yield gw, telco
            telco.release()


def ask(gw, *words, handset=HANDSET, connection="k1"):
    for word in words:
        status = gw.mo(connection, handset, f"SATU {word}")
        assert status == 200, f"the callback was answered {status}"


def texts(*words):
    return [f"Satu {word}." for word in words]


def shows(telco, *words, handset=HANDSET):
    """Waits until the handset has shown exactly the answers to these words, in this order."""
    until(f"{len(words)} messages", lambda: len(telco.taken(handset)) >= len(words))
    assert telco.taken(handset) == texts(*words), f"the handset shows {telco.taken(handset)}"


def comes_to(gw, *states, handset=HANDSET):
    until(f"the states {states}", lambda: gw.states(handset) == list(states))


def test_a_reply_is_accepted_and_its_receipt_shows():
    with running() as (gw, telco):
        telco.script(HANDSET, "late:8,1")
        ask(gw, "a")
        shows(telco, "a")
        comes_to(gw, "delivered")
        assert telco.arrivals[0]["from"] == gateway.NUMBER


def test_one_citizens_replies_come_in_order_though_the_first_is_refused_for_a_while():
    with running() as (gw, telco):
        telco.script(HANDSET, "503", "503")
        ask(gw, "a", "b", "c")
        shows(telco, "a", "b", "c")
        assert [one["text"] for one in telco.seen(HANDSET)] == texts("a", "a", "a", "b", "c")
        comes_to(gw, "accepted", "accepted", "accepted")
        assert gw.metric("outbound_retried") == 2


def test_a_citizen_who_waits_does_not_keep_others_waiting():
    with running() as (gw, telco):
        other = "+62812000002"
        telco.script(HANDSET, "hang")
        ask(gw, "a", "b")
        until("the first", lambda: telco.seen(HANDSET))
        ask(gw, "x", "y", "z", handset=other)
        shows(telco, "x", "y", "z", handset=other)
        assert len(telco.seen(HANDSET)) == 1, "b waits for a"


def test_a_telco_that_is_down_gets_all_when_it_is_back():
    with running() as (gw, telco):
        telco.shut()
        ask(gw, "a", "b")
        for n in range(2, 9):
            ask(gw, "x", handset=f"+6281200000{n}")
        until("failures", lambda: gw.states(HANDSET) == ["queued", "queued"])
        telco.open()
        shows(telco, "a", "b")
        for n in range(2, 9):
            shows(telco, "x", handset=f"+6281200000{n}")


def test_a_call_without_an_answer_is_sent_once_more_and_says_so():
    with running() as (gw, telco):
        telco.script(HANDSET, "close")
        ask(gw, "a", "b")
        comes_to(gw, "unknown", "queued")
        shows(telco, "a", "a", "b")
        comes_to(gw, "accepted", "accepted")
        assert gw.messages(HANDSET)[0]["note"] == "outcome unknown, sent once more"
        assert gw.metric("outbound_unknown") == 1 and gw.metric("outbound_resent") == 1


def test_a_receipt_for_a_call_without_an_answer_proves_that_it_was_taken():
    with running() as (gw, telco):
        telco.script(HANDSET, "close")
        ask(gw, "a", "b")
        comes_to(gw, "unknown", "queued")
        assert telco.receipt(gw, telco.seen(HANDSET)[0], 8) == RECEIPT_TAKEN
        shows(telco, "a", "b")
        comes_to(gw, "sent", "accepted")
        assert gw.metric("outbound_resent") == 0


def test_a_second_doubt_is_held_until_an_operator_decides():
    with running() as (gw, telco):
        telco.script(HANDSET, "close", "close")
        ask(gw, "a", "b")
        shows(telco, "a", "a", "b")
        comes_to(gw, "held", "accepted")
        held = gw.messages(HANDSET)[0]
        assert held["note"] == "outcome unknown again, held", held["note"]
        status, answer = gw.api("POST", f"messages/{held['id']}/release", {})
        assert status == 200, f"{status} {answer}"
        shows(telco, "a", "a", "b", "a")
        comes_to(gw, "accepted", "accepted")
        assert gw.metric("outbound_held") == 1


def test_a_held_message_is_dropped_by_an_operator():
    with running(on_unknown="hold") as (gw, telco):
        telco.script(HANDSET, "cut")
        ask(gw, "a", "b")
        shows(telco, "b")
        comes_to(gw, "held", "accepted")
        held = gw.messages(HANDSET)[0]["id"]
        assert gw.api("POST", f"messages/{held}/drop", {})[0] == 200
        comes_to(gw, "dropped", "accepted")
        assert gw.api("POST", f"messages/{held}/drop", {})[0] == 409


def test_a_receipt_that_comes_before_the_answer_is_believed():
    with running() as (gw, telco):
        telco.script(HANDSET, "early:1")
        ask(gw, "a")
        comes_to(gw, "delivered")
        until("the telco's own record", lambda: telco.seen(HANDSET)[0].get("receipts") == [RECEIPT_TAKEN])
        ask(gw, "b")
        shows(telco, "a", "b")
        assert gw.states(HANDSET)[0] == "delivered"


def test_receipts_in_the_wrong_order_and_repeated_end_right():
    with running() as (gw, telco):
        telco.script(HANDSET, "late:1,8,1,2,8")
        ask(gw, "a")
        until("the receipts", lambda: len(telco.seen(HANDSET)) == 1 and len(telco.seen(HANDSET)[0].get("receipts", [])) == 5)
        assert telco.seen(HANDSET)[0]["receipts"] == [RECEIPT_TAKEN] * 5
        assert gw.states(HANDSET) == ["delivered"]


def test_a_failure_that_a_receipt_tells_is_not_sent_again():
    with running() as (gw, telco):
        telco.script(HANDSET, "late:2")
        ask(gw, "a")
        comes_to(gw, "failed")
        ask(gw, "b")
        shows(telco, "a", "b")


def test_a_receipt_for_what_we_never_sent_is_taken_and_counted():
    with running() as (gw, _):
        query = urllib.parse.urlencode({"key": gateway.SECRET, "ref": "0" * 32, "st": 1, "a": "", "ts": 1})
        assert gw.get(gw.public, f"/telco/k1/receipt?{query}")[0] == RECEIPT_TAKEN
        assert gw.metric("receipts_unknown") == 1
        assert len(gw.log("outbox.receipt_unknown")) == 1


def test_receipts_by_the_telcos_own_id_find_their_message():
    with running() as (gw, telco):
        ask(gw, "a", connection="a1")
        shows(telco, "a")
        comes_to(gw, "accepted")
        form = urllib.parse.urlencode({
            "id": telco.arrivals[0]["id"], "status": "Success", "phoneNumber": HANDSET, "networkCode": "51010",
        })  # fmt: skip
        for _ in range(2):
            status, _ = gw.request(gw.public, "POST", f"/telco/a1/receipt?key={gateway.SECRET}", form, gateway.FORM)
            assert status == RECEIPT_TAKEN
        assert gw.states(HANDSET) == ["delivered"]


def test_refused_credentials_pause_the_connection_until_the_settings_are_mended():
    with running() as (gw, telco):
        telco.script(None, "403:Authorization failed for sendsms")
        ask(gw, "a", "b")
        until("the pause", lambda: gw.metric("connections_paused") == 1)
        ask(gw, "x", handset="+62812000002")
        assert gw.log("outbox.paused")[0]["cause"] == "the credentials are refused"
        assert len(telco.arrivals) == 1, "nothing more leaves"
        gw.reload()
        shows(telco, "a", "b")
        shows(telco, "x", handset="+62812000002")
        assert gw.metric("connections_paused") == 0


def test_what_the_telco_refuses_for_good_is_not_sent_again_and_releases_the_next():
    with running() as (gw, telco):
        telco.script(HANDSET, "403:Not routable. Do not try again.")
        ask(gw, "a", "b")
        shows(telco, "b")
        comes_to(gw, "failed", "accepted")
        assert len(telco.seen(HANDSET)) == 2


def test_too_fast_is_sent_again_later():
    with running() as (gw, telco):
        telco.script(HANDSET, "429")
        ask(gw, "a", "b")
        shows(telco, "a", "b")
        comes_to(gw, "accepted", "accepted")
        assert gw.log("outbox.throttled")


def test_killed_while_a_reply_is_out_it_is_in_doubt_and_sent_once_more():
    with running() as (gw, telco):
        telco.script(HANDSET, "hang")
        ask(gw, "a", "b")
        until("the first", lambda: telco.taken(HANDSET))
        gw.restart(kill=True)
        comes_to(gw, "unknown", "queued")
        shows(telco, "a", "a", "b")
        comes_to(gw, "accepted", "accepted")
        assert gw.messages(HANDSET)[0]["note"] == "outcome unknown, sent once more"


def test_killed_while_a_reply_is_out_a_receipt_settles_it():
    with running() as (gw, telco):
        telco.script(HANDSET, "hang")
        ask(gw, "a", "b")
        until("the first", lambda: telco.taken(HANDSET))
        gw.restart(kill=True)
        assert telco.receipt(gw, telco.seen(HANDSET)[0], 1) == RECEIPT_TAKEN
        shows(telco, "a", "b")
        comes_to(gw, "delivered", "accepted")


def test_stopped_with_replies_waiting_they_leave_after_the_next_start():
    with running() as (gw, telco):
        telco.shut()
        ask(gw, "a", "b")
        until("a failure", lambda: gw.states(HANDSET) == ["queued", "queued"])
        assert gw.stop() == 0
        telco.open()
        gw.start()
        shows(telco, "a", "b")


def test_stopped_while_a_reply_is_out_its_answer_is_awaited():
    with running() as (gw, telco):
        telco.script(HANDSET, "slow:1")
        ask(gw, "a")
        until("the first", lambda: telco.taken(HANDSET))
        assert gw.stop() == 0
        gw.start()
        assert gw.states(HANDSET) == ["accepted"], gw.states(HANDSET)


def test_a_last_screen_is_taken_or_follows_by_sms():
    with running() as (gw, telco):
        status, screen = gw.ussd("a1", "s1", HANDSET, "7")
        assert (status, screen) == (200, "END Layar terakhir."), f"{status} {screen}"
        comes_to(gw, "accepted")
        form = urllib.parse.urlencode({
            "sessionId": "s2", "phoneNumber": HANDSET, "serviceCode": gateway.CODE, "networkCode": "51010", "text": "7",
        })  # fmt: skip
        with socket.create_connection(("127.0.0.1", gw.public)) as line:
            line.sendall(
                f"POST /telco/a1/ussd?key={gateway.SECRET} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(form)}\r\n"
                f"Content-Type: application/x-www-form-urlencoded\r\n\r\n{form}".encode()
            )
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset, as of a telco that died
        until("the screen's text by SMS", lambda: telco.taken(HANDSET) == ["Layar terakhir."])
        comes_to(gw, "accepted", "accepted")


def test_numbers_are_masked_and_texts_absent_in_the_log():
    with running() as (gw, telco):
        telco.script(HANDSET, "403:Not routable. Do not try again.", "close")
        ask(gw, "rahasia", "b")
        comes_to(gw, "failed", "unknown")
        assert HANDSET[1:] not in gw.text() and "rahasia" not in gw.text()


if __name__ == "__main__":
    if not PROGRAM:
        sys.exit(__doc__)
    only = sys.argv[2:]
    sys.exit(gateway.run_tests([
        value for name, value in list(globals().items())
        if name.startswith("test_") and (not only or any(word in name for word in only))
    ]))  # fmt: skip
