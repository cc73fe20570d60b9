#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "belfry/inventory/load.hpp"

namespace belfry {
namespace {

namespace fs = std::filesystem;

Result<std::vector<fs::path>> csv_files(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    return fail(Code::NotFound, "{}: no such folder: expected one with the inventory's *.csv files",
                folder.string());
  }
  std::vector<fs::path> out;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    if (it->path().extension() != ".csv" || !it->is_regular_file(error)) {
      continue;
    }
    out.push_back(it->path());
    if (out.size() > kInventoryFilesMax) {
      return fail(Code::Invalid, "{}: more than {} CSV files", folder.string(), kInventoryFilesMax);
    }
  }
  if (error) {
    return fail(Code::Unavailable, "{}: cannot be read: {}", folder.string(), error.message());
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

Result<std::vector<InventoryFile>> read_inventory(const std::string& folder) {
  BELFRY_TRY(const std::vector<fs::path> paths, csv_files(folder));
  std::vector<InventoryFile> out;
  std::size_t bytes = 0;
  for (const fs::path& path : paths) {
    std::error_code error;
    const auto size = fs::file_size(path, error);
    if (error || size > kInventoryBytesMax - bytes) {
      return fail(Code::Invalid, "{}: the inventory's files are more than {} bytes together",
                  path.string(), kInventoryBytesMax);
    }
    std::ifstream in(path, std::ios::binary);
    std::string text(size, '\0');  // no more than was measured: the file may grow meanwhile
    in.read(text.data(), static_cast<std::streamsize>(size));
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (in.bad() || (text.empty() && size > 0)) {
      return fail(Code::Unavailable, "{}: cannot be read", path.string());
    }
    bytes += text.size();
    out.emplace_back(path.lexically_relative(folder).generic_string(), std::move(text));
  }
  return out;
}

}  // namespace belfry
