#pragma once
// Templates: what the well-known messages of each vendor name (interface, neighbour, user, address)
// becomes named values of the event. They are data: one file per vendor in vendors/*.tpl, part of
// the program (docs/decisions/0044).
//
//   on ADJCHANGE                                  a mnemonic, a facility, a whole tag or a program
//     neighbor {neighbour} Down {reason...}       what stands behind the mnemonic, from its start
//   on @pairs                                     a form: pairs, cef, leef, json, sd, csv:TYPE
//     srcip = src_address
//
// {x} is one word, {x...} anything up to the next literal or the end, {_} is not kept, {x:joined}
// loses its spaces, {x:last} is the last word before what follows,
// {x:port} loses a port at its end, {x=text} is a constant. A space stands for
// any run of spaces. The first template of a key that fits is taken.
//
// Thread: any; immutable after parse(). Total: any message, bounded work.
#include <absl/container/flat_hash_map.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "belfry/base/result.hpp"
#include "belfry/model/arena.hpp"
#include "belfry/model/event.hpp"

namespace belfry::syslog {

inline constexpr std::size_t kEntitiesMax = 24;  // of one message; more are not kept

/// Where a value goes: an attribute, the event's host, or its stamp.
struct Target {
  enum class To : unsigned char { Attribute, HostIfNone, Host, Stamp };
  To to = To::Attribute;
  std::string_view name;
};

/// What is extracted of one message, before it moves to the arena.
class Entities {
 public:
  Entities(Event& event, Arena& arena, Instant received)
      : event_(event), arena_(arena), received_(received) {}
  /// Keeps the first value of a name.
  void set(const Target& target, std::string_view value);
  Arena& arena() { return arena_; }
  std::size_t mark() const { return count_; }
  void back_to(std::size_t mark) {
    count_ = mark;
    host_ = {};
  }
  void store();

 private:
  Event& event_;
  Arena& arena_;
  Instant received_;
  std::string_view host_;  // what the body calls its device
  std::array<Attr, kEntitiesMax> attrs_;
  std::size_t count_ = 0;
};

class Templates {
 public:
  enum Form : unsigned char { kPairs, kCef, kLeef, kJson, kSd, kForms };
  using Fields = absl::flat_hash_map<std::string_view, Target>;
  struct Column {
    std::size_t index;
    Target target;
  };

  /// The next file. `name` is for errors: `cisco.tpl:12: what was expected`. Keeps a copy.
  Result<void> add(std::string_view name, std::string_view text);

  /// Sets what the message names: attrs, vendor where it had none, and a host where the body names
  /// the device and the header does not.
  void extract(Event& event, Arena& arena, Instant received) const;

  std::size_t size() const { return patterns_.size(); }

 private:
  struct Piece {
    enum class Kind : unsigned char { Literal, Word, Any, Joined, Last, Port, Constant };
    Kind kind = Kind::Literal;
    Target target;  ///< empty name: not kept
    std::string_view text;
  };
  struct Pattern {
    std::size_t vendor = 0;
    std::vector<Piece> pieces;
  };
  struct Vendor {
    std::string_view name;
    std::array<Fields, kForms> fields;
    absl::flat_hash_map<std::string_view, std::vector<Column>> columns;  // csv, by its type
  };
  struct Reader;

  bool by_key(std::string_view key, std::string_view body, Event& event, Entities& out) const;
  void by_form(Event& event, std::string_view body, Entities& out) const;
  bool by_bars(Event& event, Entities& out) const;
  void recognise(Event& event, std::string_view body) const;
  const Vendor& vendor_of(const Event& event) const;
  static bool fits(const Pattern& pattern, std::string_view body, Entities& out);

  std::vector<std::unique_ptr<std::string>> texts_;  // everything else points into them
  std::vector<Vendor> vendors_{Vendor{}};            // 0: of any vendor
  absl::flat_hash_map<std::string_view, std::size_t> by_vendor_;
  std::vector<Pattern> patterns_;
  absl::flat_hash_map<std::string_view, std::vector<std::size_t>> by_key_;
  absl::flat_hash_map<std::string_view, std::size_t> by_program_;  // vendors
  std::array<std::vector<std::pair<std::string_view, std::size_t>>, 256> by_start_;
};

/// The files that are part of the program.
const Templates& builtin_templates();

struct TemplateFile {
  std::string_view name, text;
};
extern const TemplateFile kTemplateFiles[];
extern const std::size_t kTemplateFileCount;

}  // namespace belfry::syslog
