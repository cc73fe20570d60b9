"""MIB files at run time: a reload names the next trap, a broken file hurts nothing, rules resolve names of the folder, and
a version that was made with them starts again without it."""
import subprocess

import belfry_system as bs

MIB = """ACME-DOOR-MIB DEFINITIONS ::= BEGIN
IMPORTS MODULE-IDENTITY, OBJECT-TYPE, NOTIFICATION-TYPE, enterprises FROM SNMPv2-SMI;
acmeDoors MODULE-IDENTITY
  LAST-UPDATED "202611250000Z" ORGANIZATION "Acme" CONTACT-INFO "none" DESCRIPTION "doors"
  ::= { enterprises 32473 77 }
acmeDoorState OBJECT-TYPE SYNTAX INTEGER { open(1), closed(2), jammed(3) }
  MAX-ACCESS read-only STATUS current DESCRIPTION "how it stands" ::= { acmeDoors 1 }
acmeDoorEvents OBJECT IDENTIFIER ::= { acmeDoors 0 }
acmeDoorMoved NOTIFICATION-TYPE OBJECTS { acmeDoorState } STATUS current DESCRIPTION "it moved"
  ::= { acmeDoorEvents 1 }
END
"""
RULES = """
signal door_open(node: device, door: string) {
  raise trap ACME-DOOR-MIB::acmeDoorMoved where var.acmeDoorState == 1 with door = var.acmeDoorState.instance
  clear trap ACME-DOOR-MIB::acmeDoorMoved where var.acmeDoorState == 2 with door = var.acmeDoorState.instance
}
rule door_is_open { when door_open  settle 0s  open { title "door {door} is open"  severity major } }
"""
TRAP, STATE = "1.3.6.1.4.1.32473.77.0.1", "1.3.6.1.4.1.32473.77.1"
SOURCE = "127.1.1.1"


def last_trap(belfry):
    items = belfry.get("/api/v1/events?limit=1")["items"]
    return items[0] if items and items[0].get("trap_oid") == TRAP else None


def test(folder):
    bs.need_program("snmptrap")
    mibs, rules = folder / "mibs", folder / "door.bell"
    mibs.mkdir()
    (mibs / "broken.txt").write_text("BROKEN-MIB DEFINITIONS ::= BEGIN x OBJECT-TYPE SYNTAX ((((")
    config = bs.default_config(folder).replace("relays:", f"mibs: {mibs}\nrelays:")
    belfry = bs.Belfry(folder, config).start()
    belfry.trap(SOURCE, TRAP, STATE + ".5", "i", "3")
    first = bs.wait_until("the trap is stored", lambda: last_trap(belfry))
    assert "trap_name" not in first and first["varbinds"][0]["value"] == 3, first

    # The file arrives; rules that name it are refused before, and taken after.
    rules.write_text(RULES)
    check = [bs.PROGRAM, "check", str(bs.ROOT / "rules/packs/isp-core"), str(rules)]
    assert subprocess.run(check, capture_output=True).returncode == 1
    (mibs / "acme.mib").write_text(MIB)
    checked = subprocess.run([*check, "--mibs", str(mibs)], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
    belfry.config.write_text(config.replace("isp-core]", f"isp-core, {rules}]"))
    belfry.stop()
    belfry.start()
    belfry.trap(SOURCE, TRAP, STATE + ".5", "i", "1")
    bs.wait_until("an incident opens", lambda: [i for i in belfry.incidents() if i["rule"] == "door_is_open"])
    event = last_trap(belfry)
    assert event["trap_name"] == "acmeDoorMoved", event
    assert event["varbinds"][0]["name"] == "acmeDoorState.5" and event["varbinds"][0]["text"] == "open", event

    # A reload takes what changed in the folder, from the next trap on.
    (mibs / "acme.mib").write_text(MIB.replace("jammed(3)", "stuck(3)"))
    belfry.request("POST", "/api/v1/reload", {})
    belfry.trap(SOURCE, TRAP, STATE + ".6", "i", "3")
    bs.wait_until("the new word is shown",
                  lambda: (last_trap(belfry) or first)["varbinds"][0].get("text") == "stuck")

    # The journal's version builds again with what was kept of the MIB, though the folder says another thing now.
    belfry.kill()
    (mibs / "acme.mib").write_text(MIB.replace("32473 77", "32473 78"))
    belfry.start()
    belfry.trap(SOURCE, TRAP.replace(".77.", ".78."), STATE.replace(".77.", ".78.") + ".9", "i", "1")
    bs.wait_until("an incident of the new OID", lambda: [i for i in belfry.incidents() if i["title"] == "door 9 is open"])
    belfry.stop()


bs.run(test)
