#include "belfry/journal/journal.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "belfry/base/bytes.hpp"
#include "belfry/base/hash.hpp"
#include "belfry/model/change.hpp"

namespace belfry {
namespace {

Event syslog_event(Batch& batch, int i) {
  Event e;
  e.raw = batch.arena.copy(
      fmt::format("<187>Mar 14 22:00:{:02} par-r{} rpd[{}]: %LINK-3-UPDOWN: Interface et-0/0/{}, "
                  "changed state to down",
                  i % 60, i % 7, 1000 + i, i));
  e.type = "syslog";
  e.facility = 23;
  e.severity = 3;
  e.stamp = {1'700'000'000'000'000'000 + i};
  e.node = batch.arena.copy(fmt::format("par-r{}", i % 7));
  e.from = "192.0.2.7";
  e.host = e.raw.substr(21, 6);
  e.app = e.raw.substr(28, 3);
  e.message = e.raw.substr(e.raw.find('%'));
  e.tag = e.raw.substr(e.raw.find("LINK"), 13);
  e.vendor = "cisco";
  e.ifname = e.raw.substr(e.raw.find("et-"), 8);
  return e;
}

Event trap_event(Batch& batch) {
  Event e;
  e.kind = EventKind::Trap;
  e.type = "trap";
  e.raw = batch.arena.copy("\x30\x20\x02\x01\x01\x04\x06secret\xa7\x13payload-of-the-trap");
  e.community = e.raw.substr(7, 6);
  e.snmp_version = 1;
  e.inform = true;
  e.uptime = 4711;
  e.node = "lon-r1";
  e.from = "192.0.2.9";
  e.trap_oid = "\x2b\x06\x01\x06\x03\x01\x01\x05\x03";
  const std::span<Varbind> v = batch.arena.array<Varbind>(2);
  v[0] = {.oid = "\x2b\x06\x01", .type = VarType::Integer, .bytes = "\x03", .number = 3};
  v[1] = {.oid = "\x2b\x06\x02",
          .type = VarType::OctetString,
          .bytes = e.raw.substr(20, 4),
          .number = -5};
  e.varbinds = v;
  return e;
}

Event alert_event(Batch& batch) {
  Event e;
  e.kind = EventKind::Alert;
  e.type = "alert";
  e.valid = false;
  e.why = "no-node";
  e.repeat = 12;
  e.id = "x-1";
  const std::span<Value> items = batch.arena.array<Value>(2);
  items[0] = Value::integer(1);
  items[1] = Value::string("two");
  const std::span<ValueSet> set = batch.arena.array<ValueSet>(1);
  set[0].items = items;
  Value v;
  v.type = Type::Set;
  v.set = set.data();
  const std::span<Attr> attrs = batch.arena.array<Attr>(5);
  attrs[0] = {"set", v};
  attrs[1] = {"f", Value::real(2.5)};
  attrs[2] = {"e", Value::enumerator(3, 2, "high")};
  attrs[3] = {"row", Value::row(4,
                                "a\x1f"
                                "b")};
  attrs[4] = {"none", Value::none()};
  e.attrs = attrs;
  return e;
}

void fill(Batch& batch, int syslogs) {
  for (int i = 0; i < syslogs; ++i) {
    batch.events.push_back(syslog_event(batch, i));
  }
  batch.events.push_back(trap_event(batch));
  batch.events.push_back(alert_event(batch));
}

void expect_equal(const Event& a, const Event& b) {
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.valid, b.valid);
  EXPECT_EQ(a.facility, b.facility);
  EXPECT_EQ(a.severity, b.severity);
  EXPECT_EQ(a.snmp_version, b.snmp_version);
  EXPECT_EQ(a.inform, b.inform);
  EXPECT_EQ(a.repeat, b.repeat);
  EXPECT_EQ(a.uptime, b.uptime);
  EXPECT_EQ(a.stamp, b.stamp);
  for (const auto text : {&Event::type, &Event::node, &Event::via, &Event::from, &Event::ifname,
                          &Event::why, &Event::host, &Event::app, &Event::pid, &Event::msgid,
                          &Event::message, &Event::structured_data, &Event::tag, &Event::vendor,
                          &Event::trap_oid, &Event::agent, &Event::id}) {
    EXPECT_EQ(a.*text, b.*text);
  }
  ASSERT_EQ(a.varbinds.size(), b.varbinds.size());
  for (std::size_t i = 0; i < a.varbinds.size(); ++i) {
    EXPECT_EQ(a.varbinds[i].oid, b.varbinds[i].oid);
    EXPECT_EQ(a.varbinds[i].type, b.varbinds[i].type);
    EXPECT_EQ(a.varbinds[i].bytes, b.varbinds[i].bytes);
    EXPECT_EQ(a.varbinds[i].number, b.varbinds[i].number);
  }
  ASSERT_EQ(a.attrs.size(), b.attrs.size());
  for (std::size_t i = 0; i < a.attrs.size(); ++i) {
    EXPECT_EQ(a.attrs[i].name, b.attrs[i].name);
    EXPECT_EQ(a.attrs[i].value.type, b.attrs[i].value.type);
    EXPECT_TRUE(a.attrs[i].value.is_none() || a.attrs[i].value == b.attrs[i].value) << i;
  }
}

BlockHeader header_of(const Batch& batch, std::uint64_t first) {
  BlockHeader h;
  h.first = {first};
  h.count = static_cast<std::uint32_t>(batch.events.size());
  h.at = {1'700'000'000'000'000'000};
  h.versions = 3;
  h.rules_version = 2;
  h.inventory_version = 9;
  h.fold_version = kFoldVersion;
  h.collector = {4};
  h.incarnation = 0xdeadbeef;
  h.batch = 77;
  return h;
}

TEST(Block, RoundTripOfEveryKindOfEvent) {
  Batch batch;
  fill(batch, 100);
  BlockEncoder encoder;
  const std::string bytes(encoder.encode(header_of(batch, 500), batch));
  BlockDecoder decoder;
  Batch back;
  const auto header = decoder.decode(bytes, back);
  ASSERT_TRUE(header) << header.error().what;
  EXPECT_EQ(header->first.value, 500U);
  EXPECT_EQ(header->versions, 3U);
  EXPECT_EQ(header->incarnation, 0xdeadbeefU);
  EXPECT_EQ(back.number, 77U);
  ASSERT_EQ(back.events.size(), batch.events.size());
  for (std::size_t i = 0; i < back.events.size(); ++i) {
    expect_equal(back.events[i], batch.events[i]);
  }
  EXPECT_EQ(back.events[5].raw, batch.events[5].raw);
}

TEST(Block, CommunityIsNowhereInIt) {
  for (const bool inside : {true, false}) {
    Batch batch;
    batch.events.push_back(trap_event(batch));
    if (!inside) {
      batch.events[0].community = batch.arena.copy("secret");
    }
    BlockEncoder encoder;
    const std::string bytes(encoder.encode(header_of(batch, 1), batch));
    BlockDecoder decoder;
    Batch back;
    ASSERT_TRUE(decoder.decode(bytes, back));
    EXPECT_TRUE(back.events[0].community.empty());
    EXPECT_EQ(back.events[0].raw.find("secret"), std::string_view::npos);
    EXPECT_EQ(back.events[0].raw.substr(7, 6), "******");
  }
}

TEST(Block, EveryBitFlipAndEveryCutIsAnError) {
  Batch batch;
  fill(batch, 3);
  BlockEncoder encoder;
  const std::string bytes(encoder.encode(header_of(batch, 500), batch));
  BlockDecoder decoder;
  Batch back;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_FALSE(decoder.decode(std::string_view(bytes).substr(0, i), back));
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = bytes;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
      const auto result = decoder.decode(flipped, back);
      ASSERT_FALSE(result);
      EXPECT_FALSE(result.error().what.empty());
    }
  }
  EXPECT_TRUE(decoder.decode(bytes, back));
}

