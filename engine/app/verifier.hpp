#pragma once
// Verifier: an alarm that nothing was heard of for a while may have lost its clear. Where the rules
// say that a probe clears it, the probe is asked for now, out of its turn:
//
//   signal session_down(node: device) {
//     raise trap VENDOR::sessionDown
//     clear trap VENDOR::sessionUp
//     clear probe "session" where status == up      <-- this line names the proof
//   }
//
// The answer comes back as an event like any other, is journalled, clears the signal by that line
// and stands among the incident's evidence. An answer that is down confirms; one that is unknown
// (the probe itself failed) matches nothing and closes nothing.
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "belfry/model/change.hpp"
#include "belfry/rules/program.hpp"

namespace belfry {

/// By rule: the checks whose answer can clear it, of signals that probes do not raise anyway.
std::map<std::string, std::vector<std::string>> clearing_checks(const rules::Program& program);

class Verifier {
 public:
  struct Ask {
    std::string node, check;
    bool operator==(const Ask&) const = default;
  };
  /// Asks of one look; what is beyond comes with the next.
  static constexpr std::size_t kAsksOfOneLook = 200;

  /// An incident is doubted when its newest evidence is older than `after`, and again each `after`.
  explicit Verifier(Duration after) : after_(after) {}
  /// `open`: live incidents of a rule. The asks that are due at `now`.
  std::vector<Ask> due(const rules::Program& program,
                       const std::function<std::vector<Incident>(const std::string& rule)>& open,
                       Instant now);

 private:
  const Duration after_;
  std::map<IncidentId, Instant> asked_;  ///< of incidents that are still open
};

}  // namespace belfry
