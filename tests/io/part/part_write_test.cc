#include <cerrno>

#include <arrow/api.h>
#include <arrow/compute/cast.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/reader.h>
#include <arrow/util/base64.h>
#include <arrow/util/key_value_metadata.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/page_index.h>
#include <parquet/schema.h>
#include <parquet/statistics.h>

#include "io/support/part_support.h"

namespace crv::io {
namespace {

using arrow::field;

std::unique_ptr<parquet::ParquetFileReader> parquet_of(const MemoryStorage& storage) {
  return parquet::ParquetFileReader::Open(
      std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(storage.objects.at(kPart))));
}

// What Arrow's own reader makes of a part, without any of crv.
std::shared_ptr<arrow::Table> read_by_arrow(const MemoryStorage& storage) {
  parquet::arrow::FileReaderBuilder builder;
  EXPECT_TRUE(builder
                  .Open(std::make_shared<arrow::io::BufferReader>(
                      arrow::Buffer::FromString(storage.objects.at(kPart))))
                  .ok());
  return builder.Build().ValueOrDie()->ReadTable().ValueOrDie();
}

std::shared_ptr<arrow::Table> small_table() {
  return table_of({{"tick", arrow::int64(), "[3, 1, 2]"},
                   {"price", arrow::float64(), "[0.5, null, 2]"},
                   {"name", arrow::utf8_view(), R"(["a", null, "a text longer than any view holds"])"},
                   {"ids", arrow::large_list(arrow::large_utf8()), R"([["x", null], [], null])"},
                   {"payload", arrow::struct_({field("_empty", arrow::boolean())}), "[{}, null, {}]"}});
}

TEST(PartOnDisk, FooterKeysStandInTheirOrder) {
  MemoryStorage storage;
  const auto rows = small_table();
  PartFooter footer = footer_of(*rows);
  footer.replaces = {"part-00000000000000000000000000000001.parquet",
                     "part-00000000000000000000000000000002.parquet"};
  footer.token = "engine 7";
  const auto writer = storage.create(kPart);
  write_part(*writer, *rows, footer, {});
  const auto keys = parquet_of(storage)->metadata()->key_value_metadata();
  EXPECT_EQ(keys->keys(),
            (std::vector<std::string>{"crv_schema_version", "crv_table_name", "crv_run_id", "crv_append_id",
                                      "crv_append_parts", "crv_replaces", "crv_token", "crv_created_at",
                                      "crv_columns", "ARROW:schema"}));
  EXPECT_EQ(keys->value(0), "0.1@2025-09-20");
  EXPECT_EQ(keys->value(1), "exchange");
  EXPECT_EQ(keys->value(2), "run_1");
  EXPECT_EQ(keys->value(3), "0123456789abcdef0123456789abcdef");
  EXPECT_EQ(keys->value(4), "2");
  EXPECT_EQ(
      keys->value(5),
      R"(["part-00000000000000000000000000000001.parquet","part-00000000000000000000000000000002.parquet"])");
  EXPECT_EQ(keys->value(6), "engine 7");
  EXPECT_EQ(keys->value(7), "2026-01-02T03:04:05.000006+00:00");
  EXPECT_EQ(keys->value(8),
            R"({"tick":"i64","price":"f64","name":"str","ids":{"list":"str"},"payload":{"struct":{}}})");
}

TEST(PartOnDisk, KeysOfWhatThereIsNotAreAbsent) {
  MemoryStorage storage;
  encode(storage, *small_table());
  const auto keys = parquet_of(storage)->metadata()->key_value_metadata();
  EXPECT_FALSE(keys->Contains("crv_replaces"));
  EXPECT_FALSE(keys->Contains("crv_token"));
}

TEST(PartOnDisk, ArrowSchemaTellsPlainTypesWhateverTheCallerHad) {
  MemoryStorage storage;
  encode(storage, *small_table());
  const auto keys = parquet_of(storage)->metadata()->key_value_metadata();
  const std::string bytes = arrow::util::base64_decode(keys->Get("ARROW:schema").ValueOrDie()).ValueOrDie();
  arrow::io::BufferReader stream(arrow::Buffer::FromString(bytes));
  arrow::ipc::DictionaryMemo memo;
  const auto expected =
      arrow::schema({field("tick", arrow::int64()), field("price", arrow::float64()),
                     field("name", arrow::utf8()), field("ids", arrow::list(field("element", arrow::utf8()))),
                     field("payload", arrow::struct_({field("_empty", arrow::boolean())}))});
  const auto schema = arrow::ipc::ReadSchema(&stream, &memo).ValueOrDie();
  EXPECT_TRUE(schema->Equals(*expected, true)) << schema->ToString();
  // And so it comes to a reader that knows nothing of crv.
  EXPECT_TRUE(read_by_arrow(storage)->schema()->RemoveMetadata()->Equals(*expected, true));
}

TEST(PartOnDisk, EveryLevelIsOptionalAndListsAreCompliant) {
  MemoryStorage storage;
  const auto required = [](const char* name, std::shared_ptr<arrow::DataType> type) {
    return field(name, std::move(type), false);
  };
  // The caller says "not nullable" on every level.
  const auto rows =
      table_of({{"tick", arrow::int64(), "[1, 2]"},
                {"nest",
                 arrow::struct_({required(
                     "xs", arrow::list(required("item", arrow::struct_({required("a", arrow::int64())}))))}),
                 R"([{"xs": [{"a": 1}, {"a": 2}]}, {"xs": []}])"}});
  encode(storage, *rows);
  const auto metadata = parquet_of(storage)->metadata();
  const auto& schema = *metadata->schema();
  ASSERT_EQ(schema.num_columns(), 2);
  EXPECT_EQ(schema.Column(0)->max_definition_level(), 1);
  EXPECT_EQ(schema.Column(1)->path()->ToDotString(), "nest.xs.list.element.a");
  EXPECT_EQ(schema.Column(1)->max_definition_level(), 5);  // nest, xs, list, element, a
  PartQuery query;
  query.wanted = from_arrow(*rows->schema());
  expect_array(decode(storage, query)->column(1)->chunk(0),
               array_of(to_arrow(query.wanted[1].type), R"([{"xs": [{"a": 1}, {"a": 2}]}, {"xs": []}])"));
}

TEST(PartOnDisk, RowGroupsStatisticsAndPageIndex) {
  MemoryStorage storage;
  EncodeSettings settings;
  settings.row_group_size = 2;
  encode(storage, *small_table(), settings);
  const auto file = parquet_of(storage);
  const auto metadata = file->metadata();
  EXPECT_EQ(metadata->version(), parquet::ParquetVersion::PARQUET_2_6);
  ASSERT_EQ(metadata->num_row_groups(), 2);
  EXPECT_EQ(metadata->RowGroup(0)->num_rows(), 2);
  EXPECT_EQ(metadata->RowGroup(1)->num_rows(), 1);
  const auto statistics = metadata->RowGroup(0)->ColumnChunk(0)->statistics();
  ASSERT_TRUE(statistics->HasMinMax());
  EXPECT_EQ(std::static_pointer_cast<parquet::Int64Statistics>(statistics)->min(), 1);
  EXPECT_EQ(std::static_pointer_cast<parquet::Int64Statistics>(statistics)->max(), 3);
  const auto index = file->GetPageIndexReader()->RowGroup(0);
  ASSERT_NE(index, nullptr);
  ASSERT_NE(index->GetOffsetIndex(0), nullptr);
  const auto ticks = std::dynamic_pointer_cast<parquet::Int64ColumnIndex>(index->GetColumnIndex(0));
  ASSERT_NE(ticks, nullptr);
  EXPECT_EQ(ticks->max_values(), std::vector<std::int64_t>{3});
}

TEST(PartOnDisk, CompressionIsTheOneAskedFor) {
  for (const auto& [asked, codec] : {std::pair{Compression::zstd, parquet::Compression::ZSTD},
                                     std::pair{Compression::lz4, parquet::Compression::LZ4},
                                     std::pair{Compression::snappy, parquet::Compression::SNAPPY}}) {
    MemoryStorage storage;
    EncodeSettings settings;
    settings.compression = asked;
    encode(storage, *small_table(), settings);
    EXPECT_EQ(parquet_of(storage)->metadata()->RowGroup(0)->ColumnChunk(0)->compression(), codec);
  }
}

TEST(PartOnDisk, BytesAndChecksumAreThoseOfTheFile) {
  MemoryStorage storage;
  const EncodedPart part = encode(storage, *small_table());
  EXPECT_EQ(part.bytes, static_cast<std::int64_t>(storage.objects.at(kPart).size()));
  EXPECT_EQ(part.checksum, checksum_of(*storage.open(kPart)));
  storage.objects["hello"] = "hello";
  EXPECT_EQ(checksum_of(*storage.open("hello")), "9555e8555c62dcfd");  // XXH3-64 of "hello"
  storage.objects["big"] = std::string(3 << 20, 'x');
  EXPECT_EQ(checksum_of(*storage.open("big")), "56227a6f1ca2f7d9");
  storage.objects["mebi"] = std::string(1 << 20, 'x');
  EXPECT_EQ(checksum_of(*storage.open("mebi")), "11ea1c8ad3937333");
}

// Fails at the write that would pass `limit` bytes, and counts what is asked of it afterwards.
class FullWriter : public Writer {
 public:
  explicit FullWriter(std::int64_t limit) : limit_(limit) {}
  void write(const void*, std::int64_t length) override {
    if (failed_) ++after_failure;
    limit_ -= length;
    if (limit_ >= 0) return;
    failed_ = true;
    ErrorFacts facts;
    facts.os_error = ENOSPC;
    facts.path = "some/part";
    raise(ErrorCode::write_failed, "disk full", facts);
  }
  void finish() override { finished = true; }
  int after_failure = 0;
  bool finished = false;

