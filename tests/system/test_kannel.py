#!/usr/bin/env python3
"""Whole conversations through Debian's Kannel: handset, operator, bearerbox, smsbox, gateway, and back.

test_kannel.py [PROGRAM]; PROGRAM is the built gateway, else $KENTONGAN.  Each test prints "ok NAME" or "not ok NAME: why",
the last line is "N passed, M failed".
"""

import contextlib
import os
import pathlib
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import traceback
import urllib.parse

import kannel
from kannel import until

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
NUMBER = "2020"
SECRET = secrets.token_hex(16)

SETTINGS = """
state = "{folder}/state"
plugins = "{folder}/plugins"
public_port = {public}
admin_port = {admin}
trusted = {{ "127.0.0.1" }}
connections = {{
  k1 = {{
    adapter = "kannel", country = "ID", numbers = {{ "{number}" }}, unknown_seconds = 60,
    secret = "{secret}", username = "kentongan", password = "kannel-password",
    send_url = "http://127.0.0.1:{k1}/cgi-bin/sendsms",
  }},
  k2 = {{
    adapter = "kannel", country = "ID", numbers = {{ "{number}" }}, unknown_seconds = 60,
    secret = "{secret}", username = "kentongan", password = "kannel-password",
    send_url = "http://127.0.0.1:{k2}/cgi-bin/sendsms",
  }},
}}
"""


