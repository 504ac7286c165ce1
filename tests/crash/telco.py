"""telco.py - the aggregator's side of the crash test: callbacks in, messages out, receipts back.

It behaves as badly as real ones do: it repeats a callback until it sees 200, and sometimes also after;
it sends copies side by side; it takes a message and closes without a word, closes without taking it,
answers late, answers 503 for a while or never; its receipts come twice, in the wrong order, before the
answer to the send call, or not at all.  All that it saw goes into the record, which is what the oracle
judges by.
"""

import asyncio
import time
import urllib.parse

CONTENT_LENGTH = b"content-length:"
ACCEPTED = b"0: Accepted for delivery"

# What happens to a message out: (weight, name, the telco has it, answered).
TREATMENTS = [
    (900, "taken", True, True),
    (40, "taken late", True, True),
    (30, "refused", False, True),
    (20, "taken, closed", True, False),
    (10, "closed", False, False),
    (2, "taken, hangs", True, False),
]
# Which receipts follow a message that it took: (weight, when, Kannel's codes in order).
RECEIPTS = [
    (60, "after", []),
    (20, "after", [8, 1]),
    (6, "after", [1]),
    (5, "after", [1, 8]),
    (5, "after", [8, 1, 1, 8]),
    (4, "early", [1]),
]


def pick(rng, rows):
    return rng.choices(rows, weights=[row[0] for row in rows])[0][1:]


async def read_message(reader):
    """One request or answer: its first line and its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    first, *fields = head.split(b"\r\n")
    length = 0
    for field in fields:
        if field.lower().startswith(CONTENT_LENGTH):
            length = int(field[len(CONTENT_LENGTH) :])
    return first.decode("latin-1"), await reader.readexactly(length)


class Line:
    """Kept connections to the gateway, which may be gone at any moment."""

    def __init__(self, port):
        self.port = port
        self.idle = []

    async def request(self, target, form=None):
        """(status, body), or an OSError or EOFError where no whole answer came."""
        if self.idle:
            reader, writer = self.idle.pop()
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        kept = False
        try:
            writer.write(self.encode(target, form))
            first, body = await read_message(reader)
            kept = True
        finally:
            if kept:
                self.idle.append((reader, writer))
            else:
                writer.close()
        return int(first.split()[1]), body.decode()

    async def hang_up(self, target, form=None):
        """Sends a request and closes without waiting for the answer."""
        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(self.encode(target, form))
        await writer.drain()
        writer.close()

    @staticmethod
    def encode(target, form):
        head = "Host: 127.0.0.1\r\n"
        if form is None:
            return f"GET {target} HTTP/1.1\r\n{head}\r\n".encode()
        body = urllib.parse.urlencode(form).encode()
        head += "Content-Type: application/x-www-form-urlencoded\r\n"
        return f"POST {target} HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Telco:
    """Both directions.  on_reply(arrival) hears each message that the gateway sent."""

    def __init__(self, port, rng, record, on_reply):
        self.line = Line(port)
        self.rng = rng
        self.record = record
        self.on_reply = on_reply
        self.calm = False  # no faults any more: what is left shall get through
        self.tasks = set()
        self.port = None
        self.server = None

    async def open(self):
        self.server = await asyncio.start_server(self.hear, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    def background(self, coroutine):
        task = asyncio.create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    # callbacks, towards the gateway

    async def call(self, target, form=None, tries=None):
        """Repeats a callback until it is answered with other than 503; (status, body), or None given up."""
        while tries is None or tries > 0:
            tries = tries and tries - 1
            try:
                status, body = await self.line.request(target, form)
                if status != 503:
                    return status, body
            except (OSError, EOFError):
                pass
            await asyncio.sleep(self.rng.uniform(0.01, 0.15))
        return None

    async def deliver(self, message, target, form=None):
        """Brings one message in, with all that telcos do on the way; its first whole answer or None."""
        rng = self.rng
        fate = 0.5 if self.calm else rng.random()
        if fate < 0.05:  # its answer is lost on the way: the telco calls again
            try:
                message["attempts"] += 1
                await self.line.hang_up(target, form)
            except OSError:
                pass
        elif fate < 0.10:  # two copies side by side
            self.background(self.repeat(message, target, form, 0))
        elif fate < 0.15:  # on its way for a while: others overtake it
            await asyncio.sleep(rng.uniform(0, 1))
        message["attempts"] += 1
        answer = await self.call(target, form, tries=1 if fate > 0.995 else None)
        self.answered(message, answer)
        if answer and fate > 0.90:  # repeated although it was answered
            self.background(self.repeat(message, target, form, rng.uniform(0, 2)))
        return answer

    async def repeat(self, message, target, form, delay):
        await asyncio.sleep(delay)
        message["attempts"] += 1
        self.answered(message, await self.call(target, form, tries=3))

    @staticmethod
    def answered(message, answer):
        if answer:
            message["answers"].append(list(answer))

    # messages, from the gateway

    async def hear(self, reader, writer):
        try:
            while await self.hear_one(reader, writer):
                pass
        except (OSError, EOFError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def hear_one(self, reader, writer):
        first, body = await read_message(reader)
        arrival = parse_send(first.split()[1], body)
        name, taken, answered = ("taken", True, True) if self.calm else pick(self.rng, TREATMENTS)
        when, codes = ("after", []) if self.calm or not taken else pick(self.rng, RECEIPTS)
        arrival.update(time=time.time(), treatment=name, taken=taken)
        self.record["arrivals"].append(arrival)
        self.on_reply(arrival)
        if name == "taken late":
            await asyncio.sleep(self.rng.uniform(0.02, 0.4))
        if when == "early":
            await self.send_receipts(arrival, codes)
        elif codes:
            self.background(self.send_receipts(arrival, codes, self.rng.uniform(0, 0.5)))
        if name == "taken, hangs":
            await reader.read(1)  # until the gateway has had enough
        if answered:
            writer.write(encode_answer(arrival, name == "refused"))
        return answered

    async def send_receipts(self, arrival, codes, delay=0):
        if not arrival["receipt_url"]:
            return
        await asyncio.sleep(delay)
        for code in codes:
            url = urllib.parse.urlsplit(arrival["receipt_url"])
            query = url.query.replace("%d", str(code)).replace("%A", "").replace("%F", "f1")
            query = query.replace("%T", str(int(time.time())))
            answer = await self.call(f"{url.path}?{query}")
            arrival["receipts"].append([code, answer[0], time.time()])


def parse_send(target, body):
    """A send call of Kannel's (GET) or Africa's Talking's (a form)."""
    query = urllib.parse.urlsplit(target).query if not body else body.decode()
    items = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
    receipt_url = items.get("dlr-url", "")
    ref = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(receipt_url).query)).get("ref", "")
    return {
        "citizen": "+" + items["to"].lstrip("+ "),
        "text": items.get("text", items.get("message", "")),
        "ref": ref,
        "kind": "form" if body else "kannel",
        "receipt_url": receipt_url,
        "receipts": [],
    }


def encode_answer(arrival, refused):
    if refused:
        status, body = "503 Service Unavailable", b"Temporal failure, try again later."
    elif arrival["kind"] == "kannel":
        status, body = "202 Accepted", ACCEPTED
    else:
        number = arrival["citizen"]
        status = "201 Created"
        body = (
            '{"SMSMessageData":{"Message":"Sent to 1/1","Recipients":[{"statusCode":101,'
            f'"number":"{number}","status":"Success","cost":"KES 0.8","messageId":"ATXid_{id(arrival):x}"'
            "}]}}"
        ).encode()
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        + body
    )
