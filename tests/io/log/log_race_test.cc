// Writers that meet in the log: who sleeps, who folds, who is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <arrow/table.h>

#include <cerrno>

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
using testing::HasSubstr;

using Action = std::function<void(Dataset&)>;

RunPaths paths() {
  return {"out", sim_run_id};
}

void append(Dataset& dataset, std::int64_t tick, std::int64_t quantity) {
  dataset.append("holdings", holdings({tick}, quantity));
}

// Runs `job` once, right before the first link to `path`.
void before_link_to(const Disk& disk, const std::string& path, std::function<void()> job) {
  auto once = std::make_shared<bool>(false);
  disk->set_hook([=](const SimOp& op) {
    if (op.call == OsCall::link && op.to == path && !*once) {
      *once = true;
      job();
    }
    return 0;
  });
}

Frame payload_frame(std::int64_t tick, Json value) {
  JsonObject payload;
  payload.push_back("legs", std::move(value));
  JsonObject row;
  row.push_back("tick", tick);
  row.push_back("venue_id", "v");
  row.push_back("token_id", "t");
  row.push_back("exchange_event_type", "trade");
  row.push_back("additional_payload", std::move(payload));
  return frame_from_json(std::vector{row});
}

TEST(LogRace, ANumberThatIsTakenIsLeftToItsOwner) {
  Disk disk = std::make_shared<SimOs>();
  Dataset slow = sim_dataset(disk), quick = sim_dataset(disk);
  append(slow, 1, 0);
  before_link_to(disk, paths().commit(2), [&] { append(quick, 2, 1); });
  append(slow, 3, 2);
  disk->set_hook({});
  EXPECT_EQ(seen_on(disk), (Seen{{"holdings", {{1, 0}, {2, 1}, {3, 2}}}}));
  std::vector<CommitInfo> log = slow.log();
  ASSERT_EQ(log.size(), 3U);
  EXPECT_EQ(log[1].writer, quick.log()[1].writer);
  EXPECT_NE(log[1].writer, log[2].writer);
}

TEST(LogRace, AWriterThatSleptWhileItsNumberWasFoldedAwayTakesItsCommitBack) {
  Disk disk = std::make_shared<SimOs>();
  put_run(*disk, 4);
  Dataset slow = sim_dataset(disk), quick = sim_dataset(disk);
  append(slow, 1, 0);
  before_link_to(disk, paths().commit(2), [&] {
    for (std::int64_t i = 1; i <= 5; ++i) append(quick, i + 1, i);
    auto storage = local_storage(Durability::commit, disk, counting_ids(1ULL << 60));
    RunPaths names = paths();
    ASSERT_TRUE(Log(*storage, names, 4).fold({1, 4}));
  });
  append(slow, 9, 9);
  disk->set_hook({});
  EXPECT_EQ(seen_on(disk), (Seen{{"holdings", {{1, 0}, {2, 1}, {3, 2}, {4, 3}, {5, 4}, {6, 5}, {9, 9}}}}));
  EXPECT_FALSE(disk->files().contains(paths().commit(2)));
  EXPECT_EQ(sim_dataset(disk).log().size(), 7U);
}

TEST(LogRace, FoldsKeepEveryCommitByteForByte) {
  Disk disk = std::make_shared<SimOs>();
  put_run(*disk, 4);
  std::string singles;
  {
    Dataset dataset = sim_dataset(disk);
    for (std::int64_t i = 0; i < 3; ++i) append(dataset, i, i);
    for (std::int64_t n = 1; n <= 3; ++n) singles += disk->files().at(paths().commit(n));
    for (std::int64_t i = 3; i < 9; ++i) append(dataset, i, i);
    dataset.close();
  }
  auto files = disk->files();
  ASSERT_TRUE(files.contains(paths().fold(1, 4)));
  ASSERT_TRUE(files.contains(paths().fold(5, 8)));
  EXPECT_TRUE(files.at(paths().fold(1, 4)).starts_with(singles));
  for (std::int64_t n = 1; n <= 8; ++n) EXPECT_FALSE(files.contains(paths().commit(n))) << n;
  EXPECT_TRUE(files.contains(paths().commit(9)));
  EXPECT_EQ(seen_on(disk).at("holdings").size(), 9U);
}

