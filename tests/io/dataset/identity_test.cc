// A Dataset that is held open while its run is removed, replaced, restored or rebuilt under it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "crv/core/error.h"
#include "io/log/commit.h"
#include "io/log/log.h"
#include "io/log/manifest_file.h"
#include "io/log/run_file.h"
#include "io/storage/local_storage.h"
#include "io/storage/paths.h"
#include "io/support/sim_run.h"

namespace crv::io {
namespace {

using Disk = std::shared_ptr<SimOs>;
using testing::ElementsAre;
using testing::HasSubstr;
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

bool verified(const Disk& disk) {
  const VerifyReport report = sim_dataset(disk).verify();
  EXPECT_TRUE(report.ok) << write_json(to_json(report));
  return report.ok;
}

// All files below the run, to be put back later.
std::map<std::string, std::string> backup_of(const SimOs& disk) {
  return disk.files();
}

void put_back(SimOs& disk, const std::map<std::string, std::string>& files) {
  for (const auto& [path, bytes] : files) disk.put(path, bytes);
}

// As it was before the first commit.
void put_empty_manifest(SimOs& disk) {
  TableState empty("holdings");
  empty.created_at = empty.updated_at = "2026-01-01T00:00:00+00:00";
  disk.put(paths().manifest("holdings"), encode_manifest(empty));
}

TEST(Identity, ARunThatIsGoneIsMadeAgainByTheNextAppend) {
  for (const char* what : {"out", "out/runs", "out/runs/run_sim"}) {
    Disk disk = std::make_shared<SimOs>();
    std::vector<std::string> warnings;
    Dataset dataset = sim_dataset(disk, &warnings);
    for (std::int64_t i = 0; i < 5; ++i) append(dataset, i, i);
    disk->erase(what);
    append(dataset, 7, 70);
    append(dataset, 8, 80);
    EXPECT_EQ(seen(dataset), (Seen{{"holdings", {{7, 70}, {8, 80}}}})) << what;
    dataset.close();
    EXPECT_EQ(rows_on(disk), (Rows{{7, 70}, {8, 80}})) << what;
    EXPECT_THAT(warnings, ElementsAre(HasSubstr("is gone from out/runs/run_sim"))) << what;
    EXPECT_TRUE(verified(disk));
  }
}

TEST(Identity, ReadersSeeThatARunIsGone) {
  Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  append(dataset, 1, 0);
  disk->erase("out");
  EXPECT_TRUE(dataset.tables().empty());
  EXPECT_THROW(dataset.read("holdings"), IoManifestError);
  EXPECT_TRUE(dataset.log().empty());
}

// Removed and made again under the same name: longer, as long, shorter.
TEST(Identity, AWriterRefusesARunThatAnotherHasMadeAgain) {
  for (std::int64_t length : {1, 5, 9}) {
    Disk disk = std::make_shared<SimOs>();
    std::vector<std::string> warnings;
    Rows others;
    {
      Dataset old = sim_dataset(disk, &warnings);
      for (std::int64_t i = 0; i < 5; ++i) append(old, i, i);
      disk->erase("out");
      Dataset other = sim_dataset(disk);
      for (std::int64_t i = 0; i < length; ++i) {
        append(other, i, 100 + i);
        others.emplace_back(i, 100 + i);
      }
      EXPECT_THROW(append(old, 6, 6), IoRunReplaced);
      EXPECT_THROW(old.read("holdings"), IoRunReplaced);
      EXPECT_THROW(old.refresh_manifests(), IoRunReplaced);
      EXPECT_THROW(old.write_bundle({}), IoRunReplaced);
      EXPECT_EQ(rows_on(disk), others);
    }  // old writes no manifest over the other's
    EXPECT_EQ(rows_on(disk), others);
    EXPECT_TRUE(verified(disk));
  }
}

TEST(Identity, ADirtyDatasetLeavesTheNewRunAloneWhenItEnds) {
  Disk disk = std::make_shared<SimOs>();
  std::vector<std::string> warnings;
  {
    Dataset old = sim_dataset(disk, &warnings);
    for (std::int64_t i = 0; i < 4; ++i) append(old, i, i);  // its manifest is due at the end
    disk->erase("out");
    Dataset other = sim_dataset(disk);
    for (std::int64_t i = 0; i < 2; ++i) append(other, i, 100 + i);
  }
  EXPECT_EQ(rows_on(disk), (Rows{{0, 100}, {1, 101}}));
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("is not the one that this Dataset has opened")));
}

