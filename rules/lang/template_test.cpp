#include "template.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace belfry::rules {
namespace {

/// Parts of a template as the compiler makes them: `{x}` a hole, `{_}` a nameless one.
struct Compiled {
  std::vector<TemplatePart> parts;
  std::vector<Hole> holes;
};

Compiled compiled(std::string_view text, Type type = Type::String) {
  Compiled out;
  while (!text.empty()) {
    const std::size_t open = text.find('{');
    if (open != 0) {
      out.parts.push_back({std::string(text.substr(0, open)), kNone});
      text.remove_prefix(std::min(open, text.size()));
      continue;
    }
    const std::size_t close = text.find('}');
    const std::string_view name = text.substr(1, close - 1);
    out.parts.push_back({"", name == "_" ? kNone : static_cast<Index>(out.holes.size())});
    if (name != "_") {
      out.holes.push_back({std::string(name), type, kNone});
    }
    text.remove_prefix(close + 1);
  }
  return out;
}

std::optional<std::string> match(std::string_view pattern, std::string_view text,
                                 Type type = Type::String, std::string_view tag = {}) {
  const Compiled c = compiled(pattern, type);
  Slices slices;
  if (!match_template(c.parts, c.holes, text, tag, slices)) {
    return std::nullopt;
  }
  std::string out;
  for (std::size_t i = 0; i < c.holes.size(); ++i) {
    out += (i > 0 ? "|" : "") + std::string(slices[i]);
  }
  return out;
}

TEST(Template, TakesTheShortestTextUpToTheNextLiteral) {
  EXPECT_EQ(
      match("Interface {i}, changed state to {s}", "Interface ge-0/0/1, changed state to down"),
      "ge-0/0/1|down");
  EXPECT_EQ(match("a {x} c {y} e", "a b c d e"), "b|d");
  EXPECT_EQ(match("user [{u}] from {_}", "user [bob smith] from cli"), "bob smith");
  EXPECT_EQ(match("{_}down", "going down"), "");
  EXPECT_EQ(match("plain", "plain"), "");
  EXPECT_EQ(match("plain", "plan"), std::nullopt);
}

TEST(Template, CoversTheWholeText) {
  const char* down = "Interface {i}, changed state to down";
  EXPECT_TRUE(match(down, "Interface e1, changed state to down"));
  EXPECT_TRUE(match(down, "Interface e1, changed state to down\r\n"));
  EXPECT_TRUE(match(down, "Interface e1, changed state to down."));
  EXPECT_FALSE(match(down, "Interface e1, changed state to downgraded"));
  EXPECT_FALSE(match(down, "Interface e1, changed state to down (admin)"));
  EXPECT_TRUE(match("Interface {i}, changed state to down{_}",
                    "Interface e1, changed state to down (admin)"));
  EXPECT_FALSE(match("link down", "a link down"));  // a literal in front: from the first byte on
}

TEST(Template, NamedHolesAreOneWordBeforeABlank) {
  EXPECT_EQ(match("neighbor {p} Up", "neighbor 10.0.0.1 Up"), "10.0.0.1");
  EXPECT_EQ(match("neighbor {p} Up", "neighbor 10.0.0.1 vpn vrf red Up"), std::nullopt);
  EXPECT_EQ(match("neighbor {p} {_}Up", "neighbor 10.0.0.1 vpn vrf red Up"), "10.0.0.1");
  EXPECT_EQ(match("neighbor {p} Up", "neighbor  Up"), std::nullopt);
  EXPECT_EQ(match("reason: {r}", "reason: hold timer expired"), "hold timer expired");
  EXPECT_EQ(match("reason: {r}", "reason:  "), std::nullopt);
  // A word where that is possible, even if a shorter start would do with more.
  EXPECT_EQ(match("{_} {i}: NIC Link is Down", "igb 0000:01:00.0 eno1: NIC Link is Down"), "eno1");
}

TEST(Template, TypedHolesMustReadAsTheirType) {
  EXPECT_EQ(match("peer {p}.", "peer 10.0.0.2.", Type::Ip), "10.0.0.2");
  EXPECT_EQ(match("peer {p} down", "peer 2001:db8::1 down", Type::Ip), "2001:db8::1");
  EXPECT_EQ(match("peer {p} down", "peer router1 down", Type::Ip), std::nullopt);
  EXPECT_EQ(match("slot {n}", "slot 7.", Type::Int), "7");
  EXPECT_EQ(match("slot {n}", "slot seven", Type::Int), std::nullopt);
  EXPECT_EQ(match("mac {m} moved", "mac 0011.22aa.bbcc moved", Type::Mac), "0011.22aa.bbcc");
}

TEST(Template, TagsAnchorWhereTheyStand) {
  const char* t = "%LINK-3-UPDOWN: Interface {i}, changed state to down";
  const std::string body = "Interface Gi0/1, changed state to down";
  EXPECT_EQ(match(t, "%LINK-3-UPDOWN: " + body), "Gi0/1");
  EXPECT_EQ(match(t, "14: *Mar  1 00:00:07: %LINK-3-UPDOWN: " + body), "Gi0/1");
  EXPECT_EQ(match(t, body, Type::String, "LINK-3-UPDOWN"), "Gi0/1");  // the decoder took it off
  EXPECT_EQ(match(t, body), std::nullopt);
  EXPECT_EQ(match(t, "%LINEPROTO-5-UPDOWN: " + body), std::nullopt);
  EXPECT_EQ(match("Interface {i}, changed state to down", "%LINK-3-UPDOWN: " + body), "Gi0/1");
  EXPECT_EQ(match("%BGP-5-ADJCHANGE:{_}", "%BGP-5-ADJCHANGE: whatever"), "");
}

TEST(Template, WordTagsOfJunos) {
  const char* t = "SNMP_TRAP_LINK_DOWN: ifIndex {_}, ifName {i}";
  EXPECT_EQ(match(t, "SNMP_TRAP_LINK_DOWN: ifIndex 531, ifName ge-0/0/4"), "ge-0/0/4");
  EXPECT_EQ(match(t, "%DAEMON-4-SNMP_TRAP_LINK_DOWN: ifIndex 531, ifName ge-0/0/4"), "ge-0/0/4");
  EXPECT_EQ(match(t, "ifIndex 531, ifName ge-0/0/4", Type::String, "SNMP_TRAP_LINK_DOWN"),
            "ge-0/0/4");
}

TEST(Template, TemplatesOfHuaweiAndXr) {
  EXPECT_EQ(match("%%01IFNET/4/LINK_STATE(l){_}: The line protocol {_} on the interface {i} has "
                  "entered the DOWN state.",
                  "%%01IFNET/4/LINK_STATE(l)[57]: The line protocol IP on the interface "
                  "GigabitEthernet0/0/1 has entered the DOWN state."),
            "GigabitEthernet0/0/1");
  EXPECT_EQ(
      match("%PKT_INFRA-LINK-3-UPDOWN : Interface {i}, changed state to Down",
            "ifmgr[142]: %PKT_INFRA-LINK-3-UPDOWN : Interface Te0/0/0/1, changed state to Down"),
      "Te0/0/0/1");
}

TEST(Template, BacktracksAndIsBounded) {
  EXPECT_EQ(match("{_} to {x} now", "a to b to c now"), "c");
  EXPECT_EQ(match("{_}: state {x}", "port 1: x: state up"), "up");
  const std::string hostile(100'000, 'a');
  EXPECT_EQ(match("{_}a{_}a{_}a{_}a{_}a{_}b", hostile), std::nullopt);
  EXPECT_EQ(match("x{a}aaaa{_}q", "x" + hostile, Type::Ip), std::nullopt);
}

TEST(Template, FindsTagsAndAnchors) {
  EXPECT_EQ(tag_of(compiled("%LINK-3-UPDOWN: Interface {i}").parts), "LINK-3-UPDOWN");
  EXPECT_EQ(tag_of(compiled("%PKT_INFRA-LINK-3-UPDOWN : Interface {i}").parts), "");
  EXPECT_EQ(tag_of(compiled("RPD_BGP_NEIGHBOR_STATE_CHANGED: BGP peer {p}").parts),
            "RPD_BGP_NEIGHBOR_STATE_CHANGED");
  EXPECT_EQ(tag_of(compiled("ATS: generator online").parts), "");
  EXPECT_EQ(tag_of(compiled("{x}%LINK-3-UPDOWN:").parts), "");
  EXPECT_EQ(anchor_of(compiled("ab{x}longer{_}longes").parts), "longer");
  EXPECT_EQ(anchor_of(compiled("{_}").parts), "");
  const TextTags tags = tags_in("1: %ETHPORT-5-IF_DOWN_LINK_FAILURE: Interface");
  EXPECT_EQ(tags.percent, "ETHPORT-5-IF_DOWN_LINK_FAILURE");
  EXPECT_EQ(tags.mnemonic, "IF_DOWN_LINK_FAILURE");
  EXPECT_EQ(tags_in("cpu at 95% of all: bad").percent, "");
}

}  // namespace
}  // namespace belfry::rules
