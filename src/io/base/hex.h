// Numbers and ids as lower-case hex digits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace crv::io {

// 16 digits.
void append_hex(std::uint64_t number, std::string& text);
std::string hex_text(std::uint64_t number);
// The other way: false where `text` is not 16 lower-case digits.
bool parse_hex(std::string_view text, std::uint64_t* number);

inline constexpr std::size_t kIdDigits = 32;
bool is_hex_id(std::string_view text);  // 32 lower-case hex digits

}  // namespace crv::io
