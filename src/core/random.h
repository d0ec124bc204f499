// Random bytes from the system.
#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace crv::core {

// Also after a fork no two calls give the same. Throws IoReadError (read_failed) where the system gives none.
void fill_random(std::span<unsigned char> bytes);

template <std::size_t size>
std::array<unsigned char, size> random_bytes() {
  std::array<unsigned char, size> bytes;
  fill_random(bytes);
  return bytes;
}

}  // namespace crv::core
