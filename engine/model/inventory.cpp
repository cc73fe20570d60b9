#include "belfry/model/inventory.hpp"

#include <algorithm>
#include <bit>
#include <unordered_map>

#include "belfry/base/hash.hpp"
#include "belfry/model/arena.hpp"
#include "belfry/model/dominators.hpp"

namespace belfry {
namespace {

// All tables together; at ~250 bytes a row this is half a gigabyte, more than any network we know.
constexpr std::size_t kRowsMax = 2'000'000;
// Pairs (below, above) that all dominators of one transitive relation may make: 32 bytes each,
// twice. A real tree of uplinks is at most some ten levels deep; a chain of 10,000 rows would need
// 50 M.
constexpr std::size_t kDominancePairsMax = 8'000'000;

template <class Named>
std::uint32_t find_named(const std::vector<Named>& items, std::string_view name) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].name == name) {
      return static_cast<std::uint32_t>(i);
    }
  }
  return kNoIndex;
}

bool is_text(Type type) {
  switch (type) {
    case Type::String:
    case Type::Enum:
    case Type::Ip:
    case Type::Cidr:
    case Type::Mac:
    case Type::Row:
      return true;
    default:
      return false;
  }
}

void append_key(std::string& out, std::span<const Value> key) {
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (i > 0) {
      out.push_back('\x1f');
    }
    if (is_text(key[i].type)) {
      out.append(key[i].text);
    } else {
      out.append(to_text(key[i]));
    }
  }
}

/// Row numbers by key text: open addressing, a row's number + 1 in each slot. The rows own the
/// keys.
class KeyTable {
 public:
  std::uint32_t find(std::string_view key, const std::vector<Row>& rows) const {
    if (slots_.empty()) {
      return kNoIndex;
    }
    for (std::size_t at = hash64(key) & mask();; at = (at + 1) & mask()) {
      if (slots_[at] == 0) {
        return kNoIndex;
      }
      if (rows[slots_[at] - 1].key == key) {
        return slots_[at] - 1;
      }
    }
  }
  /// The last of `rows` is new.
  void add_last(const std::vector<Row>& rows) {
    if (rows.size() * 2 > slots_.size()) {
      rebuild(rows);
    } else {
      insert(rows.back().key, static_cast<std::uint32_t>(rows.size()));
    }
  }
  void rebuild(const std::vector<Row>& rows) {
    std::size_t size = 16;
    while (size < rows.size() * 3) {
      size *= 2;
    }
    slots_.assign(size, 0);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      insert(rows[i].key, static_cast<std::uint32_t>(i + 1));
    }
  }

 private:
  std::size_t mask() const { return slots_.size() - 1; }
  void insert(std::string_view key, std::uint32_t number) {
    std::size_t at = hash64(key) & mask();
    while (slots_[at] != 0) {
      at = (at + 1) & mask();
    }
    slots_[at] = number;
  }
  std::vector<std::uint32_t> slots_;
};

struct ValueHash {
  std::size_t operator()(const Value& v) const {
    const auto type = static_cast<std::uint64_t>(v.type);
    switch (v.type) {
      case Type::Int:
        return static_cast<std::size_t>(hash_mix(0, static_cast<std::uint64_t>(v.i)));
      case Type::Float:  // equal to an Int of the same value, so it hashes as one
        return static_cast<std::size_t>(
            hash_mix(0, v.f > -9e15 && v.f < 9e15
                            ? static_cast<std::uint64_t>(static_cast<std::int64_t>(v.f))
                            : 0));
      case Type::Bool:
      case Type::Duration:
      case Type::Time:
      case Type::Enum:
        return static_cast<std::size_t>(hash_mix(type, static_cast<std::uint64_t>(v.i)));
      case Type::None:
      case Type::Set:
        return static_cast<std::size_t>(type);
      default:
        return static_cast<std::size_t>(hash64(v.text, type));
    }
  }
};

/// One relation, ready to be asked: both directions as slices of one array each.
struct Pairs {
  std::vector<std::pair<Value, Value>> given;  ///< as added; copy_from() takes these
  std::uint64_t given_hash = 0;
  std::unordered_map<Value, std::uint32_t, ValueHash> ids;
  std::vector<Value> values;  ///< by id
  std::vector<Value> up, down;
  std::vector<std::size_t> up_at, down_at;  ///< by id, one more at the end
  std::vector<std::uint32_t> enter, leave;  ///< transitive: Euler interval; enter 0 = unreached

