#include "belfry/intake/socket_address.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>

namespace belfry {
namespace {

sockaddr_storage storage_of(const SocketAddress& address) {
  sockaddr_storage out{};
  std::memcpy(&out, address.get(), address.size());
  return out;
}

TEST(SocketAddress, IsReadFromTextOfBothFamilies) {
  const auto v4 = SocketAddress::parse("192.0.2.7", 162);
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->family(), AF_INET);
  EXPECT_EQ(port_of(storage_of(*v4)), 162);
  const auto v6 = SocketAddress::parse("2001:db8::7", 514);
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->family(), AF_INET6);
  EXPECT_EQ(port_of(storage_of(*v6)), 514);
  for (const char* wrong : {"", "router1", "192.0.2", "192.0.2.7:162", "[::1]", "::1%lo"}) {
    EXPECT_FALSE(SocketAddress::parse(wrong, 1)) << wrong;
  }
  EXPECT_EQ(SocketAddress::to_listen_on("router1", 1).error().what,
            "'router1' is not an address to listen on: expected IPv4 or IPv6, as 127.0.0.1 or ::");
}

TEST(SocketAddress, AHostIsTheSameWhateverThePortAnEndpointIsNot) {
  const auto asked = *SocketAddress::parse("2001:db8::7", 161);
  EXPECT_TRUE(asked.same(storage_of(asked)));
  const auto other_port = storage_of(*SocketAddress::parse("2001:db8::7", 162));
  EXPECT_TRUE(asked.same_host(other_port));
  EXPECT_FALSE(asked.same(other_port));
  EXPECT_FALSE(asked.same_host(storage_of(*SocketAddress::parse("2001:db8::8", 161))));
  EXPECT_FALSE(asked.same_host(storage_of(*SocketAddress::parse("192.0.2.7", 161))));
}

TEST(SocketAddress, TheKernelsPortIsToldOnlyOfASocket) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
  const auto any = *SocketAddress::parse("127.0.0.1", 0);
  ASSERT_EQ(::bind(fd, any.get(), any.size()), 0);
  EXPECT_NE(bound_port(fd), 0);
  ::close(fd);
  EXPECT_EQ(bound_port(-1), 0);
}

}  // namespace
}  // namespace belfry
