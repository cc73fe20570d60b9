#pragma once
// Moves an event and its match keys into another arena: shedding gives memory of dropped events
// back.
#include "belfry/model/batch.hpp"

namespace belfry::intake {

/// Copies everything the event points to, but literals (type, why, vendor), into `to`.
void relocate(Event& event, Arena& to);
void relocate(Match& match, Arena& to);

}  // namespace belfry::intake
