#!/usr/bin/env python3
"""The whole pipeline over loopback, sender included, on this machine: prints a table and ratios to the targets.

    bench/pipeline/bench.py [--quick] [--only NAME]

Uses build/release/bin/belfry (or BELFRY_PROGRAM), the shipped packs, journal in `group` durability, a store in a
temporary folder. Every event sent is accounted for: stored, refused with a reason, or dropped by the kernel and
counted; `lost` is what is missing after that and must be 0.
"""
import argparse
import json
import os
import pathlib
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
os.environ.setdefault("BELFRY_PROGRAM", str(ROOT / "build" / "release" / "bin" / "belfry"))
sys.path.insert(0, str(ROOT / "tests" / "system"))
import belfry_system as bs  # noqa: E402


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    return f"{platform.node()}, {os.cpu_count()} x {model}, Linux {platform.release()}"


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mib(pid):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0


def counts(belfry, collector):
    out = {}
    for row in belfry.get("/api/v1/ledger")["items"]:
        if row["collector"] == collector:
            out[row["reason"]] = out.get(row["reason"], 0) + row["count"]
    return out


def settled(belfry, collector, sent):
    """Waits until everything sent is accounted for, or nothing moves any more for two seconds."""
    last, quiet = None, time.monotonic()
    while True:
        now = counts(belfry, collector)
        if now.get("received", 0) >= sent:
            return now
        if now != last:
            last, quiet = now, time.monotonic()
        if time.monotonic() - quiet > 2:
            return now
        time.sleep(0.05)


def flood(belfry, name, kind, collector, target, arguments):
    before = counts(belfry, collector)
    cpu = cpu_seconds(belfry.process.pid)
    began = time.monotonic()
    sent = belfry.load(kind, belfry.port(collector), *arguments)
    after = settled(belfry, collector, before.get("received", 0) + sent["sent"])
    seconds = time.monotonic() - began
    cpu = cpu_seconds(belfry.process.pid) - cpu
    d = {k: after.get(k, 0) - before.get(k, 0) for k in after}
    stored = d.get("stored", 0)
    refused = sum(v for k, v in d.items() if k not in ("received", "stored", "folded"))
    lost = sent["sent"] - stored - refused - d.get("folded", 0)
    rate = stored / max(sent["seconds"], seconds - 0.05)
    print(f"{name:<26} {rate:>10,.0f}/s  x{rate / target:4.2f} of {target:>7,}  sent {sent['sent']:>9,}  "
          f"refused {refused:>8,}  lost {lost:>6,}  cpu {1e6 * cpu / max(stored, 1):5.2f} us/event", flush=True)
    return {"name": name, "rate": rate, "target": target, "sent": sent["sent"], "stored": stored, "refused": refused,
            "lost": lost, "cpu_us": 1e6 * cpu / max(stored, 1)}


def streams(folder, seconds, results, only):
    """TLS with a certificate on either side, RELP (a message counts when it was answered after its commit), and ten
    thousand open senders."""
    for name in ("server", "sender"):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem"], check=True,
                       cwd=folder, capture_output=True)
    print_of = subprocess.run(["openssl", "x509", "-in", "sender.pem", "-noout", "-fingerprint", "-sha256"], check=True,
                              cwd=folder, capture_output=True, text=True).stdout.strip().split("=")[1]
    more = (f"  syslog_tls: {{enabled: true, port: 0, certificate: {folder}/server.pem, key: {folder}/server.key, "
            f"peers: {{sender: \"{print_of}\"}}}}\n  syslog_relp: {{enabled: true, port: 0}}\n  trap_udp:")
    # The lines name many devices: their sender is a relay, so that its certificate does not name the device.
    belfry = bs.Belfry(folder, bs.default_config(folder).replace("  trap_udp:", more, 1)).start()
    tls = ["--transport", "tls", "--seconds", seconds, "--certificate", f"{folder}/sender.pem", "--key",
           f"{folder}/sender.key"]
    cases = [("syslog TLS", "syslog-tls", 150_000, tls),
             ("syslog RELP, 8 sessions", "syslog-relp", 100_000,
              ["--transport", "relp", "--connections", "8", "--seconds", seconds]),
             ("syslog RELP, 32 sessions", "syslog-relp", 100_000,
              ["--transport", "relp", "--connections", "32", "--seconds", seconds]),
             ("10,000 TCP senders", "syslog-tcp", 300_000,
              ["--transport", "tcp", "--connections", "10000", "--seconds", seconds])]
    for name, collector, target, arguments in cases:
        if only in name:
            results.append(flood(belfry, name, "syslog", collector, target, arguments))
    belfry.stop()