  std::uint32_t id_of(const Value& v) {
    const auto [it, added] = ids.try_emplace(v, static_cast<std::uint32_t>(values.size()));
    if (added) {
      values.push_back(v);
    }
    return it->second;
  }
  std::span<const Value> slice(const std::vector<Value>& all, const std::vector<std::size_t>& at,
                               const Value& v) const {
    const auto it = ids.find(v);
    if (it == ids.end()) {
      return {};
    }
    return std::span(all).subspan(at[it->second], at[it->second + 1] - at[it->second]);
  }
};

using Edges = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

/// Fills `all`/`at` with the second ids of `edges` by first id.
void fill(Pairs& pairs, Edges edges, std::vector<Value>& all, std::vector<std::size_t>& at) {
  std::sort(edges.begin(), edges.end(), [&](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first
                              : sorts_before(pairs.values[a.second], pairs.values[b.second]);
  });
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  at.assign(pairs.values.size() + 1, 0);
  for (const auto& [from, to] : edges) {
    ++at[from + 1];
    all.push_back(pairs.values[to]);
  }
  for (std::size_t i = 1; i < at.size(); ++i) {
    at[i] += at[i - 1];
  }
}

Edges turned(const Edges& edges) {
  Edges out;
  out.reserve(edges.size());
  for (const auto& [x, y] : edges) {
    out.emplace_back(y, x);
  }
  return out;
}

/// Flow graph of a transitive relation: node 0 stands above all rows that have nothing above them,
/// node i + 1 is value i, and edges go down.
std::vector<std::vector<std::uint32_t>> flow_graph(const Pairs& pairs, const Edges& edges) {
  std::vector<std::vector<std::uint32_t>> below(pairs.values.size() + 1);
  std::vector<bool> has_above(pairs.values.size());
  for (const auto& [x, y] : edges) {
    if (x != y) {
      has_above[x] = true;
      below[y + 1].push_back(x + 1);
    }
  }
  for (std::uint32_t i = 0; i < pairs.values.size(); ++i) {
    if (!has_above[i]) {
      below[0].push_back(i + 1);
    }
  }
  return below;
}

void number_tree(Pairs& pairs, const std::vector<std::vector<std::uint32_t>>& children) {
  pairs.enter.assign(children.size(), 0);
  pairs.leave.assign(children.size(), 0);
  std::uint32_t clock = 0;
  std::vector<std::pair<std::uint32_t, std::size_t>> stack{{0, 0}};
  pairs.enter[0] = ++clock;
  while (!stack.empty()) {
    auto& [node, next] = stack.back();
    if (next < children[node].size()) {
      const std::uint32_t child = children[node][next++];
      pairs.enter[child] = ++clock;
      stack.emplace_back(child, 0);
      continue;
    }
    pairs.leave[node] = ++clock;
    stack.pop_back();
  }
}

/// x.relation(y) of a transitive relation is dominance. False: too many pairs.
bool dominance(Pairs& pairs, const Edges& edges) {
  const std::size_t nodes = pairs.values.size() + 1;
  const Dominators dominators(flow_graph(pairs, edges));
  std::vector<std::vector<std::uint32_t>> children(nodes);
  for (const std::uint32_t node : dominators.postorder()) {
    if (const std::uint32_t up = dominators.immediate(node); up != kNoIndex) {
      children[up].push_back(node);
    }
  }
  number_tree(pairs, children);
  Edges downward;
  pairs.up_at.assign(nodes, 0);
  for (std::uint32_t node = 1; node < nodes; ++node) {
    for (std::uint32_t up = dominators.immediate(node); up != kNoIndex && up != 0;
         up = dominators.immediate(up)) {
      if (pairs.up.size() == kDominancePairsMax) {
        return false;
      }
      pairs.up.push_back(pairs.values[up - 1]);
      downward.emplace_back(up - 1, node - 1);
    }
    pairs.up_at[node] = pairs.up.size();
  }
  fill(pairs, std::move(downward), pairs.down, pairs.down_at);
  return true;
}

}  // namespace

std::uint32_t Schema::find_table(std::string_view name) const { return find_named(tables, name); }
std::uint32_t Schema::find_enum(std::string_view name) const { return find_named(enums, name); }
std::uint32_t Schema::find_relation(std::string_view name) const {
  return find_named(relations, name);
}

