#!/usr/bin/env python3
"""The tools of those who write plugins: test, chat FOLDER, record, new.  $KENTONGAN is the program."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import threading
import unittest

PROGRAM = os.environ.get("KENTONGAN", "kentongan")
TOP = pathlib.Path(__file__).resolve().parent.parent.parent

ASKING = """-- usul.lua - takes a proposal and gives a code.
local function dialog(citizen)
  local title = citizen:ask("Apa usulan Anda?")
  local row = records.proposals:insert { code = code(), title = title }
  citizen:say("Tercatat dengan kode %s.", row.code)
end

return {
  name = "usul", api = 1, summary = "Proposals",
  triggers = {
    keywords = { USUL = "dialog", KODE = "again" }, ussd = { ["3"] = "dialog" }, menu = { ["3"] = "Usulan" },
  },
  needs = { "records" }, records = { proposals = { code = "text", title = "text", unique = { "code" } } },
  dialogs = {
    dialog = dialog,
    again = function(citizen, _, message) citizen:say("Kode %s, ya.", message.rest) end,
  },
}
"""


class Tools(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kentongan-tools-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.plugins = self.folder / "plugins"
        (self.plugins / "usul").mkdir(parents=True)
        self.file = self.plugins / "usul" / "usul.lua"
        self.file.write_text(ASKING)

    def run_it(self, *words, feed=""):
        return subprocess.run([PROGRAM, *map(str, words)], input=feed, capture_output=True, text=True, timeout=240, check=False,
                              cwd=self.folder, env=dict(os.environ, KENTONGAN_PLUGINS=str(self.plugins)))

    def play(self, text, *options):
        path = self.plugins / "usul" / "talk.dialog"
        path.write_text(text)
        return self.run_it("test", *options, path)

    def wrong(self, text, *parts):
        done = self.play(text)
        self.assertEqual(done.returncode, 1, done.stdout)
        for part in parts:
            self.assertIn(part, done.stdout)

    def test_a_failure_shows_both_texts_and_where_they_part(self):
        self.wrong("citizen: USUL\ngateway: Apa usulan anda?\n",
                   "talk.dialog:2: it said something else\n",
                   "  Apa usulan anda?                               ! Apa usulan Anda?\n",
                   "             ^                                                ^\n")

    def test_mistyped_words_are_errors_of_the_file(self):
        self.wrong("citzen: USUL\n", "talk.dialog:1: 'citzen' is no word of a transcript")
        self.wrong("Siti: USUL\n", "'Siti' is no word of a transcript and no citizen's name")
        self.wrong("-- citizens Siti\n-- Sitti by SMS\n", "talk.dialog:2: 'Sitti' is no citizen")
        self.wrong("-- restrat\n", "'-- restrat' is nothing that can happen")
        self.wrong("-- two days pass\n", "is nothing that can happen")
        self.wrong("-- citizens siti\n", "begins with a capital letter")
        self.wrong("-- records usul.proposal: 0\n", "there is no table proposal of a plugin usul")
        self.wrong("-- record usul.proposals: titel = a\n", "has no field titel")

    def test_records_that_are_others_are_shown(self):
        talk = "citizen: USUL\ngateway: {question}\ncitizen: jalan\ngateway: {code}\n"
        self.wrong(talk + "-- records usul.proposals: 2\n", "has 1 records, not 2", '"title":"jalan"')
        self.wrong(talk + "-- record usul.proposals: title = air\n", "no record of usul.proposals is like that", "jalan")

    def test_what_is_said_must_be_expected(self):
        self.wrong("citizen: USUL\ncitizen: jalan\n", "talk.dialog:2: before this the gateway also said to citizen 1:\nApa usulan")

    def test_a_talk_needs_no_gateway(self):
        done = self.run_it("chat", "plugins/usul", feed="USUL\n:journal\n:time +2d\n:restart\njalan\n:ussd *123*3#\n:drop\n:citizen 2\nhalo\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        for part in ("gateway: Apa usulan Anda?", "usul, dialog: waiting", "sms began: USUL", "(2 days later)", "(started anew)",
                     "gateway: Tercatat dengan kode ", "-----\nApa usulan Anda?\n-----", "(the call is over)"):
            self.assertIn(part, done.stdout)

    def test_what_was_saved_is_read_again_and_errors_keep_the_code_of_before(self):
        with subprocess.Popen([PROGRAM, "chat", "plugins/usul"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                              cwd=self.folder) as talk:
            late = threading.Timer(60, talk.kill)  # an answer that doesn't come ends the wait for it
            late.start()
            self.addCleanup(late.cancel)

            def say(text, answer):
                talk.stdin.write(text + "\n")
                talk.stdin.flush()
                seen = ""
                while answer not in seen:
                    line = talk.stdout.readline()
                    self.assertTrue(line, seen)
                    seen += line
                return seen

            say("USUL", "Apa usulan Anda?")
            self.file.write_text(ASKING.replace("Apa usulan Anda?", "Usulan apa?"))
            say(":restart", "(started anew)")
            say("BATAL", "gateway:")
            say("USUL", "gateway: Usulan apa?")
            self.file.write_text(ASKING.replace("local title", "lokal title"))
            self.assertIn("the code of before stays", say("satu", "gateway: Tercatat"))
            self.file.write_text(ASKING.replace("title = title", "title = titel.x"))
            say("USUL", "gateway: Apa usulan Anda?")
            self.assertIn("(error: usul:4: ", say("dua", "gateway: Maaf"))
            talk.stdin.close()
            talk.wait(timeout=60)

    def test_a_talk_is_kept_as_a_transcript_that_passes(self):
        talk = self.plugins / "usul" / "first.dialog"
        done = self.run_it("record", talk, "plugins/usul", feed="USUL\njalan rusak\n:ussd *123*3#\n:drop\n:time +1h\n:restart\n")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(talk.read_text(),
                         "citizen: USUL\ngateway: Apa usulan Anda?\ncitizen: jalan rusak\ngateway: Tercatat dengan kode {code}.\n"
                         "-- by USSD *123*3#\ngateway: Apa usulan Anda?\n-- the call drops\n-- 1 hour passes\n-- restart\n")
        self.assertIn("1 passed", self.run_it("test", "--restart-everywhere", talk).stdout)
        elsewhere = self.folder / "far" / "off.dialog"
        elsewhere.parent.mkdir()
        done = self.run_it("chat", "--record", elsewhere, "plugins/usul", feed="KODE satu\n")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(elsewhere.read_text(), "plugins: ../plugins\ncitizen: KODE satu\ngateway: Kode satu, ya.\n")

    def test_a_new_plugin_works_at_once(self):
        for kind in ("survey", "menu", "lookup"):
            with self.subTest(kind):
                done = self.run_it("new", f"uji-{kind}", "--like", kind)
                self.assertEqual(done.returncode, 0, done.stderr)
                own = self.plugins / f"uji-{kind}"
                self.assertEqual(sorted(path.name for path in own.iterdir()), ["README.md", f"uji-{kind}.dialog", f"uji-{kind}.lua"])
                for path in own.iterdir():
                    self.assertNotRegex(path.read_text(), "@[A-Z]+@")
                done = self.run_it("test", own)
                self.assertEqual(done.stdout, "1 passed, 0 failed\n")
        self.assertIn("1 passed", self.run_it("test", "--restart-everywhere", self.plugins / "uji-lookup").stdout)

    def test_new_refuses_what_can_not_be(self):
        for name, why in (("usul", "is there already"), ("Usul", "can't be a plugin's name"), ("us-ul", "has the keyword USUL already"),
                          ("stop", "a word of the gateway's own"), ("lib", "can't be a plugin's name"), ("9a", "can't be")):
            done = self.run_it("new", name)
            self.assertEqual(done.returncode, 1)
            self.assertIn(why, done.stderr)
        self.assertEqual(self.run_it("new", "baru", "--like", "broadcast").returncode, 2)
        self.assertEqual([path.name for path in self.plugins.iterdir()], ["usul"])

    def test_wrong_usage_is_told(self):
        self.assertEqual(self.run_it("record", "x.dialog").returncode, 2)
        self.assertEqual(self.run_it("test", "--restart").returncode, 2)
        self.assertIn("there is no such folder", self.run_it("chat", "plugins/nothing").stderr)


if __name__ == "__main__":
    unittest.main()
