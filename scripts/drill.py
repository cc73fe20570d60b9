#!/usr/bin/env python3
"""The drill: a backbone fibre of the sample network is cut and spliced again, told by real senders.

`snmptrap` speaks from each router's own loopback address, `logger` with each router's host name, `curl` posts what a
line-card controller sees, and the probes find a customer's router silent because its listener on loopback is gone.
Which ports, circuits and sessions are hit is read from config/inventory, so the drill follows the network.
Used by scripts/run (on the terminal) and by tests/system/drill_test.py (with assertions).
"""
import csv
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
LINK_DOWN, LINK_UP = "1.3.6.1.6.3.1.1.5.3", "1.3.6.1.6.3.1.1.5.4"
IF_INDEX, IF_DESCR, IF_OPER = "1.3.6.1.2.1.2.2.1.1", "1.3.6.1.2.1.2.2.1.2", "1.3.6.1.2.1.2.2.1.8"


def table(name):
    with open(ROOT / "config" / "inventory" / (name + ".csv"), newline="") as f:
        return list(csv.DictReader(line for line in f if not line.startswith("#")))


class Network:
    """What hangs on one span of the sample network."""

    def __init__(self, span=None):
        circuits = {c["id"]: c["spans"].replace(";", " ").split() for c in table("circuits")}
        spans = {}
        for circuit, over in circuits.items():
            for s in over:
                spans.setdefault(s, set()).add(circuit)
        self.span = span or max(sorted(spans), key=lambda s: len(spans[s]))
        self.circuits = spans[self.span]
        self.address = {d["name"]: d["ip"] for d in table("devices")}
        self.ports = [p for p in table("ports") if p.get("circuit") in self.circuits]
        hit = {(p["node"], p["ifname"]) for p in self.ports}
        self.sessions = [s for s in table("bgp") if (s["node"], s["ifname"]) in hit]


