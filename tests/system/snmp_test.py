"""SNMP with Debian's snmptrap and snmpinform: v1, v2c and v3 at every level, wrong passphrases, replays, restarts."""
import os
import subprocess

import belfry_system as bs

OPS, DEEP, LAB = "passphrase-of-ops", "passphrase-of-deep", "passphrase-of-lab"
USERS = f"""
createUser ops SHA {OPS}-a AES {OPS}-p
createUser deep SHA-512 {DEEP}-a AES-256 {DEEP}-p
createUser lab MD5 {LAB}-a DES {LAB}-p
createUser signed SHA-256 {OPS}-a
createUser open
"""
LINK_DOWN = ["1.3.6.1.6.3.1.1.5.3", "1.3.6.1.2.1.2.2.1.1.3", "i", "3"]


class Sender:
    """net-snmp's programs with no configuration or memory but this folder's."""

    def __init__(self, folder, port):
        self.folder, self.port = folder, port
        self.environment = dict(os.environ, SNMPCONFPATH=str(folder), SNMP_PERSISTENT_DIR=str(folder), MIBS="")

    def run(self, program, *arguments):
        return subprocess.run([program, *arguments, f"127.0.0.1:{self.port}", "", *LINK_DOWN], env=self.environment,
                              capture_output=True, text=True, timeout=60)

    def trap(self, *arguments):
        done = self.run("snmptrap", *arguments)
        assert done.returncode == 0, done.stderr

    def inform(self, *arguments):
        return self.run("snmpinform", "-r", "1", "-t", "5", *arguments)


def v3(user, level, auth=None, auth_pass=None, priv=None, priv_pass=None):
    out = ["-v3", "-u", user, "-l", level]
    out += ["-a", auth, "-A", auth_pass] if auth else []
    return out + (["-x", priv, "-X", priv_pass] if priv else [])


OPS_PRIV = v3("ops", "authPriv", "SHA", OPS + "-a", "AES", OPS + "-p")


def expect(belfry, reason, count):
    bs.wait_until(f"{count} x {reason}: {belfry.get('/api/v1/ledger')}",
                  lambda: belfry.ledger("trap-udp", reason) == count, 20)


def traps(belfry, sender):
    stored = 0
    engine = ["-e", "0x80001f8804aabbcc01"]
    good = [["-v2c", "-c", "public"], OPS_PRIV + engine,
            v3("deep", "authPriv", "SHA-512", DEEP + "-a", "AES-256", DEEP + "-p") + engine,
            v3("lab", "authPriv", "MD5", LAB + "-a", "DES", LAB + "-p") + engine,
            v3("signed", "authNoPriv", "SHA-256", OPS + "-a") + engine,
            v3("ops", "authNoPriv", "SHA", OPS + "-a") + engine]
    for arguments in good:
        sender.trap(*arguments)
        stored += 1
        expect(belfry, "stored", stored)
    subprocess.run(["snmptrap", "-v1", "-c", "public", f"127.0.0.1:{sender.port}", "1.3.6.1.4.1.9.1.1", "127.0.0.1", "2",
                    "0", "", *LINK_DOWN[1:]], env=sender.environment, check=True)
    expect(belfry, "stored", stored + 1)
    refused = [("v3-wrong-digest", v3("ops", "authPriv", "SHA", "not-the-right-one", "AES", OPS + "-p")),
               ("v3-decryption-error", v3("ops", "authPriv", "SHA", OPS + "-a", "AES", "not-the-right-one")),
               ("v3-no-auth", v3("ops", "noAuthNoPriv")), ("v3-no-auth", v3("open", "noAuthNoPriv")),
               ("v3-unknown-user", v3("nobody", "authNoPriv", "SHA", OPS + "-a")),
               ("v3-unsupported-level", v3("signed", "authPriv", "SHA-256", OPS + "-a", "AES", OPS + "-p"))]
    told = {}
    for reason, arguments in refused:
        sender.trap(*arguments, *engine)
        told[reason] = told.get(reason, 0) + 1
        expect(belfry, reason, told[reason])
    assert belfry.ledger("trap-udp", "stored") == stored + 1
    return stored + 1


