"""A webhook channel against a real HTTP server: signed as Standard Webhooks, tried again with the same id after a 500
and a 429, never followed to another place; an effect that is refused for good does not hold up the next."""
import base64
import hashlib
import hmac
import http.server
import json
import os
import threading

import belfry_system as bs

SECRET = os.urandom(32)


class Hook(http.server.BaseHTTPRequestHandler):
    answers = [500, 429]  # then 200
    got = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        status = Hook.answers.pop(0) if Hook.answers else 200
        Hook.got.append((dict((k.lower(), v) for k, v in self.headers.items()), body, status))
        self.send_response(status)
        if status == 429:
            self.send_header("Retry-After", "1")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def signed(headers, body):
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body}".encode()
    wanted = "v1," + base64.b64encode(hmac.new(SECRET, text, hashlib.sha256).digest()).decode()
    return wanted in headers["webhook-signature"].split(" ")


def test(folder):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    secret = folder / "hook.secret"
    secret.touch(0o600)
    secret.write_text("whsec_" + base64.b64encode(SECRET).decode())
    hook = (f"  mail: {{kind: webhook, url: 'http://127.0.0.1:{server.server_address[1]}/hook', secret_file: {secret},"
            " allow_private: true}")
    config = bs.default_config(folder).replace("  mail: {kind: log}", hook)
    belfry = bs.Belfry(folder, config).start()
    belfry.post_events([{"type": "syslog", "node": f"lab{n}",
                         "msg": f"%LINK-3-UPDOWN: Interface xe-0/0/{n}, changed state to down"} for n in range(3)])
    bs.wait_until("every ticket reached the hook", lambda: sum(s == 200 for _, _, s in Hook.got) >= 3, 90)
    assert all(signed(h, b) for h, b, _ in Hook.got), "a signature does not verify"
    for headers, body, status in Hook.got:
        assert json.loads(body)["ticket"]["ticket"].startswith("T-")
        if status != 200:
            again = [s for h, _, s in Hook.got if h["webhook-id"] == headers["webhook-id"]]
            assert again[-1] == 200, f"{headers['webhook-id']} was not tried again: {again}"
    ids = [h["webhook-id"] for h, _, s in Hook.got if s == 200]
    assert len(ids) == len(set(ids)) == 3, ids
    assert secret.read_text() not in belfry.log_text()
    belfry.stop()
    server.shutdown()


bs.run(test)
