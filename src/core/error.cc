#include "crv/core/error.h"

#include <utility>

#include "crv/core/shown.h"

namespace crv {
namespace {

// What a message quotes may hold anything; whoever reads it sees plain text. Only the list of broken rules is
// on several lines.
std::string message_of(const std::string& message, const ErrorFacts& facts) {
  return facts.violations.empty() ? printable(message) : printable_lines(message);
}

void put(JsonObject& object, const char* name, const std::string& value) {
  if (!value.empty()) object.push_back(name, value);
}

void put(JsonObject& object, const char* name, const std::optional<std::int64_t>& value) {
  if (value) object.push_back(name, *value);
}

}  // namespace

Json to_json(const Violation& violation) {
  JsonArray first;
  for (const Violation::Row& row : violation.first)
    first.emplace_back(JsonObject{{"row", row.row}, {"value", row.value}});
  return JsonObject{{"rule", violation.rule},
                    {"column", violation.column},
                    {"reason", violation.reason},
                    {"count", violation.count},
                    {"first", std::move(first)}};
}

JsonObject to_json(const ErrorFacts& facts) {
  JsonObject object;
  put(object, "run_id", facts.run_id);
  put(object, "table", facts.table);
  put(object, "column", facts.column);
  put(object, "key", facts.key);
  put(object, "value", facts.value);
  put(object, "path", facts.path);
  put(object, "row", facts.row);
  put(object, "line", facts.line);
  put(object, "bucket", facts.bucket);
  put(object, "seq", facts.seq);
  if (facts.os_error != 0) object.push_back("os_error", facts.os_error);
  if (!facts.violations.empty()) {
    JsonArray violations;
    for (const Violation& violation : facts.violations) violations.push_back(to_json(violation));
    object.push_back("violations", std::move(violations));
  }
  return object;
}

Error::Error(ErrorCode code, const std::string& message, ErrorFacts facts)
    : std::runtime_error(message_of(message, facts)), code_(code), facts_(std::move(facts)) {}

}  // namespace crv
