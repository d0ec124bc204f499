// Defaults of the on-disk layout. What a run really uses stands in its run.json and settings.
#pragma once

#include <cstdint>
#include <string_view>

namespace crv::core {

inline constexpr std::int64_t tick_bucket_size = 100;   // ticks a bucket
inline constexpr std::int64_t row_group_size = 131072;  // rows a Parquet row group
inline constexpr std::string_view compression = "zstd";

}  // namespace crv::core
