#include "crv/core/serde.h"

#include <array>
#include <cmath>

#include "core/numbers.h"
#include "core/text.h"
#include "crv/core/error.h"
#include "crv/core/shown.h"

namespace crv::core::internal {
namespace {

[[noreturn]] void refuse(const std::string& message, const std::string& path, std::string value = {}) {
  raise(ErrorCode::schema_rule, message, {.column = path, .value = std::move(value)});
}

std::optional<std::int64_t> integer_of(double value) {
  constexpr double limit = 9223372036854775808.0;
  if (!(value >= -limit && value < limit) || std::trunc(value) != value) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

std::optional<bool> flag_of(std::string_view text) {
  const std::string folded = fold_case(text);
  for (const std::string_view word : {"1", "t", "true", "y", "yes", "on"})
    if (folded == word) return true;
  for (const std::string_view word : {"0", "f", "false", "n", "no", "off"})
    if (folded == word) return false;
  return std::nullopt;
}

}  // namespace

std::string child(const std::string& path, std::string_view field) {
  return path.empty() ? std::string(field) : path + "." + std::string(field);
}

void raise_wrong_type(const Json& json, const std::string& path, std::string_view expected) {
  std::string value = shortened(write_json(json), 80);
  refuse((path.empty() ? "A model" : path) + " must be " + std::string(expected) + ", not " + value, path,
         value);
}

void raise_missing(std::string_view model, const std::string& path) {
  refuse(std::string(model) + " requires " + path + ": give it", path);
}

void raise_unknown(std::string_view model, const std::string& path) {
  refuse(std::string(model) + " has no field " + path + ": leave it out", path);
}

void read(const Json& json, const std::string& path, std::int64_t& out) {
  std::optional<std::int64_t> value;
  if (const auto* integer = json.get_if<std::int64_t>()) value = *integer;
  if (const auto* flag = json.get_if<bool>()) value = *flag ? 1 : 0;
  if (const auto* number = json.get_if<double>()) value = integer_of(*number);
  if (const auto* text = json.get_if<std::string>()) value = read_integer(*text);
  if (!value) raise_wrong_type(json, path, "an integer of 64 bits");
  out = *value;
}

void read(const Json& json, const std::string& path, double& out) {
  const std::optional<double> value = number_of(json);
  if (!value) raise_wrong_type(json, path, "a number");
  out = *value;
}

void read(const Json& json, const std::string& path, bool& out) {
  std::optional<bool> value;
  if (const auto* flag = json.get_if<bool>()) value = *flag;
  if (const auto* integer = json.get_if<std::int64_t>(); integer && (*integer == 0 || *integer == 1))
    value = *integer == 1;
  if (const auto* number = json.get_if<double>(); number && (*number == 0 || *number == 1))
    value = *number == 1;
  if (const auto* text = json.get_if<std::string>()) value = flag_of(*text);
  if (!value) raise_wrong_type(json, path, "true or false");
  out = *value;
}

void read(const Json& json, const std::string& path, std::string& out) {
  const auto* text = json.get_if<std::string>();
  if (!text) raise_wrong_type(json, path, "text");
  out = *text;
}

void read(const Json& json, const std::string&, Json& out) {
  out = json;
}

void read(const Json& json, const std::string& path, JsonObject& out) {
  const auto* object = json.get_if<JsonObject>();
  if (!object) raise_wrong_type(json, path, "an object");
  out = *object;
}

}  // namespace crv::core::internal
