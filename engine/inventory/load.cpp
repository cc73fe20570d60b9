#include "belfry/inventory/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "belfry/base/text.hpp"
#include "cell.hpp"
#include "csv.hpp"

namespace belfry {
namespace {

using inventory::Cell;
using inventory::CellReader;
using inventory::CellType;
using inventory::Csv;

// "did you mean" compares with every key of a table; after so many of them the author knows.
constexpr std::size_t kSuggestionsMax = 50;
constexpr std::string_view kFolderPrefix = "inventory/";
constexpr std::string_view kFeedsPrefix = "feeds/";

std::string quoted_key(std::string_view key) {
  std::string out = "'";
  for (const char c : key) {
    out += c == '\x1f' ? std::string("|") : std::string(1, c);
  }
  return printable(out + "'", 120);
}

std::string did_you_mean(std::string_view near) {
  return near.empty() ? std::string() : fmt::format(", did you mean '{}'?", near);
}

struct Place {
  std::string_view file;
  std::uint32_t line = 0, column = 0;
};

/// A row that some cell names: checked when all rows are known.
struct Reference {
  std::uint32_t table = kNoIndex;
  std::string_view key;
  Place place;
};

struct TableState {
  bool complete = false;  ///< its file was read, so a key that is not there does not exist
  std::unordered_map<std::string_view, Place> keys;
};

class Loader {
 public:
  Loader(const std::shared_ptr<const Schema>& schema, std::span<const InventoryFile> files)
      : schema_(*schema),
        files_(files),
        cells_(schema_, arena_),
        builder_(schema),
        tables_(schema_.tables.size()) {}

  LoadedInventory run(std::uint64_t version) {
    for (std::uint32_t t = 0; t < schema_.tables.size(); ++t) {
      load_table(t);
    }
    for (std::uint32_t r = 0; r < schema_.relations.size(); ++r) {
      load_relation(r);
    }
    check_references();
    check_rings();
    if (out_.errors.empty()) {
      auto built = builder_.build(version);
      if (built) {
        out_.inventory = std::move(*built);
      } else {
        error({}, std::move(built.error().what));
      }
    }
    sort(out_.errors);
    sort(out_.warnings);
    return std::move(out_);
  }

 private:
  void error(const Place& place, std::string what) {
    if (out_.errors.size() == kInventoryErrorsMax) {
      ++out_.errors_more;
      return;
    }
    out_.errors.push_back({std::string(place.file), place.line, place.column, std::move(what)});
  }
  void warn(const Place& place, std::string what) {
    if (out_.warnings.size() < kInventoryErrorsMax) {
      out_.warnings.push_back({std::string(place.file), place.line, place.column, std::move(what)});
    }
  }
  static void sort(std::vector<InventoryError>& errors) {
    std::stable_sort(errors.begin(), errors.end(), [](const auto& a, const auto& b) {
      return std::tie(a.file, a.line, a.column) < std::tie(b.file, b.line, b.column);
    });
  }

  const InventoryFile* find_file(std::string_view path) const {
    for (const InventoryFile& file : files_) {
      if (file.first == path) {
        return &file;
      }
    }
    return path.starts_with(kFolderPrefix) ? find_file(path.substr(kFolderPrefix.size())) : nullptr;
  }
  /// The file of a table or relation; nullptr with an error or a warning when it is not there.
  const InventoryFile* open(std::string_view path, std::string_view whose) {
    const InventoryFile* file = find_file(path);
    if (file == nullptr && path.starts_with(kFeedsPrefix)) {
      warn({path, 0, 0}, fmt::format("has not come yet: '{}' has no rows", whose));
    } else if (file == nullptr) {
      std::vector<std::string_view> paths;
      for (const InventoryFile& other : files_) {
        paths.emplace_back(other.first);
      }
      const bool below = path.starts_with(kFolderPrefix);
      const std::string_view shown = below ? path.substr(kFolderPrefix.size()) : path;
      error({shown, 0, 0}, fmt::format("no such file: expected the rows of '{}'{}", whose,
                                       did_you_mean(nearest(shown, paths))));
    } else if (!is_utf8(file->second)) {
      error({file->first, 0, 0}, not_utf8(file->second));
      return nullptr;
    }
    return file;
  }
  static std::string not_utf8(std::string_view text) {
    std::size_t at = 0, line = 1;
    for (std::size_t n = 1; at < text.size(); at += n) {
      n = utf8_sequence(text, at);
      if (n == 0) {
        break;
      }
      line += text[at] == '\n' ? 1U : 0U;
    }
    return fmt::format("line {} is not UTF-8: save the file as UTF-8", line);
  }

