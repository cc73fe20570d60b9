#pragma once
// Events field by field, before compression. Private to journal.
#include <string>
#include <string_view>

#include "belfry/model/batch.hpp"

namespace belfry {

/// Writes all events of the batch to the front of `buffer`, which only ever grows; how many bytes.
std::size_t encode_events(const Batch& batch, std::string& buffer);

}  // namespace belfry
