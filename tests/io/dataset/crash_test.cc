// Whole or absent: each operation is stopped at each of its system calls, loses power there, or meets a fault
// there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "crv/core/definition.h"
#include "crv/core/error.h"
#include "io/storage/paths.h"
#include "io/support/sim_run.h"

namespace crv::io {
namespace {

using Disk = std::shared_ptr<SimOs>;
using Action = std::function<void(Dataset&)>;

struct Scenario {
  std::string name;
  Action before;  // makes the run what it is
  Action action;  // what is stopped
};

std::vector<Scenario> scenarios() {
  auto append = [](const std::vector<std::int64_t>& ticks, std::int64_t quantity) {
    return [=](Dataset& d) { d.append("holdings", holdings(ticks, quantity)); };
  };
  auto two_tables = [](Dataset& d) {
    core::ExchangeRow trade;
    trade.tick = 7;
    trade.venue_id = "v";
    trade.token_id = "t";
    trade.exchange_event_type = "trade";
    std::vector<TableFrame> frames{{"holdings", holdings({7, 25}, 70)}, {"exchange", std::vector{trade}}};
    d.append(frames);
  };
  auto quarantine = [](Dataset& d) {
    auto rows = holdings({3, 12, 31}, 50);
    rows[1].agent_id.clear();
    AppendOptions options;
    options.validate_rows = true;
    options.on_invalid = OnInvalid::quarantine;
    d.append("holdings", rows, options);
  };
  auto own = [](const std::vector<std::int64_t>& ticks, std::int64_t quantity, bool floats = false) {
    return [=](Dataset& d) { append_own(d, "sheep", own_rows(ticks, quantity, floats)); };
  };
  auto define = [](Dataset& d) {
    d.create_table(core::table_from_json(parse_json(
        R"({"name":"sheep","columns":[{"name":"tick","type":"i64"},{"name":"born","type":"timestamp"}]})")));
  };
  auto own_and_canonical = [](Dataset& d) {
    std::vector<TableFrame> frames{{"holdings", holdings({7, 25}, 70)}, {"sheep", own_rows({7, 12}, 80)}};
    AppendOptions options;
    options.create = true;
    d.append(frames, options);
  };
  return {
      {"OwnFirstOfRun", [](Dataset&) {}, own({1, 2, 15}, 0)},
      {"OwnLater", own({1, 2, 15}, 0), own({3, 12, 31}, 50)},
      {"OwnWidened", own({1, 2, 15}, 0), own({3, 12, 31}, 50, true)},
      {"OwnDefined", append({1}, 0), define},
      {"OwnGrown", own({1, 15}, 0), define},
      {"OwnAndCanonical", append({1, 2}, 0), own_and_canonical},
      {"FirstOfRun", [](Dataset&) {}, append({1, 2, 15}, 0)},
      {"FirstOfTable", [](Dataset& d) { d.append("holdings", holdings({1}, 5)); }, two_tables},
      {"Later", append({1, 2, 15}, 0), append({3, 12, 31}, 50)},
      {"Quarantine", append({1, 2, 15}, 0), quarantine},
      {"ManifestRefresh",
       [](Dataset& d) {
         d.append("holdings", holdings({1}, 0));
         d.append("holdings", holdings({2}, 1));
       },
       [](Dataset& d) { d.refresh_manifests(); }},
  };
}

class Crash : public testing::TestWithParam<Scenario> {
 protected:
  void SetUp() override {
    base_ = std::make_shared<SimOs>();
    {
      Dataset dataset = sim_dataset(base_);
      GetParam().before(dataset);
    }
    before_ = seen_on(base_->clone());
    Disk whole = base_->clone();
    run_on(whole);
    after_ = seen_on(whole->clone());
  }

  enum class Outcome { done, refused, unknown };

  // Carries out the action, and says how it ended.
  Outcome run_on(const Disk& disk) {
    std::vector<std::string> warnings;
    Dataset dataset = sim_dataset(disk, &warnings);
    try {
      GetParam().action(dataset);
      return Outcome::done;
    } catch (const IoCommitUnknownError&) {
      return Outcome::unknown;
    } catch (const IoWriteError&) {
      return Outcome::refused;
    } catch (const IoReadError&) {
      return Outcome::refused;
    }
  }

