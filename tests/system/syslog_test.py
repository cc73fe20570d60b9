"""Syslog from Debian's own senders: rsyslog, syslog-ng, loggen and logger over UDP, TCP, TLS, RELP and a local socket."""
import re
import signal
import socket
import subprocess

import belfry_system as bs

LINES = 300


def certificates(folder):
    """An issuer, Belfry's certificate and one for senders."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, cwd=folder, capture_output=True)

    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
            "/CN=test issuer", "-keyout", "ca.key", "-out", "ca.pem")
    for name in ("server", "sender"):
        host = "localhost" if name == "server" else "relay7.example"
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={host}",
                "-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days",
                "2", "-out", f"{name}.pem")


def config(folder, relp_port):
    tls = f"certificate: {folder}/server.pem, key: {folder}/server.key, client_ca: {folder}/ca.pem"
    more = (f"  syslog_tls: {{enabled: true, port: 0, {tls}}}\n"
            f"  syslog_relp: {{enabled: true, port: {relp_port}}}\n"
            f"  syslog_unix: {{enabled: true, path: {folder}/local.sock}}\n  trap_udp:")
    return bs.default_config(folder).replace("  trap_udp:", more, 1)


class Daemon:
    def __init__(self, arguments, environment=None, log=None, port=None):
        self.log = open(log, "w")
        self.process = subprocess.Popen([str(a) for a in arguments], env=environment, stdout=self.log,
                                        stderr=subprocess.STDOUT)
        bs.wait_until(f"{arguments[0]} listens: {log}", lambda: self.listens(port))

    def listens(self, port):
        assert self.process.poll() is None, f"ended with {self.process.returncode}: {open(self.log.name).read()}"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            return False

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def feed(port, host, count=LINES):
    """Lines for a relay to send on."""
    with socket.create_connection(("127.0.0.1", port)) as s:
        for i in range(count):
            s.sendall(f"<189>Nov 25 03:00:00 {host} app[7]: number {i}\n".encode())


def stored(belfry, collector, count, what):
    bs.wait_until(f"{what}: {count} on {collector}: {belfry.get('/api/v1/ledger')}",
                  lambda: belfry.ledger(collector, "stored") >= count, 60)
    assert belfry.ledger(collector, "stored") == count, f"{what}: {belfry.get('/api/v1/ledger')}"


def numbers(belfry, node):
    """What is durable of a node's messages, by the number in them."""
    out = set()
    for event in belfry.get(f"/api/v1/events?node={node}&limit=1000")["items"]:
        found = re.fullmatch(r"number (\d+)", event["message"])
        assert found and event["app"] == "app", event
        out.add(int(found[1]))
    return out


def rsyslog(folder, belfry, relp_port):
    program, environment, libraries = bs.unpacked(
        "rsyslogd", "rsyslog", "rsyslog-relp", "rsyslog-openssl", "librelp0", "libestr0", "libfastjson4", "liblognorm5")
    listen = bs.free_port()
    tcp, tls = belfry.port("syslog-tcp"), belfry.port("syslog-tls")
    retry = 'action.resumeRetryCount="-1" action.resumeInterval="1" queue.type="LinkedList"'
    (folder / "rsyslog.conf").write_text(f"""
global(workDirectory="{folder}" preserveFQDN="on" defaultNetstreamDriverCAFile="{folder}/ca.pem"
  defaultNetstreamDriverCertFile="{folder}/sender.pem" defaultNetstreamDriverKeyFile="{folder}/sender.key")
module(load="imtcp") module(load="omrelp")
input(type="imtcp" port="{listen}" address="127.0.0.1")
if $hostname startswith "rsyslog" then {{
  action(type="omfwd" target="127.0.0.1" port="{belfry.port('syslog-udp')}" protocol="udp")
  action(type="omfwd" target="127.0.0.1" port="{tcp}" protocol="tcp")
  action(type="omfwd" target="127.0.0.1" port="{tcp}" protocol="tcp" TCP_Framing="octet-counted"
    template="RSYSLOG_SyslogProtocol23Format")
  action(type="omfwd" target="127.0.0.1" port="{tls}" protocol="tcp" StreamDriver="ossl" StreamDriverMode="1"
    StreamDriverAuthMode="x509/certvalid")
  action(type="omrelp" target="127.0.0.1" port="{relp_port}" {retry})
}} else {{
  action(type="omrelp" target="127.0.0.1" port="{relp_port}" {retry})
}}
""")
    daemon = Daemon([program, "-n", "-iNONE", "-f", folder / "rsyslog.conf", "-M", libraries / "rsyslog"], environment,
                    folder / "rsyslog.log", listen)
    feed(listen, "rsyslog1")
    stored(belfry, "syslog-relp", LINES, "rsyslog")
    stored(belfry, "syslog-tls", LINES, "rsyslog")
    stored(belfry, "syslog-tcp", 2 * LINES, "rsyslog, lines and counted")
    stored(belfry, "syslog-udp", LINES, "rsyslog")
    assert numbers(belfry, "rsyslog1") == set(range(LINES))
    return daemon, listen


def relp_survives_kills(belfry, listen):
    """What omrelp was told to be safe is safe, and what was not it sends again: nothing is missing after kill -9."""
    for start in range(0, 900, 300):
        with socket.create_connection(("127.0.0.1", listen)) as s:
            for i in range(start, start + 300):
                s.sendall(f"<189>Nov 25 03:00:00 killed1 app[7]: number {i}\n".encode())
        belfry.kill()
        belfry.start()
    bs.wait_until(f"all numbers are durable: {len(numbers(belfry, 'killed1'))}",
                  lambda: numbers(belfry, "killed1") == set(range(900)), 60)


