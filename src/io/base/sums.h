// Sums of counts and sizes that came from disk, and so may be anything up to the largest number. None of them
// is negative.
#pragma once

#include <cstdint>
#include <optional>

namespace crv::io {

// Nothing where the sum is beyond 64 bits: then a number in it is damaged.
inline std::optional<std::int64_t> sum_if_fits(std::int64_t a, std::int64_t b) {
  return a > INT64_MAX - b ? std::nullopt : std::optional(a + b);
}

// For what only compares or shows the sum: the largest number stands for all beyond it.
inline std::int64_t capped_sum(std::int64_t a, std::int64_t b) {
  return sum_if_fits(a, b).value_or(INT64_MAX);
}

}  // namespace crv::io
