#include "io/conform/split.h"

#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "crv/io/json_rows.h"
#include "io/support/arrow_json.h"
#include "io/support/conform_support.h"

namespace crv::io {
namespace {

Conformed split(const arrow::Table& frame, std::int64_t bucket_size) {
  ConformOptions options;
  options.tick_bucket_size = bucket_size;
  options.strict_schema = false;
  return conform(frame, *core::find_table("holdings"), {}, [&] {
    options.validate_schema = false;
    return options;
  }());
}

std::vector<std::int64_t> ids_of(const Conformed& result) {
  std::vector<std::int64_t> ids;
  for (const auto& bucket : result.buckets) ids.push_back(bucket.id);
  return ids;
}

std::string ticks_of(const Conformed::Bucket& bucket) {
  std::string text;
  for (const JsonObject& row : rows_to_json(*bucket.rows)) text += write_json(*row.find("tick")) + " ";
  return text;
}

TEST(Split, BucketsComeAscendingWithTheirTickRanges) {
  const Conformed result =
      split(*table_of({{"tick", array_of(arrow::int64(), "[250, 3, 99, 251, 100, 0]")}}), 100);
  EXPECT_EQ(ids_of(result), (std::vector<std::int64_t>{0, 1, 2}));
  EXPECT_EQ(ticks_of(result.buckets[0]), "3 99 0 ");
  EXPECT_EQ(result.buckets[0].tick_min, 0);
  EXPECT_EQ(result.buckets[0].tick_max, 99);
  EXPECT_EQ(ticks_of(result.buckets[1]), "100 ");
  EXPECT_EQ(ticks_of(result.buckets[2]), "250 251 ");
  EXPECT_EQ(result.buckets[2].tick_max, 251);
}

TEST(Split, UnsortedTicksWithinAscendingBucketsAreNotCopied) {
  const auto ticks = array_of(arrow::int64(), "[5, 1, 9, 12, 11]");
  const Conformed result = split(*table_of({{"tick", ticks}}), 10);
  EXPECT_EQ(ids_of(result), (std::vector<std::int64_t>{0, 1}));
  EXPECT_EQ(result.buckets[0].tick_min, 1);
  EXPECT_EQ(result.buckets[0].tick_max, 9);
  EXPECT_EQ(ticks_of(result.buckets[1]), "12 11 ");
  EXPECT_EQ(result.buckets[1].rows->GetColumnByName("tick")->chunk(0)->data()->buffers[1],
            ticks->data()->buffers[1]);
}

TEST(Split, TheEndsOfTheTickRange) {
  for (const std::int64_t size : {std::int64_t{1}, std::int64_t{7}, std::int64_t{100}, INT64_MAX}) {
    const auto ticks = array_of(arrow::int64(), "[0, 9223372036854775807, 9223372036854775807, 1]");
    const Conformed result = split(*table_of({{"tick", ticks}}), size);
    std::map<std::int64_t, std::int64_t> rows;
    for (const std::int64_t tick : {std::int64_t{0}, INT64_MAX, INT64_MAX, std::int64_t{1}})
      ++rows[tick / size];
    ASSERT_EQ(result.buckets.size(), rows.size()) << size;
    for (const auto& bucket : result.buckets) EXPECT_EQ(bucket.rows->num_rows(), rows[bucket.id]) << size;
    const auto sorted =
        array_of(arrow::int64(), "[9223372036854775806, 9223372036854775807, 9223372036854775807]");
    const std::size_t expected = size == 1 || (INT64_MAX - 1) / size != INT64_MAX / size ? 2 : 1;
    EXPECT_EQ(split(*table_of({{"tick", sorted}}), size).buckets.size(), expected) << size;
  }
}

TEST(Split, TextViewsAndNestedColumnsAreTaken) {
  const auto nested = arrow::struct_(
      {arrow::field("v", arrow::utf8_view()), arrow::field("l", arrow::list(arrow::utf8_view()))});
  const auto frame = table_of(
      {{"tick", array_of(arrow::int64(), "[9, 0, 9, 0]")},
       {"view", array_of(arrow::utf8_view(), R"(["a text longer than twelve bytes", "b", null, "d"])")},
       {"nested",
        array_of(nested, R"([{"v": "a", "l": ["x"]}, {"v": "b", "l": []}, null, {"v": null, "l": null}])")}});
  const Conformed result = split(*frame, 5);
  ASSERT_EQ(result.buckets.size(), 2U);
  EXPECT_EQ(write_json(Json(JsonArray{rows_to_json(*result.buckets[0].rows)[0],
                                      rows_to_json(*result.buckets[0].rows)[1]})),
            R"([{"bucket":0,"tick":0,"view":"b","nested":{"v":"b","l":[]}},)"
            R"({"bucket":0,"tick":0,"view":"d","nested":{"v":null,"l":null}}])");
  EXPECT_EQ(write_json(rows_to_json(*result.buckets[1].rows)[0]),
            R"({"bucket":1,"tick":9,"view":"a text longer than twelve bytes","nested":{"v":"a","l":["x"]}})");
  EXPECT_EQ(write_json(rows_to_json(*result.buckets[1].rows)[1]),
            R"({"bucket":1,"tick":9,"view":null,"nested":null})");
}

TEST(Split, ManyShortPiecesAreJoined) {
  arrow::ArrayVector pieces;
  for (int i = 0; i < 100; ++i) pieces.push_back(array_of(arrow::int64(), "[" + std::to_string(i) + "]"));
  const auto frame = arrow::Table::Make(arrow::schema({arrow::field("tick", arrow::int64())}),
                                        {std::make_shared<arrow::ChunkedArray>(pieces)});
  const Conformed result = split(*frame, 50);
  ASSERT_EQ(result.buckets.size(), 2U);
  EXPECT_EQ(result.buckets[1].rows->num_rows(), 50);
  EXPECT_EQ(result.buckets[1].rows->GetColumnByName("tick")->num_chunks(), 1);
}

std::uint64_t test_seed() {
  const char* given = std::getenv("CRV_TEST_SEED");
  const std::uint64_t seed = given == nullptr ? std::random_device()() : std::strtoull(given, nullptr, 10);
  std::cout << "CRV_TEST_SEED=" << seed << "\n";
  return seed;
}

// A column cut at random places.
std::shared_ptr<arrow::ChunkedArray> cut(const std::shared_ptr<arrow::Array>& array,
                                         std::mt19937_64& random) {
  arrow::ArrayVector chunks;
  std::int64_t begin = 0;
  while (begin < array->length()) {
    const std::int64_t longest = random() % 4 == 0 ? 3 : 40000;
    const std::int64_t length =
        std::min<std::int64_t>(array->length() - begin, static_cast<std::int64_t>(random() % longest) + 1);
    chunks.push_back(array->Slice(begin, length));
    begin += length;
  }
  return std::make_shared<arrow::ChunkedArray>(chunks, array->type());
}

struct Model {
  std::vector<std::int64_t> ticks;
  std::shared_ptr<arrow::Table> frame;
};

// Rows that know their number, with ticks in order, almost in order, in few buckets or far apart.
Model random_frame(std::mt19937_64& random) {
  Model model;
  arrow::Int64Builder ticks, numbers;
  arrow::StringViewBuilder texts;
  const std::int64_t rows = static_cast<std::int64_t>(random() % (random() % 5 == 0 ? 90000 : 300));
  const int shape = static_cast<int>(random() % 4);
  std::int64_t tick = 0;
  for (std::int64_t i = 0; i < rows; ++i) {
    if (shape <= 1) tick += static_cast<std::int64_t>(random() % 3);
    if (shape == 1 && random() % 50 == 0) tick = std::max<std::int64_t>(0, tick - 40);
    if (shape == 2) tick = static_cast<std::int64_t>(random() % 1000);
    if (shape == 3) tick = static_cast<std::int64_t>(random() >> (1 + random() % 40));
    model.ticks.push_back(tick);
    EXPECT_TRUE(ticks.Append(tick).ok() && numbers.Append(i).ok());
    EXPECT_TRUE((i % 7 == 0 ? texts.AppendNull() : texts.Append("row number " + std::to_string(i))).ok());
  }
  const auto number = numbers.Finish().ValueOrDie();
  model.frame = arrow::Table::Make(
      arrow::schema({arrow::field("tick", arrow::int64()), arrow::field("number", arrow::int64()),
                     arrow::field("text", arrow::utf8_view())}),
      {cut(ticks.Finish().ValueOrDie(), random), cut(number, random),
       cut(texts.Finish().ValueOrDie(), random)},
      rows);
  return model;
}

TEST(Split, AgreesWithAPlainModel) {
  std::mt19937_64 random(test_seed());
  for (int round = 0; round < 60; ++round) {
    const Model model = random_frame(random);
    const std::int64_t size = std::vector<std::int64_t>{1, 7, 100, 100000}[random() % 4];
    std::map<std::int64_t, std::vector<std::int64_t>> expected;  // bucket to row numbers in order
    for (std::size_t i = 0; i < model.ticks.size(); ++i) {
      expected[model.ticks[i] / size].push_back(static_cast<std::int64_t>(i));
    }
    const Conformed result = split(*model.frame, size);
    ASSERT_EQ(result.buckets.size(), expected.size());
    auto next = expected.begin();
    for (const auto& bucket : result.buckets) {
      ASSERT_EQ(bucket.id, next->first);
      ASSERT_EQ(static_cast<std::size_t>(bucket.rows->num_rows()), next->second.size());
      ASSERT_TRUE(bucket.rows->ValidateFull().ok());
      std::int64_t low = INT64_MAX, high = -1;
      const std::vector<JsonObject> rows = rows_to_json(*bucket.rows);
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::int64_t number = next->second[i];
        const std::int64_t tick = model.ticks[static_cast<std::size_t>(number)];
        ASSERT_EQ(*rows[i].find("number"), Json(number));
        ASSERT_EQ(*rows[i].find("tick"), Json(tick));
        ASSERT_EQ(*rows[i].find("bucket"), Json(bucket.id));
        ASSERT_EQ(*rows[i].find("text"),
                  number % 7 == 0 ? Json() : Json("row number " + std::to_string(number)));
        low = std::min(low, tick);
        high = std::max(high, tick);
      }
      EXPECT_EQ(bucket.tick_min, low);
      EXPECT_EQ(bucket.tick_max, high);
      ++next;
    }
  }
}

}  // namespace
}  // namespace crv::io