namespace {

std::uint64_t hash_of(const Value& v, std::uint64_t h) {
  h = hash_mix(h, static_cast<std::uint64_t>(v.type) << 32 | v.aux);
  if (v.type == Type::Set) {
    for (const Value& item : v.items()) {
      h = hash_of(item, h);
    }
    return hash_mix(h, v.items().size());
  }
  if (v.type == Type::Float) {
    return hash_mix(h, std::bit_cast<std::uint64_t>(v.f));
  }
  return v.text.empty() ? hash_mix(h, static_cast<std::uint64_t>(v.i)) : hash64(v.text, h);
}

}  // namespace

struct Inventory::Impl {
  struct Table {
    std::vector<Row> rows;
    KeyTable by_key;
    std::uint64_t hash = 0;
  };
  Arena arena;  ///< every text, cell and set of this version
  std::vector<Table> tables;
  std::vector<Pairs> relations;
  std::size_t rows = 0;
  bool too_many = false;

  Value own(const Value& v) {
    Value out = v;
    out.text = arena.copy(v.text);
    if (v.type == Type::Set) {
      const std::span<Value> items = arena.array<Value>(v.items().size());
      std::transform(v.items().begin(), v.items().end(), items.begin(),
                     [this](const Value& item) { return own(item); });
      std::sort(items.begin(), items.end(), sorts_before);
      const auto end = std::unique(items.begin(), items.end());
      const std::span<ValueSet> set = arena.array<ValueSet>(1);
      set[0].items = items.first(static_cast<std::size_t>(end - items.begin()));
      out.set = set.data();
    }
    return out;
  }
};

Inventory::Inventory() = default;
Inventory::~Inventory() = default;

std::size_t Inventory::row_count(std::uint32_t table) const {
  return table < impl_->tables.size() ? impl_->tables[table].rows.size() : 0;
}

std::uint64_t Inventory::table_hash(std::uint32_t table) const {
  return table < impl_->tables.size() ? impl_->tables[table].hash : 0;
}
std::uint64_t Inventory::pairs_hash(std::uint32_t relation) const {
  return relation < impl_->relations.size() ? impl_->relations[relation].given_hash : 0;
}

const Row& Inventory::row(std::uint32_t table, std::size_t i) const {
  return impl_->tables[table].rows[i];
}

const Row* Inventory::find(std::uint32_t table, std::string_view key) const {
  if (table >= impl_->tables.size()) {
    return nullptr;
  }
  const Impl::Table& in = impl_->tables[table];
  const std::uint32_t at = in.by_key.find(key, in.rows);
  return at == kNoIndex ? nullptr : &in.rows[at];
}

const Row* Inventory::find(std::uint32_t table, std::span<const Value> key) const {
  if (key.size() == 1 && is_text(key[0].type)) {
    return find(table, key[0].text);
  }
  thread_local std::string joined;  // keeps its memory: no allocation per lookup
  joined.clear();
  append_key(joined, key);
  return find(table, joined);
}

std::string Inventory::join_key(std::span<const Value> key) {
  std::string out;
  append_key(out, key);
  return out;
}

bool Inventory::related(std::uint32_t relation, const Value& x, const Value& y) const {
  if (relation >= impl_->relations.size()) {
    return false;
  }
  const Pairs& pairs = impl_->relations[relation];
  if (!schema_->relations[relation].transitive) {
    const auto all = forward(relation, x);
    return std::binary_search(all.begin(), all.end(), y, sorts_before);
  }
  const auto below = pairs.ids.find(x);
  const auto above = pairs.ids.find(y);
  if (below == pairs.ids.end() || above == pairs.ids.end()) {
    return false;
  }
  const std::uint32_t b = below->second + 1;
  const std::uint32_t a = above->second + 1;
  return a != b && pairs.enter[a] != 0 && pairs.enter[b] > pairs.enter[a] &&
         pairs.leave[b] < pairs.leave[a];
}

std::span<const Value> Inventory::forward(std::uint32_t relation, const Value& x) const {
  if (relation >= impl_->relations.size()) {
    return {};
  }
  const Pairs& pairs = impl_->relations[relation];
  return pairs.slice(pairs.up, pairs.up_at, x);
}

std::span<const Value> Inventory::backward(std::uint32_t relation, const Value& y) const {
  if (relation >= impl_->relations.size()) {
    return {};
  }
  const Pairs& pairs = impl_->relations[relation];
  return pairs.slice(pairs.down, pairs.down_at, y);
}

InventoryBuilder::InventoryBuilder(std::shared_ptr<const Schema> schema)
    : impl_(std::make_unique<Inventory::Impl>()), schema_(std::move(schema)) {
  impl_->tables.resize(schema_->tables.size());
  impl_->relations.resize(schema_->relations.size());
}
InventoryBuilder::~InventoryBuilder() = default;

