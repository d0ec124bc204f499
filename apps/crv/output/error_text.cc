#include "output/error_text.h"

#include <iostream>
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
  JsonObject object{{"code", name_of(error.code())}, {"class", class_of(error)}, {"message", error.what()}};
  for (auto& [name, fact] : to_json(error.facts())) object.push_back(name, std::move(fact));
  if (!standing.json.empty()) object.push_back("committed", standing.json);
  tell(std::move(object));
}

void tell_what_stands(const Standing& standing) {
  for (const auto& line : standing.lines) std::cerr << "crv: " << printable(line) << '\n';
}

void tell_usage_error(const std::string& message, const std::string& command, bool json) {
  if (json)
    tell(JsonObject{{"code", "usage"}, {"class", "UsageError"}, {"message", message}});
  else
    std::cerr << "crv: " << printable(message) << "\nTry: " << command << " --help\n";
}

}  // namespace crv::cli
