// An effect as a mail: RFC 5322 header, RFC 2047 words where the subject is not ASCII, UTF-8 body.
#include <fmt/format.h>
#include <openssl/evp.h>

#include <ctime>

#include "belfry/base/text.hpp"
#include "belfry/outbox/outbox.hpp"
#include "encoding.hpp"

namespace belfry {
namespace {

constexpr std::size_t kSubjectBytesMax = 200;
/// RFC 2047 2: an encoded word has at most 75 characters; 45 bytes are 60 in base64.
constexpr std::size_t kWordBytes = 45;
/// RFC 5322 2.1.1: at most 998 octets a line.
constexpr std::size_t kLineBytesMax = 990;

bool is_ascii(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) {
      return false;
    }
  }
  return true;
}

/// One line: no control characters, so that nothing can begin a header of its own.
std::string one_line(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      c = ' ';
    }
  }
  return out;
}

/// At most `bytes_max` bytes, cut between characters.
std::string_view cut(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) {
    return text;
  }
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    --end;
  }
  return text.substr(0, end);
}

std::string subject_of(std::string_view text) {
  const std::string line = one_line(cut(text, kSubjectBytesMax));
  if (is_ascii(line)) {
    return line;
  }
  std::string out;
  std::string_view rest = line;
  while (!rest.empty()) {
    const std::string_view word = cut(rest, kWordBytes);
    if (word.empty()) {
      break;  // not UTF-8: what cannot be cut is left out
    }
    out += (out.empty() ? "" : "\r\n ") + fmt::format("=?UTF-8?B?{}?=", base64(word));
    rest.remove_prefix(word.size());
  }
  return out;
}

std::string date_of(Instant at) {
  const std::time_t seconds = at.ns / 1'000'000'000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[64];
  std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S +0000", &utc);
  return text;
}

std::string domain_of(std::string_view address) {
  const std::size_t at = address.rfind('@');
  return at == std::string_view::npos ? "belfry.invalid" : std::string(address.substr(at + 1));
}

}  // namespace

std::string base64(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int n = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                reinterpret_cast<const unsigned char*>(bytes.data()),
                                static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(n));
  return out;
}

std::string mail_text(const Effect& effect, std::string_view from, std::string_view to) {
  std::string out;
  out += fmt::format("From: {}\r\nTo: {}\r\n", one_line(from), one_line(to));
  out += fmt::format("Subject: {}\r\nDate: {}\r\n", subject_of(effect.subject), date_of(effect.at));
  out += fmt::format("Message-ID: <{}@{}>\r\n", to_text(effect.id), one_line(domain_of(from)));
  if (effect.ticket.value != 0) {
    // One thread a ticket in every mail program.
    out += fmt::format("References: <ticket-{}@{}>\r\n", effect.ticket.value,
                       one_line(domain_of(from)));
  }
  out += "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n";
  out += "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n";
  for (std::string_view line : split(effect.body, '\n')) {
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    do {
      const std::string_view part = cut(line, kLineBytesMax);
      const std::size_t taken = part.empty() ? std::min(line.size(), kLineBytesMax) : part.size();
      out += one_line(line.substr(0, taken));
      out += "\r\n";
      line.remove_prefix(taken);
    } while (!line.empty());
  }
  return out;
}

}  // namespace belfry