TEST(LogRace, APowerCutDuringAFoldLosesNothing) {
  Disk base = std::make_shared<SimOs>();
  put_run(*base, 4);
  {
    Dataset dataset = sim_dataset(base);
    for (std::int64_t i = 0; i < 3; ++i) append(dataset, i, i);
  }
  auto fold_on = [](const Disk& disk) {
    auto storage = local_storage(Durability::commit, disk, counting_ids(1ULL << 60));
    RunPaths names = paths();
    Log(*storage, names, 4).fold({1, 4});
  };
  {
    Disk quiet = base->clone();
    Dataset dataset = sim_dataset(quiet);
    // The fourth commit without the fold that would follow: put by hand through the log.
    auto storage = local_storage(Durability::commit, quiet, counting_ids(1ULL << 61));
    RunPaths names = paths();
    Log log(*storage, names, 4);
    Commit empty;
    empty.seq = 4;
    empty.id = std::string(32, 'a');
    empty.prev = decode_commit(*log.line_of(3), "log", 3).id;
    empty.time = "2026-01-01T00:00:00+00:00";
    empty.writer = std::string(32, 'b');
    ASSERT_EQ(log.put(4, empty.id, encode(empty)), Log::Placed::ours);
    log.sync();
    base = quiet;
  }
  Disk whole = base->clone();
  fold_on(whole);
  std::size_t calls = whole->ops().size();
  for (std::size_t n = 0; n <= calls; ++n)
    for (std::uint64_t seed = 0; seed < 6; ++seed) {
      SCOPED_TRACE("stopped after " + std::to_string(n) + " calls, seed " + std::to_string(seed));
      Disk disk = base->clone();
      disk->stop_after(static_cast<std::int64_t>(n));
      try {
        fold_on(disk);
      } catch (const Error&) {
        EXPECT_LT(n, calls);
      }
      disk->clear_faults();
      EXPECT_EQ(seen_on(disk->clone()).at("holdings").size(), 3U);
      Disk later = disk->after_power_cut(PowerCut::by_chance(seed));
      EXPECT_EQ(seen_on(later).at("holdings").size(), 3U) << later->dump();
      EXPECT_EQ(sim_dataset(later).log().size(), 4U);
      EXPECT_TRUE(sim_dataset(later).verify().ok);
    }
}

TEST(LogRace, IntegerAndFloatOfTwoWritersBothCommit) {
  Disk disk = std::make_shared<SimOs>();
  Dataset slow = sim_dataset(disk), quick = sim_dataset(disk);
  append(slow, 1, 0);
  before_link_to(disk, paths().commit(2), [&] { quick.append("exchange", payload_frame(1, 0.5)); });
  slow.append("exchange", payload_frame(2, 3));
  disk->set_hook({});
  Dataset reader = sim_dataset(disk);
  EXPECT_EQ(seen(reader).at("exchange").size(), 2U);
  EXPECT_THAT(write_json(reader.columns("exchange")), HasSubstr(R"("legs":"f64")"));
  EXPECT_TRUE(reader.verify().ok);
  EXPECT_EQ(part_files(*disk).size(), 3U);  // the integer part was written anew, as floats
}

TEST(LogRace, TextAndNumberOfTwoWritersOneIsRefused) {
  Disk disk = std::make_shared<SimOs>();
  Dataset slow = sim_dataset(disk), quick = sim_dataset(disk);
  append(slow, 1, 0);
  before_link_to(disk, paths().commit(2), [&] { quick.append("exchange", payload_frame(1, "two")); });
  try {
    slow.append("exchange", payload_frame(2, 2));
    FAIL() << "text and number met";
  } catch (const IoSchemaError& e) {
    EXPECT_EQ(e.code(), ErrorCode::type_conflict);
    EXPECT_EQ(e.facts().column, "additional_payload.legs");
    EXPECT_EQ(e.facts().seq, 2);
    EXPECT_THAT(e.what(), HasSubstr("commit 2"));
  }
  disk->set_hook({});
  EXPECT_EQ(seen_on(disk).at("exchange").size(), 1U);
  EXPECT_EQ(part_files(*disk).size(), 2U);
}

