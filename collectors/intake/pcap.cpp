#include "belfry/intake/pcap.hpp"

#include <cstring>
#include <deque>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "address.hpp"

namespace belfry {
namespace {

/// Link types of libpcap's registry.
enum Link : std::uint32_t {
  Null = 0,
  Ethernet = 1,
  RawOld = 12,
  Raw = 101,
  Loop = 108,
  Cooked = 113,
  Ipv4 = 228,
  Ipv6 = 229,
  Cooked2 = 276,
};

bool known(std::uint32_t link) {
  switch (link) {
    case Link::Null:
    case Link::Ethernet:
    case Link::RawOld:
    case Link::Raw:
    case Link::Loop:
    case Link::Cooked:
    case Link::Ipv4:
    case Link::Ipv6:
    case Link::Cooked2:
      return true;
    default:
      return false;
  }
}

std::uint8_t u8(std::string_view s, std::size_t at) {
  return at < s.size() ? static_cast<std::uint8_t>(s[at]) : 0;
}
std::uint16_t be16(std::string_view s, std::size_t at) {
  return static_cast<std::uint16_t>(u8(s, at) << 8 | u8(s, at + 1));
}
std::uint32_t be32(std::string_view s, std::size_t at) {
  return static_cast<std::uint32_t>(be16(s, at)) << 16 | be16(s, at + 2);
}
/// A number of the file's own byte order.
std::uint32_t file32(std::string_view s, std::size_t at, bool little) {
  return little ? static_cast<std::uint32_t>(u8(s, at + 3)) << 24 |
                      static_cast<std::uint32_t>(u8(s, at + 2)) << 16 |
                      static_cast<std::uint32_t>(u8(s, at + 1)) << 8 | u8(s, at)
                : be32(s, at);
}
std::uint16_t file16(std::string_view s, std::size_t at, bool little) {
  return little ? static_cast<std::uint16_t>(u8(s, at + 1) << 8 | u8(s, at)) : be16(s, at);
}

/// The IP packet inside a frame; empty when there is none.
std::string_view ip_packet(std::string_view frame, std::uint32_t link) {
  std::size_t at = 0;
  std::uint16_t type = 0;
  switch (link) {
    case Link::Ethernet:
      at = 14;
      type = be16(frame, 12);
      for (int tags = 0; tags < 3 && (type == 0x8100 || type == 0x88a8 || type == 0x9100); ++tags) {
        type = be16(frame, at + 2);
        at += 4;
      }
      break;
    case Link::Cooked:
      at = 16;
      type = be16(frame, 14);
      break;
    case Link::Cooked2:
      at = 20;
      type = be16(frame, 0);
      break;
    case Link::Null:
    case Link::Loop:
      at = 4;
      break;
    default:
      break;
  }
  const bool typed = link == Link::Ethernet || link == Link::Cooked || link == Link::Cooked2;
  if (at >= frame.size() || (typed && type != 0x0800 && type != 0x86dd)) {
    return {};
  }
  return frame.substr(at);
}

struct Segment {
  std::uint8_t protocol = 0;  // 0 = nothing we take
  intake::AddressBytes source{}, destination{};
  std::string_view bytes;  // from the UDP or TCP header on
};

Segment transport(std::string_view ip) {
  Segment out;
  const unsigned version = u8(ip, 0) >> 4;
  if (version == 4 && ip.size() >= 20) {
    const std::size_t header = static_cast<std::size_t>(u8(ip, 0) & 15) * 4, total = be16(ip, 2);
    const bool fragment = (be16(ip, 6) & 0x3fff) != 0;
    // Offloading leaves a total of 0.
    const std::string_view packet = total == 0 ? ip : ip.substr(0, total);
    if (fragment || header < 20 || header > packet.size()) {
      return out;
    }
    for (std::size_t i = 10; i < 12; ++i) {
      out.source[i] = out.destination[i] = 0xff;
    }
    std::memcpy(out.source.data() + 12, ip.data() + 12, 4);
    std::memcpy(out.destination.data() + 12, ip.data() + 16, 4);
    out.bytes = packet.substr(header);
    out.protocol = u8(ip, 9);
  } else if (version == 6 && ip.size() >= 40) {
    std::memcpy(out.source.data(), ip.data() + 8, 16);
    std::memcpy(out.destination.data(), ip.data() + 24, 16);
    std::uint8_t next = u8(ip, 6);
    std::string_view rest = ip.substr(40, be16(ip, 4));
    // Hop-by-hop, routing, destination options stand before the payload.
    for (int i = 0; i < 8 && (next == 0 || next == 43 || next == 60); ++i) {
      const std::size_t length = (static_cast<std::size_t>(u8(rest, 1)) + 1) * 8;
      if (length > rest.size()) {
        return out;
      }
      next = u8(rest, 0);
      rest.remove_prefix(length);
    }
    out.bytes = rest;
    out.protocol = next;
  }
  return out;
}

/// One direction of a TCP connection.
struct Stream {
  std::uint64_t id = 0;
  bool started = false, ended = false;
  std::uint32_t next = 0;                        // sequence number that is due
  std::map<std::uint32_t, std::string> waiting;  // by distance from `next` at arrival: see add()
  std::size_t waiting_bytes = 0;

