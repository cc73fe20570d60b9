#include "feed.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "belfry/base/json.hpp"
#include "belfry/base/text.hpp"

namespace belfry::gateway {

Result<FeedCursor> parse_cursor(std::string_view text) {
  const std::size_t dash = text.rfind('-');
  const std::string_view epoch = text.substr(0, dash);
  const auto number =
      dash == std::string_view::npos ? std::nullopt : parse_int(text.substr(dash + 1));
  constexpr std::size_t kEpochMax = 64;
  if (!number || *number < 0 || epoch.empty() || epoch.size() > kEpochMax) {
    return fail(Code::Invalid, "'{}' is no cursor: expected <epoch>-<change>, as an id of the feed",
                printable(text, 80));
  }
  return FeedCursor{std::string(epoch), ChangeNumber{static_cast<std::uint64_t>(*number)}};
}

std::string to_text(const FeedCursor& cursor) {
  return fmt::format("{}-{}", cursor.epoch, cursor.change.value);
}

FeedHub::FeedHub(const GatewayBackend& backend, std::size_t frames_max, std::size_t bytes_max)
    : backend_(backend),
      epoch_(backend.epoch()),
      frames_max_(frames_max),
      bytes_max_(bytes_max),
      last_(backend.as_of()) {}

Frame FeedHub::render(const FeedItem& item) const {
  return std::make_shared<const std::string>(
      fmt::format("id: {}-{}\nevent: change\ndata: {}\n\n", epoch_, item.number.value, *item.json));
}

void FeedHub::keep(const FeedItem& item) {
  tail_.push_back({item.number, render(item)});
  bytes_ += tail_.back().frame->size();
  while (tail_.size() > frames_max_ || bytes_ > bytes_max_) {
    bytes_ -= tail_.front().frame->size();
    tail_.pop_front();
  }
  last_ = item.number;
}

void FeedHub::refresh() {
  constexpr std::size_t kTake = 1024;
  for (;;) {
    const auto items = backend_.changes_in_memory(last_, kTake);
    const bool whole = items && (items->empty() || items->front().number.value == last_.value + 1);
    if (!whole) {  // memory ran past us: start a new tail; readers find the rest in the store
      tail_.clear();
      bytes_ = 0;
      last_ = backend_.as_of();
      return;
    }
    for (const FeedItem& item : *items) {
      keep(item);
    }
    if (items->size() < kTake) {
      return;
    }
  }
}

FeedReader::FeedReader(FeedHub& hub, std::optional<FeedCursor> cursor)
    : hub_(hub), after_(hub.last()) {
  if (cursor && cursor->change > hub.last()) {
    // It may have read past the tail from memory, or the wake is still on its way.
    hub.refresh();
    after_ = hub.last();
  }
  if (!cursor) {
    first_.push_back(notice("start", ""));
  } else if (cursor->epoch != hub.epoch()) {
    first_.push_back(notice("resync", "unknown epoch"));
  } else if (cursor->change > hub.last()) {
    first_.push_back(notice("resync", "the cursor is ahead of the feed"));
  } else {
    after_ = cursor->change;
  }
}

Frame FeedReader::notice(std::string_view event, std::string_view reason) const {
  const std::string cursor = to_text(FeedCursor{hub_.epoch(), after_});
  JsonWriter data;
  data.object().field("cursor", cursor);
  if (!reason.empty()) {
    data.field("reason", reason);
  }
  data.end();
  return std::make_shared<const std::string>(
      fmt::format("id: {}\nevent: {}\ndata: {}\n\n", cursor, event, data.text()));
}

FeedStep FeedReader::resync(std::string_view reason) {
  after_ = hub_.last();
  FeedStep out;
  out.kind = FeedStep::Kind::Send;
  out.frames.push_back(notice("resync", reason));
  return out;
}

FeedStep FeedReader::step() {
  FeedStep out;
  if (!first_.empty()) {
    out.kind = FeedStep::Kind::Send;
    out.frames = std::move(first_);
    first_.clear();
    return out;
  }
  if (after_ >= hub_.last()) {
    return out;
  }
  const auto& tail = hub_.tail_;
  if (!tail.empty() && after_.value + 1 >= tail.front().number.value) {
    out.kind = FeedStep::Kind::Send;
    std::size_t bytes = 0;
    for (std::size_t i = after_.value + 1 - tail.front().number.value;
         i < tail.size() && (bytes == 0 || bytes + tail[i].frame->size() <= kStepBytesMax); ++i) {
      bytes += tail[i].frame->size();
      after_ = tail[i].number;
      out.frames.push_back(tail[i].frame);
    }
    return out;
  }
  const auto items = hub_.backend_.changes_in_memory(after_, kPage);
  if (!items || items->empty()) {
    out.kind = FeedStep::Kind::Store;
    return out;
  }
  return take(*items);
}

FeedStep FeedReader::stored(const Result<std::vector<FeedItem>>& items) {
  if (!items) {
    return resync(items.error().code == Code::NotFound ? "these changes are not kept any more"
                                                       : "the history cannot be read");
  }
  if (items->empty()) {
    return after_ < hub_.last() ? resync("these changes are not kept any more") : FeedStep{};
  }
  return take(*items);
}

FeedStep FeedReader::take(const std::vector<FeedItem>& items) {
  FeedStep out;
  out.kind = FeedStep::Kind::Send;
  std::size_t bytes = 0;
  for (const FeedItem& item : items) {
    if (item.number.value != after_.value + 1) {
      return out.frames.empty() ? resync("these changes are not kept any more") : out;
    }
    const Frame frame = hub_.render(item);
    if (bytes != 0 && bytes + frame->size() > kStepBytesMax) {
      break;
    }
    bytes += frame->size();
    after_ = item.number;
    out.frames.push_back(frame);
  }
  return out;
}

}  // namespace belfry::gateway
