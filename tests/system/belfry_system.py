"""What system tests share: a Belfry of its own in a temporary folder, on ports the system chose, and real clients.

Standard library only. Waiting is always for a condition with a deadline, never for time to pass.
"""
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("BELFRY_PROGRAM", str(ROOT / "build" / "dev" / "bin" / "belfry"))
SKIP = 77  # ctest's SKIP_RETURN_CODE


def skip(why):
    print("skipped:", why)
    sys.exit(SKIP)


def need_program(name):
    if shutil.which(name) is None:
        skip(f"{name} is not installed")


def wait_until(what, condition, seconds=30.0):
    """The first true value of condition(); fails the test with `what` when there is none in time."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"after {seconds:.0f} s still not: {what}")
        time.sleep(0.02)


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def unpacked(program, *packages):
    """A program of Debian packages that are not installed, because they exclude others (rsyslog beside syslog-ng) or
    would start a service (Prometheus): unpacked below build/debian, where scripts/packages puts them too. Gives its path,
    and the environment that it needs."""
    root = ROOT / "build" / "debian"
    places = [root / "usr" / folder / program for folder in ("sbin", "bin")]
    if not any(place.exists() for place in places):
        (root / "packages").mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["apt-get", "download", *packages], cwd=root / "packages", capture_output=True, text=True)
        if done.returncode != 0:
            skip(f"{program}: {done.stderr.strip()}")
        for package in (root / "packages").glob("*.deb"):
            subprocess.run(["dpkg", "-x", str(package), str(root)], check=True)
    path = next(place for place in places if place.exists())
    libraries = str(root / "usr" / "lib" / "x86_64-linux-gnu")
    return path, dict(os.environ, LD_LIBRARY_PATH=libraries), pathlib.Path(libraries)


class MailServer:
    """Debian's aiosmtpd, a real SMTP server that keeps mails in a Maildir."""

    def __init__(self, folder, port=None):
        self.port = port or free_port()
        self.box = pathlib.Path(folder) / "mail"
        # -E keeps our environment out; the system's Python is the one that has the package.
        self.process = subprocess.Popen(
            ["/usr/bin/python3", "-E", "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{self.port}",
             "-c", "aiosmtpd.handlers.Mailbox", str(self.box)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until("the mail server listens", self._listens)

    def _listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def mails(self):
        folder = self.box / "new"
        return [p.read_text(errors="replace") for p in sorted(folder.iterdir())] if folder.is_dir() else []

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


def default_config(folder, mail_port=None, extra=""):
    channel = (f"{{kind: smtp, host: 127.0.0.1, port: {mail_port}, from: belfry@isp.example}}"
               if mail_port else "{kind: log}")
    return f"""
data_dir: {folder}/data
rules: [{ROOT}/rules/packs/isp-core]
inventory: {ROOT}/config/inventory
relays: [127.0.0.1]
log: {{level: info}}
api: {{port: 0}}
collectors:
  syslog_udp: {{port: 0}}
  syslog_tcp: {{port: 0}}
  trap_udp: {{port: 0}}
desk:
  last_resort: head
  teams:
    desk: {{members: [ana, bob], notify: ["mail:desk@isp.example"]}}
    run: {{members: [net1], page: ["mail:run@isp.example"]}}
    build: {{members: [cto], page: ["mail:build@isp.example"]}}
  people: {{head: ["mail:head@isp.example"]}}
  aliases: {{run-network: run, run-systems: run, build-network: build, build-systems: build, service-manager: head,
            dc-onsite: run, dc-manager: head}}
channels:
  mail: {channel}
{extra}"""


class Belfry:
    all = []  # so that a test that fails leaves none behind

    def __init__(self, folder, config=None, environment=None):
        Belfry.all.append(self)
        self.folder = pathlib.Path(folder)
        self.config = self.folder / "belfry.yaml"
        if config is not None:
            self.config.write_text(config)
        self.environment = dict(os.environ, **(environment or {}))
        self.process = None
        self.starts = 0

    # -- life ------------------------------------------------------------------------------------
    def start(self, ready_seconds=60):
        self.starts += 1
        addresses = self.folder / "data" / "addresses.json"
        addresses.unlink(missing_ok=True)
        self.log_path = self.folder / f"log.{self.starts}"
        self.log = open(self.log_path, "w")
        self.process = subprocess.Popen([PROGRAM, "run", "-c", str(self.config)], stdout=self.log,
                                        stderr=subprocess.STDOUT, env=self.environment, cwd=ROOT)

        def ready():
            if self.process.poll() is not None:
                raise AssertionError(f"belfry ended with {self.process.returncode}:\n{self.log_path.read_text()}")
            if not addresses.exists():
                return False
            try:
                self.addresses = json.loads(addresses.read_text())
                return self.get("/readyz", raw=True)[0] == 200
            except (OSError, ValueError, KeyError):
                return False

        wait_until("belfry is ready", ready, ready_seconds)
        return self

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    def stop(self, seconds=60):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            code = self.process.wait(seconds)
            assert code == 0, f"a clean stop ended with {code}:\n{self.log_path.read_text()[-2000:]}"

    def log_text(self):
        return self.log_path.read_text()

    # -- API -------------------------------------------------------------------------------------
    def token(self):
        return pathlib.Path(self.addresses["token_file"]).read_text().strip()

    def connection(self, timeout=30):
        return http.client.HTTPConnection("127.0.0.1", self.addresses["api"]["port"], timeout=timeout)

    def request(self, method, path, body=None, headers=None, raw=False):
        c = self.connection()
        h = {"Authorization": "Bearer " + self.token(), "Content-Type": "application/json"}
        h.update(headers or {})
        c.request(method, path, body if body is None or isinstance(body, (str, bytes)) else json.dumps(body), h)
        r = c.getresponse()
        text = r.read().decode(errors="replace")
        c.close()
        if raw:
            return r.status, text
        assert r.status < 300, f"{method} {path}: {r.status} {text}"
        return json.loads(text)

    def get(self, path, raw=False):
        return self.request("GET", path, raw=raw)

    def incidents(self, query=""):
        return self.get("/api/v1/incidents" + query)["items"]

    def tickets(self, query=""):
        return self.get("/api/v1/tickets" + query)["items"]

    def ledger(self, collector, reason):
        rows = self.get("/api/v1/ledger")["items"]
        return sum(r["count"] for r in rows if r["collector"] == collector and r["reason"] == reason)

    def port(self, collector):
        return self.addresses["collectors"][collector]

    def post_events(self, events):
        return self.request("POST", "/api/v1/events", events)

    # -- senders ---------------------------------------------------------------------------------
    def trap(self, source, oid, *varbinds):
        """snmptrap from a device's own loopback address."""
        subprocess.run(["snmptrap", "-v2c", "-c", "public", "--clientAddr=" + source,
                        f"127.0.0.1:{self.port('trap-udp')}", "", oid, *varbinds], check=True,
                       stderr=subprocess.DEVNULL)

    def syslog(self, source, text, priority=187):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind((source, 0))
            s.sendto(f"<{priority}>{text}".encode(), ("127.0.0.1", self.port("syslog-udp")))

    def load(self, kind, port, *arguments):
        out = subprocess.run([PROGRAM, "load", kind, "--target", f"127.0.0.1:{port}", "--json", *arguments],
                             check=True, capture_output=True, text=True).stdout
        return json.loads(out)

    def feed(self, after=None, timeout=30):
        return Feed(self, after, timeout)


class Feed:
    """An SSE reader: iterate over (id, event, data)."""

    def __init__(self, belfry, after, timeout):
        self.connection = belfry.connection(timeout)
        headers = {"Authorization": "Bearer " + belfry.token(), "Accept": "text/event-stream"}
        if after:
            headers["Last-Event-ID"] = after
        self.connection.request("GET", "/api/v1/feed", headers=headers)
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.read()

    def __iter__(self):
        item = {}
        while True:
            line = self.response.readline().decode()
            if line == "":
                return
            line = line.rstrip("\n").rstrip("\r")
            if line == "":
                if item:
                    yield item.get("id"), item.get("event"), json.loads(item["data"]) if "data" in item else None
                item = {}
            elif not line.startswith(":"):
                key, _, value = line.partition(": ")
                item[key] = value

    def close(self):
        self.connection.close()


def run(test):
    """Runs test(folder) in a temporary folder that is kept when it fails."""
    if not os.path.exists(PROGRAM):
        skip(f"{PROGRAM} is not built")
    folder = tempfile.mkdtemp(prefix="belfry-system-")
    started = time.monotonic()
    try:
        test(pathlib.Path(folder))
    except BaseException:
        for belfry in Belfry.all:
            if belfry.process and belfry.process.poll() is None:
                belfry.kill()
        print(f"left for inspection: {folder}")
        for log in sorted(pathlib.Path(folder).glob("log.*")):
            print(f"--- {log.name}\n{log.read_text()[-4000:]}")
        raise
    shutil.rmtree(folder)
    print(f"passed in {time.monotonic() - started:.1f} s")