def informs(belfry, sender, stored):
    good = [["-v2c", "-c", "public"], OPS_PRIV, v3("signed", "authNoPriv", "SHA-256", OPS + "-a"),
            v3("deep", "authPriv", "SHA-512", DEEP + "-a", "AES-256", DEEP + "-p")]
    for arguments in good:
        done = sender.inform(*arguments)
        assert done.returncode == 0, (arguments, done.stderr, belfry.get("/api/v1/ledger"))
        stored += 1
        expect(belfry, "stored", stored)
    for arguments in (v3("ops", "authPriv", "SHA", "not-the-right-one", "AES", OPS + "-p"), v3("open", "noAuthNoPriv"),
                      v3("nobody", "authNoPriv", "SHA", OPS + "-a")):
        assert sender.inform(*arguments).returncode != 0, arguments
    assert belfry.ledger("trap-udp", "stored") == stored
    return stored


def replays(belfry, sender):
    """What an engine once said is remembered over a clean stop, and ours is one boot further."""
    engine = ["-e", "0x80001f8804aabbcc02"]
    sender.trap(*OPS_PRIV, *engine, "-Z", "5,1000")
    expect(belfry, "v3-not-in-time-window", 0)
    belfry.stop()
    belfry.start()
    again = Sender(sender.folder, belfry.port("trap-udp"))
    for number, stamp in enumerate(("4,9000", "5,800"), 1):
        again.trap(*OPS_PRIV, *engine, "-Z", stamp)
        expect(belfry, "v3-not-in-time-window", number)
    again.trap(*OPS_PRIV, *engine, "-Z", "5,1001")
    expect(belfry, "stored", 1)
    done = again.inform(*OPS_PRIV)
    assert done.returncode == 0, done.stderr
    belfry.kill()
    belfry.start()
    done = Sender(sender.folder, belfry.port("trap-udp")).inform(*OPS_PRIV)
    assert done.returncode == 0, done.stderr


def new_users(belfry, folder, users):
    """A reload takes other users; a file that is wrong leaves them."""
    sender = Sender(folder, belfry.port("trap-udp"))
    late = v3("late", "authNoPriv", "SHA", OPS + "-a")
    assert sender.inform(*late).returncode != 0
    users.write_text(USERS + f"createUser late SHA {OPS}-a\n")
    belfry.request("POST", "/api/v1/reload", {})
    bs.wait_until("the new user is known", lambda: sender.inform(*late).returncode == 0)
    users.write_text("createUser late SHA\n")
    belfry.request("POST", "/api/v1/reload", {})
    bs.wait_until("the refusal is logged", lambda: "the old users stay" in belfry.log_text())
    assert sender.inform(*late).returncode == 0


def no_secret_is_left(folder, users):
    users.unlink()
    for path in folder.rglob("*"):
        if path.is_file() and path.stat().st_size < 50_000_000:
            bytes_ = path.read_bytes()
            for secret in (OPS, DEEP, LAB):
                assert secret.encode() not in bytes_, f"{path} holds a passphrase"


def test(folder):
    bs.need_program("snmpinform")
    users = folder / "users.conf"
    users.write_text(USERS)
    users.chmod(0o600)
    config = bs.default_config(folder).replace("trap_udp: {port: 0}", f"trap_udp: {{port: 0, users_file: {users}}}")
    belfry = bs.Belfry(folder, config).start()
    net_snmp = folder / "net-snmp"
    net_snmp.mkdir()
    sender = Sender(net_snmp, belfry.port("trap-udp"))
    stored = traps(belfry, sender)
    informs(belfry, sender, stored)
    replays(belfry, sender)
    new_users(belfry, net_snmp, users)
    belfry.stop()
    for leftover in net_snmp.rglob("*"):  # net-snmp's own memory is not ours
        if leftover.is_file():
            leftover.unlink()
    no_secret_is_left(folder, users)


bs.run(test)
