// The desk as a story: incident changes and commands in, timeline words and effects out.
#include <gtest/gtest.h>

#include "belfry/base/bytes.hpp"
#include "belfry/desk/desk.hpp"

namespace belfry {
namespace {

constexpr Instant kStart{1'700'000'000'000'000'000};

std::shared_ptr<const rules::Program> program_with_backbone() {
  auto program = std::make_shared<rules::Program>();
  program->schema = std::make_shared<Schema>();
  rules::Escalation e;
  e.name = "backbone";
  rules::EscalationStep desk;
  desk.target = "desk";
  rules::EscalationStep run;
  run.after = 10min;
  run.page = true;
  run.target = "run";
  run.unless_acked = true;
  rules::EscalationStep build = run;
  build.after = 40min;
  build.target = "build";
  build.unless_acked = false;
  build.unless_mitigated = true;
  e.steps = {desk, run, build};
  program->escalations.push_back(e);
  return program;
}

DeskOptions roster() {
  DeskOptions options;
  options.teams = {{"desk", {"ana", "bob"}, {{"mail", "desk@isp.example"}}, {}},
                   {"run-network", {"net1"}, {}, {{"mail", "run@isp.example"}}},
                   {"build", {"cto"}, {}, {{"mail", "build@isp.example"}}}};
  options.people = {{"head", {{"mail", "head@isp.example"}}}};
  options.aliases = {{"run", "run-network"}};
  options.last_resort = "head";
  return options;
}

class DeskTest : public testing::Test {
 protected:
  DeskTest() {
    desk_.set_program(program_with_backbone(), Seq{1}, kStart, out_);
    desk_.set_options(roster(), Seq{2}, kStart, out_);
  }

  IncidentChange change(std::uint64_t id, IncidentState state, IncidentReason reason) {
    IncidentChange c;
    c.after.id = {id};
    c.after.rule = "interface_down";
    c.after.state = state;
    c.after.title = "par1-r1 xe-0/0/1 down";
    c.after.severity = Severity::Critical;
    c.after.impact = "outage";
    c.after.tier = "premium";
    c.after.escalation = "backbone";
    c.reason = reason;
    return c;
  }
  void incident(Duration at, std::uint64_t id, IncidentState state, IncidentReason reason,
                std::vector<IncidentId> causes = {}) {
    IncidentChange c = change(id, state, reason);
    c.after.causes = std::move(causes);
    desk_.on_incident(c, Seq{++seq_}, kStart + at, out_);
  }
  CommandResult command(Duration at, CommandKind kind, std::string who, std::string text = "",
                        std::uint64_t expect = 0, std::uint64_t ticket = 1) {
    Command c;
    c.kind = kind;
    c.who = std::move(who);
    c.ticket = {ticket};
    c.text = std::move(text);
    c.expect = expect;
    return desk_.on_command(c, Seq{++seq_}, kStart + at, out_);
  }
  void advance(Duration at) { desk_.advance(kStart + at, Seq{++seq_}, out_); }
  std::string words(std::uint64_t ticket = 1) {
    std::string text;
    for (const TimelineEntry& line : desk_.timeline({ticket})) {
      text += (text.empty() ? "" : " ") + line.what;
    }
    return text;
  }
  std::string sent() {
    std::string text;
    for (const Effect& effect : out_.effects) {
      text += (text.empty() ? "" : " ") + std::string(name(effect.kind)) + ":" + effect.address;
    }
    return text;
  }

