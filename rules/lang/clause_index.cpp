#include "clause_index.hpp"

#include <algorithm>
#include <bit>
#include <optional>
#include <set>

#include "belfry/base/bytes.hpp"
#include "limits.hpp"
#include "template.hpp"

namespace belfry::rules {
namespace {

/// A group with fewer clauses tries them all: that is as fast as a look-up.
constexpr std::size_t kFilteredClausesMin = 4;

/// In how many templates a piece of kGramBytes stands. Vectorscan tells literals apart by their
/// last eight bytes: an anchor that ends like a thousand others is looked at a thousand times
/// (measured: 31 ns became 5.7 us a line with 2,500 templates that end alike).
constexpr std::size_t kGramBytes = 8;
constexpr std::size_t kAnchorBytesMax = 16;
using GramCounts = absl::flat_hash_map<std::string_view, std::uint32_t, TextHash, std::equal_to<>>;

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

/// Clauses with equal heads are one group. Names of holes do not matter, their types do.
std::string head_id(const Clause& clause) {
  ByteWriter id;
  id.string(clause.event_type);
  id.string(clause.oid);
  id.string(clause.regex);
  id.u8(static_cast<std::uint8_t>(clause.head));
  id.string(clause.head_attr);
  for (const TemplatePart& part : clause.head_template) {
    id.string(part.literal);
    id.varint(part.hole);
  }
  id.u8(0xff);
  for (const Hole& hole : clause.holes) {
    id.u8(static_cast<std::uint8_t>(hole.type));
    id.varint(hole.of);
  }
  return id.take();
}

/// `x == a`, `x in { a, b }`, `x == a or x == b`: an event with another x cannot satisfy the
/// clause.
struct Discriminator {
  const Expr* what = nullptr;
  std::vector<std::uint64_t> hashes;
};

bool is_constant(const Expr& e) {
  return e.kind == ExprKind::Const && !e.value.is_none() && e.value.type != Type::Set;
}

std::optional<Discriminator> one_of(const Expr& e) {
  if (e.kind == ExprKind::Equal) {
    const bool left = is_constant(*e.args[0]);
    const Expr& constant = *e.args[left ? 0 : 1];
    const Expr& what = *e.args[left ? 1 : 0];
    if (!is_constant(constant) || is_constant(what)) {
      return std::nullopt;
    }
    return Discriminator{&what, {filter_hash(constant.value)}};
  }
  if (e.kind == ExprKind::In && e.args[1]->kind == ExprKind::SetOf) {
    Discriminator out{e.args[0], {}};
    for (const Expr* item : e.args[1]->args) {
      if (!is_constant(*item) || item->value.type == Type::Cidr) {
        return std::nullopt;
      }
      out.hashes.push_back(filter_hash(item->value));
    }
    return out;
  }
  return std::nullopt;
}

class Builder {
 public:
  Builder(const Program& program, ClauseIndex& index) : program_(program), index_(index) {}

  void run() {
    index_.code.resize(program_.clauses.size());
    for (std::size_t c = 0; c < program_.clauses.size(); ++c) {
      join(static_cast<Index>(c));
    }
    count_grams();
    for (std::size_t g = 0; g < index_.groups.size(); ++g) {
      add_filters(static_cast<Index>(g));
      add_code(static_cast<Index>(g));
      place(static_cast<Index>(g));
    }
    for (auto& [name, type] : index_.types) {
      finish_type(type, anchors_[name]);
    }
    index_.residuals.finish();
  }

 private:
  void join(Index c) {
    const Clause& clause = program_.clauses[c];
    const auto [it, added] =
        group_of_.try_emplace(head_id(clause), static_cast<Index>(index_.groups.size()));
    if (added) {
      Group& group = index_.groups.emplace_back();
      group.shape = c;
      group.kind =
          !clause.regex.empty() ? HeadKind::Regex
          : !clause.head_template.empty() && (has_holes(clause) || clause.head == EventField::Msg)
              ? HeadKind::Template
              : HeadKind::Equal;
    }
    index_.groups[it->second].plain.push_back(c);
  }

  void count_grams() {
    std::vector<std::string_view> seen;
    for (const Group& group : index_.groups) {
      seen.clear();
      for (const TemplatePart& part : program_.clauses[group.shape].head_template) {
        for (std::size_t at = 0; at + kGramBytes <= part.literal.size(); ++at) {
          seen.push_back(std::string_view(part.literal).substr(at, kGramBytes));
        }
      }
      std::sort(seen.begin(), seen.end());
      seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
      for (const std::string_view gram : seen) {
        ++grams_[gram];
      }
    }
  }

