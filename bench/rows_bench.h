#pragma once

#include <cstdint>

#include "crv/io/settings.h"

namespace crv::bench {

// Prints what validate_rows adds to an append of `rows` rows, and what 50 shapes of a struct add to a scan.
void bench_rows(const io::IoSettings& settings, std::int64_t rows);

}  // namespace crv::bench
