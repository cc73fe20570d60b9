#pragma once
// Slab: records by number. A record never moves, numbers are reused; memory grows by chunks and
// never shrinks (the peak was needed once).
#include <cstdint>
#include <memory>
#include <vector>

namespace belfry::correlate {

inline constexpr std::uint32_t kNil = UINT32_MAX;

template <class T>
class Slab {
 public:
  std::uint32_t add() {
    ++live_;
    if (!free_.empty()) {
      const std::uint32_t i = free_.back();
      free_.pop_back();
      used_[i] = true;
      return i;
    }
    const std::uint32_t i = end_++;
    if (i / kChunk == chunks_.size()) {
      chunks_.push_back(std::make_unique<T[]>(kChunk));
    }
    used_.push_back(true);
    return i;
  }
  void remove(std::uint32_t i) {
    (*this)[i] = T{};
    used_[i] = false;
    free_.push_back(i);
    --live_;
  }
  T& operator[](std::uint32_t i) { return chunks_[i / kChunk][i % kChunk]; }
  const T& operator[](std::uint32_t i) const { return chunks_[i / kChunk][i % kChunk]; }
  bool has(std::uint32_t i) const { return i < end_ && used_[i]; }
  std::uint32_t end() const { return end_; }
  std::size_t live() const { return live_; }
  std::size_t bytes() const { return chunks_.size() * kChunk * sizeof(T); }
  void clear() {
    chunks_.clear();
    free_.clear();
    used_.clear();
    end_ = 0;
    live_ = 0;
  }

 private:
  static constexpr std::uint32_t kChunk = 1024;
  std::vector<std::unique_ptr<T[]>> chunks_;
  std::vector<std::uint32_t> free_;
  std::vector<bool> used_;
  std::uint32_t end_ = 0;
  std::size_t live_ = 0;
};

}  // namespace belfry::correlate