 private:
  std::int64_t limit_;
  bool failed_ = false;
};

TEST(PartOnDisk, AnErrorOfTheDiskComesOutAsItWas) {
  MemoryStorage storage;
  const auto rows = small_table();
  const std::int64_t bytes = encode(storage, *rows).bytes;
  for (std::int64_t limit = 0; limit < bytes; limit += 7) {
    FullWriter writer(limit);
    try {
      write_part(writer, *rows, footer_of(*rows), {});
      ADD_FAILURE() << "no error at " << limit;
    } catch (const IoWriteError& error) {
      EXPECT_STREQ(error.what(), "disk full");
      EXPECT_EQ(error.facts().os_error, ENOSPC);
      EXPECT_EQ(error.facts().path, "some/part");
    }
    EXPECT_EQ(writer.after_failure, 0);
    EXPECT_FALSE(writer.finished);
  }
}

TEST(PartOnDisk, EveryFormOfATypeIsStoredAsOne) {
  MemoryStorage storage;
  encode(storage, *table_of({{"tick", arrow::int32(), "[1]"},
                             {"f", arrow::float32(), "[0.5]"},
                             {"d", arrow::dictionary(arrow::int8(), arrow::utf8()), R"(["a"])"},
                             {"t", arrow::timestamp(arrow::TimeUnit::SECOND), "[1]"},
                             {"e", arrow::struct_({}), "[{}]"}}));
  const auto table = read_by_arrow(storage);
  const auto expected = table_of({{"tick", arrow::int64(), "[1]"},
                                  {"f", arrow::float64(), "[0.5]"},
                                  {"d", arrow::utf8(), R"(["a"])"},
                                  {"t", arrow::timestamp(arrow::TimeUnit::MILLI), "[1000]"},
                                  {"e", arrow::struct_({field("_empty", arrow::boolean())}), "[{}]"}});
  expect_table(*table->ReplaceSchemaMetadata(nullptr), *expected);
}

TEST(PartOnDisk, WhatNoPartHoldsIsRefused) {
  for (const auto& type : {arrow::null(), arrow::list(arrow::null()), arrow::month_interval(),
                           arrow::struct_({field("a", arrow::null())})}) {
    MemoryStorage storage;
    const auto rows = table_of({{"tick", arrow::int64(), "[1]"}, {"x", type, "[null]"}});
    const auto writer = storage.create(kPart);
    try {
      write_part(*writer, *rows, PartFooter(), {});
      ADD_FAILURE() << type->ToString();
    } catch (const IoSchemaError& error) {
      EXPECT_EQ(error.code(), ErrorCode::wrong_type);
      EXPECT_EQ(error.facts().column.substr(0, 1), "x");
    }
    EXPECT_TRUE(storage.objects.empty());
  }
}

}  // namespace
}  // namespace crv::io
