#include "io/conform/own_columns.h"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <arrow/array.h>
#include <arrow/chunked_array.h>
#include <arrow/type.h>

#include "crv/core/suggest.h"
#include "io/arrow/text_array.h"

namespace crv::io {

namespace {

using Kind = Type::Kind;

// Where a column holds what its declaration does not have.
class Misfits {
 public:
  explicit Misfits(const Place& place) : place_(place) {}

  void check(const Type& declared, const Type& got, const std::string& path) const {
    if (declared.kind == Kind::null || got.kind == Kind::null) return;
    if (declared.kind != got.kind || declared.other != got.other)
      fail(ErrorCode::wrong_type, path,
           "it is declared as " + text_of(declared) + ", and this frame holds " + text_of(got));
    if (declared.kind == Kind::list)
      return check(declared.fields.at(0).type, got.fields.at(0).type, path + "[]");
    for (const Field& field : got.fields) {
      const Type* known = field_of(&declared, field.name);
      if (known) {
        check(*known, field.type, path + "." + field.name);
      } else if (!declared.open) {
        std::vector<std::string> names;
        for (const Field& one : declared.fields) names.push_back(one.name);
        fail(ErrorCode::unknown_column, path + "." + field.name,
             "the struct is declared without this field" + did_you_mean(field.name, names));
      }
    }
  }

 private:
  [[noreturn]] void fail(ErrorCode code, const std::string& path, const std::string& why) const {
    place_.fail(code, path == place_.path() ? why : "path " + path + ": " + why);
  }

  const Place& place_;
};

bool holds_lists(arrow::Type::type type) {
  using Id = arrow::Type;
  return type == Id::LIST || type == Id::LARGE_LIST || type == Id::FIXED_SIZE_LIST || type == Id::LIST_VIEW ||
         type == Id::LARGE_LIST_VIEW || type == Id::MAP;
}

// Whether values of a type may be what is declared, as far as structs, lists and bools go; of the rest each value
// tells.
bool may_fit(const Type& declared, const arrow::DataType& type) {
  if (type.id() == arrow::Type::NA || declared.kind == Kind::null) return true;
  if (type.id() == arrow::Type::DICTIONARY)
    return may_fit(declared, *static_cast<const arrow::DictionaryType&>(type).value_type());
  if (declared.kind == Kind::list)
    return holds_lists(type.id()) && may_fit(declared.fields.at(0).type, *type.field(0)->type());
  if (declared.kind == Kind::structure) return type.id() == arrow::Type::STRUCT;
  if (declared.kind == Kind::boolean) return type.id() == arrow::Type::BOOL;
  return !holds_lists(type.id()) && type.id() != arrow::Type::STRUCT;
}

bool all_null(const arrow::ChunkedArray& values) {
  return values.type()->id() == arrow::Type::NA ||
         (values.length() > 0 && values.null_count() == values.length());
}

template <class List>
void check_lengths_of(const List& lists, std::int64_t length, const Place& place, std::size_t chunk) {
  for (std::int64_t i = 0; i < lists.length(); ++i)
    if (!lists.IsNull(i) && lists.value_length(i) != length)
      place.refuse_at(ErrorCode::wrong_type, lists, chunk, i,
                      "this list has " + std::to_string(lists.value_length(i)) +
                          " elements, and the lists of this column have " + std::to_string(length));
}

template <class Value, class Array>
void find_repeated_in(const Array& values, std::unordered_set<Value>& seen,
                      const std::function<void(std::int64_t i)>& found) {
  for (std::int64_t i = 0; i < values.length(); ++i)
    if (!values.IsNull(i) && !seen.insert(Value(values.GetView(i))).second) found(i);
}

}  // namespace

Type outline_of(const Type& type) {
  if (type.kind == Kind::structure) return core::open_struct();
  if (type.kind == Kind::list) return list_of(Type());
  Type outline = type;
  outline.exact = false;
  return outline;
}

Normalized conform_declared(const core::ColumnDescriptor& column, const arrow::ChunkedArray& given,
                            const Place& place, const Type* held) {
  if (all_null(given))
    return normalize(arrow::ChunkedArray(std::make_shared<arrow::NullArray>(given.length())), place, held);
  if (!column.inferred && !may_fit(column.type, *given.type()))
    place.fail(ErrorCode::wrong_type, "this column holds " + text_of(column.type) +
                                          " and takes no values of the type " + given.type()->ToString());
  std::vector<TypeConflict> conflicts;  // none: what the run holds came in by this definition
  const Type known = held ? unite(column.type, *held, column.name, conflicts) : column.type;
  Normalized result = normalize(given, place, &known, column.inferred ? nullptr : &column.type);
  if (!column.inferred) Misfits(place).check(column.type, result.type, place.path());
  return result;
}

void check_lengths(const core::ColumnDescriptor& column, const arrow::ChunkedArray& lists,
                   const Place& place) {
  if (!column.rule.length) return;
  for (int c = 0; c < lists.num_chunks(); ++c) {
    const arrow::Array& chunk = *lists.chunk(c);
    const auto at = static_cast<std::size_t>(c);
    if (chunk.type_id() == arrow::Type::LIST)
      check_lengths_of(static_cast<const arrow::ListArray&>(chunk), *column.rule.length, place, at);
    else if (chunk.type_id() == arrow::Type::LARGE_LIST)
      check_lengths_of(static_cast<const arrow::LargeListArray&>(chunk), *column.rule.length, place, at);
  }
}

void find_repeated(const arrow::ChunkedArray& values,
                   const std::function<void(std::size_t chunk, std::int64_t i)>& found) {
  std::unordered_set<std::int64_t> integers;
  std::unordered_set<double> reals;  // NaN is equal to nothing
  std::unordered_set<std::string_view> texts;
  for (int c = 0; c < values.num_chunks(); ++c) {
    const arrow::Array& chunk = *values.chunk(c);
    const auto tell = [&](std::int64_t i) { found(static_cast<std::size_t>(c), i); };
    if (chunk.type_id() == arrow::Type::INT64)
      find_repeated_in(static_cast<const arrow::Int64Array&>(chunk), integers, tell);
    else if (chunk.type_id() == arrow::Type::DOUBLE)
      find_repeated_in(static_cast<const arrow::DoubleArray&>(chunk), reals, tell);
    else
      with_text(chunk, [&](const auto& array) { find_repeated_in(array, texts, tell); });
  }
}

}  // namespace crv::io
