"""Alerts by HTTP from the real programs: Debian's Prometheus fires, goes on firing beyond its lease, and stops; a
Prometheus that is killed leaves no incident behind; recorded posts of Prometheus and Alertmanager are taken."""
import json
import os
import pathlib
import subprocess

import belfry_system as bs

RULES = """
groups:
  - name: test
    interval: 1s
    rules:
      - {alert: InstanceDown, expr: up == 0, labels: {severity: critical}, annotations: {summary: "{{ $labels.instance }} down"}}
"""


class Prometheus:
    """Scrapes a target that listens or not, each second, and posts to Belfry as to an Alertmanager."""

    def __init__(self, folder, belfry, target):
        program = bs.unpacked("prometheus", "prometheus")[0]
        self.folder = folder / "prometheus"
        self.folder.mkdir()
        (self.folder / "token").write_text(belfry.token())
        (self.folder / "rules.yml").write_text(RULES)
        (self.folder / "prometheus.yml").write_text(f"""
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [rules.yml]
alerting:
  alertmanagers:
    - authorization: {{credentials_file: token}}
      static_configs: [{{targets: ["127.0.0.1:{belfry.addresses['api']['port']}"]}}]
scrape_configs:
  - {{job_name: probe, static_configs: [{{targets: ["127.0.0.1:{target}"]}}]}}
""")
        self.log = open(self.folder / "log", "w")
        self.process = subprocess.Popen(
            [program, "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--rules.alert.resend-delay=1s",
             f"--web.listen-address=127.0.0.1:{bs.free_port()}"], cwd=self.folder, stdout=self.log, stderr=self.log)

    def stop(self):
        self.process.kill()
        self.process.wait(30)
        self.log.close()


def firing(belfry, name):
    return [i for i in belfry.incidents() if i["rule"] == "foreign_alert" and name in i["title"] and i["state"] == "open"]


def posts(belfry):
    for line in belfry.get("/metrics", raw=True)[1].splitlines():
        if line.startswith("belfry_webhook_requests_total "):
            return float(line.split()[1])
    return 0.0


def recorded(belfry):
    """Posts of a real Prometheus and a real Alertmanager, as they were recorded."""
    folder = pathlib.Path(os.environ.get("BELFRY_FIXTURES", ""))
    for guess in (bs.ROOT / ".." / "shared" / "fixtures", bs.ROOT / ".." / ".." / "shared" / "fixtures"):
        if not os.environ.get("BELFRY_FIXTURES") and guess.is_dir():
            folder = guess
    if not (folder / "peers").is_dir():
        print("skipped: recorded posts (no fixtures: set BELFRY_FIXTURES to their folder)")
        return
    taken = 0
    for name, path in (("prom_post.jsonl", "/api/v2/alerts"), ("am_webhook.jsonl", "/api/v1/alerts/alertmanager")):
        for line in (folder / "peers" / name).read_text().splitlines():
            if line.strip():
                answer = belfry.request("POST", path, json.loads(line)["body"])
                assert answer["events"] >= 1, (name, answer)
                taken += answer["events"]
    print(f"recorded posts: {taken} alerts taken")


def test(folder):
    bs.unpacked("prometheus", "prometheus")  # before anything runs: this is where the test is skipped
    belfry = bs.Belfry(folder, bs.default_config(folder)).start()
    recorded(belfry)
    status, text = belfry.request("POST", "/api/v1/alerts/nobody", [], raw=True)
    assert status == 404 and "prometheus" in text, (status, text)

    dead = bs.free_port()
    prometheus = Prometheus(folder, belfry, dead)
    try:
        first = bs.wait_until("Prometheus' alert is an incident", lambda: firing(belfry, "InstanceDown"), 90)
        assert len(first) == 1 and first[0]["severity"] == "critical", first
        # Its lease is four times the longer of interval and resend delay: it is renewed, not opened anew.
        before = posts(belfry)
        bs.wait_until("it was posted again and again", lambda: posts(belfry) >= before + 10, 60)
        seen = firing(belfry, "InstanceDown")
        assert [i["incident"] for i in seen] == [first[0]["incident"]], seen
    finally:
        prometheus.stop()
    bs.wait_until("the alert of a dead Prometheus ends with its lease", lambda: not firing(belfry, "InstanceDown"), 120)
    belfry.stop()


if __name__ == "__main__":
    bs.run(test)
