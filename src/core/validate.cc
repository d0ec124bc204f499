#include "core/validate.h"

#include <algorithm>

#include "core/numbers.h"
#include "core/text.h"
#include "crv/core/error.h"
#include "crv/core/grammar.h"

namespace crv::core {
namespace {

[[noreturn]] void refuse(ErrorCode code, const Place& place, const std::string& must,
                         const std::string& value) {
  raise(code, place.rules.model + "." + place.path + " must be " + must + ", not `" + value + "`",
        {.table = place.rules.table, .column = place.path, .value = value});
}

std::string text_of(double bound) {
  std::string text = format_double(bound);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

}  // namespace

void check_text(const Place& place, const FieldRule& rule, std::string& text) {
  std::string folded = rule.fold ? fold_case(text) : text;
  if (!rule.allowed.empty() && std::ranges::find(rule.allowed, folded) == rule.allowed.end())
    refuse(ErrorCode::grammar, place, "one of " + join(rule.allowed), text);
  if (rule.lower_snake && !is_lower_snake(folded))
    refuse(ErrorCode::grammar, place, "lower_snake (a-z, 0-9, single underscores between)", text);
  text = std::move(folded);
}

void check_number(const Place& place, const FieldRule& rule, double number) {
  // Written so that NaN fails.
  const bool fits = (!rule.min || number >= *rule.min) && (!rule.max || number <= *rule.max);
  if (fits) return;
  std::string must;
  if (rule.min) must = "at least " + text_of(*rule.min);
  if (rule.max) must += (must.empty() ? "at most " : " and at most ") + text_of(*rule.max);
  refuse(ErrorCode::schema_rule, place, must, format_double(number));
}

void check_numbers(const Place& place, JsonObject& object) {
  for (auto& [key, value] : object) {
    const std::optional<double> number = number_of(value);
    if (!number)
      refuse(ErrorCode::schema_rule, {place.rules, place.path + "." + key}, "a number", write_json(value));
    value = *number;
  }
}

void check_needs(const Place& place, const ModelRules& rules, std::string_view by,
                 const std::vector<std::string_view>& texts) {
  const auto needs = std::ranges::find(rules.needs, by, &Needs::value);
  if (needs == rules.needs.end()) return;
  std::vector<std::string> missing;
  std::ranges::copy_if(needs->fields, std::back_inserter(missing), [&](const std::string& field) {
    return std::ranges::find(texts, field) == texts.end();
  });
  if (missing.empty()) return;
  raise(ErrorCode::schema_rule,
        place.rules.model + ": " + rules.needs_by + " " + needs->value + " requires fields " +
            join(needs->fields) + "; not given: " + join(missing),
        {.table = place.rules.table, .column = place.path + missing.front(), .value = needs->value});
}

std::string normalize_text(const ModelRules& rules, std::string_view field, std::string_view text) {
  std::string normal(text);
  const FieldRule* rule = rules.find(field);
  if (rule) check_text({rules, std::string(field)}, *rule, normal);
  return normal;
}

void check_needs(const ModelRules& rules, const std::map<std::string, std::string>& texts) {
  std::vector<std::string_view> filled;
  std::string_view by;
  for (const auto& [field, text] : texts) {
    if (!text.empty()) filled.push_back(field);
    if (field == rules.needs_by) by = text;
  }
  check_needs({rules, ""}, rules, by, filled);
}

}  // namespace crv::core
