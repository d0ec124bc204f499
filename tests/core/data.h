// Reads the vectors that the tests of the core check against.
#pragma once

#include <string>

#include "crv/core/json.h"

namespace crv::testing {

// tests/core/data/<name>, parsed.
Json load_data(const std::string& name);
// A member of an object, an item of an array, or the value as a T; throws std::runtime_error where it is
// none.
const Json& at(const Json& value, std::string_view key);
const JsonArray& items(const Json& value);
const JsonObject& members(const Json& value);
const std::string& text(const Json& value);
bool flag(const Json& value);

}  // namespace crv::testing
