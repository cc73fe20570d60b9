// Planned: which maintenance windows cover an incident (LANGUAGE 6.10). What covers it follows from
// its key, its `began_at` and the inventory alone, so that a window entered after the fault gives
// the same answer as one entered before it. It is worked out once per incident and version and only
// for rules that some maintenance covers; nothing of it is stored but what was said.
#include <algorithm>

#include "belfry/base/hash.hpp"
#include "fold.hpp"

namespace belfry::correlate {

namespace {

/// Windows that one incident is tried against per line of maintenance, those that end first. A
/// feed of works holds some hundreds that are not over; what is beyond covers nothing, so that an
/// incident is told rather than hidden.
constexpr std::size_t kWindowsPerIncidentMax = 4096;

/// Windows that begin after an incident and are kept for a note, those that begin first.
constexpr std::size_t kLaterMax = 64;

std::int64_t end_of(std::int64_t to, Duration grace) {
  return to > 0 && grace.count() > kForever - to ? kForever : to + grace.count();
}
std::int64_t up(std::int64_t at) { return round_up_to_tick(at); }

bool fits(const TableSchema& a, const TableSchema& b) {
  const auto same = [](const ColumnSchema& x, const ColumnSchema& y) {
    return std::tie(x.name, x.type, x.of, x.is_set) == std::tie(y.name, y.type, y.of, y.is_set);
  };
  return a.name == b.name &&
         std::equal(a.columns.begin(), a.columns.end(), b.columns.begin(), b.columns.end(), same);
}
/// By content: whether two versions share the object differs between a run and its replay.
bool fits(const Schema& a, const Schema& b) {
  const auto same = [](const RelationSchema& x, const RelationSchema& y) {
    return x.name == y.name && x.transitive == y.transitive && x.column == y.column;
  };
  const auto fit = [](const TableSchema& x, const TableSchema& y) { return fits(x, y); };
  return std::equal(a.tables.begin(), a.tables.end(), b.tables.begin(), b.tables.end(), fit) &&
         std::equal(a.relations.begin(), a.relations.end(), b.relations.begin(), b.relations.end(),
                    same);
}

/// Ends last; of those, the smaller name.
bool says_more(const WorkWindow& a, const WorkWindow& b) {
  return a.until != b.until ? a.until > b.until : a.name < b.name;
}

}  // namespace

/// The rows of a table that are windows, by when they end.
const std::vector<RowWindow>& Fold::rows_of(std::uint32_t source) {
  RowWindows& list = row_windows[source];
  if (list.version == windows_version) {
    return list.rows;
  }
  list.version = windows_version;
  list.rows.clear();
  const WindowSource& from = plan->window_sources[source];
  const Schema& schema = inventory->schema();
  const rules::Program& program = *plan->program;
  if (from.table >= schema.tables.size() ||
      !fits(schema.tables[from.table], program.schema->tables[from.table])) {
    return list.rows;  // the inventory of these rules is on its way
  }
  for (std::uint32_t r = 0; r < inventory->row_count(from.table); ++r) {
    const Row& row = inventory->row(from.table, r);
    const Value& begin = row.cells[from.start];
    const Value& end = row.cells[from.end];
    if (begin.type == Type::Time && end.type == Type::Time && begin.i <= end.i) {
      list.rows.push_back({begin.i, end_of(end.i, from.grace), r});
    }
  }
  std::sort(list.rows.begin(), list.rows.end(), [](const RowWindow& a, const RowWindow& b) {
    return std::tie(a.until, a.row) < std::tie(b.until, b.row);
  });
  return list.rows;
}

/// What of one line of maintenance covers the key and was not over when the incident began.
void Fold::add_windows(const rules::Maintenance& line, std::uint32_t source, std::int64_t began,
                       std::span<const Value> key, std::vector<WorkWindow>& to) {
  std::vector<Value> vars(key.begin(), key.end());
  const auto covers = [&] {
    const Piece piece(*this);  // one odd window must not cost the rule its life
    const rules::Env scope = env(vars);
    return std::all_of(line.filters.begin(), line.filters.end(),
                       [&](const rules::Expr* f) { return rules::holds(f, scope); }) &&
           rules::holds(line.where, scope);
  };
  if (line.table == rules::kNone) {
    const std::int64_t until = end_of(line.to.ns, line.grace);
    if (until > began && covers()) {
      to.push_back({line.from.ns, until, line.name});
    }
    return;
  }
  const std::vector<RowWindow>& rows = rows_of(source);
  auto it = std::partition_point(rows.begin(), rows.end(),
                                 [&](const RowWindow& w) { return w.until <= began; });
  vars.emplace_back();
  for (std::size_t n = 0; it != rows.end() && n < kWindowsPerIncidentMax; ++it, ++n) {
    const std::string_view name = inventory->row(line.table, it->row).key;
    vars.back() = Value::row(line.table, name);
    if (covers()) {
      to.push_back({it->from, it->until, to_text(vars.back())});
    }
  }
}

/// The windows that hold `began_at`, joined with what overlaps or touches them; then the others.
const Cover& Fold::cover_of(std::uint32_t record) {
  IncidentRecord& incident = incident_of(record);
  if (incident.cover != nullptr && incident.cover->version == windows_version) {
    return *incident.cover;
  }
  const OwnerPlan& owner = plan->owners[keys[record].owner];
  const Vars vars = values_of(keys[record].key, *owner.params);
  const std::int64_t began = incident.began_at.ns;
  std::vector<WorkWindow> covering;
  for (const auto& [line, source] : plan->windows_of[owner.rule_index]) {
    add_windows(plan->program->maintenances[line], source, began, vars.span(), covering);
  }
  std::sort(covering.begin(), covering.end(), [](const WorkWindow& a, const WorkWindow& b) {
    return std::tie(a.from, a.until, a.name) < std::tie(b.from, b.until, b.name);
  });
  auto cover = std::make_unique<Cover>();
  cover->version = windows_version;
  for (WorkWindow& window : covering) {
    const bool held = cover->held.until != kNotYet;
    const std::int64_t reach = held ? cover->held.until : began;
    if (window.from > reach) {
      if (cover->later.size() < kLaterMax) {
        cover->later.push_back(std::move(window));
      }
    } else if (!held || says_more(window, cover->held)) {
      cover->held = std::move(window);
    }
  }
  incident.cover = std::move(cover);
  return *incident.cover;
}

bool Fold::has_windows(std::uint32_t record) const {
  return !plan->windows_of[plan->owners[keys[record].owner].rule_index].empty();
}

bool Fold::is_planned(std::uint32_t record) {
  return silenced(record) || (has_windows(record) && !reached(up(cover_of(record).held.until)));
}

/// A window that stands now and began after the incident, when that was not said yet.
std::string Fold::began_before(std::uint32_t record) {
  if (!has_windows(record)) {
    return {};
  }
  const WorkWindow* stands = nullptr;
  for (const WorkWindow& window : cover_of(record).later) {
    if (reached(up(window.from)) && !reached(up(window.until)) &&
        (stands == nullptr || says_more(window, *stands))) {
      stands = &window;
    }
  }
  IncidentRecord& incident = incident_of(record);
  if (stands == nullptr || incident.noted == hash64(stands->name)) {
    return {};
  }
  incident.noted = hash64(stands->name);
  return "began before " + stands->name + ": it stays open";
}

/// What to say of the windows when it opens or is back.
std::string Fold::window_note(std::uint32_t record) {
  if (!has_windows(record)) {
    return {};
  }
  const WorkWindow& held = cover_of(record).held;
  if (incident_of(record).planned) {
    return held.name.empty() || reached(up(held.until)) ? std::string() : "during " + held.name;
  }
  std::string note = began_before(record);
  if (note.empty() && !held.name.empty()) {
    note = "during " + held.name + ", which is over";
  }
  return note;
}

/// Live and not explained: planned or open, and when to ask again.
void Fold::step_planned(std::uint32_t record) {
  IncidentRecord& incident = incident_of(record);
  const bool covered = has_windows(record);
  if (covered && windows_follow) {
    return;  // the inventory that decides comes with this input
  }
  const bool planned = is_planned(record);
  if (planned != incident.planned) {
    const IncidentState before = state_of(incident);
    incident.planned = planned;
    if (!planned) {
      incident.opened_at = now;  // it becomes real: what follows counts from now
    }
    std::string note = window_note(record);
    if (!planned && covered && note.empty() && incident.shown != nullptr &&
        incident.shown->maintenance != kNil) {
      note = std::string(strings.view(incident.shown->maintenance)) + " covers it no more";
    }
    emit(record, before, planned ? IncidentReason::Planned : IncidentReason::WindowEnded,
         std::move(note));
  } else if (planned && covered && differs(incident, cover_of(record).held)) {
    emit(record, IncidentState::Planned, IncidentReason::Updated, window_note(record));
  } else if (!planned) {
    if (std::string note = began_before(record); !note.empty()) {
      emit(record, IncidentState::Open, IncidentReason::Updated, std::move(note));
    }
  }
  wait_until(incident, next_window(record));
}

/// The new version differs from the old one only in tables that nothing but maintenance reads.
bool Fold::only_windows_changed(const Inventory& old) const {
  const std::size_t tables = inventory->schema().tables.size();
  const std::size_t relations = inventory->schema().relations.size();
  if (!fits(old.schema(), inventory->schema()) ||
      !fits(inventory->schema(), *plan->program->schema)) {
    return false;
  }
  for (std::uint32_t t = 0; t < tables; ++t) {
    if (!plan->only_windows[t] && old.table_hash(t) != inventory->table_hash(t)) {
      return false;
    }
  }
  for (std::uint32_t r = 0; r < relations; ++r) {
    if (old.pairs_hash(r) != inventory->pairs_hash(r)) {
      return false;
    }
  }
  return true;
}

/// After a version of nothing but windows: incidents of rules that some window may cover.
void Fold::look_at_windows() {
  for (std::size_t rule = 0; rule < plan->windows_of.size(); ++rule) {
    if (plan->windows_of[rule].empty()) {
      continue;
    }
    for (const std::uint32_t record : incidents_of[rule]) {
      if (incident_if(record)->phase == Phase::Live) {
        add_work(record);
      }
    }
  }
}

/// The name or the end is not what was said last.
bool Fold::differs(const IncidentRecord& incident, const WorkWindow& held) const {
  if (incident.shown == nullptr) {
    return false;
  }
  const Text text = incident.shown->maintenance;
  const std::string_view said = text == kNil ? std::string_view() : strings.view(text);
  return said != held.name || (!said.empty() && incident.shown->planned_until != held.until);
}

std::int64_t Fold::next_window(std::uint32_t record) {
  const bool planned = incident_of(record).planned;
  std::int64_t next = planned ? silence_ends() : kForever;
  if (!has_windows(record)) {
    return next;
  }
  const Cover& cover = cover_of(record);
  if (planned) {
    const std::int64_t end = up(cover.held.until);
    return reached(end) ? next : std::min(next, end);
  }
  for (const WorkWindow& window : cover.later) {
    if (!reached(up(window.from))) {
      next = std::min(next, up(window.from));
    }
  }
  return next;
}

}  // namespace belfry::correlate
