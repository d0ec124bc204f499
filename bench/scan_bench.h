#pragma once

#include "crv/io/settings.h"

namespace crv::bench {

// Prints what reading one tick in a hundred costs in a long run and in one that has nothing else. The run
// "many" of 10,000 parts must be there.
void bench_scan(const io::IoSettings& settings);

}  // namespace crv::bench
