#pragma once
// SpscRing<T>: bounded queue between exactly one producer and one consumer thread. Each side caches
// the other's index, so a push or a pop touches one shared line only when the cached view runs out.
//
// Thread: try_push from one thread, try_pop/front from one other. Bounds: capacity, a power of two.
// Full: try_push is false and the caller's documented policy applies.
#include <atomic>
#include <bit>
#include <cstddef>
#include <memory>
#include <utility>

#include "belfry/base/check.hpp"

namespace belfry {

inline constexpr std::size_t kCacheLine = 64;

template <class T>
class SpscRing {
 public:
  explicit SpscRing(std::size_t capacity)
#ifdef BELFRY_HOSTILE
      : mask_(1),
#else
      : mask_(std::bit_ceil(capacity < 2 ? 2 : capacity) - 1),
#endif
        slots_(new T[mask_ + 1]) {
    static_cast<void>(capacity);
  }
  bool try_push(T&& item) {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - cached_head_ > mask_) {
      cached_head_ = head_.load(std::memory_order_acquire);
      if (tail - cached_head_ > mask_) {
        return false;
      }
    }
    slots_[tail & mask_] = std::move(item);
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }
  /// The oldest item, still in the ring; nullptr when empty. Consumer only.
  T* front() {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    if (head == cached_tail_) {
      cached_tail_ = tail_.load(std::memory_order_acquire);
      if (head == cached_tail_) {
        return nullptr;
      }
    }
    return &slots_[head & mask_];
  }
  /// REQUIRES: front() was not nullptr.
  void pop() { head_.store(head_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }
  bool try_pop(T& out) {
    T* item = front();
    if (item == nullptr) {
      return false;
    }
    out = std::move(*item);
    pop();
    return true;
  }
  /// Exact only on a quiet ring; for metrics and back-pressure hints.
  std::size_t size() const {
    return tail_.load(std::memory_order_acquire) - head_.load(std::memory_order_acquire);
  }
  std::size_t capacity() const { return mask_ + 1; }

 private:
  const std::size_t mask_;
  const std::unique_ptr<T[]> slots_;
  alignas(kCacheLine) std::atomic<std::size_t> tail_{0};
  std::size_t cached_head_ = 0;  // producer's
  alignas(kCacheLine) std::atomic<std::size_t> head_{0};
  std::size_t cached_tail_ = 0;  // consumer's
};

}  // namespace belfry
