"""scenes.py - a gateway with its telcos, for test_gateway.py, and how its tests run beside one another.

    with scenes.running(inbox_max=1) as (gw, telco):
        phone = scenes.handset()
        status, headers = scenes.bring(gw, phone, "SATU rahasia a")
        scenes.shows(telco, phone, "Satu rahasia a.")

Three telcos, k1 and k2 (Kannel) and a1 (Africa's Talking), all one faketelco, and the simulated phones.  Each gateway's log
is kept, because the last test looks through all of them: every text that a test sends has the word RAHASIA in it.
"""

import concurrent.futures
import contextlib
import errno
import inspect
import itertools
import os
import queue
import subprocess
import sys
import threading
import time
import traceback
import urllib.parse

import faketelco
import gateway
from gateway import CODE, NUMBER, SECRET, TOP, until

PROGRAM = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("KENTONGAN", "")
PLUGINS = TOP / "tests/system/plugins"
USUAL = [PLUGINS / "satu", PLUGINS / "gema", PLUGINS / "tiga", TOP / "plugins/survey"]
OWN = "+6281199000000"  # another number of ours
HANDSETS = "62812990"  # what all of them begin with
NUMBERS = itertools.count(1)
IDS = itertools.count(1)
LOGS = []  # of all gateways that have run


def handset():
    """A number that no other test has; its last digits tell it apart where it is masked."""
    return f"+{HANDSETS}{next(NUMBERS):05d}"


def mask(number):
    """As log.c masks it."""
    shown = min(len(number) - 6, 6) if len(number) >= 8 else 0
    return number[:shown] + "*" * (len(number) - shown - 2) + number[-2:]


def rows(telco, **connection):
    """The settings' connections; connection: more for k1."""
    mine = [NUMBER, OWN]
    return {
        "k1": gateway.kannel(telco.port, **{"numbers": mine, "unknown_seconds": 1, **connection}),
        "k2": gateway.kannel(telco.port, numbers=mine),
        "a1": gateway.africastalking(telco.port),
        "phone": {"adapter": "phone", "country": "ID", "numbers": [NUMBER, CODE]},
    }


def keep_log(gw):
    if not (gw.folder / "gateway.log").exists():
        return
    log = gw.text()
    LOGS.append(log)
    for word in ("AddressSanitizer", "runtime error:"):
        assert word not in log, log[log.index(word) - 100 :][:1500]


@contextlib.contextmanager
def made(plugins=None, connection=None, **settings):
    """A gateway that is not started yet, and its telco."""
    with faketelco.Telco() as telco, contextlib.ExitStack() as stack:
        gw = gateway.Gateway(PROGRAM, rows(telco, **(connection or {})), plugins or USUAL, **settings)
        telco.gateway = gw
        stack.push(gw)
        stack.callback(keep_log, gw)
        yield gw, telco
        telco.release()


@contextlib.contextmanager
def running(**options):
    with made(**options) as (gw, telco):
        gw.start()
        yield gw, telco


# what citizens and telcos do


def bring(gw, sender, text, connection="k1", **more):
    """One SMS by Kannel's get-url, as (status, headers).  more: other values of the query, None: left out; text may be bytes."""
    values = {"key": SECRET, "id": f"id-{next(IDS)}", "from": sender, "to": NUMBER, "text": text, **more}
    query = urllib.parse.urlencode({name: value for name, value in values.items() if value is not None})
    return gw.exchange(gw.public, "GET", f"/telco/{connection}/sms?{query}")[:2]


def tell(gw, sender, *words, **more):
    """Messages that must be taken."""
    for text in words:
        status, _ = bring(gw, sender, text, **more)
        assert status == 200, f"{text[:40]!r} was answered {status}"


def shows(telco, phone, *words):
    """Waits until the handset has shown exactly these texts, in this order."""
    until(f"{len(words)} messages", lambda: len(telco.taken(phone)) >= len(words))
    assert telco.taken(phone) == list(words), f"the handset shows {telco.taken(phone)}"


def last(telco, phone, count):
    """Waits until the handset has shown `count` messages; the last of them."""
    until(f"message {count}", lambda: len(telco.taken(phone)) >= count)
    assert len(telco.taken(phone)) == count, f"the handset shows {telco.taken(phone)}"
    return telco.taken(phone)[-1]


def stored(gw, phone):
    """The texts that are stored of a citizen."""
    return [one["text"] for one in gw.messages(phone, "in")]


