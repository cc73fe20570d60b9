"""Checks against Debian's real programs over loopback: monitoring-plugins, dnsmasq, freeradius, OpenSSL's server, aiosmtpd,
a web server over TLS, chronyd where it is there. Each answers well first, then it is stopped or turned bad, and the status
that rules would see follows."""
import http.server
import os
import shutil
import ssl
import subprocess
import threading

import belfry_system as bs

PLUGINS = "/usr/lib/nagios/plugins"


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_certificates(folder):
    """A CA, a certificate of www.isp.example for 90 days and one that ends tomorrow."""
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Test CA", "-days", "90",
        "-keyout", f"{folder}/ca.key", "-out", f"{folder}/ca.pem")
    for name, days in (("good", 90), ("short", 1)):
        run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=www.isp.example",
            "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.csr")
        extension = folder / "san.ext"
        extension.write_text("subjectAltName=DNS:www.isp.example\n")
        run("openssl", "x509", "-req", "-in", f"{folder}/{name}.csr", "-CA", f"{folder}/ca.pem", "-CAkey",
            f"{folder}/ca.key", "-CAcreateserial", "-days", str(days), "-extfile", str(extension),
            "-out", f"{folder}/{name}.pem")


class Page(http.server.BaseHTTPRequestHandler):
    status, body = 200, b"all is well"

    def do_GET(self):
        self.send_response(Page.status if self.path == "/health" else 404)
        self.send_header("Content-Length", str(len(Page.body)))
        self.end_headers()
        self.wfile.write(Page.body)

    def log_message(self, *_):
        pass


def https_server(folder):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/good.pem", f"{folder}/good.key")
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class Program:
    """A server that is ended with the test; `port` is what it was told to listen on."""
    all = []

    def __init__(self, *command, port, output=subprocess.DEVNULL):
        self.port = port
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        Program.all.append(self)

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)


def dnsmasq(port, serial, address="127.0.0.1"):
    """Authoritative for isp.example; never reads the machine's own settings."""
    return Program("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
                   "--bind-interfaces", f"--listen-address={address}", f"--port={port}", "--user=root", "--pid-file",
                   f"--auth-server=ns.isp.example,{address}", "--auth-zone=isp.example",
                   f"--auth-soa={serial},host.isp.example", "--host-record=www.isp.example,192.0.2.7", port=port)


def radius(folder, port):
    config = folder / "raddb"
    config.mkdir(exist_ok=True)
    (config / "users").write_text('probe Cleartext-Password := "let me in"\n')
    (config / "radiusd.conf").write_text(f"""
prefix = /usr
libdir = /usr/lib/freeradius
logdir = {folder}
run_dir = {folder}
radacctdir = {folder}
pidfile = {folder}/radius.pid
max_request_time = 10
security {{ reject_delay = 0
 allow_vulnerable_openssl = yes }}
client local {{ ipaddr = 127.0.0.1
 secret = "between us"
 require_message_authenticator = yes }}
modules {{
 pap {{ }}
 files {{ usersfile = {config}/users }}
}}
server default {{
 listen {{ type = auth
  ipaddr = 127.0.0.1
  port = {port} }}
 authorize {{
  files
  pap
 }}
 authenticate {{
  Auth-Type PAP {{
   pap
  }}
 }}
}}
""")
    return Program("freeradius", "-f", "-d", str(config), "-l", f"{folder}/radius.log", port=port)


def secret(folder, name, text):
    path = folder / name
    path.touch(0o600)
    path.write_text(text)
    return path


def chronyd(folder, port):
    program = shutil.which("chronyd")
    if program is None:
        return None
    config = folder / "chrony.conf"
    config.write_text(f"local stratum 8\nallow 127.0.0.1\nbindaddress 127.0.0.1\nport {port}\ncmdport 0\n"
                      f"pidfile {folder}/chrony.pid\n")
    return Program(program, "-d", "-x", "-f", str(config), "-u", "root", port=port)


COMMON = "address: 127.0.0.1, interval: 200ms, retries: 1"


def checks(folder, ports):
    """One node for each check, of the same name, so that its events are found by it."""
    tls = f"ca_file: {folder}/ca.pem, host: www.isp.example"
    out = {
        "web": f"kind: http, tls: true, {tls}, port: {ports['web']}, path: /health, expect: is well, statuses: [200]",
        "cert": f"kind: tls, {tls}, port: {ports['cert']}, certificate_warn: 14d",
        "othername": f"kind: tls, ca_file: {folder}/ca.pem, host: ftp.isp.example, port: {ports['cert']}",
        "stranger": f"kind: tls, port: {ports['cert']}",
        "mail": f"kind: smtp, port: {ports['mail']}",
        "banner": f"kind: tcp, port: {ports['mail']}, expect: '220 '",
        "dns": f"kind: dns, port: {ports['dns']}, query: www.isp.example, answers: [192.0.2.7]",
        "nodns": f"kind: dns, port: {ports['dns']}, query: nowhere.isp.example",
        "soa": f"kind: dns, port: {ports['dns']}, query: isp.example, record: SOA, primary: 127.0.0.2",
        "ping": "kind: icmp, echoes: 3",
        "closed": f"kind: tcp, port: {ports['closed']}",
        "dummy": f"kind: plugin, command: [{PLUGINS}/check_dummy, 1, '$NODE$ $ADDRESS$']",
        "disk": f"kind: plugin, label: mount, percent: true, command: [{PLUGINS}/check_disk, -w, 0%, -c, 0%, -p, /]",
        "tcp": f"kind: plugin, command: [{PLUGINS}/check_tcp, -H, $ADDRESS$, -p, '{ports['mail']}']",
        "missing": f"kind: plugin, command: [{PLUGINS}/check_nothing]",
    }
    if "radius" in ports:
        files = f"secret_file: {folder}/radius.secret, password_file: "
        out["aaa"] = f"kind: radius, port: {ports['radius']}, user: probe, {files}{folder}/radius.password"
        out["reject"] = f"kind: radius, port: {ports['radius']}, user: probe, {files}{folder}/radius.wrong"
        out["liar"] = (f"kind: radius, port: {ports['radius']}, user: probe, timeout: 300ms,"
                       f" secret_file: {folder}/radius.wrong")
    if "ntp" in ports:
        out["time"] = f"kind: ntp, port: {ports['ntp']}"
    lines = []
    for name, what in out.items():
        timeout = "" if "timeout" in what else "timeout: 5s, "
        lines.append(f"      {name}: {{nodes: [{name}], {COMMON}, {timeout}{what}}}")
    return "\n".join(lines)


