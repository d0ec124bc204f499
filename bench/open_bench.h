#pragma once

#include "crv/io/settings.h"

namespace crv::bench {

// What it costs to open the run `many` of extend_history(), of 10,000 commits and parts, and to plan a scan.
void bench_open(const io::IoSettings& settings);

}  // namespace crv::bench
