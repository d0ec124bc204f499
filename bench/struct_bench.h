#pragma once

#include <cstdint>

namespace crv::bench {

// Prints what it takes to make a frame of `rows` structs, beside Arrow's builders in a loop written by hand.
void bench_structs(std::int64_t rows);

}  // namespace crv::bench
