#!/usr/bin/env python3
"""10,000 ICMP targets each 10 s from one Belfry: what it costs. Targets are addresses of 127.0.0.0/8; the kernel answers.

    bench/probe/icmp.py [--targets 10000] [--interval 10] [--seconds 60] [--program build/release/bin/belfry]

Prints checks per second, CPU of the probe thread and of the whole process (folds, journal and the kernel's echo work
that falls on them included), and what was not up. Asserts nothing about time.
"""
import argparse
import os
import pathlib
import shutil
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "system"))
parser = argparse.ArgumentParser()
parser.add_argument("--targets", type=int, default=10_000)
parser.add_argument("--interval", type=int, default=10)
parser.add_argument("--seconds", type=int, default=60)
parser.add_argument("--threads", action="store_true", help="the CPU of each thread too")
parser.add_argument("--program", default=str(ROOT / "build" / "release" / "bin" / "belfry"))
arguments = parser.parse_args()
os.environ["BELFRY_PROGRAM"] = arguments.program
import belfry_system as bs  # noqa: E402  (reads the program's path)


def ticks(path):
    fields = pathlib.Path(path).read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def results(belfry):
    text = belfry.get("/metrics", raw=True)[1]
    out = {}
    for line in text.splitlines():
        if line.startswith("belfry_probe_results_total{"):
            out[line.split('"')[1]] = int(float(line.rsplit(" ", 1)[1]))
    return out


def main(folder):
    inventory = folder / "inventory"
    shutil.copytree(ROOT / "config" / "inventory", inventory)

    def table(name):
        return [line for line in (inventory / name).read_text().splitlines() if line and not line.startswith("#")]

    columns = table("devices.csv")[0].split(",")
    site = table("sites.csv")[1].split(",")[0]
    for other in inventory.glob("*.csv"):
        if other.name != "sites.csv":
            other.write_text(table(other.name)[0] + "\n")
    with open(inventory / "devices.csv", "a") as devices:
        for n in range(arguments.targets):
            cell = {"name": f"d{n}", "ip": f"127.{1 + n // 62500}.{n // 250 % 250}.{1 + n % 250}", "site": site,
                    "role": "target"}
            devices.write(",".join(cell.get(c, "") for c in columns) + "\n")
    config = bs.default_config(folder).replace(f"inventory: {ROOT}/config/inventory", f"inventory: {inventory}").replace(
        "desk:\n  last_resort", "  probes: {enabled: true, icmp_roles: [target], "
        f"interval: {arguments.interval}s}}\ndesk:\n  last_resort")
    belfry = bs.Belfry(folder, config).start(120)
    pid = belfry.process.pid
    bs.wait_until("every target was asked once",
                  lambda: sum(results(belfry).values()) >= arguments.targets, 4 * arguments.interval + 30)
    thread = next(t for t in pathlib.Path(f"/proc/{pid}/task").iterdir()
                  if (t / "comm").read_text().strip() == "probe")
    if arguments.threads:
        start = {t.name: ticks(t / "stat") for t in pathlib.Path(f"/proc/{pid}/task").iterdir()}
    before, whole, single, began = results(belfry), ticks(f"/proc/{pid}/stat"), ticks(thread / "stat"), time.monotonic()
    time.sleep(arguments.seconds)
    after, whole2, single2, took = results(belfry), ticks(f"/proc/{pid}/stat"), ticks(thread / "stat"), time.monotonic() - began
    hz = os.sysconf("SC_CLK_TCK")
    done = {k: after[k] - before.get(k, 0) for k in after}
    print(f"{sum(done.values()) / took:.0f} checks/s ({done}); probe thread {100 * (single2 - single) / hz / took:.1f} % "
          f"of a core, whole process {100 * (whole2 - whole) / hz / took:.1f} %")
    for t in pathlib.Path(f"/proc/{pid}/task").iterdir() if arguments.threads else []:
        used = ticks(t / "stat") - start.get(t.name, 0)
        print(f"  {(t / 'comm').read_text().strip():<16} {100 * used / hz / took:.1f} %")
    belfry.stop()


bs.run(main)
