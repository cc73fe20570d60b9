// Any datagram at USM: two receivers with equal users say the same of it, with and without engines;
// what is reported or answered is read again by the other side; nothing but a right digest is
// remembered.
//
// The first byte chooses: 0-7 seal the rest as a scoped PDU's content of a known user first, so
// that what lies behind a right digest is reached too; anything else takes the datagram as it is.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "belfry/snmp/decode.hpp"
#include "belfry/snmp/sealer.hpp"
#include "belfry/snmp/text.hpp"
#include "belfry/snmp/usm.hpp"
#include "engines.hpp"

namespace {

using namespace belfry;

constexpr char kText[] =
    "createUser ops SHA a-long-passphrase AES another-one\n"
    "createUser lab MD5 a-long-passphrase DES another-one\n"
    "createUser audit SHA-512 a-long-passphrase AES-256 another-one\n"
    "createUser signed SHA-256 a-long-passphrase\n"
    "createUser plain\n"
    "authUser log plain noauth\n";
constexpr std::string_view kUserNames[]{"ops", "lab", "audit", "signed", "plain"};

std::string sealed(const std::shared_ptr<const snmp::UsmUsers>& users, std::uint8_t choice,
                   std::string_view content, const std::string& engine) {
  auto sealer = snmp::Sealer::make(users, kUserNames[choice % 5], engine);
  return sealer->seal({.pdu_tag = choice < 5 ? std::uint8_t{0xa7} : std::uint8_t{0xa6},
                       .pdu = content,
                       .boots = 1,
                       .time = 1,
                       .reportable = choice >= 5});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto users = *snmp::UsmUsers::parse("users", kText);
  static const std::string kOurs("\x80\x00\x7e\xd9\x05ours", 9), kTheirs(
                                                                     "\x80\x00\x7e\xd9\x04"
                                                                     "t1",
                                                                     7);
  auto engines = *snmp::Engines::open("", kOurs, 0);
  if (size == 0) {
    return 0;
  }
  std::string bytes(reinterpret_cast<const char*>(data), size);
  const bool inside = data[0] < 8;
  if (inside) {
    bytes = sealed(users, data[0], bytes.substr(1), data[0] < 5 ? kTheirs : kOurs);
  }
  snmp::Usm usm(users, engines.get()), offline(users, nullptr);
  Arena arena, offline_arena;
  Event event, offline_event;
  const snmp::Verdict verdict = snmp::decode(bytes, arena, event, &usm);
  const snmp::Verdict again = snmp::decode(bytes, offline_arena, offline_event, &offline);
  static_cast<void>(snmp::trap_json(event, verdict, &usm.last()));
  if (verdict == snmp::Verdict::Ok &&
      (again != verdict ||
       snmp::trap_json(event, verdict) != snmp::trap_json(offline_event, again))) {
    std::abort();
  }
  if (verdict == snmp::Verdict::V3WrongDigest && engines->known() != 0) {
    std::abort();
  }
  if (inside &&
      (verdict == snmp::Verdict::V3WrongDigest || verdict == snmp::Verdict::V3DecryptionError)) {
    std::abort();  // sealed by the right keys
  }
  const std::string report = usm.report();
  snmp::Usm::Opened opened;
  if (!report.empty()) {
    const snmp::Verdict read = offline.open(report, offline_arena, opened);
    if (opened.engine != kOurs || read == snmp::Verdict::V3WrongDigest || opened.reportable) {
      std::abort();
    }
  }
  if (verdict == snmp::Verdict::Ok && event.inform && event.snmp_version == 3) {
    const std::string response = usm.response();
    if (offline.open(response, offline_arena, opened) != snmp::Verdict::Ok ||
        opened.pdu_tag != 0xa2) {
      std::abort();
    }
  }
  return 0;
}
