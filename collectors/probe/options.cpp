#include "belfry/probe/options.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "belfry/base/text.hpp"
#include "belfry/intake/socket_address.hpp"
#include "dns.hpp"

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
  if (!SocketAddress::parse(std::string(address), 0)) {
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
  target.recoveries = options.recoveries;
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
    target.recoveries = options.recoveries;
    out.push_back(std::move(target));
  }
  return out;
}

namespace {

constexpr std::array kKinds{ProbeCheck::Icmp, ProbeCheck::Tcp,    ProbeCheck::Http,
                            ProbeCheck::Tls,  ProbeCheck::Dns,    ProbeCheck::Smtp,
                            ProbeCheck::Ntp,  ProbeCheck::Radius, ProbeCheck::Plugin};

std::optional<ProbeCheck> kind_of(std::string_view word) {
  for (const ProbeCheck kind : kKinds) {
    if (name(kind) == word) {
      return kind;
    }
  }
  return std::nullopt;
}

std::uint16_t default_port(const CheckSpec& spec, ProbeCheck kind) {
  switch (kind) {
    case ProbeCheck::Http:
      return spec.tls ? 443 : 80;
    case ProbeCheck::Tls:
      return 443;
    case ProbeCheck::Dns:
      return 53;
    case ProbeCheck::Smtp:
      return 25;
    case ProbeCheck::Ntp:
      return 123;
    case ProbeCheck::Radius:
      return 1812;
    default:
      return 0;
  }
}

/// What only this kind asks for.
std::string kind_fault(const CheckSpec& spec, ProbeCheck kind) {
  if (kind == ProbeCheck::Tcp && spec.port == 0) {
    return "a tcp check needs a port";
  }
  if (kind == ProbeCheck::Icmp && !spec.source.empty()) {
    return "source is not for icmp";
  }
  if (kind == ProbeCheck::Plugin && (spec.command.empty() || !spec.command[0].starts_with('/'))) {
    return "a plugin check needs a command: [/absolute/path, arguments]";
  }
  if (kind == ProbeCheck::Dns && (spec.query.empty() || !probe::dns_type(spec.record))) {
    return "a dns check needs a query, and a record: A AAAA NS CNAME SOA PTR MX or TXT";
  }
  if (kind == ProbeCheck::Radius && (spec.secret_file.empty() || spec.user.empty())) {
    return "a radius check needs a user and a secret_file";
  }
  if (kind == ProbeCheck::Http &&
      (!spec.path.starts_with('/') || spec.path.find_first_of(" \r\n") != std::string::npos)) {
    return "path: expected one that begins with '/' and has no blanks";
  }
  if (!spec.primary.empty() && (spec.record != "SOA" || !SocketAddress::parse(spec.primary, 0))) {
    return "primary: expected an IP address, with record: SOA";
  }
  return {};
}

}  // namespace

std::string check_spec(const CheckSpec& spec) {
  const auto kind = kind_of(spec.kind);
  if (!kind) {
    return "kind '" + printable(spec.kind, 40) + "' is not known";
  }
  if (!spec.address.empty() && !SocketAddress::parse(spec.address, 0)) {
    return "address '" + printable(spec.address, 60) + "': expected an IP address";
  }
  if (!spec.source.empty() && !SocketAddress::parse(spec.source, 0)) {
    return "source '" + printable(spec.source, 60) + "': expected an IP address of this machine";
  }
  if (spec.nodes.empty() && spec.roles.empty()) {
    return "expected nodes or roles: whom to ask";
  }
  if (spec.host.find_first_of(" \r\n/") != std::string::npos) {
    return "host: expected a name";
  }
  return kind_fault(spec, *kind);
}

std::vector<ProbeTarget> spec_targets(const Inventory* inventory,
                                      const std::shared_ptr<const CheckSpec>& spec,
                                      std::size_t& homeless) {
  ProbeTarget target;
  target.check = kind_of(spec->kind).value_or(ProbeCheck::Icmp);
  target.port = spec->port != 0 ? spec->port : default_port(*spec, target.check);
  target.interval = spec->interval;
  target.timeout = spec->timeout;
  target.retries = spec->retries;
  target.recoveries = spec->recoveries;
  target.spec = spec;
  std::vector<ProbeTarget> out;
  std::set<std::string, std::less<>> missing(spec->nodes.begin(), spec->nodes.end());
  const auto add = [&](const std::string& node, std::string_view ip) {
    target.node = node;
    target.address = spec->address.empty() ? ip : std::string_view(spec->address);
    missing.erase(node);
    if (target.address.empty() && target.check != ProbeCheck::Plugin) {
      ++homeless;
    } else {
      out.push_back(target);
    }
  };
  const std::uint32_t t =
      inventory == nullptr ? kNoIndex : inventory->schema().find_table("device");
  if (t != kNoIndex) {
    const TableSchema& table = inventory->schema().tables[t];
    const std::uint32_t role = find_column(table, "role"), ip = find_column(table, "ip");
    const std::set<std::string_view> roles(spec->roles.begin(), spec->roles.end());
    for (std::size_t i = 0; i < inventory->row_count(t); ++i) {
      const Row& row = inventory->row(t, i);
      if (missing.contains(row.key) || (role != kNoIndex && roles.contains(row.cells[role].text))) {
        const bool has = ip != kNoIndex && row.cells[ip].type == Type::Ip;
        add(std::string(row.key), has ? row.cells[ip].text : std::string_view{});
      }
    }
  }
  for (const std::string& node : std::set(missing.begin(), missing.end())) {
    add(node, {});  // the inventory does not know it: the check's own address must do
  }
  return out;
}

}  // namespace belfry
