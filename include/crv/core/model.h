// What the structs of rows.h have in common: each knows its name, its table and its fields in order.
#pragma once

#include <string_view>
#include <tuple>
#include <type_traits>

namespace crv::core {

// A field of a model: its name and its member.
template <class Model, class Member>
struct Field {
  std::string_view name;
  Member Model::*member;
  bool required;  // has no default: a caller must give it
};

template <class Model, class Member>
Field(std::string_view, Member Model::*, bool) -> Field<Model, Member>;

// A struct of rows.h.
template <class T>
concept IsModel = requires {
  T::model;
  T::fields();
};

// A struct of rows.h that is a row of a canonical table.
template <class T>
concept IsTableRow = IsModel<T> && requires { T::table; };

// Calls visit(name, member) for each field of `model`, in order.
template <class Model, class Visit>
void for_each_field(Model& model, Visit&& visit) {
  std::apply([&](const auto&... field) { (visit(field.name, model.*field.member), ...); },
             std::remove_const_t<Model>::fields());
}

}  // namespace crv::core
