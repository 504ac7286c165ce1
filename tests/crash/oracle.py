"""oracle.py - judges a crash run: is every acknowledged message's effect there once, and was its reply heard once?

It knows two things: the record that the telco's side kept outside the gateway (telco.py, load.py) and, read after the
end, what the store holds.  It never asks the gateway what it thinks it has done, with one exception: where a
reply came twice, or where nobody can know whether it came, the message itself must say so.
"""

import collections
import json
import re
import subprocess

COUNTED = re.compile(r"nomor ([0-9]+)")


class Verdict:
    """What was found.  Each list holds sentences for people."""

    def __init__(self):
        self.compared = 0
        self.lost = []
        self.doubled = []
        self.disorder = []
        self.unequal = []
        self.refused = []
        self.unknown = []
        self.unmarked = []

    def faults(self):
        return [self.lost, self.doubled, self.disorder, self.unequal, self.refused, self.unmarked]

    @property
    def good(self):
        return not any(self.faults())


class Store:
    """What the store holds, as far as the oracle asks."""

    def __init__(self):
        self.entries = collections.Counter()  # token -> how often it was written
        self.counts = {}  # citizen -> what the ledger counted
        self.ratings = collections.defaultdict(list)  # citizen -> answers to the survey
        self.outbound = {}  # message out -> its state, doubts, note and the telco's id of what it answers

    def reply_to(self, message):
        """The message out that answers it, or None.  What answers a screen's request is found by its text."""
        if not hasattr(self, "replies"):
            self.replies = {row["reply_to"]: row for row in self.outbound.values()}
            self.texts = {(row["citizen"], row["text"]): row for row in self.outbound.values()}
        for status, body in message["answers"] if message["kind"] == "screen" else ():
            if status == 200:
                return self.texts.get((message["citizen"], body.removeprefix("END ")))
        return self.replies.get(message["id"])


