// The rules of rules.h, carried out on a struct of rows.h. Needed only where validate() is defined.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crv/core/model.h"
#include "crv/core/rows.h"
#include "crv/core/rules.h"

namespace crv::core {

// Where a value stands: the outermost model, and the path of the field in it.
struct Place {
  const ModelRules& rules;
  std::string path;
};

void check_text(const Place& place, const FieldRule& rule, std::string& text);
void check_number(const Place& place, const FieldRule& rule, double number);
void check_numbers(const Place& place, JsonObject& object);
// `texts`: the fields of the model that hold a text that is not empty; `by` is the value of
// ModelRules::needs_by.
void check_needs(const Place& place, const ModelRules& rules, std::string_view by,
                 const std::vector<std::string_view>& texts);

template <IsModel Model>
void validate_model(Model& model, const Place& outer);

// Values without rules: anything goes.
template <class Value>
void check_field(const Place&, const FieldRule*, Value&) {}

inline void check_field(const Place& place, const FieldRule* rule, std::string& text) {
  if (rule) check_text(place, *rule, text);
}
inline void check_field(const Place& place, const FieldRule* rule, double& number) {
  if (rule) check_number(place, *rule, number);
}
inline void check_field(const Place& place, const FieldRule* rule, JsonObject& object) {
  if (rule && rule->numbers) check_numbers(place, object);
}
template <class T>
void check_field(const Place& place, const FieldRule* rule, std::optional<T>& value) {
  if (value) check_field(place, rule, *value);
}
template <IsModel Model>
void check_field(const Place& place, const FieldRule*, std::vector<Model>& models) {
  for (std::size_t i = 0; i < models.size(); ++i)
    validate_model(models[i], {place.rules, place.path + "[" + std::to_string(i) + "]."});
}

inline const std::string* text_in(const std::string& text) {
  return text.empty() ? nullptr : &text;
}
inline const std::string* text_in(const std::optional<std::string>& text) {
  return text ? text_in(*text) : nullptr;
}
template <class Value>
const std::string* text_in(const Value&) {
  return nullptr;
}

template <IsModel Model>
void validate_model(Model& model, const Place& outer) {
  static const ModelRules& rules = *find_model_rules(Model::model);
  for_each_field(model, [&](std::string_view name, auto& value) {
    const FieldRule* rule = rules.find(name);
    check_field(Place{outer.rules, outer.path + std::string(name)}, rule, value);
  });
  if (rules.needs_by.empty()) return;
  std::vector<std::string_view> texts;
  std::string_view by;
  for_each_field(model, [&](std::string_view name, const auto& value) {
    const std::string* text = text_in(value);
    if (text) texts.push_back(name);
    if (text && name == rules.needs_by) by = *text;
  });
  check_needs(outer, rules, by, texts);
}

template <IsModel Model>
void validate_model(Model& model) {
  static const ModelRules& rules = *find_model_rules(Model::model);
  validate_model(model, Place{rules, ""});
}

}  // namespace crv::core
