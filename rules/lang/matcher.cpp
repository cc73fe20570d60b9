// The stateless half of a program. Dispatch first (event type, then OID, tag, equal head or literal
// anchor), then the template, then `where`, then the key: each only for what passed before.
#include "belfry/rules/matcher.hpp"

#include <absl/container/flat_hash_map.h>
#include <hs/hs.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>

#include "belfry/base/check.hpp"
#include "belfry/rules/eval.hpp"
#include "eval_types.hpp"
#include "template.hpp"

namespace belfry::rules {
namespace {

/// Shorter anchors match too much of everything: such templates are tried on each text (check
/// warns).
constexpr std::size_t kAnchorBytesMin = 4;
/// Beyond it sums of many samples would lose what a number means.
constexpr double kSampleMax = 1e30;

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view s) const { return absl::Hash<std::string_view>{}(s); }
};
using ByText = absl::flat_hash_map<std::string, std::vector<Index>, TextHash, std::equal_to<>>;

const std::vector<Index> kNoClauses;

const std::vector<Index>& find(const ByText& map, std::string_view key) {
  const auto it = map.find(key);
  return it == map.end() ? kNoClauses : it->second;
}

/// Clauses of one event type by how they are found.
struct TypeIndex {
  ByText by_oid, by_tag, by_head;
  std::vector<Index> any;                     ///< no head: every event of the type
  std::vector<Index> unanchored;              ///< templates without a usable anchor
  std::vector<std::vector<Index>> by_anchor;  ///< anchor id -> clauses
  hs_database_t* anchors = nullptr;
  EventField head = EventField::Msg;
  std::string head_attr;
  ~TypeIndex() { hs_free_database(anchors); }
  TypeIndex() = default;
  TypeIndex(const TypeIndex&) = delete;
  TypeIndex& operator=(const TypeIndex&) = delete;
};

/// Built once per program, shared by its matchers.
struct ProgramIndex {
  std::map<std::string, TypeIndex, std::less<>> types;
  std::vector<Index> ifname_param;  ///< by signal: parameter called `ifname`, or kNone
};

void compile_anchors(TypeIndex& type, const std::map<std::string, std::vector<Index>>& anchors) {
  if (anchors.empty()) {
    return;
  }
  std::vector<const char*> texts;
  std::vector<unsigned> flags, ids;
  std::vector<std::size_t> lengths;
  for (const auto& [text, clauses] : anchors) {
    texts.push_back(text.data());
    lengths.push_back(text.size());
    flags.push_back(HS_FLAG_SINGLEMATCH);
    ids.push_back(static_cast<unsigned>(type.by_anchor.size()));
    type.by_anchor.push_back(clauses);
  }
  hs_compile_error_t* error = nullptr;
  const hs_error_t code = hs_compile_lit_multi(texts.data(), flags.data(), ids.data(),
                                               lengths.data(), static_cast<unsigned>(texts.size()),
                                               HS_MODE_BLOCK, nullptr, &type.anchors, &error);
  if (code !=
      HS_SUCCESS) {  // a literal set that vectorscan will not take: try each template instead
    hs_free_compile_error(error);
    type.anchors = nullptr;
    for (const auto& clauses : type.by_anchor) {
      type.unanchored.insert(type.unanchored.end(), clauses.begin(), clauses.end());
    }
    std::sort(type.unanchored.begin(), type.unanchored.end());
  }
}

/// In how many templates a piece of kGramBytes stands. Vectorscan tells literals apart by their
/// last eight bytes: an anchor that ends like a thousand others is looked at a thousand times
/// (measured: 31 ns became 5.7 us a line with 2,500 templates that end alike).
constexpr std::size_t kGramBytes = 8;
constexpr std::size_t kAnchorBytesMax = 16;
using GramCounts = absl::flat_hash_map<std::string_view, std::uint32_t, TextHash, std::equal_to<>>;

GramCounts count_grams(const Program& program) {
  GramCounts counts;
  std::vector<std::string_view> seen;
  for (const Clause& clause : program.clauses) {
    seen.clear();
    for (const TemplatePart& part : clause.head_template) {
      for (std::size_t at = 0; at + kGramBytes <= part.literal.size(); ++at) {
        seen.push_back(std::string_view(part.literal).substr(at, kGramBytes));
      }
    }
    std::sort(seen.begin(), seen.end());
    seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    for (const std::string_view gram : seen) {
      ++counts[gram];
    }
  }
  return counts;
}

