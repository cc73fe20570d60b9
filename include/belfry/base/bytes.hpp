#pragma once
// Field-wise encoding of everything that is stored: journal blocks, records, snapshots.
//   u8, fixed 32/64 (little endian), varint (LEB128), zigzag, string (varint length + bytes).
// ByteReader is total: past the end or on a bad length it sets failed() and returns zero values;
// a caller checks failed() once, at the end of a record.
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace belfry {

class ByteWriter {
 public:
  void u8(std::uint8_t v) { out_.push_back(static_cast<char>(v)); }
  void boolean(bool v) { u8(v ? 1 : 0); }
  void fixed32(std::uint32_t v) { raw(&v, sizeof v); }
  void fixed64(std::uint64_t v) { raw(&v, sizeof v); }
  void varint(std::uint64_t v) {
    char buffer[10];
    std::size_t n = 0;
    while (v >= 0x80) {
      buffer[n++] = static_cast<char>(v | 0x80);
      v >>= 7;
    }
    buffer[n++] = static_cast<char>(v);
    out_.append(buffer, n);
  }
  void zigzag(std::int64_t v) {
    varint((static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63));
  }
  void float64(double v) { fixed64(std::bit_cast<std::uint64_t>(v)); }
  void string(std::string_view s) {
    varint(s.size());
    out_.append(s);
  }
  void raw(const void* data, std::size_t size) {
    out_.append(static_cast<const char*>(data), size);
  }
  /// Overwrites eight bytes that were written before (a checksum that covers what follows it).
  void set_fixed64(std::size_t at, std::uint64_t v) { std::memcpy(out_.data() + at, &v, sizeof v); }
  const std::string& bytes() const { return out_; }
  std::string take() { return std::move(out_); }
  void clear() { out_.clear(); }
  void reserve(std::size_t n) { out_.reserve(n); }
  std::size_t size() const { return out_.size(); }

 private:
  std::string out_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes)
      : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}
  std::uint8_t u8() {
    if (at_ == end_) {
      return fail_u8();
    }
    return static_cast<std::uint8_t>(*at_++);
  }
  bool boolean() { return u8() != 0; }
  std::uint32_t fixed32() { return fixed<std::uint32_t>(); }
  std::uint64_t fixed64() { return fixed<std::uint64_t>(); }
  std::uint64_t varint() {
    std::uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (at_ == end_) {
        return fail_u8();
      }
      const auto byte = static_cast<std::uint8_t>(*at_++);
      v |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) {
        return v;
      }
    }
    return fail_u8();
  }
  std::int64_t zigzag() {
    const std::uint64_t v = varint();
    return static_cast<std::int64_t>(v >> 1) ^ -static_cast<std::int64_t>(v & 1);
  }
  double float64() { return std::bit_cast<double>(fixed64()); }
  /// A slice of the bytes being read: lives as long as they do.
  std::string_view string() { return bytes(varint()); }
  std::string_view bytes(std::uint64_t n) {
    if (n > static_cast<std::uint64_t>(end_ - at_)) {
      fail_u8();
      return {};
    }
    const std::string_view s(at_, n);
    at_ += n;
    return s;
  }
  bool failed() const { return failed_; }
  bool done() const { return at_ == end_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

 private:
  template <class T>
  T fixed() {
    T v{};
    if (static_cast<std::size_t>(end_ - at_) < sizeof v) {
      fail_u8();
      return v;
    }
    std::memcpy(&v, at_, sizeof v);
    at_ += sizeof v;
    return v;
  }
  std::uint8_t fail_u8() {
    failed_ = true;
    at_ = end_;
    return 0;
  }
  const char* at_;
  const char* end_;
  bool failed_ = false;
};

}  // namespace belfry