  /// Bytes that are in order now.
  std::string add(std::uint32_t sequence, std::string_view bytes) {
    std::string out;
    if (!started) {
      started = true;
      next = sequence;
    }
    const auto ahead = static_cast<std::int32_t>(sequence - next);
    if (ahead > 0) {
      if (waiting_bytes + bytes.size() <= kStreamGapBytes) {
        waiting_bytes += bytes.size();
        waiting.emplace(sequence, bytes);
      }
      return out;
    }
    const auto seen = static_cast<std::size_t>(-static_cast<std::int64_t>(ahead));
    if (seen < bytes.size()) {
      out = bytes.substr(seen);
      next += static_cast<std::uint32_t>(out.size());
    }
    for (bool more = true; more;) {
      more = false;
      for (auto it = waiting.begin(); it != waiting.end(); ++it) {
        const auto distance = static_cast<std::int32_t>(it->first - next);
        if (distance > 0) {
          continue;
        }
        const auto skip = static_cast<std::size_t>(-static_cast<std::int64_t>(distance));
        if (skip < it->second.size()) {
          out += it->second.substr(skip);
          next += static_cast<std::uint32_t>(it->second.size() - skip);
        }
        waiting_bytes -= it->second.size();
        waiting.erase(it);
        more = true;
        break;
      }
    }
    return out;
  }
};

}  // namespace

struct CaptureReader::Impl {
  using Flow = std::tuple<intake::AddressBytes, std::uint16_t, intake::AddressBytes, std::uint16_t>;

  std::string_view rest;
  bool little = false, next_generation = false;
  std::int64_t unit_ns = 1000;       // of a classic capture's fractions
  std::vector<std::uint32_t> links;  // by interface
  std::vector<std::int64_t> units;   // ns per tick; pcapng
  std::map<Flow, Stream> streams;
  std::uint64_t stream_ids = 0, skipped = 0;
  std::deque<CapturedItem> ready;  // at most two: data and end
  std::string stream_bytes;        // what the last StreamData points to
  bool at_end = false;

  bool packet(std::string_view& frame, Instant& at, std::uint32_t& link) {
    return next_generation ? packet_ng(frame, at, link) : packet_classic(frame, at, link);
  }

  bool packet_classic(std::string_view& frame, Instant& at, std::uint32_t& link) {
    if (rest.size() < 16) {
      return false;
    }
    at.ns = static_cast<std::int64_t>(file32(rest, 0, little)) * 1'000'000'000 +
            file32(rest, 4, little) * unit_ns;
    const std::size_t size = file32(rest, 8, little);
    rest.remove_prefix(16);
    frame = rest.substr(0, size);
    rest.remove_prefix(frame.size());
    link = links[0];
    return true;
  }

  /// Blocks of pcapng until a packet: section, interface, enhanced and simple packets.
  bool packet_ng(std::string_view& frame, Instant& at, std::uint32_t& link) {
    while (rest.size() >= 12) {
      const std::uint32_t type = file32(rest, 0, little);
      if (type == 0x0a0d0d0a) {  // a section begins: its byte order, no interfaces yet
        little = u8(rest, 8) == 0x4d;
        links.clear();
        units.clear();
      }
      const std::size_t length = file32(rest, 4, little);
      if (length < 12 || length > rest.size()) {
        rest = {};
        return false;
      }
      const std::string_view body = rest.substr(8, length - 12);
      rest.remove_prefix(length);
      if (type == 1) {
        links.push_back(file16(body, 0, little));
        units.push_back(tick_of(body));
      } else if (type == 6 && body.size() >= 20) {
        const std::size_t interface = file32(body, 0, little);
        if (interface >= links.size()) {
          ++skipped;
          continue;
        }
        const std::uint64_t ticks =
            static_cast<std::uint64_t>(file32(body, 4, little)) << 32 | file32(body, 8, little);
        const auto unit = static_cast<std::uint64_t>(units[interface]);
        at.ns = ticks < static_cast<std::uint64_t>(INT64_MAX) / unit
                    ? static_cast<std::int64_t>(ticks * unit)
                    : 0;
        frame = body.substr(20, file32(body, 12, little));
        link = links[interface];
        return true;
      } else if (type == 3 && body.size() >= 4 && !links.empty()) {
        at = Instant{0};
        frame = body.substr(4, file32(body, 0, little));
        link = links[0];
        return true;
      }
    }
    return false;
  }

  /// if_tsresol: microseconds when absent; powers of ten down to nanoseconds.
  std::int64_t tick_of(std::string_view body) const {
    for (std::size_t at = 8; at + 4 <= body.size();) {
      const std::uint16_t code = file16(body, at, little), length = file16(body, at + 2, little);
      if (code == 0) {
        break;
      }
      if (code == 9 && length == 1) {
        std::int64_t unit = 1'000'000'000;
        for (unsigned i = 0; i < (u8(body, at + 4) & 0x7fU) && unit > 1; ++i) {
          unit /= 10;
        }
        return unit;
      }
      at += 4 + (static_cast<std::size_t>(length) + 3) / 4 * 4;
    }
    return 1000;
  }

