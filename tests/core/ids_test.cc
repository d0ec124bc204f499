#include "crv/core/ids.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

#include "core/refusal.h"

namespace crv::core {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

TEST(RunIds, HaveAPrefixAndTwentyHexDigits) {
  EXPECT_THAT(make_run_id(), MatchesRegex("run_[0-9a-f]{20}"));
  EXPECT_THAT(make_run_id("sweep_7"), MatchesRegex("sweep_7_[0-9a-f]{20}"));
}

TEST(RunIds, AreNeverTheSameTwice) {
  std::set<RunId> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(make_run_id());
  EXPECT_EQ(ids.size(), 1000u);
}

TEST(RunIds, RefuseAPrefixThatIsNotLowerSnake) {
  for (const char* prefix : {"", "Run", "a-b", "a/b", "..", "run_", "run\n"}) {
    EXPECT_THAT(testing::refusal<SchemaError>(ErrorCode::bad_identifier, [&] { make_run_id(prefix); }),
                HasSubstr("prefix of a run id must be lower_snake"))
        << prefix;
  }
}

}  // namespace
}  // namespace crv::core
