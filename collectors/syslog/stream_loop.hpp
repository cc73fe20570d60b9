#pragma once
// StreamLoop: one thread of the stream collectors (TCP, TLS, RELP): its listener, its connections,
// its epoll.
//
//   read ──into the arena, behind the kept tail──> frames in place ──decode──> intake
//                                    RELP: responses <──commit mark──┘
//
// Back-pressure: while the ring is full or intake refuses, connections are not read (their EPOLLIN
// is off), the kernel's window closes and the senders wait.
#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/synchronization/mutex.h>

#include <atomic>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "belfry/runtime/metrics.hpp"
#include "belfry/syslog/options.hpp"
#include "connection.hpp"

namespace belfry::syslog {

/// What the loops of one collector share. Any thread.
class StreamShared {
 public:
  enum class Admission : unsigned char { Yes, Full, SourceFull };
  Admission admit(const std::string& source, const SyslogTcpOptions& options);
  void leave(const std::string& source);
  std::size_t connections() const { return total_.load(std::memory_order_relaxed); }
  std::shared_ptr<const TlsContext> tls() const {
    const absl::MutexLock lock(&mutex_);
    return tls_;
  }
  void set_tls(std::shared_ptr<const TlsContext> tls) {
    const absl::MutexLock lock(&mutex_);
    tls_ = std::move(tls);
  }

 private:
  std::atomic<std::size_t> total_{0};
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<std::string, std::size_t> by_source_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const TlsContext> tls_ ABSL_GUARDED_BY(mutex_);
};

struct StreamMetrics {
  StreamMetrics(Metrics& metrics, std::string_view collector);
  Gauge& connections;
  Counter& handshakes;
  Counter& handshakes_failed;
  Counter& acknowledged;
};

class StreamLoop {
 public:
  StreamLoop(const SyslogTcpOptions& options, StreamShared& shared, Intake& intake,
             StreamMetrics& metrics);
  ~StreamLoop();
  StreamLoop(const StreamLoop&) = delete;
  StreamLoop& operator=(const StreamLoop&) = delete;

  /// `shared`: more loops listen on the same port.
  Result<void> open(std::uint16_t port, bool shared);
  std::uint16_t port() const { return port_; }
  void run(const std::stop_token& stop);

 private:
  /// Whose message: the sender's address, and the device that its certificate proved, if any. Both
  /// lie in the arena of the open batch.
  struct Speaker {
    std::string_view from, node;
  };
  enum class Took : unsigned char { All, Stalled, Close };

  bool is_relp() const { return options_.protocol == StreamProtocol::Relp; }
  void accept_some();
  void accept_one(int fd, const sockaddr_storage& peer);
  void on_event(Connection& c, std::uint32_t events);
  bool shake_hands(Connection& c);
  bool read_some(Connection& c);
  Took take(Connection& c, std::string_view bytes);
  Took take_lines(Connection& c, std::string_view bytes);
  Took take_relp(Connection& c, std::string_view bytes);
  bool relp_frame(Connection& c, const Speaker& speaker, const RelpFrame& frame);
  Speaker speaker(Connection& c);
  void take_message(const Speaker& speaker, std::string_view frame, bool cut);
  bool next_batch(Connection& c, std::string_view& bytes, Speaker& who);
  void end_of_stream(Connection& c);
  void answer();
  bool flush(Connection& c);
  void stall(Connection& c);
  void resume();
  bool room();
  void sweep();
  void sweep_one(Connection& c, std::int64_t now);
  void drop(Connection& c);
  void watch(Connection& c);
  void watch_listener(bool on);
  void drain();
  void drain_relp();
  void abandon(Connection& c);

  const SyslogTcpOptions& options_;
  StreamShared& shared_;
  Intake& intake_;
  StreamMetrics& metrics_;
  int listener_ = -1, epoll_ = -1;
  std::uint16_t port_ = 0;
  std::vector<std::unique_ptr<Connection>> connections_;  // by descriptor
  std::vector<int> stalled_;
  std::vector<int> waiting_;      // connections with responses that wait for their commit
  std::vector<int> again_;        // TLS holds more of them than was read
  std::vector<int> broken_;       // could not be written to: to drop when nobody holds them
  std::uint64_t last_batch_ = 0;  // of the last message
  std::int64_t swept_ns_ = 0;
  bool accepting_ = true;
  bool drained_ = true;  // no read of this round filled its buffer
};

}  // namespace belfry::syslog
