#include "io/support/sim_os.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <set>

namespace crv::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Files = std::map<std::string, std::string>;

void write_file(SimOs& disk, const std::string& path, const std::string& bytes, bool flushed) {
  const int fd = disk.open_new(path);
  ASSERT_GE(fd, 0) << path;
  ASSERT_EQ(disk.write(fd, bytes.data(), bytes.size()), static_cast<std::int64_t>(bytes.size()));
  if (flushed) {
    ASSERT_EQ(disk.fsync(fd), 0);
  }
  ASSERT_EQ(disk.close(fd), 0);
}

int sync_folder(SimOs& disk, const std::string& path) {
  const int fd = disk.open_folder(path);
  const int r = disk.fsync(fd);
  disk.close(fd);
  return r;
}

// What stands there after the power was cut in `rounds` ways.
std::set<Files> left_by_chance(const SimOs& disk, std::uint64_t rounds = 200) {
  std::set<Files> out;
  for (std::uint64_t seed = 0; seed < rounds; ++seed) {
    out.insert(disk.after_power_cut(PowerCut::by_chance(seed))->files());
  }
  return out;
}

TEST(SimOs, BytesAndNameAreFlushedApart) {
  SimOs disk;
  write_file(disk, "bytes", "12", true);
  write_file(disk, "neither", "12", false);
  EXPECT_THAT(disk.after_power_cut(PowerCut::all_lost())->files(), IsEmpty());
  sync_folder(disk, ".");
  EXPECT_EQ(disk.after_power_cut(PowerCut::all_lost())->files(), (Files{{"bytes", "12"}, {"neither", ""}}));
  EXPECT_EQ(disk.after_power_cut(PowerCut::all_kept())->files(), disk.files());
  std::set<std::string> seen;
  for (const auto& files : left_by_chance(disk)) {
    EXPECT_EQ(files.at("bytes"), "12");
    seen.insert(files.at("neither"));
  }
  using namespace std::string_literals;
  EXPECT_EQ(seen, (std::set<std::string>{"", "1", "12", "\0\0"s, "1\0"s}));
}

TEST(SimOs, NamesThatAreNotFlushedAreKeptInAnyCombination) {
  SimOs disk;
  write_file(disk, "a", "", true);
  write_file(disk, "b", "", true);
  EXPECT_EQ(left_by_chance(disk), (std::set<Files>{{}, {{"a", ""}}, {{"b", ""}}, {{"a", ""}, {"b", ""}}}));
}

TEST(SimOs, ARemovedNameMayComeBack) {
  SimOs disk;
  disk.put("a", "1");
  disk.unlink("a");
  EXPECT_THAT(disk.files(), IsEmpty());
  EXPECT_EQ(left_by_chance(disk), (std::set<Files>{{}, {{"a", "1"}}}));
  EXPECT_THAT(disk.dump(), HasSubstr("removal of a not flushed"));
  sync_folder(disk, "/");
  EXPECT_EQ(left_by_chance(disk), (std::set<Files>{{}}));
}

TEST(SimOs, ARenameIsOneStep) {
  SimOs disk;
  disk.put("a/x", "new");
  disk.put("b/y", "old");
  ASSERT_EQ(disk.rename("a/x", "b/y"), 0);
  const Files before{{"a/x", "new"}, {"b/y", "old"}}, after{{"b/y", "new"}};
  EXPECT_EQ(left_by_chance(disk), (std::set<Files>{before, after}));
  sync_folder(disk, "b");
  EXPECT_EQ(left_by_chance(disk), (std::set<Files>{after}));
}

TEST(SimOs, AFolderThatWasNotFlushedTakesItsContentsWithIt) {
  SimOs disk;
  ASSERT_EQ(disk.mkdir("a"), 0);
  ASSERT_EQ(disk.mkdir("a/b"), 0);
  write_file(disk, "a/b/x", "1", true);
  sync_folder(disk, "a/b");
  sync_folder(disk, "a");
  EXPECT_EQ(left_by_chance(disk), (std::set<Files>{{}, {{"a/b/x", "1"}}}));
  sync_folder(disk, "");
  sync_folder(disk, ".");
  EXPECT_EQ(left_by_chance(disk), (std::set<Files>{{{"a/b/x", "1"}}}));
}

