#pragma once
// Inventory: tables and relations as one immutable version. The schema comes from Bell's `table`,
// `relation` and `enum`; rows come from CSV (module inventory) or from a test's `given`.
//
// Thread: immutable after build(); shared by every thread. Owns all texts its values point to.
// Bounds: rows_max (default 2,000,000) over all tables.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "belfry/base/result.hpp"
#include "belfry/model/value.hpp"

namespace belfry {

inline constexpr std::uint32_t kNoIndex = UINT32_MAX;

struct ColumnSchema {
  std::string name;
  Type type = Type::String;     ///< of the value, or of the items when `is_set`
  std::uint32_t of = kNoIndex;  ///< Enum: index in enums; Row: index in tables
  bool is_set = false;
  bool optional = false;
};
struct TableSchema {
  std::string name;
  std::vector<ColumnSchema> columns;
  std::vector<std::uint32_t> key;  ///< columns that are the key, in order
  std::string from;                ///< path below the inventory folder, as written; may be empty
};
struct EnumSchema {
  std::string name;
  std::vector<std::string> words;  ///< low to high
};
struct RelationSchema {
  std::string name;
  Type left_type = Type::Row, right_type = Type::Row;
  std::uint32_t left = kNoIndex, right = kNoIndex;  ///< tables, where the types are Row
  bool transitive = false;
  std::string from;  ///< CSV path; empty when it is read from a column:
  std::uint32_t column_table = kNoIndex, column = kNoIndex;
};
struct Schema {
  std::vector<EnumSchema> enums;
  std::vector<TableSchema> tables;
  std::vector<RelationSchema> relations;
  std::uint32_t find_table(std::string_view name) const;
  std::uint32_t find_enum(std::string_view name) const;
  std::uint32_t find_relation(std::string_view name) const;
};

struct Row {
  std::string_view key;          ///< key columns' texts joined by '\x1f'
  std::span<const Value> cells;  ///< one per column; None where missing
};

class Inventory {
 public:
  ~Inventory();
  std::uint64_t version() const { return version_; }
  const Schema& schema() const { return *schema_; }

  std::size_t row_count(std::uint32_t table) const;
  const Row& row(std::uint32_t table, std::size_t i) const;  ///< in key order
  const Row* find(std::uint32_t table, std::string_view key) const;
  /// Equal contents have equal hashes: whether a version changed a table, without a look at its
  /// rows. Of a relation only what is not read from a column.
  std::uint64_t table_hash(std::uint32_t table) const;
  std::uint64_t pairs_hash(std::uint32_t relation) const;
  /// By key values, in the order of the key columns.
  const Row* find(std::uint32_t table, std::span<const Value> key) const;
  /// Key values as the text that names a row: texts joined by '\x1f'.
  static std::string join_key(std::span<const Value> key);

  /// x.relation(y). A transitive relation is dominance (LANGUAGE 3): every way up from x to the
  /// roots (rows with nothing above them) passes y, and x != y.
  bool related(std::uint32_t relation, const Value& x, const Value& y) const;
  /// All y with x.relation(y), sorted. Transitive: nearest first.
  std::span<const Value> forward(std::uint32_t relation, const Value& x) const;
  /// All x with x.relation(y), sorted (transitive: all below).
  std::span<const Value> backward(std::uint32_t relation, const Value& y) const;

 private:
  friend class InventoryBuilder;
  Inventory();
  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::shared_ptr<const Schema> schema_;
  std::uint64_t version_ = 0;
};

/// Builds a version. Not thread-safe; build() may be called once.
class InventoryBuilder {
 public:
  explicit InventoryBuilder(std::shared_ptr<const Schema> schema);
  ~InventoryBuilder();
  /// Starts from all rows and pairs of another version of the same schema (tests' `given`).
  void copy_from(const Inventory& base);
  /// Cells by column; texts are copied. A second row with the same key replaces the first and
  /// returns false. Set cells hold their items.
  bool add_row(std::uint32_t table, std::span<const Value> cells);
  void add_pair(std::uint32_t relation, const Value& x, const Value& y);
  Result<std::shared_ptr<const Inventory>> build(std::uint64_t version);

 private:
  std::unique_ptr<Inventory::Impl> impl_;
  std::shared_ptr<const Schema> schema_;
};

}  // namespace belfry
