#include "belfry/rules/found.hpp"

#include <fmt/format.h>

#include "belfry/base/text.hpp"
#include "belfry/model/oid.hpp"
#include "limits.hpp"
#include "regex.hpp"
#include "template.hpp"

namespace belfry::rules {

namespace {

constexpr std::size_t kShownBytes = 48;

/// `node.site` for a look at what leads from one side to the other.
std::string words_of(const Expr* e, const Program& program) {
  if (e == nullptr) {
    return "?";
  }
  switch (e->kind) {
    case ExprKind::Var:
      return std::string(e->name);
    case ExprKind::Const:
      return to_text(e->value);
    case ExprKind::Column:
      return (e->args.empty() ? "?" : words_of(e->args[0], program)) + "." + std::string(e->name);
    case ExprKind::Lookup: {
      std::vector<std::string> key;
      for (const Expr* arg : e->args) {
        key.push_back(words_of(arg, program));
      }
      const auto& tables = program.schema->tables;
      return fmt::format("{}[{}]", e->table < tables.size() ? tables[e->table].name : "?",
                         fmt::join(key, ", "));
    }
    case ExprKind::SetOf: {
      std::vector<std::string> items;
      for (const Expr* arg : e->args) {
        items.push_back(words_of(arg, program));
      }
      return fmt::format("{}", fmt::join(items, ", "));
    }
    case ExprKind::RelatedSet:
      return "what " + (e->args.empty() ? "?" : words_of(e->args[0], program)) + " relates to";
    default:
      return "a value of the symptom";
  }
}

std::string graph_words(const CauseProbe& probe, const Program& program) {
  const std::string from = words_of(probe.from, program);
  const std::string in =
      probe.relation < program.graphs.size() ? program.graphs[probe.relation].name : "a graph";
  switch (probe.ask) {
    case ExprKind::CutOff:
      return fmt::format("frontier of {} that cuts off {}", in, from);
    case ExprKind::Behind:
      return fmt::format("what {} is behind in {}", from, in);
    case ExprKind::Neighbour:
      return fmt::format("neighbour of {} in {}", from, in);
    default:
      return fmt::format("{} of {} in {}", probe.turned ? "end" : "edge", from, in);
  }
}

std::string probe_words(const CauseProbe& probe, const Cause& cause, const Program& program) {
  const auto relation = [&]() -> std::string {
    const auto& relations = program.schema->relations;
    return probe.relation < relations.size() ? relations[probe.relation].name : "?";
  };
  switch (probe.kind) {
    case ProbeKind::Var:
      return "equal " + (probe.var < cause.vars.size() ? cause.vars[probe.var].name : "?");
    case ProbeKind::Equal:
      return "equal " + words_of(probe.from, program);
    case ProbeKind::Forward:
      return fmt::format("relation {} from {}", relation(), words_of(probe.from, program));
    case ProbeKind::Backward:
      return fmt::format("relation {} to {}", relation(), words_of(probe.from, program));
    case ProbeKind::Items:
      return "in " + words_of(probe.from, program);
    case ProbeKind::Graph:
      return graph_words(probe, program);
    case ProbeKind::Scan:
      break;
  }
  return "tried";
}

}  // namespace

FoundBy found_by(const Clause& clause) {
  if (!clause.oid.empty()) {
    return {"OID " + oid_to_text(clause.oid), true};
  }
  if (!clause.regex.empty()) {
    return regex_facts(clause.regex).anchored
               ? FoundBy{"a piece of the expression", true}
               : FoundBy{fmt::format("nothing: tried on every {}", clause.event_type), false};
  }
  if (clause.head_template.empty()) {
    const bool asked = clause.where != nullptr;
    return {fmt::format("every {}{}", clause.event_type, asked ? ", then its where" : ""), false};
  }
  const std::string_view tag = tag_of(clause.head_template);
  if (!tag.empty()) {
    return {fmt::format("tag {}", printable(tag, kShownBytes)), true};
  }
  if (clause.head_template.size() == 1 && !clause.head_template[0].literal.empty()) {
    return {fmt::format("equal \"{}\"", printable(clause.head_template[0].literal, kShownBytes)),
            true};
  }
  const std::string_view anchor = anchor_of(clause.head_template);
  if (anchor.size() < kAnchorBytesMin) {
    return {fmt::format("nothing: tried on every {}", clause.event_type), false};
  }
  return {fmt::format("text \"{}\"", printable(anchor, kShownBytes)), true};
}

FoundBy found_by(const Cause& cause, const Program& program) {
  FoundBy out;
  const std::vector<Param>& key = program.rules[cause.cause].key;
  bool any = key.empty();
  for (std::size_t part = 0; part < cause.probes.size() && part < key.size(); ++part) {
    const CauseProbe& probe = cause.probes[part];
    any = any || probe.kind != ProbeKind::Scan;
    out.words += fmt::format("{}{}: {}", part == 0 ? "" : ", ", key[part].name,
                             probe_words(probe, cause, program));
  }
  if (!any) {
    return {fmt::format("nothing: all of {} are tried", program.rules[cause.cause].name), false};
  }
  return out;
}

}  // namespace belfry::rules
