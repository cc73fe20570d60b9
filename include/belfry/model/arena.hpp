#pragma once
// Arena: memory of one batch. Bump allocation from chunks that are kept for the next batch; a
// slice stays valid until clear(). Not thread-safe: one owner at a time (collector, then fold, then
// committer, handed over through rings).
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace belfry {

class Arena {
 public:
  explicit Arena(std::size_t chunk_bytes = 256 * 1024) : chunk_bytes_(chunk_bytes) {}

  /// `size` bytes, 8-byte aligned, uninitialised.
  char* allocate(std::size_t size) {
    size = (size + 7) & ~std::size_t{7};
    if (used_ + size > capacity_) [[unlikely]] {
      next_chunk(size);
    }
    char* at = current_ + used_;
    used_ += size;
    total_ += size;
    return at;
  }
  std::string_view copy(std::string_view text) {
    if (text.empty()) {
      return {};
    }
    char* at = allocate(text.size());
    std::memcpy(at, text.data(), text.size());
    return {at, text.size()};
  }
  template <class T>
  std::span<T> array(std::size_t n) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= 8);
    T* at = reinterpret_cast<T*>(allocate(n * sizeof(T)));
    for (std::size_t i = 0; i < n; ++i) {
      new (at + i) T();
    }
    return {at, n};
  }
  template <class T>
  std::span<const T> copy(std::span<const T> items) {
    std::span<T> out = array<T>(items.size());
    std::copy(items.begin(), items.end(), out.begin());
    return out;
  }
  /// Gives back the unused end of the last allocation (a receive buffer that was filled in part).
  void shrink_last(char* from, std::size_t used_bytes) {
    const std::size_t keep =
        static_cast<std::size_t>(from - current_) + ((used_bytes + 7) & ~std::size_t{7});
    total_ -= used_ - keep;
    used_ = keep;
  }
  std::size_t bytes() const { return total_; }
  /// Forgets everything, keeps the chunks.
  void clear() {
    chunk_ = 0;
    used_ = 0;
    total_ = 0;
    if (chunks_.empty()) {
      capacity_ = 0;
      current_ = nullptr;
    } else {
      current_ = chunks_[0].data.get();
      capacity_ = chunks_[0].size;
    }
  }

 private:
  struct Chunk {
    std::unique_ptr<char[]> data;
    std::size_t size;
  };
  void next_chunk(std::size_t size) {
    std::size_t next = current_ == nullptr ? 0 : chunk_ + 1;
    while (next < chunks_.size() && chunks_[next].size < size) {
      ++next;
    }
    if (next == chunks_.size()) {
      const std::size_t bytes = size > chunk_bytes_ ? size : chunk_bytes_;
      chunks_.push_back({std::unique_ptr<char[]>(new char[bytes]), bytes});
    }
    chunk_ = next;
    current_ = chunks_[next].data.get();
    capacity_ = chunks_[next].size;
    used_ = 0;
  }
  std::size_t chunk_bytes_;
  std::vector<Chunk> chunks_;
  std::size_t chunk_ = 0;
  char* current_ = nullptr;
  std::size_t used_ = 0;
  std::size_t capacity_ = 0;
  std::size_t total_ = 0;
};

}  // namespace belfry
