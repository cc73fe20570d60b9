#pragma once
// Events: what rules see of a finding. One event for the verdict; for a plugin one more for each
// number of its perfdata.
#include <cstdint>
#include <string>

#include "attempt.hpp"
#include "belfry/intake/intake.hpp"
#include "belfry/runtime/metrics.hpp"

namespace belfry::probe {

class Events {
 public:
  Events(Port& port, Clock& clock, Ledger& ledger, Metrics& metrics, IntakeOptions intake,
         std::string vantage);
  /// `asked`: it was checked out of its turn because somebody asked.
  void emit(const ProbeTarget& target, Status status, const Finding& finding, bool asked);
  Intake& intake() { return intake_; }

 private:
  Event& begin(const ProbeTarget& target);
  void sample(const ProbeTarget& target, Status status, const PerfValue& one);

  Intake intake_;
  const std::string vantage_;
  Counter *up_, *degraded_, *down_, *unknown_, *samples_, *cut_, *bad_;
};

}  // namespace belfry::probe
