#pragma once
// Literals of `test` blocks as typed values, rows and events.
#include <string>

#include "belfry/base/result.hpp"
#include "belfry/model/arena.hpp"
#include "belfry/model/event.hpp"
#include "belfry/model/inventory.hpp"
#include "belfry/rules/tests.hpp"

namespace belfry {

/// Where offsets such as `start: +1h` count from: a Monday, midnight UTC.
inline constexpr Instant kTestStart{1'767'571'200'000'000'000};

/// Own inventory of a test.
Result<std::shared_ptr<const Inventory>> test_inventory(const rules::Program& program,
                                                        const rules::Test& test);
/// Fills a zeroed event; texts go into the arena or stay in the program.
Result<void> test_event(const rules::Program& program, const rules::TestEvent& from, Arena& arena,
                        Event& out);
/// As an incident's field would show it.
std::string test_text(const rules::TestValue& value);

}  // namespace belfry
