// Any bytes as the CSV file of a table and of a relation: an inventory or errors, never both.
#include <cstdint>
#include <cstdlib>

#include "belfry/inventory/load.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace belfry;
  static const auto kSchema = [] {
    auto s = std::make_shared<Schema>();
    s->enums.push_back({"tier", {"corporate", "premium"}});
    s->tables.push_back({"device",
                         {{"name", Type::String},
                          {"ip", Type::Ip},
                          {"tags", Type::Oid, kNoIndex, true},
                          {"up", Type::Row, 0, false, true},
                          {"tier", Type::Enum, 0},
                          {"mac", Type::Mac, kNoIndex, false, true},
                          {"net", Type::Cidr, kNoIndex, false, true}},
                         {0},
                         "t.csv"});
    s->relations.push_back({"behind", Type::Row, Type::Row, 0, 0, true, "t.csv"});
    return std::shared_ptr<const Schema>(s);
  }();
  const std::vector<InventoryFile> files{
      {"t.csv", std::string(reinterpret_cast<const char*>(data), size)}};
  const LoadedInventory loaded = load_inventory(kSchema, files, 1);
  if ((loaded.inventory != nullptr) != loaded.errors.empty()) {
    std::abort();
  }
  for (const InventoryError& error : loaded.errors) {
    static_cast<void>(to_text(error));
  }
  return 0;
}
