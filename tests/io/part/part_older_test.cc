// Parts that the older package wrote, read as the union of their types. data/older_parts holds some of its
// parts byte for byte, and the rows that they must give, computed apart from crv.
#include <cmath>
#include <fstream>
#include <iterator>

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "crv/core/json.h"
#include "io/support/part_support.h"

namespace crv::io {
namespace {

const std::string kFolder = std::string(CRV_TEST_DATA) + "/io/data/older_parts/";

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

Json value_at(const arrow::Array& array, std::int64_t i) {
  if (array.IsNull(i)) return nullptr;
  switch (array.type_id()) {
    case arrow::Type::INT64:
      return static_cast<const arrow::Int64Array&>(array).Value(i);
    case arrow::Type::DOUBLE: {
      const double value = static_cast<const arrow::DoubleArray&>(array).Value(i);
      if (std::isnan(value)) return JsonObject{{"$f64", "NaN"}};
      if (std::isinf(value)) return JsonObject{{"$f64", value > 0 ? "Infinity" : "-Infinity"}};
      return value;
    }
    case arrow::Type::BOOL:
      return static_cast<const arrow::BooleanArray&>(array).Value(i);
    case arrow::Type::STRING:
      return static_cast<const arrow::StringArray&>(array).GetString(i);
    case arrow::Type::LIST: {
      const auto items = static_cast<const arrow::ListArray&>(array).value_slice(i);
      JsonArray result;
      for (std::int64_t k = 0; k < items->length(); ++k) result.push_back(value_at(*items, k));
      return result;
    }
    case arrow::Type::STRUCT: {
      const auto& parent = static_cast<const arrow::StructArray&>(array);
      JsonObject result;
      for (int k = 0; k < parent.num_fields(); ++k) {
        result.push_back(parent.struct_type()->field(k)->name(), value_at(*parent.field(k), i));
      }
      return result;
    }
    default:
      ADD_FAILURE() << array.type()->ToString();
      return nullptr;
  }
}

const JsonObject& object_at(const Json& json, const char* key) {
  return *json.get_if<JsonObject>()->find(key)->get_if<JsonObject>();
}
const JsonArray& array_at(const Json& json, const char* key) {
  return *json.get_if<JsonObject>()->find(key)->get_if<JsonArray>();
}
std::string text_at(const Json& json, const char* key) {
  return *json.get_if<JsonObject>()->find(key)->get_if<std::string>();
}
std::int64_t number_at(const Json& json, const char* key) {
  return *json.get_if<JsonObject>()->find(key)->get_if<std::int64_t>();
}

class OlderParts : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    expected_ = parse_json(bytes_of(kFolder + "expected.json"));
    table_ = *expected_.get_if<JsonObject>()->find(GetParam());
    wanted_ = columns_from_json(object_at(table_, "types"));
  }

  // Rows of all parts whose tick is in the range, one JSON text each.
  std::vector<std::string> rows_between(std::int64_t low, std::int64_t high) {
    std::vector<std::string> rows;
    for (const Json& part : array_at(table_, "parts")) {
      MemoryStorage storage;
      storage.objects["p"] = bytes_of(kFolder + GetParam() + "/" + text_at(part, "file"));
      PartQuery query;
      query.tick_min = low;
      query.tick_max = high;
      query.wanted = wanted_;
      PartReader reader(storage, "p", query, text_at(table_, "table"), text_at(table_, "run_id"),
                        number_at(part, "bytes"));
      const auto table = decode(reader, wanted_)->CombineChunks().ValueOrDie();
      for (std::int64_t i = 0; i < table->num_rows(); ++i) {
        JsonArray row;
        for (const auto& column : table->columns()) row.push_back(value_at(*column->chunk(0), i));
        rows.push_back(write_json(row, {.sort_keys = true}));
      }
    }
    return rows;
  }

  Json expected_, table_;
  Columns wanted_;
};

TEST_P(OlderParts, GiveTheRowsTheyMust) {
  for (const auto& [low, high] :
       {std::pair{INT64_MIN, INT64_MAX}, std::pair<std::int64_t, std::int64_t>{100, 199},
        std::pair<std::int64_t, std::int64_t>{150, INT64_MAX}}) {
    std::vector<std::string> expected;
    for (const Json& row : array_at(table_, "rows")) {
      const std::int64_t tick = *(*row.get_if<JsonArray>())[1].get_if<std::int64_t>();
      if (tick >= low && tick <= high) expected.push_back(write_json(row, {.sort_keys = true}));
    }
    EXPECT_EQ(rows_between(low, high), expected);
  }
}

TEST_P(OlderParts, TellTheirFacts) {
  Columns united;
  std::vector<TypeConflict> conflicts;
  for (const Json& part : array_at(table_, "parts")) {
    MemoryStorage storage;
    storage.objects["p"] = bytes_of(kFolder + GetParam() + "/" + text_at(part, "file"));
    const PartFacts facts = read_part_facts(storage, "p");
    EXPECT_EQ(facts.rows, number_at(part, "rows"));
    EXPECT_EQ(facts.bytes, number_at(part, "bytes"));
    EXPECT_EQ(facts.tick_min, number_at(part, "tick_min"));
    EXPECT_EQ(facts.tick_max, number_at(part, "tick_max"));
    EXPECT_EQ(facts.footer.table, text_at(table_, "table"));
    EXPECT_EQ(facts.footer.run_id, text_at(table_, "run_id"));
    EXPECT_FALSE(facts.footer.schema_version.empty());
    EXPECT_EQ(facts.footer.append_id, "");
    united = unite(united, facts.footer.columns, conflicts);
  }
  EXPECT_TRUE(conflicts.empty());
  // What the parts say together is the union that the rows are told in.
  EXPECT_EQ(write_json(columns_to_json(united), {.sort_keys = true}),
            write_json(object_at(table_, "types"), {.sort_keys = true}));
}

INSTANTIATE_TEST_SUITE_P(Tables, OlderParts,
                         testing::Values("run_golden01/exchange", "run_golden01/messages",
                                         "run_drift01/decisions", "run_drift01/scenarios_seen",
                                         "run_drift01/exchange"));

}  // namespace
}  // namespace crv::io
