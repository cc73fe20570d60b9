#include "belfry/probe/options.hpp"

#include <algorithm>
#include <charconv>

#include "address.hpp"
#include "belfry/base/text.hpp"

namespace belfry {
namespace {

std::uint32_t find_column(const TableSchema& table, std::string_view column) {
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].name == column) {
      return static_cast<std::uint32_t>(i);
    }
  }
  return kNoIndex;
}

}  // namespace

Result<ProbeTarget> parse_tcp_target(std::string_view text, const ProbeOptions& options) {
  const std::size_t equals = text.find('=');
  const std::size_t colon = text.rfind(':');
  if (equals == std::string_view::npos || equals == 0 || colon == std::string_view::npos ||
      colon < equals) {
    return fail(Code::Invalid, "'{}': expected node=address:port", printable(text, 100));
  }
  std::string_view address = text.substr(equals + 1, colon - equals - 1);
  if (address.starts_with('[') && address.ends_with(']')) {
    address = address.substr(1, address.size() - 2);
  }
  const auto port = parse_int(text.substr(colon + 1));
  if (!port || *port < 1 || *port > 65535) {
    return fail(Code::Invalid, "'{}': expected a port from 1 to 65535 after the last ':'",
                printable(text, 100));
  }
  if (!probe::Address::parse(std::string(address), 0)) {
    return fail(Code::Invalid,
                "'{}': expected an IP address (IPv6 in brackets) between '=' and ':'",
                printable(text, 100));
  }
  ProbeTarget target;
  target.node = text.substr(0, equals);
  target.address = address;
  target.check = ProbeCheck::Tcp;
  target.port = static_cast<std::uint16_t>(*port);
  target.interval = options.interval;
  target.timeout = options.timeout;
  target.retries = options.retries;
  return target;
}

std::vector<ProbeTarget> role_targets(const Inventory& inventory, const ProbeOptions& options) {
  std::vector<ProbeTarget> out;
  const std::uint32_t t = inventory.schema().find_table("device");
  if (t == kNoIndex || options.icmp_roles.empty()) {
    return out;
  }
  const TableSchema& table = inventory.schema().tables[t];
  const std::uint32_t role = find_column(table, "role"), ip = find_column(table, "ip");
  if (role == kNoIndex || ip == kNoIndex) {
    return out;
  }
  for (std::size_t i = 0; i < inventory.row_count(t); ++i) {
    const Row& row = inventory.row(t, i);
    const auto& roles = options.icmp_roles;
    if (row.cells[ip].type != Type::Ip ||
        std::find(roles.begin(), roles.end(), row.cells[role].text) == roles.end()) {
      continue;
    }
    ProbeTarget target;
    target.node = row.key;
    target.address = row.cells[ip].text;
    target.interval = options.interval;
    target.timeout = options.timeout;
    target.retries = options.retries;
    out.push_back(std::move(target));
  }
  return out;
}

}  // namespace belfry