  /// One choice of a clause: which of its conditions finds it.
  struct Choice {
    Register value = 0;
    const Expr* what = nullptr;
    std::vector<std::uint64_t> hashes;
  };
  using Uses = absl::flat_hash_map<std::pair<Register, std::uint64_t>, std::uint32_t>;

  void collect(const Expr* where, Index g, std::vector<Choice>& to) {
    if (where->kind == ExprKind::And) {
      collect(where->args[0], g, to);
      collect(where->args[1], g, to);
      return;
    }
    if (const auto found = either(*where, g)) {
      to.push_back(*found);
    }
  }

  std::optional<Choice> either(const Expr& e, Index g) {
    if (e.kind == ExprKind::Or) {
      auto left = either(*e.args[0], g);
      const auto right = left ? either(*e.args[1], g) : std::nullopt;
      if (!right || left->value != right->value) {
        return std::nullopt;
      }
      left->hashes.insert(left->hashes.end(), right->hashes.begin(), right->hashes.end());
      return left;
    }
    auto found = one_of(e);
    if (!found) {
      return std::nullopt;
    }
    const Register value = index_.residuals.value_of(*found->what, g);
    std::sort(found->hashes.begin(), found->hashes.end());
    found->hashes.erase(std::unique(found->hashes.begin(), found->hashes.end()),
                        found->hashes.end());
    return Choice{value, found->what, std::move(found->hashes)};
  }

  /// Clauses that an equality tells apart from most others of the group are found by it.
  void add_filters(Index g) {
    Group& group = index_.groups[g];
    if (group.plain.size() < kFilteredClausesMin) {
      return;
    }
    std::vector<std::vector<Choice>> choices(group.plain.size());
    Uses uses;
    absl::flat_hash_map<Register, std::uint32_t> clauses_of;
    for (std::size_t i = 0; i < group.plain.size(); ++i) {
      if (const Expr* where = program_.clauses[group.plain[i]].where) {
        collect(where, g, choices[i]);
      }
      for (const Choice& choice : choices[i]) {
        ++clauses_of[choice.value];
        for (const std::uint64_t hash : choice.hashes) {
          ++uses[{choice.value, hash}];
        }
      }
    }
    std::vector<Index> rest;
    std::map<Register, std::size_t> filter_of;
    for (std::size_t i = 0; i < group.plain.size(); ++i) {
      const Choice* best = nullptr;
      std::pair<std::uint32_t, std::uint32_t> best_cost;
      for (const Choice& choice : choices[i]) {
        std::uint32_t most = 0;  // clauses that one value leads to
        for (const std::uint64_t hash : choice.hashes) {
          most = std::max(most, uses[{choice.value, hash}]);
        }
        const std::pair cost(most, UINT32_MAX - clauses_of[choice.value]);
        if (best == nullptr || cost < best_cost) {
          best = &choice;
          best_cost = cost;
        }
      }
      if (best == nullptr || best_cost.first == group.plain.size()) {
        rest.push_back(group.plain[i]);
        continue;
      }
      const auto [it, added] = filter_of.try_emplace(best->value, group.filters.size());
      if (added) {
        group.filters.emplace_back().value = index_.residuals.add(*best->what, g);
      }
      for (const std::uint64_t hash : best->hashes) {
        std::vector<Index>& list = group.filters[it->second].clauses[hash];
        if (list.empty() || list.back() != group.plain[i]) {
          list.push_back(group.plain[i]);
        }
      }
    }
    group.plain = std::move(rest);
  }

  void add_code(Index g) {
    const auto add = [&](const Expr* e) {
      return e == nullptr ? kNone : index_.residuals.add(*e, g);
    };
    const auto one = [&](Index c) {
      const Clause& clause = program_.clauses[c];
      ClauseCode& code = index_.code[c];
      code.where = add(clause.where);
      code.value = add(clause.value);
      for (const Expr* key : clause.key) {
        code.key.push_back(add(key));
      }
    };
    const Group& group = index_.groups[g];
    std::set<Index> all(group.plain.begin(), group.plain.end());
    for (const Filter& filter : group.filters) {
      for (const auto& [hash, clauses] : filter.clauses) {
        all.insert(clauses.begin(), clauses.end());
      }
    }
    std::for_each(all.begin(), all.end(), one);
  }

