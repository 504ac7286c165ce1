"""faketelco.py - a telco that does what it is told: Kannel's sendsms and Africa's Talking's messaging on a free port.

    telco = faketelco.Telco()
    telco.script("+62812000001", "503", "close", "accept")   # for the next messages to that handset; then "accept"
    telco.arrivals                                           # all that came, in order: to, text, action, ...
    telco.receipt(gw, telco.arrivals[0], 1)                  # brings one receipt (Kannel's code), status of the answer

What a message gets (its action):
    accept            taken and answered
    slow:SECONDS      taken, answered later
    hang              taken, never answered (until release() or close())
    close             taken, the connection is closed without an answer
    cut               closed before anything was taken
    early:CODE,CODE   taken; these receipts come before the answer does (needs self.gateway)
    late:CODE,CODE    taken and answered; these receipts follow, in this order
    STATUS            refused with that status, such as 503, 403 or 429; STATUS:TEXT with that body
An arrival counts as taken where the action says so: taken(handset) lists the texts that its handset would show.
"""

import http.server
import itertools
import json
import threading
import time
import urllib.parse

TAKEN = ("accept", "slow", "hang", "close", "early", "late")


def e164(number):
    number = number.strip()
    return number if number.startswith("+") else f"+{number}"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.serve(urllib.parse.urlsplit(self.path).query)

    def do_POST(self):
        self.serve(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())

    def serve(self, form):
        values = dict(urllib.parse.parse_qsl(form, keep_blank_values=True, encoding="utf-8", errors="replace"))
        self.server.telco.hear(self, values)

    def answer(self, status, body, content_type="text/plain"):
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def hang_up(self):
        self.close_connection = True


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass  # the gateway was killed in mid-request


class Telco:
    """One telco's side.  gateway (gateway.Gateway) may be set later; receipts of a script need it."""

    def __init__(self, port=0, gateway=None):
        self.gateway = gateway
        self.arrivals = []
        self.scripts = {}
        self.lock = threading.Lock()
        self.released = threading.Event()
        self.numbers = itertools.count(1)
        self.server = None
        self.port = port
        self.open()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def open(self):
        """Listens (again), on the same port as before."""
        self.server = Server(("127.0.0.1", self.port), Handler)
        self.server.telco = self
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def shut(self):
        """Listens no more: connections are refused until open()."""
        self.server.shutdown()
        self.server.server_close()

    def close(self):
        self.release()
        self.shut()

    def release(self):
        """Those that hang end now, without an answer."""
        self.released.set()

    def script(self, handset, *actions):
        """What the next messages to that handset get; handset None: to any that has no script of its own."""
        with self.lock:
            self.scripts.setdefault(handset, []).extend(actions)

    def taken(self, handset):
        with self.lock:
            return [one["text"] for one in self.arrivals if one["to"] == handset and one["taken"]]

    def seen(self, handset):
        """All arrivals for one handset, also those that were refused."""
        with self.lock:
            return [one for one in self.arrivals if one["to"] == handset]

    # one message

    def note(self, values):
        to = e164(values.get("to", ""))
        with self.lock:
            actions = self.scripts.get(to) or self.scripts.get(None)
            action = actions.pop(0) if actions else "accept"
            name, _, detail = action.partition(":")
            text = values.get("text", values.get("message", ""))
            arrival = {
                "n": next(self.numbers), "to": to, "from": values.get("from", ""), "text": text, "action": action,
                "name": name, "detail": detail, "taken": name in TAKEN, "receipt_url": values.get("dlr-url"),
                "time": time.monotonic(), "values": values,
            }  # fmt: skip
            arrival["id"] = f"fake-{arrival['n']}"
            self.arrivals.append(arrival)
        return arrival

    def hear(self, handler, values):
        arrival = self.note(values)
        name, detail = arrival["name"], arrival["detail"]
        if name in ("close", "cut"):
            handler.hang_up()
            return
        if name == "hang":
            self.released.wait()
            handler.hang_up()
            return
        if name == "slow":
            time.sleep(float(detail))
        if name == "early":
            arrival["receipts"] = [self.receipt(self.gateway, arrival, int(code)) for code in detail.split(",")]
        self.answer(handler, arrival)
        if name == "late":
            arrival["receipts"] = [self.receipt(self.gateway, arrival, int(code)) for code in detail.split(",")]

    @staticmethod
    def answer(handler, arrival):
        if not arrival["taken"]:
            handler.answer(int(arrival["name"]), arrival["detail"] or "Temporal failure, try again later.")
        elif "username" in arrival["values"] and "message" in arrival["values"]:
            recipient = {
                "statusCode": 101, "number": arrival["to"], "status": "Success", "cost": "IDR 1", "messageId": arrival["id"],
            }  # fmt: skip
            answer = {"SMSMessageData": {"Message": "Sent to 1/1", "Recipients": [recipient]}}
            handler.answer(201, json.dumps(answer), "application/json")
        else:
            handler.answer(202, "0: Accepted for delivery", "text/html")

    # receipts

    @staticmethod
    def receipt(gateway, arrival, code):
        """Kannel's receipt for an arrival: code 1 delivered, 2 failed, 8 sent, 16 rejected; the status of the answer."""
        url = arrival["receipt_url"]
        for escape, value in (("%d", code), ("%A", ""), ("%F", f"f{arrival['n']}"), ("%T", int(time.time()))):
            url = url.replace(escape, str(value))
        return gateway.fetch(url)
