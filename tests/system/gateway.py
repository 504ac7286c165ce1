"""gateway.py - `kentongan serve` with a state folder of its own, on free ports of loopback, stopped by its own id.

    with gateway.Gateway(program, {"k1": gateway.kannel(telco.port)}) as gw:
        gw.mo("k1", "+62812000001", "GEMA")
        gateway.until("an answer", lambda: telco.arrivals)

mo() is what Kannel's sms-service does with its get-url, or Africa's Talking; ussd() what the latter does.  api() is the operators' JSON API with
the secret of the state folder, messages() its list of a citizen's messages, metric() a figure of /metrics, log() the lines
of the log as values.  Nothing here sleeps for correctness: until() polls with a deadline.
"""

import http.client
import itertools
import json
import os
import pathlib
import random
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import traceback
import urllib.parse

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
PATIENCE = 30  # seconds: how long a poll goes on before it is a failure
PAUSE = 0.01
NUMBER = "2772"
CODE = "*123#"
SECRET = secrets.token_hex(16)  # of every connection's callbacks
GIVEN = set()  # ports
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def until(what, condition, seconds=PATIENCE):
    """What condition() gives once that is true; an AssertionError that names `what` where it isn't in time."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"waited {seconds} s in vain for {what}"
        time.sleep(PAUSE)
    return result


def free_ports(count):
    """Ports that nobody listens on now, none twice; below those that the kernel gives to outgoing connections."""
    ports = []
    while len(ports) < count:
        port = random.randrange(15000, 32000)
        with socket.socket() as one:
            if port in GIVEN or one.connect_ex(("127.0.0.1", port)) == 0:
                continue
        GIVEN.add(port)
        ports.append(port)
    return ports


def lua(value):
    """A value of Python as Lua's settings have it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, dict):
        return "{ " + ", ".join(f'["{key}"] = {lua(item)}' for key, item in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "{ " + ", ".join(map(lua, value)) + " }"
    return json.dumps(str(value))


def kannel(port, **more):
    """A connection to a Kannel whose sendsms is at a port (faketelco.py)."""
    return {
        "adapter": "kannel", "country": "ID", "numbers": [NUMBER], "secret": SECRET, "username": "telco",
        "password": "telco-password", "send_url": f"http://127.0.0.1:{port}/cgi-bin/sendsms", **more,
    }  # fmt: skip


def africastalking(port, **more):
    return {
        "adapter": "africastalking", "country": "ID", "numbers": [NUMBER, CODE], "secret": SECRET,
        "username": "telco", "api_key": "telco-key", "url": f"http://127.0.0.1:{port}/version1/messaging", **more,
    }  # fmt: skip


class Gateway:
    """plugins: folders; by default the gema of the tests.  settings: rows of the settings file."""

    def __init__(self, program, connections, plugins=None, **settings):
        self.program = str(program)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kentongan-test-"))
        self.public, self.admin = free_ports(2)
        self.connections, self.settings = connections, settings
        self.process = None
        self.ids = itertools.count(1)
        self.environment = {}
        self.umask = -1  # the parent's
        (self.folder / "state").mkdir(mode=0o700)
        (self.folder / "plugins").mkdir()
        for plugin in plugins or [TOP / "tests/system/plugins/gema"]:
            shutil.copytree(plugin, self.folder / "plugins" / pathlib.Path(plugin).name)
        (self.folder / "plugins/telco").symlink_to(TOP / "plugins/telco")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *failure):
        self.close(keep=failure[0] is not None)

    def configure(self):
        rows = {
            "state": self.folder / "state", "plugins": self.folder / "plugins", "public_port": self.public,
            "admin_port": self.admin, "trusted": ["127.0.0.1"], "log_level": "debug", "reserve_mib": 0,
            "connections": self.connections, **self.settings,
        }  # fmt: skip
        path = self.folder / "kentongan.conf.lua"
        path.write_text("".join(f"{name} = {lua(value)}\n" for name, value in rows.items()))
        return path

    # the process

    def start(self):
        """Starts it, and waits until it says that it is well."""
        command = [self.program, "serve", "--config", str(self.configure())]
        with open(self.folder / "gateway.log", "ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, umask=self.umask,
                env={**os.environ, **self.environment},
            )  # fmt: skip
        until("the gateway to be well", self.well)

    def well(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the gateway ended with {self.process.returncode}: {self.text()[-800:]}")
        try:
            return self.get(self.admin, "/healthz")[0] == 200
        except OSError:
            return False

    def stop(self):
        """As systemd does; its exit status."""
        self.process.terminate()
        return self.ended()

    def kill(self):
        self.process.kill()
        return self.ended()

    def ended(self, seconds=PATIENCE):
        """Waits for its end; its exit status."""
        process, self.process = self.process, None
        return process.wait(seconds)

    def restart(self, kill=False):
        if kill:
            self.kill()
        else:
            self.stop()
        self.start()

    def reload(self):
        """Reads the settings again, as they are now in self.connections and self.settings."""
        self.configure()
        self.process.send_signal(signal.SIGHUP)

    def close(self, keep=False):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if keep:
            print(f"# kept: {self.folder}")
        else:
            shutil.rmtree(self.folder)

    # its listeners

    @staticmethod
    def exchange(port, method, target, body=None, headers=None, source=None):
        """(status, headers, body) of one exchange on a connection of its own, from the address source where that is given."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE, source_address=source and (source, 0))
        try:
            connection.request(method, target, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        except http.client.HTTPException as broken:
            raise OSError(str(broken)) from broken
        finally:
            connection.close()

    def request(self, port, method, target, body=None, headers=None):
        """(status, body) of one exchange."""
        status, _, answer = self.exchange(port, method, target, body, headers)
        return status, answer

    def get(self, port, target):
        return self.request(port, "GET", target)

    def mo(self, connection, sender, text, message_id=None, to=NUMBER):
        """One SMS of a citizen, as the connection's telco brings it; the status of the answer."""
        if message_id is None:
            message_id = f"mo-{next(self.ids)}-{secrets.token_hex(4)}"
        target = f"/telco/{connection}/sms?key={SECRET}"
        if self.connections[connection]["adapter"] == "africastalking":
            form = {"id": message_id, "from": sender, "to": to, "text": text, "date": time.strftime("%Y-%m-%d %H:%M:%S")}
            return self.request(self.public, "POST", target, urllib.parse.urlencode(form), FORM)[0]
        query = urllib.parse.urlencode({
            "id": message_id, "from": sender, "to": to, "text": text, "ts": int(time.time()), "coding": 0, "charset": "UTF-8",
        })  # fmt: skip
        return self.get(self.public, f"{target}&{query}")[0]

    def ussd(self, connection, session, sender, text="", code=CODE):
        """One step of a USSD session as Africa's Talking sends it (text: all inputs so far, joined by *)."""
        form = {"sessionId": session, "phoneNumber": sender, "serviceCode": code, "networkCode": "51010", "text": text}
        body = urllib.parse.urlencode(form)
        status, answer = self.request(self.public, "POST", f"/telco/{connection}/ussd?key={SECRET}", body, FORM)
        return status, answer.decode()

    def fetch(self, url):
        """A URL that the gateway gave to a telco (a receipt); the status of the answer."""
        parts = urllib.parse.urlsplit(url)
        return self.get(self.public, f"{parts.path}?{parts.query}")[0]

    def api(self, method, path, body=None):
        """(status, value) of a call of the operators' API, such as ("GET", "messages/ID")."""
        token = (self.folder / "state/admin.secret").read_text().strip()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        data = json.dumps(body) if body is not None else ""
        status, answer = self.request(self.admin, method, f"/api/v1/{path}", data if method == "POST" else None, headers)
        return status, json.loads(answer) if answer else None

    def messages(self, citizen, direction="out"):
        status, answer = self.api("POST", "messages/find", {"number": citizen})
        assert status == 200, f"messages/find: {status} {answer}"
        return [one for one in answer["messages"] if one["direction"] == direction]

    def states(self, citizen):
        """The states of what was sent to a citizen, oldest first."""
        return [one["state"] for one in self.messages(citizen)]

    def metric(self, name):
        """The sum of a metric over its labels; name is without kentongan_ and _total."""
        page = self.get(self.admin, "/metrics")[1].decode()
        rows = re.findall(rf"^kentongan_{name}(?:_total)?(?:{{[^}}]*}})? ([0-9.e+-]+)$", page, re.M)
        assert rows, f"no metric {name}"
        return sum(map(float, rows))

    def text(self):
        return (self.folder / "gateway.log").read_text(errors="replace")

    def log(self, event=None):
        """The log's lines as values, or those of one event."""
        lines = []
        for line in self.text().splitlines():
            if line.startswith("{"):
                lines.append(json.loads(line))
        return [line for line in lines if event in (None, line.get("event"))]


def run_tests(tests, *arguments):
    """Runs each function, prints one line for each and the sum; the exit status."""
    failed = 0
    for test in tests:
        name = test.__name__.removeprefix("test_")
        try:
            test(*arguments)
            print(f"ok {name}", flush=True)
        except Exception as failure:  # a test that breaks fails, the next one goes on
            failed += 1
            why = " ".join(str(failure).split()) or type(failure).__name__
            print(f"not ok {name}: {why}", flush=True)
            if not isinstance(failure, AssertionError):
                traceback.print_exc()
    print(f"{len(tests) - failed} passed, {failed} failed")
    return 1 if failed else 0
