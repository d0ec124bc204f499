#include "io/base/clock.h"

#include <chrono>
#include <cstdio>
#include <ctime>

namespace crv::io {

std::int64_t system_now_us() {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

std::string iso_time(std::int64_t microseconds) {
  std::time_t seconds = microseconds / 1'000'000;
  std::int64_t fraction = microseconds % 1'000'000;
  if (fraction < 0) {
    fraction += 1'000'000;
    --seconds;
  }
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[64];
  std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  if (fraction != 0)
    length += static_cast<std::size_t>(
        std::snprintf(text + length, sizeof text - length, ".%06lld", static_cast<long long>(fraction)));
  return std::string(text, length) + "+00:00";
}

}  // namespace crv::io
