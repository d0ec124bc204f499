#include "io/schema/element_fields.h"

#include <optional>
#include <tuple>
#include <type_traits>

#include "crv/core/rows.h"

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

}  // namespace

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

}  // namespace crv::io
