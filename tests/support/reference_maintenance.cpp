// Maintenance: which windows cover an incident, and what follows (LANGUAGE 6.10; SEMANTICS).
#include <algorithm>
#include <tuple>

#include "reference.hpp"

namespace belfry::testing {

namespace {

/// Ends last; of those that end together, the smaller name.
template <class Window>
bool says_more(const Window& a, const Window& b) {
  return a.until != b.until ? a.until > b.until : a.name < b.name;
}

}  // namespace

bool Reference::has_windows(const Node& node) const {
  return std::any_of(
      program_->maintenances.begin(), program_->maintenances.end(),
      [&](const rules::Maintenance& line) { return node.rule == &program_->rules[line.rule]; });
}

/// The versions differ in rows of works alone, which only maintenance reads.
bool Reference::only_works(const Inventory& old) const {
  const Schema& schema = *program_->schema;
  for (std::uint32_t t = 0; t < schema.tables.size(); ++t) {
    if (schema.tables[t].name != "works" && old.table_hash(t) != inventory_->table_hash(t)) {
      return false;
    }
  }
  for (std::uint32_t r = 0; r < schema.relations.size(); ++r) {
    if (old.pairs_hash(r) != inventory_->pairs_hash(r)) {
      return false;
    }
  }
  return true;
}

void Reference::look_at_windows() {
  for (Node& node : nodes_) {
    for (auto& [text, key] : node.keys) {
      if (node.rule != nullptr && node.live && has_windows(node) &&
          (key.life == Life::Open || key.life == Life::Symptom)) {
        work_.insert({&node, &key});
      }
    }
  }
}

/// Every window of every line that covers the incident and was not over when it began.
std::vector<Reference::Window> Reference::windows_of(const IncidentRef& ref) {
  const auto& [node, k] = ref;
  std::vector<Window> out;
  for (const rules::Maintenance& line : program_->maintenances) {
    if (node->rule != &program_->rules[line.rule]) {
      continue;
    }
    Key vars = k->key;
    const auto add = [&](Instant from, Instant to, const std::string& name) {
      const rules::Env e = env(vars);
      const bool covers = std::all_of(line.filters.begin(), line.filters.end(),
                                      [&](const rules::Expr* f) { return rules::holds(f, e); }) &&
                          rules::holds(line.where, e);
      if (covers && from <= to && to + line.grace > k->began) {
        out.push_back({from, to + line.grace, name});
      }
    };
    if (line.table == rules::kNone) {
      add(line.from, line.to, line.name);
      continue;
    }
    vars.emplace_back();
    for (std::size_t r = 0; r < inventory_->row_count(line.table); ++r) {
      const Row& row = inventory_->row(line.table, r);
      const Value& from = row.cells[line.start_column];
      const Value& to = row.cells[line.end_column];
      if (from.type == Type::Time && to.type == Type::Time) {
        vars.back() = Value::row(line.table, row.key);
        add(Instant{from.i}, Instant{to.i}, std::string(row.key));
      }
    }
  }
  return out;
}

/// Held: those it began in, and whatever begins before the latest of them ends. Later: the others.
Reference::Cover Reference::cover_of(const IncidentRef& ref) {
  Cover cover;
  cover.later = windows_of(ref);
  for (bool more = true; more;) {
    more = false;
    for (auto it = cover.later.begin(); it != cover.later.end();) {
      const Instant reach = cover.held ? cover.held->until : ref.second->began;
      if (it->from > reach) {
        ++it;
        continue;
      }
      if (!cover.held || says_more(*it, *cover.held)) {
        cover.held = *it;
      }
      it = cover.later.erase(it);
      more = true;
    }
  }
  return cover;
}

bool Reference::is_planned(const IncidentRef& ref) {
  const Cover cover = cover_of(ref);
  return cover.held && !passed(cover.held->until);
}

/// A window that stands now and began after the incident: noted once; true when it was not yet.
bool Reference::note_window(const IncidentRef& ref) {
  std::optional<Window> stands;
  for (const Window& window : cover_of(ref).later) {
    if (passed(window.from) && !passed(window.until) && (!stands || says_more(window, *stands))) {
      stands = window;
    }
  }
  if (!stands || ref.second->noted == stands->name) {
    return false;
  }
  ref.second->noted = stands->name;
  return true;
}

/// Opens or is back: planned or not.
void Reference::plan(const IncidentRef& ref) {
  ref.second->planned = is_planned(ref);
  if (!ref.second->planned) {
    note_window(ref);
  }
}

/// Live and not explained: looks at its windows.
void Reference::step_planned(const IncidentRef& ref, std::vector<IncidentChange>& out) {
  const auto& [node, k] = ref;
  const bool was = k->planned;
  if (!has_windows(*node) && !was) {  // planned by a line that these rules do not have any more
    return;
  }
  const Cover cover = cover_of(ref);
  k->planned = is_planned(ref);
  const std::pair<std::string, Instant> held =
      cover.held ? std::pair(cover.held->name, cover.held->until) : std::pair("", Instant{0});
  if (was != k->planned) {
    if (!k->planned) {
      note_window(ref);
    }
    emit(ref, was ? IncidentState::Planned : IncidentState::Open,
         k->planned ? IncidentReason::Planned : IncidentReason::WindowEnded, out);
  } else if (k->planned ? held != k->told_window : note_window(ref)) {
    emit(ref, IncidentState::Open, IncidentReason::Updated, out);
  }
  arm_windows(ref);
}

void Reference::arm_windows(const IncidentRef& ref) {
  const auto& [node, k] = ref;
  const Cover cover = cover_of(ref);
  if (k->planned) {
    arm(cover.held->until, node->name, k->text);
  }
  for (const Window& window : cover.later) {
    arm(window.from, node->name, k->text);
  }
}

}  // namespace belfry::testing
