#pragma once
// SourceTable: what one collector thread remembers of each sender: its text, its device, its
// counts.
//
// Bounds: sources_max rows, coldest out; row 0 is the collector as a whole, row 1 is `other`, which
// stands in while every row is needed by the open batch.
// Thread: one collector thread.
#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "address.hpp"

namespace belfry::intake {

struct Source {
  std::string text;
  AddressBytes address{};
  bool is_address = false;
  bool relay = false;
  std::string_view node;     ///< device of the inventory; empty = unknown sender
  std::uint64_t naming = 0;  ///< number of the naming that `node` is from
  std::uint64_t arena_serial = 0;
  std::string_view in_arena;   ///< text in the arena of serial arena_serial
  std::uint32_t in_batch = 0;  ///< its events in the open batch
  // Counts since the ledger was written last.
  std::uint64_t received = 0, stored = 0;
  std::vector<std::pair<std::string, std::uint64_t>> reasons;
  bool touched = false;
  std::uint32_t hotter = 0, colder = 0;  // ring through row 0
};

class SourceTable {
 public:
  static constexpr std::uint32_t kWhole = 0, kOther = 1;
  /// `evict` is called with a row before it is forgotten.
  SourceTable(std::size_t sources_max, const AddressSet& relays,
              std::function<void(std::uint32_t)> evict);

  std::uint32_t of_address(const AddressBytes& address);
  std::uint32_t of_text(std::string_view text);
  Source& operator[](std::uint32_t i) { return rows_[i]; }
  std::uint64_t forgotten() const { return forgotten_; }

 private:
  std::uint32_t add(std::string_view text);
  std::uint32_t free_row();
  void unlink(std::uint32_t i);
  void link_hottest(std::uint32_t i);
  void touch(std::uint32_t i) {
    if (rows_[kWhole].colder != i) {
      unlink(i);
      link_hottest(i);
    }
  }

  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return absl::Hash<std::string_view>{}(text);
    }
  };
  const std::size_t rows_max_;
  const AddressSet& relays_;
  std::function<void(std::uint32_t)> evict_;
  std::vector<Source> rows_;
  absl::flat_hash_map<AddressBytes, std::uint32_t> by_address_;
  absl::flat_hash_map<std::string, std::uint32_t, TextHash, std::equal_to<>> by_text_;
  std::uint64_t forgotten_ = 0;
};

}  // namespace belfry::intake
