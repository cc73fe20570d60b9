#pragma once
// The desk's people and teams, first form: a static roster from belfry.yaml. It enters the desk
// fold as a version, never read from a file by it.
#include <map>
#include <string>
#include <vector>

#include "belfry/base/bytes.hpp"
#include "belfry/base/result.hpp"
#include "belfry/base/time.hpp"
#include "belfry/model/event.hpp"

namespace belfry {

struct DeskTarget {
  std::string channel;  ///< name in `channels:`: one outbox queue
  std::string address;  ///< mail address or URL; empty = the channel's own
};
struct DeskTeam {
  std::string name;                  ///< as escalations name it: desk, run, build, run-network ...
  std::vector<std::string> members;  ///< people, the first is the default owner / first called
  std::vector<DeskTarget> notify, page;
};
struct DeskOptions {
  std::vector<DeskTeam> teams;
  /// How a person is reached when a step names the person, or a team without targets of its own.
  std::map<std::string, std::vector<DeskTarget>> people;
  std::map<std::string, std::string> aliases;  ///< run -> run-systems
  std::string desk_team = "desk";
  /// Owns what nobody else can: mandatory, so that a ticket without an owner cannot exist.
  std::string last_resort;
  std::string default_escalation = "run_24x7";
  std::string default_policy = "triage";  ///< else built-in table of DESK 4
  Severity open_from = Severity::Minor;   ///< incidents below get no ticket
  Duration last_resort_every = std::chrono::minutes(5);
  Duration close_after = std::chrono::hours(72);
  Duration page_repeat_p1 = std::chrono::minutes(15), page_repeat_p2 = std::chrono::minutes(30);
};

void encode(const DeskOptions& options, ByteWriter& out);
Result<DeskOptions> decode_desk_options(std::string_view bytes);

}  // namespace belfry
