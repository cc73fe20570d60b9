#pragma once
// From what stands on the wire to the language's types: texts of holes and attributes, octets of
// varbinds. Total: what is not of the wanted type is none. Private to rules.
#include <string_view>

#include "belfry/model/arena.hpp"
#include "belfry/model/inventory.hpp"
#include "belfry/model/value.hpp"

namespace belfry::rules {

/// Canonical text of an IP address, in `arena` unless `text` is canonical already; empty: not one.
/// An IPv4 address mapped into IPv6 is that IPv4 address.
std::string_view canonical_ip(std::string_view text, Arena* arena);
/// True when `text` reads as a value of `type`; for types that need the schema: true.
bool reads_as(std::string_view text, Type type);
/// A text as a value of `type` (`of`: enum or table); none when it is not one.
Value typed_text(std::string_view text, Type type, std::uint32_t of, const Schema* schema,
                 Arena* arena);
/// A value as `type`: int widens to float, texts are read, what has a text becomes a string.
Value typed_value(const Value& v, Type type, std::uint32_t of, const Schema* schema, Arena* arena);
/// Octets of an OCTET STRING: an address or a MAC where one is wanted, text where they are text
/// (closing NULs fall away), else `1a:00:ff`.
Value typed_octets(std::string_view bytes, Type type, std::uint32_t of, const Schema* schema,
                   Arena* arena);
/// `address` lies in `cidr` (or equals it when there is no length).
bool in_cidr(std::string_view address, std::string_view cidr);

}  // namespace belfry::rules
