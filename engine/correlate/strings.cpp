#include "strings.hpp"

#include <cstring>

namespace belfry::correlate {

Text Strings::find(std::string_view text) const {
  const auto it = set_.find(text);
  return it == set_.end() ? kNil : *it;
}

Text Strings::acquire(std::string_view text) {
  const auto it = set_.find(text);
  if (it != set_.end()) {
    ++slab_[*it].users;
    return *it;
  }
  const Text id = slab_.add();
  Record& record = slab_[id];
  record.data = std::make_unique_for_overwrite<char[]>(text.size());
  if (!text.empty()) {
    std::memcpy(record.data.get(), text.data(), text.size());
  }
  record.size = static_cast<std::uint32_t>(text.size());
  record.users = 1;
  set_.insert(id);
  bytes_ += text.size() + 16;
  return id;
}

void Strings::release(Text text) {
  Record& record = slab_[text];
  if (--record.users > 0) {
    return;
  }
  bytes_ -= record.size + 16;
  set_.erase(text);
  slab_.remove(text);
}

void Strings::clear() {
  set_.clear();
  slab_.clear();
  bytes_ = 0;
}

}  // namespace belfry::correlate
