#include "io/storage/local_storage.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <utility>

#include "crv/core/error.h"
#include "io/storage/paths.h"
#include "io/support/sim_os.h"
#include "io/support/storage_conformance.h"
#include "io/support/temp_dir.h"

namespace crv::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

StorageUnderTest::Instance on_disk(Durability durability) {
  auto folder = std::make_shared<TempDir>();
  return {.storage = local_storage(durability), .root = folder->path(), .keep = folder};
}

StorageUnderTest::Instance on_sim(const SimFeatures& features) {
  auto disk = std::make_shared<SimOs>();
  disk->put_folder("root");
  disk->set_features(features);
  return {.storage = local_storage(Durability::commit, disk, counting_ids()), .root = "root", .keep = disk};
}

INSTANTIATE_TEST_SUITE_P(
    Local, StorageConformance,
    testing::Values(StorageUnderTest{"disk", [] { return on_disk(Durability::commit); }},
                    StorageUnderTest{"disk_not_durable", [] { return on_disk(Durability::none); }},
                    StorageUnderTest{"simulated", [] { return on_sim({}); }},
                    StorageUnderTest{"simulated_without_link", [] { return on_sim({.link = false}); }},
                    StorageUnderTest{"simulated_without_rename_if_absent",
                                     [] { return on_sim({.rename_if_absent = false}); }}),
    name_of_storage);

// What a verb did, so that what is on disk can be judged by it.
struct Outcome {
  std::optional<Error> error;
  bool put = false;  // of put_if_absent
};

// One use of one verb in folder "d", and what may stand on disk after it.
struct Use {
  std::string name;
  std::map<std::string, std::string> before;  // files of "d"
  std::function<bool(Storage&)> run;
  // Whether `after`, the files of "d", may stand there. With an error: of a disk whose power was not cut.
  std::function<bool(const std::map<std::string, std::string>& after, const Outcome&)> allowed;
};

using Files = std::map<std::string, std::string>;

void write_object(Storage& storage, const std::string& path) {
  const auto writer = storage.create(path);
  writer->write("first half, ", 12);
  writer->write("second half", 11);
  writer->finish();
}

const std::string kWhole = "first half, second half";

std::vector<Use> uses() {
  const Files none, with_x{{"x", "old"}}, new_x{{"x", kWhole}};
  const auto changes_to = [](const Files& before, const Files& after) {
    return [=](const Files& found, const Outcome& o) { return o.error ? found == before : found == after; };
  };
  const auto reads_only = [](const Files& found, const Outcome&) { return found == Files{{"x", "old"}}; };
  return {
      {"write", none,
       [](Storage& s) {
         write_object(s, "d/x");
         return true;
       },
       changes_to(none, new_x)},
      {"write_taken", with_x,
       [](Storage& s) {
         write_object(s, "d/x");
         return true;
       },
       changes_to(with_x, with_x)},
      {"abandon", none,
       [](Storage& s) {
         s.create("d/x")->write("half", 4);
         return true;
       },
       changes_to(none, none)},
      {"put", none, [](Storage& s) { return s.put_if_absent("d/x", kWhole); },
       [=](const Files& found, const Outcome& o) {
         if (o.error && o.error->code() == ErrorCode::commit_unknown) return found == none || found == new_x;
         return o.put ? found == new_x : o.error && found == none;
       }},
      {"put_taken", with_x, [](Storage& s) { return s.put_if_absent("d/x", kWhole); },
       [=](const Files& found, const Outcome& o) { return !o.put && found == with_x; }},
      {"replace", with_x,
       [](Storage& s) {
         s.replace("d/x", kWhole);
         return true;
       },
       [=](const Files& found, const Outcome& o) { return found == new_x || (o.error && found == with_x); }},
      {"remove", with_x, [](Storage& s) { return s.remove("d/x"); },
       [=](const Files& found, const Outcome& o) { return found == none || (o.error && found == with_x); }},
      {"move", with_x,
       [](Storage& s) {
         s.move("d/x", "d/y");
         return true;
       },
       [=](const Files& found, const Outcome& o) {
         return found == Files{{"y", "old"}} || (o.error && found == with_x);
       }},
      {"make_folder", none, [](Storage& s) { return s.make_folder("d/a/b/c"); },
       [=](const Files& found, const Outcome&) { return found == none; }},
      {"sync", with_x,
       [](Storage& s) {
         s.sync("d");
         s.sync_up("d", "d");
         return true;
       },
       reads_only},
      {"read", with_x, [](Storage& s) { return read_all(s, "d/x") == "old"; }, reads_only},
      {"look", with_x,
       [](Storage& s) { return s.exists("d/x") && s.stat("d/x")->size == 3 && s.list("d").size() == 1; },
       reads_only},
      {"probe", none,
       [](Storage& s) {
         s.require_put_if_absent("d");
         return true;
       },
       changes_to(none, none)},
  };
}

