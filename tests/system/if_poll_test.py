"""ifIndex to name, read from Debian's snmpd over v2c and v3, while other devices do not answer."""
import os
import shutil
import socket
import subprocess

import belfry_system as bs

SNMPD = shutil.which("snmpd") or "/usr/sbin/snmpd"
COMMUNITY, PASSPHRASE = "community-of-agents", "passphrase-of-poller"
# Devices of the sample inventory; the second has no port with the index of the loopback interface.
ADDRESS = "127.1.1.2"


def agent(folder, port):
    """snmpd as that device, with nothing but what is written here."""
    folder.mkdir()
    conf = folder / "agent.conf"
    conf.write_text(f"rocommunity {COMMUNITY} 127.0.0.0/8\ncreateUser poller SHA-256 {PASSPHRASE}-a AES {PASSPHRASE}-p\n"
                    "rouser poller authPriv\n")
    environment = dict(os.environ, SNMPCONFPATH=str(folder), SNMP_PERSISTENT_DIR=str(folder), MIBS="")
    log = open(folder / "log", "w")
    return subprocess.Popen([SNMPD, "-f", "-Lo", "-C", "-c", str(conf), "-I", "-smux,agentx", f"udp:{ADDRESS}:{port}"],
                            env=environment, stdout=log, stderr=subprocess.STDOUT)


def named(belfry, index):
    """The name that a trap gets which says nothing but its ifIndex."""
    belfry.trap(ADDRESS, "1.3.6.1.6.3.1.1.5.3", f"1.3.6.1.2.1.2.2.1.1.{index}", "i", str(index))
    items = belfry.get("/api/v1/events?limit=1")["items"]
    return items[0].get("ifname") if items else None


def polled(folder, port, poll):
    users, communities = folder / "users.conf", folder / "communities"
    users.write_text(f"createUser poller SHA-256 {PASSPHRASE}-a AES {PASSPHRASE}-p\n")
    communities.write_text(f"par1-r9 wrong-one\n* {COMMUNITY}\n")
    for secret in (users, communities):
        secret.chmod(0o600)
    config = bs.default_config(folder).replace(
        "trap_udp: {port: 0}", f"trap_udp: {{port: 0, users_file: {users}}}\n"
        f"  if_poll: {{enabled: true, roles: [router], port: {port}, interval: 2s, timeout: 300ms, retries: 0, {poll}}}")
    belfry = bs.Belfry(folder, config).start()
    name = socket.if_indextoname(1)
    bs.wait_until(f"interface 1 is called {name}", lambda: named(belfry, 1) == name, 60)
    assert not named(belfry, 999_999)
    assert 'belfry_if_polls_total{status="timeout"}' in belfry.get("/metrics", raw=True)[1]
    belfry.stop()
    text = belfry.log_text()
    assert COMMUNITY not in text and PASSPHRASE not in text, "a secret is in the log"


def test(folder):
    bs.need_program("snmptrap")
    if not os.path.exists(SNMPD):
        bs.skip("snmpd is not installed")
    port = bs.free_port(socket.SOCK_DGRAM)
    snmpd = agent(folder / "agent", port)
    try:
        for version, poll in (("v2c", f"communities_file: {folder}/v2c/communities"), ("v3", "user: poller")):
            (folder / version).mkdir()
            polled(folder / version, port, poll)
    finally:
        snmpd.terminate()
        snmpd.wait(10)


bs.run(test)
