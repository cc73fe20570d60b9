// The face of the module: everything is the Fold's.
#include "belfry/correlate/correlator.hpp"

#include "belfry/base/check.hpp"
#include "fold.hpp"

namespace belfry {

struct Correlator::Impl : correlate::Fold {
  using correlate::Fold::Fold;
};

Correlator::Correlator(CorrelatorOptions options) : impl_(std::make_unique<Impl>(options)) {}
Correlator::~Correlator() = default;

void Correlator::set_program(std::shared_ptr<const rules::Program> program, Seq seq, Instant at,
                             std::vector<IncidentChange>& out, bool inventory_follows) {
  impl_->set_program(std::move(program), seq, at, out, inventory_follows);
}

void Correlator::set_inventory(std::shared_ptr<const Inventory> inventory, Seq seq, Instant at,
                               std::vector<IncidentChange>& out) {
  impl_->set_inventory(std::move(inventory), seq, at, out);
}

void Correlator::on_event(const Event& event, std::span<const Match> matches, Seq seq, Instant at,
                          std::vector<IncidentChange>& out) {
  BELFRY_CHECK(impl_->plan != nullptr);
  impl_->on_event(event, matches, seq, at, out);
}

void Correlator::advance(Instant at, Seq seq, std::vector<IncidentChange>& out) {
  impl_->fire(at, true, seq, out);
}

void Correlator::advance_before(Instant at, Seq seq, std::vector<IncidentChange>& out) {
  impl_->fire(at, false, seq, out);
}

Instant Correlator::next_deadline() const { return Instant{impl_->next_deadline}; }

void Correlator::on_deaf(Instant from, Instant to, Seq seq, std::vector<IncidentChange>& out) {
  BELFRY_CHECK(impl_->plan != nullptr);
  impl_->on_deaf(from, to, seq, out);
}

CommandResult Correlator::on_command(const Command& command, Seq seq, Instant at,
                                     std::vector<IncidentChange>& out) {
  BELFRY_CHECK(impl_->plan != nullptr);
  return impl_->on_command(command, seq, at, out);
}

std::vector<Incident> Correlator::live() const { return impl_->live(); }

std::vector<IncidentMembers> Correlator::members() const { return impl_->members(); }

Correlator::Sizes Correlator::sizes() const {
  Sizes sizes;
  sizes.signal_keys = impl_->signal_keys.live();
  sizes.rule_keys = impl_->keys.live();
  sizes.incidents = impl_->incidents.live();
  sizes.timers = impl_->timers.size();
  sizes.strings = impl_->strings.size();
  sizes.over_budget = impl_->over_budget.size();
  for (const auto& [unit, over] : impl_->over_budget) {
    sizes.cut_off += over.cut ? 1 : 0;
  }
  std::uint64_t nodes = 0;
  for (std::uint32_t i = 0; i < impl_->keys.end(); ++i) {
    nodes += impl_->keys.has(i) ? impl_->plan->owners[impl_->keys[i].owner].nodes.size() : 0;
  }
  sizes.bytes = impl_->signal_keys.bytes() + impl_->keys.bytes() + impl_->edges.bytes() +
                impl_->windows.bytes() + impl_->incidents.bytes() + impl_->strings.bytes() +
                nodes * sizeof(correlate::NodeState) + sizes.timers * 24 +
                (sizes.signal_keys + sizes.rule_keys) * 5;
  return sizes;
}

void Correlator::save(ByteWriter& out) const {
  BELFRY_CHECK(impl_->plan != nullptr);
  impl_->save(out);
}

Result<void> Correlator::load(ByteReader& in) {
  BELFRY_CHECK(impl_->plan != nullptr);
  impl_->reset();
  return impl_->load(in, false, nullptr);
}

std::uint64_t Correlator::state_hash() const {
  ByteWriter bytes;
  save(bytes);
  return hash64(bytes.bytes());
}

}  // namespace belfry
