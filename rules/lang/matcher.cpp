// The stateless half of a program: groups of lines by their head, the head's template, the lines of
// the group by what they ask, then `where`, then the key: each only for what passed before.
#include "belfry/rules/matcher.hpp"

#include <absl/container/flat_hash_map.h>
#include <hs/hs.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "belfry/base/check.hpp"
#include "belfry/rules/eval.hpp"
#include "clause_index.hpp"
#include "eval_types.hpp"
#include "template.hpp"

namespace belfry::rules {
namespace {

/// Beyond it sums of many samples would lose what a number means.
constexpr double kSampleMax = 1e30;

/// (node, alias) -> name of the port, from the table `port`. Views into the inventory.
struct AliasIndex {
  absl::flat_hash_map<std::string, std::string_view, TextHash, std::equal_to<>> port_of;
};

std::shared_ptr<const AliasIndex> build_aliases(const Program& program,
                                                const Inventory& inventory) {
  auto out = std::make_shared<AliasIndex>();
  const Index table = program.port_table;
  if (table == kNone || table >= inventory.schema().tables.size()) {
    return out;
  }
  const auto& columns = inventory.schema().tables[table].columns;
  const auto column = [&](std::string_view name) {
    const auto it =
        std::find_if(columns.begin(), columns.end(), [&](const auto& c) { return c.name == name; });
    return static_cast<std::size_t>(it - columns.begin());
  };
  const std::size_t node = column("node");
  const std::size_t ifname = column("ifname");
  const std::size_t aliases = column("aliases");
  const std::size_t ifindex = column("ifindex");
  if (node == columns.size() || ifname == columns.size()) {
    return out;
  }
  const auto add = [&](const Row& row, std::string_view alias) {
    std::string key = std::string(row.cells[node].text) + '\x1f' + std::string(alias);
    if (inventory.find(table, key) == nullptr) {  // a port's own name is nobody's alias
      out->port_of.emplace(std::move(key), row.cells[ifname].text);
    }
  };
  for (std::size_t r = 0; r < inventory.row_count(table); ++r) {
    const Row& row = inventory.row(table, r);
    if (aliases < columns.size()) {
      for (const Value& alias : row.cells[aliases].items()) {
        add(row, alias.text);
      }
    }
    if (ifindex < columns.size() && row.cells[ifindex].type == Type::Int) {
      add(row, std::to_string(row.cells[ifindex].i));
    }
  }
  return out;
}

/// What matchers of the same program or inventory share, while one of them lives.
template <class Key, class T, class Make>
std::shared_ptr<const T> shared(std::map<Key, std::weak_ptr<const T>>& cache, const Key& key,
                                Make make) {
  static std::mutex mutex;
  const std::lock_guard<std::mutex> lock(mutex);
  std::erase_if(cache, [](const auto& item) { return item.second.expired(); });
  std::weak_ptr<const T>& slot = cache[key];
  std::shared_ptr<const T> out = slot.lock();
  if (!out) {
    out = make();
    slot = out;
  }
  return out;
}

}  // namespace

struct Matcher::Impl {
  /// A clause whose head matched, and where the holes of its group stand.
  struct Candidate {
    Index clause = kNone;
    std::uint32_t holes = 0;
  };

  std::shared_ptr<const Program> program;
  std::shared_ptr<const Inventory> inventory;
  std::shared_ptr<const ClauseIndex> index;
  std::shared_ptr<const AliasIndex> aliases;
  std::optional<Registers> registers;
  hs_scratch_t* scratch = nullptr;
  std::vector<Index> groups;  ///< to look at
  std::vector<int> atoms;
  std::vector<Candidate> candidates;
  std::vector<std::array<Value, kHolesMax>> holes;  ///< of the groups that matched
  std::size_t matched = 0;
  std::string alias_key;
  Slices slices;
  Looks looks;

  ~Impl() { hs_free_scratch(scratch); }

  const TypeIndex* type_of(std::string_view name) {
    const auto it = index->types.find(name);
    return it == index->types.end() ? nullptr : &it->second;
  }

  std::string_view head_text(const TypeIndex& type, const Event& event) const {
    switch (type.head) {
      case EventField::Msg:
        return event.message;
      case EventField::App:
        return event.app;
      case EventField::Tag:
        return event.tag;
      case EventField::Host:
        return event.host;
      case EventField::Msgid:
        return event.msgid;
      case EventField::Raw:
        return event.raw;
      default:
        break;
    }
    for (const Attr& attr : event.attrs) {
      if (attr.name == type.head_attr) {
        return attr.value.text;
      }
    }
    return {};
  }

  void add(const Groups& more) { groups.insert(groups.end(), more.begin(), more.end()); }
  void add(const ByText& by, std::string_view key) {
    if (const auto it = by.find(key); it != by.end()) {
      add(it->second);
    }
  }

  static int on_anchor(unsigned id, unsigned long long, unsigned long long, unsigned,
                       void* context) {
    auto* to = static_cast<std::pair<Impl*, const TypeIndex*>*>(context);
    const auto& anchors = to->second->by_anchor;
    if (id < anchors.size()) {
      to->first->add(anchors[id]);
    } else {
      to->first->atoms.push_back(static_cast<int>(id - anchors.size()));
    }
    return 0;
  }