LATENCY_RULES = """
signal bench_mark(node: device, n: string) { raise syslog "BENCHMARK {n} begin"  expire 1m }
rule bench_marked { when bench_mark  settle 0s  open { title "{n}"  severity warning } }
"""


def latency(folder, seconds):
    """Raw event to feed, settle 0, while 50,000 events/s flow: datagram sent -> line read from the feed."""
    rules = pathlib.Path(folder) / "bench.bell"
    rules.write_text(LATENCY_RULES)
    belfry = bs.Belfry(folder, bs.default_config(folder).replace("isp-core]", f"isp-core, {rules}]")).start()
    feed, seen = belfry.feed(), {}

    def read():
        for _, event, change in feed:
            if event == "change" and change and change.get("rule") == "bench_marked":
                seen.setdefault(change["key"][-1], time.monotonic())

    threading.Thread(target=read, daemon=True).start()
    load = subprocess.Popen([bs.PROGRAM, "load", "syslog", "--target", f"127.0.0.1:{belfry.port('syslog-udp')}",
                             "--rate", "50000", "--seconds", str(seconds)], stdout=subprocess.DEVNULL)
    sent = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        while load.poll() is None:
            n = f"m{len(sent)}"
            sent[n] = time.monotonic()
            s.sendto(f"<190>BENCHMARK {n} begin".encode(), ("127.0.0.1", belfry.port("syslog-udp")))
            time.sleep(0.005)
    bs.wait_until("the last mark is on the feed", lambda: len(seen) >= len(sent) * 0.999, 10)
    times = sorted(1e3 * (seen[n] - sent[n]) for n in seen)
    p50, p99, worst = times[len(times) // 2], times[int(len(times) * 0.99)], times[-1]
    print(f"event to feed at 50k/s      p50 {p50:.1f} ms  p99 {p99:.1f} ms (target 50)  max {worst:.1f} ms  "
          f"of {len(times)}", flush=True)
    belfry.stop()
    return {"name": "latency", "p50_ms": p50, "p99_ms": p99, "max_ms": worst}


def metric(belfry, name):
    _, text = belfry.get("/metrics", raw=True)
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.split("{")[0].split(" ")[0] == name)


def keys(folder, count, open_after, tail):
    """`count` live keys, a snapshot, 60 s of tail at 50,000/s, kill -9, restart. The packs with `limit` raised and
    `if_down for` set to `open_after`: 20s (as shipped) opens an incident, a ticket and a mail for every key that stays
    down, about half of them; 2h leaves them pending. `tail`: syslog = one in ten changes a link, trap = every one does."""
    packs = pathlib.Path(folder) / "packs"
    shutil.copytree(ROOT / "rules" / "packs" / "isp-core", packs)
    prelude, link = packs / "prelude.bell", packs / "link.bell"
    prelude.write_text(prelude.read_text().replace("limit 100000", "limit 4000000"))
    link.write_text(link.read_text().replace("when if_down for 20s", f"when if_down for {open_after}"))
    config = bs.default_config(folder, extra="store: {snapshot_every: 75s}\n")
    belfry = bs.Belfry(folder, config.replace(f"{ROOT}/rules/packs/isp-core", str(packs))).start()
    target, began = ["--keys", str(count), "--duplicates", "0", "--gso"], time.monotonic()
    belfry.load("trap", belfry.port("trap-udp"), "--rate", "200000", "--count", str(5 * count), "--seconds", "60", *target)
    rss = rss_mib(belfry.process.pid)
    print(f"{count:,} keys, {open_after}: resident {rss:,.0f} MiB after {time.monotonic() - began:.0f} s (target 1,536)",
          flush=True)
    bs.wait_until("a snapshot is due", lambda: time.monotonic() - began > 77, 100)
    belfry.load("trap", belfry.port("trap-udp"), "--count", "100", *target)
    snapshots = pathlib.Path(folder) / "data" / "store" / "snapshots"
    bs.wait_until("a snapshot", lambda: snapshots.is_dir() and any(p.suffix == "" for p in snapshots.iterdir()), 200)
    stood = metric(belfry, "belfry_snapshot_fold_seconds_sum") / metric(belfry, "belfry_snapshot_fold_seconds_count")
    print(f"a snapshot held up the folds for {1e3 * stood:.1f} ms", flush=True)
    belfry.load(tail, belfry.port(f"{tail}-udp"), "--rate", "50000", "--seconds", "60", *target)
    rss = rss_mib(belfry.process.pid)
    belfry.kill()
    began = time.monotonic()
    belfry.start(ready_seconds=300)
    seconds = time.monotonic() - began
    print(f"restart after kill -9, 60 s of {tail} tail at 50,000/s: {seconds:.1f} s (target 15); resident {rss:,.0f} MiB "
          f"before, {rss_mib(belfry.process.pid):,.0f} MiB after", flush=True)
    belfry.kill()
    return {"name": f"keys, {open_after}", "rss_mib": rss, "restart_s": seconds, "snapshot_ms": 1e3 * stood}


