#!/usr/bin/env python3
"""The crash test's oracle, tried itself: with one effect or reply dropped or repeated on purpose it must find it.

First on a record made by hand, then on real crash runs with a plugin that drops or repeats what it writes.
"""

import pathlib
import subprocess
import sys
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests" / "crash"))

import oracle  # noqa: E402

CITIZEN = "+628130000001"


def message(number, kind="note", **fields):
    token = f"q{number:09d}z"
    return {
        "id": f"m{number}",
        "kind": kind,
        "citizen": CITIZEN,
        "text": f"CATAT {token}",
        "token": token,
        "writes": token,
        "attempts": 1,
        "answers": [[200, ""]],
        **fields,
    }


def arrival(number, **fields):
    return {
        "citizen": CITIZEN,
        "text": f"Tercatat q{number:09d}z nomor {number}.",
        "ref": f"out{number}",
        "message": f"m{number}",
        "time": float(number),
        "treatment": "taken",
        "taken": True,
        "receipts": [],
        **fields,
    }


def outbound(number, **fields):
    return {
        "citizen": CITIZEN,
        "text": "",
        "state": "accepted",
        "doubts": 0,
        "note": "",
        "reply_to": f"m{number}",
        **fields,
    }


class ByHand(unittest.TestCase):
    """Three notes of one citizen, all well; each test spoils one thing."""

    def setUp(self):
        numbers = (1, 2, 3)
        self.record = {
            "messages": [message(number) for number in numbers],
            "arrivals": [arrival(number) for number in numbers],
        }
        self.store = oracle.Store()
        self.store.entries.update(f"q{number:09d}z" for number in numbers)
        self.store.counts[CITIZEN] = 3
        for number in numbers:
            self.store.outbound[f"out{number}"] = outbound(number)

    def judge(self):
        return oracle.Judge(self.record, self.store).judge()

    def test_a_whole_run_is_good(self):
        verdict = self.judge()
        self.assertTrue(verdict.good, vars(verdict))
        self.assertEqual(verdict.compared, 3)

    def test_an_effect_dropped_is_lost(self):
        del self.store.entries["q000000002z"]
        self.assertTrue(self.judge().lost)

    def test_an_effect_repeated_is_doubled(self):
        self.store.entries["q000000002z"] += 1
        self.assertTrue(self.judge().doubled)

    def test_a_count_ahead_of_its_entries_is_doubled(self):
        self.store.counts[CITIZEN] = 4
        self.assertTrue(self.judge().doubled)

    def test_a_reply_dropped_is_lost(self):
        del self.record["arrivals"][1]
        self.assertTrue(self.judge().lost)

    def test_a_reply_that_the_telco_refused_for_good_is_lost(self):
        self.record["arrivals"][1].update(taken=False, treatment="refused")
        self.assertTrue(self.judge().lost)

    def test_a_reply_repeated_is_doubled(self):
        self.record["arrivals"].append(arrival(2, time=9.0))
        self.assertTrue(self.judge().doubled)

    def test_a_second_reply_is_doubled(self):
        self.record["arrivals"].append(arrival(2, ref="other", time=9.0))
        self.assertTrue(self.judge().doubled)

    def test_a_reply_repeated_after_doubt_is_listed(self):
        self.record["arrivals"].append(arrival(2, time=2.5))
        self.store.outbound["out2"].update(doubts=1, note="outcome unknown, sent once more")
        verdict = self.judge()
        self.assertTrue(verdict.good, vars(verdict))
        self.assertEqual(len(verdict.unknown), 1)

    def test_doubt_without_a_note_is_unmarked(self):
        self.record["arrivals"].append(arrival(2, time=2.5))
        self.store.outbound["out2"].update(doubts=1)
        self.assertTrue(self.judge().unmarked)

    def test_a_reply_repeated_though_its_receipt_came_is_doubled(self):
        self.record["arrivals"][1]["receipts"] = [[1, 200, 2.1]]
        self.record["arrivals"].append(arrival(2, time=9.0))
        self.store.outbound["out2"].update(doubts=1, note="outcome unknown, sent once more")
        self.assertTrue(self.judge().doubled)

    def test_replies_heard_the_wrong_way_round_are_disorder(self):
        first, second = self.record["arrivals"][:2]
        first["time"], second["time"] = second["time"], first["time"]
        self.assertTrue(self.judge().disorder)

    def test_a_repeat_that_gets_another_answer_is_unequal(self):
        self.record["messages"][0]["answers"].append([200, "other"])
        self.assertTrue(self.judge().unequal)

    def test_a_message_that_answers_nothing_is_doubled(self):
        self.record["arrivals"].append(arrival(9, message=None))
        self.assertTrue(self.judge().doubled)

    def test_an_unacknowledged_message_may_have_no_effect(self):
        self.record["messages"].append(message(4, answers=[]))
        self.assertTrue(self.judge().good)


class RealRuns(unittest.TestCase):
    """A few kills each."""

    def run_it(self, *options):
        with tempfile.TemporaryDirectory() as folder:
            command = [TOP / "scripts/test-crash", "3", "--random", "--folder", folder, *options]
            answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        return answer.returncode, answer.stdout

    def test_a_run_without_fault_passes(self):
        code, output = self.run_it()
        self.assertEqual(code, 0, output)
        self.assertIn(" 0 lost, 0 doubled", output)

    def test_a_plugin_that_drops_what_it_writes_fails(self):
        code, output = self.run_it("--spoil", "drop")
        self.assertEqual(code, 1, output)
        self.assertIn("what it writes isn't there", output)

    def test_a_plugin_that_writes_twice_fails(self):
        code, output = self.run_it("--spoil", "repeat")
        self.assertEqual(code, 1, output)
        self.assertIn("what it writes is there 2 times", output)


if __name__ == "__main__":
    unittest.main()
