#include "core/data.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace crv::testing {
namespace {

template <class T>
const T& as(const Json& value, const char* type) {
  if (const T* found = value.get_if<T>()) return *found;
  throw std::runtime_error(std::string("the test's data holds no ") + type + " here: " + write_json(value));
}

}  // namespace

Json load_data(const std::string& name) {
  std::ifstream file(std::string(CRV_TEST_DATA) + "/core/data/" + name, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) throw std::runtime_error("cannot read the test's data " + name);
  return parse_json(text.str());
}

const Json& at(const Json& value, std::string_view key) {
  if (const Json* found = members(value).find(key)) return *found;
  throw std::runtime_error("the test's data has no key " + std::string(key));
}

const JsonArray& items(const Json& value) {
  return as<JsonArray>(value, "array");
}
const JsonObject& members(const Json& value) {
  return as<JsonObject>(value, "object");
}
const std::string& text(const Json& value) {
  return as<std::string>(value, "text");
}
bool flag(const Json& value) {
  return as<bool>(value, "bool");
}

}  // namespace crv::testing
