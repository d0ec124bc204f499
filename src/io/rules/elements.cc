#include "io/rules/elements.h"

#include <algorithm>

#include <arrow/array.h>

#include "io/arrow/text_array.h"

namespace crv::io {

namespace {

template <class List>
void with_elements_of(const List& lists, int field, const std::function<void(const Cells&)>& then) {
  const std::int64_t begin = lists.length() == 0 ? 0 : lists.value_offset(0);
  const std::int64_t end = lists.length() == 0 ? 0 : lists.value_offset(lists.length());
  const auto elements = lists.values()->Slice(begin, end - begin);
  const auto& structs = static_cast<const arrow::StructArray&>(*elements);
  const auto* offsets = lists.raw_value_offsets();  // of the first list of the slice
  const auto row_of = [=, length = lists.length()](std::int64_t element) {
    return std::upper_bound(offsets, offsets + length + 1, element + begin) - offsets - 1;
  };
  const auto in_a_list = [&](std::int64_t element) { return lists.IsValid(row_of(element)); };
  if (field < 0) return then({*elements, row_of, in_a_list});
  const auto values = structs.field(field);
  then({*values, row_of,
        [&](std::int64_t element) { return structs.IsValid(element) && in_a_list(element); }});
}

}  // namespace

bool takes(const ElementField& field, const arrow::DataType& type) {
  const auto id = type.id();
  using Kind = ElementField::Kind;
  switch (field.kind) {
    case Kind::text:
      return is_text(type);
    case Kind::number:
      return id == arrow::Type::INT64 || id == arrow::Type::DOUBLE || id == arrow::Type::BOOL;
    case Kind::object:
      return id == arrow::Type::STRUCT;
    default:
      return true;
  }
}

void with_elements(const arrow::Array& lists, int field, const std::function<void(const Cells&)>& then) {
  if (lists.type_id() == arrow::Type::LIST)
    with_elements_of(static_cast<const arrow::ListArray&>(lists), field, then);
  else if (lists.type_id() == arrow::Type::LARGE_LIST)
    with_elements_of(static_cast<const arrow::LargeListArray&>(lists), field, then);
}

}  // namespace crv::io