  /// The next row without CSV mistakes and not longer than the bounds.
  bool next_row(Csv& csv, std::string_view file, std::vector<Cell>& row) {
    while (csv.next(row)) {
      if (csv.problem().empty()) {
        const auto big = std::find_if(row.begin(), row.end(), [](const Cell& cell) {
          return cell.text.size() > kInventoryCellBytesMax;
        });
        if (big == row.end()) {
          return true;
        }
        error({file, big->line, big->column},
              fmt::format("a cell of {} bytes: expected at most {}", big->text.size(),
                          kInventoryCellBytesMax));
      } else {
        error({file, csv.problem_line(), csv.problem_column()}, csv.problem());
      }
    }
    return false;
  }

  void load_table(std::uint32_t t);
  bool read_header(const TableSchema& table, std::string_view file, const std::vector<Cell>& header,
                   std::vector<std::uint32_t>& columns);
  void read_row(std::uint32_t t, std::string_view file, const std::vector<std::uint32_t>& columns,
                const std::vector<Cell>& row);
  bool read_cell(const ColumnSchema& column, std::string_view file, const Cell& cell, Value& out);
  void note_reference(const Value& value, const Place& place);
  void note_address(const Value& value, std::string_view key, const Place& place);
  void load_relation(std::uint32_t r);
  void read_pair(std::uint32_t r, std::string_view file, const std::vector<Cell>& row,
                 std::unordered_map<std::string_view, Place>& seen);
  void check_references();
  void check_rings();

