"""kill -9 in the middle of a flood, three times: what was acknowledged is there, incidents keep their ids, the feed has
every change once, and no mail is sent twice."""
import re
import threading

import belfry_system as bs

LINES = 60  # ports of unknown routers, posted with acknowledgement, one by one


def link_down(n):
    return {"type": "syslog", "node": f"lab{n}", "msg": f"%LINK-3-UPDOWN: Interface xe-0/0/{n}, changed state to down"}


class FeedKeeper:
    """A wall: reads the feed for ever, reconnects with its cursor, notes every change number."""

    def __init__(self, belfry):
        self.belfry, self.cursor, self.seen, self.resyncs = belfry, None, [], 0
        self.stopped = False
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        while not self.stopped:
            try:
                for cursor, event, _ in self.belfry.feed(self.cursor, timeout=2):
                    if event == "resync":
                        self.resyncs += 1
                    elif cursor:
                        self.cursor = cursor
                        self.seen.append(cursor)
            except (OSError, AssertionError, ValueError, bs.http.client.HTTPException):
                bs.time.sleep(0.05)


def test(folder):
    mail = bs.MailServer(folder)
    belfry = bs.Belfry(folder, bs.default_config(folder, mail.port)).start()
    keeper = FeedKeeper(belfry)
    acked, first_ids = set(), {}
    n = 0
    for round_number in range(3):
        flood = threading.Thread(target=lambda: flood_quietly(belfry))
        flood.start()
        for _ in range(LINES // 3):
            belfry.post_events([link_down(n)])
            acked.add(f"lab{n}")
            n += 1
        belfry.kill()
        flood.join()
        belfry.start()
        for incident in belfry.incidents("?limit=10000"):
            first_ids.setdefault(tuple(incident["key"]), incident["incident"])

    def all_open():
        found = {i["key"][0]: i for i in belfry.incidents("?rule=interface_down&limit=10000") if i["key"][0] in acked}
        return found if len(found) == len(acked) else None

    found = bs.wait_until("every acknowledged fault has its incident", all_open, 90)
    for incident in found.values():
        before = first_ids.get(tuple(incident["key"]))
        assert before in (None, incident["incident"]), f"{incident['key']} changed its id over a restart"

    def mailed():
        ids = [re.search(r"^Message-ID: (.*)$", m, re.M | re.I).group(1) for m in mail.mails()]
        return ids if len(set(ids)) >= len(acked) else None

    ids = bs.wait_until("a mail for every ticket", mailed, 60)
    assert len(ids) == len(set(ids)), f"{len(ids) - len(set(ids))} mails were sent twice"

    last = belfry.get("/api/v1/incidents?limit=1")["as_of"]
    bs.wait_until("the wall has caught up", lambda: keeper.cursor and keeper.cursor.split("-")[-1] == str(last).split("-")[-1])
    keeper.stopped = True
    numbers = [int(c.split("-")[-1]) for c in keeper.seen]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "the feed has gaps or doubles"
    assert keeper.resyncs == 0, "the feed asked for a resync over a plain restart"
    belfry.stop()
    mail.stop()


def flood_quietly(belfry):
    """The load generator dies with its target's port: that is not this test's question."""
    try:
        belfry.load("syslog", belfry.port("syslog-udp"), "--rate", "20000", "--seconds", "3")
    except (bs.subprocess.CalledProcessError, ValueError):
        pass


bs.run(test)
