#pragma once
// RELP frames: `txnr SP command SP length [SP data] LF`. Our own code, so that a response can wait
// for the commit of what it confirms.
//
// Thread: one owner. Total: any bytes, split at any border, give the same frames. A frame beyond
// the limit gives its first bytes (`cut`), the rest is skipped: refusing it would make its sender
// send it for ever.
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace belfry::syslog {

inline constexpr std::size_t kRelpCommandMax = 32;
inline constexpr std::size_t kRelpDigitsMax = 9;  // of txnr and length
inline constexpr std::size_t kRelpHeadMax = 2 * kRelpDigitsMax + kRelpCommandMax + 4;

struct RelpFrame {
  std::uint32_t txnr = 0;
  std::string_view command, data;
  bool cut = false;
};

enum class RelpStep : std::uint8_t {
  Frame,
  More,    ///< keep what was not consumed (less than the limit + kRelpHeadMax), read more
  Broken,  ///< not RELP: nothing after this can be understood
};

class RelpFramer {
 public:
  explicit RelpFramer(std::size_t data_bytes_max) : max_(data_bytes_max) {}
  RelpStep next(std::string_view& bytes, RelpFrame& frame);

 private:
  std::size_t max_;
  std::size_t skip_ = 0;  // of a frame that was cut
  bool trailer_ = false;  // its LF is still to come
};

/// `txnr rsp length data LF`.
void append_response(std::string& out, std::uint32_t txnr, std::string_view data);
/// What is answered to `open`: our version and what we take. Empty: the client cannot send syslog.
std::string answer_offers(std::string_view offers);

/// Responses that wait until the batch of their message is durable, oldest first. Bounded by
/// full(): a connection whose responses fill it is not read.
class RelpAcks {
 public:
  static constexpr std::size_t kRunsMax = 1024;
  bool full() const { return runs_.size() >= kRunsMax; }
  bool empty() const { return runs_.empty(); }
  void add(std::uint64_t batch, std::uint32_t txnr) {
    if (!runs_.empty() && runs_.back().batch == batch && runs_.back().last + 1 == txnr) {
      runs_.back().last = txnr;
    } else {
      runs_.push_back({batch, txnr, txnr});
    }
  }
  /// Appends the responses of everything that is durable; how many.
  std::size_t release(std::uint64_t committed, std::string& out);

 private:
  struct Run {  // of consecutive numbers in one batch
    std::uint64_t batch;
    std::uint32_t first, last;
  };
  std::deque<Run> runs_;
};

}  // namespace belfry::syslog
