#include "naming.hpp"

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include "belfry/model/oid.hpp"
#include "belfry/rules/program.hpp"

namespace belfry::intake {
namespace {

using namespace std::string_view_literals;

// BER content octets of IF-MIB columns.
constexpr std::string_view kIfEntry = "\x2b\x06\x01\x02\x01\x02\x02\x01"sv;  // 1.3.6.1.2.1.2.2.1
constexpr std::string_view kIfXEntry =
    "\x2b\x06\x01\x02\x01\x1f\x01\x01\x01"sv;  // 1.3.6.1.2.1.31.1.1.1
constexpr char kIfIndexColumn = 1, kIfDescrColumn = 2, kIfNameColumn = 1;

bool holds_addresses(const ColumnSchema& column) {
  return column.type == Type::Ip ||
         (column.type == Type::String && (column.name == "ip" || column.name == "ips"));
}

std::uint32_t find_column(const TableSchema& table, std::string_view a, std::string_view b) {
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].name == a || table.columns[i].name == b) {
      return static_cast<std::uint32_t>(i);
    }
  }
  return kNoIndex;
}

/// Calls `f` with the text of a cell, or with each text of a set.
template <class F>
void each_text(const Value& cell, F&& f) {
  if (cell.type == Type::Set) {
    for (const Value& item : cell.items()) {
      f(item.text);
    }
  } else if (!cell.is_none()) {
    f(cell.text);
  }
}

}  // namespace

Naming::Naming(std::shared_ptr<const Versions> versions) : versions_(std::move(versions)) {
  if (versions_ == nullptr || versions_->program == nullptr || versions_->inventory == nullptr) {
    return;
  }
  const Inventory& inventory = *versions_->inventory;
  const rules::Program& program = *versions_->program;
  if (program.node_table != rules::kNone) {
    index_nodes(inventory, program.node_table);
  }
  if (program.port_table != rules::kNone) {
    index_ports(inventory, program.port_table);
  }
}

std::shared_ptr<const Naming> Naming::of(const std::shared_ptr<const Versions>& versions) {
  // Collector threads swap versions one after the other; the last one built serves them all.
  static absl::Mutex mutex;
  static std::weak_ptr<const Naming> last ABSL_GUARDED_BY(mutex);
  const absl::MutexLock lock(&mutex);
  std::shared_ptr<const Naming> naming = last.lock();
  if (naming == nullptr || naming->versions_ == nullptr || versions == nullptr ||
      naming->versions_->inventory != versions->inventory ||
      naming->versions_->program != versions->program) {
    naming = std::make_shared<const Naming>(versions);
    last = naming;
  }
  return naming;
}

void Naming::index_nodes(const Inventory& inventory, std::uint32_t table) {
  const TableSchema& schema = inventory.schema().tables[table];
  by_address_.reserve(inventory.row_count(table));
  for (std::size_t i = 0; i < inventory.row_count(table); ++i) {
    const Row& row = inventory.row(table, i);
    for (std::size_t c = 0; c < schema.columns.size() && c < row.cells.size(); ++c) {
      if (holds_addresses(schema.columns[c])) {
        each_text(row.cells[c],
                  [&](std::string_view text) { by_address_.try_emplace(text, row.key); });
      }
    }
  }
}

void Naming::index_ports(const Inventory& inventory, std::uint32_t table) {
  const TableSchema& schema = inventory.schema().tables[table];
  if (schema.key.size() != 2) {
    return;
  }
  has_ports_ = true;
  const std::uint32_t node = schema.key[0], name = schema.key[1];
  const std::uint32_t ifindex = find_column(schema, "ifindex", "if_index");
  const std::uint32_t alias = find_column(schema, "aliases", "alias");
  for (std::size_t i = 0; i < inventory.row_count(table); ++i) {
    const Row& row = inventory.row(table, i);
    const std::string_view node_key = row.cells[node].text, port = row.cells[name].text;
    ports_.insert_or_assign(PortKey{node_key, port, -1}, port);  // a name goes before any alias
    if (ifindex != kNoIndex && row.cells[ifindex].type == Type::Int) {
      ports_.try_emplace(PortKey{node_key, {}, row.cells[ifindex].i}, port);
    }
    if (alias != kNoIndex) {
      each_text(row.cells[alias], [&](std::string_view text) {
        ports_.try_emplace(PortKey{node_key, text, -1}, port);
      });
    }
  }
}

std::string_view Naming::node_of_address(std::string_view address) const {
  const auto it = by_address_.find(address);
  return it == by_address_.end() ? std::string_view() : it->second;
}

std::string_view Naming::node_of_name(std::string_view name) const {
  if (versions_ == nullptr || versions_->program == nullptr || versions_->inventory == nullptr ||
      versions_->program->node_table == rules::kNone) {
    return {};
  }
  const auto find = [this](std::string_view key) -> std::string_view {
    const Row* row = versions_->inventory->find(versions_->program->node_table, key);
    return row == nullptr ? std::string_view() : row->key;
  };
  if (const std::string_view node = find(name); !node.empty()) {
    return node;
  }
  const std::size_t dot = name.find('.');
  return dot == std::string_view::npos || dot == 0 ? std::string_view() : find(name.substr(0, dot));
}