class Gateway:
    """`kentongan serve` with two Kannels as its telcos."""

    def __init__(self, program, folder):
        self.program, self.folder = program, pathlib.Path(folder)
        self.public, self.admin = kannel.free_ports(2)
        self.process = None
        plugins = self.folder / "plugins"
        plugins.mkdir()
        (plugins / "telco").symlink_to(TOP / "plugins" / "telco")
        shutil.copytree(TOP / "tests" / "system" / "plugins" / "gema", plugins / "gema")
        (self.folder / "state").mkdir(mode=0o700)
        self.settings = self.folder / "kentongan.conf.lua"

    def configure(self, k1, k2):
        self.settings.write_text(
            SETTINGS.format(
                folder=self.folder,
                public=self.public,
                admin=self.admin,
                number=NUMBER,
                secret=SECRET,
                k1=k1.sendsms,
                k2=k2.sendsms,
            )
        )

    def get_url(self, connection):
        return (
            f"http://127.0.0.1:{self.public}/telco/{connection}/sms?key={SECRET}"
            "&id=%I&from=%p&to=%P&text=%b&ts=%T&coding=%c&charset=%C&udh=%u&smsc=%i"
        )

    def start(self):
        with open(self.folder / "gateway.log", "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "serve", "--config", str(self.settings)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        until("the gateway", self.answers)

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the gateway ended with {self.process.returncode}: {self.log()[-600:]}")
        return kannel.listens(self.public) and kannel.listens(self.admin)

    def log(self):
        return (self.folder / "gateway.log").read_text(errors="replace")

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(kannel.PATIENCE)
            self.process = None

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def metric(self, name):
        """The sum of a metric over its labels."""
        page = kannel.get(self.admin, "/metrics")[1].decode()
        return sum(float(value) for value in re.findall(rf"^kentongan_{name}(?:_total)?(?:{{[^}}]*}})? ([0-9.e+]+)$", page, re.M))

    def states(self, handset):
        """What `kentongan message find` tells of a citizen's messages."""
        answer = subprocess.run(
            [self.program, "message", "find", "--state", str(self.folder / "state"), handset],
            capture_output=True,
            text=True,
            timeout=kannel.PATIENCE,
        )
        assert answer.returncode == 0, answer.stderr
        return answer.stdout


class World:
    """One operator, two Kannels (k2 leaves the joining of long messages to the gateway) and a gateway."""

    def __init__(self, program):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kentongan-kannel-"))
        self.operator = kannel.Operator()
        self.gateway = Gateway(program, self.folder)
        self.k1 = kannel.Kannel(self.folder / "k1", self.operator, self.gateway.get_url("k1"))
        self.k2 = kannel.Kannel(self.folder / "k2", self.operator, self.gateway.get_url("k2"), combine=False)
        self.gateway.configure(self.k1, self.k2)
        self.handsets = 0

    def start(self):
        self.gateway.start()
        self.k1.start()
        self.k2.start()

    def close(self, keep):
        for one in (self.k1, self.k2, self.gateway):
            with contextlib.suppress(Exception):
                one.stop()
        self.operator.close()
        if keep:
            print(f"kept: {self.folder}")
        else:
            shutil.rmtree(self.folder)

    def handset(self):
        self.handsets += 1
        return f"+62812000{self.handsets:05}"

    def shows(self, handset, *texts):
        """Waits until the handset has shown exactly these, in this order."""
        until(f"{len(texts)} messages at {handset}", lambda: len(self.operator.messages(handset)) >= len(texts))
        shown = self.operator.messages(handset)
        assert shown == list(texts), f"{handset} shows {shown}"


ASKED = "Apa yang diulang?"


def said(words):
    return f"Anda menulis: {words}"


def test_a_conversation_goes_there_and_back(world):
    handset = world.handset()
    world.k1.text(handset, NUMBER, "GEMA")
    world.shows(handset, ASKED)
    world.k1.text(handset, NUMBER, "halo + dunia & 50%")
    world.shows(handset, ASKED, said("halo + dunia & 50%"))


def test_the_receipts_come_back_to_their_message(world):
    handset = world.handset()
    before = world.gateway.metric("receipts")
    world.k1.text(handset, NUMBER, "GEMA")
    world.shows(handset, ASKED)
    segment = world.operator.to(handset)[0]
    assert segment.sender == NUMBER and int(segment.dlr) & 3 == 3, segment
    world.k1.report(segment, 1)
    until("two receipts, of the SMSC and of the handset", lambda: world.gateway.metric("receipts") >= before + 2)
    until("delivered", lambda: "delivered" in world.gateway.states(handset))


def test_a_failed_delivery_is_seen(world):
    handset = world.handset()
    world.k1.text(handset, NUMBER, "GEMA")
    world.shows(handset, ASKED)
    world.k1.report(world.operator.to(handset)[0], 2)
    until("failed", lambda: "failed" in world.gateway.states(handset))


def test_ucs2_goes_both_ways(world):
    handset = world.handset()
    world.k1.text(handset, NUMBER, "GEMA")
    world.shows(handset, ASKED)
    world.k1.text(handset, NUMBER, "jalan 😀 ꦗꦮ я")
    world.shows(handset, ASKED, said("jalan 😀 ꦗꦮ я"))
    assert world.operator.to(handset)[1].coding == "2"


def udh8(ref, total, number):
    return bytes([5, 0, 3, ref, total, number])


def test_a_long_message_that_kannel_joins_is_one(world):
    handset = world.handset()
    world.k1.text(handset, NUMBER, "GEMA")
    world.shows(handset, ASKED)
    world.k1.text(handset, NUMBER, "bagian dua", udh8(9, 2, 2))
    world.k1.text(handset, NUMBER, "bagian satu ", udh8(9, 2, 1))
    world.shows(handset, ASKED, said("bagian satu bagian dua"))


def test_a_long_message_in_parts_is_joined_by_the_gateway(world):
    handset = world.handset()
    world.k2.text(handset, NUMBER, "GEMA")
    world.shows(handset, ASKED)
    for number, words in ((3, "tiga"), (1, "satu "), (1, "satu "), (2, "dua ")):
        world.k2.text(handset, NUMBER, words, udh8(7, 3, number))
    world.shows(handset, ASKED, said("satu dua tiga"))


def test_a_character_cut_between_two_parts_is_whole(world):
    handset = world.handset()
    raw = "Hai 😀!".encode("utf-16-be")
    world.k2.text(handset, NUMBER, "GEMA")
    world.shows(handset, ASKED)
    world.k2.text(handset, NUMBER, raw[10:], bytes([6, 8, 4, 1, 45, 2, 2]))
    world.k2.text(handset, NUMBER, raw[:10], bytes([6, 8, 4, 1, 45, 2, 1]))
    world.shows(handset, ASKED, said("Hai 😀!"))


def test_a_long_answer_goes_out_in_parts(world):
    handset = world.handset()
    world.k1.text(handset, NUMBER, "PANJANG")
    until("the whole text", lambda: world.operator.messages(handset))
    (shown,) = world.operator.messages(handset)
    assert shown.rstrip() == ("Kalimat ini diulang supaya pesannya menjadi panjang. " * 7).rstrip(), shown
    assert len(world.operator.to(handset)) == 3, world.operator.to(handset)


def test_a_long_answer_in_ucs2_goes_out_in_parts(world):
    handset = world.handset()
    world.k1.text(handset, NUMBER, "LEBAR")
    until("the whole text", lambda: world.operator.messages(handset))
    (shown,) = world.operator.messages(handset)
    assert shown.rstrip() == ("Halo 😀 dunia. " * 10).rstrip(), shown


def test_what_the_operator_refuses_for_a_while_arrives_once(world):
    handset = world.handset()
    world.operator.answers.extend(["later", "later"])
    world.k1.text(handset, NUMBER, "GEMA")
    world.shows(handset, ASKED)


def test_machines_get_no_answer(world):
    handset = world.handset()
    before = world.gateway.metric("unanswered")
    world.k1.text("BANKINFO", NUMBER, "GEMA")
    world.k1.text("4444", NUMBER, "GEMA")
    until("two that are not answered", lambda: world.gateway.metric("unanswered") >= before + 2)
    world.k1.text(handset, NUMBER, "GEMA")
    world.shows(handset, ASKED)
    assert not world.operator.to("BANKINFO") and not world.operator.to("4444")


def test_a_kannel_that_is_down_gets_the_answers_when_it_is_back(world):
    handset = world.handset()
    world.k1.stop()
    fields = {"key": SECRET, "id": secrets.token_hex(16), "from": handset, "to": NUMBER, "text": "GEMA", "coding": "0"}
    status, _ = kannel.get(world.gateway.public, "/telco/k1/sms?" + urllib.parse.urlencode(fields))
    assert status == 200, status
    until("an attempt that failed", lambda: world.gateway.metric("outbound_retried"))
    assert not world.operator.messages(handset)
    world.k1.start()
    world.shows(handset, ASKED)


def test_a_kannel_restarted_in_mid_dialog_goes_on(world):
    handset = world.handset()
    world.k1.text(handset, NUMBER, "GEMA")
    world.shows(handset, ASKED)
    world.k1.stop()
    world.k1.start()
    world.k1.text(handset, NUMBER, "masih ada")
    world.shows(handset, ASKED, said("masih ada"))


def test_what_came_while_the_gateway_was_away_is_answered_once(world):
    handset = world.handset()
    world.k1.text(handset, NUMBER, "GEMA")
    world.shows(handset, ASKED)
    world.gateway.kill()
    world.k1.text(handset, NUMBER, "kamu di mana")
    world.gateway.start()
    world.shows(handset, ASKED, said("kamu di mana"))


def tests():
    return [(name[5:], fn) for name, fn in globals().items() if name.startswith("test_") and callable(fn)]


def run(world, name, fn):
    try:
        fn(world)
    except Exception as error:  # each test is told of, whatever it meets
        where = traceback.extract_tb(error.__traceback__)[-1]
        print(f"not ok {name}: {error or type(error).__name__} (line {where.lineno})", flush=True)
        return False
    print(f"ok {name}", flush=True)
    return True


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("KENTONGAN")
    if not program:
        sys.exit(__doc__)
    world = World(str(pathlib.Path(program).resolve()))
    passed = failed = 0
    try:
        world.start()
        for name, fn in tests():
            if run(world, name, fn):
                passed += 1
            else:
                failed += 1
    finally:
        world.close(keep=failed and "KEEP" in os.environ)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
