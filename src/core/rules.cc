#include "crv/core/rules.h"

#include <algorithm>

namespace crv::core {
namespace {

template <class Range, class Member>
auto find_named(const Range& range, Member member, std::string_view name) noexcept
    -> decltype(&*range.begin()) {
  const auto found = std::ranges::find(range, name, member);
  return found == range.end() ? nullptr : &*found;
}

}  // namespace

const FieldRule* ModelRules::find(std::string_view field) const noexcept {
  return find_named(fields, &FieldRule::field, field);
}

const ModelRules* find_model_rules(std::string_view model) noexcept {
  return find_named(list_model_rules(), &ModelRules::model, model);
}

const ModelRules* find_table_rules(std::string_view table) noexcept {
  return table.empty() ? nullptr : find_named(list_model_rules(), &ModelRules::table, table);
}

}  // namespace crv::core
