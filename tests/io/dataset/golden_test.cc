// Runs that the older package wrote (tests/golden), read as a right reader reads them, continued and rebuilt.
#include <arrow/array.h>
#include <arrow/table.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "crv/core/error.h"
#include "crv/core/hashing.h"
#include "crv/io/dataset.h"
#include "crv/io/json_rows.h"

namespace crv::io {
namespace {

namespace fs = std::filesystem;

std::string text_of_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

const Json& at(const Json& json, std::string_view key) {
  const Json* found = json.get_if<JsonObject>()->find(key);
  if (!found) throw std::out_of_range(std::string(key));
  return *found;
}
const JsonObject& object(const Json& json) {
  return *json.get_if<JsonObject>();
}
const JsonArray& array(const Json& json) {
  return *json.get_if<JsonArray>();
}
std::int64_t integer(const Json& json) {
  return *json.get_if<std::int64_t>();
}

// JSON has no NaN: the expectation writes it as {"$f64": "NaN"}.
Json without_nonfinite(Json value) {
  if (auto* number = value.get_if<double>(); number && !std::isfinite(*number)) {
    JsonObject o;
    o.push_back("$f64", std::isnan(*number) ? "NaN" : *number > 0 ? "Infinity" : "-Infinity");
    return o;
  }
  if (auto* items = value.get_if<JsonArray>())
    for (Json& item : *items) item = without_nonfinite(std::move(item));
  if (auto* members = value.get_if<JsonObject>())
    for (auto& [key, member] : *members) member = without_nonfinite(std::move(member));
  return value;
}

class Golden : public testing::TestWithParam<std::pair<const char*, const char*>> {
 protected:
  void SetUp() override {
    root_ = fs::path(testing::TempDir()) / ("golden_" + std::to_string(getpid()) + "_" + GetParam().second);
    fs::remove_all(root_);
    fs::copy(fs::path(CRV_TEST_DATA) / "golden" / GetParam().first, root_, fs::copy_options::recursive);
    expected_ = parse_json(text_of_file(root_ / "expected.json"));
  }
  void TearDown() override { fs::remove_all(root_); }

  Dataset open() {
    IoSettings settings;
    settings.root_dir = root_;
    return Dataset(settings, GetParam().second);
  }
  const JsonObject& tables() const {
    return object(at(at(at(expected_, "runs"), GetParam().second), "tables"));
  }

  // SHA-256 over the rows as the expectation has them: buckets in the older manifest's order.
  static std::string rows_hash(Dataset& dataset, const std::string& table, const Json& expected) {
    std::map<std::int64_t, std::string> by_bucket;
    for (const JsonObject& row : rows_to_json(*dataset.read(table))) {
      JsonArray cells;
      for (const Json& column : array(at(expected, "columns")))
        cells.push_back(without_nonfinite(*row.find(*column.get_if<std::string>())));
      by_bucket[integer(*row.find("bucket"))] += write_json(cells, {.sort_keys = true}) + '\n';
    }
    std::string all;
    for (const Json& bucket : array(at(expected, "partition_order"))) all += by_bucket[integer(bucket)];
    return core::sha256_hex(all);
  }