std::size_t distinct_bytes(std::string_view text) {
  std::size_t n = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    n += text.substr(0, i).find(text[i]) == std::string_view::npos ? 1 : 0;
  }
  return n;
}

/// The piece of a template's literals that fewest other templates have, then the most diverse.
std::string_view choose_anchor(const Clause& clause, const GramCounts& counts) {
  std::string_view best;
  std::uint32_t best_count = UINT32_MAX;
  std::size_t best_bytes = 0;
  for (const TemplatePart& part : clause.head_template) {
    const std::string_view literal(part.literal);
    for (std::size_t end = kGramBytes; end <= literal.size(); ++end) {
      const std::string_view gram = literal.substr(end - kGramBytes, kGramBytes);
      const std::uint32_t count = counts.at(gram);
      const std::size_t bytes = distinct_bytes(gram);
      if (count < best_count || (count == best_count && bytes > best_bytes)) {
        best_count = count;
        best_bytes = bytes;
        const std::size_t from = end > kAnchorBytesMax ? end - kAnchorBytesMax : 0;
        best = literal.substr(from, end - from);
      }
    }
  }
  return best.empty() ? anchor_of(clause.head_template) : best;
}

bool has_holes(const Clause& clause) {
  return clause.head_template.size() > 1 ||
         (clause.head_template.size() == 1 && clause.head_template[0].literal.empty());
}

