#!/usr/bin/env python3
"""What Debian's Kannel really sends and takes, held against the kannel adapter, without a gateway between them.

test_kannel_vectors.py [PROGRAM]; PROGRAM lies in the build folder whose test-vectors is used.  A recorder stands where the gateway
would: the requests that smsbox makes for messages and reports become test vectors of what must be read in them.  The other way,
a message's request is given to smsbox as the vectors say that the adapter makes it, and the handset must show the text.
The last line is "N passed, M failed".
"""

import datetime
import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import urllib.parse

import kannel
from kannel import until

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
NUMBER, HANDSET = "2020", "+6281200000001"
OWN_ID = "019abcde-0000-7000-8000-00000000d001"
ESCAPES = "id=%I&from=%p&to=%P&text=%b&ts=%T&coding=%c&charset=%C&udh=%u&smsc=%i"
CONFIG = {"default_country": "ID"}
OK = {"status": 200, "body": None}

SENT = [("Asante! Café €5 {ok}", False), ("Hai 😀", True), ("y" * 400, False), ("я" * 150, True)]  # whether UCS-2
TEXTS = ["LAPOR air + listrik & 50% mati", "  dua  spasi  ", "", "jalan 😀 ꦗꦮ я", "a\nb", "x" * 160]


class Recorder:
    """Answers 200 to everything and keeps the targets."""

    def __init__(self):
        self.targets = []
        recorder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                recorder.targets.append(self.path)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def next(self, count):
        """The next requests, once they came."""
        before = len(self.targets)
        return lambda: until(f"{count} requests", lambda: len(self.targets) >= before + count) and self.targets[before:]


def request(target):
    return {"method": "GET", "path": target, "headers": {}, "body": ""}


def field(target, name):
    return urllib.parse.parse_qs(urllib.parse.urlsplit(target).query, keep_blank_values=True, encoding="latin-1")[name][0]


def message(target, text):
    time = datetime.datetime.fromtimestamp(int(field(target, "ts")), datetime.timezone.utc)
    return {"channel": "sms", "from": HANDSET, "to": NUMBER, "text": text, "id": field(target, "id"),
            "time": f"{time:%Y-%m-%dT%H:%M:%SZ}", "network": "sim"}


def record_messages(box, recorder):
    samples = []
    for number, text in enumerate(TEXTS):
        come = recorder.next(1)
        box.text(HANDSET, NUMBER, text)
        (target,) = come()
        samples.append({"id": f"real-{number}", "provider": "kannel", "kind": "sms", "config": CONFIG, "request": request(target),
                        "expect": {"action": "deliver", "messages": [message(target, text)], "reply": OK}})
    return samples


def record_parts(box, recorder):
    """Two parts that bearerbox leaves apart; the second comes first, and a character is cut between them."""
    text = "Panjang 😀!"
    raw = text.encode("utf-16-be")
    steps = []
    for number, piece in ((2, raw[18:]), (1, raw[:18])):
        come = recorder.next(1)
        box.text(HANDSET, NUMBER, piece, bytes([5, 0, 3, 7, 2, number]))
        (target,) = come()
        steps.append({"request": request(target), "expect": {"action": "buffer", "messages": [], "reply": OK}})
    steps[1]["expect"].update(action="deliver", messages=[message(target, text)])
    return [{"id": "real-parts", "provider": "kannel", "config": CONFIG, "steps": steps}]


def send(box, recorder, text, wide):
    """Sends a text as the adapter must; gives its vector and the reports' vectors, or an error."""
    config = {"send_url": box.send_url, "username": box.user, "password": box.password, "dlr_mask": 27,
              "dlr_url": f"{recorder.base}/dlr/kannel/k1?ref={OWN_ID}&st=%d&a=%A&fid=%F&ts=%T"}
    query = {"username": box.user, "password": box.password, "from": NUMBER, "to": HANDSET.lstrip("+"), "dlr-mask": "27",
             "dlr-url": config["dlr_url"], "text": text}
    sample = {"method": "GET", "url": box.send_url, "query": query}
    wire = dict(query)
    if wide:
        wire.update(coding="2", text=text.encode("utf-16-be"))
        query["coding"] = "2"
        sample["query_bytes_hex"] = {"text": wire["text"].hex()}
        del query["text"]
    shown = len(box.operator.messages(HANDSET))
    come = recorder.next(2)
    status, body = kannel.get(box.sendsms, "/cgi-bin/sendsms?" + urllib.parse.urlencode(wire))
    until("the text at the handset", lambda: len(box.operator.messages(HANDSET)) > shown)
    assert box.operator.messages(HANDSET)[-1] == text, box.operator.messages(HANDSET)[-1]
    box.report([one for one in box.operator.to(HANDSET) if one.dlr != "0"][-1], 1)
    reports = [{"id": f"real-report-{number}", "provider": "kannel", "config": CONFIG, "request": request(target),
                "expect": {"action": "report", "reply": OK, "reports": [
                    {"ref": OWN_ID, "ref_kind": "own_id", "status": "delivered" if field(target, "st") == "1" else "sent",
                     "final": field(target, "st") == "1", "code": None}]}}
               for number, target in enumerate(come())]
    answer = {"id": "real", "response": {"status": status, "headers": {}, "body": body.decode()},
              "expect": {"outcome": "accepted", "provider_id": None, "code": None}}
    return {"id": f"real-{text[:9]}", "provider": "kannel", "config": config, "request": sample, "responses": [answer],
            "message": {"id": OWN_ID, "to": HANDSET, "from": NUMBER, "text": text}}, reports


def record_sending(box, recorder):
    pairs = [send(box, recorder, text, wide) for text, wide in SENT]
    return [sample for sample, _ in pairs], [report for _, reports in pairs for report in reports]


def record(folder):
    """Writes what the real Kannel did as vectors."""
    operator, recorder = kannel.Operator(), Recorder()
    box = kannel.Kannel(folder / "kannel", operator, f"{recorder.base}/in/kannel/k1?{ESCAPES}", combine=False)
    try:
        box.start()
        files = {"inbound-samples": record_messages(box, recorder), "inbound-sequences": record_parts(box, recorder)}
        files["mt-samples"], files["dlr-samples"] = record_sending(box, recorder)
    finally:
        box.stop()
        operator.close()
        recorder.server.shutdown()
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))


def main():
    environment = dict(os.environ)
    if len(sys.argv) > 1:
        environment["KENTONGAN_BUILD"] = str(pathlib.Path(sys.argv[1]).resolve().parent)
    with tempfile.TemporaryDirectory(prefix="kentongan-kannel-") as name:
        try:
            record(pathlib.Path(name))
        except AssertionError as error:
            print(f"not ok {error}\n0 passed, 1 failed")
            return 1
        return subprocess.run([TOP / "scripts" / "test-vectors", name, "kannel"], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