class Senders:
    """Real programs that tell of the cut; counts what it sent."""

    def __init__(self, trap_port, syslog_port, api, token):
        self.trap_port, self.syslog_port, self.api, self.token = trap_port, syslog_port, api, token
        self.sent = 0
        self.unshare = shutil.which("unshare") and subprocess.run(
            ["unshare", "--uts", "true"], stderr=subprocess.DEVNULL).returncode == 0

    def trap(self, address, oid, port):
        index = port.get("ifindex") or "1"
        up = "1" if oid == LINK_UP else "2"
        subprocess.run(["snmptrap", "-v2c", "-c", "public", "--clientAddr=" + address,
                        f"127.0.0.1:{self.trap_port}", "", oid, f"{IF_INDEX}.{index}", "i", index,
                        f"{IF_DESCR}.{index}", "s", port["ifname"], f"{IF_OPER}.{index}", "i", up],
                       check=True, stderr=subprocess.DEVNULL)
        self.sent += 1

    def log(self, node, address, text):
        """logger as if on the router: in a UTS namespace of its own where we may, so that its header names it."""
        command = ["logger", "-n", "127.0.0.1", "-P", str(self.syslog_port), "-d", "--rfc3164", "-p", "local7.err",
                   "-t", "rpd", text]
        if self.unshare:
            command = ["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', node] + command
            subprocess.run(command, check=True)
        else:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.bind((address, 0))
                s.sendto(f"<187>{text}".encode(), ("127.0.0.1", self.syslog_port))
        self.sent += 1

    def post(self, events):
        subprocess.run(["curl", "-sS", "--fail", "-o", os.devnull, "-H", "@-", "-H", "Content-Type: application/json",
                        "--data", json.dumps(events), self.api + "/api/v1/events"],
                       input=f"Authorization: Bearer {self.token}\n", text=True, check=True)
        self.sent += len(events)


def link_text(ifname, up):
    return f"%LINK-3-UPDOWN: Interface {ifname}, changed state to {'up' if up else 'down'}"


def line_text(ifname, up):
    return f"%LINEPROTO-5-UPDOWN: Line protocol on Interface {ifname}, changed state to {'up' if up else 'down'}"


def tell(network, senders, up, progress=lambda text: None):
    """One end after the other tells of every port of the span, then BGP notices."""
    oid = LINK_UP if up else LINK_DOWN
    for port in network.ports:
        address = network.address[port["node"]]
        senders.trap(address, oid, port)
        senders.log(port["node"], address, link_text(port["ifname"], up))
    progress(f"{len(network.ports)} ports told by trap and syslog")
    senders.post([{"type": "syslog", "node": p["node"], "msg": line_text(p["ifname"], up), "via": "controller"}
                  for p in network.ports])
    for session in network.sessions:
        text = f"%BGP-5-ADJCHANGE: neighbor {session['peer']} " + ("Up" if up else "Down Interface flap")
        senders.log(session["node"], network.address[session["node"]], text)
    progress(f"{len(network.sessions)} BGP sessions told by syslog")


class Api:
    def __init__(self, base, token):
        self.base, self.token = base, token

    def get(self, path):
        request = urllib.request.Request(self.base + path, headers={"Authorization": "Bearer " + self.token})
        with urllib.request.urlopen(request, timeout=10) as r:
            return json.loads(r.read())


def wait_until(what, condition, seconds):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise SystemExit(f"drill: after {seconds} s still not: {what}")
        time.sleep(0.2)


# -- on the terminal -------------------------------------------------------------------------------


def say(text):
    bold, plain = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")
    print(f"{bold}== {text}{plain}", flush=True)


class Stage:
    """Processes of the drill; every one is ended by us, by its id."""

    def __init__(self):
        self.processes = []

    def start(self, *command, **options):
        process = subprocess.Popen(command, **options)
        self.processes.append(process)
        return process

    def end(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    process.kill()


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def mails(box):
    folder = box / "new"
    return sorted(folder.iterdir(), key=lambda p: p.stat().st_mtime) if folder.is_dir() else []


def header(mail, name):
    from email import message_from_string
    from email.header import decode_header, make_header
    value = message_from_string(mail.read_text(errors="replace"))[name]
    return str(make_header(decode_header(value))) if value else ""


def start_all(stage):
    box = ROOT / "run" / "mail"
    shutil.rmtree(box, ignore_errors=True)
    box.parent.mkdir(exist_ok=True)
    program = str(ROOT / "build" / "release" / "bin" / "belfry")
    if listens(2525):
        raise SystemExit("drill: port 2525 is in use: the drill starts its own mail server there")
    stage.start("/usr/bin/python3", "-E", "-m", "aiosmtpd", "-n", "-l", "127.0.0.1:2525",
                "-c", "aiosmtpd.handlers.Mailbox", str(box), stderr=subprocess.DEVNULL)
    addresses = ROOT / "run" / "data" / "addresses.json"
    addresses.unlink(missing_ok=True)
    log = open(ROOT / "run" / "belfry.log", "w")
    server = stage.start(program, "run", "-c", "config/belfry.yaml", cwd=ROOT, stderr=log, stdout=log)

    def up():
        if server.poll() is not None:
            raise SystemExit("drill: belfry did not start:\n" + (ROOT / "run" / "belfry.log").read_text())
        return addresses.exists() and listens(json.loads(addresses.read_text())["api"]["port"])

    wait_until("belfry listens", up, 60)
    return program, server, json.loads(addresses.read_text()), box


def show_mail(box, known, what):
    new = wait_until(f"a mail that says '{what}'",
                     lambda: [m for m in mails(box) if m not in known and what in header(m, "Subject")], 60)
    known.update(new)
    print(f"   mail to {header(new[0], 'To')}: {header(new[0], 'Subject')}", flush=True)


def play(stage):
    program, server, addresses, box = start_all(stage)
    base = f"http://127.0.0.1:{addresses['api']['port']}"
    token = pathlib.Path(addresses["token_file"]).read_text().strip()
    api = Api(base, token)
    network = Network()
    say("the feed, as `belfry feed` shows it")
    stage.start(program, "feed", "-c", "config/belfry.yaml", cwd=ROOT)
    senders = Senders(addresses["collectors"]["trap-udp"], addresses["collectors"]["syslog-udp"], base, token)
    known = set(mails(box))

    say(f"cutting the fibre {network.span}: {len(network.circuits)} circuits, {len(network.ports)} ports")
    tell(network, senders, up=False, progress=lambda text: print("   " + text, flush=True))

    def cut():
        found = api.get("/api/v1/incidents?rule=fibre_cut&state=open")["items"]
        return [i for i in found if i["symptoms"] >= len(network.ports)]

    incident = wait_until("one incident that names the cut", cut, 120)[0]
    say(f"{senders.sent} raw events, one incident")
    subprocess.run([program, "incidents", "-c", "config/belfry.yaml"], cwd=ROOT, check=True)
    subprocess.run([program, "tickets", "-c", "config/belfry.yaml"], cwd=ROOT, check=True)
    show_mail(box, known, "opened")

    say("the fibre is spliced")
    tell(network, senders, up=True)
    print("   the incident closes when the link has been good for a while (`clear after` of the rule)", flush=True)
    wait_until("the incident is closed", lambda: api.get("/api/v1/incidents/" + incident["incident"])["incident"]["state"] == "closed",
               600)
    show_mail(box, known, "resolved")
    open_now = api.get("/api/v1/incidents?state=open")["items"]
    say(f"closed; open incidents: {len(open_now)}")
    print(f"\nBelfry stays up. API: {base}/api/v1 (token in {addresses['token_file']}), log: run/belfry.log, "
          f"mails: run/mail\nCtrl-C ends it.", flush=True)
    server.wait()


def main():
    stage = Stage()
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    try:
        play(stage)
    except KeyboardInterrupt:
        print("\nending", flush=True)
    finally:
        stage.end()


if __name__ == "__main__":
    main()
