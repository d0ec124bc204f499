// Small words that several commands use.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace crv::cli {

// "0..99", "-" where there are none.
inline std::string ticks_text(const std::optional<std::int64_t>& min,
                              const std::optional<std::int64_t>& max) {
  return min && max ? std::to_string(*min) + ".." + std::to_string(*max) : "-";
}

// "950", "12,345".
std::string with_commas(std::int64_t number);
// "512 B", "1.5 KiB", "20.0 MiB".
std::string bytes_text(std::int64_t bytes);
// "1 row", "2,000 rows"
std::string count_of(std::int64_t count, const std::string& one, const std::string& many);

}  // namespace crv::cli
