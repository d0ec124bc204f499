#include "crv/core/error.h"

#include <gtest/gtest.h>

namespace crv {
namespace {

TEST(ErrorFacts, AreJsonAsFarAsTheyApply) {
  EXPECT_EQ(write_json(to_json(ErrorFacts{})), "{}");
  EXPECT_EQ(write_json(to_json(ErrorFacts{.path = "a/x", .row = 0, .os_error = 5})),
            R"({"path":"a/x","row":0,"os_error":5})");
  ErrorFacts facts{.run_id = "r",
                   .table = "t",
                   .column = "c",
                   .key = "k",
                   .value = "v",
                   .path = "p",
                   .row = 1,
                   .line = 2,
                   .bucket = 3,
                   .seq = 4,
                   .os_error = 5};
  facts.violations.push_back({.rule = "column.finite",
                              .column = "price",
                              .reason = "must be finite",
                              .count = 2,
                              .first = {{7, "nan"}}});
  EXPECT_EQ(write_json(to_json(facts)),
            R"({"run_id":"r","table":"t","column":"c","key":"k","value":"v","path":"p","row":1,"line":2,)"
            R"("bucket":3,"seq":4,"os_error":5,"violations":[{"rule":"column.finite","column":"price",)"
            R"("reason":"must be finite","count":2,"first":[{"row":7,"value":"nan"}]}]})");
}

}  // namespace
}  // namespace crv
