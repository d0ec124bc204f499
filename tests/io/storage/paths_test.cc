#include "io/storage/paths.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

#include "crv/core/error.h"

namespace crv::io {
namespace {

using namespace std::string_literals;

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
const std::string kId = "0123456789abcdef0123456789abcdef";

TEST(Paths, JoinAddsOneSlashAndAnAbsolutePartStartsAnew) {
  EXPECT_EQ(join("a", "b"), "a/b");
  EXPECT_EQ(join("a/", "b"), "a/b");
  EXPECT_EQ(join("", "b"), "b");
  EXPECT_EQ(join("a", "/b"), "/b");
  EXPECT_EQ(join("/", "b"), "/b");
  EXPECT_EQ(join("a", ""), "a/");
}

TEST(Paths, ParentAndBaseName) {
  EXPECT_EQ(parent_of("a/b/c"), "a/b");
  EXPECT_EQ(parent_of("/a"), "/");
  EXPECT_EQ(parent_of("a"), "");
  EXPECT_EQ(base_name_of("a/b/c"), "c");
  EXPECT_EQ(base_name_of("c"), "c");
  EXPECT_EQ(base_name_of("a/"), "");
}

TEST(Paths, NamesOfARun) {
  const RunPaths p("out", "run_1");
  EXPECT_EQ(runs_root("out"), "out/runs");
  EXPECT_EQ(p.run(), "out/runs/run_1");
  EXPECT_EQ(p.run_json(), "out/runs/run_1/run.json");
  EXPECT_EQ(p.bundle_manifest(), "out/runs/run_1/bundle.manifest.json");
  EXPECT_EQ(p.log(), "out/runs/run_1/log");
  EXPECT_EQ(p.commit(1), "out/runs/run_1/log/00000000000000000001.json");
  EXPECT_EQ(p.commit(kMax), "out/runs/run_1/log/09223372036854775807.json");
  EXPECT_EQ(p.fold(1, 1024), "out/runs/run_1/log/00000000000000000001-00000000000000001024.jsonl");
  EXPECT_EQ(p.tables(), "out/runs/run_1/tables");
  EXPECT_EQ(p.table("holdings"), "out/runs/run_1/tables/holdings");
  EXPECT_EQ(p.manifest("holdings"), "out/runs/run_1/tables/holdings/manifest.json");
  EXPECT_EQ(p.bucket("holdings", 123), "out/runs/run_1/tables/holdings/bucket=000123");
  EXPECT_EQ(p.part("holdings", 0, part_file(kId)),
            "out/runs/run_1/tables/holdings/bucket=000000/part-" + kId + ".parquet");
  EXPECT_EQ(p.artifacts(), "out/runs/run_1/artifacts");
  EXPECT_EQ(p.aside("lost log"), "out/runs/run_1/aside/lost log");
  EXPECT_EQ(RunPaths("", "r").run(), "runs/r");
  EXPECT_EQ(RunPaths("/", "r").run(), "/runs/r");
}

TEST(Paths, ANameThatLeavesItsFolderIsRefused) {
  const RunPaths p("out", "run_1");
  for (const std::string& bad : {""s, "."s, ".."s, "/etc"s, "a/b"s, "a\\b"s, "a\nb"s, "a\0b"s}) {
    EXPECT_THROW(p.table(bad), IoArgumentError) << bad;
    EXPECT_THROW(p.part("holdings", 0, bad), IoArgumentError) << bad;
    EXPECT_THROW(p.aside(bad), IoArgumentError) << bad;
  }
  EXPECT_THROW(p.commit(0), IoArgumentError);
  EXPECT_THROW(p.fold(0, 5), IoArgumentError);
  EXPECT_THROW(p.fold(5, 4), IoArgumentError);
  EXPECT_THROW(p.bucket("holdings", -1), IoArgumentError);
}

TEST(Paths, RunIdsThatADatasetTakes) {
  for (const std::string& good :
       {"run_1a2b"s, "my run"s, "a.b"s, "..."s, ".hidden"s, "Ωmega"s, "a:b*?[x]"s}) {
    EXPECT_NO_THROW(check_run_id(good)) << good;
    EXPECT_EQ(RunPaths("out", good).run(), "out/runs/" + good);
  }
  for (const std::string& bad : {""s, "."s, ".."s, "../x"s, "/abs"s, "a/b"s, "a\\b"s, "a\n"s, "a\tb"s,
                                 "a\x7f"s, "a\0b"s, "a\xc2\x85"s, "a\xff"s, "\xc2"s}) {
    try {
      check_run_id(bad);
      FAIL() << "taken: " << bad;
    } catch (const IoArgumentError& e) {
      EXPECT_EQ(e.code(), ErrorCode::bad_run_id);
      EXPECT_EQ(e.facts().value, bad);
    }
    EXPECT_THROW(RunPaths("out", bad), IoArgumentError);
  }
}

TEST(Paths, MessageShowsControlCharactersEscaped) {
  try {
    check_run_id("a\n\x1b[31m");
    FAIL();
  } catch (const IoArgumentError& e) {
    EXPECT_NE(std::string(e.what()).find("\"a\\n\\x1b[31m\""), std::string::npos) << e.what();
  }
}

TEST(Paths, ValidateRunIdIsStricter) {
  EXPECT_EQ(validate_run_id("run_1.a:b-C"), "run_1.a:b-C");
  for (const std::string& bad : {""s, "."s, ".."s, "a\n"s, "a b"s, " a"s, "a*"s, "é"s, "a/b"s}) {
    EXPECT_THROW(validate_run_id(bad), IoArgumentError) << bad;
  }
}

TEST(Paths, NormalizeRunIdTrimsAndJoinsWords) {
  EXPECT_EQ(normalize_run_id("  my  run 1\n"), "my__run_1");
  EXPECT_EQ(normalize_run_id("a"), "a");
  for (const std::string& bad : {""s, " \t\n"s, " . "s, "a\tb"s, "a\nb"s}) {
    EXPECT_THROW(normalize_run_id(bad), IoArgumentError) << bad;
  }
}

TEST(Paths, BucketOfATick) {
  EXPECT_EQ(bucket_id_for_tick(0, 100), 0);
  EXPECT_EQ(bucket_id_for_tick(99, 100), 0);
  EXPECT_EQ(bucket_id_for_tick(100, 100), 1);
  EXPECT_EQ(bucket_id_for_tick(kMax, 1), kMax);
  EXPECT_THROW(bucket_id_for_tick(1, 0), IoArgumentError);
  EXPECT_THROW(bucket_id_for_tick(1, -1), IoArgumentError);
  EXPECT_THROW(bucket_id_for_tick(-1, 100), IoArgumentError);
}

TEST(Paths, BucketFoldersOnlyInCanonicalForm) {
  EXPECT_EQ(bucket_key(123), "000123");
  EXPECT_EQ(bucket_key(1000000), "1000000");
  for (const std::int64_t id : {std::int64_t{0}, std::int64_t{999999}, std::int64_t{1000000}, kMax}) {
    EXPECT_EQ(parse_bucket_folder("bucket=" + bucket_key(id)), id);
  }
  for (const char* bad :
       {"", "bucket=", "bucket=1", "bucket=1_0", "bucket=-00001", "bucket=+00001", "bucket=0000001",
        "bucket=00001a", "bucket= 00001", "Bucket=000001", "bucket=000001 ", "xbucket=000001",
        "bucket=9223372036854775808", "bucket=99999999999999999999999"}) {
    EXPECT_EQ(parse_bucket_folder(bad), std::nullopt) << bad;
  }
}

TEST(Paths, PartFilesOnlyInCanonicalForm) {
  EXPECT_EQ(part_file(kId), "part-" + kId + ".parquet");
  EXPECT_TRUE(is_part_file(part_file(kId)));
  EXPECT_TRUE(is_hex_id(kId));
  for (const std::string& bad :
       {""s, "part-.parquet"s, "../part-" + kId + ".parquet", "part-" + kId + ".parquet.tmp",
        "part-" + kId + "0.parquet", "part-" + kId.substr(1) + ".parquet",
        "part-0123456789ABCDEF0123456789abcdef.parquet"s, kId, "part-.parquetpart-"s}) {
    EXPECT_FALSE(is_part_file(bad)) << bad;
  }
}

TEST(Paths, TemporaryNamesAreHiddenAndUnmistakable) {
  EXPECT_EQ(temporary_name("manifest.json", kId), ".manifest.json." + kId + ".tmp");
  EXPECT_TRUE(is_temporary_name(temporary_name("x", kId)));
  EXPECT_TRUE(is_temporary_name(temporary_name(".x.tmp", kId)));
  for (const std::string& bad :
       {""s, ".tmp"s, ".x.tmp"s, "." + kId + ".tmp", ".." + kId + ".tmp", "x." + kId + ".tmp", ".x." + kId,
        ".x-" + kId + ".tmp", ".x." + kId + "0.tmp", "manifest.json.tmp"s}) {
    EXPECT_FALSE(is_temporary_name(bad)) << bad;
  }
}

TEST(Paths, CommitAndFoldFilesOnlyInCanonicalForm) {
  const RunPaths p("out", "r");
  for (const std::int64_t seq : {std::int64_t{1}, std::int64_t{1024}, kMax}) {
    EXPECT_EQ(parse_commit_file(base_name_of(p.commit(seq))), seq);
    const auto range = parse_fold_file(base_name_of(p.fold(1, seq)));
    ASSERT_TRUE(range);
    EXPECT_EQ(range->first, 1);
    EXPECT_EQ(range->last, seq);
  }
  for (const char* bad :
       {"", ".json", "1.json", "00000000000000000000.json", "000000000000000000001.json",
        "0000000000000000000a.json", "-0000000000000000001.json", "99999999999999999999.json",
        "09223372036854775808.json", "00000000000000000001.jsonl", "00000000000000000001.json.tmp"}) {
    EXPECT_EQ(parse_commit_file(bad), std::nullopt) << bad;
  }
  for (const char* bad :
       {"", ".jsonl", "1-2.jsonl", "00000000000000000002-00000000000000000001.jsonl",
        "00000000000000000000-00000000000000000001.jsonl", "00000000000000000001_00000000000000000002.jsonl",
        "00000000000000000001-00000000000000000002.json", "00000000000000000001-99999999999999999999.jsonl",
        "00000000000000000001-00000000000000000002.jsonl "}) {
    EXPECT_FALSE(parse_fold_file(bad)) << bad;
  }
}

}  // namespace
}  // namespace crv::io
