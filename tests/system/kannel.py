"""kannel.py - Debian's Kannel on loopback, and the operator's SMSC behind it.

Bearerbox speaks to the SMSC over HTTP (smsc = http, system-type = generic) and smsbox to the gateway.  All of
it lives in one temporary folder on free ports, and each process is stopped by its own id.
"""

import collections
import http.client
import http.server
import pathlib
import socket
import subprocess
import threading
import urllib.parse

from gateway import free_ports, until

PATIENCE = 30  # seconds: how long a poll goes on before it is a failure

CONF = """
group = core
admin-port = {admin}
admin-password = {password}
smsbox-port = {smsbox}
box-deny-ip = "*.*.*.*"
box-allow-ip = "127.0.0.1"
log-file = "{folder}/bearerbox.log"
log-level = 0
store-type = file
store-location = "{folder}/kannel.store"
dlr-storage = internal
sms-combine-concatenated-mo = {combine}
sms-resend-freq = 1
sms-resend-retry = 60

group = smsc
smsc = http
smsc-id = sim
system-type = generic
port = {smsc}
connect-allow-ip = 127.0.0.1
smsc-username = sim
smsc-password = {password}
send-url = "http://127.0.0.1:{operator}/mt?id=%I&from=%P&to=%p&text=%b&coding=%c&charset=%C&udh=%u&dlr=%d"
status-success-regex = "ok"
status-permfail-regex = "refused"
status-tempfail-regex = "later"
generic-foreign-id-regex = "id=([0-9a-z-]+)"

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {smsbox}
sendsms-port = {sendsms}
log-file = "{folder}/smsbox.log"
log-level = 0
http-request-retry = 60
http-queue-delay = 1
http-timeout = 20

group = sendsms-user
username = {user}
password = {password}
max-messages = 10
concatenation = true

group = sms-service
keyword = default
catch-all = true
max-messages = 0
get-url = "{get_url}"
"""


def listens(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def get(port, target):
    """(status, body) of one GET."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", target)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


Segment = collections.namedtuple("Segment", "id sender recipient text coding udh dlr")


class Operator:
    """The network: gives what handsets send to bearerbox, takes what it sends, and reports on it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.taken = []  # segments, in the order they came
        self.answers = collections.deque()  # what to say to the next ones, before "ok"
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def handler(operator):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                body = operator.take(urllib.parse.urlsplit(self.path).query).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        return Handler

    def take(self, query):
        item = dict(urllib.parse.parse_qsl(query, keep_blank_values=True, encoding="latin-1"))
        raw = {name: value.encode("latin-1") for name, value in item.items()}
        with self.lock:
            if self.answers:
                return self.answers.popleft()
            wide = item["coding"] == "2"
            text = raw["text"] if raw.get("udh") else raw["text"].decode("utf-16-be" if wide else "utf-8")
            self.taken.append(
                Segment(item["id"], item["from"], item["to"], text, item["coding"], raw.get("udh", b""), item["dlr"])
            )
            return f"ok id={item['id']}"

    def to(self, handset):
        with self.lock:
            return [one for one in self.taken if one.recipient.lstrip("+") == handset.lstrip("+")]

    def messages(self, handset):
        """The texts that a handset shows: its segments joined by their header."""
        texts, open_sets = [], {}
        for one in self.to(handset):
            if not one.udh:
                texts.append(one.text)
                continue
            ref, total, number = one.udh[3:6]
            parts = open_sets.setdefault((ref, total), {})
            parts[number] = one.text
            if len(parts) == total:
                raw = b"".join(parts[i + 1] for i in range(total))
                texts.append(raw.decode("utf-16-be" if one.coding == "2" else "utf-8"))
                del open_sets[(ref, total)]
        return texts


class Kannel:
    """One bearerbox and one smsbox in front of a gateway."""

    def __init__(self, folder, operator, get_url, user="kentongan", password="kannel-password", combine=True):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.user, self.password = user, password
        self.operator = operator
        self.admin, self.smsbox, self.smsc, self.sendsms = free_ports(4)
        self.boxes = []
        self.conf = self.folder / "kannel.conf"
        self.conf.write_text(
            CONF.format(
                folder=self.folder,
                admin=self.admin,
                smsbox=self.smsbox,
                smsc=self.smsc,
                sendsms=self.sendsms,
                operator=operator.port,
                user=user,
                password=password,
                get_url=get_url,
                combine="true" if combine else "false",
            )
        )

    @property
    def send_url(self):
        return f"http://127.0.0.1:{self.sendsms}/cgi-bin/sendsms"

    def box(self, program):
        process = subprocess.Popen(
            [program, str(self.conf)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.boxes.append(process)
        return process

    def start(self):
        self.box("/usr/sbin/bearerbox")
        until("bearerbox", lambda: listens(self.smsbox) and listens(self.smsc))
        self.box("/usr/sbin/smsbox")
        until("smsbox", lambda: listens(self.sendsms))
        until("smsbox at bearerbox", lambda: b"smsbox" in self.status())

    def stop(self):
        """smsbox first, as an operator would."""
        for process in reversed(self.boxes):
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.boxes = []

    def status(self):
        return get(self.admin, f"/status.txt?password={self.password}")[1]

    def ask(self, **fields):
        """One request of the SMSC to bearerbox; its answer."""
        fields = {"username": "sim", "password": self.password, **fields}
        return get(self.smsc, "/?" + urllib.parse.urlencode(fields))

    def knock(self, **fields):
        """As ask, for what bearerbox must take."""
        status, body = self.ask(**fields)
        assert status == 202 and body.startswith(b"Sent"), (status, body)

    def text(self, handset, to, text, udh=b""):
        """A handset texts; what GSM lacks goes as UCS-2."""
        fields = {"from": handset, "to": to}
        if isinstance(text, bytes):
            fields.update(coding="2", text=text)
        elif text.isascii():
            fields.update(text=text)
        else:
            fields.update(coding="2", text=text.encode("utf-16-be"))
        if udh:
            fields["udh"] = udh
        self.knock(**fields)

    def report(self, segment, mask):
        """A delivery report on what the operator took: 1 delivered, 2 failed.

        Bearerbox notes a message only after the SMSC's answer to it, so a quick report may find it unknown: an SMSC reports again.
        """
        fields = {"from": segment.recipient, "to": segment.sender, "text": "", "dlr-mid": segment.id, "dlr-mask": mask}

        def known():
            answer = self.ask(**fields)
            assert answer[0] == 202 and answer[1].startswith((b"Sent", b"Unknown DLR")), answer
            return answer[1].startswith(b"Sent")

        until("bearerbox to know the message", known)
