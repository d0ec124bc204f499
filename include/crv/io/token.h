// The name of an append.
#pragma once

#include <cstdint>
#include <string>

namespace crv::io {

// Names an append for good: the same (writer, number) again is a no-op that returns the first summary.
struct Token {
  std::string writer;       // not empty, no control characters, at most 200 bytes
  std::int64_t number = 0;  // a writer's numbers only rise

  bool operator==(const Token&) const = default;
};

}  // namespace crv::io
