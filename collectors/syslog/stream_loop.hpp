#pragma once
// StreamLoop: one thread of the TCP collector: its listener, its connections, its epoll.
//
//   recv ──into the arena, behind the kept tail──> frames in place ──decode──> intake
//
// Back-pressure: while the ring is full or intake refuses, connections are not read (their EPOLLIN
// is off), the kernel's window closes and the senders wait.
#include <atomic>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "belfry/runtime/metrics.hpp"
#include "belfry/syslog/framing.hpp"
#include "belfry/syslog/options.hpp"

namespace belfry::syslog {

class StreamLoop {
 public:
  StreamLoop(const SyslogTcpOptions& options, std::atomic<std::size_t>& connections, Intake& intake,
             Gauge& gauge);
  ~StreamLoop();
  StreamLoop(const StreamLoop&) = delete;
  StreamLoop& operator=(const StreamLoop&) = delete;

  /// `shared`: more loops listen on the same port.
  Result<void> open(std::uint16_t port, bool shared);
  std::uint16_t port() const { return port_; }
  void run(const std::stop_token& stop);

 private:
  struct Connection;
  void accept_some();
  void read_some(Connection& c);
  void take_frames(Connection& c, std::string_view bytes);
  void take_message(std::string_view from, std::string_view frame);
  void end_of_stream(Connection& c);
  void stall(Connection& c);
  void resume();
  bool room();
  void sweep();
  void drop(Connection& c);
  void watch(int fd, bool readable);
  void drain();
  void abandon(Connection& c);

  const SyslogTcpOptions& options_;
  std::atomic<std::size_t>& total_;
  Intake& intake_;
  Gauge& gauge_;
  int listener_ = -1, epoll_ = -1;
  std::uint16_t port_ = 0;
  std::vector<std::unique_ptr<Connection>> connections_;  // by descriptor
  std::vector<int> stalled_;
  std::int64_t swept_ns_ = 0;
  bool accepting_ = true;
  bool drained_ = true;  // no read of this round filled its buffer
};

}  // namespace belfry::syslog