def v3_users(path, count):
    """One user per engine with keys of its own, as large networks have them: SHA and AES, master keys."""
    lines = (f"createUser -e 0x80007ed904{n:08x} u{n:05d} SHA -m 0x{n:040x} AES -m 0x{n + 7:040x}\n" for n in range(count))
    path.write_text("".join(lines))
    path.chmod(0o600)
    return path


def v3(folder, seconds, users):
    """SNMPv3 authPriv from `users` engines in turn."""
    path = v3_users(pathlib.Path(folder) / "users.conf", users)
    config = bs.default_config(folder).replace("trap_udp: {port: 0}", f"trap_udp: {{port: 0, users_file: {path}}}")
    belfry = bs.Belfry(folder, config).start()
    before = rss_mib(belfry.process.pid)
    out = []
    for name, rate in ((f"v3 authPriv {users} users", "50000"), (f"v3 authPriv {users} max", "max")):
        out.append(flood(belfry, name, "trap", "trap-udp", 50_000,
                         ["--snmp-users", str(path), "--seconds", seconds, "--rate", rate, "--gso"]))
    print(f"resident with {users} v3 users: {rss_mib(belfry.process.pid):.0f} MiB, {before:.0f} before the first", flush=True)
    belfry.stop()
    return out


MIB = """BENCH{n}-MIB DEFINITIONS ::= BEGIN
IMPORTS MODULE-IDENTITY, OBJECT-TYPE, NOTIFICATION-TYPE, enterprises, Integer32 FROM SNMPv2-SMI
  TEXTUAL-CONVENTION, DisplayString, DateAndTime FROM SNMPv2-TC{before};
bench{n} MODULE-IDENTITY LAST-UPDATED "202611250000Z" ORGANIZATION "Bench" CONTACT-INFO "none"
  DESCRIPTION "{prose}" ::= {{ enterprises 32473 {n1} }}
Bench{n}State ::= TEXTUAL-CONVENTION STATUS current DESCRIPTION "{prose}" SYNTAX INTEGER {{ up(1), down(2), odd(3) }}
{objects}
END
"""
OBJECT = """bench{n}Object{i} OBJECT-TYPE SYNTAX {syntax} MAX-ACCESS read-only STATUS current
  DESCRIPTION "{prose}" ::= {{ bench{n} {i} }}
"""
NOTE = """bench{n}Event{i} NOTIFICATION-TYPE OBJECTS {{ bench{n}Object1 }} STATUS current
  DESCRIPTION "{prose}" ::= {{ bench{n} 0 {i} }}
"""


def write_mibs(folder, count):
    """`count` modules of 60 objects and 10 notifications, 23 KiB each, every tenth one importing from the one before."""
    folder.mkdir()
    prose = "What this object says, in as many words as a vendor takes to say it. " * 3
    kinds = ["Integer32", "DisplayString", "DateAndTime", "Bench{n}State", "OCTET STRING", "INTEGER {{ good(1), bad(2) }}"]
    for n in range(count):
        objects = "".join(OBJECT.format(n=n, i=i, syntax=kinds[i % 6].format(n=n), prose=prose) for i in range(1, 61))
        notes = "".join(NOTE.format(n=n, i=i, prose=prose) for i in range(1, 11))
        before = f"\n  bench{n - 1} FROM BENCH{n - 1}-MIB" if n % 10 == 9 else ""
        (folder / f"BENCH{n}-MIB.txt").write_text(
            MIB.format(n=n, n1=n + 1, before=before, prose=prose, objects=objects + notes))


