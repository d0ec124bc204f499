// The model rules as data, for whoever checks rows in another form than the structs of rows.h. (Column rules stand
// in the descriptors: descriptor.h.)
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace crv::core {

// What a field must satisfy. A null always passes.
struct FieldRule {
  std::string field;
  bool fold = false;                 // ASCII letters are lower-cased before the check, and stay so
  bool lower_snake = false;          // is_lower_snake
  bool numbers = false;              // an object whose values are numbers; they become floats
  std::vector<std::string> allowed;  // must be one of these; empty: any text
  std::optional<double> min, max;    // ends included; a bounded number must not be NaN
};

// Fields that must hold a text that is not empty where the field `ModelRules::needs_by` has this value.
struct Needs {
  std::string value;
  std::vector<std::string> fields;  // sorted
};

struct ModelRules {
  std::string model;  // name of the struct
  std::string table;  // empty where no table holds it
  std::vector<FieldRule> fields;
  std::string needs_by;  // empty where there are no needs
  std::vector<Needs> needs;

  const FieldRule* find(std::string_view field) const noexcept;  // nullptr where a field has no rule
};

// Rules of every model, in the order of rows.h. The references live as long as the program.
const std::vector<ModelRules>& list_model_rules();
// nullptr where there is no such model.
const ModelRules* find_model_rules(std::string_view model) noexcept;
// Rules of the model of a table's rows; nullptr where there is no such table.
const ModelRules* find_table_rules(std::string_view table) noexcept;

// `text` in the normal form of its field; a field without rules has any text. Throws GrammarError (grammar),
// with the facts table, column and value, where it breaks a rule.
std::string normalize_text(const ModelRules& rules, std::string_view field, std::string_view text);
// `texts`: the fields of one model and the texts they hold; fields that hold none may be left out. Throws
// SchemaError (schema_rule) where one that is needed is missing or empty.
void check_needs(const ModelRules& rules, const std::map<std::string, std::string>& texts);

}  // namespace crv::core
