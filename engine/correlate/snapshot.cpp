// Snapshot: the whole state by names and texts, in name and key order, so that equal states are
// equal bytes whatever the tables look like inside. Edges, watchers and timers are not stored: they
// follow from the signals, the incidents and the deadlines. Layout:
// docs/formats/correlator-snapshot.md.
#include <algorithm>

#include "fold.hpp"

namespace belfry::correlate {

namespace {

constexpr std::uint8_t kFormat = 3;
constexpr std::uint8_t kFormatWithoutBudgets = 2;

void save_text_list(const std::vector<std::string>& list, ByteWriter& to) {
  to.varint(list.size());
  for (const std::string& text : list) {
    to.string(text);
  }
}
std::vector<std::string> load_text_list(ByteReader& in) {
  std::vector<std::string> list;
  for (std::uint64_t n = in.varint(); n > 0 && !in.failed(); --n) {
    list.emplace_back(in.string());
  }
  return list;
}

/// Of an overflow incident.
void save_whole(const Incident& shown, ByteWriter& to) { encode(shown, to); }
Incident load_whole(ByteReader& in) {
  Result<Incident> shown = decode_incident(in);
  return shown ? std::move(*shown) : Incident{};
}

void save_proofs(const std::vector<Proof>& proofs, std::size_t head, ByteWriter& to) {
  to.varint(proofs.size());
  for (std::size_t i = 0; i < proofs.size(); ++i) {
    const Proof& proof = proofs[(head + i) % proofs.size()];
    to.u8(static_cast<std::uint8_t>(proof.kind));
    to.varint(proof.seq.value);
    to.zigzag(proof.at.ns);
    to.string(proof.text);
  }
}
std::vector<Proof> load_proofs(ByteReader& in) {
  std::vector<Proof> proofs;
  for (std::uint64_t n = in.varint(); n > 0 && !in.failed(); --n) {
    Proof proof;
    proof.kind = static_cast<EventKind>(std::min<std::uint8_t>(in.u8(), 4));
    proof.seq.value = in.varint();
    proof.at.ns = in.zigzag();
    proof.text = in.string();
    proofs.push_back(std::move(proof));
  }
  return proofs;
}

void save_samples(const Samples& samples, ByteWriter& to) {
  to.float64(samples.newest);
  to.zigzag(samples.newest_at);
  to.varint(samples.slices.size());
  for (const SampleSlice& s : samples.slices) {
    to.zigzag(s.slice);
    for (const double number : {s.n, s.sum, s.first, s.last, s.more}) {
      to.float64(number);
    }
    to.zigzag(s.first_at);
    to.zigzag(s.last_at);
  }
}
Samples load_samples(ByteReader& in) {
  Samples samples;
  samples.newest = in.float64();
  samples.newest_at = in.zigzag();
  for (std::uint64_t n = in.varint(); n > 0 && !in.failed(); --n) {
    SampleSlice s;
    s.slice = in.zigzag();
    for (double* number : {&s.n, &s.sum, &s.first, &s.last, &s.more}) {
      *number = in.float64();
    }
    s.first_at = in.zigzag();
    s.last_at = in.zigzag();
    if (samples.slices.size() < static_cast<std::size_t>(kSlices)) {
      samples.slices.push_back(s);
    }
  }
  return samples;
}

/// What makes the memory of a node mean the same under another program.
std::string node_identity(const Plan& plan, const PlanNode& node) {
  ByteWriter id;
  id.u8(static_cast<std::uint8_t>(node.kind()));
  id.u8(static_cast<std::uint8_t>(node.tree));
  id.u8(static_cast<std::uint8_t>(node.window));
  if (node.is_leaf()) {
    const rules::Leaf& leaf = node.pattern->leaf;
    id.string(leaf.signal < plan.signals.size() ? plan.signals[leaf.signal].name
                                                : std::string_view());
    id.u8(static_cast<std::uint8_t>(node.pattern->aggregate));
    id.fixed64(node.pattern->reach);
  }
  const bool exact_ring = node.window == WindowKind::Ring;
  id.zigzag(exact_ring ? 0 : node.pattern->duration.count());
  return id.take();
}

std::vector<std::uint32_t> by_name(const Plan& plan) {
  std::vector<std::uint32_t> order(plan.signals.size());
  for (std::uint32_t s = 0; s < order.size(); ++s) {
    order[plan.rank[s]] = s;
  }
  return order;
}

}  // namespace

void Fold::save(ByteWriter& to) const {
  to.u8(kFormat);
  to.zigzag(now);
  to.varint(touch);
  const std::vector<std::uint32_t> order = by_name(*plan);
  const auto has_keys = [&](std::uint32_t s) { return signal_tables[s].size() > 0; };
  to.varint(static_cast<std::uint64_t>(std::count_if(order.begin(), order.end(), has_keys)));
  for (const std::uint32_t s : order) {
    if (has_keys(s)) {
      save_signal(s, to);
    }
  }
  const auto has_owned = [&](std::uint32_t s) { return owner_tables[s].size() > 0; };
  to.varint(static_cast<std::uint64_t>(std::count_if(order.begin(), order.end(), has_owned)));
  for (const std::uint32_t s : order) {
    if (has_owned(s)) {
      save_owner(s, to);
    }
  }
  std::map<std::string_view, const Overflow*> full;
  for (const auto& [signal, overflow] : overflows) {
    if (overflow.refused > 0 || overflow.shown != nullptr) {
      full[plan->signals[signal].name] = &overflow;
    }
  }
  to.varint(full.size());
  for (const auto& [signal_name, overflow] : full) {
    to.string(signal_name);
    to.varint(overflow->refused);
    to.varint(overflow->nth);
    to.boolean(overflow->shown != nullptr);
    if (overflow->shown != nullptr) {
      save_whole(*overflow->shown, to);
    }
  }
  to.varint(silences.size());
  for (const auto& [text, silence] : silences) {
    to.string(text);
    to.string(silence.who);
    to.zigzag(silence.until.ns);
  }
  save_budgets(to);
}

namespace {

/// Records by a hash of their texts (ties: texts): the same for equal states, and no text is made.
template <class Record>
std::vector<std::uint32_t> by_content(const KeyTable<Record>& table, const Slab<Record>& slab,
                                      const Strings& strings, std::size_t parts) {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> order;
  order.reserve(table.size());
  for (const std::uint32_t record : table) {
    std::uint64_t h = 0;
    for (std::size_t i = 0; i < parts; ++i) {
      h = hash64(strings.view(slab[record].key.parts[i]), h);
    }
    order.emplace_back(h, record);
  }
  std::sort(order.begin(), order.end(), [&](const auto& a, const auto& b) {
    if (a.first != b.first) {
      return a.first < b.first;
    }
    for (std::size_t i = 0; i < parts; ++i) {
      const std::string_view x = strings.view(slab[a.second].key.parts[i]);
      const std::string_view y = strings.view(slab[b.second].key.parts[i]);
      if (x != y) {
        return x < y;
      }
    }
    return false;
  });
  std::vector<std::uint32_t> records;
  records.reserve(order.size());
  for (const auto& [h, record] : order) {
    records.push_back(record);
  }
  return records;
}

}  // namespace

void Fold::save_signal(std::uint32_t signal, ByteWriter& to) const {
  const std::size_t parts = plan->signals[signal].params->size();
  to.string(plan->signals[signal].name);
  to.varint(parts);
  to.varint(signal_tables[signal].size());
  for (const std::uint32_t record :
       by_content(signal_tables[signal], signal_keys, strings, parts)) {
    const SignalKey& key = signal_keys[record];
    for (std::size_t i = 0; i < parts; ++i) {
      to.string(strings.view(key.key.parts[i]));
    }
    const bool leased = key.lease != kForever;
    to.u8(
        static_cast<std::uint8_t>((key.plain ? 1 : 0) | (key.derived ? 2 : 0) | (leased ? 4 : 0)));
    if (leased) {
      to.varint(static_cast<std::uint64_t>(key.lease));
    }
    std::vector<std::string> vantages;
    if (key.vantages != nullptr) {
      for (const Text vantage : *key.vantages) {
        vantages.emplace_back(strings.view(vantage));
      }
      std::sort(vantages.begin(), vantages.end());
    }
    save_text_list(vantages, to);
    to.varint(key.count);
    to.zigzag(key.first);
    to.zigzag(key.last);
    to.zigzag(key.timer.deadline);
  }
}

void Fold::save_owner(std::uint32_t owner, ByteWriter& to) const {
  const OwnerPlan& owner_plan = plan->owners[owner];
  to.string(plan->signals[owner].name);
  to.varint(owner_plan.params->size());
  to.varint(owner_plan.nodes.size());
  for (const PlanNode& node : owner_plan.nodes) {
    to.string(node_identity(*plan, node));
    to.u8(static_cast<std::uint8_t>(node.window));
  }
  to.varint(owner_tables[owner].size());
  for (const std::uint32_t record :
       by_content(owner_tables[owner], keys, strings, owner_plan.params->size())) {
    save_owner_key(record, to);
  }
}

void Fold::save_owner_key(std::uint32_t record, ByteWriter& to) const {
  const OwnerKey& key = keys[record];
  const OwnerPlan& owner = plan->owners[key.owner];
  for (std::size_t i = 0; i < owner.params->size(); ++i) {
    to.string(strings.view(key.key.parts[i]));
  }
  const bool evictable = idle[key.owner].contains(key.touched);
  to.u8(static_cast<std::uint8_t>((key.started ? 1 : 0) | (key.holds ? 2 : 0) |
                                  (key.clearing ? 4 : 0) | (key.blocked ? 8 : 0) |
                                  (key.declared ? 16 : 0) | (evictable ? 32 : 0)));
  to.varint(key.count);
  to.varint(key.flaps);
  to.zigzag(key.first_raise);
  to.zigzag(key.last_raise);
  to.zigzag(key.pattern_next);
  to.varint(evictable ? key.touched : 0);
  for (std::size_t n = 0; n < owner.nodes.size(); ++n) {
    const NodeState& state = key.nodes[n];
    to.zigzag(state.x);
    to.zigzag(owner.nodes[n].kind() == PatternKind::Signal ? kNotYet : state.y);
    to.u8(static_cast<std::uint8_t>((state.on ? 1 : 0) | (state.armed ? 2 : 0) |
                                    (state.holds ? 4 : 0)));
    if (owner.nodes[n].window != WindowKind::None) {
      save_window(owner.nodes[n], state, to);
    }
  }
  to.boolean(key.incident != kNil);
  if (key.incident != kNil) {
    save_incident(incidents[key.incident], to);
  }
}

void Fold::save_window(const PlanNode& node, const NodeState& state, ByteWriter& to) const {
  if (window_empty(node, state)) {
    to.boolean(false);
    return;
  }
  to.boolean(true);
  const Window& w = windows[state.window];
  if (node.window == WindowKind::Ring) {
    to.varint(w.size);
    for (std::uint32_t i = 0; i < w.size; ++i) {
      to.zigzag(w.ring[(w.head + i) % w.ring.size()]);
    }
  } else if (node.window == WindowKind::Samples) {
    save_samples(*w.samples, to);
  } else if (node.window == WindowKind::Slices) {
    to.zigzag(w.newest_slice);
    for (const std::int64_t count : w.ring) {
      to.varint(static_cast<std::uint64_t>(count));
    }
  } else {
    std::vector<std::pair<std::string_view, std::int64_t>> order;
    for (const auto& [value, at] : w.values->last) {
      order.emplace_back(strings.view(value), at);
    }
    std::sort(order.begin(), order.end());
    to.varint(order.size());
    for (const auto& [value, at] : order) {
      to.string(value);
      to.zigzag(at);
    }
    to.boolean(w.values->many);
    to.zigzag(w.values->oldest);
  }
}

void Fold::save_incident(const IncidentRecord& i, ByteWriter& to) const {
  to.fixed64(i.id.value);
  to.zigzag(i.began_at.ns);
  to.varint(i.began_seq.value);
  to.u8(static_cast<std::uint8_t>(i.phase));
  to.u8(static_cast<std::uint8_t>((i.visible ? 1 : 0) | (i.was_closed ? 2 : 0) |
                                  (i.released ? 4 : 0) | (i.was_symptom ? 8 : 0) |
                                  (i.symptom ? 16 : 0) | (i.planned ? 32 : 0) |
                                  (i.removed ? 64 : 0) | (i.closed_once ? 128 : 0)));
  for (const std::int64_t at : {i.due_at, i.ready_at, i.recover_until, i.released_at, i.ended_at,
                                i.removed_until, i.opened_at, i.closed_at, i.next}) {
    to.zigzag(at);
  }
  to.varint(i.nth);
  to.fixed64(i.sibling.value);
  to.varint(i.symptoms);
  to.fixed64(i.noted);
  to.varint(i.causes.size());
  for (const IncidentId cause : i.causes) {
    to.fixed64(cause.value);
  }
  static const Proofs kNoProofs;
  const Proofs& proofs = i.proofs == nullptr ? kNoProofs : *i.proofs;
  save_proofs(proofs.first, 0, to);
  save_proofs(proofs.last, proofs.last_head, to);
  to.boolean(i.shown != nullptr);
  if (i.shown != nullptr) {
    save_shown(*i.shown, to);
  }
}

void Fold::save_shown(const Shown& shown, ByteWriter& to) const {
  to.string(shown.title);
  to.u8(static_cast<std::uint8_t>(shown.severity));
  for (const Text text :
       {shown.impact, shown.tier, shown.escalation, shown.policy, shown.runbook}) {
    to.string(text == kNil ? std::string_view() : strings.view(text));
  }
  to.varint(shown.symptoms);
  for (const std::vector<Text>* list : {&shown.customers, &shown.nodes}) {
    to.varint(list->size());
    for (const Text text : *list) {
      to.string(strings.view(text));
    }
  }
  to.varint(shown.causes.size());
  for (const IncidentId cause : shown.causes) {
    to.fixed64(cause.value);
  }
  to.string(shown.maintenance == kNil ? std::string_view() : strings.view(shown.maintenance));
  to.zigzag(shown.planned_until);
}

std::unique_ptr<Shown> Fold::load_shown(ByteReader& in) {
  auto shown = std::make_unique<Shown>();
  shown->title = in.string();
  shown->severity = static_cast<Severity>(std::min<std::uint8_t>(in.u8(), 5));
  for (Text* text :
       {&shown->impact, &shown->tier, &shown->escalation, &shown->policy, &shown->runbook}) {
    const std::string_view bytes = in.string();
    *text = bytes.empty() ? kNil : strings.acquire(bytes);
  }
  shown->symptoms = static_cast<std::uint32_t>(in.varint());
  for (std::vector<Text>* list : {&shown->customers, &shown->nodes}) {
    for (std::uint64_t n = in.varint(); n > 0 && !in.failed(); --n) {
      list->push_back(strings.acquire(in.string()));
    }
  }
  for (std::uint64_t n = in.varint(); n > 0 && !in.failed(); --n) {
    shown->causes.push_back(IncidentId{in.fixed64()});
  }
  const std::string_view maintenance = in.string();
  shown->maintenance = maintenance.empty() ? kNil : strings.acquire(maintenance);
  shown->planned_until = in.zigzag();
  return shown;
}

Result<void> Fold::load(ByteReader& in, bool migrate, std::vector<Orphan>* orphans) {
  const std::uint8_t format = in.u8();
  if (format != kFormat && format != kFormatWithoutBudgets) {
    return fail(Code::Corrupt, "correlator snapshot: format {} is not known, {} is", format,
                kFormat);
  }
  now = in.zigzag();
  touch = in.varint();
  for (std::uint64_t n = in.varint(); n > 0 && !in.failed(); --n) {
    BELFRY_CHECK_OK(load_signal(in, migrate));
  }
  for (std::uint64_t n = in.varint(); n > 0 && !in.failed(); --n) {
    BELFRY_CHECK_OK(load_owner(in, migrate, orphans));
  }
  load_rest(in, format != kFormatWithoutBudgets, migrate, orphans);
  if (in.failed()) {
    return fail(Code::Corrupt, "correlator snapshot: it ends too early");
  }
  loading = !migrate;
  relink_loaded();
  loading = false;
  settle_timers();
  return {};
}

/// The uses of a key's texts are taken; false at the end of the bytes.
bool Fold::load_key(ByteReader& in, std::size_t parts, Key& to) {
  to = Key{};
  for (std::size_t i = 0; i < parts; ++i) {
    const std::string_view text = in.string();
    if (i < kKeyPartsMax) {
      to.parts[i] = strings.acquire(text);
    }
  }
  if (in.failed()) {
    release(to);
    return false;
  }
  return true;
}

/// The signal of that name, or of the rule that had that name (LANGUAGE 6.18).
std::uint32_t Fold::known_as(std::string_view name) const {
  const std::uint32_t signal = plan->program->find_signal(name);
  if (signal < plan->signals.size()) {
    return signal;
  }
  for (const rules::Rule& rule : plan->program->rules) {
    if (rule.was == name) {
      return rule.signal;
    }
  }
  return kNil;
}

Result<void> Fold::load_signal(ByteReader& in, bool migrate) {
  const std::string_view wanted = in.string();
  const std::uint64_t parts = in.varint();
  const std::uint32_t signal = migrate ? known_as(wanted) : plan->program->find_signal(wanted);
  const bool known = signal < plan->signals.size() && plan->signals[signal].params->size() == parts;
  if (parts > kKeyPartsMax) {
    return fail(Code::Corrupt, "correlator snapshot: signal '{}' has {} parts", wanted, parts);
  }
  for (std::uint64_t n = in.varint(); n > 0 && !in.failed(); --n) {
    Key key;
    if (!load_key(in, parts, key)) {
      break;
    }
    load_signal_key(in, known ? signal : kNil, key, migrate);
  }
  return {};
}

/// Takes over the uses of `key`'s texts.
void Fold::load_signal_key(ByteReader& in, std::uint32_t signal, const Key& key, bool migrate) {
  const std::uint8_t flags = in.u8();
  const std::uint64_t lease = (flags & 4) != 0 ? in.varint() : UINT64_MAX;
  const std::vector<std::string> vantages = load_text_list(in);
  const std::uint64_t count = in.varint();
  const std::int64_t first = in.zigzag();
  const std::int64_t last = in.zigzag();
  const std::int64_t deadline = in.zigzag();
  if (signal == kNil || in.failed() || signal_tables[signal].find(key) != kNil) {
    release(key);
    return;
  }
  const OwnerPlan& owner = plan->owners[signal];
  const bool derives =
      owner.used && (owner.rule == nullptr || (owner.live && !plan->signals[signal].uses.empty()));
  const bool plain = (flags & 1) != 0;
  const bool derived = (flags & 2) != 0 && derives;
  if (!plain && !derived && vantages.empty()) {
    release(key);  // these rules do not raise it any more
    return;
  }
  const std::uint32_t record = signal_keys.add();
  SignalKey& state = signal_keys[record];
  state.key = key;
  state.signal = signal;
  state.plain = plain;
  state.derived = derived;
  state.count = count;
  state.first = first;
  state.last = last;
  state.lease = static_cast<std::int64_t>(std::min<std::uint64_t>(lease, kForever));
  for (const std::string& vantage : vantages) {
    add_contributor(state, {Contributor::Kind::Vantage, vantage});
  }
  signal_tables[signal].insert(record);
  if (plan->signals[signal].by_first_part) {
    by_first[signal][key.parts[0]].insert(record);
  }
  const std::int64_t expire = expire_of(state);
  std::int64_t expires = kForever;
  if (expire != kForever) {
    expires = deadline != kForever ? deadline : last + std::min(expire, kForever - last);
    expires = migrate ? std::max(expires, now) : expires;  // never before this version
  }
  timers.arm(state.timer, {record, true}, expires);
}

Result<void> Fold::load_owner(ByteReader& in, bool migrate, std::vector<Orphan>* orphans) {
  const std::string wanted(in.string());
  const std::uint64_t parts = in.varint();
  const std::uint64_t nodes = in.varint();
  if (in.failed() || parts > kKeyPartsMax || nodes >= kNoNode) {
    return fail(Code::Corrupt, "correlator snapshot: '{}' has {} parts and {} nodes", wanted, parts,
                nodes);
  }
  const std::uint32_t owner = migrate ? known_as(wanted) : plan->program->find_signal(wanted);
  const bool known = owner < plan->owners.size() && plan->owners[owner].used &&
                     plan->owners[owner].params->size() == parts;
  if (!known && !migrate) {
    return fail(Code::Corrupt, "correlator snapshot: the rules have no '{}' of {} parts", wanted,
                parts);
  }
  std::vector<bool> keep;
  std::vector<WindowKind> kinds;
  for (std::uint64_t n = 0; n < nodes && !in.failed(); ++n) {
    const std::string_view identity = in.string();
    kinds.push_back(static_cast<WindowKind>(std::min<std::uint8_t>(in.u8(), 4)));
    keep.push_back(known && n < plan->owners[owner].nodes.size() &&
                   node_identity(*plan, plan->owners[owner].nodes[n]) == identity);
  }
  for (std::uint64_t n = in.varint(); n > 0 && !in.failed(); --n) {
    if (!load_owner_key(in, known ? owner : kNil, parts, kinds, keep, orphans)) {
      break;
    }
  }
  return {};
}

/// One key of an owner; read over when `owner` is kNil (the rules have it no more).
bool Fold::load_owner_key(ByteReader& in, std::uint32_t owner, std::size_t parts,
                          const std::vector<WindowKind>& kinds, const std::vector<bool>& keep,
                          std::vector<Orphan>* orphans) {
  Key key;
  if (!load_key(in, parts, key)) {
    return false;
  }
  const bool fresh = owner != kNil && find_owner_key(owner, key) == kNil;
  const std::uint32_t record = fresh ? insert_owner_key(owner, key) : kNil;
  if (!fresh) {
    release(key);
  }
  OwnerKey gone;
  OwnerKey& state = fresh ? keys[record] : gone;
  const std::uint8_t flags = in.u8();
  state.started = (flags & 1) != 0;
  state.holds = (flags & 2) != 0;
  state.clearing = (flags & 4) != 0;
  state.blocked = (flags & 8) != 0;
  state.declared = (flags & 16) != 0;
  state.count = in.varint();
  state.flaps = in.varint();
  state.first_raise = in.zigzag();
  state.last_raise = in.zigzag();
  state.pattern_next = in.zigzag();
  state.touched = in.varint();
  for (std::size_t i = 0; i < kinds.size() && !in.failed(); ++i) {
    NodeState node;
    node.x = in.zigzag();
    node.y = in.zigzag();
    const std::uint8_t node_flags = in.u8();
    node.on = (node_flags & 1) != 0;
    node.armed = (node_flags & 2) != 0;
    node.holds = (node_flags & 4) != 0;
    const bool kept = fresh && keep[i];
    if (kinds[i] != WindowKind::None) {
      load_window(in, kinds[i], kept ? &node : nullptr);
    }
    if (kept) {
      if (plan->owners[owner].nodes[i].kind() == PatternKind::Signal) {
        node.y = kNotYet;  // numbers of raises begin anew
      }
      state.nodes[i] = node;
      if (kinds[i] == WindowKind::Values && node.window != kNil) {
        window_values_of[owner] += windows[node.window].values->last.size();
      }
    }
  }
  if (in.boolean()) {
    load_incident(in, fresh && plan->owners[owner].live ? record : kNil, orphans);
  }
  return true;
}

void Fold::load_window(ByteReader& in, WindowKind kind, NodeState* state) {
  if (!in.boolean()) {
    return;
  }
  Window w;
  if (kind == WindowKind::Ring) {
    const std::uint64_t n = std::min<std::uint64_t>(in.varint(), kRingTimes);
    for (std::uint64_t i = 0; i < n; ++i) {
      w.ring.push_back(in.zigzag());
    }
    w.size = static_cast<std::uint32_t>(n);
  } else if (kind == WindowKind::Samples) {
    w.samples = std::make_unique<Samples>(load_samples(in));
  } else if (kind == WindowKind::Slices) {
    w.newest_slice = in.zigzag();
    for (std::int64_t i = 0; i < kSlices; ++i) {
      w.ring.push_back(static_cast<std::int64_t>(in.varint()));
      w.total += static_cast<std::uint64_t>(w.ring.back());
    }
  } else {
    w.values = std::make_unique<ValueTimes>();
    for (std::uint64_t n = in.varint(); n > 0 && !in.failed(); --n) {
      const std::string_view value = in.string();
      const std::int64_t at = in.zigzag();
      if (state != nullptr && !in.failed()) {
        const Text text = strings.acquire(value);
        if (!w.values->last.emplace(text, at).second) {
          strings.release(text);
        }
      }
    }
    w.values->many = in.boolean();
    w.values->oldest = in.zigzag();
  }
  if (state != nullptr) {
    state->window = windows.add();
    windows[state->window] = std::move(w);
  }
}

void Fold::load_incident(ByteReader& in, std::uint32_t record, std::vector<Orphan>* orphans) {
  IncidentRecord i;
  i.key = record;
  i.id.value = in.fixed64();
  i.began_at.ns = in.zigzag();
  i.began_seq.value = in.varint();
  i.phase = static_cast<Phase>(std::min<std::uint8_t>(in.u8(), 4));
  const std::uint8_t flags = in.u8();
  i.visible = (flags & 1) != 0;
  i.was_closed = (flags & 2) != 0;
  i.released = (flags & 4) != 0;
  i.was_symptom = (flags & 8) != 0;
  i.symptom = (flags & 16) != 0;
  i.planned = (flags & 32) != 0;
  i.removed = (flags & 64) != 0;
  i.closed_once = (flags & 128) != 0;
  for (std::int64_t* at : {&i.due_at, &i.ready_at, &i.recover_until, &i.released_at, &i.ended_at,
                           &i.removed_until, &i.opened_at, &i.closed_at, &i.next}) {
    *at = in.zigzag();
  }
  i.nth = static_cast<std::uint32_t>(in.varint());
  i.sibling.value = in.fixed64();
  i.symptoms = static_cast<std::uint32_t>(in.varint());
  i.noted = in.fixed64();
  for (std::uint64_t n = in.varint(); n > 0 && !in.failed(); --n) {
    i.causes.push_back(IncidentId{in.fixed64()});
  }
  auto proofs = std::make_unique<Proofs>();
  proofs->first = load_proofs(in);
  proofs->last = load_proofs(in);
  if (!proofs->first.empty()) {
    i.proofs = std::move(proofs);
  }
  if (in.boolean()) {
    i.shown = load_shown(in);
  }
  if (in.failed()) {
    return;
  }
  if (record == kNil) {
    if (orphans != nullptr && i.shown != nullptr && i.visible && i.phase != Phase::Closed) {
      orphans->push_back({i.id, i.nth, nullptr});
    }
    drop_shown(i);
    return;
  }
  OwnerKey& key = keys[record];
  key.incident = incidents.add();
  by_id[i.id] = record;
  list_incident(record);
  incidents[key.incident] = std::move(i);
}

void Fold::load_rest(ByteReader& in, bool with_budgets, bool migrate,
                     std::vector<Orphan>* orphans) {
  for (std::uint64_t n = in.varint(); n > 0 && !in.failed(); --n) {
    const std::uint32_t signal = plan->program->find_signal(in.string());
    Overflow overflow;
    overflow.refused = in.varint();
    overflow.nth = static_cast<std::uint32_t>(in.varint());
    if (in.boolean()) {
      overflow.shown = std::make_unique<Incident>(load_whole(in));
    }
    const bool hidden = signal < plan->signals.size() && plan->owners[signal].rule != nullptr &&
                        !plan->owners[signal].live;
    if (signal < plan->signals.size() && !hidden) {
      overflows[signal] = std::move(overflow);
    } else if (orphans != nullptr && overflow.shown != nullptr) {
      overflow.shown->count = overflow.refused;
      orphans->push_back({overflow.shown->id, overflow.nth, std::move(overflow.shown)});
    }
  }
  silences.clear();
  for (std::uint64_t n = in.varint(); n > 0 && !in.failed(); --n) {
    Silence silence;
    silence.text = in.string();
    silence.who = in.string();
    silence.until.ns = in.zigzag();
    silences[silence.text] = silence;
  }
  if (with_budgets) {
    load_budgets(in, migrate);
  }
}

/// Edges, watchers, timers and the order of eviction, from what was loaded.
void Fold::relink_loaded() {
  // Before the links: a key that the new rules reach first may need the place of an idle one; a key
  // that is reached leaves the idle ones.
  for (std::uint32_t i = 0; i < keys.end(); ++i) {
    if (keys.has(i) && keys[i].touched > 0) {
      idle[keys[i].owner].emplace(keys[i].touched, i);
    }
  }
  const bool as_loaded = loading;
  build_graphs();
  if (as_loaded) {
    for (std::uint32_t i = 0; i < signal_keys.end(); ++i) {
      if (signal_keys.has(i)) {
        link(i);
      }
    }
  } else {
    relink_all();
  }
  for (std::uint32_t i = 0; i < incidents.end(); ++i) {
    if (incidents.has(i) && incidents[i].phase != Phase::Closed) {
      watch_causes(incidents[i].key);
    }
  }
  if (as_loaded) {
    for (std::vector<std::uint32_t>& list : dirty) {
      list.clear();
    }
    dirty_places.clear();
  }
  for (std::uint32_t i = 0; i < keys.end(); ++i) {
    if (keys.has(i)) {
      keys[i].dirty = keys[i].dirty && !as_loaded;
      arm(i);
    }
  }
}

}  // namespace belfry::correlate
