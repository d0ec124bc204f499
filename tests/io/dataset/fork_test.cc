// A child of fork() has its parent's objects, but none of the threads that work for them.
#include <arrow/record_batch.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crv/core/error.h"
#include "crv/core/rows.h"
#include "crv/io/dataset.h"
#include "io/base/parallel.h"

namespace crv::io {
namespace {

namespace fs = std::filesystem;

// Runs `work` in a child, which has a minute; true if it ended by returning true.
bool in_child(const std::function<bool()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    _exit(work() ? 0 : 1);
  }
  int status = 0;
  return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

std::vector<core::HoldingsRow> rows_of(std::int64_t first, std::int64_t ticks, std::int64_t each) {
  std::vector<core::HoldingsRow> rows;
  for (std::int64_t tick = first; tick < first + ticks; ++tick)
    for (std::int64_t i = 0; i < each; ++i)
      rows.push_back({.tick = tick, .agent_id = "a", .token_id = "t", .quantity = i});
  return rows;
}

class Fork : public testing::Test {
 protected:
  void SetUp() override {
    settings_.root_dir = (fs::path(testing::TempDir()) / ("fork_" + std::to_string(getpid()))).string();
    settings_.tick_bucket_size = 1;
    settings_.durability = Durability::none;
    fs::remove_all(settings_.root_dir);
    parent_.emplace(settings_, "r");
    // So many parts that the Dataset's own thread writes manifests.
    parent_->append("holdings", rows_of(0, 1'100, 50));
    for (std::int64_t tick = 0; tick < 100; ++tick) parent_->append("holdings", rows_of(tick, 1, 1));
  }
  void TearDown() override {
    parent_.reset();
    fs::remove_all(settings_.root_dir);
  }

  // Every file and folder, with when it was last changed.
  std::map<std::string, fs::file_time_type> files() const {
    std::map<std::string, fs::file_time_type> all;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(settings_.root_dir))
      all[entry.path()] = entry.last_write_time();
    return all;
  }

  IoSettings settings_;
  std::optional<Dataset> parent_;
};

TEST_F(Fork, AChildLetsGoOfADatasetWithoutWaitingOrWriting) {
  parent_->refresh_manifests();
  parent_->append("holdings", rows_of(5, 1, 1));  // the manifest is behind
  const auto before = files();
  EXPECT_TRUE(in_child([&] {
    parent_.reset();
    return true;
  }));
  EXPECT_TRUE(in_child([&] {
    parent_->close();
    Dataset moved = *std::move(parent_);
    return true;
  }));
  EXPECT_EQ(files(), before);
  parent_->append("holdings", rows_of(6, 1, 1));
  EXPECT_EQ(parent_->log().size(), 103);
}

TEST_F(Fork, AChildMakesADatasetOfItsOwn) {
  EXPECT_TRUE(in_child([&] {
    for (const std::function<void()>& call : std::vector<std::function<void()>>{
             [&] { parent_->append("holdings", rows_of(0, 1, 1)); }, [&] { parent_->scan("holdings"); },
             [&] { parent_->refresh_manifests(); }, [&] { parent_->log(); }})
      try {
        call();
        return false;
      } catch (const IoWriteError& e) {
        if (e.code() != ErrorCode::dataset_closed) return false;
      }
    Dataset own(settings_, "r");
    own.append("holdings", rows_of(7, 1, 1));
    return own.log().size() == 102;
  }));
  EXPECT_EQ(parent_->log().size(), 102);
}

TEST_F(Fork, AChildLetsGoOfAReaderThatHasBegunAndStartsAScanAnew) {
  const Scan scan = parent_->scan("holdings");
  auto reader = scan.reader();
  std::shared_ptr<arrow::RecordBatch> batch;
  ASSERT_TRUE(reader->ReadNext(&batch).ok());
  EXPECT_TRUE(in_child([&] {
    if (reader->ReadNext(&batch).ok()) return false;
    reader.reset();
    std::int64_t rows = 0;
    // Of a few rows, which need no threads: the thread sanitizer lets a child of a fork start none.
    for (auto own = scan.head(120).reader(); own->ReadNext(&batch).ok() && batch; rows += batch->num_rows())
      continue;
    return rows == 120;
  }));
  EXPECT_TRUE(reader->ReadNext(&batch).ok());
}

TEST(ForkedWorkers, AreNotWaitedFor) {
  std::optional<Workers> workers(std::in_place, 4);
  std::vector<std::future<int>> done;
  for (int i = 0; i < 8; ++i) done.push_back(workers->start<int>([i] { return i; }));
  for (int i = 0; i < 8; ++i) EXPECT_EQ(done[static_cast<std::size_t>(i)].get(), i);
  EXPECT_TRUE(in_child([&] {
    workers.reset();
    return true;
  }));
  EXPECT_EQ(workers->start<int>([] { return 9; }).get(), 9);
}

}  // namespace
}  // namespace crv::io
