#include "if_walk.hpp"

#include <array>

#include "belfry/model/oid.hpp"
#include "ber.hpp"
#include "writer.hpp"

namespace belfry::snmp {
namespace {

using namespace std::string_view_literals;

constexpr std::int64_t kRepetitions = 25;  // 25 names of 40 octets: one datagram of 1,500

constexpr std::array<std::string_view, 3> kColumns{
    "\x2b\x06\x01\x02\x01\x1f\x01\x01\x01\x01"sv,   // ifName  1.3.6.1.2.1.31.1.1.1.1
    "\x2b\x06\x01\x02\x01\x02\x02\x01\x02"sv,       // ifDescr 1.3.6.1.2.1.2.2.1.2
    "\x2b\x06\x01\x02\x01\x1f\x01\x01\x01\x12"sv};  // ifAlias 1.3.6.1.2.1.31.1.1.1.18

}  // namespace

std::string IfWalk::request(std::int32_t id) {
  ++requests_;
  if (last_.empty()) {
    last_ = kColumns[column_];
  }
  return put_int(id) + put_int(0) + put_int(kRepetitions) +
         put_tlv(kSequence, put_tlv(kSequence, put_tlv(kObjectId, last_) + put_tlv(kNull, {})));
}

IfWalk::Step IfWalk::next_column() {
  last_.clear();
  return ++column_ >= kColumns.size() || requests_ >= kWalkRequestsMax ? Step::Done : Step::More;
}

/// False: the column ends here.
bool IfWalk::keep(std::string_view oid, std::string_view text) {
  const std::string_view column = kColumns[column_];
  const std::int64_t index =
      oid_under(oid, column) ? oid_single_arc(oid.substr(column.size())) : -1;
  const std::int64_t before = last_.size() > column.size()
                                  ? oid_single_arc(std::string_view(last_).substr(column.size()))
                                  : -1;
  if (index < 0 || index <= before || (ports_.size() >= kPollPortsMax && !ports_.contains(index))) {
    return false;
  }
  PolledPort& port = ports_[index];
  port.ifindex = index;
  std::string& field = column_ == 0 ? port.name : column_ == 1 ? port.descr : port.alias;
  field = std::string(text.substr(0, kPortTextBytesMax));
  while (!field.empty() && (field.back() == '\0' || field.back() == ' ')) {
    field.pop_back();
  }
  last_ = std::string(oid);
  return true;
}

IfWalk::Step IfWalk::on_response(std::string_view pdu) {
  Arena arena(512);
  Ber ber(arena);
  std::int64_t id = 0, status = 0, index = 0;
  std::string_view list;
  if (!ber.take_int(pdu, id) || !ber.take_int(pdu, status) || !ber.take_int(pdu, index) ||
      !ber.take(pdu, kSequence, list)) {
    return Step::Failed;
  }
  if (status != 0 || list.empty()) {
    // An agent without that column may say so: the others may still be there.
    return next_column();
  }
  while (!list.empty()) {
    Varbind varbind;
    if (!ber.take_varbind(list, varbind)) {
      return Step::Failed;
    }
    if (varbind.type != VarType::OctetString || !keep(varbind.oid, varbind.bytes)) {
      return next_column();
    }
  }
  return requests_ >= kWalkRequestsMax ? Step::Done : Step::More;
}

PolledPorts::Ports IfWalk::take() {
  PolledPorts::Ports out;
  for (auto& [index, port] : ports_) {
    if (!port.name.empty() || !port.descr.empty()) {
      out.push_back(std::move(port));
    }
  }
  ports_.clear();
  return out;
}

}  // namespace belfry::snmp
