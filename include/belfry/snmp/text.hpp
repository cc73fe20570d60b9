#pragma once
// Notifications as people and tools read them: what `belfry decode --as trap` prints, and the way
// back from such a line. Not on the hot path.
#include <optional>
#include <string>
#include <string_view>

#include "belfry/base/json.hpp"
#include "belfry/model/arena.hpp"
#include "belfry/model/event.hpp"
#include "belfry/model/mib_table.hpp"
#include "belfry/snmp/decode.hpp"
#include "belfry/snmp/usm.hpp"

namespace belfry::snmp {

/// `integer string hex oid ip counter32 gauge32 timeticks counter64 opaque float double null
/// no-such-object no-such-instance end-of-mib-view`. An octet string is `string` when it is
/// printable UTF-8, else `hex`.
std::string_view type_word(const Varbind& varbind);
/// The value as text: `5`, `Gi0/1`, `07e20c0a`, `1.3.6.1`, `10.0.0.1`.
std::string value_text(const Varbind& varbind);
/// `{"oid":"1.3.6.1.2.1.2.2.1.2.3","name":"ifDescr.3","type":"string","value":"Gi0/1"}`; numbers
/// are JSON numbers; `name` only where it is known, `text` where the MIB shows it as another one
/// (`down`, a time, an object's name).
void write_varbind(JsonWriter& json, const Varbind& varbind, const MibTable& mibs);
/// One datagram as one JSON object, without a line end: `notification version community trap_oid
/// trap_name uptime agent inform varbinds`, or `refused` with the reason word. Of SNMPv3 `user
/// level engine context`, where `v3` says them.
std::string trap_json(const Event& event, Verdict verdict, const Usm::Opened* v3 = nullptr);

/// The way back: a varbind of texts as written above, or as rules' tests write them. An empty type
/// is guessed: a whole number is `integer`, everything else `string`. Content goes into the arena.
/// nullopt when OID, type or value is not what it says.
std::optional<Varbind> varbind_from_text(std::string_view oid, std::string_view type,
                                         std::string_view value, Arena& arena);

}  // namespace belfry::snmp