// The files of folder "d", by name; temporary ones apart.
struct Found {
  Files files, temporary;
};
Found found_on(const SimOs& disk) {
  Found out;
  for (const auto& [path, bytes] : disk.files()) {
    if (!path.starts_with("d/")) continue;
    const auto name = path.substr(2);
    (is_temporary_name(base_name_of(name)) ? out.temporary : out.files)[name] = bytes;
  }
  return out;
}

Outcome run(const Use& use, const std::shared_ptr<SimOs>& disk) {
  Outcome out;
  try {
    const auto storage = local_storage(Durability::commit, disk, counting_ids());
    out.put = use.run(*storage);
  } catch (const Error& e) {
    out.error = e;
  }
  return out;
}

std::shared_ptr<SimOs> disk_for(const Use& use, const SimFeatures& features) {
  auto disk = std::make_shared<SimOs>();
  disk->put_folder("d");
  for (const auto& [name, bytes] : use.before) disk->put("d/" + name, bytes);
  disk->set_features(features);
  return disk;
}

std::string trace(const SimOs& disk) {
  std::string out;
  for (const auto& op : disk.ops()) out += to_string(op) + "\n";
  return out + disk.dump();
}

const std::vector<SimFeatures>& all_features() {
  static const std::vector<SimFeatures> features{{}, {.link = false}, {.rename_if_absent = false}};
  return features;
}

TEST(LocalStorage, AFaultAtAnyCallIsATypedErrorAndLeavesNothingHalf) {
  std::size_t tried = 0;
  for (const auto& use : uses()) {
    for (const auto& features : all_features()) {
      auto disk = disk_for(use, features);
      run(use, disk);
      const auto ops = disk->ops();
      for (std::size_t n = 1; n <= ops.size(); ++n) {
        for (const int error : {EIO, ENOSPC, EACCES}) {
          for (const auto fault : {SimFault::refused, SimFault::reply_lost, SimFault::short_write}) {
            disk = disk_for(use, features);
            disk->fail_at(static_cast<std::int64_t>(n), error, fault);
            const auto outcome = run(use, disk);
            const auto found = found_on(*disk);
            SCOPED_TRACE(use.name + ", " + trace(*disk));
            ++tried;
            if (fault == SimFault::reply_lost && error != EIO) continue;  // those errors mean what they say
            EXPECT_TRUE(use.allowed(found.files, outcome))
                << (outcome.error ? outcome.error->what() : "no error");
            if (outcome.error) {
              EXPECT_NE(outcome.error->facts().path, "");
              EXPECT_THAT(outcome.error->what(), HasSubstr(outcome.error->facts().path));
            }
            // Only a file whose removal itself was refused may be left.
            if (ops[n - 1].call != OsCall::unlink) {
              EXPECT_THAT(found.temporary, IsEmpty());
            }
            EXPECT_EQ(disk->open_files(), 0U);
          }
        }
      }
    }
  }
  EXPECT_GT(tried, 500U);
}

TEST(LocalStorage, EveryCallThatFailsIsTold) {
  // All but those after which the answer is known all the same.
  for (const auto& use : uses()) {
    auto disk = disk_for(use, {});
    run(use, disk);
    const auto ops = disk->ops();
    for (std::size_t n = 1; n <= ops.size(); ++n) {
      disk = disk_for(use, {});
      disk->fail_at(static_cast<std::int64_t>(n), EIO);
      const auto outcome = run(use, disk);
      const bool closes_what_was_read =
          ops[n - 1].call == OsCall::close && (use.name == "read" || use.name == "probe");
      if (use.name == "abandon" || closes_what_was_read) continue;
      SCOPED_TRACE(use.name + ", " + trace(*disk));
      ASSERT_TRUE(outcome.error);
      if (use.name != "write_taken") {
        EXPECT_EQ(outcome.error->facts().os_error, EIO);
      }
      if (use.name == "read" || use.name == "look") {
        EXPECT_EQ(outcome.error->code(), ErrorCode::read_failed);
      } else if (!use.name.starts_with("put") && use.name != "probe") {
        EXPECT_EQ(outcome.error->code(), ErrorCode::write_failed);
      }
    }
  }
}

