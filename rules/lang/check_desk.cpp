// Policies and escalations: the tables a service manager reads.
#include <algorithm>
#include <array>
#include <set>

#include "belfry/base/text.hpp"
#include "checker.hpp"

namespace belfry::rules {

void Checker::policy_head(NodeRef node, Index index) {
  Policy& out = program_->policies[index];
  out.name = node.token(1).text();
  out.params = params(node.child(NodeKind::Params));
  const Ty answer = node.child(NodeKind::Type) ? type(node.child(NodeKind::Type)) : Ty{};
  out.type = answer.type;
  out.of = answer.of;
}

void Checker::policy(NodeRef node, Index index) {
  Policy& out = program_->policies[index];
  Ty answer;
  answer.type = out.type;
  answer.of = out.of;
  Scope scope;
  scope.place = "in this policy";
  for (std::size_t i = 0; i < out.params.size(); ++i) {
    ScopeVar var;
    var.name = out.params[i].name;
    var.index = static_cast<Index>(i);
    var.ty = ty_of(out.params[i]);
    scope.vars.push_back(var);
  }
  std::set<std::string> seen;
  policy_ = index;
  bool ended = false;
  for (const NodeRef& each : node.children(NodeKind::PolicyLine)) {
    PolicyLine line;
    line.place = place(each);
    line.value = expr(each.child(std::size_t{0}), scope, answer);
    const bool otherwise = each.has_word("else");
    if (!otherwise && each.child(1)) {
      line.condition = condition(each.child(1), scope);
      std::string text;
      describe(line.condition, text);
      const bool always = line.condition != nullptr && line.condition->kind == ExprKind::Const &&
                          line.condition->value.truth();
      if (ended || (line.condition != nullptr && !seen.insert(text).second)) {
        unreachable_line(each);
      }
      ended = ended || always;
    }
    if (ended && otherwise && !out.lines.empty() && out.lines.back().condition == nullptr) {
      error(each, "B0508", "a policy has one 'else', as its last line");
    }
    ended = ended || otherwise;
    out.lines.push_back(line);
  }
  policy_ = kNone;
  if (!node.broken() && (out.lines.empty() || out.lines.back().condition != nullptr)) {
    const std::string without = report_.errors() == 0 ? unanswered(index) : std::string();
    error(node.token(1), "B0650",
          fmt::format("the policy '{}' has no last line: expected 'else VALUE'", out.name),
          without.empty() ? "without it some incidents would have no answer"
                          : fmt::format("e.g. {} has no answer", without));
  }
}

void Checker::escalation(NodeRef node, Index index) {
  Escalation& out = program_->escalations[index];
  out.name = node.token(1).text();
  out.place = place(node);
  for (const NodeRef& step : node.children(NodeKind::Step)) {
    escalation_step(step, out);
  }
  if (out.steps.empty() && !node.broken()) {
    report_.warning(node.token(1).mark(), "B0807",
                    fmt::format("the escalation '{}' tells nobody", out.name),
                    "after 0m notify \"desk\"");
  }
}

void Checker::escalation_step(NodeRef node, Escalation& out) {
  EscalationStep step;
  step.place = place(node);
  duration(node, step.after);
  step.page = node.has_word("page");
  if (const TokenRef target = node.token(TokenKind::String)) {
    step.target = unquote(target.text());
  }
  struct Known {
    std::string_view name;
    Index of;
  };
  const std::array<Known, 4> known{{{"tier", program_->enums.tier},
                                    {"priority", program_->enums.priority},
                                    {"impact", program_->enums.impact},
                                    {"severity", program_->enums.severity}}};
  Scope scope;
  scope.place = "in an escalation";
  for (Index i = 0; i < known.size(); ++i) {
    ScopeVar var;
    var.name = known[i].name;
    var.index = i;
    var.ty.type = Type::Enum;
    var.ty.of = known[i].of;
    if (known[i].of != kNone) {
      scope.vars.push_back(var);
    }
  }
  for (const NodeRef& each : node.children(NodeKind::StepCondition)) {
    const std::string_view word = each.token(std::size_t{0}).text();
    const TokenRef name = each.token(1);
    if (word == "if") {
      step.condition = condition(each.child(std::size_t{0}), scope);
    } else if (word == "during") {
      step.during = find_calendar(name).value_or(kNone);
    } else if (name.text() == "acked") {
      step.unless_acked = true;
    } else if (name.text() == "mitigated") {
      step.unless_mitigated = true;
    } else if (name) {
      static constexpr std::array<std::string_view, 2> kStates{"acked", "mitigated"};
      error(name, "B0651", fmt::format("expected 'acked' or 'mitigated', found '{}'", name.text()),
            did_you_mean(name.text(), kStates));
    }
  }
  out.steps.push_back(std::move(step));
}

}  // namespace belfry::rules
