"""load.py - the citizens of the crash test, each of whom goes on whatever happens to the gateway.

Most hold one conversation after the other and wait for each reply; the note takers write several messages at once.
Every text that shall leave a trace carries a token that occurs nowhere else, so what was written and what was
said can be told from outside.
"""

import asyncio
import itertools
import re
import time
import urllib.parse

SECRET = "secret-of-one-crash-run-alone"  # of a gateway that lives for this run alone
PATIENCE = 60  # seconds that a citizen waits for a reply before she goes on without
TOKEN = re.compile(r"q[0-9]{9}z")


class Load:
    """All citizens and their record: a dict of plain lists, which is written out as JSON in the end."""

    def __init__(self, record, rng):
        self.record = record
        self.rng = rng
        self.telco = None
        self.people = {}
        self.by_token = {}
        self.stopping = False
        self.serial = itertools.count(1)

    def on_reply(self, arrival):
        person = self.people.get(arrival["citizen"])
        if person:
            person.heard(arrival)
        else:
            arrival["message"] = None  # to nobody we know: the oracle will ask why

    def token(self):
        return f"q{next(self.serial):09d}z"

    async def run(self, counts):
        """Runs counts[kind] citizens of each kind until stopping is set, and what they have begun is done."""
        kinds = {
            "notes": NoteTaker,
            "questions": Questioner,
            "surveys": Respondent,
            "results": Reader,
            "ussd": Caller,
            "stops": Leaver,
        }
        lives = []
        for kind, count in counts.items():
            for _ in range(count):
                lives.append(kinds[kind](self).live())
        await asyncio.gather(*lives)


class Person:
    """A citizen who writes one message at a time."""

    def __init__(self, load):
        self.load = load
        self.rng = load.rng
        self.current = None
        self.refs = {}  # message out -> message in that it answers
        self.last = {}  # number -> the last message that was sent from it; an old number still gets replies
        self.renew()

    def renew(self):
        """Goes on as somebody else: what the old one left behind, where a telco gave up, stays untouched."""
        self.number = f"+62813{len(self.load.people):08d}"
        self.load.people[self.number] = self

    async def live(self):
        while not self.load.stopping:
            await self.converse()
            await asyncio.sleep(self.rng.uniform(0, 0.2))

    async def converse(self):
        raise NotImplementedError

    def message(self, kind, text, token=None, writes=None):
        message = {
            "id": f"m{next(self.load.serial):09d}",
            "kind": kind,
            "citizen": self.number,
            "text": text,
            "token": token,
            "writes": writes,
            "time": time.time(),
            "attempts": 0,
            "answers": [],
            "waited_in_vain": False,
        }
        self.load.record["messages"].append(message)
        if token:
            self.load.by_token[token] = message
        message["event"] = asyncio.Event()
        self.current = self.last[self.number] = message
        return message

    async def say(self, kind, text, token=None, writes=None):
        """Sends an SMS and waits for its reply.  False: the telco gave up on it, or no reply came."""
        message = self.message(kind, text, token, writes)
        query = {
            "key": SECRET,
            "id": message["id"],
            "from": self.number[1:],
            "to": "2772",
            "text": text,
            "ts": int(message["time"]),
            "coding": 0,
            "charset": "UTF-8",
        }
        try:
            if await self.load.telco.deliver(message, f"/telco/k1/sms?{urllib.parse.urlencode(query)}"):
                await asyncio.wait_for(message["event"].wait(), PATIENCE)
                return True
        except asyncio.TimeoutError:
            message["waited_in_vain"] = True
        return False

    def heard(self, arrival):
        """Which of her messages does it answer: by token, else the one that she has last written from that number."""
        ref = arrival["ref"] or arrival["text"]
        message = self.refs.get(ref)
        if not message:
            token = TOKEN.search(arrival["text"])
            message = self.load.by_token.get(token.group()) if token else self.last.get(arrival["citizen"])
            self.refs[ref] = message
        arrival["message"] = message and message["id"]
        if message and arrival["taken"]:
            message["event"].set()


class NoteTaker(Person):
    async def converse(self):
        notes = []
        for _ in range(self.rng.choice((1, 1, 1, 2, 3))):
            token = self.load.token()
            notes.append(self.say("note", f"CATAT {token}", token, token))
        if not all(await asyncio.gather(*notes)):
            self.renew()


class Questioner(Person):
    async def converse(self):
        first, second = self.load.token(), self.load.token()
        asked = await self.say("question", f"TANYA {first}", first)
        if not asked or not await self.say("answer", second, second, second):
            self.renew()


class Respondent(Person):
    async def converse(self):
        asked = await self.say("survey", "SURVEI")
        if not asked or not await self.say("rating", str(self.rng.randint(1, 4))):
            self.renew()


class Reader(Person):
    async def converse(self):
        if not await self.say("results", "HASIL"):
            self.renew()
        await asyncio.sleep(self.rng.uniform(0.2, 1))


class Leaver(Person):
    async def converse(self):
        if not await self.say("stop", "STOP") or not await self.say("start", "START"):
            self.renew()
        await asyncio.sleep(self.rng.uniform(0.2, 1))


class Caller(Person):
    """Dials, and answers on the screen."""

    async def converse(self):
        session, token = f"ATUid_{next(self.load.serial):012d}", self.load.token()
        dialled = await self.step("dial", session, "7")
        if not dialled or not await self.step("screen", session, f"7*{token}", token):
            self.renew()

    async def step(self, kind, session, text, token=None):
        message = self.message(kind, text, token, token)
        form = {
            "sessionId": session,
            "phoneNumber": self.number,
            "serviceCode": "*123#",
            "networkCode": "51010",
            "text": text,
        }
        target = f"/telco/a1/ussd?key={SECRET}"
        return await self.load.telco.deliver(message, target, form)
