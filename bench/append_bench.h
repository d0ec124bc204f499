#pragma once

#include <cstdint>
#include <string>

#include "crv/io/settings.h"

namespace crv::bench {

// Prints what an append costs in a short and in a long run. The run "many" of 10,000 parts must be there.
void bench_append(const io::IoSettings& settings, const std::string& program);

// One append in a process of its own; prints the milliseconds it took.
void append_once(const std::string& root, const std::string& run, std::int64_t tick);

}  // namespace crv::bench
