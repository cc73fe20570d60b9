#pragma once
// Feed: every committed change, once, in order, to each subscriber at its own pace.
//
//   commit ──refresh()──> FeedHub: newest frames, rendered once
//                             │ next(after)
//   FeedReader (one a subscriber): tail ──behind it──> view's memory ──behind that──> store
//
// A cursor is `<epoch>-<change>`. The frame's id is the cursor to come back with.
// Thread: edge. Bounds: the tail keeps frames_max frames or bytes_max bytes; a step gives at most
// kStepBytesMax bytes, so a subscriber that does not read holds no more than that.
// Drops: nothing. What is not there any more is answered by `resync`, never by a gap.
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "belfry/gateway/backend.hpp"

namespace belfry::gateway {

using Frame = std::shared_ptr<const std::string>;

struct FeedCursor {
  std::string epoch;
  ChangeNumber change;
};
/// Invalid when it is no cursor at all.
Result<FeedCursor> parse_cursor(std::string_view text);
std::string to_text(const FeedCursor& cursor);

/// What a subscriber gets next.
struct FeedStep {
  enum class Kind : unsigned char { Send, Wait, Store };
  Kind kind = Kind::Wait;
  std::vector<Frame> frames;  ///< Send
};

class FeedHub {
 public:
  FeedHub(const GatewayBackend& backend, std::size_t frames_max = 8192,
          std::size_t bytes_max = 8 * 1024 * 1024);
  /// Takes what was committed since the last call.
  void refresh();
  const std::string& epoch() const { return epoch_; }
  ChangeNumber last() const { return last_; }

 private:
  friend class FeedReader;
  struct Kept {
    ChangeNumber number;
    Frame frame;
  };
  Frame render(const FeedItem& item) const;
  void keep(const FeedItem& item);

  const GatewayBackend& backend_;
  std::string epoch_;
  std::size_t frames_max_, bytes_max_, bytes_ = 0;
  std::deque<Kept> tail_;  ///< without gaps, ends at last_
  ChangeNumber last_;
};

class FeedReader {
 public:
  /// `cursor` empty: from now on.
  FeedReader(FeedHub& hub, std::optional<FeedCursor> cursor);
  /// Never waits, never reads the store.
  FeedStep step();
  /// After Store: what the store gave for page_after(). A hole or an error becomes `resync`.
  FeedStep stored(const Result<std::vector<FeedItem>>& items);
  ChangeNumber page_after() const { return after_; }
  static constexpr std::size_t kPage = 256;

 private:
  FeedStep take(const std::vector<FeedItem>& items);
  FeedStep resync(std::string_view reason);
  Frame notice(std::string_view event, std::string_view reason) const;

  // 64 KiB: some hundred changes; times 500 stopped subscribers 32 MiB, which is what we can spare.
  static constexpr std::size_t kStepBytesMax = 64 * 1024;
  FeedHub& hub_;
  ChangeNumber after_;
  std::vector<Frame> first_;  ///< `start` or `resync`, before anything else
};

}  // namespace belfry::gateway
