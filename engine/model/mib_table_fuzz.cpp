// Any text is a table or an error; a table answers for any OID and value, within its bounds.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "belfry/model/mib_table.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace belfry;
  constexpr std::size_t kShownMax = 64 * 1024;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto table = MibTable::parse(std::string(bytes));
  const auto& use = table ? *table : MibTable::built_in();
  for (const VarType type : {VarType::Integer, VarType::OctetString, VarType::ObjectId}) {
    for (const std::string_view oid :
         {bytes.substr(0, size / 2), std::string_view("\x2b\x06\x01")}) {
      const Varbind varbind{oid, type, bytes.substr(size / 2), static_cast<std::int64_t>(size)};
      static_cast<void>(use->named(oid));
      if (use->shown(varbind).size() > kShownMax + 64 * size) {
        std::abort();
      }
    }
  }
  // The first line as a hint, the rest as what it shows.
  const std::size_t end = bytes.find('\n');
  if (apply_hint(bytes.substr(0, end), bytes).size() > kShownMax) {
    std::abort();
  }
  static_cast<void>(apply_hint(bytes.substr(0, end), static_cast<std::int64_t>(size)));
  return 0;
}
