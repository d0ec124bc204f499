// A rebuild while others write to the run, rebuild it, or are stopped: at every system call.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cctype>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <thread>

#include "crv/core/error.h"
#include "io/storage/paths.h"
#include "io/support/sim_run.h"

namespace crv::io {
namespace {

using Disk = std::shared_ptr<SimOs>;

RunPaths paths() {
  return {"out", sim_run_id};
}

void append(Dataset& dataset, std::int64_t tick, std::int64_t quantity) {
  dataset.append("holdings", holdings({tick}, quantity));
}

// A run of three appends, one of them removed again, with a fold.
Disk healthy() {
  Disk disk = std::make_shared<SimOs>();
  put_run(*disk, 2);
  Dataset dataset = sim_dataset(disk);
  append(dataset, 1, 0);
  append(dataset, 12, 1);
  TableManifest manifest = *dataset.manifest("holdings");
  manifest.partitions[0].parts.clear();
  manifest.partitions.erase(manifest.partitions.begin());
  dataset.write_manifest(manifest);
  append(dataset, 3, 2);
  return disk;
}

struct Damage {
  const char* name;
  std::function<void(SimOs&)> make;
};

const std::vector<Damage>& damages() {
  static const std::vector<Damage> all{
      {"run.json torn", [](SimOs& d) { d.put(paths().run_json(), "torn"); }},
      {"run.json gone", [](SimOs& d) { d.erase(paths().run_json()); }},
      {"fold torn",
       [](SimOs& d) { d.put(paths().fold(1, 2), d.files().at(paths().fold(1, 2)).substr(0, 100)); }},
      {"log gone", [](SimOs& d) { d.erase(paths().log()); }},
      {"log emptied",
       [](SimOs& d) {
         d.erase(paths().log());
         d.put_folder(paths().log());
       }},
      {"log and manifest gone",
       [](SimOs& d) {
         d.erase(paths().log());
         d.erase(paths().manifest("holdings"));
       }},
  };
  return all;
}

Seen rebuilt(const Disk& disk) {
  sim_dataset(disk).rebuild_manifest("holdings");
  return seen_on(disk);
}

// What a writer was told stands, by quantity.
struct Writer {
  std::set<std::int64_t> acknowledged;
  void append(Dataset& dataset, std::int64_t quantity) {
    try {
      io::append(dataset, 5, quantity);
      acknowledged.insert(quantity);
    } catch (const IoRunReplaced&) {
    } catch (const IoManifestError& e) {  // no run.json, or its log does not stand
      refused = e.what();
    }
  }
  std::string refused;
};

void expect_each_once(const Seen& there, const std::set<std::int64_t>& acknowledged,
                      const std::string& where) {
  std::map<std::int64_t, int> times;
  for (const auto& [table, rows] : there)
    for (const auto& [tick, quantity] : rows) ++times[quantity];
  for (const auto& [quantity, count] : times) EXPECT_EQ(count, 1) << where << ": row " << quantity;
  for (const std::int64_t quantity : acknowledged)
    EXPECT_EQ(times[quantity], 1) << where << ": row " << quantity;
}

// Calls `action` before the nth system call, whichever thread makes it.
void at_call(SimOs& disk, std::size_t n, const std::function<void()>& action) {
  auto calls = std::make_shared<std::atomic<std::size_t>>(0);
  disk.set_hook([=](const SimOp&) {
    if (calls->fetch_add(1) == n) action();
    return 0;
  });
}

class OfDamage : public testing::TestWithParam<Damage> {};

std::string name_of_damage(const testing::TestParamInfo<Damage>& damage) {
  std::string name = damage.param.name;
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(RebuildRace, OfDamage, testing::ValuesIn(damages()), name_of_damage);

TEST_P(OfDamage, StoppedAnywhereAndDoneAgainTheResultIsTheSame) {
  const Disk base = healthy();
  GetParam().make(*base);
  const Disk whole = base->clone();
  const Seen all = rebuilt(whole);
  // That a part was removed is lost where neither log nor manifest is left.
  EXPECT_EQ(all.at("holdings").size(), GetParam().name == std::string("log and manifest gone") ? 3U : 2U);
  for (std::size_t n = 0; n < whole->ops().size(); ++n) {
    if (!changes_disk(whole->ops()[n].call)) continue;
    SCOPED_TRACE("before " + to_string(whole->ops()[n]));
    const Disk disk = base->clone();
    disk->stop_after(static_cast<std::int64_t>(n));
    try {
      sim_dataset(disk).rebuild_manifest("holdings");
    } catch (const Error&) {
    }
    disk->clear_faults();
    for (const Disk& later :
         {disk, disk->after_power_cut(PowerCut::all_lost()), disk->after_power_cut(PowerCut::all_kept()),
          disk->after_power_cut(PowerCut::by_chance(test_seed() + n))}) {
      EXPECT_EQ(rebuilt(later), all) << later->dump();
      EXPECT_TRUE(sim_dataset(later).verify().ok) << later->dump();
      Dataset writer = sim_dataset(later);
      EXPECT_NO_THROW(append(writer, 5, 100));
    }
  }
}

TEST_P(OfDamage, WhatIsReadMeanwhileIsRightOrAnError) {
  const Disk base = healthy();
  GetParam().make(*base);
  const Disk whole = base->clone();
  const Seen all = rebuilt(whole);
  for (std::size_t n = 0; n < whole->ops().size(); ++n) {
    const Disk disk = base->clone();
    disk->stop_after(static_cast<std::int64_t>(n));
    try {
      sim_dataset(disk).rebuild_manifest("holdings");
    } catch (const Error&) {
    }
    disk->clear_faults();
    try {
      const Seen there = seen_on(disk);
      if (!there.empty()) {
        EXPECT_EQ(there, all) << "before " << to_string(whole->ops()[n]);
      }
    } catch (const IoManifestError&) {
    }
  }
}

TEST_P(OfDamage, ASecondRebuildAtAnyMomentAndAWriterAfterItLoseNothing) {
  const Disk base = healthy();
  GetParam().make(*base);
  const Seen all = rebuilt(base->clone());
  const Disk whole = base->clone();
  sim_dataset(whole).rebuild_manifest("holdings");
  for (std::size_t n = 0; n < whole->ops().size(); ++n) {
    SCOPED_TRACE("before " + to_string(whole->ops()[n]));
    const Disk disk = base->clone();
    Writer writer;
    at_call(*disk, n, [&] {
      sim_dataset(disk).rebuild_manifest("holdings");
      Dataset between = sim_dataset(disk);
      writer.append(between, 100);
      writer.append(between, 101);
    });
    try {
      sim_dataset(disk).rebuild_manifest("holdings");
    } catch (const IoRunReplaced&) {
    }
    disk->set_hook({});
    const Seen there = rebuilt(disk);
    expect_each_once(there, writer.acknowledged, disk->dump());
    EXPECT_EQ(there.at("holdings").size(), all.at("holdings").size() + writer.acknowledged.size());
    EXPECT_EQ(writer.acknowledged.size(), 2U) << writer.refused;
  }
}

TEST_P(OfDamage, AWriterThatHeldTheRunOpenIsNeverToldWhatIsLost) {
  const Disk base = healthy();
  const Disk probe = base->clone();
  {
    GetParam().make(*probe);
    sim_dataset(probe).rebuild_manifest("holdings");
  }
  const std::size_t calls = probe->ops().size();
  for (std::size_t n = 0; n <= calls; ++n) {
    const Disk disk = base->clone();
    std::vector<std::string> warnings;  // of a fold that could not be put any more
    Dataset open = sim_dataset(disk, &warnings);
    Writer writer;
    writer.append(open, 100);  // commit 5
    ASSERT_EQ(writer.acknowledged.size(), 1U);
    GetParam().make(*disk);
    at_call(*disk, n, [&] { writer.append(open, 101); });
    try {
      sim_dataset(disk).rebuild_manifest("holdings");
    } catch (const IoRunReplaced&) {
    }
    disk->set_hook({});
    writer.append(open, 102);
    Seen there;
    EXPECT_NO_THROW(there = rebuilt(disk)) << n;
    expect_each_once(there, writer.acknowledged, "call " + std::to_string(n));
  }
}

// What the rebuild has taken in the writer must not remove any more, however its append ends.
TEST_P(OfDamage, ARebuildInTheMiddleOfAnAppendLosesNothing) {
  const Disk base = healthy();
  const Disk probe = base->clone();
  {
    Dataset writer = sim_dataset(probe);
    append(writer, 5, 100);
  }
  for (std::size_t n = 0; n < probe->ops().size(); ++n) {
    SCOPED_TRACE("before " + to_string(probe->ops()[n]));
    const Disk disk = base->clone();
    std::vector<std::string> warnings;
    Dataset open = sim_dataset(disk, &warnings);
    Writer writer;
    at_call(*disk, n, [&] {
      GetParam().make(*disk);
      sim_dataset(disk).rebuild_manifest("holdings");
    });
    try {
      writer.append(open, 100);
    } catch (const Error& e) {  // nothing was promised
      writer.refused = e.what();
    }
    disk->set_hook({});
    Seen there;
    EXPECT_NO_THROW(there = rebuilt(disk)) << writer.refused << disk->dump();
    expect_each_once(there, writer.acknowledged, writer.refused);
    EXPECT_TRUE(sim_dataset(disk).verify().ok) << writer.refused << disk->dump();
  }
}

TEST(RebuildRace, AHealthyRunIsNeverTakenForDamagedHoweverManyWrite) {
  const Disk disk = healthy();
  const Disk probe = disk->clone();
  sim_dataset(probe).rebuild_manifest("holdings");
  for (std::size_t n = 0; n < probe->ops().size(); ++n) {
    const Disk run = disk->clone();
    Dataset writer = sim_dataset(run);
    std::size_t calls = 0, appended = 0;
    const auto here = std::this_thread::get_id();
    run->set_hook([&](const SimOp&) {
      if (std::this_thread::get_id() == here && calls++ >= n && appended < 3)
        append(writer, 7, static_cast<std::int64_t>(10 + appended++));
      return 0;
    });
    const RebuildReport report = sim_dataset(run).rebuild_manifest("holdings");
    run->set_hook({});
    EXPECT_TRUE(report.from_log) << to_string(probe->ops()[n]);
    EXPECT_THAT(report.damaged, testing::IsEmpty()) << to_string(probe->ops()[n]);
    EXPECT_THAT(report.kept_aside, testing::IsEmpty());
    EXPECT_EQ(seen_on(run).at("holdings").size(), 2 + appended) << to_string(probe->ops()[n]) << run->dump();
    EXPECT_NO_THROW(append(writer, 8, 100));
  }
}

TEST(RebuildRace, VerifyOfARunThatIsWrittenTellsNothingWrong) {
  const Disk disk = healthy();
  const Disk probe = disk->clone();
  sim_dataset(probe).verify();
  for (std::size_t n = 0; n < probe->ops().size(); ++n) {
    const Disk run = disk->clone();
    Dataset writer = sim_dataset(run);
    at_call(*run, n, [&] {
      append(writer, 7, 10);
      append(writer, 25, 11);
      writer.refresh_manifests();
    });
    const VerifyReport report = sim_dataset(run).verify();
    run->set_hook({});
    ASSERT_EQ(report.findings.size(), 1U) << to_string(probe->ops()[n]) << write_json(to_json(report));
    EXPECT_EQ(report.findings[0].message, "A commit has removed this part.");
  }
}

TEST(RebuildRace, ThreadsThatWriteBesideThreadsThatRebuild) {
  const Disk disk = healthy();
  std::vector<Writer> writers(2);
  std::atomic<int> running = 2;
  std::vector<std::thread> threads;
  for (std::size_t w = 0; w < 2; ++w)
    threads.emplace_back([&, w] {
      Dataset dataset = sim_dataset(disk);
      for (std::int64_t i = 0; i < 40; ++i) {
        const std::int64_t quantity = 1000 * static_cast<std::int64_t>(w + 1) + i;
        io::append(dataset, i, quantity);
        writers[w].acknowledged.insert(quantity);
      }
      --running;
    });
  while (running > 0) EXPECT_TRUE(sim_dataset(disk).rebuild_manifest("holdings").from_log);
  for (std::thread& thread : threads) thread.join();
  for (const Writer& writer : writers) {
    EXPECT_EQ(writer.acknowledged.size(), 40U);
    expect_each_once(seen_on(disk), writer.acknowledged, "");
  }
  EXPECT_TRUE(sim_dataset(disk).verify().ok);
}

}  // namespace
}  // namespace crv::io