def read_store(program, path, record):
    """Asks tests/crash/holdings about all that the record names."""
    tokens = [message["writes"] for message in record["messages"] if message["writes"]]
    citizens = sorted({message["citizen"] for message in record["messages"]})
    questions = [f"count\tledger\tentries\ttoken\t{token}" for token in tokens]
    questions += [f"get\tledger\tcounts\t{json.dumps([citizen])}" for citizen in citizens]
    questions += [f"get\tsurvey\tanswers\t{json.dumps([citizen])}" for citizen in citizens]
    questions += ["inbound", "outbound"]
    answer = subprocess.run(
        [str(program), str(path)],
        input="\n".join(questions) + "\n",
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    answers = iter(map(json.loads, answer.stdout.splitlines()))
    store = Store()
    for token in tokens:
        store.entries[token] = next(answers)
    for citizen in citizens:
        row = next(answers)
        if row:
            store.counts[citizen] = row["count"]
    for citizen in citizens:
        row = next(answers)
        if row:
            store.ratings[citizen].append(row["rating"])
    inbound = {row["id"]: row["provider_id"] for row in next(answers)}
    for row in next(answers):
        row["reply_to"] = inbound.get(row["reply_to"], "")
        store.outbound[row["id"]] = row
    return store


def judge_folder(program, folder):
    """Judges a run by its record.json and the store in its folder."""
    record = json.loads((folder / "record.json").read_text())
    path = next(path for path in (folder / "state").iterdir() if path.suffix in (".db", ".sqlite"))
    return Judge(record, read_store(program, path, record)).judge()


class Judge:
    def __init__(self, record, store):
        self.record = record
        self.store = store
        self.verdict = Verdict()
        self.messages = {message["id"]: message for message in record["messages"]}
        self.sends = self.group_sends()

    def group_sends(self):
        """message in -> message out -> its arrivals at the telco, in order of time."""
        sends = collections.defaultdict(lambda: collections.defaultdict(list))
        for arrival in self.record["arrivals"]:
            ref = arrival["ref"] or arrival["text"]
            sends[arrival["message"]][ref].append(arrival)
        return sends

    def judge(self):
        for ref, arrivals in self.sends.pop(None, {}).items():
            self.verdict.doubled.append(f"{ref}: a message that answers nothing: {arrivals[0]['text']!r}")
        for message in self.messages.values():
            self.judge_message(message)
        for citizen, messages in self.by_citizen().items():
            self.judge_order(citizen, messages)
            self.judge_counts(citizen, messages)
            self.judge_rating(citizen, messages)
        return self.verdict

    def by_citizen(self):
        people = collections.defaultdict(list)
        for message in self.messages.values():
            people[message["citizen"]].append(message)
        return people

    def acknowledged(self, message):
        return any(status == 200 for status, _ in message["answers"])

    def judge_message(self, message):
        acknowledged = self.acknowledged(message)
        self.verdict.compared += acknowledged
        self.judge_answers(message)
        self.judge_effect(message, acknowledged)
        if message["kind"] in ("dial", "screen"):
            self.judge_screen(message)
        else:
            self.judge_reply(message, acknowledged)

    def judge_answers(self, message):
        good = [answer for answer in message["answers"] if answer[0] == 200]
        for status, body in message["answers"]:
            if status != 200:
                self.verdict.refused.append(f"{name(message)}: answered {status} {body[:80]!r}")
        if any(answer != good[0] for answer in good):
            self.verdict.unequal.append(f"{name(message)}: a repeat got another answer: {good}")

    def judge_effect(self, message, acknowledged):
        if not message["writes"]:
            return
        count = self.store.entries[message["writes"]]
        if count == 0 and acknowledged:
            self.verdict.lost.append(f"{name(message)}: what it writes isn't there")
        if count > 1:
            self.verdict.doubled.append(f"{name(message)}: what it writes is there {count} times")

    def judge_reply(self, message, acknowledged):
        sends = self.sends.get(message["id"], {})
        if len(sends) > 1:
            self.verdict.doubled.append(f"{name(message)}: {len(sends)} different replies: {list(sends)}")
        for ref, arrivals in sends.items():
            self.judge_send(message, ref, arrivals)
        if sends or not acknowledged:
            return
        row = self.store.reply_to(message)
        if row and row["state"] == "held":
            self.judge_held(message, row)
        else:
            state = row["state"] if row else "no reply in the store"
            self.verdict.lost.append(f"{name(message)}: the telco never saw its reply ({state})")

    def judge_send(self, message, ref, arrivals):
        """One message out: taken once, or marked with what was done about the doubt."""
        taken = [arrival for arrival in arrivals if arrival["taken"]]
        row = self.store.outbound.get(ref) or self.store.reply_to(message)
        if len(taken) == 1 and not (row and row["state"] == "held"):
            self.list_doubt(message, row, taken)
        elif row and row["state"] == "held":
            self.judge_held(message, row)
        elif not taken:
            state = row["state"] if row else "not in the store"
            self.verdict.lost.append(f"{name(message)}: its reply was never taken ({state}): {treatments(arrivals)}")
        else:
            self.judge_resent(message, row, taken)

    def list_doubt(self, message, row, taken):
        if row and row["doubts"]:
            self.verdict.unknown.append(f"{name(message)}: taken once, {row['state']}: {row['note']}")
            self.must_be_marked(message, row)

    def judge_held(self, message, row):
        self.verdict.unknown.append(f"{name(message)}: held: {row['note']}")
        self.must_be_marked(message, row)

    def judge_resent(self, message, row, taken):
        """Taken more than once: right only where the outcome of all but the last was unknown to the gateway."""
        words = f"{name(message)}: taken {len(taken)} times: {treatments(taken)}"
        if len(taken) > 2 or not row or not row["doubts"]:
            self.verdict.doubled.append(words)
        elif self.had_receipt(taken[0], taken[1]):
            self.verdict.doubled.append(f"{words}, though a receipt of the first had come")
        else:
            self.verdict.unknown.append(f"{words}, {row['state']}: {row['note']}")
            self.must_be_marked(message, row)

    def had_receipt(self, first, second):
        """A receipt that was acknowledged well before the second sending proves that the first was taken."""
        return any(status == 200 and when < second["time"] - 0.5 for _, status, when in first["receipts"])

    def must_be_marked(self, message, row):
        if not row["note"]:
            self.verdict.unmarked.append(f"{name(message)}: an unknown outcome without a note on the message")

    def judge_screen(self, message):
        """A screen is its request's own answer; only one that could not be handed over may follow by SMS."""
        row = self.store.reply_to(message)
        note = row["note"] if row else ""
        for ref, arrivals in self.sends.get(message["id"], {}).items():
            in_doubt = row and row["doubts"] and note  # killed before it knew that the screen was handed over
            if message["attempts"] == 1 and message["answers"] and not in_doubt:
                self.verdict.doubled.append(f"{name(message)}: its screen also came by SMS")
            else:
                self.verdict.unknown.append(f"{name(message)}: followed by SMS {len(arrivals)} times: {note}")
        token, answers = message["token"], [body for status, body in message["answers"] if status == 200]
        if message["kind"] == "screen" and answers and token not in answers[0]:
            self.verdict.lost.append(f"{name(message)}: not the screen that it should get: {answers[0]!r}")

    def judge_order(self, citizen, messages):
        """What counts upwards for a citizen must be heard upwards."""
        heard, last = {}, 0
        for message in messages:
            for ref, arrivals in self.sends.get(message["id"], {}).items():
                counted = COUNTED.search(arrivals[0]["text"])
                taken = [arrival["time"] for arrival in arrivals if arrival["taken"]]
                if counted and taken:
                    heard[ref] = (min(taken), int(counted.group(1)))
        for _, number in sorted(heard.values()):
            if number <= last:
                self.verdict.disorder.append(f"{citizen}: reply {number} was heard after reply {last}")
            last = max(last, number)

    def judge_counts(self, citizen, messages):
        entries = sum(self.store.entries[m["writes"]] for m in messages if m["writes"])
        counted = self.store.counts.get(citizen, 0)
        if counted < entries:
            self.verdict.lost.append(f"{citizen}: counted to {counted}, with {entries} entries")
        if counted > entries:
            self.verdict.doubled.append(f"{citizen}: counted to {counted}, with {entries} entries")

    def judge_rating(self, citizen, messages):
        """The last answer that a citizen gave is the one that counts, once."""
        ratings = [m for m in messages if m["kind"] == "rating"]
        known = [m for m in ratings if self.acknowledged(m)]
        stored = self.store.ratings.get(citizen, [])
        if len(stored) > 1:
            self.verdict.doubled.append(f"{citizen}: {len(stored)} answers to the survey")
        if known and not stored:
            self.verdict.lost.append(f"{citizen}: no answer to the survey")
        if known and stored and known[-1] is ratings[-1] and stored[0] != int(ratings[-1]["text"]):
            self.verdict.lost.append(f"{citizen}: answered {ratings[-1]['text']}, stored is {stored[0]}")


def name(message):
    return f"{message['id']} ({message['kind']} {message['token'] or message['text']} of {message['citizen']})"


def treatments(arrivals):
    return ", then ".join(arrival["treatment"] for arrival in arrivals)
