// What another thread or process may do between two calls of an append, a refresh or a write_manifest.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "crv/core/error.h"
#include "io/log/commit.h"
#include "io/log/log.h"
#include "io/log/manifest_file.h"
#include "io/storage/local_storage.h"
#include "io/storage/paths.h"
#include "io/support/sim_run.h"

namespace crv::io {
namespace {

using Disk = std::shared_ptr<SimOs>;
using Rows = std::vector<std::pair<std::int64_t, std::int64_t>>;

RunPaths paths() {
  return {"out", sim_run_id};
}
void append(Dataset& dataset, std::int64_t tick, std::int64_t quantity) {
  dataset.append("holdings", holdings({tick}, quantity));
}
Rows rows_on(const Disk& disk) {
  Seen all = seen_on(disk);
  return all["holdings"];
}
std::string damage(const Disk& disk) {
  const VerifyReport report = sim_dataset(disk).verify();
  return report.ok ? "" : write_json(to_json(report));
}
// "ok", or the name of the error.
template <class Work>
std::string outcome(const Work& work) {
  try {
    work();
    return "ok";
  } catch (const IoCommitUnknownError& e) {
    return std::string("unknown: ") + e.what();
  } catch (const IoRunReplaced& e) {
    return std::string("replaced: ") + e.what();
  } catch (const Error& e) {
    return std::string("error: ") + e.what();
  }
}
// Runs `work` once, from the first call that `when` picks, on a thread of its own.
template <class When, class Work>
void once_at(const Disk& disk, When when, Work work) {
  auto done = std::make_shared<std::atomic<bool>>(false);
  disk->set_hook([=](const SimOp& op) {
    if (!done->load() && when(op) && !done->exchange(true)) std::thread(work).join();
    return 0;
  });
}

// Thread A has written its parts; the run is removed; thread B's append makes it again; A commits.
TEST(IdentityRace, PartsOfTheRunThatWasRemovedAreNotCommittedToItsSuccessor) {
  for (const bool reader : {false, true}) {
    Disk disk = std::make_shared<SimOs>();
    std::vector<std::string> warnings;
    Dataset dataset = sim_dataset(disk, &warnings);
    if (reader) {
      Dataset before = sim_dataset(disk);
      append(before, 1, 0);
    } else {
      append(dataset, 1, 0);
    }
    const std::string folder = paths().bucket("holdings", 0);
    once_at(
        disk, [=](const SimOp& op) { return op.call == OsCall::open_folder && op.path == folder; },
        [&] {
          disk->erase("out");
          if (reader) {
            Dataset other = sim_dataset(disk);
            append(other, 3, 30);
            static_cast<void>(outcome([&] { dataset.tables(); }));
          } else {
            static_cast<void>(outcome([&] { append(dataset, 3, 30); }));
          }
        });
    const std::string of_a = outcome([&] { append(dataset, 2, 20); });
    disk->set_hook({});
    Rows rows;
    EXPECT_NO_THROW(rows = rows_on(disk)) << "reader " << reader << ", A: " << of_a;
    EXPECT_EQ(rows, of_a == "ok" ? (Rows{{3, 30}, {2, 20}}) : (Rows{{3, 30}})) << reader << " A: " << of_a;
    EXPECT_EQ(damage(disk), "") << reader;
  }
}

// The same through write_manifest (adopt commits are made for a run, too).
TEST(IdentityRace, AManifestKeptByACallerIsNotReconciledWithAnotherRun) {
  Disk disk = std::make_shared<SimOs>();
  std::vector<std::string> warnings;
  Dataset dataset = sim_dataset(disk, &warnings);
  append(dataset, 1, 0);
  append(dataset, 2, 1);
  TableManifest one = *dataset.manifest("holdings");
  one.partitions[0].parts.erase(one.partitions[0].parts.begin());
  // At the look whether the manifest is of this log: the third at that commit, and the first without a lock.
  std::atomic<int> looks = 0;
  once_at(
      disk,
      [&](const SimOp& op) {
        return op.call == OsCall::open_to_read && op.path == paths().commit(2) && ++looks == 3;
      },
      [&] {
        disk->erase("out");
        static_cast<void>(outcome([&] { append(dataset, 3, 30); }));
      });
  const std::string of_a = outcome([&] { dataset.write_manifest(one); });
  disk->set_hook({});
  Rows rows;
  EXPECT_NO_THROW(rows = rows_on(disk)) << of_a;
  EXPECT_EQ(rows, (Rows{{3, 30}})) << of_a;
}

// A refresh in thread A, whose snapshot is of the run that was removed, overwrites the new run's manifest.
TEST(IdentityRace, ARefreshDoesNotPublishTheSnapshotOfARunThatIsGone) {
  Disk disk = std::make_shared<SimOs>();
  std::vector<std::string> warnings;
  {
    Dataset dataset = sim_dataset(disk, &warnings);
    for (int i = 0; i < 5; ++i) append(dataset, i, i);
    once_at(
        disk, [](const SimOp& op) { return op.call == OsCall::fsync && op.path == paths().log(); },
        [&] {
          disk->erase("out");
          static_cast<void>(outcome([&] { append(dataset, 3, 30); }));
        });
    static_cast<void>(outcome([&] { dataset.refresh_manifests(); }));
    disk->set_hook({});
    Rows rows;
    EXPECT_NO_THROW(rows = rows_on(disk));
    EXPECT_EQ(rows, (Rows{{3, 30}}));
  }
  Rows rows;
  EXPECT_NO_THROW(rows = rows_on(disk));
  EXPECT_EQ(rows, (Rows{{3, 30}}));
}

// The handler is called without a lock that its own calls need.
TEST(IdentityRace, AWarningHandlerMayUseTheDataset) {
  Disk disk = std::make_shared<SimOs>();
  std::unique_ptr<Dataset> dataset;
  std::size_t told = 0;
  DatasetOptions options = sim_options(disk);
  options.on_warning = [&](const std::string&) { told += 1 + dataset->tables().size(); };
  IoSettings settings;
  settings.tick_bucket_size = 10;
  dataset = std::make_unique<Dataset>(settings, sim_run_id, options);
  append(*dataset, 1, 0);
  disk->erase("out");
  append(*dataset, 2, 1);
  EXPECT_EQ(told, 1U);
}

TEST(IdentityRace, AFailedSyncOfTheLogInAFoldEndsTheWriting) {
  Disk disk = std::make_shared<SimOs>();
  put_run(*disk, 2);
  std::atomic<int> warnings = 0;
  DatasetOptions options = sim_options(disk);
  options.on_warning = [&](const std::string&) { ++warnings; };
  IoSettings settings;
  settings.tick_bucket_size = 10;
  Dataset dataset(settings, sim_run_id, options);
  append(dataset, 1, 0);
  std::atomic<bool> folded = false;
  disk->set_hook([&](const SimOp& op) {
    if (op.call == OsCall::link && op.to == paths().fold(1, 2)) folded = true;
    return folded && op.call == OsCall::fsync && op.path == paths().log() ? EIO : 0;
  });
  append(dataset, 2, 1);
  while (warnings == 0) std::this_thread::yield();  // of the fold, in the background
  disk->set_hook({});
  const std::string third = outcome([&] { append(dataset, 3, 2); });
  EXPECT_TRUE(third.starts_with("error")) << third;
  EXPECT_EQ(rows_on(disk), (Rows{{1, 0}, {2, 1}}));
}

// The commit of write_manifest stands, and then its refresh fails: that is told as an error after which
// nothing is committed (dataset.h).
TEST(IdentityRace, WriteManifestThatStandsIsToldAsStanding) {
  Disk disk = std::make_shared<SimOs>();
  std::vector<std::string> warnings;
  Dataset dataset = sim_dataset(disk, &warnings);
  append(dataset, 1, 0);
  append(dataset, 2, 1);
  TableManifest one = *dataset.manifest("holdings");
  one.partitions[0].parts.erase(one.partitions[0].parts.begin());
  disk->set_hook([](const SimOp& op) {
    return op.call == OsCall::rename && op.to == paths().manifest("holdings") ? ENOSPC : 0;
  });
  const std::string told = outcome([&] { dataset.write_manifest(one); });
  disk->set_hook({});
  EXPECT_EQ(told == "ok" || told.starts_with("unknown"), rows_on(disk) == (Rows{{2, 1}})) << told;
}

// No commit was tried, yet the outcome is called unknown.
TEST(IdentityRace, AManifestThatCannotBePutIsNoUnknownCommit) {
  for (const std::string& path : {paths().manifest("holdings"), paths().run_json()}) {
    Disk disk = std::make_shared<SimOs>();
    std::vector<std::string> warnings;
    Dataset dataset = sim_dataset(disk, &warnings);
    disk->set_hook([=](const SimOp& op) { return op.call == OsCall::link && op.to == path ? EIO : 0; });
    const std::string told = outcome([&] { append(dataset, 1, 0); });
    disk->set_hook({});
    EXPECT_TRUE(told.starts_with("error")) << path << ' ' << told;
  }
}

// A backup is put back in place (same folders) while an append runs: its commit lands above a hole.
TEST(IdentityRace, ABackupPutBackDuringAnAppendIsSeenBeforeItIsAcknowledged) {
  Disk disk = std::make_shared<SimOs>();
  std::vector<std::string> warnings;
  Dataset dataset = sim_dataset(disk, &warnings);
  append(dataset, 1, 0);
  const auto backup = disk->files();
  append(dataset, 2, 1);
  append(dataset, 3, 2);
  const std::string folder = paths().bucket("holdings", 0);
  once_at(
      disk, [=](const SimOp& op) { return op.call == OsCall::fsync && op.path == folder; },
      [&] {
        for (std::int64_t seq : {2, 3}) disk->erase(paths().commit(seq));
        for (const auto& [path, bytes] : backup) disk->put(path, bytes);
      });
  const std::string told = outcome([&] { append(dataset, 4, 3); });
  disk->set_hook({});
  const Rows rows = rows_on(disk);
  EXPECT_TRUE(told != "ok" || (!rows.empty() && rows.back() == std::pair<std::int64_t, std::int64_t>(4, 3)))
      << told << ", rows " << rows.size();
}

// A repeated token is acknowledged without the look at the run.
TEST(IdentityRace, ARepeatedTokenIsNotAcknowledgedForAnotherRun) {
  Disk disk = std::make_shared<SimOs>();
  std::vector<std::string> warnings;
  Dataset dataset = sim_dataset(disk, &warnings);
  const AppendOptions named{.token = Token{"w", 1}};
  dataset.append("holdings", holdings({1}), named);
  once_at(
      disk, [](const SimOp& op) { return op.call == OsCall::fsync && op.path == paths().log(); },
      [&] {
        disk->erase("out");
        Dataset other = sim_dataset(disk);
        append(other, 3, 30);
      });
  const std::string told = outcome([&] { dataset.append("holdings", holdings({1}), named); });
  disk->set_hook({});
  EXPECT_NE(told, "ok") << rows_on(disk).size();
}

// A part of the older package that could not be flushed is not flushed again, and believed.
TEST(IdentityRace, AFailedFlushOfAFileIsNotTriedAgain) {
  Disk disk = std::make_shared<SimOs>();
  auto storage = local_storage(Durability::commit, disk, counting_ids(1ULL << 61));
  storage->make_folder("a");
  auto writer = storage->create("a/x");
  writer->write("bytes", 5);
  writer->finish();
  disk->set_hook([](const SimOp& op) { return op.call == OsCall::fsync && op.path == "a/x" ? EIO : 0; });
  EXPECT_THROW(storage->flush("a/x"), IoWriteError);
  disk->set_hook({});
  EXPECT_THROW(storage->flush("a/x"), IoWriteError);
}

// A folder is one folder, however its path is written.
TEST(IdentityRace, AFolderWhoseFsyncFailedIsKnownByEachOfItsPaths) {
  Disk disk = std::make_shared<SimOs>();
  auto storage = local_storage(Durability::commit, disk, counting_ids(1ULL << 62));
  storage->make_folder("a//b");
  std::atomic<bool> fails = true;
  disk->set_hook([&](const SimOp& op) { return fails && op.call == OsCall::fsync ? EIO : 0; });
  EXPECT_THROW(storage->sync("a//b"), IoWriteError);
  fails = false;
  EXPECT_THROW(storage->sync_up("a//b", "a//b"), IoWriteError);
  disk->set_hook({});
}

// Threads of one Dataset write while its run is moved away. Each makes the run again when it sees that; none may
// mix what it knows of the old run into the new one: what stands then can be read, and no manifest or commit of
// it is wrong. (A part that was on its way may have made a bucket where there is no table yet.)
TEST(IdentityRace, ThreadsWhoseRunIsMovedAwayMixNothingOfItIntoTheNext) {
  for (unsigned round = 0; round < 25; ++round) {
    const Disk disk = std::make_shared<SimOs>();
    std::vector<std::string> warnings;
    Dataset dataset = sim_dataset(disk, &warnings);
    std::vector<std::int64_t> ticks;
    for (std::int64_t i = 0; i < 600; ++i) ticks.push_back(10 * i);
    dataset.append("holdings", holdings(ticks), {.token = Token{"w", 0}});
    std::atomic<bool> stop = false;
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t)
      threads.emplace_back([&, t] {
        for (std::int64_t n = 1; !stop; ++n) try {
            dataset.append("holdings", holdings({10 * (n % 600)}, n),
                           {.token = Token{"w" + std::to_string(t), n}});
          } catch (const Error&) {  // it was replaced: the Dataset writes no more
          }
      });
    std::this_thread::sleep_for(std::chrono::microseconds(5000 + round * 7919 % 20000));
    disk->move("out/runs/run_sim", "out/runs/moved");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    stop = true;
    for (std::thread& thread : threads) thread.join();
    Dataset other = sim_dataset(disk, &warnings);
    ASSERT_NO_THROW(seen(other)) << "round " << round;
    for (const Finding& finding : other.verify().findings)
      ASSERT_TRUE(finding.severity != "error" || finding.code == "run_missing" ||
                  finding.code == "table_missing")
          << "round " << round << ": " << finding.code << " " << finding.message;
  }
}

}  // namespace
}  // namespace crv::io