TEST(LogRace, ACondemnedPartIsWrittenAnewUnderAnotherName) {
  Disk disk = std::make_shared<SimOs>();
  Dataset slow = sim_dataset(disk);
  append(slow, 1, 0);
  std::string condemned;
  before_link_to(disk, paths().commit(2), [&] {
    auto storage = local_storage(Durability::commit, disk, counting_ids(1ULL << 60));
    Commit gc;
    gc.kind = CommitKind::gc;
    gc.seq = 2;
    gc.id = std::string(32, 'c');
    gc.prev = slow.log().front().id;
    gc.time = "2026-01-01T00:00:00+00:00";
    gc.writer = std::string(32, 'd');
    TableChange change{.table = "holdings", .schemas = {}, .added = {}, .removed = {}, .condemned = {}};
    for (const std::string& path : part_files(*disk)) {
      std::string file = base_name_of(path);
      if (slow.manifest("holdings")->partitions.front().parts.front().path == file) continue;
      condemned = path;
      change.condemned.push_back({0, file});
    }
    gc.tables.push_back(change);
    RunPaths names = paths();
    ASSERT_EQ(Log(*storage, names, 1024).put(2, gc.id, encode(gc)), Log::Placed::ours);
    disk->erase(condemned);
  });
  append(slow, 2, 1);
  disk->set_hook({});
  ASSERT_FALSE(condemned.empty());
  EXPECT_EQ(seen_on(disk), (Seen{{"holdings", {{1, 0}, {2, 1}}}}));
}

// Another writer whose process ends right after its commit `seq` was linked, before the log was flushed: the
// commit stands, and a power cut could still take it.
void kill_after_link(const Disk& disk, std::int64_t seq, const AppendOptions& options = {}) {
  auto append_to = [&](const Disk& where) {
    std::vector<std::string> warnings;
    Dataset dataset = sim_dataset(where, &warnings);
    dataset.append("holdings", holdings({2}, 1), options);
  };
  Disk probe = disk->clone();
  append_to(probe);
  std::vector<SimOp> ops = probe->ops();
  auto link = std::find_if(ops.begin(), ops.end(), [&](const SimOp& op) {
    return op.call == OsCall::link && op.to == paths().commit(seq);
  });
  disk->stop_after(link - ops.begin() + 1);
  EXPECT_THROW(append_to(disk), IoCommitUnknownError);
  disk->clear_faults();
  ASSERT_TRUE(disk->files().contains(paths().commit(seq)));
  ASSERT_FALSE(disk->after_power_cut(PowerCut::all_lost())->files().contains(paths().commit(seq)));
}

TEST(Unflushed, NobodyPutsACommitAboveOneThatAPowerCutCouldTake) {
  Disk disk = std::make_shared<SimOs>();
  Dataset next = sim_dataset(disk);
  append(next, 1, 0);
  kill_after_link(disk, 2);
  bool durable = false;
  before_link_to(disk, paths().commit(3), [&] {
    durable = disk->after_power_cut(PowerCut::all_lost())->files().contains(paths().commit(2));
  });
  append(next, 3, 2);
  disk->set_hook({});
  EXPECT_TRUE(durable);
}

TEST(Unflushed, NoManifestNamesACommitThatAPowerCutCouldTake) {
  Disk disk = std::make_shared<SimOs>();
  Dataset next = sim_dataset(disk);
  append(next, 1, 0);
  kill_after_link(disk, 2);
  next.refresh_manifests();
  EXPECT_EQ(seen_on(disk->after_power_cut(PowerCut::all_lost())), (Seen{{"holdings", {{1, 0}, {2, 1}}}}));
}

TEST(Unflushed, ARepeatedTokenIsNotAcknowledgedBeforeItsCommitIsDurable) {
  AppendOptions named;
  named.token = Token{"engine", 1};
  Disk disk = std::make_shared<SimOs>();
  Dataset next = sim_dataset(disk);
  append(next, 1, 0);
  kill_after_link(disk, 2, named);
  EXPECT_EQ(next.append("holdings", holdings({2}, 1), named).rows, 1);
  EXPECT_EQ(seen_on(disk->after_power_cut(PowerCut::all_lost())), (Seen{{"holdings", {{1, 0}, {2, 1}}}}));
}