  /// Where an event finds the group.
  void place(Index g) {
    Group& group = index_.groups[g];
    const Clause& clause = program_.clauses[group.shape];
    TypeIndex& type = index_.types[clause.event_type];
    if (!clause.oid.empty()) {
      type.by_oid[clause.oid].push_back(g);
      return;
    }
    if (clause.head_template.empty() && clause.regex.empty()) {
      type.any.push_back(g);
      return;
    }
    type.head = clause.head;
    type.head_attr = clause.head_attr;
    if (!clause.regex.empty()) {
      group.regex = std::make_unique<Regex>(clause.regex);
      type.regexes.add(clause.regex, g);
      return;
    }
    std::map<std::string, Groups>& anchors = anchors_[clause.event_type];
    const std::string_view tag = clause.head == EventField::Msg ? tag_of(clause.head_template) : "";
    const std::string_view anchor = choose_anchor(clause, grams_);
    if (!tag.empty()) {
      type.by_tag[std::string(tag)].push_back(g);
      if (clause.head_template[0].literal.front() != '%') {  // may stand where no tag is seen
        anchors[std::string(anchor)].push_back(g);
      }
    } else if (group.kind == HeadKind::Equal) {
      type.by_head[clause.head_template[0].literal].push_back(g);
    } else if (anchor.size() < kAnchorBytesMin) {
      type.unanchored.push_back(g);
    } else {
      anchors[std::string(anchor)].push_back(g);
    }
  }

  void finish_type(TypeIndex& type, const std::map<std::string, Groups>& anchors) {
    const std::vector<std::string>& atoms = type.regexes.finish();
    if (anchors.empty() && atoms.empty()) {
      return;
    }
    std::vector<const char*> texts;
    std::vector<unsigned> flags, ids;
    std::vector<std::size_t> lengths;
    const auto literal = [&](const std::string& text, unsigned flag) {
      ids.push_back(static_cast<unsigned>(texts.size()));
      texts.push_back(text.data());
      lengths.push_back(text.size());
      flags.push_back(HS_FLAG_SINGLEMATCH | flag);
    };
    for (const auto& [text, groups] : anchors) {
      literal(text, 0);
      type.by_anchor.push_back(groups);
    }
    for (const std::string& atom : atoms) {
      literal(atom, HS_FLAG_CASELESS);
    }
    hs_compile_error_t* error = nullptr;
    const hs_error_t code = hs_compile_lit_multi(
        texts.data(), flags.data(), ids.data(), lengths.data(), static_cast<unsigned>(texts.size()),
        HS_MODE_BLOCK, nullptr, &type.anchors, &error);
    if (code != HS_SUCCESS) {  // a set that vectorscan will not take: each text tries everything
      hs_free_compile_error(error);
      type.anchors = nullptr;
      for (const Groups& groups : type.by_anchor) {
        type.unanchored.insert(type.unanchored.end(), groups.begin(), groups.end());
      }
      type.regexes.give_up_atoms();
    }
  }

  const Program& program_;
  ClauseIndex& index_;
  absl::flat_hash_map<std::string, Index> group_of_;
  GramCounts grams_;
  std::map<std::string, std::map<std::string, Groups>> anchors_;
};

}  // namespace

std::uint64_t filter_hash(const Value& v) {
  switch (v.type) {
    case Type::None:
    case Type::Set:
      return 0;
    case Type::Bool:
    case Type::Duration:
    case Type::Time:
      return absl::Hash<std::int64_t>{}(v.i);
    case Type::Int:
    case Type::Float: {
      const double d = v.number() == 0 ? 0.0 : v.number();  // -0 equals 0
      return absl::Hash<std::uint64_t>{}(std::bit_cast<std::uint64_t>(d));
    }
    default:
      return absl::Hash<std::string_view>{}(v.text);
  }
}

ClauseIndex::ClauseIndex(const Program& program) {
  Builder(program, *this).run();
  for (const Signal& signal : program.signals) {
    const auto it = std::find_if(signal.params.begin(), signal.params.end(),
                                 [](const Param& p) { return p.name == "ifname"; });
    ifname_param.push_back(
        it == signal.params.end() ? kNone : static_cast<Index>(it - signal.params.begin()));
  }
}

}  // namespace belfry::rules
