#!/usr/bin/env python3
"""What rules cost: rules_bench several times (the best counts), its targets, and SEC beside it.

    bench/rules/bench.py [--only sec|figures] [--build build/release] [--repeat 3]

SEC (Debian's package `sec`) reads the same stream with rules that mean the same: a Pair for each
port of each unit. Both write one line per opening and closing; the lines must be the same. Without
SEC its part is skipped, with a message.
"""
import argparse
import os
import platform
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time

SEC_RULE = r"""type=Pair
ptype=RegExp
pattern= (r\d+) %UNIT{n}-3-FAULT: Port (\S+) of unit {n} has failed$
desc=unit {n} $1 $2
action=write {out} OPEN r{n} $1 $2
ptype2=RegExp
pattern2= $1 supervisor {n} says port $2 is healthy again$
desc2=healthy {n} %1 %2
action2=write {out} CLOSE r{n} %1 %2
window=0

"""

CHATTER = [
    "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)",
    "%SEC_LOGIN-5-LOGIN_SUCCESS: Login Success [user: ops] [Source: 10.0.0.9] at 10:00:01",
    "Accepted publickey for deploy from 10.1.2.3 port 51234 ssh2",
    "%SYS-5-CONFIG_I: Configured from console by ops on vty0 (10.0.0.9)",
    "UI_COMMIT_PROGRESS: Commit operation in progress: commit wrapup",
    "supervisor has nothing to say about ports today",
]

# key: (target, unit of the target); ratios are computed below
TARGETS = {"compile": 1.0, "no_match_5000": 200.0}
RATIO_TARGET = 1.3  # 10,000 rules against 10, per event


def stream(path, lines, rules, seed=7):
    """One line in ten fails or heals a port of one of the units; the rest is what nobody asks for."""
    rng = random.Random(seed)
    down = set()
    with open(path, "w") as out:
        for k in range(lines):
            node = f"r{rng.randrange(16)}"
            if k % 10 == 0:
                key = (node, rng.randrange(rules), rng.randrange(4))
                unit, port = key[1], key[2]
                if key in down:
                    text = f"supervisor {unit} says port {port} is healthy again"
                else:
                    text = f"%UNIT{unit}-3-FAULT: Port {port} of unit {unit} has failed"
                down ^= {key}
            else:
                text = rng.choice(CHATTER)
            out.write(f"<189>Nov 25 13:{k // 60 % 60:02}:{k % 60:02} {node} {text}\n")


def run_belfry(bench, path, rules, out):
    told = subprocess.run([bench, "--stream", path, "--rules", str(rules), "--write", out],
                          check=True, capture_output=True, text=True).stdout
    return float(told.split()[1])


def cpu_seconds(command):
    """Processor time, not time: so that what else the machine does is not held against SEC."""
    def used():
        u = resource.getrusage(resource.RUSAGE_CHILDREN)
        return u.ru_utime + u.ru_stime
    before = used()
    subprocess.run(command, check=True, capture_output=True)
    return used() - before


def run_sec(sec, path, rules, out, folder):
    conf = os.path.join(folder, "sec.conf")
    with open(conf, "w") as to:
        for n in range(rules):
            to.write(SEC_RULE.format(n=n, out=out))
    command = [sec, f"--conf={conf}", f"--input={path}", "--notail", "--debug=1"]
    empty = os.path.join(folder, "empty")
    open(empty, "w").close()
    reading_rules = cpu_seconds([sec, f"--conf={conf}", f"--input={empty}", "--notail", "--debug=1"])
    return cpu_seconds(command) - reading_rules


def beside_sec(bench, repeat):
    sec = shutil.which("sec")
    if sec is None:
        print("sec: not installed (apt-get install sec): its part is skipped")
        return
    print("rules  lines   SEC lines/s   Belfry lines/s   times   Belfry on 1,000,000 lines")
    with tempfile.TemporaryDirectory() as folder:
        for rules, lines in ((10, 40000), (100, 8000), (1000, 2000)):
            path = os.path.join(folder, f"stream{rules}")
            long_path = os.path.join(folder, "long")
            stream(path, lines, rules)
            stream(long_path, 1_000_000, rules)
            outs = [os.path.join(folder, f"out{rules}.{who}") for who in ("sec", "belfry")]
            seconds = []
            for _ in range(repeat):
                if os.path.exists(outs[0]):
                    os.unlink(outs[0])
                seconds.append(run_sec(sec, path, rules, outs[0], folder))
            fast = max(run_belfry(bench, path, rules, outs[1]) for _ in range(2 * repeat))
            told = [sorted(open(out).read().splitlines()) for out in outs]
            if told[0] != told[1]:
                print(f"  they differ: {len(told[0])} lines of SEC, {len(told[1])} of Belfry")
                sys.exit(1)
            long_rate = max(run_belfry(bench, long_path, rules, "/dev/null") for _ in range(repeat))
            slow = lines / min(seconds)
            print(f"{rules:5} {lines:6} {slow:13,.0f} {fast:16,.0f} {fast / slow:7,.0f} "
                  f"{long_rate:27,.0f}   ({len(told[0])} openings and closings, equal)", flush=True)


def figures(bench, repeat):
    best, what = {}, {}
    for _ in range(repeat):
        for line in subprocess.run([bench], check=True, capture_output=True,
                                   text=True).stdout.splitlines():
            values, text = line.split(" # ")
            key, value = values.split()
            best[key] = min(best.get(key, 1e18), float(value))
            what[key] = text
    for key, value in best.items():
        target = f"   target {TARGETS[key]:g}" if key in TARGETS else ""
        print(f"{key:16} {value:12.3f}  {what[key]}{target}")
    for kind in ("hit", "miss"):
        ratio = best[f"{kind}_10000"] / best[f"{kind}_10"]
        print(f"{kind}: 10,000 rules cost {ratio:.2f} times what 10 cost   target {RATIO_TARGET}")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("sec", "figures"))
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--repeat", type=int, default=3)
    args = parser.parse_args()
    bench = os.path.join(args.build, "bin", "rules_bench")
    if not os.path.exists(bench):
        sys.exit(f"{bench} is not there: cmake --build {args.build} --target rules_bench")
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    print(f"{platform.node()}, {os.cpu_count()} cores, load {load}, "
          f"{time.strftime('%Y-%m-%d')}, best of {args.repeat}")
    if args.only != "sec":
        figures(bench, args.repeat)
    if args.only != "figures":
        beside_sec(bench, args.repeat)


if __name__ == "__main__":
    main()