def test(folder):
    for program in ("openssl", "dnsmasq", f"{PLUGINS}/check_disk"):
        bs.need_program(program)
    make_certificates(folder)
    web = https_server(folder)
    ports = {"web": web.server_address[1], "cert": bs.free_port(), "dns": bs.free_port(), "closed": bs.free_port()}
    cert = Program("openssl", "s_server", "-cert", f"{folder}/short.pem", "-key", f"{folder}/short.key", "-accept",
                   f"127.0.0.1:{ports['cert']}", "-quiet", port=ports["cert"])
    mail = bs.MailServer(folder)
    ports["mail"] = mail.port
    primary = dnsmasq(ports["dns"], 2026112502, "127.0.0.2")
    dns = dnsmasq(ports["dns"], 2026112501)
    if shutil.which("freeradius"):
        ports["radius"] = bs.free_port()
        radius(folder, ports["radius"])
        secret(folder, "radius.secret", "between us")
        secret(folder, "radius.password", "let me in")
        secret(folder, "radius.wrong", "let me out")
    ports["ntp"] = bs.free_port()
    if chronyd(folder, ports["ntp"]) is None:
        del ports["ntp"]
    probes = f"  probes:\n    enabled: true\n    vantage: lab\n    checks:\n{checks(folder, ports)}\n"
    config = bs.default_config(folder).replace("desk:\n  last_resort", probes + "desk:\n  last_resort")
    belfry = bs.Belfry(folder, config).start()

    def newest(node):
        return [e["attrs"] for e in belfry.get(f"/api/v1/events?node={node}&limit=20")["items"]]

    def said(node, status, text=""):
        def is_there():
            return next((e for e in newest(node) if e.get("status") == status and text in e.get("output", "")), None)
        return bs.wait_until(f"{node} is {status} '{text}'", is_there, 30)

    event = said("web", "up", "HTTP 200")
    assert event["vantage"] == "lab" and event["check"] == "web", event
    assert 80 < event["expires_days"] < 91 and 0 < event["value"] < 5 and event["handshake"] > 0, event
    event = said("cert", "degraded", "its certificate ends in")
    assert 0 < event["expires_days"] < 1.01, event
    said("othername", "down", "hostname mismatch")
    said("stranger", "down", "its certificate: ")
    said("mail", "up", "220 ")
    said("banner", "up", "220 ")
    said("dns", "up", "192.0.2.7")
    said("nodns", "down", "NXDOMAIN")
    said("soa", "degraded", "serial 2026112501 is behind the primary's 2026112502")
    said("closed", "down", "connection refused")
    said("dummy", "degraded", "WARNING: dummy 127.0.0.1")
    said("disk", "up", "DISK OK")
    sample = bs.wait_until("a sample of the disk", lambda: next((e for e in newest("disk") if "label.mount" in e), None))
    assert sample["label.mount"] == "/" and sample["check"] == "disk" and 0 < sample["value"] <= 100, sample
    said("tcp", "up", "TCP OK")
    said("missing", "unknown", "could not be run")
    if "radius" in ports:
        said("aaa", "up", "accept for probe")
        said("reject", "down", "reject for probe")
        said("liar", "down", "no answer")
    if "ntp" in ports:
        said("time", "up", "stratum 8")

    # Turned bad, they are told; what comes back is up again.
    Page.body = b"maintenance"
    said("web", "down", "'is well' is not in it")
    Page.status = 503
    said("web", "down", "HTTP 503")
    Page.status, Page.body = 200, b"all is well again"
    said("web", "up", "17 bytes")
    primary.stop()
    said("soa", "unknown", "the primary")
    dnsmasq(ports["dns"], 2026112501, "127.0.0.2")
    said("soa", "up", "2026112501")
    dns.stop()
    said("dns", "down", "connection refused")
    dnsmasq(ports["dns"], 2026112501)
    bs.wait_until("dns is up again", lambda: newest("dns")[0]["status"] == "up")
    cert.stop()
    said("cert", "down", "connection refused")
    mail.stop()
    said("mail", "down")
    metrics = belfry.get("/metrics", raw=True)[1]
    assert 'belfry_probe_results_total{status="unknown"}' in metrics and "belfry_probe_samples_total" in metrics
    children = subprocess.run(["ps", "--ppid", str(belfry.process.pid), "-o", "stat="], capture_output=True, text=True)
    assert "Z" not in children.stdout, f"children that nobody buried: {children.stdout}"
    belfry.stop()
    web.shutdown()


def whole(folder):
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    try:
        test(folder)
    finally:
        for program in Program.all:
            program.stop()


bs.run(whole)
