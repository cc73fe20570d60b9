#pragma once
// `test` blocks as data: what `belfry test` runs in virtual time on the same fold.
#include <string>
#include <vector>

#include "belfry/rules/program.hpp"

namespace belfry::rules {

struct TestValue {  ///< literal of a test: text as written, typed when used
  Value value;
  std::vector<std::pair<std::string, TestValue>> fields;  ///< object
  bool is_object = false;

  // Defined below: a pair of an incomplete type cannot be destroyed.
  TestValue();
  TestValue(const TestValue&);
  TestValue(TestValue&&) noexcept;
  TestValue& operator=(const TestValue&);
  TestValue& operator=(TestValue&&) noexcept;
  ~TestValue();
};
inline TestValue::TestValue() = default;
inline TestValue::TestValue(const TestValue&) = default;
inline TestValue::TestValue(TestValue&&) noexcept = default;
inline TestValue& TestValue::operator=(const TestValue&) = default;
inline TestValue& TestValue::operator=(TestValue&&) noexcept = default;
inline TestValue::~TestValue() = default;

struct TestGiven {
  Index table = kNone;                                    ///< row of a table, or
  Index relation = kNone;                                 ///< pairs of a relation
  std::vector<std::pair<std::string, TestValue>> fields;  ///< column: value, or left: right
  Place place;
};
struct TestEvent {
  Index event_type = kNone;
  std::vector<std::pair<std::string, TestValue>> fields;
};
enum class ExpectKind : std::uint8_t {
  CountOpen,
  Open,
  Closed,
  Planned,
  Symptom,
  No,
  CountClosed,
  CountPlanned,
  CountSymptom,  ///< `expect 2 symptom`
};
struct TestExpect {
  ExpectKind kind = ExpectKind::Open;
  std::uint64_t count = 0;  ///< Count*
  Index rule = kNone;
  std::vector<Value> key;  ///< fewer than the rule's = prefix
  std::vector<std::pair<std::string, TestValue>>
      fields;  ///< title, symptoms, count, flaps, severity, cause...
};
struct TestStep {
  Duration at{0};
  std::uint64_t times = 1;  ///< `x N every D`
  Duration every{0};
  bool is_expect = false;
  TestEvent event;
  TestExpect expect;
  Place place;
};
struct Test {
  std::string name;
  std::vector<TestGiven> given;
  std::vector<TestStep> steps;
  Place place;
};

}  // namespace belfry::rules