TEST(LocalStorage, PutIfAbsentTellsAnUnknownOutcomeFromARefusal) {
  const auto put = uses()[3];
  ASSERT_EQ(put.name, "put");
  const auto failing = [&](OsCall call, int error, SimFault fault) {
    auto disk = disk_for(put, {});
    run(put, disk);
    const auto ops = disk->ops();
    const auto at = std::find_if(ops.begin(), ops.end(), [&](const SimOp& op) { return op.call == call; });
    disk = disk_for(put, {});
    disk->fail_at(at - ops.begin() + 1, error, fault);
    const auto outcome = run(put, disk);
    const bool there = disk->files().contains("d/x");
    return std::string(outcome.error ? crv::name_of(outcome.error->code()) : "put") +
           (there ? ", there" : ", absent");
  };
  for (const auto call : {OsCall::open_new, OsCall::write, OsCall::fsync, OsCall::close}) {
    EXPECT_EQ(failing(call, EIO, SimFault::refused), "write_failed, absent") << name_of(call);
  }
  EXPECT_EQ(failing(OsCall::link, EIO, SimFault::refused), "commit_unknown, absent");
  EXPECT_EQ(failing(OsCall::link, EIO, SimFault::reply_lost), "commit_unknown, there");
  EXPECT_EQ(failing(OsCall::link, ENOSPC, SimFault::refused), "write_failed, absent");
  EXPECT_EQ(failing(OsCall::unlink, EIO, SimFault::refused), "commit_unknown, there");
  EXPECT_EQ(failing(OsCall::unlink, ENOENT, SimFault::reply_lost), "put, there");
}

TEST(LocalStorage, AfterAPowerCutAtAnyCallAnObjectIsWholeOrAbsent) {
  const auto first_seed = test_seed();
  for (const auto& use : uses()) {
    for (const auto& features : all_features()) {
      auto disk = disk_for(use, features);
      run(use, disk);
      const auto ops = disk->ops();
      for (std::size_t n = 0; n <= ops.size(); ++n) {
        disk = disk_for(use, features);
        disk->stop_after(static_cast<std::int64_t>(n));
        run(use, disk);
        std::vector<PowerCut> cuts{PowerCut::all_lost(), PowerCut::all_kept(),
                                   PowerCut::names_kept_bytes_lost()};
        for (std::uint64_t i = 0; i < 10; ++i) cuts.push_back(PowerCut::by_chance(first_seed + i));
        for (const auto& cut : cuts) {
          const auto left = disk->after_power_cut(cut);
          for (const auto& [name, bytes] : found_on(*left).files) {
            EXPECT_TRUE(bytes == kWhole || bytes == "old")
                << use.name << ", stopped after " << n << ", seed " << cut.seed << "\n"
                << trace(*disk) << left->dump();
          }
          if (use.name == "replace") {
            EXPECT_EQ(found_on(*left).files.size(), 1U) << left->dump();
          }
        }
      }
    }
  }
}

TEST(LocalStorage, WhatWasSyncedSurvivesAnyPowerCut) {
  auto disk = std::make_shared<SimOs>();
  const auto storage = local_storage(Durability::commit, disk, counting_ids());
  storage->make_folder("out/runs/r/log");
  EXPECT_TRUE(storage->put_if_absent("out/runs/r/log/1.json", "one"));
  write_object(*storage, "out/runs/r/log/part");
  EXPECT_THAT(disk->after_power_cut(PowerCut::all_lost())->files(), IsEmpty());
  storage->sync("out/runs/r/log");
  EXPECT_THAT(disk->after_power_cut(PowerCut::all_lost())->files(), IsEmpty());
  storage->sync_up("out/runs/r/log", "out");
  const Files expected{{"out/runs/r/log/1.json", "one"}, {"out/runs/r/log/part", kWhole}};
  EXPECT_EQ(disk->after_power_cut(PowerCut::all_lost())->files(), expected);
  storage->remove("out/runs/r/log/part");
  EXPECT_EQ(disk->after_power_cut(PowerCut::all_lost())->files(), expected);
  storage->sync("out/runs/r/log");
  EXPECT_EQ(disk->after_power_cut(PowerCut::all_lost())->files(), (Files{{"out/runs/r/log/1.json", "one"}}));
}

