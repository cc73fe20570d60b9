#include "belfry/model/change.hpp"

#include <gtest/gtest.h>

#include "belfry/model/command.hpp"
#include "belfry/model/effect.hpp"

namespace belfry {
namespace {

Change incident_change() {
  Change c;
  c.number = {7};
  c.seq = {99};
  c.at = {1'700'000'000'123'000'000};
  IncidentChange i;
  i.after.id = {0xabcdef};
  i.after.rule = "link_down";
  i.after.key = {"par-r1", "et-0/0/1"};
  i.after.state = IncidentState::Symptom;
  i.after.began_at = {1'700'000'000'000'000'000};
  i.after.began_seq = {42};
  i.after.causes = {{1}, {2}};
  i.after.symptoms = 3;
  i.after.title = "a \"title\"";
  i.after.severity = Severity::Major;
  i.after.customers = {"acme"};
  i.after.nodes = {"par-r1"};
  i.after.maintenance = "CHG-77";
  i.after.planned_until = {1'700'000'100'000'000'000};
  i.after.count = 5;
  i.after.evidence = {{{42}, {5}, "text"}};
  i.before = IncidentState::Open;
  i.reason = IncidentReason::Adopted;
  i.nth = 2;
  i.note = "carried by fibre_cut";
  c.incident = i;
  return c;
}

Change ticket_change() {
  Change c;
  c.number = {8};
  c.seq = {100};
  c.at = {1'700'000'001'000'000'000};
  TicketChange t;
  t.after.id = {12};
  t.after.state = TicketState::InProgress;
  t.after.title = "cut";
  t.after.priority = "P1";
  t.after.owner = "ana";
  t.after.acked = true;
  t.after.members = {{0xabcdef}};
  t.after.version = 4;
  t.entry = {c.at, c.seq, "ana", "acked", "on it"};
  c.ticket = t;
  return c;
}

std::string bytes_of(const Change& c) {
  ByteWriter out;
  encode(c, out);
  return out.take();
}

TEST(ChangeCodec, RoundTripGivesEqualBytesAndJson) {
  for (const Change& c : {incident_change(), ticket_change()}) {
    const std::string bytes = bytes_of(c);
    const auto back = decode_change(bytes);
    ASSERT_TRUE(back) << back.error().what;
    EXPECT_EQ(bytes_of(*back), bytes);
    EXPECT_EQ(to_json(*back), to_json(c));
  }
}

TEST(ChangeCodec, EveryPrefixAndEveryBitFlipIsAResultNeverACrash) {
  const std::string bytes = bytes_of(incident_change());
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    EXPECT_FALSE(decode_change(std::string_view(bytes).substr(0, n))) << n;
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = bytes;
      flipped[n] = static_cast<char>(flipped[n] ^ (1 << bit));
      static_cast<void>(decode_change(flipped));
    }
  }
  EXPECT_FALSE(decode_change(bytes + "x"));
}

TEST(ChangeCodec, EveryTicketStateComesBack) {
  for (std::uint8_t i = 0; i <= static_cast<std::uint8_t>(kLastTicketState); ++i) {
    Change c = ticket_change();
    c.ticket->after.state = static_cast<TicketState>(i);
    const auto back = decode_change(bytes_of(c));
    ASSERT_TRUE(back) << int{i};
    EXPECT_EQ(name(back->ticket->after.state), name(c.ticket->after.state));
  }
}

TEST(ChangeCodec, FormatOneHadNoMaintenance) {
  Change c = incident_change();
  c.incident->after.maintenance.clear();
  c.incident->after.planned_until = {0};
  std::string bytes = bytes_of(c);
  bytes[0] = 1;
  bytes.erase(bytes.rfind("par-r1") + 6, 2);  // an empty text, a zero
  const auto back = decode_change(bytes);
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(to_json(*back), to_json(c));
}

TEST(ChangeCodec, UnknownFormatIsNamed) {
  std::string bytes = bytes_of(ticket_change());
  bytes[0] = 9;
  const auto back = decode_change(bytes);
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().what, "stored change has format 9, this program reads format 2");
}

TEST(ChangeCodec, JsonNamesWhatTheFeedPromises) {
  const std::string json = to_json(incident_change());
  for (const char* part :
       {"\"change\":7", "\"kind\":\"incident\"", "\"at\":\"2023-11-14T22:13:20.123Z\"",
        "\"rule\":\"link_down\"", "\"key\":[\"par-r1\",\"et-0/0/1\"]", "\"state\":\"symptom\"",
        "\"cause\":\"0000000000000001\"", "\"reason\":\"adopted\"", "\"severity\":\"major\"",
        "\"nodes\":[\"par-r1\"]", "a \\\"title\\\""}) {
    EXPECT_NE(json.find(part), std::string::npos) << part << "\n" << json;
  }
  EXPECT_NE(to_json(ticket_change()).find("\"ticket\":\"T-12\""), std::string::npos);
}

TEST(EffectCodec, RoundTrip) {
  Effect e;
  e.id = {77};
  e.kind = EffectKind::Page;
  e.at = {5};
  e.target = "mail";
  e.address = "noc@example.net";
  e.incident = {1};
  e.ticket = {2};
  e.subject = "s";
  e.body = "b";
  e.json = "{}";
  ByteWriter out;
  encode(e, out);
  const auto back = decode_effect(out.bytes());
  ASSERT_TRUE(back);
  ByteWriter again;
  encode(*back, again);
  EXPECT_EQ(again.bytes(), out.bytes());
  EXPECT_FALSE(decode_effect(std::string_view(out.bytes()).substr(0, out.size() - 1)));
}

TEST(CommandCodec, RoundTripAndWords) {
  Command c;
  c.kind = CommandKind::Silence;
  c.who = "ana";
  c.from = "127.0.0.1";
  c.ticket = {3};
  c.incident = {4};
  c.text = "t";
  c.until = {9};
  c.expect = 2;
  c.idempotency_key = "k";
  ByteWriter out;
  encode(c, out);
  const auto back = decode_command(out.bytes());
  ASSERT_TRUE(back);
  ByteWriter again;
  encode(*back, again);
  EXPECT_EQ(again.bytes(), out.bytes());
  for (std::uint8_t i = 0; i <= static_cast<std::uint8_t>(CommandKind::Unsilence); ++i) {
    const auto kind = static_cast<CommandKind>(i);
    EXPECT_EQ(*parse_command_kind(name(kind)), kind);
  }
  EXPECT_EQ(parse_command_kind("clam").error().what,
            "'clam' is not a command: did you mean 'claim'?");
  EXPECT_FALSE(parse_command_kind(""));
}

}  // namespace
}  // namespace belfry
