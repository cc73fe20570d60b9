#include "waker.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "belfry/base/check.hpp"

namespace belfry {

Waker::Waker() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { BELFRY_CHECK(fd_ >= 0); }
Waker::~Waker() { ::close(fd_); }

void Waker::ring() {
  const std::uint64_t one = 1;
  // Can only fail when the counter is full, and then the thread is awake already.
  static_cast<void>(!::write(fd_, &one, sizeof one));
}

void Waker::park(Duration timeout) {
  const std::int64_t ns = timeout.count() < 0 ? 0 : timeout.count();
  const timespec limit{.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
  pollfd item{.fd = fd_, .events = POLLIN, .revents = 0};
  if (::ppoll(&item, 1, &limit, nullptr) > 0) {
    std::uint64_t drained = 0;
    static_cast<void>(!::read(fd_, &drained, sizeof drained));
  }
}

}  // namespace belfry