TEST(LogRace, AReaderThatWasThereBeforeTheRunSeesItsRows) {
  Disk disk = std::make_shared<SimOs>();
  Dataset reader = sim_dataset(disk), writer = sim_dataset(disk);
  EXPECT_TRUE(reader.tables().empty());
  EXPECT_THROW(reader.read("holdings"), IoManifestError);
  append(writer, 1, 0);
  append(writer, 2, 1);
  EXPECT_EQ(seen(reader), (Seen{{"holdings", {{1, 0}, {2, 1}}}}));
}

// ---- tokens ----

AppendOptions with_token(std::int64_t number) {
  AppendOptions options;
  options.token = Token{"engine", number};
  return options;
}

TEST(Token, TheSameAgainGivesTheFirstSummaryAndWritesNothing) {
  for (std::int64_t per_fold : {2, 1024}) {
    Disk disk = std::make_shared<SimOs>();
    put_run(*disk, per_fold);
    AppendSummary first;
    {
      Dataset dataset = sim_dataset(disk);
      append(dataset, 1, 0);
      first = dataset.append("holdings", holdings({2, 13}, 1), with_token(7));
      append(dataset, 3, 5);
      dataset.close();
    }
    auto parts = part_files(*disk);
    Dataset again = sim_dataset(disk);
    AppendSummary second = again.append("holdings", holdings({2, 13}, 1), with_token(7));
    EXPECT_EQ(write_json(to_json(second)), write_json(to_json(first)));
    EXPECT_EQ(part_files(*disk), parts);
    EXPECT_EQ(again.log().size(), 3U);
  }
}

TEST(Token, ALowerNumberOrOtherRowsAreRefused) {
  Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  dataset.append("holdings", holdings({1}), with_token(2));
  auto files = part_files(*disk);
  for (std::int64_t number : {1, 2}) {
    try {
      dataset.append("holdings", holdings({1, 2}), with_token(number));
      FAIL() << number;
    } catch (const IoArgumentError& e) {
      EXPECT_EQ(e.code(), ErrorCode::token_order);
    }
  }
  EXPECT_EQ(part_files(*disk), files);
  dataset.append("holdings", holdings({3}), with_token(3));
}

// ---- what the disk does to a commit ----

TEST(Commit, WhenTheLogCannotBeFlushedTheOutcomeIsUnknownAndTheDatasetStops) {
  Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  append(dataset, 1, 0);
  disk->set_hook(
      [](const SimOp& op) { return op.call == OsCall::fsync && op.path == paths().log() ? EIO : 0; });
  EXPECT_THROW(append(dataset, 2, 1), IoCommitUnknownError);
  disk->set_hook({});
  try {
    append(dataset, 3, 2);
    FAIL() << "wrote on after an unknown outcome";
  } catch (const IoWriteError& e) {
    EXPECT_EQ(e.code(), ErrorCode::dataset_closed);
  }
  Dataset again = sim_dataset(disk);
  EXPECT_EQ(seen(again), (Seen{{"holdings", {{1, 0}, {2, 1}}}}));
  append(again, 3, 2);
}

TEST(Commit, AFailedFsyncOfAPartIsNotTriedAgain) {
  Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  append(dataset, 1, 0);
  disk->clear_ops();
  int failed = 0;
  disk->set_hook([&](const SimOp& op) {
    if (op.call != OsCall::fsync || op.path.find("part-") == std::string::npos) return 0;
    ++failed;
    return EIO;
  });
  EXPECT_THROW(append(dataset, 2, 1), IoWriteError);
  disk->set_hook({});
  EXPECT_EQ(failed, 1);
  EXPECT_EQ(part_files(*disk).size(), 1U);
  EXPECT_EQ(dataset.log().size(), 1U);
}

// ---- damage ----

