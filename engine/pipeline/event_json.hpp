#pragma once
// A stored event as JSON: what `events` of the API shows. Private to pipeline.
#include <string>

#include "belfry/journal/block.hpp"

namespace belfry {
std::string event_json(const Event& event, Seq seq, Instant at, std::string_view collector);
}