  void take(const Segment& s, Instant at) {
    CapturedItem item;
    item.at = at;
    item.source = intake::address_text(s.source);
    item.source_port = be16(s.bytes, 0);
    item.destination_port = be16(s.bytes, 2);
    if (s.protocol == 17 && s.bytes.size() >= 8) {
      const std::size_t length = be16(s.bytes, 4);
      item.bytes = s.bytes.substr(8, length >= 8 ? length - 8 : std::string_view::npos);
      ready.push_back(std::move(item));
    } else if (s.protocol == 6 && s.bytes.size() >= 20) {
      take_tcp(s, std::move(item));
    } else {
      ++skipped;
    }
  }

  void take_tcp(const Segment& s, CapturedItem item) {
    const std::size_t header = static_cast<std::size_t>(u8(s.bytes, 12) >> 4) * 4;
    const std::uint8_t flags = u8(s.bytes, 13);
    const bool fin = (flags & 0x01) != 0, syn = (flags & 0x02) != 0, rst = (flags & 0x04) != 0;
    if (header < 20 || header > s.bytes.size()) {
      ++skipped;
      return;
    }
    const Flow flow{s.source, item.source_port, s.destination, item.destination_port};
    const std::string_view payload = s.bytes.substr(header);
    auto it = streams.find(flow);
    if (it == streams.end()) {
      if (payload.empty() && !syn) {
        return;
      }
      if (streams.size() >= kStreamsMax) {
        ++skipped;
        return;
      }
      it = streams.emplace(flow, Stream{}).first;
      it->second.id = ++stream_ids;
    }
    Stream& stream = it->second;
    std::uint32_t sequence = be32(s.bytes, 4);
    if (syn) {
      stream.started = true;
      stream.next = ++sequence;
    }
    item.stream = stream.id;
    if (!payload.empty()) {
      stream_bytes = stream.add(sequence, payload);
      if (!stream_bytes.empty()) {
        item.kind = CapturedItem::Kind::StreamData;
        item.bytes = stream_bytes;
        ready.push_back(item);
      }
    }
    if (fin || rst) {
      item.kind = CapturedItem::Kind::StreamEnd;
      item.bytes = {};
      ready.push_back(std::move(item));
      streams.erase(it);
    }
  }

  /// At the end of the file every open stream ends.
  void end_streams() {
    at_end = true;
    for (const auto& [flow, stream] : streams) {
      CapturedItem item;
      item.kind = CapturedItem::Kind::StreamEnd;
      item.source = intake::address_text(std::get<0>(flow));
      item.source_port = std::get<1>(flow);
      item.destination_port = std::get<3>(flow);
      item.stream = stream.id;
      ready.push_back(std::move(item));
    }
    streams.clear();
  }
};

CaptureReader::CaptureReader() : impl_(std::make_unique<Impl>()) {}
CaptureReader::~CaptureReader() = default;
CaptureReader::CaptureReader(CaptureReader&&) noexcept = default;
CaptureReader& CaptureReader::operator=(CaptureReader&&) noexcept = default;

Result<CaptureReader> CaptureReader::open(std::string_view file) {
  CaptureReader reader;
  Impl& m = *reader.impl_;
  const std::uint32_t magic = be32(file, 0);
  if (file.size() >= 28 && magic == 0x0a0d0d0a) {
    m.next_generation = true;
    m.rest = file;
    return reader;
  }
  m.little = magic == 0xd4c3b2a1 || magic == 0x4d3cb2a1;
  const bool big = magic == 0xa1b2c3d4 || magic == 0xa1b23c4d;
  if (file.size() < 24 || (!m.little && !big)) {
    return fail(Code::Invalid, "not a capture: expected pcap or pcapng");
  }
  m.unit_ns = magic == 0x4d3cb2a1 || magic == 0xa1b23c4d ? 1 : 1000;
  const std::uint32_t link = file32(file, 20, m.little) & 0x0fffffff;
  if (!known(link)) {
    return fail(Code::Invalid,
                "link type {} of this capture is not known: expected Ethernet, Linux cooked, raw "
                "IP or loopback",
                link);
  }
  m.links = {link};
  m.rest = file.substr(24);
  return reader;
}

bool CaptureReader::next(CapturedItem& out) {
  Impl& m = *impl_;
  for (;;) {
    if (!m.ready.empty()) {
      out = std::move(m.ready.front());
      m.ready.pop_front();
      return true;
    }
    if (m.at_end) {
      return false;
    }
    std::string_view frame;
    Instant at;
    std::uint32_t link = 0;
    if (!m.packet(frame, at, link)) {
      m.end_streams();
      continue;
    }
    const Segment segment = transport(ip_packet(frame, link));
    if (segment.protocol == 0 || !known(link)) {
      ++m.skipped;
      continue;
    }
    m.take(segment, at);
  }
}

std::uint64_t CaptureReader::skipped() const { return impl_->skipped; }

}  // namespace belfry
