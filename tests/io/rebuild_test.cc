// What a rebuild brings back, from the log and from the footers, and what it leaves out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crv/core/error.h"
#include "io/paths.h"
#include "io/sim_run.h"

namespace crv::io {
namespace {

using Disk = std::shared_ptr<SimOs>;
using testing::IsEmpty;
using testing::SizeIs;

RunPaths paths() {
  return {"out", sim_run_id};
}

Disk run_of_three() {
  Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  dataset.append("holdings", holdings({5, 1, 12}, 0));
  dataset.append("holdings", holdings({3, 25}, 10));
  AppendOptions named;
  named.token = Token{"engine", 4};
  dataset.append("holdings", holdings({2}, 20), named);
  return disk;
}

const Seen all{{"holdings", {{5, 0}, {1, 1}, {3, 10}, {2, 20}, {12, 2}, {25, 11}}}};

TEST(Rebuild, FromTheLogGivesTheSameTableAndKeepsItsAge) {
  Disk disk = run_of_three();
  std::string created = sim_dataset(disk).manifest("holdings")->created_at;
  for (std::string bad : {"", "{\"table\": \"holdings\"", "gone"}) {
    Disk damaged = disk->clone();
    damaged->erase(paths().manifest("holdings"));
    if (bad != "gone") damaged->put(paths().manifest("holdings"), bad);
    Dataset dataset = sim_dataset(damaged);
    EXPECT_THROW(dataset.read("holdings"), IoManifestError) << bad;
    EXPECT_THROW(dataset.append("holdings", holdings({1})), IoManifestError) << bad;
    RebuildReport report = dataset.rebuild_manifest("holdings");
    EXPECT_TRUE(report.from_log);
    EXPECT_THAT(report.uncommitted, IsEmpty());
    EXPECT_EQ(report.manifest.rows(), 6);
    EXPECT_EQ(seen_on(damaged), all);
  }
  disk->put(paths().manifest("holdings"), disk->files().at(paths().manifest("holdings")));
  EXPECT_EQ(sim_dataset(disk).rebuild_manifest("holdings").manifest.created_at, created);
}

TEST(Rebuild, FromTheFootersKeepsOrderTokensAndTheOldLog) {
  Disk disk = run_of_three();
  disk->erase(paths().commit(2));
  Dataset dataset = sim_dataset(disk);
  RebuildReport report = dataset.rebuild_manifest("holdings");
  EXPECT_FALSE(report.from_log);
  EXPECT_THAT(report.kept_aside, SizeIs(1));
  EXPECT_EQ(seen_on(disk), all);
  EXPECT_TRUE(sim_dataset(disk).verify().ok);
  bool kept = false;
  for (const auto& [path, bytes] : disk->files()) kept |= path.starts_with(report.kept_aside[0]);
  EXPECT_TRUE(kept);
  AppendOptions named;
  named.token = Token{"engine", 4};
  EXPECT_EQ(sim_dataset(disk).append("holdings", holdings({2}, 20), named).rows, 1);
  EXPECT_EQ(seen_on(disk), all);
}

TEST(Rebuild, HalfAnAppendIsReportedAndNeverTakenIn) {
  Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  dataset.append("holdings", holdings({1}, 0));
  disk->set_hook(
      [](const SimOp& op) { return op.call == OsCall::link && op.to == paths().commit(2) ? 5 : 0; });
  EXPECT_ANY_THROW(dataset.append("holdings", holdings({2, 13}, 1)));  // unknown outcome: its parts stay
  disk->set_hook({});
  ASSERT_EQ(part_files(*disk).size(), 3U);
  std::string half = part_files(*disk).back();
  for (const std::string& path : part_files(*disk))
    if (path.find("bucket=000001") != std::string::npos) half = path;
  disk->erase(half);
  EXPECT_THAT(sim_dataset(disk).rebuild_manifest("holdings").uncommitted, SizeIs(1));
  Disk lost = disk->clone();
  lost->erase(paths().log());
  RebuildReport report = sim_dataset(lost).rebuild_manifest("holdings");
  EXPECT_FALSE(report.from_log);
  EXPECT_THAT(report.uncommitted, SizeIs(1));
  EXPECT_EQ(seen_on(lost), (Seen{{"holdings", {{1, 0}}}}));
}

TEST(Rebuild, DamagedAndForeignFilesAreReportedNeverFatal) {
  Disk disk = run_of_three();
  disk->erase(paths().log());
  std::string bucket = paths().bucket("holdings", 0);
  disk->put(join(bucket, "notes.txt"), "mine");
  disk->put(join(bucket, "part-" + std::string(32, '0') + ".parquet"), "PAR1 no PAR1");
  RebuildReport report = sim_dataset(disk).rebuild_manifest("holdings");
  EXPECT_THAT(report.damaged, SizeIs(1));
  EXPECT_THAT(report.foreign, SizeIs(1));
  EXPECT_EQ(seen_on(disk), all);
}

TEST(Rebuild, StoppedAnywhereItLeavesTheOldStateOrOneThatCanBeRebuilt) {
  for (bool lost_log : {false, true}) {
    Disk base = run_of_three();
    lost_log ? base->erase(paths().log()) : base->erase(paths().manifest("holdings"));
    Disk whole = base->clone();
    sim_dataset(whole).rebuild_manifest("holdings");
    std::int64_t number = 0;
    for (const SimOp& op : whole->ops()) {
      ++number;
      if (!changes_disk(op.call)) continue;
      SCOPED_TRACE((lost_log ? "from footers, before " : "from the log, before ") + to_string(op));
      Disk disk = base->clone();
      disk->stop_after(number - 1);
      EXPECT_ANY_THROW(sim_dataset(disk).rebuild_manifest("holdings"));
      disk->clear_faults();
      for (const Disk& later : {disk, disk->after_power_cut(PowerCut::all_lost()),
                                disk->after_power_cut(PowerCut::by_chance(test_seed()))}) {
        try {
          Seen there = seen_on(later);
          if (lost_log || !there.empty()) {  // without its manifest the table is not listed
            EXPECT_EQ(there, all);
          }
        } catch (const IoManifestError& e) {
          EXPECT_THAT(e.what(), testing::HasSubstr("ebuild"));
        }
        sim_dataset(later).rebuild_manifest("holdings");
        EXPECT_EQ(seen_on(later), all) << later->dump();
      }
    }
  }
}

}  // namespace
}  // namespace crv::io
