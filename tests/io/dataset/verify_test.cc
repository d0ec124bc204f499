// What verify says of parts that no crv would have written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <arrow/api.h>

#include "io/arrow/arrow_types.h"
#include "io/log/log.h"
#include "io/part/part.h"
#include "io/storage/local_storage.h"
#include "io/storage/paths.h"
#include "io/support/arrow_json.h"
#include "io/support/conform_support.h"
#include "io/support/sim_run.h"

namespace crv::io {
namespace {

using Disk = std::shared_ptr<SimOs>;
using arrow::field;
using testing::HasSubstr;

Disk run_with_integer_legs() {
  Disk disk = std::make_shared<SimOs>();
  Dataset dataset = sim_dataset(disk);
  const auto row = parse_json(R"({"tick":1,"venue_id":"v","token_id":"t","exchange_event_type":"trade",
                                  "additional_payload":{"legs":2}})");
  dataset.append("exchange", frame_from_json(std::vector{*row.get_if<JsonObject>()}));
  return disk;
}

// Another writer's commit 2 with a part of its own, whose footer tells `told` of its columns.
void commit_part(const Disk& disk, const std::shared_ptr<arrow::Array>& payload, const std::string& told) {
  const auto rows = table_of({{"bucket", array_of(arrow::int64(), "[0]")},
                              {"tick", array_of(arrow::int64(), "[1]")},
                              {"additional_payload", payload}});
  const auto storage = local_storage(Durability::commit, disk, counting_ids(1ULL << 60));
  const RunPaths paths("out", sim_run_id);
  PartFooter footer;
  footer.schema_version = "0.1@2025-09-20";
  footer.table = "exchange";
  footer.run_id = sim_run_id;
  footer.append_id = std::string(32, 'a');
  footer.append_parts = 1;
  footer.created_at = "2026-01-01T00:00:00+00:00";
  footer.columns = columns_from_json(parse_json(told));
  PartRecord part;
  part.meta = {part_file(std::string(32, 'b')), 1, 0, 1, 1, footer.created_at};
  part.schema = schema_id(footer.columns);
  const EncodedPart encoded =
      write_part(*storage->create(paths.part("exchange", 0, part.meta.path)), *rows, footer, {});
  part.meta.bytes = encoded.bytes;
  part.checksum = encoded.checksum;
  Commit commit;
  commit.seq = 2;
  commit.id = footer.append_id;
  commit.prev = sim_dataset(disk).log().front().id;
  commit.time = footer.created_at;
  commit.writer = std::string(32, 'c');
  commit.tables.push_back({.table = "exchange",
                           .schemas = {{part.schema, footer.columns}},
                           .added = {part},
                           .removed = {},
                           .condemned = {}});
  ASSERT_EQ(Log(*storage, paths, 1024).put(2, commit.id, encode(commit)), Log::Placed::ours);
}

std::string told(const std::string& legs) {
  return R"({"bucket":"i64","tick":"i64","additional_payload":{"struct":{"legs":")" + legs + R"("}}})";
}

std::vector<std::string> findings(const Disk& disk) {
  std::vector<std::string> all;
  for (const Finding& finding : sim_dataset(disk).verify().findings)
    all.push_back(finding.severity + ' ' + finding.code + ": " + finding.message);
  return all;
}

TEST(Verify, APartWithTheTypesItTellsIsFine) {
  const Disk disk = run_with_integer_legs();
  commit_part(disk, array_of(arrow::struct_({field("legs", arrow::int64())}), R"([{"legs":3}])"),
              told("i64"));
  EXPECT_THAT(findings(disk), testing::IsEmpty());
}

TEST(Verify, APathOfUnknownTypeStandsInNoPartAndIsFine) {
  const Disk disk = run_with_integer_legs();
  {
    Dataset dataset = sim_dataset(disk);
    JsonObject row;
    row.push_back("tick", 1);
    for (const char* column : {"venue_id", "token_id", "exchange_event_type"}) row.push_back(column, "a");
    row.push_back("additional_payload", JsonObject{{"hands", Json()}});
    dataset.append("exchange", frame_from_json(std::vector{row}));
  }
  EXPECT_THAT(findings(disk), testing::IsEmpty());
}

TEST(Verify, OnePathWithTextAndNumbersIsAnError) {
  const Disk disk = run_with_integer_legs();
  commit_part(disk, array_of(arrow::struct_({field("legs", arrow::utf8())}), R"([{"legs":"two"}])"),
              told("str"));
  EXPECT_THAT(findings(disk), testing::ElementsAre(HasSubstr(
                                  "error type_conflict: Path additional_payload.legs holds i64 in one part "
                                  "and str in another.")));
}

TEST(Verify, APartThatStoresAnotherTypeThanItTellsIsAnError) {
  const Disk disk = run_with_integer_legs();
  commit_part(disk, array_of(arrow::struct_({field("legs", arrow::float64())}), R"([{"legs":0.5}])"),
              told("i64"));
  EXPECT_THAT(findings(disk),
              testing::ElementsAre(HasSubstr("error part_damaged: It does not store its columns")));
}

}  // namespace
}  // namespace crv::io