std::shared_ptr<const ProgramIndex> build_index(const Program& program) {
  auto index = std::make_shared<ProgramIndex>();
  const GramCounts grams = count_grams(program);
  std::map<std::string, std::map<std::string, std::vector<Index>>> anchors;
  for (std::size_t c = 0; c < program.clauses.size(); ++c) {
    const Clause& clause = program.clauses[c];
    const auto id = static_cast<Index>(c);
    TypeIndex& type = index->types[clause.event_type];
    if (!clause.oid.empty()) {
      type.by_oid[clause.oid].push_back(id);
      continue;
    }
    if (clause.head_template.empty()) {
      type.any.push_back(id);
      continue;
    }
    type.head = clause.head;
    type.head_attr = clause.head_attr;
    const std::string_view tag = clause.head == EventField::Msg ? tag_of(clause.head_template) : "";
    const std::string_view anchor = choose_anchor(clause, grams);
    if (!tag.empty()) {
      type.by_tag[std::string(tag)].push_back(id);
      if (clause.head_template[0].literal.front() != '%') {  // may stand where no tag is seen
        anchors[clause.event_type][std::string(anchor)].push_back(id);
      }
    } else if (clause.head != EventField::Msg && !has_holes(clause)) {
      type.by_head[clause.head_template[0].literal].push_back(id);
    } else if (anchor.size() < kAnchorBytesMin) {
      type.unanchored.push_back(id);
    } else {
      anchors[clause.event_type][std::string(anchor)].push_back(id);
    }
  }
  for (auto& [name, type] : index->types) {
    compile_anchors(type, anchors[name]);
  }
  for (const Signal& signal : program.signals) {
    const auto it = std::find_if(signal.params.begin(), signal.params.end(),
                                 [](const Param& p) { return p.name == "ifname"; });
    index->ifname_param.push_back(
        it == signal.params.end() ? kNone : static_cast<Index>(it - signal.params.begin()));
  }
  return index;
}

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
  std::shared_ptr<const Program> program;
  std::shared_ptr<const Inventory> inventory;
  std::shared_ptr<const ProgramIndex> index;
  std::shared_ptr<const AliasIndex> aliases;
  hs_scratch_t* scratch = nullptr;
  std::vector<Index> candidates;
  std::string alias_key;
  Slices slices;
  std::array<Value, kHolesMax> holes;

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

  void add(const std::vector<Index>& clauses) {
    candidates.insert(candidates.end(), clauses.begin(), clauses.end());
  }

  static int on_anchor(unsigned id, unsigned long long, unsigned long long, unsigned,
                       void* context) {
    auto* to = static_cast<std::pair<Impl*, const TypeIndex*>*>(context);
    to->first->add(to->second->by_anchor[id]);
    return 0;
  }

  /// By the decoder's tag, and by those that stand in the text (events that no decoder made).
  void add_tagged(const TypeIndex& type, std::string_view tag, std::string_view text) {
    if (!tag.empty()) {
      add(find(type.by_tag, tag));
    }
    const TextTags tags = tags_in(text);
    for (const std::string_view other : {tags.percent, tags.mnemonic, tags.word}) {
      if (!other.empty() && other != tag) {
        add(find(type.by_tag, other));
      }
    }
  }

  void find_candidates(const TypeIndex& type, const Event& event) {
    candidates.clear();
    add(type.any);
    if (!event.trap_oid.empty()) {
      add(find(type.by_oid, event.trap_oid));
    }
    const std::string_view head = head_text(type, event);
    if (!head.empty()) {
      if (!type.by_tag.empty()) {
        add_tagged(type, event.tag, head);
      }
      if (!type.by_head.empty()) {
        add(find(type.by_head, head));
      }
      add(type.unanchored);
      if (type.anchors != nullptr) {
        std::pair<Impl*, const TypeIndex*> context(this, &type);
        hs_scan(type.anchors, head.data(), static_cast<unsigned>(head.size()), 0, scratch,
                on_anchor, &context);
      }
    }
    if (candidates.size() > 1) {
      std::sort(candidates.begin(), candidates.end());
      candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
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

  bool bind_holes(const Clause& clause, Arena& arena) {
    if (clause.holes.size() > kHolesMax) {
      return false;
    }
    for (std::size_t h = 0; h < clause.holes.size(); ++h) {
      const Hole& hole = clause.holes[h];
      holes[h] = typed_text(slices[h], hole.type, hole.of, program->schema.get(), &arena);
      if (holes[h].is_none()) {
        return false;
      }
    }
    return true;
  }

  void try_clause(Batch& batch, std::uint32_t e, const TypeIndex& type, Index id) {
    const Clause& clause = program->clauses[id];
    const Event& event = batch.events[e];
    if (!clause.head_template.empty() && (has_holes(clause) || clause.head == EventField::Msg)) {
      if (!match_template(clause.head_template, clause.holes, head_text(type, event), event.tag,
                          slices) ||
          !bind_holes(clause, batch.arena)) {
        return;
      }
    }
    Env env;
    env.program = program.get();
    env.inventory = inventory.get();
    env.event = &event;
    env.vars = {holes.data(), clause.holes.size()};
    env.arena = &batch.arena;
    if (clause.where == nullptr || holds(clause.where, env)) {
      bind_key(batch, e, id, env);
    }
  }

  /// False: no number that anything can be done with. -0 is 0, so that order never shows.
  static bool read_sample(const Clause& clause, const Env& env, double& out) {
    const Value v = evaluate(*clause.value, env);
    out = v.is_number() ? v.number() + 0.0 : NAN;
    return std::abs(out) <= kSampleMax;
  }

  void bind_key(Batch& batch, std::uint32_t e, Index id, const Env& env) {
    const Clause& clause = program->clauses[id];
    const Event& event = batch.events[e];
    const Index ifname = index->ifname_param[clause.signal];
    const std::span<Value> key = batch.arena.array<Value>(clause.key.size());
    for (std::size_t k = 0; k < key.size(); ++k) {
      if (clause.key[k] != nullptr) {
        const Param& param = program->signals[clause.signal].params[k];
        key[k] = typed_value(evaluate(*clause.key[k], env), param.type, param.of,
                             program->schema.get(), &batch.arena);
      }
      if (k == ifname && key[k].is_none() && clause.key[k] != nullptr && !event.ifname.empty()) {
        key[k] = Value::string(event.ifname);
      }
      if (key[k].is_none() && !(clause.clear_all && clause.key[k] == nullptr)) {
        return;  // a fact about nothing in particular
      }
      if (k == ifname && key[k].type == Type::String) {
        key[k].text = canonical(event.node, key[k].text);
      }
    }
    double value = 0;
    if (clause.kind == ClauseKind::Sample && !read_sample(clause, env, value)) {
      return;
    }
    batch.matches.push_back({e, id, key, value});
  }
};

Matcher::Matcher(std::shared_ptr<const Program> program, std::shared_ptr<const Inventory> inventory)
    : impl_(std::make_unique<Impl>()) {
  static std::map<const Program*, std::weak_ptr<const ProgramIndex>> programs;
  static std::map<std::pair<const Program*, const Inventory*>, std::weak_ptr<const AliasIndex>>
      inventories;
  Impl& m = *impl_;
  m.program = std::move(program);
  m.inventory = std::move(inventory);
  m.index = shared<const Program*, ProgramIndex>(programs, m.program.get(),
                                                 [&] { return build_index(*m.program); });
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
    m.find_candidates(*type, event);
    for (const Index clause : m.candidates) {
      m.try_clause(batch, static_cast<std::uint32_t>(e), *type, clause);
    }
  }
}

}  // namespace belfry::rules
