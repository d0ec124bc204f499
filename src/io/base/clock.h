// Times as crv writes them.
#pragma once

#include <cstdint>
#include <string>

namespace crv::io {

std::int64_t system_now_us();  // microseconds since 1970, UTC
// "2026-11-22T20:34:32.321421+00:00", no fraction where it is 0.
std::string iso_time(std::int64_t microseconds);

}  // namespace crv::io
