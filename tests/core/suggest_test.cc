#include "crv/core/suggest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace crv {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::vector<std::string> kTables{"exchange", "messages", "decisions", "holdings", "holdings_valuation"};

TEST(NearNames, AreAFewSlipsAway) {
  EXPECT_THAT(near_names("holdigns", kTables), ElementsAre("holdings"));  // neighbors swapped
  EXPECT_THAT(near_names("holding", kTables), ElementsAre("holdings", "holdings_valuation"));
  EXPECT_THAT(near_names("MESSAGE", kTables), ElementsAre("messages"));  // case does not count
  EXPECT_THAT(near_names("xchnge", kTables), ElementsAre("exchange"));
  EXPECT_THAT(near_names("dec", kTables), ElementsAre("decisions"));  // its beginning
}

TEST(NearNames, AreNoneWhereNothingIsNear) {
  EXPECT_THAT(near_names("trades", kTables), IsEmpty());
  EXPECT_THAT(near_names("", kTables), IsEmpty());
  EXPECT_THAT(near_names("a", {"b", "c"}), IsEmpty());
  EXPECT_THAT(near_names("de", kTables), IsEmpty());
  EXPECT_THAT(near_names(std::string(100'000, 'x'), kTables), IsEmpty());
  EXPECT_THAT(near_names("x", {std::string(100'000, 'x')}), IsEmpty());
}

TEST(NearNames, AreTheNearestThree) {
  EXPECT_THAT(near_names("run_1", {"run_33", "run_3", "run_2", "run_11", "run1"}),
              ElementsAre("run_3", "run_2", "run_11"));
}

TEST(DidYouMean, EndsASentence) {
  EXPECT_EQ(did_you_mean("holdigns", kTables, "."), "; did you mean \"holdings\"?");
  EXPECT_EQ(did_you_mean("run_1", {"run_2", "run_3", "run_4"}),
            "; did you mean \"run_2\", \"run_3\" or \"run_4\"?");
  EXPECT_EQ(did_you_mean("nothing like it", kTables, "."), ".");
}

TEST(NoSuchTable, NamesThoseThereAre) {
  EXPECT_THAT(core::no_such_table("holdigns"), HasSubstr("\"holdigns\"; did you mean \"holdings\"?"));
  EXPECT_THAT(core::no_such_table("nope"), HasSubstr("\"nope\". The tables are: exchange, "));
  EXPECT_THAT(core::no_such_table("quarantin"), HasSubstr("did you mean \"quarantine\"?"));
  EXPECT_THAT(core::no_such_table("nope"), Not(HasSubstr("quarantine")));
}

}  // namespace
}  // namespace crv
