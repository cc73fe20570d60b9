#include "belfry/model/oid.hpp"

#include <gtest/gtest.h>

namespace belfry {
namespace {

TEST(Oid, OneArcIsANumberAndNothingElseIs) {
  const auto rest = [](std::string_view arcs) {
    return oid_from_text("1.3." + std::string(arcs))->substr(1);
  };
  EXPECT_EQ(oid_single_arc(rest("0")), 0);
  EXPECT_EQ(oid_single_arc(rest("127")), 127);
  EXPECT_EQ(oid_single_arc(rest("128")), 128);
  EXPECT_EQ(oid_single_arc(rest("66000")), 66'000);
  EXPECT_EQ(oid_single_arc(rest("4294967295")), 4'294'967'295);
  EXPECT_EQ(oid_single_arc(rest("1.2")), -1) << "two arcs";
  EXPECT_EQ(oid_single_arc(""), -1);
  EXPECT_EQ(oid_single_arc("\x81"), -1) << "cut off in the middle";
  EXPECT_EQ(oid_single_arc("\x81\x81\x81\x81\x81\x01"), -1) << "longer than 32 bits need";
}

}  // namespace
}  // namespace belfry
