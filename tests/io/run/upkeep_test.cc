// What goes on in the background, as the executor of DatasetOptions lets it.
#include <arrow/table.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/storage/local_storage.h"
#include "io/support/sim_run.h"
#include "io/support/step_executor.h"

namespace crv::io {
namespace {

const std::string kFold = "out/runs/run_sim/log/00000000000000000001-00000000000000000004.jsonl";

IoSettings settings() {
  IoSettings made;
  made.root_dir = "out";
  made.tick_bucket_size = 10;
  return made;
}
bool is_folded(const SimOs& disk) {
  return disk.files().contains(kFold);
}

DatasetOptions stepped(const std::shared_ptr<SimOs>& disk, const std::shared_ptr<StepExecutor>& executor) {
  DatasetOptions options = sim_options(disk);
  options.executor = executor;
  return options;
}

TEST(Upkeep, AFoldWaitsForTheExecutor) {
  const auto disk = std::make_shared<SimOs>();
  put_run(*disk, 4);
  const auto executor = std::make_shared<StepExecutor>();
  Dataset dataset(settings(), sim_run_id, stepped(disk, executor));
  for (std::int64_t tick = 0; tick < 4; ++tick) dataset.append("holdings", holdings({tick}));
  EXPECT_FALSE(is_folded(*disk));
  ASSERT_EQ(executor->waiting(), 1U);
  executor->step();
  EXPECT_TRUE(is_folded(*disk));
  EXPECT_EQ(seen_on(disk).at("holdings").size(), 4U);
}

TEST(Upkeep, ClosingDoesWhatTheExecutorHasNotDone) {
  const auto disk = std::make_shared<SimOs>();
  put_run(*disk, 4);
  const auto executor = std::make_shared<StepExecutor>();
  {
    Dataset dataset(settings(), sim_run_id, stepped(disk, executor));
    for (std::int64_t tick = 0; tick < 4; ++tick) dataset.append("holdings", holdings({tick}));
    EXPECT_FALSE(is_folded(*disk));
  }
  EXPECT_TRUE(is_folded(*disk));
  while (executor->waiting() > 0) executor->step();  // the Dataset is gone: it must not be touched
}

TEST(Upkeep, WithoutBackgroundTheAppendDoesItAll) {
  const auto disk = std::make_shared<SimOs>();
  put_run(*disk, 4);
  const auto executor = std::make_shared<StepExecutor>();
  executor->refuses = true;
  Dataset dataset(settings(), sim_run_id, stepped(disk, executor));
  for (std::int64_t tick = 0; tick < 4; ++tick) dataset.append("holdings", holdings({tick}));
  EXPECT_TRUE(is_folded(*disk));
}

// With one thread and nothing in the background the same calls reach the disk in the same order.
TEST(Upkeep, WithOneThreadARunIsRepeatedToTheCall) {
  const auto history = [] {
    const auto disk = std::make_shared<SimOs>();
    put_run(*disk, 4);
    const auto executor = std::make_shared<StepExecutor>();
    DatasetOptions options = stepped(disk, executor);
    options.new_id = counting_ids(1);
    options.storage = local_storage(Durability::commit, disk, counting_ids(1'000'000));
    Dataset dataset(settings(), sim_run_id, options);
    for (std::int64_t tick = 0; tick < 6; ++tick)
      dataset.append("holdings", holdings({tick, tick + 10, tick + 20, tick + 30}));
    executor->step();
    dataset.scan("holdings").collect();
    std::string calls;
    for (const SimOp& op : disk->ops()) calls += to_string(op) + '\n';
    return calls;
  };
  const std::string first = history();
  EXPECT_NE(first.find("part-"), std::string::npos);
  for (int again = 0; again < 5; ++again) EXPECT_EQ(history(), first);
}

class ManyThreads final : public Executor {
 public:
  explicit ManyThreads(std::size_t threads) : threads_(threads) {}
  std::size_t threads() const override { return threads_; }
  bool post(std::function<void()>) override { return false; }

 private:
  std::size_t threads_;
};

// More rows than a scan reads without threads, in more parts than it reads ahead.
TEST(Upkeep, AnyNumberOfThreadsReadsAndWritesAllRows) {
  for (const std::size_t threads : {std::size_t{0}, std::size_t{1}, std::size_t{2}, SIZE_MAX - 1, SIZE_MAX}) {
    const auto disk = std::make_shared<SimOs>();
    DatasetOptions options = sim_options(disk);
    options.executor = std::make_shared<ManyThreads>(threads);
    Dataset dataset(settings(), sim_run_id, options);
    std::vector<std::int64_t> ticks;
    for (std::int64_t i = 0; i < 60'000; ++i) ticks.push_back(i / 1000);
    dataset.append("holdings", holdings(ticks));
    EXPECT_EQ(dataset.scan("holdings").collect()->num_rows(), 60'000) << threads;
    dataset.scan("holdings").check_parts();
    EXPECT_TRUE(dataset.verify().ok) << threads;
  }
}

// A clock of the caller's may ask the Dataset what it holds.
TEST(Upkeep, TheClockMayUseTheDataset) {
  const auto disk = std::make_shared<SimOs>();
  DatasetOptions options = sim_options(disk);
  std::unique_ptr<Dataset> dataset;
  bool asks = false;
  std::int64_t rows = 0;
  options.now_us = [&, now = std::int64_t{0}]() mutable {
    if (asks)
      for (const TableInfo& table : dataset->tables()) rows = table.rows;
    return ++now;
  };
  dataset = std::make_unique<Dataset>(settings(), sim_run_id, options);
  dataset->append("holdings", holdings({1}));
  asks = true;
  dataset->append("holdings", holdings({2, 3}));
  EXPECT_EQ(rows, 3);
  asks = false;
}

}  // namespace
}  // namespace crv::io