// What it had recorded is gone, so the run that another has made since is not its own.
TEST(Identity, AWriterThatHasSeenItsRunGoDoesNotWriteIntoAnothers) {
  Disk disk = std::make_shared<SimOs>();
  Dataset old = sim_dataset(disk);
  append(old, 1, 0);
  disk->erase("out");
  EXPECT_TRUE(old.tables().empty());
  Dataset other = sim_dataset(disk);
  append(other, 2, 1);
  for (int i = 0; i < 2; ++i) {
    EXPECT_THROW(append(old, 3, 2), IoRunReplaced);
    EXPECT_THROW(old.tables(), IoRunReplaced);
  }
  EXPECT_EQ(rows_on(disk), (Rows{{2, 1}}));
}

TEST(Identity, AReaderThatIsHeldOpenStartsAfresh) {
  Disk disk = std::make_shared<SimOs>();
  {
    Dataset first = sim_dataset(disk);
    for (std::int64_t i = 0; i < 5; ++i) append(first, i, i);
  }
  Dataset reader = sim_dataset(disk);
  EXPECT_EQ(seen(reader).at("holdings").size(), 5U);
  disk->erase("out/runs/run_sim");
  {
    Dataset second = sim_dataset(disk);
    append(second, 3, 30);
    append(second, 4, 40);
  }
  EXPECT_EQ(seen(reader), (Seen{{"holdings", {{3, 30}, {4, 40}}}}));
  append(reader, 5, 50);  // it has written nothing before, so the new run is its run
  EXPECT_EQ(rows_on(disk), (Rows{{3, 30}, {4, 40}, {5, 50}}));
}

// Between the look at the run and the acknowledgement: at each system call of an append the run is removed,
// or replaced by another. An append that returns is found by every reader.
TEST(Identity, AReplacementAtAnyCallOfAnAppendIsNoticed) {
  Disk base = std::make_shared<SimOs>();
  {
    Dataset dataset = sim_dataset(base);
    append(dataset, 1, 0);
  }
  std::size_t last_look = 0;  // of the acknowledgement: what comes later is later than the append
  {
    Disk probe = base->clone();
    Dataset dataset = sim_dataset(probe);
    append(dataset, 2, 1);
    probe->clear_ops();
    append(dataset, 3, 2);
    const std::vector<SimOp> ops = probe->ops();
    bool put = false;
    for (std::size_t i = 0; i < ops.size() && last_look == 0; ++i) {
      put = put || (ops[i].call == OsCall::link && ops[i].to == paths().commit(3));
      if (put && ops[i].call == OsCall::stat && ops[i].path == paths().log()) last_look = i;
    }
    ASSERT_GT(last_look, 20U);
  }
  for (bool made_again : {false, true}) {
    for (std::size_t n = 0;; ++n) {
      Disk disk = base->clone();
      std::vector<std::string> warnings;
      auto dataset = std::make_unique<Dataset>(sim_dataset(disk, &warnings));
      append(*dataset, 2, 1);
      std::size_t calls = 0;
      bool replaced = false;
      disk->set_hook([&](const SimOp&) {
        if (calls++ != n) return 0;
        replaced = true;
        disk->move("out/runs/run_sim", "out/runs/old");
        if (made_again) {
          Dataset other = sim_dataset(disk);
          append(other, 1, 100);
        }
        return 0;
      });
      bool acknowledged = true;
      try {
        append(*dataset, 3, 2);
      } catch (const Error&) {
        acknowledged = false;
      }
      disk->set_hook({});
      dataset.reset();
      if (!replaced) break;
      const Seen seen = seen_on(disk);
      const Rows found = seen.contains("holdings") ? seen.at("holdings") : Rows{};
      const bool there =
          std::find(found.begin(), found.end(), std::pair<std::int64_t, std::int64_t>{3, 2}) != found.end();
      EXPECT_TRUE(!acknowledged || there || n > last_look) << "call " << n;
      const auto others =
          std::count(found.begin(), found.end(), std::pair<std::int64_t, std::int64_t>{1, 100});
      EXPECT_EQ(others, made_again ? 1 : 0) << n;
      EXPECT_TRUE(found.empty() || verified(disk)) << n;
    }
  }
}

