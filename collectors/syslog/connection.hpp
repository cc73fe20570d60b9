#pragma once
// Connection: one stream of a StreamLoop: its socket, TLS on it or none, what is left of an
// unfinished frame, and for RELP the responses that wait for their commit.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "belfry/syslog/framing.hpp"
#include "relp.hpp"
#include "tls.hpp"

namespace belfry::syslog {

struct Connection {
  int fd = -1;
  sockaddr_storage peer{};
  std::string source;  // the peer's address as text
  Framer framer;
  RelpFramer relp;
  std::unique_ptr<TlsSession> tls;
  bool ready = true;  // no handshake under way
  std::string tail;   // bytes of an unfinished frame, or all that waits while stalled
  std::int64_t accepted_ns = 0;
  std::int64_t active_ns = 0;  // of the last read
  bool stalled = false;
  std::uint32_t interest = 0;  // what epoll watches for
  // RELP
  RelpAcks acks;
  std::string out;               // responses that the socket did not take yet
  bool opened = false;           // `open` was answered
  bool closing = false;          // nothing more is read; ends when acks and out are empty
  std::uint32_t close_txnr = 0;  // of the client's `close`; 0 = none

  explicit Connection(std::size_t frame_bytes_max)
      : framer(frame_bytes_max), relp(frame_bytes_max) {}
  ~Connection() {
    tls.reset();
    if (fd >= 0) {
      close(fd);
    }
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  const sockaddr* address() const { return reinterpret_cast<const sockaddr*>(&peer); }
  std::string_view identity() const {
    return tls ? std::string_view(tls->identity()) : std::string_view();
  }
  ssize_t read(char* to, std::size_t size) const {
    return tls ? tls->read(to, size) : recv(fd, to, size, MSG_DONTWAIT);
  }
  ssize_t write(std::string_view bytes) const {
    return tls ? tls->write(bytes)
               : send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  /// TLS holds bytes that epoll will not tell of.
  bool pending() const { return tls && ready && tls->pending(); }
  /// What to watch for now.
  std::uint32_t wanted() const {
    const bool reads = !stalled && !closing;
    const bool writes = !out.empty() || (tls && tls->wants_write());
    return (reads ? std::uint32_t{EPOLLIN} : 0U) | (writes ? std::uint32_t{EPOLLOUT} : 0U);
  }
};

}  // namespace belfry::syslog
