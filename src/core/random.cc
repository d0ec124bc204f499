#include "core/random.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <random>

#include "crv/core/error.h"

namespace crv::core {

// Of the system's source, not of a generator: a child of a fork would go on with its parent's numbers.
void fill_random(std::span<unsigned char> bytes) {
  try {
    std::random_device source;
    while (!bytes.empty()) {
      const unsigned int some = source();
      const std::size_t size = std::min(bytes.size(), sizeof some);
      std::memcpy(bytes.data(), &some, size);
      bytes = bytes.subspan(size);
    }
  } catch (const std::exception& e) {
    raise(ErrorCode::read_failed,
          std::string("The system's random source cannot be read, so no id can be made: ") + e.what());
  }
}

}  // namespace crv::core