  Desk desk_;
  DeskOut out_;
  std::uint64_t seq_ = 10;
};

TEST_F(DeskTest, AnOpenIncidentGetsATicketWithPriorityOwnerAndANotice) {
  incident(0s, 7, IncidentState::Open, IncidentReason::Due);
  const auto tickets = desk_.tickets();
  ASSERT_EQ(tickets.size(), 1U);
  EXPECT_EQ(tickets[0].priority, "P1");
  EXPECT_EQ(tickets[0].owner, "ana");
  EXPECT_EQ(tickets[0].members, std::vector<IncidentId>{IncidentId{7}});
  EXPECT_EQ(words(), "opened notified");
  EXPECT_EQ(sent(), "notify:desk@isp.example");
}

TEST_F(DeskTest, ASymptomGetsNoTicket) {
  incident(0s, 7, IncidentState::Symptom, IncidentReason::Explained, {IncidentId{3}});
  EXPECT_TRUE(desk_.tickets().empty());
  EXPECT_TRUE(out_.effects.empty());
}

TEST_F(DeskTest, NobodyAcksSoItGoesToRunThenBuildThenAround) {
  incident(0s, 7, IncidentState::Open, IncidentReason::Due);
  advance(10min);
  advance(40min);
  EXPECT_EQ(sent(), "notify:desk@isp.example page:run@isp.example page:build@isp.example");
  advance(55min);  // P1: page steps repeat after 15 min
  EXPECT_EQ(out_.effects.size(), 5U);
  std::set<std::uint64_t> ids;
  for (const Effect& effect : out_.effects) {
    ids.insert(effect.id.value);
  }
  EXPECT_EQ(ids.size(), 5U) << "each page has an id of its own";
}

TEST_F(DeskTest, AnAckAtTheDueInstantIsInTime) {
  incident(0s, 7, IncidentState::Open, IncidentReason::Due);
  EXPECT_TRUE(command(10min, CommandKind::Ack, "bob").ok);
  advance(10min);
  EXPECT_EQ(sent(), "notify:desk@isp.example");
  EXPECT_EQ(words(), "opened notified acked step_skipped");
}

TEST_F(DeskTest, ALateCauseTakesTheTicketAndReleaseGivesItBack) {
  incident(0s, 7, IncidentState::Open, IncidentReason::Due);
  incident(5s, 3, IncidentState::Open, IncidentReason::Due);
  incident(5s, 7, IncidentState::Symptom, IncidentReason::Adopted, {IncidentId{3}});
  EXPECT_EQ(desk_.tickets().size(), 2U);
  EXPECT_EQ(desk_.tickets()[0].state, TicketState::Merged);
  const std::size_t told = out_.effects.size();
  advance(11min);
  EXPECT_EQ(out_.effects.size(), told + 1) << "only the cause pages";
  incident(20min, 7, IncidentState::Pending, IncidentReason::Released);
  incident(22min, 7, IncidentState::Open, IncidentReason::Due);
  EXPECT_EQ(desk_.tickets()[0].state, TicketState::New);
  EXPECT_NE(words().find("merged"), std::string::npos);
  EXPECT_NE(words().find("released"), std::string::npos);
}

TEST_F(DeskTest, APlannedIncidentGetsNoTicketUntilTheWindowIsOver) {
  incident(0s, 7, IncidentState::Planned, IncidentReason::Due);
  advance(2h);
  EXPECT_TRUE(desk_.tickets().empty());
  incident(2h, 7, IncidentState::Open, IncidentReason::WindowEnded);
  ASSERT_EQ(desk_.tickets().size(), 1U);
  advance(2h + 10min);
  EXPECT_EQ(words(), "opened notified paged");
}

TEST_F(DeskTest, AMaintenanceEnteredAfterTheFaultStopsWhatItBegan) {
  incident(0s, 7, IncidentState::Open, IncidentReason::Due);
  advance(10min);
  command(11min, CommandKind::Ack, "net1");
  IncidentChange planned = change(7, IncidentState::Planned, IncidentReason::Planned);
  planned.note = "during CHG-77";
  planned.after.maintenance = "CHG-77";
  planned.after.planned_until = kStart + 2h;
  out_ = {};
  desk_.on_incident(planned, Seq{++seq_}, kStart + 12min, out_);
  EXPECT_EQ(words(), "opened notified paged acked planned");
  EXPECT_EQ(sent(), "notify:desk@isp.example notify:run@isp.example");  // one follow-up each
  EXPECT_NE(out_.effects[0].body.find("during CHG-77, until 2023-11-15T00:13:20.000Z"),
            std::string::npos)
      << out_.effects[0].body;
  out_ = {};
  planned.reason = IncidentReason::Updated;  // the window was moved
  desk_.on_incident(planned, Seq{++seq_}, kStart + 13min, out_);
  advance(2h);
  EXPECT_EQ(sent(), "");
  // The same answer as when it was entered before: from here on a real incident, from step 0.
  incident(2h, 7, IncidentState::Open, IncidentReason::WindowEnded);
  advance(2h + 10min);
  EXPECT_EQ(words(), "opened notified paged acked planned escalation notified paged");
  EXPECT_EQ(sent(), "notify:desk@isp.example page:run@isp.example");
  EXPECT_FALSE(desk_.tickets()[0].acked);
}

TEST_F(DeskTest, APlannedIncidentThatEndsResolvesItsTicket) {
  incident(0s, 7, IncidentState::Open, IncidentReason::Due);
  incident(1min, 7, IncidentState::Planned, IncidentReason::Planned);
  incident(2min, 7, IncidentState::Closed, IncidentReason::PatternEnded);
  EXPECT_EQ(desk_.tickets()[0].state, TicketState::Resolved);
}

TEST_F(DeskTest, TheCauseMayGetItsTicketAfterItsSymptomWasAdopted) {
  incident(0s, 7, IncidentState::Open, IncidentReason::Due);
  incident(5s, 7, IncidentState::Symptom, IncidentReason::Adopted, {IncidentId{3}});
  incident(6s, 3, IncidentState::Open, IncidentReason::Due);
  EXPECT_EQ(desk_.tickets()[0].state, TicketState::Merged);
  EXPECT_EQ(desk_.tickets()[1].state, TicketState::New);
}

TEST_F(DeskTest, AnUnclaimedTicketResolvesItselfAndSaysSoToThoseItTold) {
  incident(0s, 7, IncidentState::Open, IncidentReason::Due);
  incident(5min, 7, IncidentState::Closed, IncidentReason::PatternEnded);
  EXPECT_EQ(desk_.tickets()[0].state, TicketState::Resolved);
  EXPECT_EQ(sent(), "notify:desk@isp.example closing:desk@isp.example");
  advance(5min + 72h);
  EXPECT_TRUE(desk_.tickets().empty());
}

TEST_F(DeskTest, AReopenedIncidentReopensItsTicket) {
  incident(0s, 7, IncidentState::Open, IncidentReason::Due);
  incident(5min, 7, IncidentState::Closed, IncidentReason::PatternEnded);
  incident(9min, 7, IncidentState::Open, IncidentReason::Reopened);
  EXPECT_EQ(desk_.tickets()[0].state, TicketState::Reopened);
  EXPECT_EQ(words(), "opened notified resolved reopened notified");
}

TEST_F(DeskTest, CommandsFollowTheTableAndRefusalsListTheMoves) {
  incident(0s, 7, IncidentState::Open, IncidentReason::Due);
  EXPECT_TRUE(command(1s, CommandKind::Claim, "bob").ok);
  const CommandResult again = command(2s, CommandKind::Claim, "ana");
  EXPECT_FALSE(again.ok);
  EXPECT_EQ(again.code, Code::Conflict);
  EXPECT_NE(again.message.find("assign"), std::string::npos);
  const CommandResult stale = command(3s, CommandKind::Comment, "ana", "late", 1);
  EXPECT_EQ(stale.code, Code::Conflict);
  EXPECT_NE(stale.message.find("bob claimed"), std::string::npos);
  EXPECT_EQ(command(4s, CommandKind::Assign, "bob", "zoe").code, Code::Invalid);
  EXPECT_EQ(command(5s, CommandKind::Resolve, "bob", "  ").code, Code::Invalid);
  EXPECT_TRUE(command(6s, CommandKind::Resolve, "bob", "fibre spliced").ok);
  EXPECT_EQ(command(7s, CommandKind::Ack, "bob", "", 0, 99).code, Code::NotFound);
}

TEST_F(DeskTest, TheSameKeyGetsTheSameAnswer) {
  incident(0s, 7, IncidentState::Open, IncidentReason::Due);
  Command c;
  c.kind = CommandKind::Comment;
  c.who = "bob";
  c.ticket = {1};
  c.text = "on it";
  c.idempotency_key = "k1";
  const CommandResult first = desk_.on_command(c, Seq{20}, kStart + 1s, out_);
  const CommandResult second = desk_.on_command(c, Seq{21}, kStart + 2s, out_);
  EXPECT_EQ(first.version, second.version);
  EXPECT_EQ(words(), "opened notified comment");
}

TEST_F(DeskTest, AStepThatReachesNobodyPassesToTheNextPageAtOnce) {
  DeskOptions options = roster();
  options.teams[1].page.clear();
  options.teams[1].members.clear();
  desk_.set_options(options, Seq{3}, kStart, out_);
  incident(0s, 7, IncidentState::Open, IncidentReason::Due);
  advance(10min);
  EXPECT_EQ(sent(), "notify:desk@isp.example page:build@isp.example");
  EXPECT_EQ(words(), "opened notified step_empty paged");
}

TEST_F(DeskTest, ASnapshotInTheMiddleGoesOnAsIfNothingHappened) {
  incident(0s, 7, IncidentState::Open, IncidentReason::Due);
  incident(1s, 8, IncidentState::Open, IncidentReason::Due);
  command(2s, CommandKind::Claim, "bob", "", 0, 2);
  ByteWriter bytes;
  desk_.save(bytes);
  Desk other;
  ByteReader in(bytes.bytes());
  ASSERT_TRUE(other.load(in));
  DeskOut other_out;
  other.set_program(program_with_backbone(), Seq{1}, kStart, other_out);
  EXPECT_EQ(other.state_hash(), desk_.state_hash());
  DeskOut rest;
  desk_.advance(kStart + 1h, Seq{50}, rest);
  other.advance(kStart + 1h, Seq{50}, other_out);
  EXPECT_EQ(other.state_hash(), desk_.state_hash());
  ASSERT_EQ(rest.effects.size(), other_out.effects.size());
  for (std::size_t i = 0; i < rest.effects.size(); ++i) {
    EXPECT_EQ(rest.effects[i].id, other_out.effects[i].id);
  }
  for (std::size_t cut = 0; cut < bytes.size(); cut += 7) {
    Desk broken;
    ByteReader part(std::string_view(bytes.bytes()).substr(0, cut));
    EXPECT_FALSE(broken.load(part)) << cut;
  }
}

TEST_F(DeskTest, WhoLeavesTheRosterLosesTheirTickets) {
  incident(0s, 7, IncidentState::Open, IncidentReason::Due);
  command(1s, CommandKind::Claim, "bob");
  DeskOptions options = roster();
  options.teams[0].members = {"eve"};
  desk_.set_options(options, Seq{30}, kStart + 2s, out_);
  EXPECT_EQ(desk_.tickets()[0].owner, "eve");
}

}  // namespace
}  // namespace belfry