TEST(Identity, ALogThatWasMovedAsideGetsNoCommitIntoItsSuccessor) {
  Disk disk = std::make_shared<SimOs>();
  std::vector<std::string> warnings;
  Dataset dataset = sim_dataset(disk, &warnings);
  append(dataset, 1, 0);
  bool once = false;
  disk->set_hook([&](const SimOp& op) {
    if (op.call != OsCall::link || once) return 0;
    once = true;
    disk->move(paths().log(), "out/runs/run_sim/moved");
    disk->put_folder(paths().log());
    return 0;
  });
  EXPECT_THROW(append(dataset, 2, 1), IoRunReplaced);
  disk->set_hook({});
  const auto files = disk->files();
  EXPECT_TRUE(files.contains("out/runs/run_sim/moved/00000000000000000002.json"));
  EXPECT_FALSE(files.contains(paths().commit(2)));
  EXPECT_EQ(part_files(*disk).size(), 2U) << "nothing undoes a commit that was put";
}

// A copy of the run from before is put back, file by file: the folders stay the same.
TEST(Identity, ABackupThatIsPutBackInPlaceIsAnotherRun) {
  for (std::int64_t per_fold : {2, 1024}) {
    Disk disk = std::make_shared<SimOs>();
    put_run(*disk, per_fold);
    std::vector<std::string> warnings;
    Dataset dataset = sim_dataset(disk, &warnings);
    append(dataset, 1, 0);
    append(dataset, 2, 1);
    Dataset reader = sim_dataset(disk);
    const auto backup = backup_of(*disk);
    append(dataset, 3, 2);
    append(dataset, 4, 3);
    append(dataset, 5, 4);
    EXPECT_EQ(seen(reader).at("holdings").size(), 5U);
    for (const auto& [path, bytes] : disk->files())
      if (!backup.contains(path)) disk->erase(path);
    put_back(*disk, backup);
    EXPECT_THROW(append(dataset, 6, 5), IoRunReplaced) << per_fold;
    EXPECT_EQ(seen(reader), (Seen{{"holdings", {{1, 0}, {2, 1}}}})) << per_fold;
    Dataset fresh = sim_dataset(disk);
    append(fresh, 7, 6);
    append(fresh, 8, 7);
    append(fresh, 9, 8);  // as long as before: the number alone tells nothing
    EXPECT_THROW(append(dataset, 6, 5), IoRunReplaced) << per_fold;
    EXPECT_EQ(rows_on(disk), (Rows{{1, 0}, {2, 1}, {7, 6}, {8, 7}, {9, 8}})) << per_fold;
    EXPECT_TRUE(verified(disk));
  }
}

TEST(Identity, TheRunIsFoundAgainWhenItIsPutBack) {
  Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  append(dataset, 1, 0);
  disk->move("out/runs/run_sim", "out/runs/kept");
  {
    Dataset other = sim_dataset(disk);
    append(other, 1, 100);
  }
  EXPECT_THROW(append(dataset, 2, 1), IoRunReplaced);
  disk->move("out/runs/run_sim", "out/runs/other");
  disk->move("out/runs/kept", "out/runs/run_sim");
  append(dataset, 2, 1);
  EXPECT_EQ(rows_on(disk), (Rows{{1, 0}, {2, 1}}));
}

