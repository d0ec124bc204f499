#include <thread>

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>

#include "io/support/part_support.h"

namespace crv::io {
namespace {

using arrow::field;
using Kind = Type::Kind;
using TypePtr = std::shared_ptr<arrow::DataType>;

const Type kI64 = core::plain_type(Kind::i64), kF64 = core::plain_type(Kind::f64),
           kStr = core::plain_type(Kind::str);

PartQuery everything(const Columns& wanted) {
  PartQuery query;
  query.wanted = wanted;
  return query;
}

// `json` of the type comes back, as crv's own form of that type, whole and from every slice of the input.
void expect_round_trip(const TypePtr& type, const std::string& json) {
  SCOPED_TRACE(type->ToString());
  const auto given = array_of(type, json);
  for (std::int64_t offset = 0; offset < given->length(); ++offset) {
    const std::int64_t count = given->length() - offset;
    arrow::Int64Builder ticks;
    for (std::int64_t i = 0; i < count; ++i) ASSERT_TRUE(ticks.Append(i).ok());
    const auto rows = arrow::Table::Make(arrow::schema({field("tick", arrow::int64()), field("x", type)}),
                                         {ticks.Finish().ValueOrDie(), given->Slice(offset)});
    MemoryStorage storage;
    EncodeSettings settings;
    settings.row_group_size = 3;
    encode(storage, *rows, settings);
    const Type wanted = from_arrow(*type, "x");
    const auto actual = decode(storage, everything({{"x", wanted}}))->column(0);
    const auto expected = adapt(given->Slice(offset), wanted);
    EXPECT_TRUE(actual->Equals(arrow::ChunkedArray(expected), arrow::EqualOptions().nans_equal(true)))
        << actual->ToString() << "\ninstead of\n"
        << expected->ToString();
  }
}

TEST(PartRoundTrip, PlainTypes) {
  expect_round_trip(arrow::int64(), "[1, null, -9223372036854775808, 9223372036854775807]");
  expect_round_trip(arrow::float64(), "[1.5, null, NaN, -Inf, -0.0]");
  expect_round_trip(arrow::boolean(), "[true, null, false, true, true]");
  for (const auto& type : {arrow::utf8(), arrow::large_utf8(), arrow::utf8_view()}) {
    expect_round_trip(type, R"(["a", null, "", "a text longer than any view holds", "tok_ü"])");
  }
}

TEST(PartRoundTrip, OtherTypes) {
  expect_round_trip(arrow::binary(), R"(["a", null, ""])");
  expect_round_trip(arrow::fixed_size_binary(2), R"(["ab", null])");
  expect_round_trip(arrow::date32(), "[1, null]");
  expect_round_trip(arrow::time32(arrow::TimeUnit::MILLI), "[1, null]");
  expect_round_trip(arrow::time64(arrow::TimeUnit::NANO), "[1, null]");
  expect_round_trip(arrow::duration(arrow::TimeUnit::MICRO), "[1, null]");
  expect_round_trip(arrow::duration(arrow::TimeUnit::SECOND), "[1, null]");
  expect_round_trip(arrow::timestamp(arrow::TimeUnit::MILLI), "[1, null]");
  expect_round_trip(arrow::timestamp(arrow::TimeUnit::NANO, "America/New_York"), "[1, null]");
  expect_round_trip(arrow::decimal128(20, 3), R"(["1.500", null])");
  expect_round_trip(arrow::decimal256(60, 3), R"(["1.500", null])");
}

TEST(PartRoundTrip, NestedTypes) {
  const TypePtr inner =
      arrow::struct_({field("k", arrow::utf8_view()), field("v", arrow::list(arrow::float64()))});
  expect_round_trip(arrow::list(arrow::int64()), "[[1, null], [], null, [2], [3, 4, 5]]");
  expect_round_trip(arrow::large_list(arrow::utf8()), R"([["a"], null, [], [null, "b"]])");
  expect_round_trip(arrow::list(arrow::large_list(arrow::list(arrow::boolean()))),
                    "[[[[true], []], null], [], null, [[]], [[[null]]]]");
  expect_round_trip(inner, R"([{"k": "a", "v": [1]}, null, {"k": null, "v": null}, {"k": "b", "v": []}])");
  expect_round_trip(arrow::list(inner),
                    R"([[{"k": "a", "v": [1]}, null], null, [], [{"k": null, "v": [null, 2]}]])");
  expect_round_trip(
      arrow::struct_({field("a", arrow::struct_({field("b", arrow::struct_({field("c", inner)}))}))}),
      R"([{"a": {"b": {"c": {"k": "x", "v": []}}}}, {"a": null}, {"a": {"b": null}}, null,
                        {"a": {"b": {"c": null}}}])");
}

TEST(PartRoundTrip, EmptyStructsAtAnyDepth) {
  const TypePtr empty = arrow::struct_({field("_empty", arrow::boolean())});
  expect_round_trip(empty, "[{}, null, {}]");
  expect_round_trip(arrow::list(empty), "[[{}, null], [], null, [{}]]");
  expect_round_trip(
      arrow::struct_({field("a", empty), field("b", arrow::list(arrow::list(empty)))}),
      R"([{"a": {}, "b": [[{}], [], null]}, {"a": null, "b": null}, null, {"a": {}, "b": []}])");
}

TEST(PartRoundTrip, NothingButNulls) {
  for (const auto& type : {arrow::int64(), arrow::utf8(), arrow::utf8_view(), arrow::list(arrow::int64()),
                           arrow::struct_({field("a", arrow::list(arrow::utf8()))}), arrow::binary()}) {
    expect_round_trip(type, "[null, null, null, null]");
  }
  expect_round_trip(arrow::list(arrow::int64()), "[[], [], []]");
}

TEST(PartRoundTrip, ColumnsOfSeveralChunks) {
  const TypePtr type = arrow::struct_({field("a", arrow::utf8_view())});
  const auto chunk = array_of(type, R"([{"a": "x"}, null, {"a": null}])");
  const auto texts = std::make_shared<arrow::ChunkedArray>(
      arrow::ArrayVector{chunk, chunk->Slice(1), chunk->Slice(0, 0), chunk->Slice(2)});
  const auto ticks = std::make_shared<arrow::ChunkedArray>(
      arrow::ArrayVector{array_of(arrow::int64(), "[1, 2]"), array_of(arrow::int64(), "[3, 4, 5, 6]")});
  const auto rows =
      arrow::Table::Make(arrow::schema({field("tick", arrow::int64()), field("x", type)}), {ticks, texts});
  MemoryStorage storage;
  EncodeSettings settings;
  settings.row_group_size = 4;
  encode(storage, *rows, settings);
  const Columns wanted = {{"x", struct_of({{"a", kStr}})}, {"tick", kI64}};
  expect_table(*decode(storage, everything(wanted)),
               *table_of({{"x", to_arrow(wanted[0].type),
                           R"([{"a": "x"}, null, {"a": null}, null, {"a": null}, {"a": null}])"},
                          {"tick", arrow::int64(), "[1, 2, 3, 4, 5, 6]"}}));
}

// Ticks 0..9 twice, in two row groups of ten: the first sorted, the second not.
std::shared_ptr<arrow::Table> ticking() {
  return table_of({{"tick", arrow::int64(), "[0,1,2,3,4,5,6,7,8,9, 5,9,0,3,7,1,8,2,6,4]"},
                   {"n", arrow::int64(), "[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19]"},
                   {"s", arrow::utf8(),
                    R"(["a","b","c","d","e","f","g","h","i","j","k","l","m","n","o","p","q","r","s","t"])"}});
}

void encode_ticking(MemoryStorage& storage) {
  EncodeSettings settings;
  settings.row_group_size = 10;
  encode(storage, *ticking(), settings);
}

TEST(PartFilter, TakesExactlyTheRowsOfTheRange) {
  MemoryStorage storage;
  encode_ticking(storage);
  const auto all = ticking();
  const auto& ticks = static_cast<const arrow::Int64Array&>(*all->column(0)->chunk(0));
  for (std::int64_t low = -1; low <= 10; ++low) {
    for (std::int64_t high = low; high <= 10; ++high) {
      for (const std::int64_t batch_rows : {1, 3, 100}) {
        PartQuery query = everything({{"n", kI64}, {"s", kStr}});
        query.tick_min = low;
        query.tick_max = high;
        query.batch_rows = batch_rows;
        arrow::Int64Builder expected;
        for (std::int64_t i = 0; i < ticks.length(); ++i) {
          if (ticks.Value(i) >= low && ticks.Value(i) <= high) {
            ASSERT_TRUE(expected.Append(i).ok());
          }
        }
        const auto table = decode(storage, query);
        EXPECT_TRUE(table->column(0)->Equals(arrow::ChunkedArray(expected.Finish().ValueOrDie())))
            << low << " " << high;
        PartReader reader(storage, kPart, query, "exchange", "run_1", -1);
        for (std::int64_t i = 0; i < reader.row_groups(); ++i) {
          for (const auto& batch : reader.read_row_group(i)) EXPECT_LE(batch->num_rows(), batch_rows);
        }
      }
    }
  }
}

TEST(PartFilter, OpenBoundsAndOrderOfColumns) {
  MemoryStorage storage;
  encode_ticking(storage);
  PartQuery query = everything({{"s", kStr}, {"tick", kF64}});
  query.tick_min = 8;
  expect_table(*decode(storage, query), *table_of({{"s", arrow::utf8(), R"(["i","j","l","q"])"},
                                                   {"tick", arrow::float64(), "[8, 9, 9, 8]"}}));
  query.tick_min = INT64_MIN;
  query.tick_max = 0;
  expect_table(*decode(storage, query),
               *table_of({{"s", arrow::utf8(), R"(["a","m"])"}, {"tick", arrow::float64(), "[0, 0]"}}));
}

TEST(PartFilter, RowGroupsThatCannotMatchAreNotRead) {
  MemoryStorage storage;
  EncodeSettings settings;
  settings.row_group_size = 5;
  encode(storage, *ticking()->Slice(0, 10), settings);  // ticks 0..4 and 5..9
  PartQuery query = everything({{"n", kI64}});
  query.tick_min = 6;
  query.tick_max = 7;
  PartReader reader(storage, kPart, query, "exchange", "run_1", -1);
  EXPECT_EQ(reader.row_groups(), 1);
  EXPECT_EQ(PartReader(storage, kPart, everything({{"n", kI64}}), "exchange", "run_1", -1).row_groups(), 2);
  const auto batches = reader.read_row_group(0);
  ASSERT_EQ(batches.size(), 1U);
  expect_array(batches[0]->column(0), array_of(arrow::int64(), "[6, 7]"));
  query.tick_min = query.tick_max = 100;
  EXPECT_EQ(PartReader(storage, kPart, query, "exchange", "run_1", -1).row_groups(), 0);
}

TEST(PartFilter, ColumnsThatAreNotWantedAreNotRead) {
  MemoryStorage storage;
  std::string texts = "[";
  for (int i = 0; i < 20; ++i)
    texts += (i == 0 ? "\"" : ",\"") + std::string(5000, static_cast<char>('a' + i)) + "x\"";
  const auto rows =
      ticking()->SetColumn(2, field("s", arrow::utf8()),
                           std::make_shared<arrow::ChunkedArray>(array_of(arrow::utf8(), texts + "]")));
  EncodeSettings settings;
  settings.compression = Compression::snappy;
  encode(storage, *rows.ValueOrDie(), settings);
  const auto bytes_for = [&](const Columns& wanted) {
    PartReader reader(storage, kPart, everything(wanted), "exchange", "run_1", -1);
    const std::int64_t before = storage.bytes_read();
    decode(reader, wanted);
    return storage.bytes_read() - before;
  };
  EXPECT_LT(bytes_for({{"n", kI64}}) + 2000, bytes_for({{"n", kI64}, {"s", kStr}}));
}

TEST(PartReading, WhatThePartLacksIsNull) {
  MemoryStorage storage;
  encode(storage, *table_of({{"tick", arrow::int64(), "[1, 2]"},
                             {"q", arrow::int64(), "[5, null]"},
                             {"p", arrow::struct_({field("b", arrow::int64())}), R"([{"b": 1}, null])"},
                             {"e", arrow::struct_({field("_empty", arrow::boolean())}), "[{}, null]"}}));
  const Columns wanted = {{"gone", list_of(kStr)},
                          {"e", struct_of({{"z", kF64}})},
                          {"p", struct_of({{"a", kStr}, {"b", kF64}})},
                          {"q", kF64},
                          {"unknown", core::plain_type(Kind::null)}};
  expect_table(*decode(storage, everything(wanted)),
               *table_of({{"gone", to_arrow(wanted[0].type), "[null, null]"},
                          {"e", to_arrow(wanted[1].type), R"([{"z": null}, null])"},
                          {"p", to_arrow(wanted[2].type), R"([{"a": null, "b": 1}, null])"},
                          {"q", arrow::float64(), "[5, null]"},
                          {"unknown", arrow::null(), "[null, null]"}}));
  // Even where it has none of them, with and without a filter.
  PartQuery query = everything({{"gone", kStr}});
  expect_table(*decode(storage, query), *table_of({{"gone", arrow::utf8(), "[null, null]"}}));
  query.tick_min = 2;
  expect_table(*decode(storage, query), *table_of({{"gone", arrow::utf8(), "[null]"}}));
  query.wanted = {};
  PartReader reader(storage, kPart, query, "exchange", "run_1", -1);
  const auto batches = reader.read_row_group(0);
  ASSERT_EQ(batches.size(), 1U);
  EXPECT_EQ(batches[0]->num_rows(), 1);
}

TEST(PartReading, ManyThreadsShareOneReader) {
  MemoryStorage storage;
  EncodeSettings settings;
  settings.row_group_size = 1;
  encode(storage, *ticking(), settings);
  PartQuery query = everything({{"s", kStr}, {"n", kI64}});
  query.tick_min = 1;
  PartReader reader(storage, kPart, query, "exchange", "run_1", -1);
  ASSERT_EQ(reader.row_groups(), 18);
  std::vector<std::vector<std::shared_ptr<arrow::RecordBatch>>> groups(18);
  std::vector<std::thread> threads;
  for (std::size_t worker = 0; worker < 4; ++worker) {
    threads.emplace_back([&, worker] {
      for (std::size_t i = worker; i < groups.size(); i += 4)
        groups[i] = reader.read_row_group(static_cast<std::int64_t>(i));
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  for (auto& group : groups) batches.insert(batches.end(), group.begin(), group.end());
  EXPECT_TRUE(arrow::Table::FromRecordBatches(batches).ValueOrDie()->Equals(*decode(storage, query)));
}

TEST(PartFacts, AreThoseOfTheFooter) {
  MemoryStorage storage;
  const auto rows = ticking();
  PartFooter footer = footer_of(*rows);
  footer.replaces = {"part-00000000000000000000000000000001.parquet"};
  footer.token = "engine 7";
  footer.columns.push_back({"unknown", core::plain_type(Kind::null)});
  footer.columns[1].type.exact = true;
  const auto writer = storage.create(kPart);
  write_part(*writer, *rows->Slice(3, 5), footer, {});
  const PartFacts facts = read_part_facts(storage, kPart);
  EXPECT_EQ(facts.rows, 5);
  EXPECT_EQ(facts.bytes, static_cast<std::int64_t>(storage.objects.at(kPart).size()));
  EXPECT_EQ(facts.tick_min, 3);
  EXPECT_EQ(facts.tick_max, 7);
  EXPECT_EQ(facts.footer.schema_version, footer.schema_version);
  EXPECT_EQ(facts.footer.table, "exchange");
  EXPECT_EQ(facts.footer.run_id, "run_1");
  EXPECT_EQ(facts.footer.append_id, footer.append_id);
  EXPECT_EQ(facts.footer.append_parts, 2);
  EXPECT_EQ(facts.footer.replaces, footer.replaces);
  EXPECT_EQ(facts.footer.token, "engine 7");
  EXPECT_EQ(facts.footer.created_at, footer.created_at);
  EXPECT_EQ(facts.footer.columns, footer.columns);
}

// A file that Arrow's writer made, with nothing of crv in it.
void write_foreign(
    MemoryStorage& storage, const arrow::Table& rows,
    const std::shared_ptr<parquet::WriterProperties>& properties = parquet::default_writer_properties(),
    bool store_schema = false) {
  const auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  parquet::ArrowWriterProperties::Builder arrow_properties;
  if (store_schema) arrow_properties.store_schema();
  ASSERT_TRUE(parquet::arrow::WriteTable(rows, arrow::default_memory_pool(), sink, 1024, properties,
                                         arrow_properties.build())
                  .ok());
  storage.objects[kPart] = sink->Finish().ValueOrDie()->ToString();
}

TEST(PartFacts, OfFilesThatAreNotCrvs) {
  const auto properties = parquet::WriterProperties::Builder().disable_statistics()->build();
  for (const auto& type : {arrow::int64(), arrow::int32(), arrow::uint16(), arrow::int8()}) {
    for (const auto& how : {properties, parquet::default_writer_properties()}) {
      MemoryStorage storage;
      write_foreign(storage,
                    *table_of({{"x", arrow::float32(), "[1, 2, 3]"}, {"tick", type, "[7, null, 5]"}}), how);
      const PartFacts facts = read_part_facts(storage, kPart);
      EXPECT_EQ(facts.tick_min, 5);
      EXPECT_EQ(facts.tick_max, 7);
      EXPECT_EQ(facts.rows, 3);
      EXPECT_EQ(facts.footer.table, "");
      EXPECT_EQ(facts.footer.append_id, "");
      EXPECT_EQ(facts.footer.append_parts, 0);
      EXPECT_EQ(facts.footer.columns, (Columns{{"x", kF64}, {"tick", kI64}}));
      PartQuery query = everything({{"x", kF64}});
      query.tick_min = 6;
      expect_table(*decode(storage, query), *table_of({{"x", arrow::float64(), "[1]"}}));
    }
  }
}

TEST(PartReading, FilesOfOtherWritersInAnyForm) {
  MemoryStorage storage;
  const auto rows = table_of(
      {{"s", arrow::dictionary(arrow::int32(), arrow::large_utf8()), R"(["a", null, "a"])"},
       {"l", arrow::large_list(arrow::struct_({field("v", arrow::large_utf8()), field("n", arrow::null())})),
        R"([[{"v": "x"}], null, []])"},
       {"m", arrow::map(arrow::utf8(), arrow::int32()), R"([[["k", 1]], [], null])"},
       {"tick", arrow::uint64(), "[2, 1, 2]"}});
  const Columns wanted = {{"tick", kI64},
                          {"m", list_of(struct_of({{"key", kStr}, {"value", kI64}}))},
                          {"l", list_of(struct_of({{"n", kI64}, {"v", kStr}}))},
                          {"s", kStr}};
  for (const bool store_schema : {false, true}) {
    write_foreign(storage, *rows, parquet::default_writer_properties(), store_schema);
    PartQuery query = everything(wanted);
    query.tick_min = 2;
    expect_table(*decode(storage, query),
                 *table_of({{"tick", arrow::int64(), "[2, 2]"},
                            {"m", to_arrow(wanted[1].type), R"([[{"key": "k", "value": 1}], null])"},
                            {"l", to_arrow(wanted[2].type), R"([[{"n": null, "v": "x"}], []])"},
                            {"s", arrow::utf8(), R"(["a", "a"])"}}));
  }
}

ErrorCode code_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const IoReadError& error) {
    EXPECT_EQ(error.facts().path, kPart);
    EXPECT_NE(std::string(error.what()).find(kPart), std::string::npos) << error.what();
    return error.code();
  }
  ADD_FAILURE() << "no error";
  return ErrorCode::bad_json;
}

TEST(PartErrors, MissingForeignOrOfAnotherSize) {
  MemoryStorage storage;
  const auto open = [&](std::string_view table, std::string_view run, std::int64_t bytes) {
    PartReader(storage, kPart, everything({{"n", kI64}}), table, run, bytes);
  };
  EXPECT_EQ(code_of([&] { open("exchange", "run_1", -1); }), ErrorCode::part_missing);
  EXPECT_EQ(code_of([&] { read_part_facts(storage, kPart); }), ErrorCode::part_missing);
  const std::int64_t bytes = encode(storage, *ticking()).bytes;
  open("exchange", "run_1", bytes);
  EXPECT_EQ(code_of([&] { open("exchange", "run_1", bytes + 1); }), ErrorCode::part_damaged);
  EXPECT_EQ(code_of([&] { open("holdings", "run_1", bytes); }), ErrorCode::part_foreign);
  EXPECT_EQ(code_of([&] { open("exchange", "run_2", bytes); }), ErrorCode::part_foreign);
}

TEST(PartFacts, RowsOfAnyParquetFile) {
  MemoryStorage storage;
  EXPECT_EQ(parquet_rows(storage, kPart), std::nullopt);
  storage.objects[kPart] = "PAR1 but nothing more";
  EXPECT_EQ(parquet_rows(storage, kPart), std::nullopt);
  write_foreign(storage, *table_of({{"x", arrow::utf8(), R"(["a", "b"])"}}));
  EXPECT_EQ(parquet_rows(storage, kPart), 2);
}

TEST(PartErrors, PartsWithoutRowsOrTicks) {
  MemoryStorage storage;
  const auto facts = [&] { read_part_facts(storage, kPart); };
  encode(storage, *ticking()->Slice(0, 0));
  EXPECT_EQ(code_of(facts), ErrorCode::part_damaged);
  for (const TypePtr& type :
       {arrow::utf8(), arrow::float64(), arrow::timestamp(arrow::TimeUnit::MICRO), arrow::null(),
        arrow::list(arrow::int64()), arrow::struct_({field("tick", arrow::int64())}), arrow::int64()}) {
    write_foreign(storage, *table_of({{"tick", type, "[null, null]"}}));
    EXPECT_EQ(code_of(facts), ErrorCode::part_damaged) << type->ToString();
  }
  write_foreign(storage, *table_of({{"tock", arrow::int64(), "[1]"}}));
  EXPECT_EQ(code_of(facts), ErrorCode::part_damaged);
  PartQuery query = everything({{"tock", kI64}});
  EXPECT_EQ(decode(storage, query)->num_rows(), 1);
  query.tick_min = 0;
  EXPECT_EQ(code_of([&] { decode(storage, query); }), ErrorCode::part_damaged);
}

TEST(PartErrors, ColumnsOfAnotherTypeAreNamed) {
  MemoryStorage storage;
  encode(storage, *ticking());
  try {
    decode(storage, everything({{"n", kI64}, {"s", kI64}}));
    FAIL();
  } catch (const IoReadError& error) {
    EXPECT_EQ(error.code(), ErrorCode::part_damaged);
    EXPECT_EQ(error.facts().column, "s");
    EXPECT_EQ(error.facts().path, kPart);
  }
}

}  // namespace
}  // namespace crv::io
