// Many writers on one run: nothing lost, nothing twice, nothing half.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <thread>

#include "crv/core/error.h"
#include "crv/io/dataset.h"
#include "crv/io/json_rows.h"

namespace crv::io {
namespace {

namespace fs = std::filesystem;

constexpr int appends_each = 20;

class Writers : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    root_ = fs::path(testing::TempDir()) / ("writers_" + std::to_string(getpid()));
    fs::remove_all(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  IoSettings settings() const {
    IoSettings settings;
    settings.root_dir = root_;
    settings.tick_bucket_size = 10;
    return settings;
  }

  // Each append is one row in each of two buckets of holdings, and one in exchange: three rows that belong
  // together.
  static void write(Dataset& dataset, int writer) {
    for (int i = 0; i < appends_each; ++i) {
      std::vector<core::HoldingsRow> rows(2);
      for (core::HoldingsRow& row : rows) {
        row.agent_id = "w" + std::to_string(writer);
        row.token_id = "t";
        row.quantity = i;
      }
      rows[1].tick = 10;
      core::ExchangeRow trade;
      trade.venue_id = "w" + std::to_string(writer);
      trade.token_id = std::to_string(i);
      trade.exchange_event_type = "trade";
      std::vector<TableFrame> frames{{"holdings", rows}, {"exchange", std::vector{trade}}};
      dataset.append(frames);
    }
  }

  void expect_all(int writers) {
    Dataset dataset(settings(), "run_many");
    std::multiset<std::string> holdings, trades;
    for (const JsonObject& row : rows_to_json(*dataset.read("holdings")))
      holdings.insert(*row.find("agent_id")->get_if<std::string>() + ' ' + write_json(*row.find("quantity")) +
                      ' ' + write_json(*row.find("tick")));
    for (const JsonObject& row : rows_to_json(*dataset.read("exchange")))
      trades.insert(*row.find("venue_id")->get_if<std::string>() + ' ' +
                    *row.find("token_id")->get_if<std::string>());
    std::multiset<std::string> all_holdings, all_trades;
    for (int w = 0; w < writers; ++w)
      for (int i = 0; i < appends_each; ++i) {
        std::string name = "w" + std::to_string(w) + ' ' + std::to_string(i);
        all_trades.insert(name);
        all_holdings.insert(name + " 0");
        all_holdings.insert(name + " 10");
      }
    EXPECT_EQ(holdings, all_holdings);
    EXPECT_EQ(trades, all_trades);
    EXPECT_EQ(dataset.log().size(), static_cast<std::size_t>(writers * appends_each));
    VerifyReport report = dataset.verify();
    EXPECT_TRUE(report.ok) << write_json(to_json(report));
    for (const Finding& finding : report.findings) EXPECT_EQ(finding.code, "none") << finding.path;
  }

  fs::path root_;
};

TEST_P(Writers, ThreadsWithOneDataset) {
  Dataset dataset(settings(), "run_many");
  std::vector<std::thread> threads;
  for (int w = 0; w < GetParam(); ++w) threads.emplace_back([&dataset, w] { write(dataset, w); });
  for (std::thread& thread : threads) thread.join();
  expect_all(GetParam());
}

TEST_P(Writers, ThreadsWithADatasetEach) {
  std::vector<std::thread> threads;
  for (int w = 0; w < GetParam(); ++w)
    threads.emplace_back([this, w] {
      Dataset dataset(settings(), "run_many");
      write(dataset, w);
    });
  for (std::thread& thread : threads) thread.join();
  expect_all(GetParam());
}

TEST_P(Writers, Processes) {
  std::vector<pid_t> children;
  for (int w = 0; w < GetParam(); ++w) {
    pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      int status = 0;
      try {
        Dataset dataset(settings(), "run_many");
        write(dataset, w);
        dataset.close();
      } catch (const std::exception& e) {
        std::fprintf(stderr, "writer %d: %s\n", w, e.what());
        status = 1;
      }
      _exit(status);
    }
    children.push_back(child);
  }
  for (pid_t child : children) {
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  expect_all(GetParam());
}

INSTANTIATE_TEST_SUITE_P(TwoFourEight, Writers, testing::Values(2, 4, 8));

}  // namespace
}  // namespace crv::io
