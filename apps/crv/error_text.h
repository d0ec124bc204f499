// Errors on standard error, for people or as JSON.
#pragma once

#include <string>

#include "crv/core/error.h"

namespace crv::cli {

// "crv: <message>", or {"error": {"code", "class", "message", and each fact there is}}.
void tell_error(const Error& error, bool json);
void tell_usage_error(const std::string& message, const std::string& command, bool json);

}  // namespace crv::cli