  /// By the decoder's tag, and by those that stand in the text (events that no decoder made).
  void add_tagged(const TypeIndex& type, std::string_view tag, std::string_view text) {
    if (!tag.empty()) {
      add(type.by_tag, tag);
    }
    const TextTags tags = tags_in(text);
    for (const std::string_view other : {tags.percent, tags.mnemonic, tags.word}) {
      if (!other.empty() && other != tag) {
        add(type.by_tag, other);
      }
    }
  }

  void find_groups(const TypeIndex& type, const Event& event, std::string_view head) {
    groups.clear();
    add(type.any);
    if (!event.trap_oid.empty()) {
      add(type.by_oid, event.trap_oid);
    }
    if (head.empty()) {
      return;
    }
    if (!type.by_tag.empty()) {
      add_tagged(type, event.tag, head);
    }
    if (!type.by_head.empty()) {
      add(type.by_head, head);
    }
    add(type.unanchored);
    atoms.clear();
    if (type.anchors != nullptr) {
      std::pair<Impl*, const TypeIndex*> context(this, &type);
      hs_scan(type.anchors, head.data(), static_cast<unsigned>(head.size()), 0, scratch, on_anchor,
              &context);
    }
    if (!type.regexes.empty()) {
      std::sort(atoms.begin(), atoms.end());
      type.regexes.candidates(head, atoms, groups);
    }
  }

  /// Types the slices of a group that matched; its place in `holes`, or nothing when one of them
  /// does not read as its type.
  std::optional<std::uint32_t> bind_holes(const Clause& shape, Arena& arena) {
    if (matched == holes.size()) {
      holes.emplace_back();
    }
    std::array<Value, kHolesMax>& to = holes[matched];
    for (std::size_t h = 0; h < shape.holes.size() && h < kHolesMax; ++h) {
      if (slices[h].data() == nullptr) {  // a group of an expression that took no part
        to[h] = Value::none();
        continue;
      }
      const Hole& hole = shape.holes[h];
      to[h] = typed_text(slices[h], hole.type, hole.of, program->schema.get(), &arena);
      if (to[h].is_none()) {
        return std::nullopt;
      }
    }
    return static_cast<std::uint32_t>(matched++);
  }

  std::optional<std::uint32_t> match_head(const Group& group, std::string_view head,
                                          const Event& event, Arena& arena) {
    const Clause& shape = program->clauses[group.shape];
    switch (group.kind) {
      case HeadKind::Equal:
        return 0;
      case HeadKind::Template:
        if (!match_template(shape.head_template, shape.holes, head, event.tag, slices)) {
          return std::nullopt;
        }
        break;
      case HeadKind::Regex:
        if (!group.regex->match(head, slices)) {
          return std::nullopt;
        }
        break;
    }
    return shape.holes.empty() ? 0 : bind_holes(shape, arena);
  }

  Env env_of(Batch& batch, const Event& event, const Clause& clause, std::uint32_t at) {
    Env env;
    env.program = program.get();
    env.inventory = inventory.get();
    env.event = &event;
    if (!clause.holes.empty()) {
      env.vars = {holes[at].data(), clause.holes.size()};
    }
    env.arena = &batch.arena;
    env.steps_max = kLineStepsMax;
    return env;
  }

  void look_at(Batch& batch, const Event& event, const Group& group, std::string_view head) {
    const auto at = match_head(group, head, event, batch.arena);
    if (!at) {
      return;
    }
    for (const Index clause : group.plain) {
      candidates.push_back({clause, *at});
    }
    if (group.filters.empty()) {
      return;
    }
    const Env env = env_of(batch, event, program->clauses[group.shape], *at);
    for (const Filter& filter : group.filters) {
      bool over = false;
      const Value value = registers->run(filter.value, env, over);
      add_filtered(filter, value, *at);
    }
  }

  void add_filtered(const Filter& filter, const Value& value, std::uint32_t at) {
    if (value.is_none() || value.type == Type::Set) {
      return;
    }
    const auto it = filter.clauses.find(filter_hash(value));
    if (it != filter.clauses.end()) {
      for (const Index clause : it->second) {
        candidates.push_back({clause, at});
      }
    }
  }

  /// The port that (node, alias) means, or the alias itself.
  std::string_view canonical(std::string_view node, std::string_view ifname) {
    if (aliases->port_of.empty()) {
      return ifname;
    }
    alias_key.assign(node);
    alias_key.push_back('\x1f');
    alias_key.append(ifname);
    const auto it = aliases->port_of.find(std::string_view(alias_key));
    return it == aliases->port_of.end() ? ifname : it->second;
  }

