#include "belfry/model/mib_table.hpp"

#include <algorithm>
#include <array>
#include <mutex>

#include "belfry/base/check.hpp"
#include "belfry/base/text.hpp"
#include "belfry/model/mib_names.hpp"
#include "belfry/model/oid.hpp"

namespace belfry {
namespace {

constexpr std::string_view kHead = "belfry-mibs 1";
constexpr std::size_t kFields = 8;
constexpr std::size_t kNameBytesMax = 128;
constexpr std::size_t kHintBytesMax = 256;

bool is_name(std::string_view text) {
  if (text.empty() || text.size() > kNameBytesMax) {
    return false;
  }
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

bool is_plain(std::string_view text, std::size_t max) {
  return text.size() <= max &&
         std::ranges::all_of(text, [](char c) { return c >= 0x20 && c != 0x7f; });
}

std::optional<std::int64_t> number_of(std::string_view pair) {
  const std::size_t equals = pair.rfind('=');
  return equals == std::string_view::npos || !is_name(pair.substr(0, equals))
             ? std::nullopt
             : parse_int(pair.substr(equals + 1));
}

bool is_enums(std::string_view text) {
  return text.empty() || std::ranges::all_of(split(text, ','), [](std::string_view pair) {
           return number_of(pair).has_value();
         });
}

std::string_view label_of(std::string_view enums, std::int64_t value) {
  while (!enums.empty()) {
    const std::size_t comma = enums.find(',');
    const std::string_view pair = enums.substr(0, comma);
    if (number_of(pair) == value) {
      return pair.substr(0, pair.rfind('='));
    }
    enums.remove_prefix(comma == std::string_view::npos ? enums.size() : comma + 1);
  }
  return {};
}

/// Labels of the bits that are set, the first bit being the highest of the first octet (RFC 2578
/// 7.1.4).
std::string bits_of(std::string_view enums, std::string_view octets) {
  constexpr std::size_t kOctetsMax = 64;
  std::string out;
  for (std::size_t i = 0; i < std::min(octets.size(), kOctetsMax) * 8; ++i) {
    if ((static_cast<unsigned char>(octets[i / 8]) >> (7 - i % 8) & 1U) == 0) {
      continue;
    }
    const std::string_view label = label_of(enums, static_cast<std::int64_t>(i));
    out += (out.empty() ? "" : ",") + (label.empty() ? std::to_string(i) : std::string(label));
  }
  return out;
}

/// The instance behind `covered` octets of an OID: `.3`.
std::string instance_of(std::string_view octets, std::size_t covered) {
  // Its arcs are single ones, not the first two of an OID: a dummy goes first.
  return oid_to_text("\x2b" + std::string(octets.substr(covered))).substr(3);
}

struct Current {
  std::mutex mutex;
  std::shared_ptr<const MibTable> table = MibTable::built_in();
};
Current& current_table() {
  static Current current;
  return current;
}

}  // namespace

std::shared_ptr<const MibTable> MibTable::built_in() {
  return std::shared_ptr<const MibTable>(new MibTable());
}

std::shared_ptr<const MibTable> MibTable::current() {
  Current& c = current_table();
  const std::lock_guard lock(c.mutex);
  return c.table;
}

void MibTable::set_current(std::shared_ptr<const MibTable> table) {
  BELFRY_CHECK(table != nullptr);
  Current& c = current_table();
  const std::lock_guard lock(c.mutex);
  c.table = std::move(table);
}

std::string MibTable::head() { return std::string(kHead) + "\n"; }

std::string MibTable::end(std::size_t count) { return fmt::format("end {}\n", count); }

std::string MibTable::line(std::string_view module, std::string_view name, std::string_view octets,
                           bool notification) {
  return fmt::format("N\t{}\t{}\t{}\t{}\t\t\t\n", module, name, oid_to_text(octets),
                     notification ? "notification" : "object");
}

Result<std::shared_ptr<const MibTable>> MibTable::parse(std::string text) {
  if (text.size() > kMibTextBytesMax) {
    return fail(Code::Invalid, "MIB table: {} bytes: expected at most {}", text.size(),
                kMibTextBytesMax);
  }
  std::shared_ptr<MibTable> out(new MibTable());
  out->text_ = std::move(text);
  out->octets_.reserve(out->text_.size());  // octets are fewer than the digits they come from
  std::string_view rest = out->text_;
  std::size_t number = 0;
  bool ended = false;
  while (!rest.empty() && !ended) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    ++number;
    if (number == 1) {
      if (line != kHead) {
        return fail(Code::Invalid, "MIB table: expected '{}' first", kHead);
      }
    } else if (line.starts_with("end ")) {
      ended = parse_int(line.substr(4)) == static_cast<std::int64_t>(out->nodes_.size());
      break;
    } else {
      BELFRY_CHECK_OK(out->add(line, number));
    }
  }
  if (!ended || !rest.empty()) {
    return fail(Code::Invalid, "MIB table: it is cut off at line {}", number);
  }
  out->index();
  return std::shared_ptr<const MibTable>(std::move(out));
}

Result<void> MibTable::add(std::string_view line, std::size_t number) {
  std::array<std::string_view, kFields> f;
  for (std::size_t i = 0; i < kFields; ++i) {
    const std::size_t tab = line.find('\t');
    if ((tab == std::string_view::npos) != (i + 1 == kFields)) {
      return fail(Code::Invalid, "MIB table: line {}: expected {} fields", number, kFields);
    }
    f[i] = line.substr(0, tab);
    line.remove_prefix(tab == std::string_view::npos ? line.size() : tab + 1);
  }
  const auto octets = oid_from_text(f[3]);
  if (f[0] != "N" || !is_name(f[1]) || !is_name(f[2]) || !octets ||
      (!f[5].empty() && !is_name(f[5])) || !is_plain(f[6], kHintBytesMax) || !is_enums(f[7]) ||
      nodes_.size() >= kMibNodesMax) {
    return fail(Code::Invalid, "MIB table: line {}: that is no node", number);
  }
  const std::size_t at = octets_.size();
  BELFRY_CHECK(at + octets->size() <= octets_.capacity());
  octets_ += *octets;
  nodes_.push_back({.module = f[1],
                    .name = f[2],
                    .octets = std::string_view(octets_).substr(at),
                    .convention = f[5],
                    .hint = f[6],
                    .enums = f[7],
                    .notification = f[4] == "notification",
                    .subtree = f[4] == "other"});
  return {};
}

void MibTable::index() {
  std::ranges::stable_sort(nodes_, {}, &Node::octets);
  by_name_.resize(nodes_.size());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    by_name_[i] = static_cast<std::uint32_t>(i);
  }
  std::ranges::stable_sort(by_name_, {}, [this](std::uint32_t i) { return nodes_[i].name; });
}

