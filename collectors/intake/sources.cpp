#include "sources.hpp"

namespace belfry::intake {

SourceTable::SourceTable(std::size_t sources_max, const AddressSet& relays,
                         std::function<void(std::uint32_t)> evict)
    : rows_max_((sources_max < 1 ? 1 : sources_max) + 2),
      relays_(relays),
      evict_(std::move(evict)),
      rows_(2) {
  rows_[kOther].text = "other";
}

void SourceTable::unlink(std::uint32_t i) {
  rows_[rows_[i].hotter].colder = rows_[i].colder;
  rows_[rows_[i].colder].hotter = rows_[i].hotter;
}

void SourceTable::link_hottest(std::uint32_t i) {
  const std::uint32_t next = rows_[kWhole].colder;
  rows_[i].hotter = kWhole;
  rows_[i].colder = next;
  rows_[next].hotter = i;
  rows_[kWhole].colder = i;
}

std::uint32_t SourceTable::of_address(const AddressBytes& address) {
  if (const auto it = by_address_.find(address); it != by_address_.end()) {
    touch(it->second);
    return it->second;
  }
  char text[64];
  return of_text({text, format_address(address, text)});
}

std::uint32_t SourceTable::of_text(std::string_view text) {
  if (text.empty()) {
    return kWhole;
  }
  if (const auto it = by_text_.find(text); it != by_text_.end()) {
    touch(it->second);
    return it->second;
  }
  return add(text);
}

std::uint32_t SourceTable::add(std::string_view text) {
  const std::uint32_t i = free_row();
  if (i == kOther) {
    return i;
  }
  Source& s = rows_[i];
  s = Source{};
  s.text = text;
  if (const auto address = parse_address(text)) {
    s.address = *address;
    s.is_address = true;
    s.relay = relays_.contains(*address);
    by_address_[*address] = i;
  }
  by_text_[s.text] = i;
  link_hottest(i);
  return i;
}

std::uint32_t SourceTable::free_row() {
  if (rows_.size() < rows_max_) {
    rows_.emplace_back();
    return static_cast<std::uint32_t>(rows_.size() - 1);
  }
  for (std::uint32_t i = rows_[kWhole].hotter; i != kWhole; i = rows_[i].hotter) {
    if (rows_[i].in_batch == 0) {
      evict_(i);
      ++forgotten_;
      unlink(i);
      by_text_.erase(rows_[i].text);
      if (rows_[i].is_address) {
        by_address_.erase(rows_[i].address);
      }
      return i;
    }
  }
  return kOther;
}

}  // namespace belfry::intake