TEST(Damage, ADamagedCommitIsAnErrorAndNothingIsPutAboveIt) {
  Disk base = std::make_shared<SimOs>();
  {
    Dataset dataset = sim_dataset(base);
    for (std::int64_t i = 0; i < 3; ++i) append(dataset, i, i);
  }
  std::string path = paths().commit(3);
  std::string good = base->files().at(path);
  for (std::string bad : {std::string(), good.substr(0, good.size() / 2), [&] {
                            std::string flipped = good;
                            flipped[flipped.find("\"rows\":1") + 7] = '2';
                            return flipped;
                          }()}) {
    Disk disk = base->clone();
    disk->put(path, bad);
    disk->put(paths().manifest("holdings"), [&] {  // as a manifest that is older than the damage
      TableState state = decode_manifest(disk->files().at(paths().manifest("holdings")), "holdings", "m");
      TableState empty("holdings");
      empty.created_at = empty.updated_at = state.created_at;
      return encode_manifest(empty);
    }());
    Dataset dataset = sim_dataset(disk);
    try {
      dataset.read("holdings");
      FAIL() << bad;
    } catch (const IoManifestError& e) {
      EXPECT_EQ(e.code(), ErrorCode::log_damaged);
      EXPECT_EQ(e.facts().seq, 3);
      EXPECT_EQ(e.facts().path, path);
    }
    EXPECT_THROW(append(dataset, 9, 9), IoManifestError);
    EXPECT_FALSE(disk->files().contains(paths().commit(4)));
    EXPECT_FALSE(sim_dataset(disk).verify().ok);
  }
}

TEST(Damage, AManifestAheadOfItsLogIsAnErrorForReadersAndWriters) {
  Disk disk = std::make_shared<SimOs>();
  {
    Dataset dataset = sim_dataset(disk);
    append(dataset, 1, 0);
    append(dataset, 2, 1);
    dataset.refresh_manifests();
  }
  disk->erase(paths().commit(2));
  auto files = disk->files();
  Dataset dataset = sim_dataset(disk);
  for (auto job :
       {Action([](Dataset& d) { d.read("holdings"); }), Action([](Dataset& d) { append(d, 3, 2); })}) {
    try {
      job(dataset);
      FAIL();
    } catch (const IoManifestError& e) {
      EXPECT_EQ(e.code(), ErrorCode::manifest_ahead);
    }
  }
  EXPECT_EQ(disk->files(), files);
  RebuildReport report = dataset.rebuild_manifest("holdings");
  EXPECT_FALSE(report.from_log);
  EXPECT_EQ(seen_on(disk), (Seen{{"holdings", {{1, 0}, {2, 1}}}}));
}

TEST(Damage, AnOlderManifestIsHarmless) {
  Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  append(dataset, 1, 0);
  std::string old = disk->files().at(paths().manifest("holdings"));
  for (std::int64_t i = 1; i < 30; ++i) append(dataset, i, i);
  dataset.refresh_manifests();
  Seen all = seen_on(disk);
  disk->put(paths().manifest("holdings"), old);
  EXPECT_EQ(seen_on(disk), all);
  append(dataset, 50, 50);
  EXPECT_EQ(seen_on(disk).at("holdings").size(), all.at("holdings").size() + 1);
}

// Another writer makes the run right after we looked for run.json, wherever we look next.
TEST(RunRace, ARunThatIsMadeMeanwhileIsNotTakenForDamage) {
  const auto folders = {paths().log(), paths().tables()};
  for (const std::string& folder : folders) {
    SCOPED_TRACE(folder);
    Disk disk = std::make_shared<SimOs>();
    Dataset slow = sim_dataset(disk), quick = sim_dataset(disk);
    auto once = std::make_shared<bool>(false);
    disk->set_hook([&, once](const SimOp& op) {
      if (op.call == OsCall::list && op.path == folder && !*once) {
        *once = true;
        append(quick, 1, 0);
      }
      return 0;
    });
    append(slow, 2, 1);
    disk->set_hook({});
    EXPECT_TRUE(*once);
    EXPECT_EQ(seen_on(disk), (Seen{{"holdings", {{1, 0}, {2, 1}}}}));
  }
}

TEST(Damage, ALogWithoutRunJsonIsDamageAndIsNotMadeAgain) {
  Disk disk = std::make_shared<SimOs>();
  {
    Dataset dataset = sim_dataset(disk);
    append(dataset, 1, 0);
  }
  disk->erase(paths().run_json());
  auto files = disk->files();
  Dataset dataset = sim_dataset(disk);
  EXPECT_THROW(append(dataset, 2, 1), IoManifestError);
  EXPECT_EQ(disk->files(), files);
  EXPECT_FALSE(sim_dataset(disk).rebuild_manifest("holdings").from_log);
  EXPECT_EQ(seen_on(disk), (Seen{{"holdings", {{1, 0}}}}));
}

}  // namespace
}  // namespace crv::io
