#include "crv/io/row_columns.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include "core/text.h"
#include "core/utf8.h"
#include "io/arrow/arrow_types.h"
#include "io/arrow/place.h"

namespace crv::io::detail {

namespace {

using Kind = core::Type::Kind;

constexpr const char* kBinary = "binary";
constexpr std::int64_t kWord = 8;  // bytes of a number
// Arrow reads buffers by so many bytes at once.
constexpr std::int64_t kPadding = 64;

bool has_ends(const core::Type& type) {
  return type.kind == Kind::str || type.kind == Kind::list || type.other == kBinary;
}

std::shared_ptr<arrow::DataType> widened(const core::Type& type) {
  return type.kind == Kind::str ? arrow::large_utf8() : arrow::large_binary();
}

std::shared_ptr<arrow::DataType> list_of(const std::shared_ptr<arrow::DataType>& elements, bool wide) {
  auto element = arrow::field("element", elements);
  return wide ? arrow::large_list(std::move(element)) : arrow::list(std::move(element));
}

}  // namespace

// ---- Bytes ----

void Bytes::grow(std::int64_t bytes) {
  const std::int64_t room = std::max({bytes, 2 * room_, kPadding});
  if (!buffer_) buffer_ = check(arrow::AllocateResizableBuffer(0), ErrorCode::out_of_memory);
  check(buffer_->Resize(size_, false), ErrorCode::out_of_memory);  // Reserve() keeps what lies below that
  check(buffer_->Reserve(room), ErrorCode::out_of_memory);
  data_ = buffer_->mutable_data();
  room_ = buffer_->capacity();
}

std::shared_ptr<arrow::Buffer> Bytes::finish() {
  const std::int64_t size = size_;
  const std::int64_t padded = (size + kPadding - 1) / kPadding * kPadding;
  if (padded > room_ || !buffer_) grow(padded);
  std::memset(data_ + size, 0, static_cast<std::size_t>(padded - size));
  check(buffer_->Resize(size, false), ErrorCode::out_of_memory);
  return std::exchange(buffer_, nullptr);
}

// ---- Column ----

Column::Column(const std::string& table_name, std::string name, const core::Type& declared,
               const Column* around, std::int64_t rows)
    : table(table_name), path(std::move(name)), type(declared), holder(around) {
  if (has_ends(type)) {
    ends.reserve((rows + 1) * std::int64_t{sizeof(std::int32_t)});
    *ends.extend<std::int32_t>(1) = 0;
  } else if (type.kind != Kind::structure) {
    values.reserve(type.kind == Kind::boolean ? (rows + 7) / 8 : rows * kWord);
  }
  for (const core::NamedType& field : type.fields) {
    const bool is_list = type.kind == Kind::list;
    parts.push_back(std::make_unique<Column>(table, is_list ? path + "[]" : path + "." + field.name,
                                             field.type, this, is_list ? 0 : rows));
  }
}

void Column::widen() {
  const auto* narrow = reinterpret_cast<const std::int32_t*>(ends.data());
  const std::int64_t count = ends.size() / std::int64_t{sizeof(std::int32_t)};
  Bytes wider;
  std::copy_n(narrow, count, wider.extend<std::int64_t>(count));
  ends = std::move(wider);
  wide = true;
}

std::shared_ptr<arrow::Array> Column::finish() {
  const std::shared_ptr<arrow::Buffer> valid = nulls > 0 ? validity.finish() : nullptr;
  std::vector<std::shared_ptr<arrow::ArrayData>> children;
  for (const auto& part : parts) children.push_back(part->finish()->data());
  std::shared_ptr<arrow::ArrayData> data;
  if (type.kind == Kind::structure) {
    arrow::FieldVector fields;
    for (std::size_t i = 0; i < parts.size(); ++i)
      fields.push_back(arrow::field(type.fields[i].name, children[i]->type));
    data = arrow::ArrayData::Make(arrow::struct_(fields), length, {valid}, children, nulls);
  } else if (type.kind == Kind::list) {
    data = arrow::ArrayData::Make(list_of(children[0]->type, wide), length, {valid, ends.finish()}, children,
                                  nulls);
  } else if (has_ends(type)) {
    data = arrow::ArrayData::Make(wide ? widened(type) : to_arrow(type), length,
                                  {valid, ends.finish(), values.finish()}, nulls);
  } else {
    data = arrow::ArrayData::Make(to_arrow(type), length, {valid, values.finish()}, nulls);
  }
  return arrow::MakeArray(data);
}

std::int64_t Column::end_of(std::int64_t index) const {
  return wide ? reinterpret_cast<const std::int64_t*>(ends.data())[index + 1]
              : reinterpret_cast<const std::int32_t*>(ends.data())[index + 1];
}

std::int64_t Column::row_of(std::int64_t index) const {
  if (!holder) return index;
  if (holder->type.kind == Kind::structure) return holder->row_of(index);
  std::int64_t list = 0, beyond = holder->ends.size() / (holder->wide ? 8 : 4) - 1;
  while (list < beyond) {  // the first list that ends beyond the element
    const std::int64_t middle = (list + beyond) / 2;
    if (holder->end_of(middle) > index)
      beyond = middle;
    else
      list = middle + 1;
  }
  return holder->row_of(list);
}

ErrorFacts Column::facts_of(std::int64_t index) const {
  ErrorFacts facts;
  facts.table = table;
  facts.column = path;
  facts.row = row_of(index);
  return facts;
}

void Column::check_texts(std::int64_t first, std::int64_t begin) const {
  const auto* bytes = reinterpret_cast<const char*>(values.data());
  if (is_ascii({bytes + begin, static_cast<std::size_t>(values.size() - begin)})) return;
  const std::int64_t count = ends.size() / (wide ? 8 : 4) - 1;
  for (std::int64_t i = first; i < count; ++i) {
    const std::int64_t end = end_of(i);
    const std::int64_t from = end_of(i - 1);
    const std::string_view text(bytes + from, static_cast<std::size_t>(end - from));
    if (!is_utf8(text)) refuse_bytes(facts_of(i), text);
  }
}

void Column::refuse_unsigned(std::int64_t first) const {
  const auto* numbers = reinterpret_cast<const std::int64_t*>(values.data());
  while (numbers[first] >= 0) ++first;
  ErrorFacts facts = facts_of(first);
  facts.value = std::to_string(static_cast<std::uint64_t>(numbers[first]));
  refuse(ErrorCode::lossy_cast, facts, "this integer is beyond 2^63 - 1");
}

void Column::refuse_word(std::int64_t index, const std::string& value,
                         const std::vector<std::string>& words) const {
  ErrorFacts facts = facts_of(index);
  facts.value = value;
  refuse(ErrorCode::wrong_type, facts,
         "the enum has no enumerator of this value; it has " + core::join(words));
}

void Column::refuse_moment(std::int64_t index, std::int64_t count) const {
  ErrorFacts facts = facts_of(index);
  facts.value = std::to_string(count);
  refuse(ErrorCode::wrong_type, facts,
         "so far from 1970, this time does not fit into microseconds of 64 bits");
}

// ---- RowColumns ----

RowColumns::RowColumns(std::string_view table, const std::vector<core::NamedType>& types, std::int64_t rows)
    : table_(table), types_(types), rows_(rows) {
  for (const core::NamedType& column : types)
    columns_.push_back(std::make_unique<Column>(table_, column.name, column.type, nullptr, rows));
}

std::shared_ptr<arrow::Table> RowColumns::finish() {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    arrays.push_back(columns_[i]->finish());
    fields.push_back(arrow::field(types_[i].name, arrays[i]->type()));
  }
  return arrow::Table::Make(arrow::schema(std::move(fields)), arrays, rows_);
}

}  // namespace crv::io::detail
