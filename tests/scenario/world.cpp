#include "world.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <stdexcept>

#include "belfry/base/text.hpp"
#include "belfry/model/mib_names.hpp"
#include "belfry/model/oid.hpp"
#include "belfry/snmp/decode.hpp"
#include "belfry/syslog/decode.hpp"

namespace belfry::scenario {
namespace {

std::string tlv(unsigned char tag, const std::string& content) {
  std::string out(1, static_cast<char>(tag));
  if (content.size() >= 128) {
    out.push_back(static_cast<char>(0x81));
  }
  out.push_back(static_cast<char>(content.size()));
  return out + content;
}

std::string integer(std::int64_t v, unsigned char tag = 0x02) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>(v >> shift));
  }
  return tlv(tag, bytes);
}

std::string octets(const std::string& name) {
  const auto known = mib_oid("", name);
  return std::string(known ? *known : oid_from_text(name).value_or(""));
}

}  // namespace

std::string trap_packet(const std::string& name,
                        const std::vector<std::pair<std::string, std::string>>& varbinds) {
  const auto bind = [](const std::string& oid, const std::string& value) {
    return tlv(0x30, tlv(0x06, oid) + value);
  };
  std::string list = bind(oid_from_text("1.3.6.1.2.1.1.3.0").value(), integer(100, 0x43)) +
                     bind(oid_from_text("1.3.6.1.6.3.1.1.4.1.0").value(), tlv(0x06, octets(name)));
  std::string instance("\x01");
  for (const auto& [key, value] : varbinds) {
    const auto number = parse_int(value);
    if (key == "ifIndex" && number) {
      instance = oid_from_text("1.3." + value).value().substr(1);
    }
    list += bind(octets(key) + instance, number ? integer(*number) : tlv(0x04, value));
  }
  const std::string pdu = integer(1) + integer(0) + integer(0) + tlv(0x30, list);
  return tlv(0x30, tlv(0x02, "\x01") + tlv(0x04, "public") + tlv(0xA7, pdu));
}

std::unique_ptr<Batch> LoopPort::take_batch() {
  auto batch = std::make_unique<Batch>();
  batch->collector = id();
  batch->number = ++numbers_;
  return batch;
}

bool LoopPort::try_push(std::unique_ptr<Batch>& batch) {
  pushed.push_back(std::move(batch));
  return true;
}

World::World(Versions versions, const DeskOptions& desk, Instant start)
    : clock_(start),
      versions_(std::make_shared<Versions>(std::move(versions))),
      port_(versions_),
      intake_(port_, clock_, ledger_, metrics_, {}),
      now_(start) {
  inventory_ = versions_->inventory;
  correlator_.set_program(versions_->program, Seq{1}, start, changes_);
  correlator_.set_inventory(versions_->inventory, Seq{2}, start, changes_);
  DeskOut out;
  desk_.set_program(versions_->program, Seq{1}, start, out);
  desk_.set_options(desk, Seq{3}, start, out);
}

std::string World::address_of(const std::string& node) const {
  const Inventory& inventory = *versions_->inventory;
  const std::uint32_t table = versions_->program->node_table;
  const Row* row = table == kNoIndex ? nullptr : inventory.find(table, node);
  if (row == nullptr) {
    throw std::runtime_error("no device is called " + node);
  }
  const auto& columns = inventory.schema().tables[table].columns;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (columns[c].name == "ip") {
      return std::string(row->cells[c].text);
    }
  }
  throw std::runtime_error("devices have no column ip");
}

void World::advance(Instant to) {
  while (true) {
    const Instant due = std::min(correlator_.next_deadline(), desk_.next_deadline());
    if (due > to) {
      break;
    }
    now_ = std::max(now_, due);
    correlator_.advance(now_, Seq{++seq_}, changes_);
    pass_on(Seq{seq_}, now_);
    DeskOut out;
    desk_.advance(now_, Seq{seq_}, out);
    effects_.insert(effects_.end(), out.effects.begin(), out.effects.end());
  }
  clock_.advance(to - now_);
  now_ = std::max(now_, to);
}

