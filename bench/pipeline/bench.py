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
import subprocess
import sys
import tempfile
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


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--quick", action="store_true", help="two seconds a case")
    p.add_argument("--only", default="")
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
            ("v2c traps 100k", "trap", "trap-udp", 100_000, ["--seconds", seconds, "--rate", "100000", "--gso"]),
            ("v2c traps max", "trap", "trap-udp", 100_000, ["--seconds", seconds, "--gso"]),
        ]
        for name, kind, collector, target, arguments in cases:
            if a.only in name:
                results.append(flood(belfry, name, kind, collector, target, arguments))
        print(f"resident after the floods: {rss_mib(belfry.process.pid):.0f} MiB")
        belfry.stop()
    if a.json:
        pathlib.Path(a.json).write_text(json.dumps({"machine": machine(), "results": results}, indent=1))


if __name__ == "__main__":
    main()
