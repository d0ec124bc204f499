#include "io/rules/broken_rules.h"

#include <algorithm>
#include <utility>

#include "crv/core/shown.h"

namespace crv::io {

namespace {

constexpr std::size_t kShownRules = 20;

std::string row_count(std::int64_t count) {
  return std::to_string(count) + (count == 1 ? " row" : " rows");
}

std::string line_of(const BrokenRule& rule) {
  std::string line = "\n  " + printable(rule.column) + ": " + rule.reason + " (" + rule.rule +
                     "): " + row_count(rule.count) + ": ";
  for (std::size_t i = 0; i < rule.values.size(); ++i) {
    line += (i == 0 ? "row " : ", row ") + std::to_string(rule.rows[i]) + " holds " +
            (rule.values[i].empty() ? "\"\"" : printable(rule.values[i]));
  }
  return rule.count > static_cast<std::int64_t>(rule.values.size()) ? line + ", ..." : line;
}

std::string message_of(const std::string& table, const BrokenRules& rules) {
  std::string text = "table \"" + table + "\": rows of this frame break ";
  text += rules.size() == 1 ? "a rule" : std::to_string(rules.size()) + " rules";
  for (std::size_t i = 0; i < std::min(rules.size(), kShownRules); ++i) text += line_of(rules[i]);
  if (rules.size() > kShownRules)
    text += "\n  and " + std::to_string(rules.size() - kShownRules) + " rules more";
  return text;
}

}  // namespace

void raise_broken(const std::string& table, const BrokenRules& rules) {
  const BrokenRule& first = rules.front();
  ErrorFacts facts;
  facts.table = table;
  facts.column = first.column;
  facts.row = first.rows.front();
  facts.value = first.values.front();
  for (const BrokenRule& rule : rules) {
    Violation violation{rule.rule, rule.column, rule.reason, rule.count, {}};
    for (std::size_t i = 0; i < rule.values.size(); ++i)
      violation.first.push_back({rule.rows[i], rule.values[i]});
    facts.violations.push_back(std::move(violation));
  }
  const bool alike = std::ranges::all_of(rules, [&](const BrokenRule& r) { return r.code == first.code; });
  raise(alike ? first.code : ErrorCode::row_rule, message_of(table, rules), std::move(facts));
}

}  // namespace crv::io
