#!/usr/bin/env python3
"""Every help text fits a terminal of 80 columns; every subcommand has one."""
import os
import re
import subprocess
import sys

program = os.environ.get("BELFRY_PROGRAM", "belfry")


def help_of(*words):
    done = subprocess.run([program, *words, "--help"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, (words, done.stderr)
    for line in done.stdout.replace(program, "belfry").splitlines():
        assert len(line) <= 80, f"{' '.join(words)}: {len(line)} columns: {line}"
    return done.stdout


listed = help_of().split("Subcommands:")[1]
commands = re.findall(r"^  (\w+) ", listed, re.MULTILINE)
assert len(commands) >= 14, commands
for command in commands:
    text = help_of(command)
    for inner in re.findall(r"^  (\w+) ", text.partition("Subcommands:")[2], re.MULTILINE):
        help_of(command, inner)
unknown = subprocess.run([program, "incident"], capture_output=True, text=True, timeout=60)
assert unknown.returncode == 2 and "no command 'incident' (did you mean 'incidents'?)" in unknown.stderr, unknown
print(f"{len(commands)} commands")
sys.exit(0)
