#include "crv/io/formats.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <arrow/api.h>
#include <arrow/io/compressed.h>
#include <arrow/io/file.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/writer.h>
#include <arrow/util/compression.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crv/core/error.h"
#include "crv/io/json_rows.h"
#include "io/support/arrow_json.h"
#include "io/support/temp_dir.h"

namespace crv::io {
namespace {

using testing::HasSubstr;

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
  EXPECT_THROW(format_from_name("table"), IoArgumentError);
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
  table.columns = {{"side", core::plain_type(core::Type::Kind::str), false, ""},
                   {"additional_payload", core::open_struct(), false, ""},
                   {"salient_agent_pairs", core::list_of(core::open_struct()), false, ""}};
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

// Every double and every integer comes back, in every format, also by the type that CSV guesses.
TEST_P(RoundTrip, GivesBackEveryNumber) {
  const TempDir folder;
  const Format format = format_from_name(GetParam());
  using Double = std::numeric_limits<double>;
  arrow::DoubleBuilder doubles;
  for (const double value :
       {0.0, -0.0, 1.0, -1.0, 0.1, 1e16, 1e300, Double::denorm_min(), -Double::denorm_min(), Double::min(),
        Double::max(), Double::lowest(), Double::epsilon(), Double::infinity(), -Double::infinity(),
        Double::quiet_NaN(), 9007199254740993.0, 1.0 / 3})
    ASSERT_TRUE(doubles.Append(value).ok());
  ASSERT_TRUE(doubles.AppendNull().ok());
  const auto values = doubles.Finish().ValueOrDie();
  arrow::Int64Builder integers;
  for (std::int64_t i = 0; i < values->length(); ++i)
    ASSERT_TRUE(integers.Append(i % 2 == 0 ? INT64_MAX - i : INT64_MIN + i).ok());
  const auto batch = arrow::RecordBatch::Make(
      arrow::schema({arrow::field("f", arrow::float64()), arrow::field("i", arrow::int64())}),
      values->length(), {values, integers.Finish().ValueOrDie()});
  const std::string path = folder.path() + "/rows." + GetParam();
  write(path, format, {batch});
  core::TableDescriptor table;
  table.columns = {{"f", core::plain_type(core::Type::Kind::f64), false, ""},
                   {"i", core::plain_type(core::Type::Kind::i64), false, ""}};
  for (const auto* described : {static_cast<const core::TableDescriptor*>(nullptr), &std::as_const(table)}) {
    const auto frames = open_frames(path, {std::nullopt, described, {}})->next(INT64_MAX);
    ASSERT_EQ(frames.size(), 1U);
    const auto found = frames[0].table()->CombineChunks().ValueOrDie();
    expect_array(found->GetColumnByName("i")->chunk(0), batch->column(1));
    const auto& read = static_cast<const arrow::DoubleArray&>(*found->GetColumnByName("f")->chunk(0));
    ASSERT_EQ(read.type_id(), arrow::Type::DOUBLE);
    const auto& given = static_cast<const arrow::DoubleArray&>(*values);
    for (std::int64_t i = 0; i < given.length(); ++i) {
      EXPECT_EQ(read.IsNull(i), given.IsNull(i));
      if (given.IsNull(i) || std::isnan(given.Value(i))) continue;
      EXPECT_EQ(std::bit_cast<std::uint64_t>(read.Value(i)), std::bit_cast<std::uint64_t>(given.Value(i)))
          << given.Value(i);
    }
    EXPECT_TRUE(std::isnan(read.Value(15)));
  }
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Csv, NumbersAreWrittenUnquotedAndTextsQuoted) {
  const TempDir folder;
  const std::string path = folder.path() + "/rows.csv";
  const auto batch = arrow::RecordBatch::Make(
      arrow::schema({arrow::field("a\"b", arrow::utf8()), arrow::field("f", arrow::float64()),
                     arrow::field("t", arrow::timestamp(arrow::TimeUnit::MILLI)),
                     arrow::field("b", arrow::boolean()), arrow::field("y", arrow::binary())}),
      2,
      {array_of(arrow::utf8(), R"(["x\"y,\n", null])"), array_of(arrow::float64(), "[-0.0, 2]"),
       array_of(arrow::timestamp(arrow::TimeUnit::MILLI), R"(["2025-09-20 10:15:00", null])"),
       array_of(arrow::boolean(), "[true, null]"), array_of(arrow::binary(), R"(["\u0000", null])")});
  write(path, Format::csv, {batch});
  EXPECT_EQ(read_file(path),
            "\"a\"\"b\",\"f\",\"t\",\"b\",\"y\"\n\"x\"\"y,\n\",-0.0,2025-09-20 10:15:00.000,true,\"AA==\"\n"
            ",2.0,,,\n");
}

// What stands in a quoted cell comes back to the byte, wherever a block of the reader ends in it.
TEST(Csv, NoByteIsLostWhereABlockEnds) {
  const TempDir folder;
  const std::string path = folder.path() + "/rows.csv";
  constexpr std::size_t kBlock = std::size_t{1} << 20;  // of the reader
  const std::string head = "tick,text\n1,\"";
  for (const std::string middle :
       {"\r\n", "\r", "\n\r", "\"\"", "\"\"\"\"", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", ",\r\n,"}) {
    for (std::size_t before = 0; before <= middle.size() + 1; ++before) {
      for (const std::string end : {"\n", "\r\n", "\r"}) {
        const std::string filling(kBlock - head.size() - before, 'z');
        std::ofstream(path, std::ios::binary)
            << head << filling << middle << "end\"" << end << "2,\"next\"" << end;
        std::string expected = filling;
        for (std::size_t i = 0; i < middle.size(); i += middle[i] == '"' ? 2 : 1) expected += middle[i];
        const auto frames = open_frames(path)->next(INT64_MAX);
        ASSERT_EQ(frames.size(), 1U);
        const auto rows = rows_to_json(*frames[0].table());
        ASSERT_EQ(rows.size(), 2U);
        ASSERT_TRUE(*rows[0].find("text")->get_if<std::string>() == expected + "end") << middle << before;
        ASSERT_EQ(*rows[1].find("text")->get_if<std::string>(), "next");
      }
    }
  }
  // The ends of rows and of unquoted cells.
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    for (std::size_t before = 0; before <= 4; ++before) {
      const std::string filling(kBlock - 12 - before, 'z');
      std::ofstream(path, std::ios::binary)
          << "tick,text\n1," << filling << end << "2,b" << end << end << "3,c";
      const auto rows = rows_to_json(*open_frames(path)->next(INT64_MAX).at(0).table());
      ASSERT_EQ(rows.size(), 3U) << before;
      ASSERT_TRUE(*rows[0].find("text")->get_if<std::string>() == filling);
      ASSERT_EQ(*rows[2].find("text")->get_if<std::string>(), "c");
    }
  }
}

TEST(Csv, ACellMayBeLongerThanABlock) {
  const TempDir folder;
  const std::string path = folder.path() + "/rows.csv";
  std::string cell;
  while (cell.size() < 20'000'000) cell += "long cell\r\n";
  std::ofstream(path, std::ios::binary) << "tick,text\n1,\"" << cell << "\"\n2,short\n";
  const auto rows = rows_to_json(*open_frames(path)->next(INT64_MAX).at(0).table());
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_TRUE(*rows[0].find("text")->get_if<std::string>() == cell);
}

TEST(Csv, AHeaderMayBeLongerThanABlock) {
  const TempDir folder;
  const std::string path = folder.path() + "/rows.csv";
  std::string head = "tick", row = "1";
  for (int i = 0; head.size() < 3'000'000; ++i) {
    head += ",name_" + std::to_string(i);
    row += ",2";
  }
  std::ofstream(path, std::ios::binary) << head << '\n' << row << '\n';
  const auto table = open_frames(path)->next(INT64_MAX).at(0).table();
  EXPECT_EQ(table->num_rows(), 1);
  EXPECT_EQ(table->num_columns(), std::count(head.begin(), head.end(), ',') + 1);
  std::ofstream(path, std::ios::binary) << std::string(3'000'000, '\n') << "tick,text\n1,a\n";
  EXPECT_EQ(open_frames(path)->next(INT64_MAX).at(0).table()->num_rows(), 1);
}

// The error of reading a CSV file whole.
Error csv_refusal(const std::string& text, const core::TableDescriptor* table = nullptr) {
  const TempDir folder;
  const std::string path = folder.path() + "/rows.csv";
  std::ofstream(path, std::ios::binary) << text;
  try {
    open_frames(path, {std::nullopt, table, {}})->next(INT64_MAX);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "was accepted: " << text;
  return {ErrorCode::interrupted, "was accepted"};
}

TEST(Csv, AQuoteThatIsNeverClosedIsToldWithItsLine) {
  for (const std::string text : {"a,b\n1,2\n\n3,\"open\n4,5\n", "a,b\r\n1,\"2\"\r\n\r\n3,\"open\r\n4,5"}) {
    const Error error = csv_refusal(text);
    EXPECT_EQ(error.code(), ErrorCode::read_failed);
    EXPECT_EQ(error.facts().line, 4);
    EXPECT_THAT(error.what(), HasSubstr("quote"));
  }
}

TEST(Csv, ARowOfAnotherWidthIsToldWithItsLine) {
  const Error error = csv_refusal("a,b\n\"x\ny\",2\n\n1\x1B,2,3\n");
  EXPECT_EQ(error.code(), ErrorCode::read_failed);
  EXPECT_EQ(error.facts().line, 5);
  EXPECT_THAT(error.what(), HasSubstr("3 cells where the header has 2"));
}

TEST(Csv, TextThatIsNoUtf8IsToldWithColumnAndRow) {
  const Error error = csv_refusal("a,b\n1,x\n2,\xFF\n");
  EXPECT_EQ(error.code(), ErrorCode::wrong_type);
  EXPECT_EQ(error.facts().column, "b");
  EXPECT_EQ(error.facts().row, 1);
}

TEST(Csv, TheDelimiterIsKnownByTheHeader) {
  const TempDir folder;
  const std::string path = folder.path() + "/rows.csv";
  const auto names = [&](const std::string& text) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
    return open_frames(path)->next(10).at(0).table()->schema()->field_names();
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(names("tick;agent_id;note\n1;a;x,y\n"), (Names{"tick", "agent_id", "note"}));
  EXPECT_EQ(names("tick\tagent_id\n1\ta;b\n"), (Names{"tick", "agent_id"}));
  EXPECT_EQ(names("tick,a;b\n1,2\n"), (Names{"tick", "a;b"}));
  EXPECT_EQ(names("a,b;tick\n1,x;2\n"), (Names{"a,b", "tick"}));
  EXPECT_EQ(names("\"a;b\";c\n1;2\n"), (Names{"a;b", "c"}));
  EXPECT_EQ(names("tick\n1\n"), (Names{"tick"}));
}

TEST(Csv, AFirstLineWithoutAColumnOfTheTableIsNoHeader) {
  const core::TableDescriptor* holdings = core::find_table("holdings");
  const Error error = csv_refusal("1|a|t|5\n2|b|t|6\n", holdings);
  EXPECT_EQ(error.code(), ErrorCode::read_failed);
  EXPECT_EQ(error.facts().line, 1);
  EXPECT_THAT(error.what(), HasSubstr("tick, agent_id, token_id, quantity"));
  EXPECT_THAT(error.what(), HasSubstr("1|a|t|5"));
}

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

constexpr const char* kRowsCsv = "tick,agent_id\n1,a\n2,b\n";

std::string packed(const std::string& text, arrow::Compression::type kind) {
  const auto codec = arrow::util::Codec::Create(kind).ValueOrDie();
  const auto output = arrow::io::BufferOutputStream::Create().ValueOrDie();
  const auto stream = arrow::io::CompressedOutputStream::Make(codec.get(), output).ValueOrDie();
  EXPECT_TRUE(stream->Write(text).ok());
  EXPECT_TRUE(stream->Close().ok());
  return output->Finish().ValueOrDie()->ToString();
}

void put(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// The error of reading a file whole.
Error refusal(const std::string& path, const InputOptions& options = {}) {
  try {
    const auto reader = open_frames(path, options);
    while (!reader->next(10).empty()) {
    }
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << path << " was accepted";
  return {ErrorCode::interrupted, "was accepted"};
}

TEST(Formats, ADamagedArrowFileIsNoMemoryOfTheProcess) {
  const TempDir folder;
  const auto lists = array_of(arrow::list(arrow::int64()), "[[1, 2], [3, 4]]");
  const auto texts = array_of(arrow::utf8(), R"(["Jos\u00e9", "ok"])");
  const auto ticks = array_of(arrow::int64(), "[1, 2]");
  const auto batch = arrow::RecordBatch::Make(
      arrow::schema({arrow::field("tick", arrow::int64()), arrow::field("a", lists->type()),
                     arrow::field("b", texts->type())}),
      2, {ticks, lists, texts});
  for (const bool stream : {false, true}) {
    const auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
    const auto writer = (stream ? arrow::ipc::MakeStreamWriter(sink, batch->schema())
                                : arrow::ipc::MakeFileWriter(sink, batch->schema()))
                            .ValueOrDie();
    ASSERT_TRUE(writer->WriteRecordBatch(*batch).ok() && writer->Close().ok());
    const std::string sound = sink->Finish().ValueOrDie()->ToString();
    const auto written = [&](const std::string& bytes) {
      std::string path = folder.path() + "/rows.arrow";
      std::ofstream(path, std::ios::binary) << bytes;
      return path;
    };
    EXPECT_EQ(open_frames(written(sound))->next(10).at(0).table()->num_rows(), 2);
    const std::string offsets("\0\0\0\0\2\0\0\0\4\0\0\0", 12);
    const std::size_t at = sound.find(offsets);
    ASSERT_NE(at, std::string::npos);
    std::string damaged = sound;
    damaged[at + 5] = 9;  // the first list ends far beyond the numbers
    EXPECT_EQ(refusal(written(damaged)).code(), ErrorCode::read_failed);
    std::string other = sound;
    const std::size_t accent = sound.find("\xC3\xA9");
    ASSERT_NE(accent, std::string::npos);
    other[accent] = 'x';  // a text that is not UTF-8 is a matter of its row
    EXPECT_EQ(open_frames(written(other))->next(10).at(0).table()->num_rows(), 2);
  }
}

TEST(Packed, IsReadByItsFirstBytesWhateverItIsCalled) {
  const TempDir folder;
  const std::string expected = "{\"tick\":1,\"agent_id\":\"a\"}\n{\"tick\":2,\"agent_id\":\"b\"}\n";
  for (const auto kind : {arrow::Compression::GZIP, arrow::Compression::ZSTD, arrow::Compression::LZ4_FRAME,
                          arrow::Compression::BZ2}) {
    SCOPED_TRACE(arrow::util::Codec::GetCodecAsString(kind));
    for (const auto* name : {"/rows.csv.gz", "/rows.csv", "/rows"}) {
      put(folder.path() + name, packed(kRowsCsv, kind));
      EXPECT_EQ(rows_of(folder.path() + name), expected) << name;
    }
    for (const auto* name : {"/rows.jsonl.zst", "/rows.json.bz2", "/rows"}) {
      put(folder.path() + name, packed(expected, kind));
      EXPECT_EQ(rows_of(folder.path() + name), expected) << name;
    }
    put(folder.path() + "/two", packed("tick,agent_id\n1,a\n", kind) + packed("2,b\n", kind));
    EXPECT_EQ(rows_of(folder.path() + "/two"), expected);  // one member after the other
  }
}

TEST(Packed, HoldsFormatsThatAreReadOutOfOrder) {
  const TempDir folder;
  const std::string path = folder.path() + "/rows";
  const auto batch = sample();
  for (const Format format : {Format::parquet, Format::arrow}) {
    write(path, format, {batch});
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    put(path, packed(bytes, arrow::Compression::GZIP));
    EXPECT_EQ(rows_of(path), json_text(rows_to_json(*batch)));
  }
}

TEST(Packed, OfManyBlocksIsReadWholeAndItsPositionIsThatInTheFile) {
  const TempDir folder;
  const std::string path = folder.path() + "/rows.csv.zst";
  std::string text = "tick,text\n";
  for (int i = 0; i < 200'000; ++i) text += std::to_string(i) + ",the same text in every row\n";
  put(path, packed(text, arrow::Compression::ZSTD));
  const auto reader = open_frames(path);
  EXPECT_EQ(reader->next(INT64_MAX).at(0).table()->num_rows(), 200'000);
  EXPECT_EQ(reader->position(), reader->size());
  EXPECT_LT(reader->size(), std::ssize(text));
}

TEST(Packed, CutShortOrDamagedIsNotTakenForItsEnd) {
  const TempDir folder;
  const std::string path = folder.path() + "/rows.csv";
  std::string text = kRowsCsv;
  for (int i = 0; i < 10'000; ++i) text += std::to_string(i) + ",agent " + std::to_string(i * 7919) + "\n";
  for (const auto kind : {arrow::Compression::GZIP, arrow::Compression::ZSTD, arrow::Compression::LZ4_FRAME,
                          arrow::Compression::BZ2}) {
    SCOPED_TRACE(arrow::util::Codec::GetCodecAsString(kind));
    const std::string whole = packed(text, kind);
    for (const std::size_t size : {std::size_t{12}, whole.size() / 2, whole.size() - 1}) {
      put(path, whole.substr(0, size));
      const Error error = refusal(path);
      EXPECT_EQ(error.code(), ErrorCode::read_failed) << size;
      EXPECT_EQ(error.facts().path, path);
    }
    std::string damaged = whole;
    for (std::size_t i = whole.size() / 2; i < whole.size() / 2 + 20; ++i) damaged[i] = '\xaa';
    put(path, damaged);
    EXPECT_EQ(refusal(path).code(), ErrorCode::read_failed);
    put(path, whole + "trailing bytes");
    EXPECT_EQ(refusal(path).code(), ErrorCode::read_failed);
  }
}

TEST(JsonArray, ItsElementsAreTheRows) {
  const TempDir folder;
  const std::string array = "\n [ {\"x\": 1},\n{\"x\": 2, \"t\": \"],[\"}\n]\n";
  for (const std::string& text : {array, "\xEF\xBB\xBF" + array})
    for (const auto* name : {"/rows.json", "/rows.jsonl", "/rows"}) {
      put(folder.path() + name, text);
      EXPECT_EQ(rows_of(folder.path() + name), "{\"x\":1,\"t\":null}\n{\"x\":2,\"t\":\"],[\"}\n") << name;
    }
  put(folder.path() + "/rows.json", "[]");
  EXPECT_EQ(rows_of(folder.path() + "/rows.json"), "");
  for (const auto& [text, line] : std::vector<std::pair<std::string, int>>{{"[{\"x\": 1},\n 5]", 2},
                                                                           {"[{\"x\": 1}\n{\"x\": 1}]", 1},
                                                                           {"[{\"x\": 1},\n]", 2},
                                                                           {"[\n{\"x\": 1}\n", 3},
                                                                           {"[\n{\"x\": 1", 2},
                                                                           {"[1]\n[2]\n", 1},
                                                                           {"[]\n{}", 2}}) {
    put(folder.path() + "/rows.json", text);
    const Error error = refusal(folder.path() + "/rows.json");
    EXPECT_EQ(error.code(), ErrorCode::bad_json) << text;
    EXPECT_EQ(error.facts().line, line) << text;
  }
}

std::string utf16(const std::string& ascii, bool little) {
  std::string text;
  for (const char c : ascii) text += little ? std::string{c, '\0'} : std::string{'\0', c};
  return text;
}

TEST(Formats, TextInAnotherEncodingSaysSo) {
  const TempDir folder;
  const std::string csv = kRowsCsv;
  const auto told = [&](const std::string& bytes) {
    std::vector<std::string> all;
    for (const auto* name : {"/rows.csv", "/rows.jsonl", "/rows"}) {
      put(folder.path() + name, bytes);
      const Error error = refusal(folder.path() + name);
      EXPECT_EQ(error.code(), ErrorCode::read_failed);
      all.emplace_back(error.what());
    }
    return all;
  };
  EXPECT_THAT(told("\xff\xfe" + utf16(csv, true)),
              testing::Each(HasSubstr("UTF-16 text; convert it to UTF-8")));
  EXPECT_THAT(told("\xfe\xff" + utf16(csv, false)), testing::Each(HasSubstr("iconv -f UTF-16 -t UTF-8")));
  EXPECT_THAT(told(utf16(csv, true)), testing::Each(HasSubstr("UTF-16LE")));
  EXPECT_THAT(told(utf16(csv, false)), testing::Each(HasSubstr("UTF-16BE")));
  EXPECT_THAT(told(std::string("\xff\xfe\0\0t\0\0\0", 8)), testing::Each(HasSubstr("UTF-32")));
}

TEST(Formats, AFileOfAnotherKindSaysWhatItIs) {
  const TempDir folder;
  for (const auto& [bytes, kind] :
       std::vector<std::pair<std::string, std::string>>{{"PK\x03\x04rows", "zip archive or a spreadsheet"},
                                                        {"SQLite format 3 rows", "SQLite"},
                                                        {"\x89HDF\r\n", "HDF5"},
                                                        {std::string("\xfd"
                                                                     "7zXZ\0",
                                                                     6),
                                                         "xz"}})
    for (const auto* name : {"/rows", "/rows.csv", "/rows.parquet"}) {
      put(folder.path() + name, bytes);
      const Error error = refusal(folder.path() + name);
      EXPECT_EQ(error.code(), ErrorCode::read_failed);
      EXPECT_THAT(error.what(), HasSubstr(kind));
      EXPECT_EQ(error.facts().path, folder.path() + name);
    }
}

TEST(Formats, WhatNobodyNamedIsSaidToBeTakenForCsv) {
  const TempDir folder;
  const std::string path = folder.path() + "/notes";
  put(path, "Dear all,\nthis is \x1b[31mno table\n");
  const Error error = refusal(path, {std::nullopt, core::find_table("holdings"), {}});
  EXPECT_THAT(error.what(), HasSubstr("taken for CSV"));
  EXPECT_THAT(error.what(), HasSubstr("Dear all,"));
  EXPECT_EQ(error.facts().line, 1);
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
}

}  // namespace
}  // namespace crv::io
