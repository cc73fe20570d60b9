#pragma once
// Cells to values: the one place that says how each type is written in a CSV file.
#include <optional>
#include <string>
#include <string_view>

#include "belfry/model/arena.hpp"
#include "belfry/model/inventory.hpp"
#include "belfry/model/value.hpp"

namespace belfry::inventory {

/// What a cell has to be: a column, an item of a set, one side of a relation.
struct CellType {
  Type type = Type::String;
  std::uint32_t of = kNoIndex;
};

class CellReader {
 public:
  CellReader(const Schema& schema, Arena& arena) : schema_(schema), arena_(arena) {}

  /// nullopt: problem() says what was expected, without the place. Texts live in the arena.
  std::optional<Value> read(CellType type, std::string_view text);
  std::optional<Value> read_set(CellType item, std::string_view text);
  const std::string& problem() const { return problem_; }
  /// `a whole number`, `a row of site`: for messages.
  std::string expected(CellType type) const;

 private:
  std::optional<Value> reject(CellType type, std::string_view text, std::string hint = {});
  std::optional<Value> read_enum(CellType type, std::string_view text);
  std::optional<Value> read_row(CellType type, std::string_view text);
  std::optional<Value> read_text(CellType type, std::string_view text);

  const Schema& schema_;
  Arena& arena_;
  std::string problem_;
  int depth_ = 0;
};

}  // namespace belfry::inventory
