#pragma once
// `belfry decode`: what the rules would see of syslog lines, datagrams and captures. One JSON
// object per input message on standard output, in order, refused ones included. Needs no server and
// no store.
#include <string>
#include <string_view>

namespace belfry {

struct DecodeArguments {
  std::string as = "syslog";     ///< syslog | trap | plugin
  std::string framing = "line";  ///< line | octet (syslog): how the file is cut into messages
  bool hex = false;              ///< one message a line, as hex digits
  bool pcap = false;             ///< the file is a capture
  std::string snmp_users;        ///< file of net-snmp's createUser lines
  std::string mibs;              ///< folder of MIB files
  std::string path = "-";        ///< `-` = standard input
};

/// 0 = read to the end, whatever was refused in it; 2 = it cannot be read (one line on standard
/// error). A line that is a JSON object with `raw`, `raw_b64` or `packet_hex` is decoded as that
/// message; its `id` is passed through.
int decode_command(const DecodeArguments& arguments);

/// The same without a terminal: all output lines of `input`, one after the other. Empty text on
/// success, else what is wrong.
std::string decode_text(const DecodeArguments& arguments, std::string_view input, std::string& out);

}  // namespace belfry
