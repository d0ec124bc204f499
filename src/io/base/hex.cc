#include "io/base/hex.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/text.h"

namespace crv::io {
namespace {

// The four bytes of eight hex digits in lower case, all at once: `text` holds one in each of its bytes. False
// where there is anything else.
bool unpack_eight(const char* text, std::uint32_t* number) {
  constexpr std::uint64_t each = 0x0101010101010101U;
  std::uint64_t digits = 0;
  std::memcpy(&digits, text, sizeof digits);
  if constexpr (std::endian::native == std::endian::little) digits = __builtin_bswap64(digits);
  const std::uint64_t letters = digits >> 6 & each;  // 1 in each byte that can be a letter
  std::uint64_t values = (digits & 0x0f * each) + 9 * letters;
  const bool in_range = ((values + 6 * each) >> 4 & each) == letters && (values & 0xf0 * each) == 0;
  const bool as_written = digits == values + 0x30 * each + 0x27 * letters;
  values = (values | values >> 4) & 0x00ff00ff00ff00ffU;
  values = (values | values >> 8) & 0x0000ffff0000ffffU;
  *number = static_cast<std::uint32_t>(values | values >> 16);
  return in_range && as_written;
}

}  // namespace

void append_hex(std::uint64_t number, std::string& text) {
  core::append_hex(number, 16, text);
}

std::string hex_text(std::uint64_t number) {
  std::string text;
  text.reserve(16);
  append_hex(number, text);
  return text;
}

bool parse_hex(std::string_view text, std::uint64_t* number) {
  std::uint32_t high = 0, low = 0;
  if (text.size() != 16 || !unpack_eight(text.data(), &high) || !unpack_eight(text.data() + 8, &low))
    return false;
  *number = std::uint64_t{high} << 32 | low;
  return true;
}

bool is_hex_id(std::string_view text) {
  return text.size() == kIdDigits &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace crv::io