std::vector<std::string> synced(const SimOs& disk) {
  std::vector<std::string> out;
  for (const auto& op : disk.ops()) {
    if (op.call == OsCall::fsync || op.call == OsCall::syncfs)
      out.push_back(name_of(op.call) + (" " + op.path));
  }
  return out;
}

TEST(LocalStorage, SyncUpGoesToTheParentOfTheTop) {
  auto disk = std::make_shared<SimOs>();
  disk->put_folder("a/b/c");
  const auto storage = local_storage(Durability::commit, disk, counting_ids());
  const auto synced_by = [&](const std::string& folder, const std::string& top) {
    disk->clear_ops();
    storage->sync_up(folder, top);
    return synced(*disk);
  };
  EXPECT_THAT(synced_by("a/b/c", "a/b"), ElementsAre("fsync a/b/c", "fsync a/b", "fsync a"));
  EXPECT_THAT(synced_by("a/b", "a"), ElementsAre("fsync a/b", "fsync a", "fsync ."));
  EXPECT_THAT(synced_by("a//b/", "a/"), ElementsAre("fsync a/b", "fsync a", "fsync ."));
  EXPECT_THAT(synced_by("/a/b", "/a"), ElementsAre("fsync /a/b", "fsync /a", "fsync /"));
  EXPECT_THAT(synced_by("/a", "/"), ElementsAre("fsync /a", "fsync /"));
  EXPECT_THAT(synced_by("a/b", ""), ElementsAre("fsync a/b", "fsync a", "fsync ."));
  EXPECT_THAT(synced_by("./a", "."), ElementsAre("fsync ./a", "fsync .", "fsync ./.."));
  EXPECT_THAT(synced_by("../a", "../a"), ElementsAre("fsync ../a", "fsync .."));
  EXPECT_THROW(storage->sync_up("a/b", "b"), IoArgumentError);
}

TEST(LocalStorage, AFolderAboveThatMayNotBeReadIsSyncedWithItsFileSystem) {
  auto disk = std::make_shared<SimOs>();
  disk->put_folder("home/me");
  const auto storage = local_storage(Durability::commit, disk, counting_ids());
  disk->set_hook(
      [](const SimOp& op) { return op.call == OsCall::open_folder && op.path == "home" ? EACCES : 0; });
  storage->make_folder("home/me/out");
  storage->sync_up("home/me/out", "home/me");
  EXPECT_THAT(synced(*disk), ElementsAre("fsync home/me/out", "fsync home/me", "syncfs home/me"));
  EXPECT_THROW(storage->sync_up("home", "home"), IoWriteError);
}

TEST(LocalStorage, ASignalInAWriteOrOpenIsNoErrorButOneInFsyncIs) {
  const auto put = uses()[3];
  auto disk = disk_for(put, {});
  run(put, disk);
  const auto ops = disk->ops();
  for (std::size_t n = 1; n <= ops.size(); ++n) {
    disk = disk_for(put, {});
    disk->fail_at(static_cast<std::int64_t>(n), EINTR);
    const bool repeatable = ops[n - 1].call == OsCall::open_new || ops[n - 1].call == OsCall::write;
    EXPECT_EQ(!run(put, disk).error, repeatable) << trace(*disk);
  }
}

TEST(LocalStorage, AShortWriteGoesOnWithTheRest) {
  auto disk = std::make_shared<SimOs>();
  disk->put_folder("d");
  for (std::int64_t n = 1; n <= 4; ++n) disk->fail_at(n, 0, SimFault::short_write);
  local_storage(Durability::commit, disk, counting_ids())->replace("d/x", kWhole);
  EXPECT_EQ(disk->files(), (Files{{"d/x", kWhole}}));
  EXPECT_EQ(disk->ops()[1].result, 11);
}

