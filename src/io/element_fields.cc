#include "io/element_fields.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <type_traits>

#include <arrow/array.h>

#include "crv/core/rows.h"
#include "io/cast.h"

namespace crv::io {

namespace {

using Kind = ElementField::Kind;

template <class Member>
struct KindOf {
  static constexpr Kind value = std::is_same_v<Member, std::string>       ? Kind::text
                                : std::is_arithmetic_v<Member>            ? Kind::number
                                : std::is_same_v<Member, crv::JsonObject> ? Kind::object
                                                                          : Kind::other;
};
template <class Member>
struct KindOf<std::optional<Member>> : KindOf<Member> {};

template <class Model>
std::vector<ElementField> fields_of() {
  std::vector<ElementField> fields;
  const auto add = [&]<class Member>(const core::Field<Model, Member>& field) {
    fields.push_back({std::string(field.name), field.required, KindOf<Member>::value});
  };
  std::apply([&](const auto&... field) { (add(field), ...); }, Model::fields());
  return fields;
}

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

bool ElementField::takes(const arrow::DataType& type) const {
  const auto id = type.id();
  switch (kind) {
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

std::string ElementField::type_word() const {
  return kind == Kind::text ? "a text" : kind == Kind::number ? "a number" : "a struct";
}

std::vector<ElementField> element_fields_of(std::string_view model) {
#define CRV_FIELDS_OF(Model) \
  if (model == core::Model::model) return fields_of<core::Model>();
  CRV_MODELS(CRV_FIELDS_OF)
#undef CRV_FIELDS_OF
  return {};
}

void with_elements(const arrow::Array& lists, int field, const std::function<void(const Cells&)>& then) {
  if (lists.type_id() == arrow::Type::LIST) {
    with_elements_of(static_cast<const arrow::ListArray&>(lists), field, then);
  } else if (lists.type_id() == arrow::Type::LARGE_LIST) {
    with_elements_of(static_cast<const arrow::LargeListArray&>(lists), field, then);
  }
}

}  // namespace crv::io
