#pragma once
// MIB folders for the program: loaded, made current, and given to the rule compiler.
//
// A stored rule version must build again without the folder it was compiled with, and to the same
// OIDs: what the compiler took from a MIB is written beside the rules, as a source of its own
// called kMibNamesPath.
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "belfry/model/mib_table.hpp"
#include "belfry/rules/compile.hpp"

namespace belfry {

inline constexpr std::string_view kMibNamesPath = "<names from MIBs>";

/// Resolves by a table, and remembers what came from it and is not built in.
class MibNames final : public rules::MibResolver {
 public:
  explicit MibNames(std::shared_ptr<const MibTable> table) : table_(std::move(table)) {}
  std::optional<std::string> oid(std::string_view module, std::string_view name) const override;
  std::vector<std::string> trap_oids(std::string_view module, std::string_view name) const override;
  std::vector<std::string_view> names(std::string_view module) const override;
  /// What was used, as a MibTable's text; empty = nothing.
  std::string used() const;

 private:
  void use(std::string_view module, std::string_view name) const;
  std::shared_ptr<const MibTable> table_;
  mutable std::mutex mutex_;
  mutable std::map<std::pair<std::string, std::string>, std::string> used_;  // name -> octets
};

/// Loads a folder's MIBs for a command and makes them current; an empty folder does nothing. False:
/// standard error says why.
bool use_mibs(const std::string& folder, std::string_view command);

struct MibsArguments {
  std::string folder;
  std::vector<std::string> skip;  ///< file names
  bool raw = false;               ///< what the loader reads: the table, before it what is wrong
};
/// `belfry mibs FOLDER`: what is in it and what does not parse. 0 ok, 1 warnings, 2 cannot be read.
int mibs_command(const MibsArguments& arguments);

}  // namespace belfry
