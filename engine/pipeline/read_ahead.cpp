#include "read_ahead.hpp"

namespace belfry {
namespace {
constexpr Duration kLook = std::chrono::seconds(1);
}

ReadAhead::ReadAhead(const Journal& journal, Seq from)
    : thread_([this, reader = journal.read_from(from)]() mutable { run(std::move(reader)); }) {}

ReadAhead::~ReadAhead() {
  stop_.store(true, std::memory_order_release);
  reader_.notify();
  thread_.join();
}

ReadAhead::Item ReadAhead::next() {
  Item item;
  while (!ring_.try_pop(item)) {
    taker_.wait([&] { return ring_.front() != nullptr; }, kLook);
  }
  reader_.notify();
  return item;
}

void ReadAhead::give_back(std::unique_ptr<Batch> batch) {
  static_cast<void>(free_.try_push(std::move(batch)));  // a full ring frees it
}

void ReadAhead::run(JournalReader reader) {
  bool more = true;
  while (more && !stop_.load(std::memory_order_acquire)) {
    Item item;
    more = read(reader, item);
    // A full ring leaves the item where it is.
    while (!ring_.try_push(std::move(item))) {  // NOLINT(bugprone-use-after-move)
      reader_.wait(
          [&] { return ring_.size() < ring_.capacity() || stop_.load(std::memory_order_acquire); },
          kLook);
      if (stop_.load(std::memory_order_acquire)) {
        return;
      }
    }
    taker_.notify();
  }
}

bool ReadAhead::read(JournalReader& reader, Item& item) {
  auto input = reader.next();
  if (!input) {
    item.end = item.failed = true;
    item.error = std::move(input).error();
    return false;
  }
  if (!*input) {
    item.end = true;
    return false;
  }
  if ((*input)->record != nullptr) {
    item.record = *(*input)->record;
    return true;
  }
  item.header = *(*input)->block;
  if (!free_.try_pop(item.batch)) {
    item.batch = std::make_unique<Batch>();
  }
  std::swap(*item.batch, *(*input)->batch);
  return true;
}

}  // namespace belfry
