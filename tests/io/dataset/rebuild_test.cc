// What a rebuild brings back, from the log and from the footers, and what it leaves out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "crv/core/error.h"
#include "io/storage/paths.h"
#include "io/support/sim_run.h"

namespace crv::io {
namespace {

using Disk = std::shared_ptr<SimOs>;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
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

// A run of one append over five buckets and two small ones after it.
Disk run_of_five_buckets() {
  Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  dataset.append("holdings", holdings({1, 11, 21, 31, 41}, 0));
  dataset.append("holdings", holdings({2}, 10));
  dataset.append("holdings", holdings({3}, 11));
  dataset.refresh_manifests();
  return disk;
}

std::string part_in_bucket(const SimOs& disk, const std::string& bucket) {
  for (const std::string& path : part_files(disk))
    if (path.find("bucket=" + bucket) != std::string::npos) return path;
  return "";
}

TEST(Rebuild, SiblingsOfADamagedPartStayCommitted) {
  for (bool manifest_stays : {true, false}) {
    Disk disk = run_of_five_buckets();
    disk->put(part_in_bucket(*disk, "000004"), "torn");
    disk->put(paths().commit(3), "torn");
    if (!manifest_stays) disk->put(paths().manifest("holdings"), "torn");
    RebuildReport report = sim_dataset(disk).rebuild_manifest("holdings");
    EXPECT_EQ(seen_on(disk).at("holdings").size(), 6U) << write_json(to_json(report));
    EXPECT_THAT(report.damaged, Contains(HasSubstr("bucket=000004")));
    EXPECT_TRUE(sim_dataset(disk).verify().ok);
  }
}

TEST(Rebuild, ADamagedLineOfAFoldTakesNoOtherWithIt) {
  Disk disk = std::make_shared<SimOs>();
  put_run(*disk, 4);
  {
    Dataset dataset = sim_dataset(disk);
    for (std::int64_t i = 0; i < 5; ++i) dataset.append("holdings", holdings({i, 20 + i}, 2 * i));
  }
  const Seen whole = seen_on(disk);
  const std::string path = paths().fold(1, 4), fold = disk->files().at(path);
  std::size_t line = 0;
  for (int i = 0; i < 4; ++i) {
    Disk damaged = disk->clone();
    std::string text = fold;
    text[line + 40] ^= 1;
    damaged->put(path, text);
    damaged->erase(paths().manifest("holdings"));
    // A part of another append that goes, too, shows that commits are read and not only footers.
    const std::string gone = part_files(*damaged)[static_cast<std::size_t>(i == 0 ? 1 : 0)];
    damaged->erase(gone);
    sim_dataset(damaged).rebuild_manifest("holdings");
    EXPECT_EQ(seen_on(damaged).at("holdings").size(), whole.at("holdings").size() - 1) << i;
    line = fold.find('\n', line) + 1;
  }
}

TEST(Rebuild, RemovedPartsStayRemoved) {
  Disk base = std::make_shared<SimOs>();
  {
    Dataset dataset = sim_dataset(base);
    for (std::int64_t i = 0; i < 3; ++i) dataset.append("holdings", holdings({1 + i}, i));
    TableManifest manifest = *dataset.manifest("holdings");
    manifest.partitions[0].parts.erase(manifest.partitions[0].parts.begin());
    dataset.write_manifest(manifest);
  }
  for (const std::string& damaged :
       {paths().run_json(), paths().commit(1), paths().commit(3), paths().commit(4)}) {
    Disk disk = base->clone();
    disk->put(damaged, "torn");
    RebuildReport report = sim_dataset(disk).rebuild_manifest("holdings");
    EXPECT_EQ(seen_on(disk), (Seen{{"holdings", {{2, 1}, {3, 2}}}}))
        << damaged << write_json(to_json(report));
    // And again, when of the new log nothing is left but what the manifest tells.
    disk->erase(paths().log());
    sim_dataset(disk).rebuild_manifest("holdings");
    EXPECT_EQ(seen_on(disk), (Seen{{"holdings", {{2, 1}, {3, 2}}}})) << damaged;
  }
}

// Parts whose process ended before their commit; the same rows are sent again under the same token.
Disk run_with_a_retry(bool with_token) {
  Disk disk = std::make_shared<SimOs>();
  AppendOptions options;
  if (with_token) options.token = Token{"engine", 7};
  {
    Dataset dataset = sim_dataset(disk);
    dataset.append("holdings", holdings({1}, 0));
  }
  std::size_t calls = 0;
  {
    Disk probe = disk->clone();
    sim_dataset(probe).append("holdings", holdings({2, 12}, 1), options);
    while (probe->ops()[calls].call != OsCall::link || probe->ops()[calls].to != paths().commit(2)) ++calls;
  }
  disk->stop_after(static_cast<std::int64_t>(calls));
  std::vector<std::string> warnings;
  EXPECT_ANY_THROW(sim_dataset(disk, &warnings).append("holdings", holdings({2, 12}, 1), options));
  disk->clear_faults();
  Dataset dataset = sim_dataset(disk);
  dataset.append("holdings", holdings({2, 12}, 1), options);
  dataset.append("holdings", holdings({3}, 3));
  EXPECT_EQ(part_files(*disk).size(), 6U);
  return disk;
}

const Seen retried{{"holdings", {{1, 0}, {2, 1}, {3, 3}, {12, 2}}}};

TEST(Rebuild, AFirstTryThatWasNeverCommittedDoesNotComeInBesideItsRetry) {
  for (bool with_token : {false, true}) {
    Disk base = run_with_a_retry(with_token);
    for (const std::string& damaged :
         {paths().run_json(), paths().commit(1), paths().commit(2), paths().commit(3)})
      for (bool manifest_stays : {true, false}) {
        Disk disk = base->clone();
        disk->put(damaged, "torn");
        if (!manifest_stays) disk->erase(paths().manifest("holdings"));
        RebuildReport report = sim_dataset(disk).rebuild_manifest("holdings");
        Seen there = seen_on(disk);
        std::sort(there["holdings"].begin(), there["holdings"].end());
        EXPECT_EQ(there, retried) << damaged << write_json(to_json(report));
      }
  }
}

TEST(Rebuild, OfAppendsWithOneTokenOneComesBackWhereTheLogIsLost) {
  Disk disk = run_with_a_retry(true);
  disk->erase(paths().log());
  disk->erase(paths().manifest("holdings"));
  RebuildReport report = sim_dataset(disk).rebuild_manifest("holdings");
  EXPECT_THAT(report.uncommitted, SizeIs(2));
  EXPECT_EQ(seen_on(disk).at("holdings").size(), 4U);
  AppendOptions again;
  again.token = Token{"engine", 7};
  EXPECT_TRUE(sim_dataset(disk).append("holdings", holdings({2, 12}, 1), again).repeated);
}

TEST(Rebuild, OneLostCommitBringsBackOneAppend) {
  Disk disk = std::make_shared<SimOs>();
  for (std::int64_t i = 0; i < 3; ++i) {
    Disk probe = disk->clone();
    sim_dataset(probe).append("holdings", holdings({i}, i));
    std::size_t calls = 0;
    while (probe->ops()[calls].call != OsCall::link || probe->ops()[calls].to != paths().commit(1)) ++calls;
    disk->stop_after(static_cast<std::int64_t>(calls));
    std::vector<std::string> warnings;
    EXPECT_ANY_THROW(sim_dataset(disk, &warnings).append("holdings", holdings({i}, i)));
    disk->clear_faults();
  }
  sim_dataset(disk).append("holdings", holdings({3}, 3));
  disk->put(paths().commit(1), "torn");
  disk->put(paths().manifest("holdings"), "torn");
  RebuildReport report = sim_dataset(disk).rebuild_manifest("holdings");
  EXPECT_EQ(report.manifest.rows(), 1);
  EXPECT_THAT(report.uncommitted, SizeIs(3));
}

TEST(Rebuild, ADiskThatFailsIsNoDamage) {
  Disk base = run_of_five_buckets();
  base->put(paths().commit(2), "torn");
  Disk whole = base->clone();
  sim_dataset(whole).rebuild_manifest("holdings");
  const Seen right = seen_on(whole);
  std::size_t refused = 0;
  for (std::size_t n = 0; n < whole->ops().size(); ++n)
    for (const int error : {EIO, EMFILE}) {
      const OsCall call = whole->ops()[n].call;
      if (changes_disk(call) || call == OsCall::close) continue;
      Disk disk = base->clone();
      disk->fail_at(static_cast<std::int64_t>(n) + 1, error);
      try {
        sim_dataset(disk).rebuild_manifest("holdings");
      } catch (const IoReadError&) {
        ++refused;
      } catch (const IoWriteError&) {
        ++refused;
      }
      disk->clear_faults();
      sim_dataset(disk).rebuild_manifest("holdings");
      EXPECT_EQ(seen_on(disk), right) << to_string(whole->ops()[n]) << ": " << error;
    }
  EXPECT_GT(refused, 50U);
}

TEST(Rebuild, WhatTheFirstLookCannotReadChangesNothing) {
  Disk base = run_of_five_buckets();
  base->put(paths().commit(2), "torn");
  for (const std::string& part : part_files(*base)) {
    Disk disk = base->clone();
    disk->set_hook(
        [&](const SimOp& op) { return op.call == OsCall::open_to_read && op.path == part ? EIO : 0; });
    EXPECT_THROW(sim_dataset(disk).rebuild_manifest("holdings"), IoReadError);
    disk->set_hook({});
    EXPECT_EQ(disk->files(), base->files());
  }
}

TEST(Rebuild, NothingIsMadeFromNothing) {
  Disk empty = std::make_shared<SimOs>();
  EXPECT_EQ(sim_dataset(empty).rebuild_manifest("holdings").manifest.rows(), 0);
  EXPECT_EQ(sim_dataset(empty).look_for_parts("holdings").rows(), 0);
  EXPECT_THAT(empty->folders(), IsEmpty());

  Disk disk = run_of_three();
  const auto before = disk->files();
  const TableManifest none = sim_dataset(disk).rebuild_manifest("exchange").manifest;
  EXPECT_EQ(none.table, "exchange");
  EXPECT_EQ(none.rows(), 0);
  EXPECT_EQ(disk->files(), before);
  EXPECT_THAT(disk->folders(), Not(Contains(HasSubstr("exchange"))));

  disk->put(paths().commit(2), "torn");
  EXPECT_EQ(sim_dataset(disk).rebuild_manifest("exchange").manifest.table, "exchange");
  EXPECT_THAT(disk->folders(), Not(Contains(HasSubstr("exchange"))));
  EXPECT_EQ(seen_on(disk), all);
}

TEST(Rebuild, ALostLogIsFoundByItsPartsWhateverElseIsLeft) {
  for (bool folder_stays : {false, true})
    for (bool manifest_stays : {false, true}) {
      Disk disk = run_of_three();
      disk->erase(paths().log());
      if (folder_stays) disk->put_folder(paths().log());
      if (!manifest_stays) disk->erase(paths().manifest("holdings"));
      EXPECT_THROW(sim_dataset(disk).append("holdings", holdings({1}, 50)), IoManifestError);
      EXPECT_EQ(sim_dataset(disk).look_for_parts("holdings").rows(), 6);
      RebuildReport report = sim_dataset(disk).rebuild_manifest("holdings");
      EXPECT_FALSE(report.from_log);
      Seen there = seen_on(disk), sorted = all;  // the order of appends is known from the manifest
      if (!manifest_stays)
        for (Seen* seen : {&there, &sorted})
          std::sort((*seen)["holdings"].begin(), (*seen)["holdings"].end());
      EXPECT_EQ(there, sorted);
    }
}

TEST(Rebuild, AnotherBucketSizeThanThePartsHaveChangesNothing) {
  Disk disk = run_of_three();
  IoSettings other;
  other.tick_bucket_size = 100;
  for (const std::string& bad : {std::string("torn"), std::string()}) {
    bad.empty() ? disk->erase(paths().run_json()) : disk->put(paths().run_json(), bad);
    const auto before = disk->files();
    Dataset dataset(other, sim_run_id, sim_options(disk));
    try {
      dataset.rebuild_manifest("holdings");
      ADD_FAILURE() << "it was rebuilt";
    } catch (const IoConfigError& e) {
      EXPECT_EQ(e.code(), ErrorCode::bucket_size_mismatch);
      EXPECT_EQ(e.facts().value, "100");
    }
    EXPECT_EQ(disk->files(), before);
  }
  sim_dataset(disk).rebuild_manifest("holdings");
  EXPECT_EQ(seen_on(disk), all);
}

TEST(Rebuild, ARunUnderAnotherNameIsRefused) {
  Disk disk = run_of_three();
  const std::string run_json = disk->files().at(paths().run_json());
  disk->move("out/runs/run_sim", "out/runs/copy");
  const auto before = disk->files();
  IoSettings settings;
  settings.tick_bucket_size = 10;
  Dataset dataset(settings, "copy", sim_options(disk));
  EXPECT_THROW(dataset.rebuild_manifest("holdings"), IoManifestError);
  EXPECT_EQ(disk->files(), before);
}

TEST(Rebuild, ALogThatARebuildMadeAndNoRunFileIsFinished) {
  Disk disk = run_of_three();
  disk->put(paths().commit(2), "torn");
  sim_dataset(disk).rebuild_manifest("holdings");
  const std::string run_json = disk->files().at(paths().run_json());
  const std::string log = disk->files().at(paths().commit(1));
  disk->erase(paths().run_json());
  sim_dataset(disk).rebuild_manifest("holdings");
  EXPECT_EQ(disk->files().at(paths().run_json()), run_json);
  EXPECT_EQ(disk->files().at(paths().commit(1)), log);
  EXPECT_EQ(seen_on(disk), all);
  disk->erase(parent_of(paths().aside("x")));
  disk->erase(paths().run_json());
  sim_dataset(disk).rebuild_manifest("holdings");
  EXPECT_EQ(seen_on(disk), all);
  EXPECT_TRUE(sim_dataset(disk).verify().ok);
}

TEST(Rebuild, WithoutARenameIfAbsentTheResultIsTheSame) {
  Disk disk = run_of_three();
  disk->put(paths().commit(2), "torn");
  disk->set_features({.rename_if_absent = false});
  Disk probe = disk->clone();
  probe->set_features({.rename_if_absent = false});
  sim_dataset(probe).rebuild_manifest("holdings");
  EXPECT_EQ(seen_on(probe), all);
  for (std::size_t n = 0; n < probe->ops().size(); ++n) {
    if (!changes_disk(probe->ops()[n].call)) continue;
    Disk stopped = disk->clone();
    stopped->set_features({.rename_if_absent = false});
    stopped->stop_after(static_cast<std::int64_t>(n));
    EXPECT_ANY_THROW(sim_dataset(stopped).rebuild_manifest("holdings"));
    stopped->clear_faults();
    sim_dataset(stopped).rebuild_manifest("holdings");
    EXPECT_EQ(seen_on(stopped), all) << to_string(probe->ops()[n]) << stopped->dump();
  }
}

TEST(Rebuild, ADatasetGoesOnAfterItsOwnRebuild) {
  Disk disk = run_of_three();
  Dataset dataset = sim_dataset(disk);
  dataset.append("holdings", holdings({4}, 30));
  disk->put(paths().commit(2), "torn");
  dataset.rebuild_manifest("holdings");
  dataset.append("holdings", holdings({4}, 31));
  EXPECT_EQ(seen(dataset).at("holdings").size(), 8U);
  EXPECT_EQ(seen_on(disk).at("holdings").size(), 8U);
}

TEST(Rebuild, WhatItCommitsSurvivesAPowerCut) {
  Disk base = std::make_shared<SimOs>();
  sim_dataset(base).append("holdings", holdings({1}, 0));
  Disk probe = base->clone();
  sim_dataset(probe).append("holdings", holdings({12}, 1));
  std::size_t n = 0;
  for (std::size_t i = 0; i < probe->ops().size(); ++i)
    if (probe->ops()[i].call == OsCall::rename_if_absent &&
        probe->ops()[i].to.find("bucket=000001") != std::string::npos)
      n = i + 1;
  ASSERT_GT(n, 0U);
  Disk disk = base->clone();
  disk->stop_after(static_cast<std::int64_t>(n));
  std::vector<std::string> warnings;
  EXPECT_ANY_THROW(sim_dataset(disk, &warnings).append("holdings", holdings({12}, 1)));
  disk->clear_faults();
  disk->erase(paths().log());
  EXPECT_EQ(sim_dataset(disk).rebuild_manifest("holdings").manifest.rows(), 2);
  Disk later = disk->after_power_cut(PowerCut::all_lost());
  EXPECT_TRUE(sim_dataset(later).verify().ok);
  EXPECT_EQ(seen_on(later).at("holdings").size(), 2U);
}

TEST(Rebuild, StraysInTheLogAreNoEnd) {
  for (const std::string& stray :
       {join(paths().log(), "09223372036854775807.json"), join(paths().log(), "09223372036854775806.json"),
        join(paths().log(), "00000000000000000001-09223372036854775807.jsonl"),
        join(paths().log(), "00000000009007199254740992.json")}) {
    Disk disk = run_of_three();
    disk->put(stray, "");
    sim_dataset(disk).rebuild_manifest("holdings");
    EXPECT_EQ(seen_on(disk), all) << stray;
    EXPECT_TRUE(sim_dataset(disk).verify().ok) << stray;
    Dataset writer = sim_dataset(disk);
    EXPECT_NO_THROW(writer.append("holdings", holdings({1}, 50)));
  }
  Disk disk = run_of_three();
  disk->put_folder(paths().commit(6));
  sim_dataset(disk).rebuild_manifest("holdings");
  EXPECT_EQ(seen_on(disk), all);
}

TEST(Rebuild, WhatWasWrittenAfterTheLogWentOnFillsNoGap) {
  Disk disk = std::make_shared<SimOs>();
  std::vector<std::string> warnings;
  Dataset dataset = sim_dataset(disk, &warnings);  // one clock for all
  for (std::int64_t i = 0; i < 5; ++i) dataset.append("holdings", holdings({i}, i));
  disk->set_hook(
      [](const SimOp& op) { return op.call == OsCall::link && op.to == paths().commit(6) ? EIO : 0; });
  EXPECT_ANY_THROW(dataset.append("holdings", holdings({9}, 66)));  // its parts stay
  disk->set_hook({});
  for (std::int64_t seq : {2, 3}) disk->put(paths().commit(seq), "torn");
  disk->put(paths().manifest("holdings"), "torn");
  sim_dataset(disk).rebuild_manifest("holdings");
  EXPECT_EQ(seen_on(disk), (Seen{{"holdings", {{0, 0}, {1, 1}, {2, 2}, {3, 3}, {4, 4}}}}));
}

TEST(Rebuild, ADeadCommitBesideADamagedFoldDoesNotComeBack) {
  Disk disk = std::make_shared<SimOs>();
  put_run(*disk, 2);
  {
    Dataset dataset = sim_dataset(disk);
    dataset.append("holdings", holdings({1}, 0));
  }
  Disk other = disk->clone();
  sim_dataset(other).append("holdings", holdings({2}, 77));  // what a writer that slept has put
  {
    Dataset dataset = sim_dataset(disk);
    dataset.append("holdings", holdings({2}, 1));
    dataset.append("holdings", holdings({3}, 2));
  }
  for (const auto& [path, bytes] : other->files())
    if (!disk->files().contains(path) && is_part_file(base_name_of(path))) disk->put(path, bytes);
  const auto dead = other->files();
  for (const auto& [path, bytes] : dead)
    if (path == paths().commit(2)) disk->put(path, bytes);
  if (!dead.contains(paths().commit(2))) {  // it was folded at once: its line, alone
    const std::string fold = dead.at(paths().fold(1, 2));
    const std::size_t line = fold.find('\n') + 1;
    disk->put(paths().commit(2), fold.substr(line, fold.find('\n', line) + 1 - line));
  }
  std::string fold = disk->files().at(paths().fold(1, 2));
  fold[fold.find('\n') + 40] ^= 1;
  disk->put(paths().fold(1, 2), fold);
  disk->put(paths().manifest("holdings"), "torn");
  sim_dataset(disk).rebuild_manifest("holdings");
  EXPECT_EQ(seen_on(disk), (Seen{{"holdings", {{1, 0}, {2, 1}, {3, 2}}}}));
}

TEST(Rebuild, ANewLogThatWasLeftDoesNotBeatWhatIsThereNow) {
  Disk disk = run_of_five_buckets();
  disk->put(paths().commit(2), "torn");
  const std::string part = part_in_bucket(*disk, "000003"), bytes = disk->files().at(part);
  disk->erase(part);
  disk->set_hook([](const SimOp& op) {
    return op.call == OsCall::rename_if_absent && op.path == paths().run_json() ? EIO : 0;
  });
  EXPECT_THROW(sim_dataset(disk).rebuild_manifest("holdings"), IoWriteError);
  disk->set_hook({});
  disk->put(part, bytes);
  sim_dataset(disk).rebuild_manifest("holdings");
  EXPECT_EQ(seen_on(disk).at("holdings").size(), 7U);
}

TEST(Rebuild, ALostFenceInAGapIsPutAgain) {
  Disk disk = std::make_shared<SimOs>();
  {
    Dataset dataset = sim_dataset(disk);
    for (std::int64_t i = 0; i < 4; ++i) dataset.append("holdings", holdings({i}, i));
  }
  disk->erase(paths().commit(2));
  disk->set_hook([](const SimOp& op) {
    return op.call == OsCall::rename_if_absent && op.path == paths().run_json() ? EIO : 0;
  });
  EXPECT_THROW(sim_dataset(disk).rebuild_manifest("holdings"), IoWriteError);
  EXPECT_TRUE(disk->files().contains(paths().commit(2)));
  disk->erase(paths().commit(2));
  EXPECT_THROW(sim_dataset(disk).rebuild_manifest("holdings"), IoWriteError);
  EXPECT_TRUE(disk->files().contains(paths().commit(2)));
}

TEST(Rebuild, ARunThatHasLostAllButItsPartsIsNotMadeAgain) {
  Disk disk = run_of_three();
  for (const std::string& lost : {paths().run_json(), paths().log(), paths().manifest("holdings")})
    disk->erase(lost);
  std::vector<core::IdentityEdgeRow> edges(1);
  EXPECT_THROW(sim_dataset(disk).append("identity_edges", edges), IoManifestError);
  sim_dataset(disk).rebuild_manifest("holdings");
  EXPECT_EQ(seen_on(disk).at("holdings").size(), 6U);
}

TEST(Rebuild, OfATableThatWasLostAloneTheRowsComeBack) {
  Disk disk = run_of_three();
  Disk other = std::make_shared<SimOs>();
  std::vector<core::IdentityEdgeRow> edges(1);
  sim_dataset(other).append("identity_edges", edges);
  disk->erase(paths().log());
  disk->put_folder(paths().log());
  for (const auto& [path, bytes] : other->files())
    if (parent_of(path) == paths().log() || path == paths().run_json() ||
        path.find("identity_edges") != std::string::npos)
      disk->put(path, bytes);
  disk->erase(paths().manifest("holdings"));
  EXPECT_FALSE(sim_dataset(disk).rebuild_manifest("holdings").from_log);
  EXPECT_EQ(seen_on(disk).at("holdings").size(), 6U);
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
