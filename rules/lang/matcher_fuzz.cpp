// Any message, tag and varbind against templates of every kind: no crash, no key without all its
// parts, no text that is not of its type.
#include <cstdlib>

#include "belfry/model/oid.hpp"
#include "belfry/rules/compile.hpp"
#include "belfry/rules/matcher.hpp"

namespace {

using namespace belfry;

constexpr std::string_view kRules = R"(
event trap   { oid: oid head, node: device, var: varbinds, via: string }
event syslog { msg: text head, node: device, app: string, level: severity, via: string }
table device key name { name: string }
table port key node, ifname { node: device, ifname: string, ifindex: int?, aliases: set<string>? }
signal if_down(node: device, ifname: string) {
  raise trap   IF-MIB::linkDown with ifname = var.ifDescr ?? var.ifName
  raise syslog "%LINK-3-UPDOWN: Interface {ifname}, changed state to down"
  raise syslog "SNMP_TRAP_LINK_DOWN: ifIndex {_}, ifName {ifname}"
  clear syslog "{_} {ifname}: NIC Link is Up{_}"
  expire 1h
}
signal peer_down(node: device, peer: ip) {
  raise trap   BGP4-MIB::bgpBackwardTransition with peer = var.bgpPeerRemoteAddr ?? var.bgpPeerState.instance
  raise syslog "%BGP-5-ADJCHANGE: neighbor {peer} Down{_}"
  clear syslog "peer {peer} {_}a{_}b{_}c"
  expire 1h
}
signal moved(node: device, mac: mac, slot: int) {
  raise syslog "{_}mac {mac} slot {slot}"
  expire 1h
}
)";

struct World {
  std::shared_ptr<const rules::Program> program;
  std::unique_ptr<rules::Matcher> matcher;
  World() {
    const rules::SourceFile file{"fuzz.bell", std::string(kRules)};
    program = rules::compile(std::span(&file, 1)).program;
    if (!program) {
      std::abort();
    }
    InventoryBuilder builder(program->schema);
    matcher = std::make_unique<rules::Matcher>(program, *builder.build(1));
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const std::string kLinkDown = *oid_from_text("1.3.6.1.6.3.1.1.5.3");
  static const std::string kDescr = *oid_from_text("1.3.6.1.2.1.2.2.1.2.1");
  const Varbind varbinds[]{{text.substr(0, size / 2), VarType::Integer, {}, 1},
                           {kDescr, VarType::OctetString, text, 0}};
  Event line;
  line.type = "syslog";
  line.node = "r1";
  line.message = text;
  line.tag = text.substr(0, text.find(' '));
  Event trap;
  trap.type = "trap";
  trap.node = "r1";
  trap.trap_oid = kLinkDown;
  trap.varbinds = varbinds;
  Batch batch;
  batch.events = {line, trap};
  world.matcher->match(batch);
  for (const Match& m : batch.matches) {
    const rules::Clause& clause = world.program->clauses[m.clause];
    const rules::Signal& signal = world.program->signals[clause.signal];
    for (std::size_t i = 0; i < signal.params.size(); ++i) {
      if (m.key[i].type != signal.params[i].type || to_text(m.key[i]).empty()) {
        std::abort();
      }
    }
  }
  return 0;
}
