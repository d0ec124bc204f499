#include "crv/io/frame.h"

#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>

#include "core/utf8.h"
#include "crv/core/error.h"
#include "io/arrow/arrow_types.h"
#include "io/arrow/json_column.h"
#include "io/arrow/place.h"
#include "io/schema/declared.h"

namespace crv::io {

namespace {

void ok(const arrow::Status& status) {
  check(status, ErrorCode::bad_argument);
}

std::shared_ptr<arrow::Table> read_all(const std::shared_ptr<arrow::RecordBatchReader>& reader) {
  if (!reader) raise(ErrorCode::bad_argument, "a frame was asked for of no reader at all");
  return check(reader->ToTable(), ErrorCode::read_failed);
}

template <class T>
struct Optional : std::false_type {};
template <class T>
struct Optional<std::optional<T>> : std::true_type {};

template <class Builder, class Member>
void append_value(Builder& builder, const Member& value) {
  if constexpr (Optional<Member>::value)
    if (value)
      append_value(builder, *value);
    else
      builder.UnsafeAppendNull();
  else
    builder.UnsafeAppend(value);
}

const std::string* text_in(const std::string& text) {
  return &text;
}
const std::string* text_in(const std::optional<std::string>& text) {
  return text ? &*text : nullptr;
}

// Makes room for the texts of one field, which must be UTF-8.
template <class Row, class Member>
void reserve_texts(arrow::StringBuilder& builder, std::span<const Row> rows, std::string_view name,
                   Member Row::*member) {
  std::int64_t bytes = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string* text = text_in(rows[i].*member);
    if (!text) continue;
    bytes += static_cast<std::int64_t>(text->size());
    if (is_utf8(*text)) continue;
    ErrorFacts facts;
    facts.table = Row::table;
    facts.column = name;
    facts.row = static_cast<std::int64_t>(i);
    refuse_bytes(facts, *text);
  }
  ok(builder.ReserveData(bytes));
}

template <class Value>
struct BuilderOf;
template <>
struct BuilderOf<std::int64_t> : std::type_identity<arrow::Int64Builder> {};
template <>
struct BuilderOf<bool> : std::type_identity<arrow::Int64Builder> {};  // as the tables have it: 0 or 1
template <>
struct BuilderOf<double> : std::type_identity<arrow::DoubleBuilder> {};
template <>
struct BuilderOf<std::string> : std::type_identity<arrow::StringBuilder> {};
template <class Value>
struct BuilderOf<std::optional<Value>> : BuilderOf<Value> {};

template <class Value>
concept IsScalar = requires { typename BuilderOf<Value>::type; };

// One field of all rows.
template <class Row, class Member>
std::shared_ptr<arrow::Array> column_of(std::span<const Row> rows, std::string_view name, Member Row::*member,
                                        const Type& declared) {
  const auto count = static_cast<std::int64_t>(rows.size());
  if constexpr (IsScalar<Member>) {
    using Builder = typename BuilderOf<Member>::type;
    Builder builder;
    ok(builder.Reserve(count));
    if constexpr (std::is_same_v<Builder, arrow::StringBuilder>) reserve_texts(builder, rows, name, member);
    for (const Row& row : rows) append_value(builder, row.*member);
    return check(builder.Finish(), ErrorCode::bad_argument);
  } else {
    JsonColumn column(std::string(name), field_of(&declared, name));
    std::int64_t index = 0;
    for (const Row& row : rows) {
      column.append(index, row.*member, index);
      ++index;
    }
    return column.finish(count);
  }
}

template <class Row>
std::shared_ptr<arrow::Table> table_of(std::span<const Row> rows) {
  arrow::FieldVector fields;
  arrow::ArrayVector columns;
  const Type declared = declared_types(*core::find_table(Row::table));
  const auto add = [&](const auto& field) {
    columns.push_back(column_of(rows, field.name, field.member, declared));
    fields.push_back(arrow::field(std::string(field.name), columns.back()->type()));
  };
  std::apply([&](const auto&... field) { (add(field), ...); }, Row::fields());
  return arrow::Table::Make(arrow::schema(std::move(fields)), columns,
                            static_cast<std::int64_t>(rows.size()));
}

}  // namespace

Frame::Frame(std::shared_ptr<arrow::Table> table) : table_(std::move(table)) {
  if (!table_) raise(ErrorCode::bad_argument, "a frame was asked for of no table at all");
}

Frame::Frame(const std::shared_ptr<arrow::RecordBatch>& batch) {
  if (!batch) raise(ErrorCode::bad_argument, "a frame was asked for of no record batch at all");
  table_ = arrow::Table::Make(batch->schema(), batch->columns(), batch->num_rows());
}

Frame::Frame(const std::shared_ptr<arrow::RecordBatchReader>& reader) : table_(read_all(reader)) {}

Frame::Frame(ArrowArrayStream* stream) {
  if (!stream) raise(ErrorCode::bad_argument, "a frame was asked for of no stream at all");
  table_ = read_all(check(arrow::ImportRecordBatchReader(stream), ErrorCode::read_failed));
}

Frame::Frame(std::span<const core::MessageRow> rows) : table_(table_of(rows)) {}
Frame::Frame(std::span<const core::ExchangeRow> rows) : table_(table_of(rows)) {}
Frame::Frame(std::span<const core::IdentityEdgeRow> rows) : table_(table_of(rows)) {}
Frame::Frame(std::span<const core::ScenarioRow> rows) : table_(table_of(rows)) {}
Frame::Frame(std::span<const core::DecisionRow> rows) : table_(table_of(rows)) {}
Frame::Frame(std::span<const core::OracleCallRow> rows) : table_(table_of(rows)) {}
Frame::Frame(std::span<const core::HoldingsRow> rows) : table_(table_of(rows)) {}
Frame::Frame(std::span<const core::HoldingsValuationRow> rows) : table_(table_of(rows)) {}

Frame frame_from_json(std::span<const JsonObject> rows, const core::TableDescriptor* table) {
  const Type declared = table == nullptr ? Type() : declared_types(*table);
  JsonColumn root("", &declared, -1);  // its columns are at depth 0, as those of a table are
  std::int64_t index = 0;
  for (const JsonObject& row : rows) {
    root.append(index, row, index);
    ++index;
  }
  if (rows.empty()) return Frame(arrow::Table::Make(arrow::schema({}), arrow::ArrayVector(), 0));
  const std::shared_ptr<arrow::Array> array = root.finish(index);
  const auto& structs = static_cast<const arrow::StructArray&>(*array);
  return Frame(arrow::Table::Make(arrow::schema(structs.type()->fields()), structs.fields(), index));
}

}  // namespace crv::io
