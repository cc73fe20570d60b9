"""Every event that is sent is accounted for: stored, refused with a reason, or dropped by the kernel and counted, over
UDP far beyond what the machine can take, and over TCP where nothing may be lost."""
import belfry_system as bs


def accounted(belfry, collector, sent):
    def whole():
        received = belfry.ledger(collector, "received")
        return received if received >= sent else None

    received = bs.wait_until(f"{collector}: all {sent} are accounted for", whole, 30)
    rows = [r for r in belfry.get("/api/v1/ledger")["items"] if r["collector"] == collector]
    parts = sum(r["count"] for r in rows if r["reason"] != "received")
    assert received == sent == parts, f"{collector}: sent {sent}, received {received}, stored and refused {parts}: {rows}"


def test(folder):
    belfry = bs.Belfry(folder, bs.default_config(folder)).start()
    flood = belfry.load("syslog", belfry.port("syslog-udp"), "--gso", "--seconds", "2")
    # The kernel tells its drops with the next datagram: one more, until everything is told.
    extra = 0
    for _ in range(200):
        belfry.syslog("127.1.1.1", "%SYS-5-CONFIG_I: Configured from console")
        extra += 1
        if belfry.ledger("syslog-udp", "received") >= flood["sent"] + extra:
            break
        bs.time.sleep(0.1)
    accounted(belfry, "syslog-udp", flood["sent"] + extra)
    stream = belfry.load("syslog", belfry.port("syslog-tcp"), "--transport", "tcp", "--seconds", "2")
    accounted(belfry, "syslog-tcp", stream["sent"])
    assert belfry.ledger("syslog-tcp", "stored") == stream["sent"], "a stream lost events"
    belfry.stop()


bs.run(test)
