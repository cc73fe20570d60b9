#pragma once
// MibTable: what a folder of MIB files says, as its compiler (a process of its own, snmp/mibs.hpp)
// hands it over: names, textual conventions, enums and DISPLAY-HINTs by OID. Behind it stand the
// built-in names (mib_names.hpp), so that a table never knows less than none.
//
// The text, one node a line, fields apart by tabs, nothing trusted:
//   belfry-mibs 1
//   N  MODULE  NAME  OID  KIND  CONVENTION  HINT  label=number,label=number
//      (KIND: object, notification, other)
//   ...
//   end COUNT
//
// Thread: immutable. Owns its text; what it returns lives as long as it does. Bounds: below.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "belfry/base/result.hpp"
#include "belfry/model/event.hpp"

namespace belfry {

inline constexpr std::size_t kMibNodesMax = 2'000'000;
inline constexpr std::size_t kMibTextBytesMax = 256 * 1024 * 1024;

class MibTable {
 public:
  struct Node {
    std::string_view module, name, octets;
    std::string_view convention;  ///< textual convention, as DateAndTime; empty = none
    std::string_view hint;        ///< DISPLAY-HINT; empty = none
    std::string_view enums;       ///< as written in the text
    bool notification = false;
    bool subtree = false;  ///< a place or a product's name: no value stands below it
  };

  /// Checks every line. An error names the first that does not fit.
  static Result<std::shared_ptr<const MibTable>> parse(std::string text);
  /// Only the built-in names.
  static std::shared_ptr<const MibTable> built_in();

  /// What decode and the API show names by, in this process; swapped whole. Any thread.
  static std::shared_ptr<const MibTable> current();
  static void set_current(std::shared_ptr<const MibTable> table);

  /// Octets of `module::name` (an empty module: the first that has the name).
  std::optional<std::string> oid(std::string_view module, std::string_view name) const;
  /// As mib_trap_oids().
  std::vector<std::string> trap_oids(std::string_view module, std::string_view name) const;
  /// The names of a module, of all when it is empty; without the built-in ones.
  std::vector<std::string_view> names(std::string_view module) const;
  /// Node of the longest known prefix, of the files alone; nullptr = none.
  const Node* find(std::string_view octets) const;
  /// `ifDescr.3`; empty when nothing is known of it but numbers.
  std::string named(std::string_view octets) const;
  /// The value as its MIB shows it (`down`, `2026-11-25,13:05:10.0`); empty when the MIB says
  /// nothing that the plain value does not.
  std::string shown(const Varbind& varbind) const;
  /// One line of the text, for a table of a few names.
  static std::string line(std::string_view module, std::string_view name, std::string_view octets,
                          bool notification);
  static std::string head();
  static std::string end(std::size_t count);

  std::size_t size() const { return nodes_.size(); }
  std::size_t modules() const;

 private:
  MibTable() = default;
  Result<void> add(std::string_view line, std::size_t number);
  void index();

  std::string text_;
  std::string octets_;                  // of all nodes; reserved ahead, never moves
  std::vector<Node> nodes_;             // sorted by octets
  std::vector<std::uint32_t> by_name_;  // sorted by name
};

/// An octet string by a DISPLAY-HINT (RFC 2579 3.1); empty when the hint does not fit. At most 4
/// KiB.
std::string apply_hint(std::string_view hint, std::string_view octets);
/// An integer by one: `d`, `d-2`, `x`, `o`, `b`.
std::string apply_hint(std::string_view hint, std::int64_t value);

}  // namespace belfry
