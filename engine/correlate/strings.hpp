#pragma once
// Strings: the fold's own texts, each once, counted by users. A number is good until its last user
// lets go; numbers never decide an order (LANGUAGE 6.2).
#include <absl/container/flat_hash_set.h>

#include <memory>
#include <string_view>

#include "belfry/base/hash.hpp"
#include "slab.hpp"

namespace belfry::correlate {

using Text = std::uint32_t;

class Strings {
 public:
  Strings() : set_(0, Hash{&slab_}, Equal{&slab_}) {}
  Strings(const Strings&) = delete;
  Strings& operator=(const Strings&) = delete;

  Text find(std::string_view text) const;  ///< kNil when nobody uses it
  Text acquire(std::string_view text);     ///< one more user
  void retain(Text text) { ++slab_[text].users; }
  void release(Text text);
  std::string_view view(Text text) const { return {slab_[text].data.get(), slab_[text].size}; }
  std::size_t size() const { return slab_.live(); }
  std::size_t bytes() const { return bytes_ + slab_.bytes() + set_.capacity() * 5; }
  void clear();

 private:
  struct Record {
    std::unique_ptr<char[]> data;
    std::uint32_t size = 0, users = 0;
  };
  struct Hash {
    using is_transparent = void;
    const Slab<Record>* slab;
    std::size_t operator()(std::string_view s) const { return hash64(s); }
    std::size_t operator()(Text t) const {
      const Record& r = (*slab)[t];
      return hash64({r.data.get(), r.size});
    }
  };
  struct Equal {
    using is_transparent = void;
    const Slab<Record>* slab;
    bool operator()(Text a, Text b) const { return a == b; }
    bool operator()(Text a, std::string_view b) const {
      const Record& r = (*slab)[a];
      return std::string_view(r.data.get(), r.size) == b;
    }
    bool operator()(std::string_view a, Text b) const { return (*this)(b, a); }
  };
  Slab<Record> slab_;
  absl::flat_hash_set<Text, Hash, Equal> set_;
  std::size_t bytes_ = 0;
};

}  // namespace belfry::correlate
