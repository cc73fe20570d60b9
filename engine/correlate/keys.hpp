#pragma once
// Keys: tuples of texts. Every part of a key is kept as its text (a row by its key text, a number
// in decimal), so one key is 24 bytes whatever its types; the declared parameter says how to read
// it back.
#include <absl/container/flat_hash_set.h>

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "belfry/model/inventory.hpp"
#include "belfry/rules/program.hpp"
#include "strings.hpp"

namespace belfry::correlate {

/// More parts than any rule of the packs has (4); a signal or rule with more is refused at
/// set_program.
inline constexpr std::size_t kKeyPartsMax = 6;

struct Key {
  std::array<Text, kKeyPartsMax> parts{kNil, kNil, kNil, kNil, kNil, kNil};
  bool operator==(const Key&) const = default;
};

inline std::size_t hash_key(const Key& key) {
  std::uint64_t h = 0;
  for (const Text part : key.parts) {
    h = hash_mix(h, part);
  }
  return h;
}

/// The text under which a value of a parameter is kept; nullopt when it cannot be a key part (None,
/// a set). `scratch` holds texts that had to be made.
std::optional<std::string_view> part_text(const Value& value, const rules::Param& param,
                                          std::string& scratch);
/// The value again. The result points to `text` and the schema.
Value part_value(std::string_view text, const rules::Param& param, const Schema* schema);

/// The records of one owner by key: numbers in a slab, found by what the slab holds.
template <class Record>
class KeyTable {
 public:
  explicit KeyTable(const Slab<Record>* slab) : set_(0, Hash{slab}, Equal{slab}) {}
  std::uint32_t find(const Key& key) const {
    const auto it = set_.find(key);
    return it == set_.end() ? kNil : *it;
  }
  void insert(std::uint32_t record) { set_.insert(record); }
  void erase(std::uint32_t record) { set_.erase(record); }
  std::size_t size() const { return set_.size(); }
  auto begin() const { return set_.begin(); }
  auto end() const { return set_.end(); }

 private:
  struct Hash {
    using is_transparent = void;
    const Slab<Record>* slab;
    std::size_t operator()(const Key& key) const { return hash_key(key); }
    std::size_t operator()(std::uint32_t i) const { return hash_key((*slab)[i].key); }
  };
  struct Equal {
    using is_transparent = void;
    const Slab<Record>* slab;
    bool operator()(std::uint32_t a, std::uint32_t b) const { return a == b; }
    bool operator()(std::uint32_t a, const Key& b) const { return (*slab)[a].key == b; }
    bool operator()(const Key& a, std::uint32_t b) const { return (*slab)[b].key == a; }
  };
  absl::flat_hash_set<std::uint32_t, Hash, Equal> set_;
};

}  // namespace belfry::correlate
