// Words over ASCII text that several parts of the core need.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace crv::core {

inline std::string fold_case(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

inline std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks = " \t\n\r\f\v";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// The lowest `digits` hex digits of a number, in lower case.
inline void append_hex(std::uint64_t number, int digits, std::string& out) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) out += "0123456789abcdef"[number >> shift & 15];
}
// Two hex digits a byte.
template <class Bytes>
std::string to_hex(const Bytes& bytes) {
  std::string out;
  for (const unsigned char byte : bytes) append_hex(byte, 2, out);
  return out;
}

// "a, b, c"
template <class Texts>
std::string join(const Texts& texts, std::string_view separator = ", ") {
  std::string out;
  bool first = true;
  for (const auto& text : texts) {
    if (!first) out += separator;
    out += text;
    first = false;
  }
  return out;
}

}  // namespace crv::core