TEST(LocalStorage, SmallWritesReachTheSystemTogether) {
  auto disk = std::make_shared<SimOs>();
  const auto writer = local_storage(Durability::commit, disk, counting_ids())->create("x");
  for (int i = 0; i < 100'000; ++i) writer->write("0123456789", 10);
  writer->finish();
  EXPECT_EQ(disk->files().at("x").size(), 1'000'000U);
  const auto ops = disk->ops();
  EXPECT_LE(std::count_if(ops.begin(), ops.end(), [](const SimOp& op) { return op.call == OsCall::write; }),
            10);
}

TEST(LocalStorage, AFailedFsyncIsNeverTriedAgain) {
  for (const auto& use : uses()) {
    auto disk = disk_for(use, {});
    run(use, disk);
    const auto ops = disk->ops();
    for (std::size_t n = 1; n <= ops.size(); ++n) {
      if (ops[n - 1].call != OsCall::fsync) continue;
      disk = disk_for(use, {});
      disk->fail_at(static_cast<std::int64_t>(n), EIO);
      run(use, disk);
      const auto calls = disk->ops();
      EXPECT_EQ(std::count_if(calls.begin() + static_cast<std::ptrdiff_t>(n), calls.end(),
                              [&](const SimOp& op) { return op.call == OsCall::fsync; }),
                0)
          << trace(*disk);
    }
  }
}

TEST(LocalStorage, AFolderWhoseFsyncFailedIsNeverSyncedAgain) {
  auto disk = std::make_shared<SimOs>();
  auto storage = local_storage(Durability::commit, disk, counting_ids());
  storage->make_folder("a/b");
  const auto held = storage->hold("a/b");
  disk->set_hook([](const SimOp& op) { return op.call == OsCall::fsync ? EIO : 0; });
  EXPECT_THROW(storage->sync("a/b"), IoWriteError);
  disk->set_hook({});
  const auto fsyncs = [&] {
    const auto ops = disk->ops();
    return std::count_if(ops.begin(), ops.end(), [](const SimOp& op) { return op.call == OsCall::fsync; });
  };
  const auto before = fsyncs();
  EXPECT_THROW(storage->sync("a/b"), IoWriteError);
  EXPECT_THROW(held->storage().sync("a/b"), IoWriteError);
  EXPECT_THROW(storage->sync_up("a/b", ""), IoWriteError);
  EXPECT_EQ(fsyncs(), before);
  storage->sync("a");
  // What could not even be opened was not flushed, so nothing is lost yet.
  disk->set_hook([](const SimOp& op) { return op.call == OsCall::open_folder ? EMFILE : 0; });
  EXPECT_THROW(storage->sync("a"), IoWriteError);
  disk->set_hook({});
  storage->sync("a");
}

TEST(LocalStorage, AStaleHandleIsLookedUpAgain) {
  auto disk = std::make_shared<SimOs>();
  auto storage = local_storage(Durability::commit, disk, counting_ids());
  disk->put("a/x", "bytes");
  for (const OsCall call : {OsCall::open_to_read, OsCall::pread, OsCall::stat, OsCall::list}) {
    bool stale = true;
    disk->set_hook(
        [&](const SimOp& op) { return op.call == call && std::exchange(stale, false) ? ESTALE : 0; });
    EXPECT_EQ(read_all(*storage, "a/x"), "bytes") << name_of(call);
    EXPECT_TRUE(storage->exists("a/x")) << name_of(call);
    EXPECT_EQ(storage->list("a").size(), 1U) << name_of(call);
    EXPECT_FALSE(stale) << name_of(call);
    // Another host has removed it meanwhile.
    stale = true;
    disk->set_hook([&](const SimOp& op) {
      if (op.call != call || !std::exchange(stale, false)) return 0;
      disk->erase("a/x");
      return ESTALE;
    });
    if (call == OsCall::open_to_read || call == OsCall::pread) {
      EXPECT_EQ(read_all(*storage, "a/x"), std::nullopt) << name_of(call);
    }
    disk->set_hook({});
    disk->put("a/x", "bytes");
  }
  disk->set_hook([](const SimOp& op) { return op.call == OsCall::pread ? ESTALE : 0; });
  EXPECT_THROW(read_all(*storage, "a/x"), IoReadError) << "for good";
}

TEST(LocalStorage, ARelativePathStartsWhereTheStorageWasMade) {
  const TempDir one, two;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(one.path());
  auto storage = local_storage();
  std::filesystem::current_path(two.path());
  EXPECT_TRUE(storage->put_if_absent("x", "1"));
  std::filesystem::current_path(before);
  EXPECT_TRUE(std::filesystem::exists(one.path() + "/x"));
  EXPECT_EQ(storage->absolute("x"), std::filesystem::canonical(one.path()).string() + "/x");
  auto given = local_storage(Durability::commit, posix_os(), random_id, two.path());
  EXPECT_TRUE(given->put_if_absent("y", "1"));
  EXPECT_TRUE(std::filesystem::exists(two.path() + "/y"));
}

TEST(LocalStorage, WithoutDurabilityNothingIsFlushed) {
  for (const auto& use : uses()) {
    auto disk = disk_for(use, {});
    try {
      use.run(*local_storage(Durability::none, disk, counting_ids()));
    } catch (const IoWriteError&) {
      EXPECT_EQ(use.name, "write_taken");
    }
    EXPECT_THAT(synced(*disk), IsEmpty()) << use.name;
  }
}

TEST(LocalStorage, AnotherMayPutJustBeforeUs) {
  auto disk = std::make_shared<SimOs>();
  disk->put_folder("d");
  const auto storage = local_storage(Durability::commit, disk, counting_ids());
  disk->set_hook([&](const SimOp& op) {
    if (op.call == OsCall::link) disk->put("d/x", "theirs");
    return 0;
  });
  EXPECT_FALSE(storage->put_if_absent("d/x", "ours"));
  EXPECT_EQ(disk->files(), (Files{{"d/x", "theirs"}}));
}

TEST(LocalStorage, AnErrorSaysWhatWhereAndWhatToDo) {
  auto disk = std::make_shared<SimOs>();
  disk->put_folder("d");
  disk->fail_at(2, ENOSPC, SimFault::short_write);
  try {
    local_storage(Durability::commit, disk, counting_ids())->replace("d/manifest.json", "{\"table\": 1}");
    FAIL() << "no error";
  } catch (const IoWriteError& e) {
    EXPECT_STREQ(e.what(),
                 "cannot write \"d/manifest.json\": No space left on device (errno 28); free some space, "
                 "then try again");
    EXPECT_EQ(e.facts().path, "d/manifest.json");
    EXPECT_EQ(e.facts().os_error, ENOSPC);
  }
}

// ---- file systems on which commits would not be safe ----

ErrorCode probed(const SimFeatures& features, const std::function<int(const SimOp&)>& hook = {}) {
  auto disk = std::make_shared<SimOs>();
  disk->put_folder("d");
  disk->set_features(features);
  disk->set_hook(hook);
  try {
    local_storage(Durability::commit, disk, counting_ids())->require_put_if_absent("d");
  } catch (const Error& e) {
    EXPECT_EQ(found_on(*disk).temporary.size(), 0U) << disk->dump();
    return e.code();
  }
  EXPECT_EQ(found_on(*disk).temporary.size(), 0U) << disk->dump();
  return ErrorCode::interrupted;  // stands for: accepted
}

constexpr auto kAccepted = ErrorCode::interrupted;
const std::string kMount =
    "25 1 8:1 / / rw - ext4 /dev/sda1 rw\n36 25 0:42 / /data rw shared:1 - nfs4 host:/export ";

TEST(LocalStorage, AFileSystemWithoutPutIfAbsentIsRefused) {
  EXPECT_EQ(probed({}), kAccepted);
  EXPECT_EQ(probed({.link = false}), kAccepted);
  EXPECT_EQ(probed({.rename_if_absent = false}), kAccepted);
  EXPECT_EQ(probed({.link = false, .rename_if_absent = false}), ErrorCode::unsafe_storage);
}

TEST(LocalStorage, AFileSystemWhoseLinkReplacesIsRefused) {
  auto disk = std::make_shared<SimOs>();
  disk->put_folder("d");
  const auto storage = local_storage(Durability::commit, disk, counting_ids());
  disk->set_hook([&](const SimOp& op) {
    if (op.call == OsCall::link && disk->files().contains(op.to)) disk->erase(op.to);
    return 0;
  });
  EXPECT_THROW(storage->require_put_if_absent("d"), IoConfigError);
  EXPECT_THAT(disk->files(), IsEmpty());
}

TEST(LocalStorage, AFaultOfTheProbeIsNoVerdict) {
  EXPECT_EQ(probed({}, [](const SimOp& op) { return op.call == OsCall::link ? EIO : 0; }),
            ErrorCode::write_failed);
  EXPECT_EQ(probed({}, [](const SimOp& op) { return op.call == OsCall::open_new ? EACCES : 0; }),
            ErrorCode::write_failed);
}

TEST(LocalStorage, NfsIsRefusedUnlessItAsksForAbsentNames) {
  EXPECT_EQ(probed({.nfs = true, .mountinfo = kMount + "rw,vers=4.2\n"}), ErrorCode::unsafe_storage);
  EXPECT_EQ(probed({.nfs = true, .mountinfo = kMount + "rw,lookupcache=all\n"}), ErrorCode::unsafe_storage);
  EXPECT_EQ(probed({.nfs = true, .mountinfo = ""}), ErrorCode::unsafe_storage);
  EXPECT_EQ(probed({.nfs = true, .mountinfo = kMount + "rw,lookupcache=pos,vers=4.2\n"}), kAccepted);
  EXPECT_EQ(probed({.nfs = true, .mountinfo = kMount + "rw,lookupcache=positive\n"}), kAccepted);
  EXPECT_EQ(probed({.nfs = true, .mountinfo = kMount + "lookupcache=none\n"}), kAccepted);
}

TEST(LocalStorage, MountOptionsAreThoseOfTheDevice) {
  const std::string other = "36 25 0:42 / /data rw - nfs4 host:/export rw,lookupcache=none\n";
  EXPECT_FALSE(caches_absent_names(other, "0:42"));
  EXPECT_TRUE(caches_absent_names(other, "0:4"));
  EXPECT_TRUE(caches_absent_names(other + "37 25 0:42 /x /y rw - nfs4 host:/export rw\n", "0:42"));
  EXPECT_TRUE(caches_absent_names(
      "36 25 0:42 / /data rw - nfs4 host:/lookupcache=none rw,xlookupcache=none\n", "0:42"));
}

// ---- the real disk ----

TEST(LocalStorage, FilesAndFoldersHaveTheUsualModes) {
  const TempDir folder;
  const auto old_mask = ::umask(027);
  const auto storage = local_storage();
  storage->make_folder(folder.path() + "/a");
  storage->replace(folder.path() + "/a/x", "1");
  ::umask(old_mask);
  struct ::stat found {};
  ASSERT_EQ(::stat((folder.path() + "/a/x").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777, 0640U);
  ASSERT_EQ(::stat((folder.path() + "/a").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777, 0750U);
}

TEST(LocalStorage, FileDescriptorsAreNotInherited) {
  const TempDir folder;
  const auto os = posix_os();
  const int written = os->open_new(folder.path() + "/x");
  const int read = os->open_to_read(folder.path() + "/x");
  const int listed = os->open_folder(folder.path());
  for (const int fd : {written, read, listed}) {
    ASSERT_GE(fd, 0);
    EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_EQ(os->close(fd), 0);
  }
}

TEST(LocalStorage, ALinkToAFolderIsAFolder) {
  const TempDir folder;
  const auto storage = local_storage();
  storage->make_folder(folder.path() + "/real");
  std::filesystem::create_directory_symlink("real", folder.path() + "/linked");
  std::filesystem::create_symlink("nowhere", folder.path() + "/dangling");
  EXPECT_FALSE(storage->make_folder(folder.path() + "/linked"));
  EXPECT_TRUE(storage->make_folder(folder.path() + "/linked/a"));
  storage->replace(folder.path() + "/linked/a/x", "1");
  storage->sync_up(folder.path() + "/linked/a", folder.path() + "/linked");
  EXPECT_EQ(read_all(*storage, folder.path() + "/real/a/x"), "1");
  const auto entries = storage->list(folder.path());
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_FALSE(entries[0].is_folder);
  EXPECT_TRUE(entries[1].is_folder);
  EXPECT_FALSE(storage->exists(folder.path() + "/dangling"));
}

TEST(LocalStorage, TheRealDiskIsTakenAsItIs) {
  const TempDir folder;
  local_storage()->require_put_if_absent(folder.path());
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(LocalStorage, RandomIdsAreIds) {
  EXPECT_TRUE(is_hex_id(random_id()));
  EXPECT_NE(random_id(), random_id());
}

}  // namespace
}  // namespace crv::io
