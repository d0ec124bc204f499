// Ids. All are texts; the names only say which.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace crv::core {

using RunId = std::string;
using AgentId = std::string;
using TokenId = std::string;
using VenueId = std::string;
using SignatureId = std::string;
using GroupId = std::string;
using RoomId = std::string;
using Tick = std::int64_t;

// "<prefix>_" and 20 lower-case hex digits (80 bits) from the system's secure random source: never the same
// twice. Throws SchemaError (bad_identifier) where the prefix is not lower_snake.
RunId make_run_id(std::string_view prefix = "run");

}  // namespace crv::core