std::string_view Naming::canonical_node(std::string_view name) const {
  if (const std::string_view by_name = node_of_name(name); !by_name.empty()) {
    return by_name;
  }
  const std::string_view by_address = node_of_address(name);
  return by_address.empty() ? name : by_address;
}

std::string_view Naming::port_by_index(std::string_view node, std::int64_t ifindex) const {
  const auto it = ports_.find(PortKey{node, {}, ifindex});
  return it == ports_.end() ? std::string_view() : it->second;
}

std::string_view Naming::port_by_name(std::string_view node, std::string_view name_or_alias) const {
  const auto it = ports_.find(PortKey{node, name_or_alias, -1});
  return it == ports_.end() ? std::string_view() : it->second;
}

std::int64_t ifindex_of(const Event& event) {
  std::int64_t by_instance = -1;
  for (const Varbind& v : event.varbinds) {
    const bool entry = v.oid.starts_with(kIfEntry) && v.oid.size() > kIfEntry.size() + 1;
    if (entry && v.oid[kIfEntry.size()] == kIfIndexColumn && v.type == VarType::Integer) {
      return v.number;
    }
    if (by_instance < 0 && entry) {
      by_instance = oid_single_arc(v.oid.substr(kIfEntry.size() + 1));
    } else if (by_instance < 0 && v.oid.starts_with(kIfXEntry) &&
               v.oid.size() > kIfXEntry.size() + 1) {
      by_instance = oid_single_arc(v.oid.substr(kIfXEntry.size() + 1));
    }
  }
  return by_instance;
}

std::string_view ifname_varbind(const Event& event) {
  std::string_view descr;
  for (const Varbind& v : event.varbinds) {
    if (v.type != VarType::OctetString) {
      continue;
    }
    if (v.oid.starts_with(kIfXEntry) && v.oid.size() > kIfXEntry.size() &&
        v.oid[kIfXEntry.size()] == kIfNameColumn) {
      return v.bytes;
    }
    if (descr.empty() && v.oid.starts_with(kIfEntry) && v.oid.size() > kIfEntry.size() &&
        v.oid[kIfEntry.size()] == kIfDescrColumn) {
      descr = v.bytes;
    }
  }
  return descr;
}

std::string_view ifname_in_text(std::string_view message) {
  constexpr std::size_t kLookMax = 160;  // headers and object names stand in front
  constexpr std::string_view kWords[]{"nterface ", "ifName "};
  const std::string_view head = message.substr(0, kLookMax);
  for (const std::string_view word : kWords) {
    const std::size_t at = head.find(word);
    if (at == std::string_view::npos) {
      continue;
    }
    const std::size_t begin = at + word.size();
    std::size_t end = begin;
    while (end < message.size() && message[end] != ' ' && message[end] != ',' &&
           message[end] != ')' && message[end] != ';' && message[end] != '\n') {
      ++end;
    }
    while (end > begin && (message[end - 1] == ':' || message[end - 1] == '.')) {
      --end;
    }
    return message.substr(begin, end - begin);
  }
  return {};
}

namespace {

/// What the device itself calls it; in the inventory's words where that knows one of its names.
std::string_view polled_name(const Naming& naming, std::string_view node, const PolledPort& port,
                             Arena& arena) {
  for (const std::string_view text : {std::string_view(port.name), std::string_view(port.descr)}) {
    const std::string_view known = naming.port_by_name(node, text);
    if (!text.empty() && !known.empty()) {
      return known;
    }
  }
  return arena.copy(port.name.empty() ? port.descr : port.name);
}

}  // namespace

void name_port(const Naming& naming, Event& e, const PolledPorts::View* polled, Arena* arena) {
  if (!e.ifname.empty()) {
    return;
  }
  if (e.kind == EventKind::Trap && !e.varbinds.empty()) {
    const std::int64_t ifindex = ifindex_of(e);
    if (ifindex >= 0) {
      e.ifname = naming.port_by_index(e.node, ifindex);
    }
    if (e.ifname.empty() && ifindex >= 0 && polled != nullptr) {
      const PolledPort* port = polled->find(e.node, ifindex);
      e.ifname = port == nullptr ? std::string_view() : polled_name(naming, e.node, *port, *arena);
    }
    if (e.ifname.empty()) {
      const std::string_view text = ifname_varbind(e);
      const std::string_view port_name = naming.port_by_name(e.node, text);
      e.ifname = port_name.empty() ? text : port_name;
    }
  } else if (e.kind == EventKind::Syslog && !e.vendor.empty() && naming.has_ports()) {
    std::string_view text;
    for (const Attr& attr : e.attrs) {
      if (attr.name == "interface") {
        text = attr.value.text;
      }
    }
    text = text.empty() ? ifname_in_text(e.message) : text;
    if (!text.empty()) {
      const std::string_view port_name = naming.port_by_name(e.node, text);
      e.ifname = !port_name.empty()                                           ? port_name
                 : text.find_first_of("0123456789") != std::string_view::npos ? text
                                                                              : std::string_view();
    }
  }
}

}  // namespace belfry::intake