def lines(gw, event, phone):
    return [line for line in gw.log(event) if line.get("citizen") == mask(phone)]


def beside(count, function):
    """What function(0) .. function(count - 1) give, called at the same time."""
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(function, range(count)))


# what operators do


def command(gw, *words, **options):
    """A command of the program's, with the gateway's state folder; as subprocess.run gives it."""
    line = [gw.program, *words, "--state", str(gw.folder / "state")]
    return subprocess.run(line, capture_output=True, text=True, timeout=gateway.PATIENCE, check=False, **options)


def refused(gw, path=None):
    """Starts it where it must refuse to start; what it says beside its log."""
    line = [gw.program, "serve", "--config", str(path or gw.configure())]
    done = subprocess.run(line, capture_output=True, text=True, timeout=gateway.PATIENCE, check=False)
    assert done.returncode == 1, f"it ended with {done.returncode}: {done.stdout} {done.stderr}"
    return "\n".join(line for line in done.stderr.splitlines() if not line.startswith("{"))


def add_plugin(gw, name, source):
    folder = gw.folder / "plugins" / name
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.lua").write_text(source)


def as_root(*words):
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    subprocess.run([*prefix, *words], check=True, timeout=gateway.PATIENCE)


@contextlib.contextmanager
def small_disk(gw, mib):
    """The state folder on a disk of its own."""
    state = str(gw.folder / "state")
    owner = f"mode=0700,uid={os.geteuid()},gid={os.getegid()}"
    as_root("mount", "-t", "tmpfs", "-o", f"size={mib}m,{owner}", "tmpfs", state)
    try:
        yield gw.folder / "state"
    finally:
        if gw.process:
            gw.kill()
        as_root("umount", state)


def fill(path, size=None):
    """Writes a file of that size, or until the disk is full."""
    with open(path, "wb", buffering=0) as file:
        try:
            while size is None or file.tell() < size:
                file.write(bytes(4096))
        except OSError as full:
            assert full.errno == errno.ENOSPC, full


# running tests


class Results:
    def __init__(self):
        self.lock = threading.Lock()
        self.passed = self.failed = 0

    def attempt(self, test, *arguments):
        """Runs one test and prints what came of it; whether it passed."""
        name = test.__name__.removeprefix("test_")
        began = time.monotonic()
        try:
            test(*arguments)
            failure = None
        except Exception as caught:  # a test that breaks fails, the next one goes on
            failure = caught
        with self.lock:
            if failure is None:
                self.passed += 1
                print(f"ok {name} ({time.monotonic() - began:.1f} s)", flush=True)
                return True
            self.failed += 1
            why = " ".join(str(failure).split()) or type(failure).__name__
            print(f"not ok {name}: {why}", flush=True)
            if not isinstance(failure, AssertionError):
                traceback.print_exception(failure, file=sys.stdout)
            return False


class Kept(Exception):
    """Tests in a scene failed, so its gateway's folder is kept."""


def run_lane(results, scene, tests):
    """Tests one after the other; a scene that can't be made, or ends badly, is one more that failed."""
    if scene is None:
        for test in tests:
            results.attempt(test)
        return
    try:
        with scene() as here:
            if not all([results.attempt(test, here) for test in tests]):
                raise Kept
    except Kept:
        pass
    except Exception as caught:
        failure = caught

        def broken():
            raise failure

        broken.__name__ = f"scene_{scene.__name__}"
        results.attempt(broken)


def run(tests, shared, threads=3):
    """Runs tests beside one another, prints a line for each and the sum; the exit status.  A test with a parameter shares the
    scene of that name, and runs after the one before it; one with the parameter `logs` runs when all others are over."""
    lanes, at_the_end, results = {}, [], Results()
    for test in tests:
        scene = next(iter(inspect.signature(test).parameters), None)
        if scene == "logs":
            at_the_end.append(test)
        else:
            lanes.setdefault(scene or test, (shared.get(scene), []))[1].append(test)
    waiting = queue.SimpleQueue()
    for lane in sorted(lanes.values(), key=lambda lane: lane[0] is None):
        waiting.put(lane)

    def work(_):
        with contextlib.suppress(queue.Empty):
            while True:
                run_lane(results, *waiting.get_nowait())

    beside(threads, work)
    for test in at_the_end:
        results.attempt(test, LOGS)
    print(f"{results.passed} passed, {results.failed} failed")
    return 1 if results.failed else 0
