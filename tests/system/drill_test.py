"""The drill of scripts/run over real sockets: a backbone fibre is cut, one incident names it, its symptoms hang under it,
one ticket, one mail; the fibre is spliced, the incident closes and says so."""
import re
import sys

import belfry_system as bs

sys.path.insert(0, str(bs.ROOT / "scripts"))
import drill  # noqa: E402


def test(folder):
    for program in ("snmptrap", "logger", "curl"):
        bs.need_program(program)
    mail = bs.MailServer(folder)
    belfry = bs.Belfry(folder, bs.default_config(folder, mail.port)).start()
    network = drill.Network()
    base = f"http://127.0.0.1:{belfry.addresses['api']['port']}"
    senders = drill.Senders(belfry.port("trap-udp"), belfry.port("syslog-udp"), base, belfry.token())
    drill.tell(network, senders, up=False)
    assert senders.sent >= 24, f"only {senders.sent} raw events"

    def cut():
        found = belfry.incidents("?rule=fibre_cut")
        return [i for i in found if i["state"] == "open" and i["symptoms"] >= len(network.ports)]

    incident = bs.wait_until("one incident with the ports as symptoms", cut, 120)[0]
    assert network.span in incident["title"], incident["title"]
    open_now = belfry.incidents("?state=open")
    assert [i["incident"] for i in open_now] == [incident["incident"]], [i["title"] for i in open_now]
    tickets = [t for t in belfry.tickets() if t["state"] not in ("merged", "resolved", "closed")]
    assert len(tickets) == 1 and tickets[0]["owner"] and re.match(r"P[1-4]$", tickets[0]["priority"]), tickets
    bs.wait_until("a mail that names the cut", lambda: any(network.span in m for m in mail.mails()))
    events = belfry.get("/api/v1/events?limit=1000")["items"]
    assert len(events) >= senders.sent, f"{len(events)} events are listed, {senders.sent} were sent"

    drill.tell(network, senders, up=True)
    bs.wait_until("the incident closes", lambda: belfry.get("/api/v1/incidents/" + incident["incident"])["incident"]["state"] == "closed", 150)
    bs.wait_until("a mail says so", lambda: any("resolved" in m for m in mail.mails()))
    left = belfry.incidents("?state=open")
    assert not left, [i["title"] for i in left]
    belfry.stop()
    mail.stop()


bs.run(test)
