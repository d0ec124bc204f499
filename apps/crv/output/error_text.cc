#include "output/error_text.h"

#include <iostream>
#include <optional>
#include <utility>

#include "crv/core/shown.h"

namespace crv::cli {
namespace {

std::string class_of(const Error& error) {
  std::string name = "Error";
// Bases stand before what derives from them, so the last that fits is the error's own class.
#define CRV_NAME_CLASS(derived, base)                    \
  if (dynamic_cast<const derived*>(&error) != nullptr) { \
    name = #derived;                                     \
  }
  CRV_ERROR_CLASSES(CRV_NAME_CLASS)
#undef CRV_NAME_CLASS
  return name;
}

void add(JsonObject& object, const std::string& key, const std::string& value) {
  if (!value.empty()) {
    object.push_back(key, value);
  }
}

void add(JsonObject& object, const std::string& key, const std::optional<std::int64_t>& value) {
  if (value) {
    object.push_back(key, *value);
  }
}

JsonObject object_of(const Violation& violation) {
  JsonArray rows;
  for (const auto& row : violation.first) {
    rows.emplace_back(JsonObject{{"row", row.row}, {"value", row.value}});
  }
  return JsonObject{{"rule", violation.rule},
                    {"column", violation.column},
                    {"reason", violation.reason},
                    {"count", violation.count},
                    {"first", std::move(rows)}};
}

void tell(JsonObject error) {
  std::cerr << write_json(JsonObject{{"error", std::move(error)}}, {.any_bytes = true}) << '\n';
}

}  // namespace

void tell_error(const Error& error, const Standing& standing, bool json) {
  if (!json) {
    tell_what_stands(standing);
    std::cerr << "crv: " << error.what() << '\n';
    return;
  }
  const ErrorFacts& facts = error.facts();
  JsonObject object{{"code", name_of(error.code())}, {"class", class_of(error)}, {"message", error.what()}};
  add(object, "run_id", facts.run_id);
  add(object, "table", facts.table);
  add(object, "column", facts.column);
  add(object, "key", facts.key);
  add(object, "value", facts.value);
  add(object, "path", facts.path);
  add(object, "row", facts.row);
  add(object, "line", facts.line);
  add(object, "bucket", facts.bucket);
  add(object, "seq", facts.seq);
  add(object, "os_error", facts.os_error == 0 ? std::nullopt : std::optional<std::int64_t>(facts.os_error));
  if (!facts.violations.empty()) {
    JsonArray violations;
    for (const Violation& violation : facts.violations) {
      violations.emplace_back(object_of(violation));
    }
    object.push_back("violations", std::move(violations));
  }
  if (!standing.json.empty()) {
    object.push_back("committed", standing.json);
  }
  tell(std::move(object));
}

void tell_what_stands(const Standing& standing) {
  for (const auto& line : standing.lines) {
    std::cerr << "crv: " << printable(line) << '\n';
  }
}

void tell_usage_error(const std::string& message, const std::string& command, bool json) {
  if (json) {
    tell(JsonObject{{"code", "usage"}, {"class", "UsageError"}, {"message", message}});
  } else {
    std::cerr << "crv: " << printable(message) << "\nTry: " << command << " --help\n";
  }
}

}  // namespace crv::cli
