#include "io/dataset/arrow_filter.h"

#include <arrow/buffer.h>
#include <arrow/compute/api.h>
#include <arrow/compute/expression.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "crv/core/error.h"
#include "crv/core/rows.h"

namespace crv::io {
namespace {

namespace cp = arrow::compute;

cp::Expression field(const std::string& name) {
  return cp::field_ref(name);
}
cp::Expression number(std::int64_t value) {
  return cp::literal(value);
}

class ArrowFilter : public testing::Test {
 protected:
  void SetUp() override {
    IoSettings settings;
    settings.root_dir =
        (std::filesystem::path(testing::TempDir()) / ("arrow_filter_" + std::to_string(getpid()))).string();
    settings.durability = Durability::none;
    root_ = settings.root_dir;
    std::filesystem::remove_all(root_);
    dataset_.emplace(settings, "r");
    std::vector<core::HoldingsRow> rows;
    for (const std::int64_t tick : {5, 99, 100, 250, 70'000})
      rows.push_back({.tick = tick, .agent_id = "a", .token_id = "t", .quantity = tick});
    dataset_->append("holdings", rows);
  }
  void TearDown() override {
    dataset_.reset();
    std::filesystem::remove_all(root_);
  }

  // The first tick of each part that is kept.
  static std::vector<std::int64_t> kept(const Scan& scan) {
    std::vector<std::int64_t> ticks;
    for (const PartPlan& plan : scan.plan())
      if (plan.kept) ticks.push_back(plan.part.tick_min);
    return ticks;
  }
  FilteredScan pruned(const cp::Expression& filter) {
    return prune(dataset_->scan("holdings"), cp::Serialize(filter).ValueOrDie());
  }

  std::string root_;
  std::optional<Dataset> dataset_;
};

using Ticks = std::vector<std::int64_t>;
using Columns = std::vector<std::string>;

TEST_F(ArrowFilter, WhatSpeaksOfTicksAloneDecides) {
  EXPECT_EQ(kept(pruned(cp::greater(field("tick"), number(99))).scan), (Ticks{100, 250, 70'000}));
  EXPECT_EQ(kept(pruned(cp::equal(field("bucket"), number(2))).scan), Ticks{250});
  EXPECT_EQ(
      kept(pruned(cp::or_(cp::less(field("tick"), number(6)), cp::equal(field("tick"), number(250)))).scan),
      (Ticks{5, 250}));
  EXPECT_EQ(kept(pruned(cp::not_(cp::less(field("tick"), number(70'000)))).scan), Ticks{70'000});
  EXPECT_EQ(kept(pruned(cp::less(field("tick"), field("bucket"))).scan), Ticks{});
  EXPECT_EQ(kept(pruned(cp::is_null(field("tick"))).scan), Ticks{});
  EXPECT_EQ(kept(pruned(cp::literal(true)).scan), (Ticks{5, 100, 250, 70'000}));
}

TEST_F(ArrowFilter, OtherConditionsAreLeftAsideAndTheirColumnsTold) {
  const auto agent = cp::equal(field("agent_id"), cp::literal("nobody"));
  const auto both = cp::and_(cp::and_(agent, cp::greater(field("tick"), number(100))), agent);
  EXPECT_EQ(kept(pruned(both).scan), (Ticks{250, 70'000}));
  EXPECT_EQ(pruned(both).columns, (Columns{"tick", "agent_id"}));
  EXPECT_EQ(kept(pruned(cp::or_(agent, cp::greater(field("tick"), number(100)))).scan),
            (Ticks{5, 100, 250, 70'000}));
  EXPECT_EQ(pruned(cp::equal(field("quantity"), field("bucket"))).columns, (Columns{"bucket", "quantity"}));
}

TEST_F(ArrowFilter, WhatCannotBeTriedSkipsNothing) {
  const Ticks all{5, 100, 250, 70'000};
  EXPECT_EQ(kept(pruned(cp::equal(field("tick"), cp::literal("text"))).scan), all);
  EXPECT_EQ(kept(pruned(cp::greater(field("nope"), number(1))).scan), all);
  EXPECT_EQ(pruned(cp::greater(field("nope"), number(1))).columns.size(), 5U);
  EXPECT_EQ(kept(pruned(field("tick")).scan), all);
  EXPECT_THROW(prune(dataset_->scan("holdings"), arrow::Buffer::FromString("no expression")),
               IoArgumentError);
}

}  // namespace
}  // namespace crv::io
