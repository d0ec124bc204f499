// Errors on standard error, for people or as JSON.
#pragma once

#include <string>
#include <vector>

#include "crv/core/error.h"
#include "crv/core/json.h"

namespace crv::cli {

// What was committed before an error, to be told with it; empty where nothing was.
struct Standing {
  std::vector<std::string> lines;  // for people
  JsonObject json;
};

// "crv: <message>", or {"error": {"code", "class", "message", and each fact there is}}; with what stands in
// spite of it.
void tell_error(const Error& error, const Standing& standing, bool json);
// For people.
void tell_what_stands(const Standing& standing);
void tell_usage_error(const std::string& message, const std::string& command, bool json);

}  // namespace crv::cli
