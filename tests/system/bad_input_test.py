"""Bad configuration, rules, inventory, ports and bytes: every error at once and exit 2 at start; the old version stays
at reload; any bytes on any port are an event or a counted refusal."""
import os
import random
import signal
import socket
import subprocess
import time

import belfry_system as bs


def fails(folder, config, *expected, code=2):
    path = folder / "bad.yaml"
    path.write_text(config)
    done = subprocess.run([bs.PROGRAM, "run", "-c", str(path)], capture_output=True, text=True, timeout=60, cwd=bs.ROOT)
    assert done.returncode == code, f"exit {done.returncode}, expected {code}:\n{done.stderr}"
    for text in expected:
        assert text in done.stderr, f"'{text}' is not in:\n{done.stderr}"


def bad_starts(folder):
    good = bs.default_config(folder / "a")
    fails(folder, good.replace("api: {port: 0}", "api: {prot: 0}\nrulez: []"), "did you mean 'port'?",
          "did you mean 'rules'?")
    rules = folder / "rules"
    rules.mkdir()
    (rules / "x.bell").write_text("rule broken { when if_donw }\n")
    fails(folder, good.replace("rules: [", f"rules: [{rules}, "), "x.bell:1:")
    inventory = folder / "inventory"
    subprocess.run(["cp", "-r", str(bs.ROOT / "config" / "inventory"), str(inventory)], check=True)
    with open(inventory / "ports.csv", "a") as f:
        f.write("nowhere-r9,xe-0/0/0,x12,,\n")
    fails(folder, good.replace(f"inventory: {bs.ROOT}/config/inventory", f"inventory: {inventory}"), "ports.csv:")
    fails(folder, good.replace("inventory: ", "inventory: /nowhere"), "/nowhere")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        fails(folder, good.replace("syslog_udp: {port: 0}", f"syslog_udp: {{port: {port}}}"), str(port), code=1)
    fails(folder, good.replace("api: {port: 0}", "api: {port: 0, address: 0.0.0.0}"), "TLS")


def hostile_bytes(belfry):
    rng = random.Random(7)
    for name in ("syslog-udp", "trap-udp"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            for _ in range(500):
                s.sendto(rng.randbytes(rng.randrange(1, 1400)), ("127.0.0.1", belfry.port(name)))
        bs.wait_until(f"{name} counted every datagram", lambda n=name: belfry.ledger(n, "received") >= 500)
    for payload in (b"99999999999 x", b"<999>" * 50_000, b"\x00" * 200_000, b"5 <34>1", rng.randbytes(100_000)):
        with socket.create_connection(("127.0.0.1", belfry.port("syslog-tcp"))) as s:
            try:
                s.sendall(payload)
            except OSError:
                pass  # refused in the middle: an answer as well
    for body in ("{", "[1,2]", '{"type":"nonsense"}', "[" * 100_000, '{"type":"syslog","msg":7}'):
        status, text = belfry.request("POST", "/api/v1/events", body, raw=True)
        assert status in (200, 400, 413, 422), f"{status} for {body[:20]}: {text}"
    assert belfry.request("GET", "/api/v1/incidents", headers={"Authorization": "Bearer x"}, raw=True)[0] == 401
    assert belfry.request("GET", "/api/v1/incidents", headers={"Host": "evil.example"}, raw=True)[0] == 403
    assert belfry.request("GET", "/api/v1/incidents", headers={"Origin": "https://evil.example"}, raw=True)[0] == 403
    assert belfry.get("/healthz", raw=True)[0] == 200


def body_in_pieces(belfry):
    """A chunked body that is empty, byte by byte: an answer, and the server lives (an assertion of Beast's ended it)."""
    with socket.create_connection(("127.0.0.1", belfry.addresses["api"]["port"]), 30) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.sendall(("POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                   f"Authorization: Bearer {belfry.token()}\r\nTransfer-Encoding: chunked\r\n\r\n").encode())
        for piece in (b"0\r\n", b"\r", b"\n"):
            time.sleep(0.2)  # so that each is read by itself
            s.sendall(piece)
        assert s.recv(100).startswith(b"HTTP/1.1 4"), "no answer to an empty body"
    assert belfry.get("/healthz", raw=True)[0] == 200


def bad_reload(folder, belfry, rules):
    before = belfry.get("/api/v1/status")
    (rules / "extra.bell").write_text("rule broken { when if_donw }\n")
    status, text = belfry.request("POST", "/api/v1/reload", "{}", raw=True)
    assert status == 422 or status == 400 or status == 409, f"{status} {text}"
    assert "extra.bell:1:" in text, text
    after = belfry.get("/api/v1/status")
    assert after["rules"]["version"] == before["rules"]["version"], "a bad reload changed the version"
    (rules / "extra.bell").write_text('rule interface_noisy { when flaps(if_down) >= 3 within 1m by node, ifname\n'
                                      '  open { title "x" severity warning } }\n')
    belfry.request("POST", "/api/v1/reload", "{}")
    bs.wait_until("the new version runs", lambda: belfry.get("/api/v1/status")["rules"]["version"] >
                  before["rules"]["version"])
    again = belfry.get("/api/v1/status")["rules"]["version"]
    os.kill(belfry.process.pid, signal.SIGHUP)
    bs.wait_until("SIGHUP reloads", lambda: belfry.get("/api/v1/status")["rules"]["version"] > again)


def test(folder):
    bad_starts(folder)
    rules = folder / "more"
    rules.mkdir()
    (rules / "empty.bell").write_text("# nothing yet\n")
    config = bs.default_config(folder).replace("isp-core]", f"isp-core, {rules}]")
    belfry = bs.Belfry(folder, config).start()
    hostile_bytes(belfry)
    body_in_pieces(belfry)
    bad_reload(folder, belfry, rules)
    belfry.stop()
    assert os.path.isdir(folder / "data")


bs.run(test)
