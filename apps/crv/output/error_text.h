// Errors on standard error, for people or as JSON.
#pragma once

#include <string>

#include "crv/core/error.h"
#include "shell/shell.h"

namespace crv::cli {

// "crv: <message>", or {"error": {"code", "class", "message", and each fact there is}}; with what stands in
// spite of it.
void tell_error(const Error& error, const Shell& shell);
// What was committed before an error, for people.
void tell_what_stands(const Shell& shell);
void tell_usage_error(const std::string& message, const std::string& command, bool json);

}  // namespace crv::cli
