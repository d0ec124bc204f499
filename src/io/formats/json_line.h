// One line of JSON lines, and errors that say on which line something is wrong.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "crv/core/error.h"
#include "crv/core/json.h"

namespace crv::io {

// The object on line `line`; nothing where the line is blank. Throws SchemaError (bad_json) with the line.
std::optional<JsonObject> parse_json_line(std::string_view text, std::int64_t line);

// Throws `error` anew, as its own class, with the line in facts and message where there is one.
[[noreturn]] void raise_at_line(const Error& error, std::optional<std::int64_t> line);

}  // namespace crv::io
