#include "crv/io/artifacts.h"

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "crv/core/error.h"
#include "io/dataset/artifact_files.h"
#include "io/part/part.h"
#include "io/storage/local_storage.h"
#include "io/support/sim_os.h"
#include "io/support/temp_dir.h"

namespace crv::io {
namespace {

using Files = std::map<std::string, std::string>;

std::string bytes_of(const std::string& path) {
  return read_all(*local_storage(), path).value_or("(absent)");
}

std::shared_ptr<arrow::Table> small_table() {
  arrow::Int64Builder ticks;
  EXPECT_TRUE(ticks.AppendValues({1, 2, 3}).ok());
  return arrow::Table::Make(arrow::schema({arrow::field("tick", arrow::int64())}),
                            {ticks.Finish().ValueOrDie()});
}

TEST(Artifacts, TheRootIsNamedAndNotMade) {
  const TempDir folder;
  IoSettings settings;
  settings.root_dir = folder.path();
  EXPECT_EQ(artifacts_root(settings, "r"), folder.path() + "/runs/r/artifacts");
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  EXPECT_THROW(artifacts_root(settings, "../r"), IoArgumentError);
}

TEST(Artifacts, LabFoldersAreMade) {
  const TempDir folder;
  IoSettings settings;
  settings.root_dir = folder.path();
  for (const auto name : kLabSubdirs) {
    const auto made = lab_dir(settings, "r", std::string(name));
    EXPECT_EQ(made, folder.path() + "/runs/r/artifacts/lab/" + std::string(name));
    EXPECT_TRUE(std::filesystem::is_directory(made));
    EXPECT_EQ(lab_dir(settings, "r", std::string(name)), made);
  }
}

TEST(Artifacts, AnUnknownLabFolderIsRefused) {
  const TempDir folder;
  IoSettings settings;
  settings.root_dir = folder.path();
  for (const char* bad : {"", "Tidy", "tidy/x", "..", "other"}) {
    try {
      lab_dir(settings, "r", bad);
      ADD_FAILURE() << "taken: " << bad;
    } catch (const IoArgumentError& e) {
      EXPECT_EQ(e.code(), ErrorCode::bad_argument);
      EXPECT_EQ(e.facts().value, bad);
      EXPECT_THAT(e.what(), testing::HasSubstr("tidy, probes, policy, audit"));
    }
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Artifacts, TextIsWrittenWithTheFoldersAboveAndReplaced) {
  const TempDir folder;
  const auto path = folder.path() + "/a/b/notes.txt";
  const auto first = write_text_atomic(path, "hello");
  EXPECT_EQ(first.path, path);
  EXPECT_EQ(first.bytes, 5);
  EXPECT_THAT(first.created_at, testing::MatchesRegex("20..-..-..T..:..:..(\\.......)?\\+00:00"));
  EXPECT_EQ(bytes_of(path), "hello");
  EXPECT_EQ(write_text_atomic(path, "").bytes, 0);
  EXPECT_EQ(bytes_of(path), "");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path() + "/a/b"), {}), 1);
}

TEST(Artifacts, APathWithoutAFolderIsBelowTheWorkingDirectory) {
  auto disk = std::make_shared<SimOs>();
  write_text_atomic(*local_storage(Durability::commit, disk), "notes.txt", "hello");
  EXPECT_EQ(disk->after_power_cut(PowerCut::all_lost())->files(), (Files{{"notes.txt", "hello"}}));
}

TEST(Artifacts, APathThatNamesNoFileIsRefused) {
  const TempDir folder;
  using namespace std::string_literals;
  for (const auto& bad : {""s, folder.path() + "/"s, folder.path() + "/.."s, folder.path() + "/a\0b"s}) {
    EXPECT_THROW(write_text_atomic(bad, "x"), IoArgumentError) << bad;
    EXPECT_THROW(write_parquet_atomic(bad, *small_table()), IoArgumentError) << bad;
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Artifacts, AFrameIsParquetThatAnyoneReads) {
  const TempDir folder;
  const auto path = folder.path() + "/tidy.parquet";
  const auto stat = write_parquet_atomic(path, *small_table());
  EXPECT_EQ(stat.rows, 3);
  EXPECT_EQ(stat.bytes, static_cast<std::int64_t>(std::filesystem::file_size(path)));
  EXPECT_EQ(parquet_rows(*local_storage(), path), 3);
  EXPECT_EQ(bytes_of(path).find("crv_"), std::string::npos);
}

TEST(Artifacts, FileStatOfWhatIsNotThere) {
  const TempDir folder;
  const auto stat = file_stat(folder.path() + "/none");
  EXPECT_EQ(stat.path, folder.path() + "/none");
  EXPECT_EQ(stat.bytes, 0);
  write_text_atomic(folder.path() + "/some", "123");
  EXPECT_EQ(file_stat(folder.path() + "/some").bytes, 3);
}

TEST(Artifacts, AFaultAtAnyCallIsTypedAndLeavesOneWholeFile) {
  auto disk = std::make_shared<SimOs>();
  write_text_atomic(*local_storage(Durability::commit, disk), "a/b/x", "new");
  const auto calls = static_cast<std::int64_t>(disk->ops().size());
  for (std::int64_t n = 1; n <= calls; ++n) {
    for (const bool power_cut : {false, true}) {
      disk = std::make_shared<SimOs>();
      disk->put("a/b/x", "old");
      if (power_cut) {
        disk->stop_after(n - 1);
      } else {
        disk->fail_at(n, ENOSPC);
      }
      bool returned = false;
      try {
        write_text_atomic(*local_storage(Durability::commit, disk), "a/b/x", "new");
        returned = true;
      } catch (const IoError& e) {
        EXPECT_NE(e.facts().os_error, 0) << e.what();
      }
      const auto files =
          disk->after_power_cut(power_cut ? PowerCut::by_chance(1) : PowerCut::all_kept())->files();
      EXPECT_TRUE(files.at("a/b/x") == "new" || (!returned && files.at("a/b/x") == "old")) << disk->dump();
      if (!power_cut) {
        EXPECT_EQ(files.size(), 1U) << disk->dump();
      }
    }
  }
}

TEST(Artifacts, WhatIsAcknowledgedSurvivesWithAllFoldersAbove) {
  auto disk = std::make_shared<SimOs>();
  const auto storage = local_storage(Durability::commit, disk);
  write_parquet_atomic(*storage, "out/runs/r/artifacts/lab/tidy/t.parquet", *small_table());
  EXPECT_EQ(disk->after_power_cut(PowerCut::all_lost())->files(), disk->files());
  EXPECT_EQ(disk->files().size(), 1U);
}

}  // namespace
}  // namespace crv::io