  void expect_whole_or_absent(const Disk& found, Outcome outcome) {
    Disk disk = found->clone();
    Seen there;
    try {
      there = seen_on(disk->clone());
    } catch (const Error& e) {
      ADD_FAILURE() << e.what() << '\n' << disk->dump();
      return;
    }
    if (outcome == Outcome::done || there != before_) {
      EXPECT_EQ(there, after_) << disk->dump();
    }
    Dataset again = sim_dataset(disk);
    again.append("holdings", holdings({99}, 990));
    there["holdings"].emplace_back(99, 990);
    EXPECT_EQ(seen(again), there);
    VerifyReport report = again.verify();
    EXPECT_TRUE(report.ok) << write_json(to_json(report));
  }

  // Numbers of the calls before which the disk is worth stopping, for a run of the action without faults.
  std::vector<std::int64_t> calls_that_change() {
    Disk disk = base_->clone();
    run_on(disk);
    std::vector<std::int64_t> numbers;
    std::vector<SimOp> ops = disk->ops();
    for (std::size_t i = 0; i < ops.size(); ++i)
      if (changes_disk(ops[i].call)) numbers.push_back(static_cast<std::int64_t>(i) + 1);
    return numbers;
  }

  Disk base_;
  Seen before_, after_;
};

TEST_P(Crash, StoppedAtAnyCallItIsWholeOrAbsent) {
  for (std::int64_t n : calls_that_change()) {
    SCOPED_TRACE("stopped before call " + std::to_string(n));
    Disk disk = base_->clone();
    disk->stop_after(n - 1);
    Outcome outcome = run_on(disk);
    disk->clear_faults();
    expect_whole_or_absent(disk, outcome);
  }
}

TEST_P(Crash, WithoutPowerAtAnyCallItIsWholeOrAbsent) {
  std::vector<PowerCut> cuts{PowerCut::all_lost(), PowerCut::all_kept(), PowerCut::names_kept_bytes_lost()};
  for (std::uint64_t i = 0; i < 4; ++i) cuts.push_back(PowerCut::by_chance(test_seed() + i));
  std::vector<std::int64_t> numbers = calls_that_change();
  numbers.push_back(INT64_MAX);
  for (std::int64_t n : numbers) {
    Disk disk = base_->clone();
    if (n != INT64_MAX) disk->stop_after(n - 1);
    Outcome outcome = run_on(disk);
    for (std::size_t i = 0; i < cuts.size(); ++i) {
      SCOPED_TRACE("power cut " + std::to_string(i) + " before call " + std::to_string(n));
      expect_whole_or_absent(disk->after_power_cut(cuts[i]), outcome);
    }
  }
}

TEST_P(Crash, AFaultAtAnyCallIsATypedErrorAndLeavesTheRunUnharmed) {
  for (int error : {EIO, ENOSPC})
    for (SimFault fault : {SimFault::refused, SimFault::reply_lost, SimFault::short_write})
      for (std::int64_t n : calls_that_change()) {
        SCOPED_TRACE("errno " + std::to_string(error) + ", fault " + std::to_string(static_cast<int>(fault)) +
                     " at call " + std::to_string(n));
        Disk disk = base_->clone();
        disk->fail_at(n, error, fault);
        Outcome outcome = run_on(disk);
        std::string failed = to_string(disk->ops().at(static_cast<std::size_t>(n - 1)));
        disk->clear_faults();
        SCOPED_TRACE(failed);
        if (outcome == Outcome::refused) {
          EXPECT_EQ(seen_on(disk->clone()), before_);
          if (fault == SimFault::refused) {
            EXPECT_EQ(part_files(*disk), part_files(*base_)) << disk->dump();
          }
        }
        expect_whole_or_absent(disk, outcome);
        for (std::uint64_t seed : {1, 2})
          expect_whole_or_absent(disk->after_power_cut(PowerCut::by_chance(seed)), outcome);
      }
}

INSTANTIATE_TEST_SUITE_P(Protocol, Crash, testing::ValuesIn(scenarios()),
                         [](const auto& scenario) { return scenario.param.name; });

}  // namespace
}  // namespace crv::io