TEST(Record, ChainNamesTheChangedOne) {
  ChainHash chain{};
  Record r{.seq = {5}, .index = 1, .kind = RecordKind::Command, .at = {7}, .payload = "ack"};
  std::string bytes;
  encode(r, chain, bytes);
  const auto back = decode_record(record_key({5}, 1), bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->record.payload, "ack");
  EXPECT_EQ(back->record.index, 1U);
  EXPECT_EQ(back->hash, chain);
  EXPECT_EQ(chain_hash(ChainHash{}, back->record), chain);
  r.payload = "nak";
  EXPECT_NE(chain_hash(ChainHash{}, r), chain);
  EXPECT_FALSE(decode_record(record_key({5}, 1), bytes.substr(0, 38)));
}

class JournalTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "belfry-journal-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  // Blocks at 1-5 and 8-12, records at 6, 7 and 13.
  void write_some(Store& store) {
    Journal journal(store);
    ASSERT_TRUE(journal.open());
    Batch batch;
    fill(batch, 3);
    Writes w;
    ChainHash chain{};
    Change change;
    change.number = {1};
    change.ticket = TicketChange{};
    ByteWriter stored;
    encode(change, stored);
    ByteWriter trail;
    trail.varint(1);
    trail.varint(1);
    trail.fixed64(hash64(stored.bytes()));
    journal.append_block(w, header_of(batch, 1), batch);
    journal.append_record(w, {.seq = {6}, .kind = RecordKind::Command, .payload = "six"}, chain);
    journal.append_record(
        w, {.seq = {6}, .index = 1, .kind = RecordKind::Changes, .payload = trail.bytes()}, chain);
    journal.append_record(w, {.seq = {7}, .kind = RecordKind::Advance, .payload = "seven"}, chain);
    journal.append_block(w, header_of(batch, 8), batch);
    journal.append_record(w, {.seq = {13}, .kind = RecordKind::Deaf, .payload = "13"}, chain);
    w.put(Table::Change, be64(1), stored.bytes());
    JournalMark mark;
    mark.seq = {13};
    mark.change = {1};
    mark.chain = chain;
    journal.put_mark(w, mark);
    ASSERT_TRUE(journal.put_source(w, "abc", std::string(10'000, 's')));
    ASSERT_TRUE(store.commit(w, true));
  }
  std::unique_ptr<Store> open() {
    auto store = Store::open({.dir = dir_ + "/s"});
    EXPECT_TRUE(store);
    return std::move(*store);
  }
  std::string order(Journal& journal, std::uint64_t from) {
    JournalReader reader = journal.read_from({from});
    std::string out;
    while (true) {
      auto input = reader.next();
      if (!input) {
        return out + input.error().what;
      }
      if (!*input) {
        return out;
      }
      out += (*input)->record != nullptr ? fmt::format("r{} ", (*input)->record->seq.value)
                                         : fmt::format("b{} ", (*input)->block->first.value);
    }
  }
  std::string dir_;
};

TEST_F(JournalTest, BothStreamsComeBackInSeqOrder) {
  auto store = open();
  write_some(*store);
  Journal journal(*store);
  ASSERT_TRUE(journal.open());
  EXPECT_EQ(journal.mark().seq.value, 13U);
  EXPECT_EQ(order(journal, 0), "b1 r6 r7 b8 r13 ");
  EXPECT_EQ(order(journal, 7), "r7 b8 r13 ");
  EXPECT_EQ(order(journal, 14), "");
  EXPECT_EQ(journal.source("abc")->size(), 10'000U);
  EXPECT_FALSE(journal.source("abd"));
}

TEST_F(JournalTest, EpochIsMadeOnceAndAnewByRestore) {
  std::string epoch;
  {
    auto store = open();
    write_some(*store);
    Journal journal(*store);
    ASSERT_TRUE(journal.open());
    epoch = journal.epoch();
    EXPECT_EQ(epoch.size(), 16U);
    SnapshotFiles files(store->dir());
    ASSERT_TRUE(files.write({7}, "state"));
    ASSERT_TRUE(backup_store(*store, dir_ + "/backup"));
    EXPECT_FALSE(backup_store(*store, dir_ + "/backup"));
  }
  ASSERT_TRUE(restore_store(dir_ + "/backup", dir_ + "/restored"));
  EXPECT_FALSE(restore_store(dir_ + "/backup", dir_ + "/restored"));
  auto store = Store::open({.dir = dir_ + "/restored"});
  ASSERT_TRUE(store) << store.error().what;
  Journal journal(**store);
  ASSERT_TRUE(journal.open());
  EXPECT_NE(journal.epoch(), epoch);
  EXPECT_EQ(journal.mark().seq.value, 13U);
  EXPECT_EQ(SnapshotFiles(dir_ + "/restored").newest({13}).state, "state");
}

TEST_F(JournalTest, VerifyFindsNothingThenWhatWasDamaged) {
  {
    auto store = open();
    write_some(*store);
  }
  auto report = verify_store(dir_ + "/s");
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_TRUE(report->findings.empty()) << report->findings.front();
  EXPECT_EQ(report->blocks, 2U);
  EXPECT_EQ(report->events, 10U);
  EXPECT_EQ(report->records, 4U);
  {
    auto store = open();
    Writes w;
    w.erase(Table::Record, record_key({7}, 0));
    auto block = **store->get(Table::Journal, be64(8));
    block[block.size() / 2] = static_cast<char>(block[block.size() / 2] ^ 4);
    w.put(Table::Journal, be64(8), block);
    Change told;
    told.number = {1};
    told.ticket = TicketChange{};
    told.ticket->entry.text = "told otherwise";
    ByteWriter bytes;
    encode(told, bytes);
    w.put(Table::Change, be64(1), bytes.bytes());
    ASSERT_TRUE(store->commit(w, true));
  }
  report = verify_store(dir_ + "/s");
  ASSERT_TRUE(report);
  ASSERT_EQ(report->findings.size(), 3U);
  EXPECT_EQ(report->findings[0], "block at seq 8 does not match its checksum");
  EXPECT_EQ(report->findings[1], "change 1 is not what the record at seq 6 says it was");
  EXPECT_EQ(
      report->findings[2],
      "record at seq 13 (deaf) breaks the chain: it or the one before was changed or removed");
}

TEST_F(JournalTest, DamagedBlockIsAnErrorOfTheReader) {
  auto store = open();
  write_some(*store);
  Writes w;
  w.put(Table::Journal, be64(8), "garbage");
  ASSERT_TRUE(store->commit(w, true));
  Journal journal(*store);
  ASSERT_TRUE(journal.open());
  EXPECT_EQ(order(journal, 6), "r6 r7 block has format 103, this program reads format 1");
}

TEST_F(JournalTest, RetentionDropsByAgeAndNeverBeyondTheSnapshot) {
  auto store = open();
  Journal journal(*store);
  ASSERT_TRUE(journal.open());
  Batch batch;
  fill(batch, 3);
  Writes w;
  for (std::uint64_t i = 0; i < 10; ++i) {
    journal.append_block(w, header_of(batch, 1 + i * 5), batch);
    journal.put_time_mark(w, {static_cast<std::int64_t>(i) * 60'000'000'000}, {1 + i * 5},
                          journal.block_bytes());
  }
  ASSERT_TRUE(store->commit(w, true));
  EXPECT_EQ(journal.retention_border({300'000'000'000}, UINT64_MAX, {1000})->value, 21U);
  EXPECT_EQ(journal.retention_border({300'000'000'000}, UINT64_MAX, {12})->value, 11U);
  EXPECT_EQ(journal.retention_border({0}, UINT64_MAX, {1000})->value, 0U);
  EXPECT_GT(journal.retention_border({0}, 0, {1000})->value, 1U);
  ASSERT_TRUE(journal.drop_before({21}));
  EXPECT_EQ(order(journal, 0), "b21 b26 b31 b36 b41 b46 ");
  std::size_t seen = 0;
  ASSERT_TRUE(journal.read_back([&](const BlockHeader& h, Batch&) {
    EXPECT_EQ(h.first.value, 46 - 5 * seen);
    return ++seen < 3;
  }));
  EXPECT_EQ(seen, 3U);
}

TEST_F(JournalTest, NewestValidSnapshotWinsAndTwoAreKept) {
  SnapshotFiles files(dir_ + "/s");
  EXPECT_EQ(files.newest({99}).seq.value, 0U);
  for (const std::uint64_t seq : {10U, 20U, 30U}) {
    ASSERT_TRUE(files.write({seq}, "state" + std::to_string(seq)));
    files.prune();
  }
  EXPECT_EQ(files.list().size(), 2U);
  EXPECT_EQ(files.newest({99}).state, "state30");
  EXPECT_EQ(files.newest({29}).state, "state20");
  {
    std::fstream file(fmt::format("{}/{:020}", files.dir(), 30),
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(50);
    file.put('\x7f');
  }
  const auto found = files.newest({99});
  EXPECT_EQ(found.state, "state20");
  ASSERT_EQ(found.skipped.size(), 1U);
  EXPECT_NE(found.skipped[0].find("does not match its checksum"), std::string::npos);
}

TEST_F(JournalTest, ASnapshotAsideHasNoNameUntilItIsAdopted) {
  SnapshotFiles files(dir_ + "/s");
  ASSERT_TRUE(files.write_aside({10}, "ten"));
  EXPECT_TRUE(files.list().empty());
  EXPECT_EQ(files.newest({99}).seq.value, 0U);
  ASSERT_TRUE(files.adopt({10}));
  EXPECT_EQ(files.newest({99}).state, "ten");
  EXPECT_FALSE(files.adopt({10}));

  // What a process that was killed left behind.
  ASSERT_TRUE(files.write_aside({20}, "twenty"));
  std::ofstream(fmt::format("{}/{:020}.new.tmp", files.dir(), 30)) << "half";
  files.remove_aside();
  EXPECT_EQ(files.newest({99}).state, "ten");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(files.dir()), {}), 1);
}

}  // namespace
}  // namespace belfry
