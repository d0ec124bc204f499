#include "crv/io/formats.h"

#include <fstream>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/ipc/writer.h>
#include <gtest/gtest.h>

#include "crv/core/error.h"
#include "crv/io/json_rows.h"
#include "io/arrow_json.h"
#include "io/temp_dir.h"

namespace crv::io {
namespace {

// Every kind of value that a scan yields.
std::shared_ptr<arrow::RecordBatch> sample() {
  const auto inner =
      arrow::struct_({arrow::field("n", arrow::int64()), arrow::field("none", arrow::struct_({}))});
  const auto items =
      arrow::list(arrow::field("element", arrow::struct_({arrow::field("x", arrow::float64())})));
  const auto schema =
      arrow::schema({arrow::field("tick", arrow::int64()), arrow::field("price", arrow::float64()),
                     arrow::field("side", arrow::utf8()), arrow::field("additional_payload", inner),
                     arrow::field("salient_agent_pairs", items)});
  return arrow::RecordBatch::Make(
      schema, 3,
      {array_of(arrow::int64(), "[1, 2, 9007199254740993]"), array_of(arrow::float64(), "[0.1, null, NaN]"),
       array_of(arrow::utf8(), R"(["", null, "a,\"b\"\nc"])"),
       array_of(inner, R"([{"n": 1, "none": {}}, {"n": null, "none": null}, null])"),
       array_of(items, R"([[], [{"x": 1.5}, null], null])")});
}

std::string json_text(const std::vector<JsonObject>& rows) {
  std::string text;
  for (const auto& row : rows) text += write_json(row) + "\n";
  return text;
}

std::string rows_of(const std::string& path, const InputOptions& options = {}) {
  const auto reader = open_frames(path, options);
  std::string text;
  for (auto frames = reader->next(2); !frames.empty(); frames = reader->next(2)) {
    for (const auto& frame : frames) text += json_text(rows_to_json(*frame.table()));
  }
  return text;
}

void write(const std::string& path, Format format,
           const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches) {
  const auto writer = open_batches(path, format, batches.front()->schema());
  for (const auto& batch : batches) writer->write(batch);
  writer->finish();
}

TEST(Formats, HaveNamesAndExtensions) {
  for (const auto& name : format_names()) EXPECT_EQ(name_of(format_from_name(name)), name);
  EXPECT_EQ(format_of_path("a/b.PARQUET"), Format::parquet);
  EXPECT_EQ(format_of_path("b.ndjson"), Format::jsonl);
  EXPECT_EQ(format_of_path("b.arrows"), Format::arrow);
  EXPECT_EQ(format_of_path("csv"), std::nullopt);
  EXPECT_EQ(format_of_path(".csv"), std::nullopt);
  EXPECT_THROW(format_from_name("CSV"), IoArgumentError);
}

TEST(Formats, LineMapFindsTheLineOfEachRow) {
  LineMap lines;
  for (const std::int64_t line : {1, 2, 5, 6, 7, 10}) lines.add(line);
  EXPECT_EQ(lines.line_of(0), 1);
  EXPECT_EQ(lines.line_of(2), 5);
  EXPECT_EQ(lines.line_of(4), 7);
  EXPECT_EQ(lines.line_of(5), 10);
  EXPECT_EQ(lines.line_of(6), std::nullopt);
  EXPECT_EQ(lines.line_of(-1), std::nullopt);
}

class RoundTrip : public testing::TestWithParam<std::string> {};

TEST_P(RoundTrip, GivesBackEveryValueByNameAndByFirstBytes) {
  const TempDir folder;
  const Format format = format_from_name(GetParam());
  core::TableDescriptor table;  // CSV cannot tell these, and guesses the others right
  table.columns = {{"side", core::DType::str, false, ""},
                   {"additional_payload", core::DType::structure, false, ""},
                   {"salient_agent_pairs", core::DType::list_of_structures, false, ""}};
  const auto batch = sample();
  const std::string expected = json_text(rows_to_json(*batch)) + json_text(rows_to_json(*batch));
  for (const std::string& name : {"rows." + GetParam(), std::string("rows")}) {
    const std::string path = folder.path() + "/" + name;
    write(path, format, {batch, batch});
    EXPECT_EQ(rows_of(path, {std::nullopt, &table, {}}), expected) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, RoundTrip, testing::Values("csv", "jsonl", "arrow", "parquet"),
                         [](const auto& param) { return param.param; });

TEST(Formats, ReadsAnArrowFileToo) {
  const TempDir folder;
  const std::string path = folder.path() + "/rows.arrow";
  const auto batch = sample();
  const auto file = arrow::io::FileOutputStream::Open(path).ValueOrDie();
  const auto writer = arrow::ipc::MakeFileWriter(file, batch->schema()).ValueOrDie();
  ASSERT_TRUE(writer->WriteRecordBatch(*batch).ok());
  ASSERT_TRUE(writer->Close().ok());
  ASSERT_TRUE(file->Close().ok());
  EXPECT_EQ(rows_of(path), json_text(rows_to_json(*batch)));
}

TEST(Formats, JsonLinesWhoseTypesChangeComeAsSeveralFrames) {
  const TempDir folder;
  const std::string path = folder.path() + "/rows.jsonl";
  constexpr int kRows = 70'000;
  {
    std::ofstream file(path);
    for (int i = 0; i < kRows; ++i) file << "{\"x\": 1}\n";
    file << "{\"x\": 9007199254740993, \"late\": true}\n{\"x\": 1}\n";
  }
  auto whole = open_frames(path)->next(INT64_MAX);
  ASSERT_EQ(whole.size(), 1U);  // integers all through, and a column that came late is null before
  EXPECT_EQ(whole[0].table()->num_rows(), kRows + 2);
  EXPECT_EQ(whole[0].table()->GetColumnByName("late")->null_count(), kRows + 1);
  std::ofstream(path, std::ios::app) << "{\"x\": 0.5}\n";
  EXPECT_THROW(open_frames(path)->next(INT64_MAX), IoSchemaError);  // 2^53 + 1 and 0.5 within one chunk

  {
    std::ofstream file(path);
    for (int i = 0; i < kRows; ++i) file << "{\"x\": " << (i < 65'536 ? "1" : "0.5") << "}\n";
  }
  whole = open_frames(path)->next(INT64_MAX);
  ASSERT_EQ(whole.size(), 2U);
  EXPECT_EQ(whole[0].table()->column(0)->type()->id(), arrow::Type::INT64);
  EXPECT_EQ(whole[1].table()->column(0)->type()->id(), arrow::Type::DOUBLE);
}

TEST(Formats, WhatHoldsNoRowsIsRefused) {
  const TempDir folder;
  const std::string path = folder.path() + "/rows";
  const auto code_of = [&](const std::string& text) {
    std::ofstream(path, std::ios::trunc) << text;
    try {
      while (!open_frames(path)->next(10).empty()) {
      }
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::interrupted;
  };
  EXPECT_EQ(code_of(""), ErrorCode::read_failed);
  EXPECT_EQ(code_of("PAR1"), ErrorCode::read_failed);
  EXPECT_EQ(code_of("ARROW1"), ErrorCode::read_failed);
  EXPECT_EQ(code_of("\xFF\xFF\xFF\xFF\x10"), ErrorCode::read_failed);
  EXPECT_EQ(code_of("{}\nnull\n"), ErrorCode::bad_json);
  EXPECT_EQ(code_of("a,b\n1,2\n1\n"), ErrorCode::read_failed);
  EXPECT_THROW(open_frames(path, {Format::table, nullptr, {}}), IoArgumentError);
}

}  // namespace
}  // namespace crv::io