  void try_clause(Batch& batch, std::uint32_t e, const Candidate& candidate) {
    const Clause& clause = program->clauses[candidate.clause];
    const ClauseCode& code = index->code[candidate.clause];
    const Env env = env_of(batch, batch.events[e], clause, candidate.holes);
    Match match;
    match.event = e;
    match.clause = candidate.clause;
    if ((code.where == kNone || registers->run(code.where, env, match.over_budget).truth()) &&
        bind_value(code, env, match) && bind_key(batch, code, env, match)) {
      batch.matches.push_back(match);
    } else if (match.over_budget) {  // told to the fold, which raises nothing
      match.key = {};
      batch.matches.push_back(match);
    }
  }

  /// What a sample measured. False: no number that anything can be done with. -0 is 0, so that
  /// order never shows.
  bool bind_value(const ClauseCode& code, const Env& env, Match& match) {
    if (code.value == kNone) {
      return true;
    }
    const Value value = registers->run(code.value, env, match.over_budget);
    match.value = value.is_number() ? value.number() + 0.0 : NAN;
    return std::abs(match.value) <= kSampleMax;
  }

  bool bind_key(Batch& batch, const ClauseCode& code, const Env& env, Match& match) {
    const Clause& clause = program->clauses[match.clause];
    const Event& event = *env.event;
    const Index ifname = index->ifname_param[clause.signal];
    const std::span<Value> key = batch.arena.array<Value>(clause.key.size());
    for (std::size_t k = 0; k < key.size(); ++k) {
      if (code.key[k] != kNone) {
        const Param& param = program->signals[clause.signal].params[k];
        key[k] = typed_value(registers->run(code.key[k], env, match.over_budget), param.type,
                             param.of, program->schema.get(), &batch.arena);
      }
      if (k == ifname && key[k].is_none() && clause.key[k] != nullptr && !event.ifname.empty()) {
        key[k] = Value::string(event.ifname);
      }
      if (key[k].is_none() && !(clause.clear_all && clause.key[k] == nullptr)) {
        return false;  // a fact about nothing in particular
      }
      if (k == ifname && key[k].type == Type::String) {
        key[k].text = canonical(event.node, key[k].text);
      }
    }
    match.key = key;
    return true;
  }

  void match_event(Batch& batch, std::uint32_t e, const TypeIndex& type) {
    const Event& event = batch.events[e];
    const std::string_view head = head_text(type, event);
    find_groups(type, event, head);
    if (groups.empty()) {
      return;
    }
    if (groups.size() > 1) {  // in an order of their own: who computes a shared part pays for it
      std::sort(groups.begin(), groups.end());
      groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
    }
    registers->next_event();
    candidates.clear();
    matched = 0;
    looks.heads += groups.size();
    for (const Index group : groups) {
      look_at(batch, event, index->groups[group], head);
    }
    looks.lines += candidates.size();
    if (candidates.size() > 1) {
      std::sort(candidates.begin(), candidates.end(),
                [](const Candidate& a, const Candidate& b) { return a.clause < b.clause; });
    }
    for (const Candidate& candidate : candidates) {
      try_clause(batch, e, candidate);
    }
  }
};

Matcher::Matcher(std::shared_ptr<const Program> program, std::shared_ptr<const Inventory> inventory)
    : impl_(std::make_unique<Impl>()) {
  static std::map<const Program*, std::weak_ptr<const ClauseIndex>> programs;
  static std::map<std::pair<const Program*, const Inventory*>, std::weak_ptr<const AliasIndex>>
      inventories;
  Impl& m = *impl_;
  m.program = std::move(program);
  m.inventory = std::move(inventory);
  m.index = shared<const Program*, ClauseIndex>(
      programs, m.program.get(), [&] { return std::make_shared<ClauseIndex>(*m.program); });
  m.registers.emplace(m.index->residuals);
  m.aliases = shared<std::pair<const Program*, const Inventory*>, AliasIndex>(
      inventories, {m.program.get(), m.inventory.get()},
      [&] { return build_aliases(*m.program, *m.inventory); });
  for (const auto& [name, type] : m.index->types) {
    if (type.anchors != nullptr) {
      BELFRY_CHECK(hs_alloc_scratch(type.anchors, &m.scratch) == HS_SUCCESS);
    }
  }
}

Matcher::~Matcher() = default;
Matcher::Matcher(Matcher&&) noexcept = default;

Matcher Matcher::clone() const { return Matcher(impl_->program, impl_->inventory); }

const Matcher::Looks& Matcher::looks() const { return impl_->looks; }

const Program& Matcher::program() const { return *impl_->program; }

const Inventory& Matcher::inventory() const { return *impl_->inventory; }

void Matcher::match(Batch& batch, std::size_t from) {
  Impl& m = *impl_;
  std::string_view last_type;
  const TypeIndex* type = nullptr;
  for (std::size_t e = from; e < batch.events.size(); ++e) {
    const Event& event = batch.events[e];
    const std::string_view name = event.type.empty() ? belfry::name(event.kind) : event.type;
    if (e == from || name != last_type) {
      last_type = name;
      type = m.type_of(name);
    }
    if (type == nullptr) {
      continue;
    }
    m.match_event(batch, static_cast<std::uint32_t>(e), *type);
  }
}

}  // namespace belfry::rules