void World::pass_on(Seq seq, Instant at) {
  for (const IncidentChange& change : changes_) {
    const auto same = std::find_if(incidents_.begin(), incidents_.end(),
                                   [&](const Incident& i) { return i.id == change.after.id; });
    if (same == incidents_.end()) {
      incidents_.push_back(change.after);
    } else {
      *same = change.after;
    }
    DeskOut out;
    desk_.on_incident(change, seq, at, out);
    effects_.insert(effects_.end(), out.effects.begin(), out.effects.end());
  }
  changes_.clear();
}

void World::fold_batches() {
  while (!intake_.finish()) {
  }
  for (; !port_.pushed.empty(); port_.pushed.pop_front()) {
    const Batch& batch = *port_.pushed.front();
    for (std::uint32_t e = 0; e < batch.events.size(); ++e) {
      std::vector<Match> matches;
      std::copy_if(batch.matches.begin(), batch.matches.end(), std::back_inserter(matches),
                   [e](const Match& m) { return m.event == e; });
      ++events_;
      correlator_.on_event(batch.events[e], matches, Seq{++seq_}, now_, changes_);
      pass_on(Seq{seq_}, now_);
    }
  }
}

void World::syslog(const std::string& node, const std::string& text) {
  const std::string from = address_of(node);
  intake_.tick();
  Event& event = intake_.begin();
  belfry::syslog::decode(intake_.arena().copy("<187>" + text), intake_.arena(), now_, event);
  event.from = intake_.arena().copy(from);
  intake_.commit();
  fold_batches();
}

void World::trap(const std::string& node, const std::string& packet) {
  const std::string from = address_of(node);
  intake_.tick();
  Event& event = intake_.begin();
  const auto verdict = snmp::decode(intake_.arena().copy(packet), intake_.arena(), event);
  if (verdict != snmp::Verdict::Ok) {
    throw std::runtime_error("the trap was refused: " + std::string(name(verdict)));
  }
  event.from = intake_.arena().copy(from);
  intake_.commit();
  fold_batches();
}

void World::probe(const std::string& node, const std::string& check, const std::string& status) {
  intake_.tick();
  Event& event = intake_.begin();
  Arena& arena = intake_.arena();
  event.kind = EventKind::Probe;
  event.type = "probe";
  event.node = arena.copy(node);
  auto attrs = arena.array<Attr>(3);
  attrs[0] = {"check", Value::string(arena.copy(check))};
  attrs[1] = {"status", Value::string(arena.copy(status))};
  attrs[2] = {"vantage", Value::string("scenario")};
  event.attrs = attrs;
  intake_.commit();
  fold_batches();
}

void World::works(const std::string& id, const std::string& ref, Instant from, Instant to) {
  const std::uint32_t table = versions_->program->schema->find_table("works");
  InventoryBuilder builder(versions_->program->schema);
  builder.copy_from(*inventory_);
  const std::vector<Value> items{Value::string(ref)};
  const ValueSet set{items};
  std::vector<Value> cells;
  for (const ColumnSchema& column : inventory_->schema().tables[table].columns) {
    Value cell;
    if (column.name == "id") {
      cell = Value::string(id);
    } else if (column.name == "refs") {
      cell.type = Type::Set;
      cell.set = &set;
    } else if (column.name == "start" || column.name == "end") {
      cell = Value::time(column.name == "start" ? from : to);
    }
    cells.push_back(cell);
  }
  builder.add_row(table, cells);
  inventory_ = *builder.build(inventory_->version() + 1);
  correlator_.set_inventory(inventory_, Seq{++seq_}, now_, changes_);
  pass_on(Seq{seq_}, now_);
}

CommandResult World::command(Command command) {
  DeskOut out;
  const CommandResult result = desk_.on_command(command, Seq{++seq_}, now_, out);
  effects_.insert(effects_.end(), out.effects.begin(), out.effects.end());
  return result;
}

}  // namespace belfry::scenario