  fs::path root_;
  Json expected_;
};

TEST_P(Golden, EveryTableReadsAsExpected) {
  Dataset dataset = open();
  for (const auto& [table, expected] : tables()) {
    SCOPED_TRACE(table);
    EXPECT_EQ(rows_hash(dataset, table, expected), *at(expected, "rows_sha256").get_if<std::string>());
    JsonObject columns = dataset.columns(table);
    for (const auto& [name, type] : object(at(expected, "types"))) {
      const Json* found = columns.find(name);
      ASSERT_TRUE(found) << name;
      EXPECT_EQ(*found, type) << name;
    }
  }
}

TEST_P(Golden, FiltersSelectTheRowsAndOnlyPartsThatCanMatch) {
  Dataset dataset = open();
  for (const auto& [table, expected] : tables())
    for (const Json& filter : array(at(expected, "where"))) {
      SCOPED_TRACE(table + " where " + write_json(at(filter, "where")));
      std::int64_t rows = integer(at(filter, "rows")), sum = 0;
      ScanOptions options;
      options.ticks = parse_where(at(filter, "where"));
      Scan scan = dataset.scan(table, options);
      auto found = scan.collect();
      EXPECT_EQ(found->num_rows(), rows);
      for (const auto& chunk : found->GetColumnByName("tick")->chunks())
        for (std::int64_t i = 0; i < chunk->length(); ++i)
          sum += static_cast<const arrow::Int64Array&>(*chunk).Value(i);
      EXPECT_EQ(sum, integer(at(filter, "tick_sum")));
      auto kept =
          std::count_if(scan.plan().begin(), scan.plan().end(), [](const PartPlan& p) { return p.kept; });
      EXPECT_LE(kept, integer(at(filter, "parts_kept_by_reference")));
    }
}

TEST_P(Golden, TheManifestIsThatOfTheOlderPackage) {
  Dataset dataset = open();
  for (const auto& [table, expected] : tables()) {
    SCOPED_TRACE(table);
    Json ours = parse_json(to_json(*dataset.manifest(table)));
    EXPECT_EQ(at(ours, "partitions"), at(at(expected, "manifest"), "partitions"));
    EXPECT_EQ(at(ours, "created_at"), at(at(expected, "manifest"), "created_at"));
  }
}

TEST_P(Golden, ReadingChangesNothingOnDisk) {
  std::map<std::string, std::string> before, after;
  auto look = [&](auto& into) {
    for (const auto& entry : fs::recursive_directory_iterator(root_))
      into[entry.path()] = entry.is_regular_file() ? text_of_file(entry.path()) : "";
  };
  look(before);
  Dataset dataset = open();
  for (const auto& [table, expected] : tables()) dataset.read(table);
  EXPECT_TRUE(dataset.verify().ok) << write_json(to_json(dataset.verify()));
  look(after);
  EXPECT_EQ(before, after);
}

TEST_P(Golden, ItIsContinuedAndRebuiltWithoutLosingARow) {
  std::map<std::string, std::string> hashes;
  {
    Dataset dataset = open();
    for (const auto& [table, expected] : tables())
      hashes[table] = *at(expected, "rows_sha256").get_if<std::string>();
    core::HoldingsRow row;
    row.tick = 5000;
    row.agent_id = "agent_new";
    row.token_id = "tok_0";
    row.quantity = 3;
    dataset.append("holdings", std::vector{row});
    ScanOptions old;
    old.ticks.max = 4999;
    EXPECT_EQ(dataset.read("holdings", old)->num_rows(), integer(at(*tables().find("holdings"), "rows")));
    EXPECT_EQ(dataset.read("holdings")->num_rows(), integer(at(*tables().find("holdings"), "rows")) + 1);
    EXPECT_EQ(dataset.log().front().kind, "adopt");
  }
  Dataset again = open();
  for (const auto& [table, expected] : tables()) {
    RebuildReport report = again.rebuild_manifest(table);
    EXPECT_TRUE(report.damaged.empty()) << write_json(to_json(report));
    std::int64_t added = table == "holdings" ? 1 : 0;
    EXPECT_EQ(report.manifest.rows(), integer(at(expected, "rows")) + added) << table;
    if (!added) {
      EXPECT_EQ(rows_hash(again, table, expected), hashes[table]) << table;
    }
  }
  VerifyReport report = again.verify();
  EXPECT_TRUE(report.ok) << write_json(to_json(report));
}

TEST_P(Golden, WithoutManifestsItIsRebuiltFromTheFooters) {
  for (const auto& [table, expected] : tables())
    fs::remove(root_ / "runs" / GetParam().second / "tables" / table / "manifest.json");
  Dataset dataset = open();
  EXPECT_THROW(dataset.read("exchange"), IoManifestError);
  RebuildReport report = dataset.rebuild_manifest("exchange");
  EXPECT_FALSE(report.from_log);
  for (const auto& [table, expected] : tables())
    EXPECT_EQ(open().read(table)->num_rows(), integer(at(expected, "rows"))) << table;
}

TEST_P(Golden, AnotherBucketSizeIsRefusedBeforeAnythingIsWritten) {
  IoSettings settings;
  settings.root_dir = root_;
  settings.tick_bucket_size = 64;
  Dataset dataset(settings, GetParam().second);
  core::HoldingsRow row;
  row.agent_id = row.token_id = "x";
  EXPECT_THROW(dataset.append("holdings", std::vector{row}), IoConfigError);
  EXPECT_FALSE(fs::exists(root_ / "runs" / GetParam().second / "run.json"));
}

INSTANTIATE_TEST_SUITE_P(Runs, Golden,
                         testing::Values(std::pair("reference-run", "run_golden01"),
                                         std::pair("reference-run-drift", "run_drift01")),
                         [](const auto& run) { return std::string(run.param.second); });

}  // namespace
}  // namespace crv::io