TEST(SimOs, AFailedFsyncLosesForGoodAndALaterOneLies) {
  SimOs disk;
  const int fd = disk.open_new("x");
  disk.write(fd, "1", 1);
  disk.fail_at(1, EIO);
  EXPECT_EQ(disk.fsync(fd), -EIO);
  EXPECT_EQ(disk.fsync(fd), 0);
  disk.close(fd);
  disk.fail_at(2, EIO);
  EXPECT_EQ(sync_folder(disk, "."), -EIO);
  EXPECT_EQ(sync_folder(disk, "."), 0);
  EXPECT_EQ(disk.files(), (Files{{"x", "1"}}));
  EXPECT_THAT(disk.after_power_cut(PowerCut::all_lost())->files(), IsEmpty());
  EXPECT_EQ(disk.after_power_cut(PowerCut::names_kept_bytes_lost())->files(), (Files{{"x", ""}}));
}

TEST(SimOs, SyncfsFlushesAll) {
  SimOs disk;
  disk.mkdir("a");
  write_file(disk, "a/x", "1", false);
  const int fd = disk.open_folder("a");
  EXPECT_EQ(disk.syncfs(fd), 0);
  EXPECT_EQ(disk.after_power_cut(PowerCut::all_lost())->files(), (Files{{"a/x", "1"}}));
}

TEST(SimOs, AfterItStopsNothingHappensAnyMore) {
  SimOs disk;
  disk.stop_after(2);
  EXPECT_EQ(disk.mkdir("a"), 0);
  EXPECT_EQ(disk.mkdir("b"), 0);
  EXPECT_FALSE(disk.stopped());
  EXPECT_EQ(disk.mkdir("c"), -EIO);
  EXPECT_TRUE(disk.stopped());
  EXPECT_EQ(disk.open_folder("a"), -EIO);
  EXPECT_EQ(disk.ops().size(), 2U);
  EXPECT_THAT(disk.folders(), ElementsAre("a", "b"));
  disk.clear_faults();
  EXPECT_EQ(disk.mkdir("c"), 0);
}

TEST(SimOs, FaultsOfEachKind) {
  SimOs disk;
  disk.fail_at(1, ENOSPC);
  EXPECT_EQ(disk.mkdir("a"), -ENOSPC);
  disk.fail_at(1, EIO, SimFault::reply_lost);
  EXPECT_EQ(disk.mkdir("a"), -EIO);
  EXPECT_EQ(disk.mkdir("a"), -EEXIST);
  const int fd = disk.open_new("x");
  disk.fail_at(1, ENOSPC, SimFault::short_write);
  EXPECT_EQ(disk.write(fd, "1234", 4), 2);
  EXPECT_EQ(disk.write(fd, "34", 2), -ENOSPC);
  EXPECT_EQ(disk.files().at("x"), "12");
  disk.fail_at(1, EIO);
  EXPECT_EQ(disk.close(fd), -EIO);
  EXPECT_EQ(disk.open_files(), 0U);
}

TEST(SimOs, AHookSeesEachCallFirstAndMayUseTheDisk) {
  SimOs disk;
  std::vector<std::string> seen;
  disk.set_hook([&](const SimOp& op) {
    seen.push_back(to_string(op));
    disk.mkdir("by_hook");
    return op.path == "b" ? EACCES : 0;
  });
  EXPECT_EQ(disk.mkdir("a"), 0);
  EXPECT_EQ(disk.mkdir("b"), -EACCES);
  EXPECT_THAT(seen, ElementsAre("mkdir a = 0", "mkdir b = 0"));
  EXPECT_THAT(disk.folders(), ElementsAre("a", "by_hook"));
}

TEST(SimOs, ACloneGoesItsOwnWay) {
  SimOs disk;
  disk.put("x", "1");
  const int fd = disk.open_new("y");
  disk.write(fd, "a", 1);
  const auto other = disk.clone();
  disk.write(fd, "b", 1);
  disk.unlink("x");
  EXPECT_EQ(disk.files(), (Files{{"y", "ab"}}));
  EXPECT_EQ(other->files(), (Files{{"x", "1"}, {"y", "a"}}));
  EXPECT_THAT(other->ops(), IsEmpty());
}

TEST(SimOs, AnotherHandsChangesAreDurable) {
  SimOs disk;
  disk.put("a/b/x", "1");
  disk.put("a/b/x", "2");
  disk.put("a/y", "3");
  disk.erase("a/y");
  EXPECT_EQ(left_by_chance(disk), (std::set<Files>{{{"a/b/x", "2"}}}));
  disk.erase("a");
  EXPECT_THAT(disk.folders(), IsEmpty());
}

TEST(SimOs, IdsCount) {
  const auto ids = counting_ids(254);
  EXPECT_EQ(ids(), "000000000000000000000000000000fe");
  EXPECT_EQ(ids(), "000000000000000000000000000000ff");
}

}  // namespace
}  // namespace crv::io