void InventoryBuilder::copy_from(const Inventory& base) {
  for (std::uint32_t t = 0; t < base.impl_->tables.size(); ++t) {
    for (const Row& row : base.impl_->tables[t].rows) {
      add_row(t, row.cells);
    }
  }
  for (std::uint32_t r = 0; r < base.impl_->relations.size(); ++r) {
    for (const auto& [x, y] : base.impl_->relations[r].given) {
      add_pair(r, x, y);
    }
  }
}

bool InventoryBuilder::add_row(std::uint32_t table, std::span<const Value> cells) {
  if (table >= impl_->tables.size()) {
    return false;
  }
  const TableSchema& schema = schema_->tables[table];
  const std::span<Value> own = impl_->arena.array<Value>(schema.columns.size());
  for (std::size_t i = 0; i < own.size() && i < cells.size(); ++i) {
    own[i] = impl_->own(cells[i]);
  }
  std::vector<Value> key;
  for (const std::uint32_t column : schema.key) {
    key.push_back(own[column]);
  }
  const std::string joined = Inventory::join_key(key);
  auto& in = impl_->tables[table];
  if (const std::uint32_t old = in.by_key.find(joined, in.rows); old != kNoIndex) {
    in.rows[old].cells = own;
    return false;
  }
  if (impl_->rows == kRowsMax) {
    impl_->too_many = true;
    return false;
  }
  ++impl_->rows;
  in.rows.push_back({impl_->arena.copy(joined), own});
  in.by_key.add_last(in.rows);
  return true;
}

void InventoryBuilder::add_pair(std::uint32_t relation, const Value& x, const Value& y) {
  if (relation < impl_->relations.size() && !x.is_none() && !y.is_none()) {
    impl_->relations[relation].given.emplace_back(impl_->own(x), impl_->own(y));
  }
}

namespace {

/// Pairs that a column gives: a set column each of its items, any other its value.
Edges column_pairs(Pairs& pairs, const std::vector<Row>& rows, const RelationSchema& relation) {
  Edges edges;
  for (const Row& row : rows) {
    const Value& cell = row.cells[relation.column];
    if (cell.is_none()) {
      continue;
    }
    const std::uint32_t x = pairs.id_of(Value::row(relation.column_table, row.key));
    if (cell.type == Type::Set) {
      for (const Value& item : cell.items()) {
        edges.emplace_back(x, pairs.id_of(item));
      }
    } else {
      edges.emplace_back(x, pairs.id_of(cell));
    }
  }
  return edges;
}

}  // namespace

Result<std::shared_ptr<const Inventory>> InventoryBuilder::build(std::uint64_t version) {
  if (impl_->too_many) {
    return fail(Code::Invalid, "the inventory has more than {} rows", kRowsMax);
  }
  for (auto& table : impl_->tables) {
    std::sort(table.rows.begin(), table.rows.end(),
              [](const Row& a, const Row& b) { return a.key < b.key; });
    table.by_key.rebuild(table.rows);
    for (const Row& row : table.rows) {
      for (const Value& cell : row.cells) {
        table.hash = hash_of(cell, table.hash);
      }
    }
  }
  for (std::size_t r = 0; r < impl_->relations.size(); ++r) {
    const RelationSchema& schema = schema_->relations[r];
    Pairs& pairs = impl_->relations[r];
    Edges edges;
    if (schema.column_table < impl_->tables.size()) {
      edges = column_pairs(pairs, impl_->tables[schema.column_table].rows, schema);
    }
    for (const auto& [x, y] : pairs.given) {
      pairs.given_hash = hash_of(y, hash_of(x, pairs.given_hash));
      const std::uint32_t from = pairs.id_of(x);
      edges.emplace_back(from, pairs.id_of(y));
    }
    if (!schema.transitive) {
      fill(pairs, edges, pairs.up, pairs.up_at);
      fill(pairs, turned(edges), pairs.down, pairs.down_at);
    } else if (!dominance(pairs, edges)) {
      return fail(Code::Invalid,
                  "relation '{}' is too deep: more than {} pairs of a row and what lies above it; "
                  "is there a chain of thousands of rows?",
                  schema.name, kDominancePairsMax);
    }
  }
  std::shared_ptr<Inventory> out(new Inventory());
  out->impl_ = std::move(impl_);
  out->schema_ = schema_;
  out->version_ = version;
  return std::shared_ptr<const Inventory>(std::move(out));
}

}  // namespace belfry