std::optional<std::string> MibTable::oid(std::string_view module, std::string_view name) const {
  if (auto known = mib_oid(module, name)) {
    return known;
  }
  auto it = std::ranges::lower_bound(by_name_, name, {},
                                     [this](std::uint32_t i) { return nodes_[i].name; });
  for (; it != by_name_.end() && nodes_[*it].name == name; ++it) {
    if (module.empty() || nodes_[*it].module == module) {
      return std::string(nodes_[*it].octets);
    }
  }
  return std::nullopt;
}

std::vector<std::string> MibTable::trap_oids(std::string_view module, std::string_view name) const {
  std::vector<std::string> out = mib_trap_oids(module, name);
  if (out.empty()) {
    if (const auto known = oid(module, name)) {
      out = with_v1_form(*known);
    }
  }
  return out;
}

std::vector<std::string_view> MibTable::names(std::string_view module) const {
  std::vector<std::string_view> out;
  for (const std::uint32_t i : by_name_) {
    if ((module.empty() || nodes_[i].module == module) &&
        (out.empty() || out.back() != nodes_[i].name)) {
      out.push_back(nodes_[i].name);
    }
  }
  return out;
}

const MibTable::Node* MibTable::find(std::string_view octets) const {
  while (!octets.empty() && !nodes_.empty()) {
    const auto it = std::ranges::lower_bound(nodes_, octets, {}, &Node::octets);
    if (it != nodes_.end() && it->octets == octets) {
      return &*it;
    }
    std::size_t last = octets.size() - 1;  // where the last sub-identifier begins
    while (last > 0 && (static_cast<unsigned char>(octets[last - 1]) & 0x80U) != 0) {
      --last;
    }
    octets.remove_suffix(octets.size() - last);
  }
  return nullptr;
}

std::string MibTable::named(std::string_view octets) const {
  const Node* node = find(octets);
  if (node != nullptr && node->subtree && node->octets.size() < octets.size()) {
    node = nullptr;  // `enterprises.32473.1` says nothing that the number does not
  }
  const auto known = mib_find(octets);
  if (known && (node == nullptr || known->octets >= node->octets.size())) {
    return std::string(known->name) + instance_of(octets, known->octets);
  }
  return node == nullptr ? std::string()
                         : std::string(node->name) + instance_of(octets, node->octets.size());
}

std::string MibTable::shown(const Varbind& v) const {
  if (v.type == VarType::ObjectId) {
    return named(v.bytes);
  }
  const Node* node = find(v.oid);
  if (node == nullptr) {
    return {};
  }
  if (v.type == VarType::OctetString) {
    return !node->enums.empty()  ? bits_of(node->enums, v.bytes)
           : !node->hint.empty() ? apply_hint(node->hint, v.bytes)
                                 : std::string();
  }
  if (v.type == VarType::Integer || v.type == VarType::Gauge32 || v.type == VarType::UInteger32) {
    const std::string_view label = label_of(node->enums, v.number);
    return !label.empty() ? std::string(label) : apply_hint(node->hint, v.number);
  }
  return {};
}

std::size_t MibTable::modules() const {
  std::vector<std::string_view> names;
  names.reserve(nodes_.size());
  for (const Node& node : nodes_) {
    names.push_back(node.module);
  }
  std::ranges::sort(names);
  const auto doubles = std::ranges::unique(names);
  return names.size() - doubles.size();
}

}  // namespace belfry