  const Schema& schema_;
  std::span<const InventoryFile> files_;
  Arena arena_;
  CellReader cells_;
  InventoryBuilder builder_;
  std::vector<TableState> tables_;
  std::vector<Reference> references_;
  /// Pairs of transitive relations, to find rings.
  std::unordered_map<std::uint32_t, std::vector<std::pair<std::string_view, std::string_view>>>
      uplinks_;
  std::unordered_map<std::uint32_t, Place> relation_places_;
  std::unordered_map<std::string_view, std::pair<std::string_view, Place>> addresses_;
  LoadedInventory out_;
};

void Loader::load_table(std::uint32_t t) {
  const TableSchema& table = schema_.tables[t];
  if (table.from.empty()) {
    return;
  }
  const InventoryFile* file = open(table.from, table.name);
  if (file == nullptr) {
    return;
  }
  Csv csv(file->second);
  std::vector<Cell> row;
  std::vector<std::uint32_t> columns;
  if (!next_row(csv, file->first, row)) {
    error({file->first, 1, 0},
          fmt::format("no header row: expected the columns of '{}'", table.name));
    return;
  }
  if (!read_header(table, file->first, row, columns)) {
    return;  // every row would repeat the mistake
  }
  tables_[t].complete = true;
  while (next_row(csv, file->first, row)) {
    read_row(t, file->first, columns, row);
  }
}

bool Loader::read_header(const TableSchema& table, std::string_view file,
                         const std::vector<Cell>& header, std::vector<std::uint32_t>& columns) {
  std::vector<std::string_view> names;
  for (const ColumnSchema& column : table.columns) {
    names.emplace_back(column.name);
  }
  bool good = true;
  std::vector<std::uint32_t> cell_of(names.size(), kNoIndex);
  for (std::uint32_t i = 0; i < header.size(); ++i) {
    const Cell& cell = header[i];
    const auto it = std::find(names.begin(), names.end(), cell.text);
    const auto c = static_cast<std::uint32_t>(it - names.begin());
    columns.push_back(it == names.end() ? kNoIndex : c);
    if (it == names.end()) {
      good = false;
      const std::string_view near = nearest(cell.text, names);
      error({file, cell.line, cell.column},
            fmt::format("'{}' has no column '{}'{}", table.name, printable(cell.text, 80),
                        near.empty() ? fmt::format(": expected {}", fmt::join(names, ", "))
                                     : did_you_mean(near)));
    } else if (cell_of[c] != kNoIndex) {
      good = false;
      error({file, cell.line, cell.column},
            fmt::format("the column '{}' is here twice: the first is cell {}", cell.text,
                        cell_of[c] + 1));
    } else {
      cell_of[c] = i;
    }
  }
  for (std::size_t c = 0; c < names.size(); ++c) {
    if (cell_of[c] == kNoIndex && !table.columns[c].optional) {
      good = false;
      error({file, header.front().line, 0},
            fmt::format("the column '{}' of '{}' is missing: expected {} there", names[c],
                        table.name, cells_.expected({table.columns[c].type, table.columns[c].of})));
    }
  }
  return good;
}

bool Loader::read_cell(const ColumnSchema& column, std::string_view file, const Cell& cell,
                       Value& out) {
  const CellType type{column.type, column.of};
  const Place place{file, cell.line, cell.column};
  std::optional<Value> value;
  if (column.is_set) {
    value = cells_.read_set(type, cell.text);
  } else if (cell.text.empty() && column.optional) {
    return true;
  } else if (cell.text.empty() && !(cell.quoted && column.type == Type::String)) {
    error(place, fmt::format("'{}' is empty: expected {}", column.name, cells_.expected(type)));
    return false;
  } else {
    value = cells_.read(type, cell.text);
  }
  if (!value) {
    error(place, fmt::format("'{}' is {}", column.name, cells_.problem()));
    return false;
  }
  out = *value;
  note_reference(out, place);
  return true;
}

void Loader::note_reference(const Value& value, const Place& place) {
  if (value.type == Type::Row) {
    references_.push_back({value.aux, value.text, place});
  }
  for (const Value& item : value.items()) {
    note_reference(item, place);
  }
}

/// Devices are found by their address: one that two have names only one of them.
void Loader::note_address(const Value& value, std::string_view key, const Place& place) {
  if (value.type == Type::Ip) {
    const auto [it, fresh] = addresses_.emplace(value.text, std::pair(key, place));
    if (!fresh && it->second.first != key) {
      warn(place,
           fmt::format(
               "the address {} is also that of {} in line {}: events from it are taken for the "
               "first one",
               value.text, quoted_key(it->second.first), it->second.second.line));
    }
  }
  for (const Value& item : value.items()) {
    note_address(item, key, place);
  }
}

void Loader::read_row(std::uint32_t t, std::string_view file,
                      const std::vector<std::uint32_t>& columns, const std::vector<Cell>& row) {
  const TableSchema& table = schema_.tables[t];
  const Place place{file, row.front().line, 0};
  if (row.size() != columns.size()) {
    error(place,
          fmt::format("{} cells: expected {}, as in the header", row.size(), columns.size()));
  }
  std::vector<Value> values(table.columns.size());
  std::vector<bool> bad(table.columns.size());
  bool good = row.size() == columns.size();
  for (std::size_t i = 0; i < std::min(row.size(), columns.size()); ++i) {
    bad[columns[i]] = !read_cell(table.columns[columns[i]], file, row[i], values[columns[i]]);
    good = good && !bad[columns[i]];
  }
  std::vector<Value> key;
  for (const std::uint32_t c : table.key) {
    if (bad[c] || values[c].is_none()) {
      return;  // reported, or the row is too short; without a key it cannot even be referred to
    }
    key.push_back(values[c]);
  }
  const std::string_view joined = arena_.copy(Inventory::join_key(key));
  const auto [it, fresh] = tables_[t].keys.emplace(joined, place);
  if (!fresh) {
    error(place, fmt::format("{} {} is already in line {}", table.name, quoted_key(joined),
                             it->second.line));
    return;
  }
  if (table.name == "device") {
    for (std::size_t i = 0; i < row.size() && i < columns.size(); ++i) {
      note_address(values[columns[i]], joined, {file, row[i].line, row[i].column});
    }
  }
  if (good) {
    builder_.add_row(t, values);
    ++out_.rows;
  }
}

void Loader::load_relation(std::uint32_t r) {
  const RelationSchema& relation = schema_.relations[r];
  if (relation.from.empty() || relation.column_table != kNoIndex) {
    return;
  }
  const InventoryFile* file = open(relation.from, relation.name);
  if (file == nullptr) {
    return;
  }
  relation_places_[r] = {file->first, 0, 0};
  Csv csv(file->second);
  std::vector<Cell> row;
  if (!next_row(csv, file->first, row)) {
    error({file->first, 1, 0},
          fmt::format("no header row: expected two columns for '{}'", relation.name));
    return;
  }
  if (row.size() != 2) {
    error({file->first, row.front().line, 0},
          fmt::format("{} columns: expected two, '{}' relates {} to {}", row.size(), relation.name,
                      cells_.expected({relation.left_type, relation.left}),
                      cells_.expected({relation.right_type, relation.right})));
    return;
  }
  std::unordered_map<std::string_view, Place> seen;
  while (next_row(csv, file->first, row)) {
    read_pair(r, file->first, row, seen);
  }
}

void Loader::read_pair(std::uint32_t r, std::string_view file, const std::vector<Cell>& row,
                       std::unordered_map<std::string_view, Place>& seen) {
  const RelationSchema& relation = schema_.relations[r];
  const Place place{file, row.front().line, 0};
  if (row.size() != 2) {
    error(place, fmt::format("{} cells: expected two", row.size()));
    return;
  }
  const ColumnSchema sides[2]{
      {"the first cell", relation.left_type, relation.left, false, false},
      {"the second cell", relation.right_type, relation.right, false, false}};
  Value values[2];
  bool good = true;
  for (std::size_t i = 0; i < 2; ++i) {
    good = read_cell(sides[i], file, row[i], values[i]) && good;
  }
  if (!good) {
    return;
  }
  const std::string_view joined = arena_.copy(Inventory::join_key(values));
  if (const auto [it, fresh] = seen.emplace(joined, place); !fresh) {
    error(place, fmt::format("{} is already in line {}", quoted_key(joined), it->second.line));
    return;
  }
  if (relation.transitive) {
    if (values[0] == values[1]) {
      error(place, fmt::format("{} is '{}' of itself", quoted_key(values[0].text), relation.name));
      return;
    }
    uplinks_[r].emplace_back(values[0].text, values[1].text);
  }
  builder_.add_pair(r, values[0], values[1]);
  ++out_.pairs;
}

void Loader::check_references() {
  std::size_t suggestions = 0;
  for (const Reference& reference : references_) {
    const TableState& state = tables_[reference.table];
    if (!state.complete || state.keys.contains(reference.key)) {
      continue;
    }
    std::string hint;
    if (++suggestions <= kSuggestionsMax) {
      std::vector<std::string_view> keys;
      for (const auto& [key, place] : state.keys) {
        keys.push_back(key);
      }
      std::sort(keys.begin(), keys.end());
      hint = did_you_mean(nearest(reference.key, keys));
    }
    error(reference.place, fmt::format("there is no {} {}{}", schema_.tables[reference.table].name,
                                       quoted_key(reference.key), hint));
  }
}

/// Rows that lead up to no root (a row with nothing above it): dominance cannot say anything of
/// them.
void Loader::check_rings() {
  for (const auto& [r, pairs] : uplinks_) {
    std::unordered_map<std::string_view, std::vector<std::string_view>> below;
    std::unordered_map<std::string_view, bool> reached;  // every row of the relation
    std::unordered_map<std::string_view, bool> has_above;
    for (const auto& [down, up] : pairs) {
      below[up].push_back(down);
      reached[up] = reached[down] = false;
      has_above[down] = true;
    }
    std::vector<std::string_view> work;
    for (auto& [row, seen] : reached) {
      if (!has_above.contains(row)) {
        seen = true;
        work.push_back(row);
      }
    }
    while (!work.empty()) {
      const std::string_view row = work.back();
      work.pop_back();
      for (const std::string_view next : below[row]) {
        if (!reached[next]) {
          reached[next] = true;
          work.push_back(next);
        }
      }
    }
    std::vector<std::string_view> lost;
    for (const auto& [row, seen] : reached) {
      if (!seen) {
        lost.push_back(row);
      }
    }
    if (!lost.empty()) {
      std::sort(lost.begin(), lost.end());
      const std::size_t shown = std::min<std::size_t>(lost.size(), 5);
      warn(relation_places_[r],
           fmt::format(
               "{} rows of '{}' are in a ring, or below one, that no row without anything above it "
               "leads "
               "to: {}{}",
               lost.size(), schema_.relations[r].name,
               fmt::join(lost.begin(), lost.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
               lost.size() > shown ? " ..." : ""));
    }
  }
}

}  // namespace

std::string to_text(const InventoryError& error) {
  if (error.file.empty()) {
    return error.what;
  }
  if (error.line == 0) {
    return fmt::format("{}: {}", error.file, error.what);
  }
  if (error.column == 0) {
    return fmt::format("{}:{}: {}", error.file, error.line, error.what);
  }
  return fmt::format("{}:{}:{}: {}", error.file, error.line, error.column, error.what);
}

Result<std::shared_ptr<const Inventory>> LoadedInventory::result() const {
  if (inventory) {
    return inventory;
  }
  constexpr std::size_t kLines = 10;
  std::string text;
  for (std::size_t i = 0; i < std::min(kLines, errors.size()); ++i) {
    text += (i > 0 ? "\n" : "") + to_text(errors[i]);
  }
  if (errors.size() + errors_more > kLines) {
    text += fmt::format("\nand {} more", errors.size() + errors_more - kLines);
  }
  return fail(Code::Invalid, "{}", text);
}

LoadedInventory load_inventory(const std::shared_ptr<const Schema>& schema,
                               std::span<const InventoryFile> files, std::uint64_t version) {
  return Loader(schema, files).run(version);
}

}  // namespace belfry