TEST(Identity, RunJsonThatIsAnotherIsAnotherRun) {
  Disk disk = std::make_shared<SimOs>();
  std::vector<std::string> warnings;
  Dataset dataset = sim_dataset(disk, &warnings);
  append(dataset, 1, 0);
  RunInfo other = decode_run(disk->files().at(paths().run_json()), paths().run_json(), sim_run_id);
  other.id = std::string(32, 'f');
  disk->put(paths().run_json(), encode_run(other));
  EXPECT_THROW(append(dataset, 2, 1), IoRunReplaced);
}

TEST(Identity, AWriterThatMeetsAFenceStops) {
  Disk disk = std::make_shared<SimOs>();
  std::vector<std::string> warnings;
  Dataset dataset = sim_dataset(disk, &warnings);
  append(dataset, 1, 0);
  auto storage = local_storage(Durability::commit, disk, counting_ids(1ULL << 60));
  RunPaths names = paths();
  Commit fence;
  fence.kind = CommitKind::fence;
  fence.seq = 2;
  fence.id = std::string(32, 'e');
  fence.prev = dataset.log().front().id;
  fence.time = "2026-01-01T00:00:00+00:00";
  fence.writer = std::string(32, 'd');
  ASSERT_EQ(Log(*storage, names, 1024).put(2, fence.id, encode(fence)), Log::Placed::ours);
  EXPECT_THROW(append(dataset, 2, 1), IoRunReplaced);
  Dataset fresh = sim_dataset(disk, &warnings);
  EXPECT_THROW(append(fresh, 2, 1), IoRunReplaced);
  EXPECT_THROW(fresh.refresh_manifests(), IoRunReplaced);
  EXPECT_EQ(rows_on(disk), (Rows{{1, 0}})) << "readers go on";
  EXPECT_EQ(part_files(*disk).size(), 3U) << "what was refused stays: the rebuild may have taken it in";
}

TEST(Identity, ACommitThatDoesNotNameTheOneBeforeItIsDamage) {
  Disk disk = std::make_shared<SimOs>();
  {
    Dataset dataset = sim_dataset(disk);
    for (std::int64_t i = 0; i < 3; ++i) append(dataset, i, i);
  }
  Disk other = std::make_shared<SimOs>();
  {
    Dataset dataset = sim_dataset(other);
    for (std::int64_t i = 0; i < 3; ++i) append(dataset, i, i);
  }
  disk->put(paths().commit(3), other->files().at(paths().commit(3)));
  put_empty_manifest(*disk);
  try {
    seen_on(disk);
    FAIL();
  } catch (const IoManifestError& e) {
    EXPECT_EQ(e.code(), ErrorCode::log_damaged);
    EXPECT_THAT(e.what(), HasSubstr("commit 3"));
  }
}

TEST(Identity, ARunOfFormat1IsContinued) {
  Disk disk = std::make_shared<SimOs>();
  put_run(*disk, 1024);  // its run.json has no id
  {
    Dataset dataset = sim_dataset(disk);
    append(dataset, 1, 0);
  }
  std::string line = disk->files().at(paths().commit(1));
  const RunInfo info = decode_run(disk->files().at(paths().run_json()), "", sim_run_id);
  EXPECT_TRUE(info.id.empty());
  EXPECT_EQ(decode_commit(line, "", 1).prev, info.checksum);
  // As 0.1 wrote it: no prev.
  Commit old = decode_commit(line, "", 1);
  old.prev.clear();
  disk->put(paths().commit(1), encode(old));
  put_empty_manifest(*disk);
  EXPECT_THAT(disk->files().at(paths().manifest("holdings")), HasSubstr("\"format\": 1,"));
  {
    Dataset dataset = sim_dataset(disk);
    append(dataset, 2, 1);
    dataset.close();
  }
  EXPECT_EQ(decode_commit(disk->files().at(paths().commit(2)), "", 2).prev, old.id);
  EXPECT_THAT(disk->files().at(paths().manifest("holdings")), HasSubstr("\"format\": 2,"));
  EXPECT_EQ(rows_on(disk), (Rows{{1, 0}, {2, 1}}));
  EXPECT_TRUE(verified(disk));
}

}  // namespace
}  // namespace crv::io