def syslog_ng(folder, belfry):
    listen = bs.free_port()
    before = {c: belfry.ledger(c, "stored") for c in ("syslog-udp", "syslog-tcp", "syslog-tls")}
    tls = f'tls(ca-file("{folder}/ca.pem") cert-file("{folder}/sender.pem") key-file("{folder}/sender.key"))'
    (folder / "syslog-ng.conf").write_text(f"""@version: 3.38
options {{ keep-hostname(yes); stats-freq(0); }};
source s {{ network(ip("127.0.0.1") port({listen}) transport("tcp")); }};
destination d {{
  network("127.0.0.1" port({belfry.port('syslog-udp')}) transport("udp"));
  network("127.0.0.1" port({belfry.port('syslog-tcp')}) transport("tcp"));
  syslog("127.0.0.1" port({belfry.port('syslog-tcp')}) transport("tcp") persist-name("counted"));
  syslog("localhost" port({belfry.port('syslog-tls')}) transport("tls") {tls});
}};
log {{ source(s); destination(d); }};
""")
    daemon = Daemon(["/usr/sbin/syslog-ng", "-F", "--no-caps", "-f", folder / "syslog-ng.conf", "--persist-file",
                     folder / "ng.persist", "--pidfile", folder / "ng.pid", "--control", folder / "ng.ctl"], None,
                    folder / "syslog-ng.log", listen)
    feed(listen, "ng1")
    stored(belfry, "syslog-tls", before["syslog-tls"] + LINES, "syslog-ng")
    stored(belfry, "syslog-tcp", before["syslog-tcp"] + 2 * LINES, "syslog-ng, lines and counted")
    stored(belfry, "syslog-udp", before["syslog-udp"] + LINES, "syslog-ng")
    assert numbers(belfry, "ng1") == set(range(LINES))
    daemon.stop()


def loggen(belfry):
    port = str(belfry.port("syslog-tcp"))
    before = belfry.ledger("syslog-tcp", "stored")
    for arguments in (["-i", "-S"], ["-i", "-S", "-P"]):  # lines; RFC 5424 with a byte order mark
        out = subprocess.run(["loggen", *arguments, "-r", "20000", "-n", "1000", "127.0.0.1", port],
                             capture_output=True, text=True, timeout=60)
        assert out.returncode == 0, out.stderr
        found = re.search(r"count=(\d+)", out.stderr + out.stdout)
        before += int(found[1])
        stored(belfry, "syslog-tcp", before, f"loggen {arguments}: {out.stderr}")
    for event in belfry.get("/api/v1/events?node=localhost&limit=10")["items"]:
        assert "\ufeff" not in event["message"], event


def logger(folder, belfry):
    tcp, udp = str(belfry.port("syslog-tcp")), str(belfry.port("syslog-udp"))
    forms = [["--rfc3164"], ["--rfc5424"], ["--rfc5424=notime"], ["--rfc5424", "--octet-count"]]
    before = belfry.ledger("syslog-tcp", "stored"), belfry.ledger("syslog-udp", "stored")
    for form in forms:
        subprocess.run(["logger", "-n", "127.0.0.1", "-P", tcp, "-T", *form, "-t", "app", "by logger"], check=True)
        subprocess.run(["logger", "-n", "127.0.0.1", "-P", udp, "-d", *form, "-t", "app", "by logger"], check=True)
    stored(belfry, "syslog-tcp", before[0] + len(forms), "logger")
    stored(belfry, "syslog-udp", before[1] + len(forms), "logger")
    subprocess.run(["logger", "-u", folder / "local.sock", "-t", "app", "-i", "to the local socket"], check=True)
    stored(belfry, "syslog-unix", 1, "logger")
    node = socket.gethostname()
    event = belfry.get(f"/api/v1/events?node={node}&limit=1000")["items"]
    assert any(e["message"] == "to the local socket" and e["app"] == "app" and e["from"] == "local" for e in event), event


def certificates_anew(folder, belfry):
    """SIGHUP serves the new certificate; a broken file leaves the old one."""
    def served():
        out = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{belfry.port('syslog-tls')}", "-cert",
                              folder / "sender.pem", "-key", folder / "sender.key"], stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, timeout=30).stdout
        return out.partition("-----BEGIN CERTIFICATE-----")[2].partition("-----END")[0]

    first = served()
    assert first
    (folder / "server.pem").write_text("nothing")
    belfry.process.send_signal(signal.SIGHUP)
    bs.wait_until("the log says what is wrong", lambda: "the old ones stay" in belfry.log_text())
    assert served() == first
    certificates(folder)
    belfry.process.send_signal(signal.SIGHUP)
    bs.wait_until("the new certificate is served", lambda: served() not in ("", first))


def test(folder):
    for program in ("openssl", "logger", "loggen", "syslog-ng"):
        bs.need_program(program)
    certificates(folder)
    relp_port = bs.free_port()
    belfry = bs.Belfry(folder, config(folder, relp_port)).start()
    daemon, listen = rsyslog(folder, belfry, relp_port)
    syslog_ng(folder, belfry)
    loggen(belfry)
    logger(folder, belfry)
    certificates_anew(folder, belfry)
    relp_survives_kills(belfry, listen)
    daemon.stop()
    belfry.stop()


bs.run(test)
