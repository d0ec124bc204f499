#include "io/support/storage_conformance.h"

#include <cerrno>
#include <thread>
#include <vector>

#include "crv/core/error.h"

namespace crv::io {

// Some programs link this without an implementation.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StorageConformance);

void StorageConformance::write(const std::string& name, const std::string& bytes) {
  const auto writer = storage_.create(path(name));
  writer->write(bytes.data(), static_cast<std::int64_t>(bytes.size()));
  writer->finish();
}

std::string StorageConformance::read(const std::string& name) {
  return read_all(storage_, path(name)).value_or("(absent)");
}

std::string StorageConformance::names(const std::string& folder) {
  std::string out;
  for (const auto& entry : storage_.list(folder.empty() ? instance_.root : path(folder))) {
    if (!out.empty()) out += ' ';
    out += entry.name;
    if (entry.is_folder) out += '/';
  }
  return out;
}

namespace {

constexpr const char* kTemporary = ".x.0123456789abcdef0123456789abcdef.tmp";

// The error that `work` throws.
template <class E, class Work>
E caught(const Work& work) {
  try {
    work();
  } catch (const E& e) {
    return e;
  } catch (const std::exception& e) {
    ADD_FAILURE() << "another error: " << e.what();
    return E(ErrorCode::interrupted, "");
  }
  ADD_FAILURE() << "no error";
  return E(ErrorCode::interrupted, "");
}

TEST_P(StorageConformance, AnAbsentObjectIsNoError) {
  EXPECT_EQ(storage_.open(path("x")), nullptr);
  EXPECT_EQ(storage_.open(path("no/folder/x")), nullptr);
  EXPECT_FALSE(storage_.exists(path("x")));
  EXPECT_FALSE(storage_.stat(path("x")));
  EXPECT_FALSE(storage_.remove(path("x")));
  EXPECT_EQ(read_all(storage_, path("x")), std::nullopt);
  EXPECT_EQ(names("no/folder"), "");
}

TEST_P(StorageConformance, AnObjectIsVisibleWholeAndOnlyWhenFinished) {
  const auto writer = storage_.create(path("x"));
  writer->write("hello ", 6);
  EXPECT_FALSE(storage_.exists(path("x")));
  EXPECT_EQ(names(), "");
  writer->write("world", 5);
  writer->finish();
  EXPECT_EQ(names(), "x");
  EXPECT_EQ(read("x"), "hello world");
}

TEST_P(StorageConformance, AnAbandonedWriterLeavesNothing) {
  storage_.create(path("x"))->write("half", 4);
  EXPECT_FALSE(storage_.exists(path("x")));
  write("x", "whole");
  EXPECT_EQ(read("x"), "whole");
}

TEST_P(StorageConformance, AWriterReplacesNothingAndWritesNoMoreAfterAnError) {
  write("x", "first");
  const auto writer = storage_.create(path("x"));
  writer->write("second", 6);
  const auto error = caught<IoWriteError>([&] { writer->finish(); });
  EXPECT_EQ(error.code(), ErrorCode::write_failed);
  EXPECT_EQ(error.facts().os_error, EEXIST);
  EXPECT_EQ(error.facts().path, path("x"));
  EXPECT_THROW(writer->write("more", 4), IoWriteError);
  EXPECT_THROW(writer->finish(), IoWriteError);
  EXPECT_EQ(read("x"), "first");
  EXPECT_EQ(names(), "x");
}

TEST_P(StorageConformance, AnObjectNeedsItsFolder) {
  EXPECT_THROW(storage_.create(path("no/x")), IoWriteError);
  EXPECT_THROW(storage_.put_if_absent(path("no/x"), "1"), IoWriteError);
  EXPECT_THROW(storage_.replace(path("no/x"), "1"), IoWriteError);
  EXPECT_FALSE(storage_.exists(path("no")));
}

TEST_P(StorageConformance, ReadsAtAnyOffset) {
  write("x", "0123456789");
  const auto reader = storage_.open(path("x"));
  ASSERT_NE(reader, nullptr);
  EXPECT_EQ(reader->size(), 10);
  std::string out(10, '-');
  EXPECT_EQ(reader->read_at(3, 4, out.data()), 4);
  EXPECT_EQ(out, "3456------");
  EXPECT_EQ(reader->read_at(8, 10, out.data()), 2);
  EXPECT_EQ(out.substr(0, 3), "895");
  EXPECT_EQ(reader->read_at(10, 1, out.data()), 0);
  EXPECT_EQ(reader->read_at(99, 1, out.data()), 0);
  EXPECT_EQ(reader->read_at(0, 0, out.data()), 0);
  EXPECT_THROW(reader->read_at(-1, 1, out.data()), IoReadError);
}

TEST_P(StorageConformance, AnObjectOfManyWritesReadByManyThreads) {
  std::string bytes;
  for (int i = 0; i < 300'000; ++i) bytes += std::to_string(i) + ",";
  const auto writer = storage_.create(path("x"));
  const auto half = static_cast<std::int64_t>(bytes.size() / 2);
  for (std::int64_t at = 0; at < half; at += 1000)
    writer->write(bytes.data() + at, std::min<std::int64_t>(1000, half - at));
  writer->write(bytes.data() + half, static_cast<std::int64_t>(bytes.size()) - half);
  writer->finish();

  const auto reader = storage_.open(path("x"));
  std::vector<std::string> seen(4);
  std::vector<std::thread> threads;
  for (auto& out : seen) {
    threads.emplace_back([&] {
      out.resize(bytes.size());
      const auto size = static_cast<std::int64_t>(out.size());
      for (std::int64_t at = 0; at < size; at += 70'001) {
        reader->read_at(at, std::min<std::int64_t>(70'001, size - at), out.data() + at);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& out : seen) EXPECT_TRUE(out == bytes);
}

TEST_P(StorageConformance, PutIfAbsentPutsOnce) {
  EXPECT_TRUE(storage_.put_if_absent(path("x"), "first"));
  EXPECT_FALSE(storage_.put_if_absent(path("x"), "second"));
  EXPECT_EQ(read("x"), "first");
  EXPECT_EQ(names(), "x");
  EXPECT_TRUE(storage_.put_if_absent(path("empty"), ""));
  EXPECT_EQ(read("empty"), "");
}

TEST_P(StorageConformance, OfManyThatPutOnlyOneWins) {
  for (int round = 0; round < 20; ++round) {
    const auto name = "x" + std::to_string(round);
    std::vector<int> won(8, 0);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < won.size(); ++i) {
      threads.emplace_back(
          [&, i] { won[i] = storage_.put_if_absent(path(name), std::string(1000, char('a' + i))); });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(std::count(won.begin(), won.end(), 1), 1);
    const auto winner = std::find(won.begin(), won.end(), 1) - won.begin();
    EXPECT_EQ(read(name), std::string(1000, static_cast<char>('a' + winner)));
  }
}

TEST_P(StorageConformance, ReplaceGivesTheNameToTheNewBytes) {
  storage_.replace(path("x"), "first");
  const auto before = storage_.open(path("x"));
  storage_.replace(path("x"), "2nd");
  EXPECT_EQ(read("x"), "2nd");
  std::string out(5, '-');
  EXPECT_EQ(before->read_at(0, 5, out.data()), 5);
  EXPECT_EQ(out, "first");
  EXPECT_EQ(names(), "x");
}

TEST_P(StorageConformance, ARemovedObjectStaysReadableToWhoHasItOpen) {
  write("x", "bytes");
  const auto reader = storage_.open(path("x"));
  EXPECT_TRUE(storage_.remove(path("x")));
  EXPECT_FALSE(storage_.exists(path("x")));
  std::string out(5, '-');
  EXPECT_EQ(reader->read_at(0, 5, out.data()), 5);
  EXPECT_EQ(out, "bytes");
}

TEST_P(StorageConformance, MoveTakesObjectsAndFoldersToFreeNamesOnly) {
  storage_.make_folder(path("a/b"));
  write("a/b/x", "1");
  storage_.move(path("a/b"), path("c"));
  EXPECT_EQ(read("c/x"), "1");
  EXPECT_EQ(names("a"), "");
  storage_.move(path("c/x"), path("a/y"));
  EXPECT_EQ(read("a/y"), "1");

  write("z", "2");
  EXPECT_EQ(caught<IoWriteError>([&] { storage_.move(path("z"), path("a/y")); }).facts().os_error, EEXIST);
  EXPECT_EQ(read("z"), "2");
  EXPECT_EQ(read("a/y"), "1");
  EXPECT_EQ(caught<IoWriteError>([&] { storage_.move(path("a"), path("c")); }).facts().os_error, EEXIST);
  EXPECT_EQ(names(), "a/ c/ z");
  EXPECT_THROW(storage_.move(path("nothing"), path("d")), IoWriteError);
}

TEST_P(StorageConformance, StatTellsSizeAndTime) {
  write("x", "12345");
  const auto stat = storage_.stat(path("x"));
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->size, 5);
  EXPECT_GT(stat->modified_us, 0);
  EXPECT_TRUE(storage_.exists(path("x")));
  EXPECT_TRUE(storage_.exists(instance_.root));
}

TEST_P(StorageConformance, ListIsSortedAndHidesTemporaryNamesOnly) {
  for (const char* name : {"b", "a10", "a9", ".hidden", "B", "x.tmp", ".x.tmp"}) write(name, "");
  storage_.make_folder(path("folder"));
  storage_.put_if_absent(path(kTemporary), "");
  EXPECT_EQ(names(), ".hidden .x.tmp B a10 a9 b folder/ x.tmp");
}

TEST_P(StorageConformance, NamesAreNeverPatterns) {
  for (const std::string name : {"a*b", "[x]", "q?", "with space", "Ωμ", "a:b", "%41", "-rf", "~"}) {
    write(name, name);
    EXPECT_EQ(read(name), name);
  }
  EXPECT_EQ(read("a?b"), "(absent)");
  EXPECT_EQ(read("A"), "(absent)");
}

TEST_P(StorageConformance, MakeFolderMakesThoseAboveAndTellsWhetherItWasNew) {
  EXPECT_TRUE(storage_.make_folder(path("a/b/c")));
  EXPECT_FALSE(storage_.make_folder(path("a/b/c")));
  EXPECT_FALSE(storage_.make_folder(path("a")));
  EXPECT_TRUE(storage_.make_folder(path("a//d/e/")));
  EXPECT_EQ(names("a"), "b/ d/");
  write("a/x", "");
  EXPECT_THROW(storage_.make_folder(path("a/x")), IoWriteError);
  EXPECT_THROW(storage_.make_folder(path("a/x/y")), IoWriteError);
}

TEST_P(StorageConformance, SyncNeedsTheFolder) {
  storage_.make_folder(path("a/b"));
  storage_.sync(path("a/b"));
  storage_.sync_up(path("a/b"), path("a"));
  storage_.sync_up(path("a/b/"), instance_.root + "/");
  storage_.sync_up(path("a/b"), "");
}

TEST_P(StorageConformance, FlushNeedsTheObjectAndChangesNothing) {
  write("x", "123");
  storage_.flush(path("x"));
  EXPECT_EQ(names(), "x");
  EXPECT_EQ(caught<IoWriteError>([&] { storage_.flush(path("gone")); }).facts().os_error, ENOENT);
}

TEST_P(StorageConformance, AFileIsNoFolderAndAFolderNoObject) {
  write("file", "");
  storage_.make_folder(path("folder"));
  EXPECT_EQ(caught<IoReadError>([&] { storage_.open(path("file/x")); }).facts().os_error, ENOTDIR);
  EXPECT_THROW(storage_.stat(path("file/x")), IoReadError);
  EXPECT_THROW(storage_.list(path("file")), IoReadError);
  EXPECT_THROW(storage_.remove(path("folder")), IoWriteError);
  EXPECT_THROW(storage_.replace(path("folder"), "1"), IoWriteError);
  EXPECT_FALSE(storage_.put_if_absent(path("folder"), "1"));
  const auto error = caught<IoReadError>([&] { storage_.open(path("folder")); });
  EXPECT_EQ(error.code(), ErrorCode::read_failed);
  EXPECT_EQ(error.facts().path, path("folder"));
  EXPECT_EQ(names(), "file folder/");
}

TEST_P(StorageConformance, AHeldFolderStaysItselfWhateverItsPathLeadsTo) {
  storage_.make_folder(path("a"));
  write("a/x", "first");
  const std::unique_ptr<Folder> held = storage_.hold(path("a"));
  ASSERT_TRUE(held);
  EXPECT_TRUE(held->is_in_place());
  EXPECT_TRUE(held->storage().put_if_absent(path("a/y"), "by the handle"));
  EXPECT_EQ(read("a/y"), "by the handle");
  storage_.move(path("a"), path("b"));
  EXPECT_FALSE(held->is_in_place());
  storage_.make_folder(path("a"));
  write("a/x", "second");
  EXPECT_FALSE(held->is_in_place());
  EXPECT_EQ(read_all(held->storage(), path("a/x")), "first");
  EXPECT_EQ(read_all(storage_, path("a/x")), "second");
  EXPECT_FALSE(held->storage().put_if_absent(path("a/y"), "again"));
  EXPECT_TRUE(held->storage().put_if_absent(path("a/z"), "z"));
  EXPECT_TRUE(held->storage().remove(path("a/y")));
  held->storage().sync(path("a"));
  EXPECT_EQ(names("a"), "x");
  EXPECT_EQ(names("b"), "x z");
  EXPECT_EQ(held->storage().list(path("a")).size(), 2U);
  EXPECT_FALSE(held->storage().exists(path("a/y")));
  // Only what is in the folder is found through it.
  write("ab", "beside");
  EXPECT_EQ(read_all(held->storage(), path("ab")), "beside");
  EXPECT_EQ(storage_.hold(path("gone")), nullptr);
}

TEST_P(StorageConformance, TheProbeLeavesNothing) {
  storage_.require_put_if_absent(instance_.root);
  EXPECT_FALSE(storage_.exists(path(kTemporary)));
  EXPECT_EQ(names(), "");
}

}  // namespace
}  // namespace crv::io
