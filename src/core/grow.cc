// How the definition of a table grows.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/text.h"
#include "crv/core/definition.h"
#include "crv/core/error.h"
#include "crv/core/shown.h"

namespace crv::core {
namespace {

using Kind = Type::Kind;

// A column for people: "f64, required, min 0".
std::string shown(const ColumnDescriptor& column) {
  const ColumnRule& rule = column.rule;
  std::vector<std::string> words{text_of(column.type)};
  if (column.required) words.emplace_back("required");
  if (column.inferred) words.emplace_back("inferred");
  if (!column.unit.empty()) words.push_back("unit " + column.unit);
  if (rule.finite) words.emplace_back("finite");
  if (rule.not_empty) words.emplace_back("not empty");
  if (!rule.allowed.empty()) words.push_back("one of " + join(rule.allowed, "|"));
  if (rule.min) words.push_back("min " + format_double(*rule.min));
  if (rule.max) words.push_back("max " + format_double(*rule.max));
  if (rule.unique) words.emplace_back("unique");
  if (rule.length) words.push_back("length " + std::to_string(*rule.length));
  return join(words);
}

class Growth {
 public:
  Growth(const TableDescriptor& held, const TableDescriptor& wanted) : held_(held), wanted_(wanted) {}

  TableDescriptor operator()() {
    TableDescriptor grown = held_;
    if (!wanted_.doc.empty()) grown.doc = wanted_.doc;
    for (const ColumnDescriptor& column : wanted_.columns) {
      const auto there = std::ranges::find(grown.columns, column.name, &ColumnDescriptor::name);
      if (there != grown.columns.end()) {
        grow(*there, column);
        continue;
      }
      if (column.required) refuse(column.name, "a column that comes later cannot be required");
      grown.columns.push_back(column);
    }
    return table_from_json(to_json(grown));  // checks: a new name may differ from another only in case
  }

 private:
  [[noreturn]] void refuse(const std::string& column, const std::string& why) const {
    const std::string table = printable(shortened(held_.name));
    std::string text = "Table " + printable(shortened(held_.name)) + ", column \"" +
                       printable(shortened(column)) + "\": " + why + ". Where the definitions differ:";
    for (const ColumnDescriptor& offered : wanted_.columns) {
      const ColumnDescriptor* there = held_.find(offered.name);
      const std::string left = there ? shown(*there) : "no such column", right = shown(offered);
      if (left != right)
        text += " " + printable(shortened(offered.name)) + " is " + shortened(left) + " in the run and " +
                shortened(right) + " here;";
    }
    text.back() = '.';
    const ColumnDescriptor* wanted = wanted_.find(column);
    raise(ErrorCode::definition_conflict, text,
          {.table = held_.name, .column = column, .value = wanted ? shown(*wanted) : ""});
  }

  void grow(ColumnDescriptor& held, const ColumnDescriptor& wanted) const {
    held.type = unite(held.type, wanted.type, held.name);
    held.required = held.required && wanted.required;
    if (!wanted.doc.empty()) held.doc = wanted.doc;
    if (!held.unit.empty() && !wanted.unit.empty() && held.unit != wanted.unit)
      refuse(held.name, "the unit cannot change");
    if (held.unit.empty()) held.unit = wanted.unit;
    if (held.inferred) return;    // it has no rules
    if (wanted.inferred) return;  // rows say nothing of rules
    loosen(held.rule, wanted.rule, held.name);
    if (held.type.kind != Kind::f64) held.rule.finite = false;
  }

  // A rule that only `wanted` has is stricter, and so contained in what is held.
  void loosen(ColumnRule& held, const ColumnRule& wanted, const std::string& column) const {
    held.finite = held.finite && wanted.finite;
    held.not_empty = held.not_empty && wanted.not_empty;
    held.unique = held.unique && wanted.unique;
    held.min = held.min && wanted.min ? std::min(held.min, wanted.min) : std::nullopt;
    held.max = held.max && wanted.max ? std::max(held.max, wanted.max) : std::nullopt;
    if (wanted.allowed.empty()) held.allowed.clear();
    if (!held.allowed.empty())
      for (const std::string& word : wanted.allowed)
        if (std::ranges::find(held.allowed, word) == held.allowed.end()) held.allowed.push_back(word);
    if (held.length && wanted.length && held.length != wanted.length)
      refuse(column, "the length of a list cannot change");
    if (!wanted.length) held.length.reset();
  }

  Type unite(const Type& held, const Type& wanted, const std::string& column) const {
    if (held.kind == Kind::null) return wanted;
    if (wanted.kind == Kind::null) return held;
    const bool numbers = (held.kind == Kind::i64 && wanted.kind == Kind::f64) ||
                         (held.kind == Kind::f64 && wanted.kind == Kind::i64);
    if (numbers) return plain_type(Kind::f64);
    if (held.kind != wanted.kind || held.other != wanted.other)
      refuse(column, "the type " + text_of(wanted) + " does not meet " + text_of(held));
    Type grown = held;
    if (held.kind == Kind::list) {
      grown.fields.front().type = unite(held.fields.front().type, wanted.fields.front().type, column);
    } else if (held.kind == Kind::structure) {
      grown.open = held.open || wanted.open;
      for (const NamedType& field : wanted.fields) {
        const auto there = std::ranges::find(grown.fields, field.name, &NamedType::name);
        if (there == grown.fields.end())
          grown.fields.push_back(field);
        else
          there->type = unite(there->type, field.type, column);
      }
    }
    return grown;
  }

  const TableDescriptor& held_;
  const TableDescriptor& wanted_;
};

}  // namespace

TableDescriptor grow(const TableDescriptor& held, const TableDescriptor& wanted) {
  return Growth(held, wanted)();
}

}  // namespace crv::core
