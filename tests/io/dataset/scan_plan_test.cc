// What a scan is going to read, before it reads: for callers who bring a filter or an engine of their own.
#include <arrow/array.h>
#include <arrow/table.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "crv/core/error.h"
#include "io/support/sim_run.h"

namespace crv::io {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Parts of ticks 0..2, 5..5, 12..14 and 30..31, in buckets of 10.
std::shared_ptr<SimOs> run_of_four() {
  auto disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  dataset.append("holdings", holdings({0, 1, 2, 12, 13, 14}));
  dataset.append("holdings", holdings({5, 30, 31}, 10));
  return disk;
}

std::vector<std::string> reasons(const Scan& scan) {
  std::vector<std::string> all;
  for (const PartPlan& plan : scan.plan()) {
    all.push_back(plan.reason);
    EXPECT_EQ(plan.kept, plan.reason == "kept");
  }
  return all;
}

std::vector<std::pair<std::int64_t, std::int64_t>> ticks(const Scan& scan) {
  std::vector<std::pair<std::int64_t, std::int64_t>> all;
  for (const TickRange& range : scan.ticks()) all.emplace_back(*range.min, *range.max);
  return all;
}

TEST(ScanPlan, TicksAreThoseOfTheKeptPartsWithinWhatWasAskedFor) {
  Dataset dataset = sim_dataset(run_of_four());
  EXPECT_THAT(ticks(dataset.scan("holdings")),
              ElementsAre(std::pair(0, 2), std::pair(5, 5), std::pair(12, 14), std::pair(30, 31)));
  EXPECT_THAT(ticks(dataset.scan("holdings", {.ticks = {2, 13}})),
              ElementsAre(std::pair(2, 2), std::pair(5, 5), std::pair(12, 13)));
  EXPECT_THAT(ticks(dataset.scan("holdings", {.ticks = {15, 20}})), IsEmpty());
}

TEST(ScanPlan, TicksOfPartsThatTouchOrOverlapAreOneRange) {
  auto disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  dataset.append("holdings", holdings({1, 2}));
  dataset.append("holdings", holdings({3, 9}));
  dataset.append("holdings", holdings({4}));
  dataset.append("holdings", holdings({10}));
  EXPECT_THAT(ticks(dataset.scan("holdings")), ElementsAre(std::pair(1, 10)));
}

TEST(ScanPlan, ARangeWhoseMinimumIsAboveItsMaximumHoldsNoTick) {
  Dataset dataset = sim_dataset(run_of_four());
  for (const TickRange range :
       {TickRange{2, 1}, TickRange{14, 12}, TickRange{40, 0}, TickRange{INT64_MAX, INT64_MIN}}) {
    const Scan scan = dataset.scan("holdings", {.ticks = range});
    EXPECT_TRUE(std::ranges::none_of(scan.plan(), &PartPlan::kept));
    EXPECT_THAT(ticks(scan), IsEmpty());
    EXPECT_EQ(scan.collect()->num_rows(), 0);
    EXPECT_EQ(scan.collect()->num_columns(), 5);
    EXPECT_EQ(scan.head(3).prune(std::vector<TickRange>{{}}).collect()->num_rows(), 0);
    EXPECT_NO_THROW(scan.check_parts());
  }
  const TickRange parsed = parse_where(parse_json(R"({"tick_min": 2, "tick_max": 1})"));
  EXPECT_EQ(parsed.min, 2);
  EXPECT_EQ(parsed.max, 1);
  const std::vector<TickRange> empty{{3, 2}};
  EXPECT_THAT(reasons(dataset.scan("holdings").prune(empty)),
              ElementsAre("filter", "filter", "filter", "filter"));
}

TEST(ScanPlan, PruneKeepsPartsThatMeetARangeAndFiltersNoRow) {
  Dataset dataset = sim_dataset(run_of_four());
  const Scan scan = dataset.scan("holdings");
  const std::vector<TickRange> ranges{{2, 3}, {31, 40}};
  const Scan pruned = scan.prune(ranges);
  EXPECT_THAT(reasons(pruned), ElementsAre("kept", "filter", "filter", "kept"));
  EXPECT_EQ(pruned.collect()->num_rows(), 5);
  EXPECT_THAT(reasons(scan), ElementsAre("kept", "kept", "kept", "kept")) << "the scan itself is as it was";
  EXPECT_EQ(scan.prune({}).collect()->num_rows(), 0);
  EXPECT_THAT(reasons(scan.prune(std::vector<TickRange>{{}})), ElementsAre("kept", "kept", "kept", "kept"));
  EXPECT_THAT(reasons(dataset.scan("holdings", {.ticks = {5, 14}}).prune(ranges)),
              ElementsAre("tick range", "filter", "filter", "bucket"));
}

TEST(ScanPlan, HeadReadsItsFirstRowsFromAsFewParts) {
  Dataset dataset = sim_dataset(run_of_four());
  const Scan scan = dataset.scan("holdings");
  EXPECT_THAT(reasons(scan.head(3)), ElementsAre("kept", "limit", "limit", "limit"));
  EXPECT_THAT(reasons(scan.head(4)), ElementsAre("kept", "kept", "limit", "limit"));
  EXPECT_EQ(scan.head(4).collect()->num_rows(), 4);
  EXPECT_EQ(scan.head(0).collect()->num_rows(), 0);
  EXPECT_EQ(scan.head(2).head(100).collect()->num_rows(), 2);
  // Of the part with ticks 0..2 not all rows are sure to be in the range: the next one may be needed.
  EXPECT_THAT(reasons(dataset.scan("holdings", {.ticks = {1, 40}}).head(1)),
              ElementsAre("kept", "kept", "limit", "limit"));
  try {
    scan.head(-1);
    FAIL() << "a negative number of rows";
  } catch (const IoArgumentError& e) {
    EXPECT_EQ(e.code(), ErrorCode::bad_limit);
    EXPECT_EQ(e.facts().table, "holdings");
  }
}

// The rows of `scan`, by tick.
std::vector<std::int64_t> ticks_of_rows(const Scan& scan) {
  std::vector<std::int64_t> all;
  const auto column = scan.collect()->GetColumnByName("tick");
  for (const auto& chunk : column->chunks()) {
    const auto& ticks = static_cast<const arrow::Int64Array&>(*chunk);
    for (std::int64_t i = 0; i < ticks.length(); ++i) all.push_back(ticks.Value(i));
  }
  return all;
}

TEST(ScanPlan, ALimitComesBeforePruning) {
  Dataset dataset = sim_dataset(run_of_four());
  const Scan scan = dataset.scan("holdings");
  const std::vector<TickRange> late{{14, 30}}, middle{{5, 14}};
  // The first rows stay, whatever ranges are pruned by: the caller's filter is for them.
  for (const std::int64_t rows : {0, 1, 2, 3, 4, 5, 6, 7, 8}) {
    const std::vector<std::int64_t> first = ticks_of_rows(scan.head(rows));
    EXPECT_EQ(static_cast<std::int64_t>(first.size()), rows);
    EXPECT_EQ(ticks_of_rows(scan.head(rows).prune(late)), first) << rows;
    EXPECT_EQ(ticks_of_rows(dataset.scan("holdings", {.limit = rows}).prune(late)), first) << rows;
    EXPECT_EQ(ticks_of_rows(scan.head(rows).prune(late).prune(middle)), first) << rows;
  }
  // Where it leaves no row out, parts are skipped as without it.
  for (const std::int64_t rows : {std::int64_t{9}, std::int64_t{10}, INT64_MAX}) {
    EXPECT_THAT(reasons(scan.head(rows).prune(late)), ElementsAre("filter", "filter", "kept", "kept"))
        << rows;
    EXPECT_THAT(reasons(dataset.scan("holdings", {.limit = rows}).prune(late)),
                ElementsAre("filter", "filter", "kept", "kept"));
  }
  // The other way round, the first rows are those of the parts that are left.
  EXPECT_THAT(ticks_of_rows(scan.prune(late).head(2)), ElementsAre(12, 13));
  EXPECT_THAT(ticks_of_rows(scan.prune(late).head(2).prune(std::vector<TickRange>{{30, 31}})),
              ElementsAre(12, 13));
  // A range that was asked for comes before the limit.
  const Scan ranged = dataset.scan("holdings", {.ticks = {2, 13}, .limit = 3});
  EXPECT_THAT(ticks_of_rows(ranged), ElementsAre(2, 5, 12));
  EXPECT_THAT(ticks_of_rows(ranged.prune(std::vector<TickRange>{{13, 13}})), ElementsAre(2, 5, 12));
}

TEST(ScanPlan, TellsWhatItWasAskedFor) {
  Dataset dataset = sim_dataset(run_of_four());
  const TickRange all = dataset.scan("holdings").range();
  EXPECT_FALSE(all.min || all.max);
  const TickRange some = dataset.scan("holdings", {.ticks = {2, 13}}).range();
  EXPECT_EQ(some.min, 2);
  EXPECT_EQ(some.max, 13);
  EXPECT_EQ(dataset.scan("holdings").tick_bucket_size(), 10);
}

TEST(ScanPlan, PartsThatAreGoneOrCutShortAreFoundBeforeTheyAreRead) {
  auto disk = run_of_four();
  Dataset dataset = sim_dataset(disk);
  const Scan scan = dataset.scan("holdings");
  EXPECT_NO_THROW(scan.check_parts());
  const std::string last = scan.plan().back().part.path;
  const std::string bytes = disk->files().at(last);
  disk->put(last, bytes.substr(0, bytes.size() - 1));
  const auto code = [](const Scan& of, bool checksums = true) {
    try {
      of.check_parts(checksums);
    } catch (const IoReadError& e) {
      return e.code();
    }
    return ErrorCode::bad_argument;
  };
  EXPECT_EQ(code(scan), ErrorCode::part_damaged);
  std::string flipped = bytes;
  flipped[bytes.size() / 2] = static_cast<char>(flipped[bytes.size() / 2] ^ 1);
  disk->put(last, flipped);
  EXPECT_EQ(code(sim_dataset(disk).scan("holdings")), ErrorCode::part_damaged);
  EXPECT_NO_THROW(sim_dataset(disk).scan("holdings").check_parts(false));
  EXPECT_NO_THROW(scan.check_parts()) << "this Dataset has seen its bytes once";
  disk->erase(last);
  EXPECT_EQ(code(scan), ErrorCode::part_missing);
  EXPECT_EQ(code(scan, false), ErrorCode::part_missing);
  EXPECT_NO_THROW(dataset.scan("holdings", {.ticks = {0, 20}}).check_parts()) << "a part that is not read";
}

TEST(ScanPlan, ALimitIsANumberOfRows) {
  EXPECT_EQ(parse_limit(Json()), std::nullopt);
  EXPECT_EQ(parse_limit(Json(3)), 3);
  EXPECT_EQ(parse_limit(Json(3.0)), 3);
  EXPECT_EQ(parse_limit(Json("3")), 3);
  for (const Json& bad : {Json(-1), Json(1.5), Json("x"), Json(true), Json(JsonArray{})})
    EXPECT_THROW(parse_limit(bad), IoArgumentError) << write_json(bad);
}

TEST(AppendProgress, CountsPartsAndWhatItThrowsLeavesTheRunAsItWas) {
  auto disk = run_of_four();
  Dataset dataset = sim_dataset(disk);
  const Seen before = seen(dataset);
  const std::vector<std::string> parts = part_files(*disk);
  AppendOptions options;
  std::int64_t last = -1, total = 0;
  options.progress = [&](std::int64_t done, std::int64_t of) {
    EXPECT_GE(done, last);
    last = done;
    total = of;
  };
  dataset.append("holdings", holdings({1, 11, 21}, 50), options);
  EXPECT_EQ(last, 3);
  EXPECT_EQ(total, 3);

  auto other = run_of_four();
  Dataset stopped = sim_dataset(other);
  const std::size_t files = other->files().size();
  for (const std::int64_t stop_at : {0, 3}) {
    options.progress = [&](std::int64_t done, std::int64_t) {
      if (done >= stop_at) throw std::runtime_error("stop");
    };
    EXPECT_THROW(stopped.append("holdings", holdings({1, 11, 21}, 50), options), std::runtime_error);
    EXPECT_EQ(part_files(*other).size(), parts.size());
    EXPECT_EQ(other->files().size(), files);
    EXPECT_EQ(seen_on(other), before);
  }
  options.progress = {};
  EXPECT_EQ(stopped.append("holdings", holdings({1}, 50), options).rows, 1);
}

}  // namespace
}  // namespace crv::io
