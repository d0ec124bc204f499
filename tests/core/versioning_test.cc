#include "crv/core/versioning.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crv/core/error.h"

namespace crv::core {
namespace {

using ::testing::StartsWith;

std::string refusal(int major, int minor, const std::string& date) {
  try {
    SchemaVersion(major, minor, date);
  } catch (const VersionMismatch& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_version);
    return error.what();
  }
  return "accepted";
}

TEST(SchemaVersion, OursIsThatOfTheContract) {
  EXPECT_EQ(schema_version(), SchemaVersion(0, 1, "2025-09-20"));
  EXPECT_EQ(schema_version().text(), "0.1@2025-09-20");
}

TEST(SchemaVersion, ChecksMajorThenMinorThenDate) {
  EXPECT_THAT(refusal(-1, -1, "x"), StartsWith("SchemaVersion major must be non-negative"));
  EXPECT_THAT(refusal(0, -1, "x"), StartsWith("SchemaVersion minor must be non-negative"));
  EXPECT_THAT(refusal(0, 0, "x"), StartsWith("SchemaVersion date must be ISO"));
}

TEST(SchemaVersion, TakesEveryIsoFormOfADay) {
  for (const char* date : {"2025-09-20", "20250920", "2025-W38-6", "2025W386", "2025-W38", "2025W38",
                           "2024-02-29", "2020-W53-5", "0001-01-01"}) {
    EXPECT_EQ(refusal(0, 1, date), "accepted") << date;
  }
}

TEST(SchemaVersion, RefusesOtherDates) {
  for (const char* date :
       {"", "2025", "2025-9-20", "2025-09-20 ", "2025-09-31", "2025-02-29", "2025-0920", "202509-20",
        "2025-W54-1", "2025-W53-1", "2025-W00-1", "2025-W38-8", "2025-W38-0", "2025-W386", "2025W38-6",
        "0000-01-01", "20-09-2025", "2025/09/20", "2025-09-20T00:00"}) {
    EXPECT_THAT(refusal(0, 1, date), StartsWith("SchemaVersion date must be ISO")) << date;
  }
}

TEST(SchemaVersion, CompatibleMeansSameMajorAndMinor) {
  EXPECT_TRUE(is_compatible(SchemaVersion(0, 1, "2030-01-01")));
  EXPECT_FALSE(is_compatible(SchemaVersion(0, 2, "2025-09-20")));
  EXPECT_FALSE(is_compatible(SchemaVersion(1, 1, "2025-09-20")));
}

TEST(SchemaVersion, SuccessorIsTheNextMinorOrTheNextMajor) {
  const SchemaVersion current(1, 2, "2025-09-20");
  EXPECT_TRUE(is_successor_of(SchemaVersion(1, 3, "2020-01-01"), current));
  EXPECT_TRUE(is_successor_of(SchemaVersion(2, 0, "2025-09-20"), current));
  EXPECT_FALSE(is_successor_of(current, current));
  EXPECT_FALSE(is_successor_of(SchemaVersion(1, 4, "2025-09-20"), current));
  EXPECT_FALSE(is_successor_of(SchemaVersion(2, 1, "2025-09-20"), current));
  EXPECT_FALSE(is_successor_of(SchemaVersion(3, 0, "2025-09-20"), current));
}

}  // namespace
}  // namespace crv::core
