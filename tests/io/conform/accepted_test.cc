// What an append takes and what it refuses, and how verify and a scan tell of what older writers took.
#include "io/conform/accepted.h"
#include "core/utf8.h"

#include <limits>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crv/core/json.h"
#include "crv/io/json_rows.h"
#include "io/arrow/arrow_types.h"
#include "io/arrow/json_column.h"
#include "io/conform/conform.h"
#include "io/conform/normalize.h"
#include "io/part/part.h"
#include "io/part/part_file.h"
#include "io/support/arrow_json.h"
#include "io/support/memory_storage.h"

namespace crv::io {
namespace {

using arrow::field;
using arrow::TimeUnit;
using testing::HasSubstr;
using ArrayPtr = std::shared_ptr<arrow::Array>;
using TypePtr = std::shared_ptr<arrow::DataType>;

constexpr const char* kPath = "part-0123456789abcdef0123456789abcdef.parquet";

ArrayPtr texts(const std::vector<std::string>& values, const TypePtr& type = arrow::utf8()) {
  const auto builder = arrow::MakeBuilder(type).ValueOrDie();
  for (const std::string& value : values) {
    arrow::Status done;
    if (type->id() == arrow::Type::STRING) done = static_cast<arrow::StringBuilder&>(*builder).Append(value);
    if (type->id() == arrow::Type::LARGE_STRING)
      done = static_cast<arrow::LargeStringBuilder&>(*builder).Append(value);
    if (type->id() == arrow::Type::STRING_VIEW)
      done = static_cast<arrow::StringViewBuilder&>(*builder).Append(value);
    EXPECT_TRUE(done.ok()) << done.ToString();
  }
  return builder->Finish().ValueOrDie();
}

ArrayPtr structs(const std::string& name, const ArrayPtr& values) {
  return arrow::StructArray::Make({values}, std::vector<std::string>{name}).ValueOrDie();
}

std::vector<std::int64_t> unreadable(const arrow::Array& values) {
  std::vector<std::int64_t> rows;
  find_unreadable(values, [&](std::int64_t i, const char*) { rows.push_back(i); });
  return rows;
}

std::vector<std::int64_t> unreadable_integers(const TypePtr& type, const std::vector<std::int64_t>& values) {
  if (type->bit_width() == 32) {
    arrow::Int32Builder builder;
    for (const std::int64_t value : values)
      EXPECT_TRUE(builder.Append(static_cast<std::int32_t>(value)).ok());
    return unreadable(*builder.Finish().ValueOrDie()->View(type).ValueOrDie());
  }
  arrow::Int64Builder builder;
  EXPECT_TRUE(builder.AppendValues(values).ok());
  return unreadable(*builder.Finish().ValueOrDie()->View(type).ValueOrDie());
}

const core::TableDescriptor& exchange() {
  return *core::find_table("exchange");
}

std::shared_ptr<arrow::Table> trades(std::int64_t rows, const std::string& column, const ArrayPtr& values) {
  const auto same = [&](const std::shared_ptr<arrow::Scalar>& value) {
    return arrow::MakeArrayFromScalar(*value, rows).ValueOrDie();
  };
  std::vector<std::pair<std::string, ArrayPtr>> columns = {
      {"tick", same(arrow::MakeScalar(std::int64_t{1}))},
      {"venue_id", same(arrow::MakeScalar(std::string("v")))},
      {"token_id", same(arrow::MakeScalar(std::string("t")))},
      {"exchange_event_type", same(arrow::MakeScalar(std::string("trade")))},
      {"additional_payload", structs("k", same(arrow::MakeScalar(std::int64_t{1})))}};
  std::erase_if(columns, [&](const auto& one) { return one.first == column; });
  columns.emplace_back(column, values);
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const auto& [name, array] : columns) {
    fields.push_back(field(name, array->type()));
    arrays.push_back(array);
  }
  return arrow::Table::Make(arrow::schema(fields), arrays);
}

ErrorFacts refused(const std::string& column, const ArrayPtr& values,
                   ErrorCode code = ErrorCode::wrong_type) {
  try {
    conform(*trades(values->length(), column, values), exchange(), {}, {.strict_schema = false});
  } catch (const IoSchemaError& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_TRUE(is_utf8(error.what())) << error.what();
    EXPECT_EQ(error.facts().table, "exchange");
    return error.facts();
  }
  ADD_FAILURE() << values->type()->ToString() << " was accepted";
  return {};
}

void expect_accepted(const std::string& column, const ArrayPtr& values) {
  EXPECT_NO_THROW(
      conform(*trades(values->length(), column, values), exchange(), {}, {.strict_schema = false}))
      << values->ToString();
}

const std::vector<std::string> kNotUtf8 = {"Jos\xE9", "\xED\xA0\x80",     "\xC0\xAF",
                                           "a\x80",   "\xF4\x90\x80\x80", "\xE2\x82"};
const std::vector<std::string> kUtf8 = {"",
                                        "José",
                                        "\xF0\x9F\x98\x80",
                                        std::string("a\0b", 3),
                                        "\uFEFF",
                                        "\xF4\x8F\xBF\xBF",
                                        "a text longer than twelve bytes, é"};

TEST(Accepted, TextIsUtf8InEachFormOfArrow) {
  for (const auto& type : {arrow::utf8(), arrow::large_utf8(), arrow::utf8_view()}) {
    EXPECT_THAT(unreadable(*texts(kUtf8, type)), testing::IsEmpty()) << type->ToString();
    for (const std::string& bad : kNotUtf8)
      EXPECT_THAT(unreadable(*texts({"a", bad, "é", bad}, type)), testing::ElementsAre(1, 3))
          << type->ToString();
    // Each half alone is none, though both together are a character.
    EXPECT_THAT(unreadable(*texts({"a\xC3", "\xA9", "b"}, type)), testing::ElementsAre(0, 1))
        << type->ToString();
  }
}

TEST(Accepted, TextBelowANullOrOutsideOfASliceDoesNotCount) {
  const ArrayPtr all = texts({"\xFF", "good", "\xFF"});
  EXPECT_THAT(unreadable(*all->Slice(1, 1)), testing::IsEmpty());
  EXPECT_THAT(unreadable(*all->Slice(1, 2)), testing::ElementsAre(1));
  const auto nulls = array_of(arrow::boolean(), "[false, true, true]")->data()->buffers[1];
  const auto data = all->data()->Copy();
  data->buffers[0] = nulls;
  data->null_count = 1;
  EXPECT_THAT(unreadable(*arrow::MakeArray(data)), testing::ElementsAre(2));
  EXPECT_THAT(unreadable(*texts({})), testing::IsEmpty());
}

TEST(Accepted, DatesAndTimesEndWithTheCalendar) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  const auto expect = [](const TypePtr& type, std::int64_t first, std::int64_t last) {
    EXPECT_THAT(unreadable_integers(type, {first, 0, last, first - 1, last + 1}), testing::ElementsAre(3, 4))
        << type->ToString();
  };
  expect(arrow::date32(), -719162, 2932896);
  expect(arrow::time32(TimeUnit::MILLI), 0, 86'399'999);
  expect(arrow::time64(TimeUnit::MICRO), 0, 86'399'999'999);
  expect(arrow::time64(TimeUnit::NANO), 0, 86'399'999'999'999);
  expect(arrow::timestamp(TimeUnit::MILLI), -62'135'596'800'000, 253'402'300'799'999);
  expect(arrow::timestamp(TimeUnit::MICRO), -62'135'596'800'000'000, 253'402'300'799'999'999);
  expect(arrow::timestamp(TimeUnit::NANO), -(kMax - 1), kMax - 1);
  // A day less, since each zone shows another local time.
  expect(arrow::timestamp(TimeUnit::MICRO, "UTC"), -62'135'510'400'000'000, 253'402'214'399'999'999);
  expect(arrow::timestamp(TimeUnit::NANO, "Asia/Kolkata"), -(kMax - 1) + 86'400'000'000'000,
         kMax - 1 - 86'400'000'000'000);
}

TEST(Accepted, ATimeIsCheckedBeforeItIsCastToAnotherUnit) {
  arrow::Int32Builder builder;
  ASSERT_TRUE(builder.AppendValues({0, 4294968}).ok());  // as milliseconds it wraps to 704
  const ArrayPtr values =
      builder.Finish().ValueOrDie()->View(arrow::time32(arrow::TimeUnit::SECOND)).ValueOrDie();
  const ErrorFacts facts = refused("when", values);
  EXPECT_EQ(facts.row, 1);
  EXPECT_EQ(facts.value, "4294968");
  EXPECT_EQ(refused("additional_payload", structs("at", values)).column, "additional_payload.at");
}

TEST(Accepted, ADecimalHasNoMoreDigitsThanItsTypeSays) {
  const ArrayPtr fits =
      arrow::MakeArrayFromScalar(arrow::Decimal128Scalar(99999, arrow::decimal128(5, 2)), 1).ValueOrDie();
  const ArrayPtr beyond =
      arrow::MakeArrayFromScalar(arrow::Decimal128Scalar(1'000'000'000, arrow::decimal128(5, 2)), 1)
          .ValueOrDie();
  expect_accepted("share", fits);
  EXPECT_EQ(refused("share", beyond).row, 0);
  EXPECT_EQ(refused("additional_payload", structs("share", beyond)).column, "additional_payload.share");
  const Columns held = {{"share", from_arrow(*fits->type(), "share")}};
  EXPECT_THROW(conform(*trades(1, "share", beyond), exchange(), held, {.strict_schema = false}),
               IoSchemaError);
}

TEST(Accepted, ADateThatDoesNotFitCanGoToQuarantine) {
  arrow::Int64Builder builder;
  ASSERT_TRUE(builder.AppendValues({0, 1LL << 60}).ok());
  const ArrayPtr values =
      builder.Finish().ValueOrDie()->View(arrow::timestamp(arrow::TimeUnit::SECOND)).ValueOrDie();
  ConformOptions options{.strict_schema = false};
  options.validate_rows = true;
  options.quarantine = true;
  const Conformed conformed = conform(*trades(2, "when", values), exchange(), {}, options);
  ASSERT_NE(conformed.rejected, nullptr);
  EXPECT_EQ(conformed.rejected->num_rows(), 1);
  EXPECT_EQ(conformed.table->num_rows(), 1);
  EXPECT_EQ(cell_to_json(*values, 1), Json(std::int64_t{1} << 60));
}

TEST(Accepted, NamesThatEnginesCannotRead) {
  for (const std::string& name :
       {std::string(), std::string("*"), std::string("^a.*$"), std::string("^$"), std::string("a\0b", 3),
        std::string("\0", 1), std::string("caf\xE9"), std::string("_empty")})
    EXPECT_NE(why_no_name(name), "") << name;
  for (const char* name :
       {"a",    " ", "**",      "a*", "^a",      "a$",     "$^", "^",      "$",   "a.b",    "a\"b", "a'b",
        "a\nb", "é", "e\u0301", "[]", "element", "bucket", "1",  "select", "x y", "\uFEFF", "😀"})
    EXPECT_EQ(why_no_name(name), "") << name;
  EXPECT_EQ(why_no_name(std::string(70'000, 'x')), "");
}

TEST(Accepted, TimeZonesAreThoseOfTheDatabase) {
  for (const char* zone : {"UTC", "Etc/UTC", "Europe/Berlin", "Asia/Kolkata",
                           "America/Argentina/Buenos_Aires", "Etc/GMT+5", "GMT", "Zulu", "Africa/Abidjan"})
    EXPECT_TRUE(is_time_zone(zone)) << zone;
  for (const char* zone : {"+05:30", "-09:30", "+00:00", "Z", "utc", "Asia/Beijing", "Factory", "localtime",
                           "", "Europe/berlin", "posix/Europe/Berlin"})
    EXPECT_FALSE(is_time_zone(zone)) << zone;
}

TEST(Accepted, ColumnsThatDifferOnlyInCaseClash) {
  const auto columns = [](const std::vector<std::string>& names) {
    Columns all;
    for (const std::string& name : names) all.push_back({name, Type()});
    return all;
  };
  const auto clash = find_name_clash(columns({"tick", "mood"}), columns({"Mood"}));
  ASSERT_TRUE(clash);
  EXPECT_EQ(clash->offered, "mood");
  EXPECT_EQ(clash->other, "Mood");
  EXPECT_TRUE(find_name_clash(columns({"a", "A"}), {}));
  EXPECT_FALSE(find_name_clash(columns({"é", "É", "a", "b"}), columns({"c"})));
  // What an older writer has left is there already.
  EXPECT_FALSE(find_name_clash(columns({"A"}), columns({"a", "A"})));
}

TEST(Accepted, TypesThatNotEveryEngineReadsAreRefusedWithTheirFirstValue) {
  const auto moment = [](const std::string& zone) {
    return array_of(arrow::timestamp(TimeUnit::MICRO, zone), "[null, 1700000000000000]");
  };
  const std::vector<ArrayPtr> bad = {
      moment("+5:30"),
      moment("Z"),
      moment("Asia/Beijing"),
      array_of(arrow::duration(TimeUnit::MICRO), "[null, 5]"),
      array_of(arrow::decimal256(40, 0), R"([null, "1"])"),
      array_of(arrow::fixed_size_list(arrow::int64(), 0), "[null, []]"),
      array_of(arrow::month_interval(), "[null, 1]"),
      array_of(arrow::day_time_interval(), "[null, [1, 2]]"),
      array_of(arrow::dense_union({field("a", arrow::int8())}, {0}), "[[0, 1], [0, 2]]"),
      arrow::RunEndEncodedArray::Make(2, array_of(arrow::int32(), "[1, 2]"), texts({"a", "b"})).ValueOrDie()};
  for (const ArrayPtr& values : bad) {
    const bool has_nulls = values->null_count() > 0;
    ErrorFacts facts = refused("extra", values);
    EXPECT_EQ(facts.column, "extra") << values->type()->ToString();
    EXPECT_EQ(facts.row, has_nulls ? 1 : 0) << values->type()->ToString();
    EXPECT_NE(facts.value, "") << values->type()->ToString();
    facts = refused("additional_payload", structs("at", values));
    EXPECT_EQ(facts.column, "additional_payload.at") << values->type()->ToString();
    EXPECT_EQ(facts.row, has_nulls ? 1 : 0) << values->type()->ToString();
  }
  for (const ArrayPtr& values : {moment("+05:30"), moment("Asia/Kolkata"), moment("UTC"), moment(""),
                                 array_of(arrow::decimal256(38, 2), R"(["1.25"])"),
                                 array_of(arrow::fixed_size_list(arrow::int64(), 1), "[[1]]")})
    expect_accepted("extra", values);
}

TEST(Accepted, ValuesAreRefusedWithPathRowAndValueWhereverTheyStand) {
  const ArrayPtr bad = texts({"ok", "ok", "Jos\xE9"});
  const ArrayPtr offsets = array_of(arrow::int32(), "[0, 1, 3]");
  const ArrayPtr lists = arrow::ListArray::FromArrays(*offsets, *bad).ValueOrDie();
  const ArrayPtr numbers = array_of(arrow::int64(), "[1, 2, 3]");
  const auto encoded = [](const ArrayPtr& dictionary) {
    return arrow::DictionaryArray::FromArrays(arrow::dictionary(arrow::int8(), dictionary->type()),
                                              array_of(arrow::int8(), "[0, 2]"), dictionary)
        .ValueOrDie();
  };
  const auto expect = [](const ErrorFacts& facts, const std::string& path, std::int64_t row) {
    EXPECT_EQ(facts.column, path);
    EXPECT_EQ(facts.row, row) << path;
    EXPECT_EQ(facts.value, "Jos\\xe9") << path;
  };
  for (const auto& type : {arrow::utf8(), arrow::large_utf8(), arrow::utf8_view()}) {
    const ArrayPtr chunk = texts({"ok", "Jos\xE9"}, type);
    expect(refused("venue_id", chunk), "venue_id", 1);
    expect(refused("extra", chunk), "extra", 1);
    expect(refused("additional_payload", structs("k", chunk)), "additional_payload.k", 1);
  }
  expect(refused("venue_id", encoded(bad)), "venue_id", 1);
  expect(refused("extra", encoded(bad)), "extra", 1);
  expect(refused("additional_payload", structs("d", encoded(bad))), "additional_payload.d", 1);
  expect(refused("additional_payload", structs("l", lists)), "additional_payload.l[]", 1);
  expect(refused("extra", arrow::MapArray::FromArrays(offsets, bad, numbers).ValueOrDie()), "extra[].key", 1);
  const ErrorFacts number = refused("price", texts({"1", "2\xFF"}), ErrorCode::lossy_cast);
  EXPECT_EQ(number.value, "2\\xff");
  const ErrorFacts date = refused("extra", array_of(arrow::date32(), "[0, null, 2932897]"));
  EXPECT_EQ(date.row, 2);
  const ErrorFacts time = refused(
      "extra",
      array_of(arrow::int64(), "[0, 86400000000]")->View(arrow::time64(TimeUnit::MICRO)).ValueOrDie());
  EXPECT_EQ(time.row, 1);
  // A cast that loses something tells the row as well.
  const ErrorFacts half_day =
      refused("extra", array_of(arrow::int64(), "[0, null, 1]")->View(arrow::date64()).ValueOrDie(),
              ErrorCode::lossy_cast);
  EXPECT_EQ(half_day.row, 2);
}

TEST(Accepted, AnUnusedValueOfADictionaryDoesNotCount) {
  const auto array =
      arrow::DictionaryArray::FromArrays(arrow::dictionary(arrow::int8(), arrow::utf8()),
                                         array_of(arrow::int8(), "[0, 0]"), texts({"a", "\xFF"}))
          .ValueOrDie();
  expect_accepted("venue_id", array);
}

TEST(Accepted, NamesAreRefusedAsColumnsAndAsFields) {
  const ArrayPtr ones = array_of(arrow::int64(), "[null, 1]");
  for (const std::string& name : {std::string(), std::string("*"), std::string("^a.*$"),
                                  std::string("a\0b", 3), std::string("caf\xE9"), std::string("_empty")}) {
    EXPECT_EQ(refused(name, ones, ErrorCode::reserved_name).column, as_utf8(name));
    const ErrorFacts facts =
        refused("additional_payload", structs("deep", structs(name, ones)), ErrorCode::reserved_name);
    EXPECT_EQ(facts.column, "additional_payload.deep." + as_utf8(name));
    EXPECT_EQ(facts.row, 1);
    EXPECT_EQ(facts.value, "1");
  }
  EXPECT_EQ(refused("Venue_ID", ones, ErrorCode::reserved_name).column, "Venue_ID");
  const auto keys =
      arrow::StructArray::Make({ones, ones}, std::vector<std::string>{"ada", "Ada"}).ValueOrDie();
  expect_accepted("additional_payload", keys);
}

TEST(Accepted, AColumnThatDiffersInCaseFromOneOfTheRunIsRefused) {
  const auto frame = trades(1, "Mood", array_of(arrow::int64(), "[1]"));
  const Columns held = {{"mood", Type()}};
  try {
    conform(*frame, exchange(), held, {.strict_schema = false});
    ADD_FAILURE() << "was accepted";
  } catch (const IoSchemaError& error) {
    EXPECT_EQ(error.code(), ErrorCode::reserved_name);
    EXPECT_THAT(error.what(), HasSubstr("\"mood\""));
  }
}

TEST(Accepted, ThirtyTwoLevelsAndNoMore) {
  const auto nested = [](int levels) {
    ArrayPtr values = array_of(arrow::int64(), "[7]");
    for (int i = 1; i < levels; ++i) {
      if (i % 2 == 0) {
        values = structs("c", values);
      } else {
        values = arrow::ListArray::FromArrays(*array_of(arrow::int32(), "[0, 1]"), *values).ValueOrDie();
      }
    }
    return values;
  };
  expect_accepted("extra", nested(32));
  const ErrorFacts facts = refused("extra", nested(33));
  EXPECT_EQ(facts.row, 0);
  EXPECT_EQ(facts.value, "7");
}

TEST(Accepted, TextForJsonHasItsBytesEscaped) {
  EXPECT_EQ(as_utf8("José"), "José");
  EXPECT_EQ(as_utf8("Jos\xE9!"), "Jos\\xe9!");
  EXPECT_EQ(as_utf8("\xED\xA0\x80é\xE2\x82"), "\\xed\\xa0\\x80é\\xe2\\x82");
  EXPECT_EQ(write_json(cell_to_json(*texts({"a\xFF"}), 0)), R"("a\\xff")");
}

// ---- what older writers took ----

std::vector<std::string> found_in(const std::vector<std::pair<std::string, ArrayPtr>>& columns,
                                  bool values = true) {
  const auto storage = std::make_shared<MemoryStorage>();
  arrow::FieldVector fields = {field("bucket", arrow::int64()), field("tick", arrow::int64())};
  arrow::ArrayVector arrays = {array_of(arrow::int64(), "[0, 0]"), array_of(arrow::int64(), "[1, 2]")};
  for (const auto& [name, array] : columns) {
    fields.push_back(field(name, array->type()));
    arrays.push_back(array);
  }
  const auto rows = arrow::Table::Make(arrow::schema(fields), arrays);
  PartFooter footer;
  footer.table = "exchange";
  footer.append_id = std::string(32, 'a');
  footer.append_parts = 1;
  footer.columns = from_arrow(*rows->schema());
  write_part(*storage->create(kPath), *rows, footer, {});
  std::vector<std::string> all;
  for (const Unreadable& one : unreadable_in(*storage, kPath, values))
    all.push_back(std::string(one.text ? "text " : "") + one.path + ": " + one.why);
  return all;
}

TEST(Accepted, APartOfAnOlderWriterIsLookedThrough) {
  const ArrayPtr ones = array_of(arrow::int64(), "[1, 2]");
  const ArrayPtr bad = texts({"Jos\xE9", "ok"});
  EXPECT_THAT(found_in({{"a", ones}, {"b", texts({"José", "ok"})}, {"c", structs("k", ones)}}),
              testing::IsEmpty());
  EXPECT_THAT(found_in({{"a", bad}}), testing::ElementsAre(HasSubstr("text a: ")));
  EXPECT_THAT(found_in({{"a", bad}}, false), testing::IsEmpty());
  EXPECT_THAT(
      found_in({{"a", structs("b", arrow::ListArray::FromArrays(*array_of(arrow::int32(), "[0, 1, 2]"), *bad)
                                       .ValueOrDie())}}),
      testing::ElementsAre(HasSubstr("text a.b[]: ")));
  EXPECT_THAT(found_in({{"a", array_of(arrow::date32(), "[0, 2932897]")}}),
              testing::ElementsAre(HasSubstr("a: it holds a value that not every engine reads")));
  EXPECT_THAT(found_in({{"at", array_of(arrow::timestamp(TimeUnit::MICRO, "+05:30"), "[1, 2]")}}),
              testing::ElementsAre(HasSubstr("at: it holds values of the type timestamp[us, tz=+05:30]")));
  EXPECT_THAT(found_in({{"d", array_of(arrow::decimal256(40, 0), R"(["1", "2"])")},
                        {"e", structs("t", array_of(arrow::duration(TimeUnit::MICRO), "[1, 2]"))}}),
              testing::ElementsAre(HasSubstr("d: it holds values of the type decimal256"),
                                   HasSubstr("e.t: it holds values of the type duration")));
  EXPECT_THAT(found_in({{"^a$", ones}, {"p", structs("", structs("*", ones))}}),
              testing::ElementsAre(HasSubstr("^a$: "), HasSubstr("p.: "), HasSubstr("p..*: ")));
  EXPECT_THAT(found_in({{"a", ones}, {"A", ones}}), testing::ElementsAre(HasSubstr("case alone")));
}

TEST(Accepted, APartNestedTooDeepForOthersIsReadAndTold) {
  for (const int levels : {33, 60, 120}) {
    ArrayPtr values = array_of(arrow::int64(), "[7, 8]");
    for (int i = 1; i < levels; ++i)
      values = arrow::ListArray::FromArrays(*array_of(arrow::int32(), "[0, 1, 2]"), *values).ValueOrDie();
    EXPECT_THAT(found_in({{"deep", values}}), testing::ElementsAre(HasSubstr("nested deeper than 32 levels")))
        << levels;
    const auto storage = std::make_shared<MemoryStorage>();
    const auto rows =
        arrow::Table::Make(arrow::schema({field("tick", arrow::int64()), field("deep", values->type())}),
                           arrow::ArrayVector{array_of(arrow::int64(), "[1, 2]"), values});
    PartFooter footer;
    footer.columns = from_arrow(*rows->schema());
    footer.append_id = std::string(32, 'a');
    footer.append_parts = 1;
    write_part(*storage->create(kPath), *rows, footer, {});
    PartReader reader(*storage, kPath, {.wanted = footer.columns}, "exchange", "run", -1);
    const auto batches = reader.read_row_group(0);
    ASSERT_EQ(batches.size(), 1U);
    EXPECT_TRUE(batches[0]->column(1)->Equals(*adapt(values, footer.columns[1].type))) << levels;
  }
}

TEST(Accepted, PolarsIsGivenWhatItCanHold) {
  const auto held_text = [](const TypePtr& type) {
    return core::text_of(readable_by_polars(from_arrow(*type, "c")));
  };
  EXPECT_EQ(held_text(arrow::timestamp(TimeUnit::NANO, "+05:30")), "timestamp[ns, tz=UTC]");
  EXPECT_EQ(held_text(arrow::timestamp(TimeUnit::NANO, "Asia/Kolkata")), "timestamp[ns, tz=Asia/Kolkata]");
  EXPECT_EQ(held_text(arrow::struct_({field("a", arrow::list(arrow::decimal256(40, 2)))})),
            "struct{a: list[str]}");
  EXPECT_EQ(held_text(arrow::duration(TimeUnit::MICRO)), "duration[us]");
  const auto moments = array_of(arrow::timestamp(TimeUnit::MICRO, "+05:30"), "[1700000000000000, null]");
  expect_array(adapt(moments, readable_by_polars(from_arrow(*moments->type(), "c"))),
               array_of(arrow::timestamp(TimeUnit::MICRO, "UTC"), "[1700000000000000, null]"));
  const auto decimals =
      array_of(arrow::decimal256(40, 2), R"(["12345678901234567890123456789012345678.90", null])");
  expect_array(adapt(decimals, readable_by_polars(from_arrow(*decimals->type(), "c"))),
               array_of(arrow::utf8(), R"(["12345678901234567890123456789012345678.90", null])"));
}

TEST(Accepted, TextThatIsNotUtf8IsFoundInABatch) {
  const auto batch = [](const ArrayPtr& values) {
    return arrow::RecordBatch::Make(arrow::schema({field("a", values->type())}), values->length(), {values});
  };
  EXPECT_FALSE(find_text_not_utf8(*batch(structs("k", texts({"é"})))));
  EXPECT_EQ(find_text_not_utf8(*batch(structs("k", texts({"\xE9"})))), "a.k");
}

}  // namespace
}  // namespace crv::io
