#pragma once
// Loading an inventory: CSV texts in, one immutable version out, or every mistake at once, each
// with file, line, column, what was expected and the nearest name.
//
//   folder ──read_inventory──> (path, text) pairs ──load_inventory(schema)──> Inventory | errors
//
// The pairs are what the pipeline journals, so that a replay builds exactly the same rows.
//
// A file: UTF-8, RFC 4180 (quotes, doubled quotes, line breaks inside quotes), a header row, then
// rows. Blank lines and lines that begin with `#` are skipped. Space around an unquoted cell does
// not count. An empty cell is `none` where the column is `T?`, the empty set for sets, else an
// error.
//   set<T>   items separated by `;`, or by space when there is no `;`
//   row      the key of the other table's row; parts of a longer key separated by `|`
//   bool     true false yes no 1 0        time  2026-03-14T22:00:00Z, zone required
//   oid      1.3.6.1 or IF-MIB::linkDown  float also 60%
// A relation's file has two columns, whatever their names.
//
// `from "inventory/sites.csv"` is looked up below the folder as written, and without its first part
// when that is `inventory/`. A missing file is an error; below `feeds/`, where others deliver, it
// is a warning and the table is empty.
//
// Thread: any; pure but read_inventory. Bounds: kInventory*Max below, rows by InventoryBuilder.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "belfry/base/result.hpp"
#include "belfry/model/inventory.hpp"

namespace belfry {

inline constexpr std::size_t kInventoryFilesMax = 1'000;
/// 256 MiB: two million rows of 120 bytes.
inline constexpr std::size_t kInventoryBytesMax = 256 * 1024 * 1024;
inline constexpr std::size_t kInventoryCellBytesMax = 64 * 1024;
/// Kept with their text; more are only counted.
inline constexpr std::size_t kInventoryErrorsMax = 1'000;

struct InventoryError {
  std::string file;          ///< path below the folder
  std::uint32_t line = 0;    ///< 0: the file as a whole
  std::uint32_t column = 0;  ///< first byte of the cell, 1-based; 0: the line as a whole
  std::string what;
};
/// `devices.csv:3:9: no site 'PAR3', did you mean 'PAR1'?`
std::string to_text(const InventoryError& error);

struct LoadedInventory {
  std::shared_ptr<const Inventory> inventory;  ///< nullptr when there are errors
  std::vector<InventoryError> errors, warnings;
  std::size_t errors_more = 0;  ///< beyond kInventoryErrorsMax
  std::size_t rows = 0, pairs = 0;

  /// The inventory, or one Error with the first lines of text.
  Result<std::shared_ptr<const Inventory>> result() const;
};

using InventoryFile = std::pair<std::string, std::string>;  ///< path below the folder, text

LoadedInventory load_inventory(const std::shared_ptr<const Schema>& schema,
                               std::span<const InventoryFile> files, std::uint64_t version);

/// All `*.csv` below `folder`, sorted by path. Reads files.
Result<std::vector<InventoryFile>> read_inventory(const std::string& folder);

}  // namespace belfry