def mibs(folder, count):
    """A folder of MIB files is loaded by a reload while 50,000 traps a second come in."""
    where = pathlib.Path(folder) / "mibs"
    where.mkdir()
    belfry = bs.Belfry(folder, bs.default_config(folder).replace("relays:", f"mibs: {where}\nrelays:")).start()
    where.rmdir()
    write_mibs(where, count)
    load = subprocess.Popen([bs.PROGRAM, "load", "trap", "--target", f"127.0.0.1:{belfry.port('trap-udp')}", "--rate",
                             "50000", "--seconds", "10", "--gso", "--json"], stdout=subprocess.PIPE, text=True)
    time.sleep(1)
    began = time.monotonic()
    belfry.request("POST", "/api/v1/reload", {})
    seconds = time.monotonic() - began
    sent = json.loads(load.communicate()[0])["sent"]
    after = settled(belfry, "trap-udp", sent)
    refused = sum(v for k, v in after.items() if k not in ("received", "stored", "folded"))
    line = next(l for l in belfry.log_text().splitlines()[::-1] if " names in " in l)
    print(f"{count} MIB files: reload in {seconds:.1f} s (target 5) at 50,000 traps/s; sent {sent:,} refused {refused:,} lost "
          f"{sent - after.get('stored', 0) - refused}; {line.split('mibs: ', 1)[-1].strip()}", flush=True)
    belfry.stop()
    return {"name": "mibs", "files": count, "seconds": seconds, "sent": sent, "stored": after.get("stored", 0)}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--quick", action="store_true", help="two seconds a case")
    p.add_argument("--only", default="")
    p.add_argument("--keys", type=int, default=0, help="also: so many live keys, memory, snapshot, restart (twelve minutes; with --quick four)")
    p.add_argument("--json", default="", help="also write the figures to this file")
    a = p.parse_args()
    seconds = "2" if a.quick else "6"
    print(f"machine: {machine()}   date: {time.strftime('%Y-%m-%d')}", flush=True)
    results = []
    with tempfile.TemporaryDirectory(prefix="belfry-bench-") as folder:
        belfry = bs.Belfry(folder, bs.default_config(folder)).start()
        cases = [
            ("syslog TCP", "syslog", "syslog-tcp", 300_000, ["--transport", "tcp", "--seconds", seconds]),
            ("syslog TCP storm", "syslog", "syslog-tcp", 300_000,
             ["--transport", "tcp", "--seconds", seconds, "--mix", "storm"]),
            ("syslog UDP 150k", "syslog", "syslog-udp", 150_000, ["--seconds", seconds, "--rate", "150000", "--gso"]),
            ("syslog UDP max", "syslog", "syslog-udp", 150_000, ["--seconds", seconds, "--gso"]),
            ("v2c traps 150k", "trap", "trap-udp", 150_000, ["--seconds", seconds, "--rate", "150000", "--gso"]),
            ("v2c traps max", "trap", "trap-udp", 150_000, ["--seconds", seconds, "--gso"]),
        ]
        for name, kind, collector, target, arguments in cases:
            if a.only in name:
                results.append(flood(belfry, name, kind, collector, target, arguments))
        print(f"resident after the floods: {rss_mib(belfry.process.pid):.0f} MiB")
        belfry.stop()
    for users in (1, 5000):
        with tempfile.TemporaryDirectory(prefix="belfry-bench-") as folder:
            if a.only in f"v3 authPriv {users} users":
                results += v3(folder, seconds, users)
    with tempfile.TemporaryDirectory(prefix="belfry-bench-") as folder:
        if a.only in "mibs":
            results.append(mibs(folder, 500))
    if any(a.only in name for name in ("syslog TLS", "syslog RELP, 8 sessions", "10,000 TCP senders")):
        with tempfile.TemporaryDirectory(prefix="belfry-bench-") as folder:
            streams(folder, seconds, results, a.only)
    with tempfile.TemporaryDirectory(prefix="belfry-bench-") as folder:
        if a.only in "latency":
            results.append(latency(folder, 5 if a.quick else 15))
    cases = [("2h", "syslog"), ("2h", "trap"), ("20s", "trap")][:1 if a.quick else 3]
    for open_after, tail in cases if a.keys else ():
        with tempfile.TemporaryDirectory(prefix="belfry-bench-") as folder:
            results.append(keys(folder, a.keys, open_after, tail))
    if a.json:
        pathlib.Path(a.json).write_text(json.dumps({"machine": machine(), "results": results}, indent=1))


if __name__ == "__main__":
    main()
