#pragma once
// ReadAhead: the journal's tail, read and decompressed on a thread of its own while the caller
// matches and folds: a restart takes the time of the slower half, not of both.
//
// Thread: next() from one. Bounds: kAhead inputs; the reader waits when they are not taken.
#include <atomic>
#include <thread>

#include "belfry/journal/journal.hpp"
#include "belfry/runtime/spsc_ring.hpp"
#include "waker.hpp"

namespace belfry {

class ReadAhead {
 public:
  struct Item {
    bool end = false;
    Error error;  ///< with `end`: why, when `failed`
    bool failed = false;
    BlockHeader header;  ///< with `batch`
    std::unique_ptr<Batch> batch;
    Record record;  ///< without
  };
  ReadAhead(const Journal& journal, Seq from);
  ~ReadAhead();
  /// The next input, or `end`. A batch goes back by give_back().
  Item next();
  void give_back(std::unique_ptr<Batch> batch);

 private:
  static constexpr std::size_t kAhead = 16;
  void run(JournalReader reader);
  bool read(JournalReader& reader, Item& item);

  SpscRing<Item> ring_{kAhead};
  SpscRing<std::unique_ptr<Batch>> free_{kAhead * 2};
  Waker taker_, reader_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace belfry
