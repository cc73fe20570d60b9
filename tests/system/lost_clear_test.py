"""An alarm whose clear was lost: the probe that its signal names is asked; what failed itself closes nothing, what says down
confirms, what says up closes the incident and stands in its evidence. The newest word wins over a restart too."""
import belfry_system as bs

RULES = """
signal session_down(node: device) "session is down" {
  raise trap 1.3.6.1.4.1.9999.0.1
  clear trap 1.3.6.1.4.1.9999.0.2
  clear probe "session" where status == up
}
rule session {
  when session_down
  settle 0s
  clear after 0s
  open { title "{node.name}: session is down"  severity major }
}
"""


def test(folder):
    (folder / "extra.bell").write_text(RULES)
    said = folder / "said"
    said.write_text("3 cannot tell\n")
    plugin = folder / "check_session"
    plugin.write_text(f"#!/bin/sh\nread code text < {said}\necho \"SESSION $text\"\nexit $code\n")
    plugin.chmod(0o755)
    rows = [line.split(",") for line in (bs.ROOT / "config" / "inventory" / "devices.csv").read_text().splitlines()
            if not line.startswith("#")]
    device, address = rows[1][rows[0].index("name")], rows[1][rows[0].index("ip")]
    probes = (f"  probes:\n    enabled: true\n    verify_after: 1s\n    checks:\n      session: {{kind: plugin, nodes: [{device}],"
              f" interval: 24h, retries: 0, command: [{plugin}]}}\n")
    config = bs.default_config(folder).replace("desk:\n  last_resort", probes + "desk:\n  last_resort").replace(
        f"rules: [{bs.ROOT}/rules/packs/isp-core]", f"rules: [{bs.ROOT}/rules/packs/isp-core, {folder}/extra.bell]")
    belfry = bs.Belfry(folder, config).start()

    def incident():
        return next((i for i in belfry.incidents("?rule=session")), None)

    def asked(status):
        events = [e.get("attrs", {}) for e in belfry.get(f"/api/v1/events?node={device}&limit=50")["items"]]
        return [e for e in events if e.get("asked") and e["status"] == status]

    belfry.trap(address, "1.3.6.1.4.1.9999.0.1")
    bs.wait_until("the incident is open", incident)
    bs.wait_until("a check that cannot tell was asked for twice", lambda: len(asked("unknown")) >= 2)
    assert incident() is not None, "what failed itself closed it"
    said.write_text("2 still down\n")
    bs.wait_until("a check that says down was asked for", lambda: asked("down"))
    assert incident() is not None, "down closed it"
    number = incident()["incident"]
    said.write_text("0 is established\n")
    bs.wait_until("the incident closed", lambda: incident() is None)
    closed = belfry.get(f"/api/v1/incidents/{number}")
    assert "SESSION is established" in str(closed), f"the proof is not attached: {closed}"
    asks = len(asked("up"))
    assert asks >= 1
    metrics = belfry.get("/metrics", raw=True)[1]
    assert 'belfry_probe_asked_total{answer="queued"}' in metrics
    belfry.stop()


bs.run(test)
