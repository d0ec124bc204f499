// Numbers from text and JSON.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "core/text.h"
#include "crv/core/json.h"

namespace crv::core {

// What stands between the blanks at the ends of `text`, without a leading plus and without the single
// underscores that stand between two digits: "1_000" is 1000.
inline std::string bare_number(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  text = trim(text);
  if (text.starts_with('+') && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  std::string bare;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool between = i > 0 && i + 1 < text.size() && is_digit(text[i - 1]) && is_digit(text[i + 1]);
    if (text[i] != '_' || !between) bare += text[i];
  }
  return bare;
}

// All of `given`, as bare_number() has it; "nan", "inf" and "infinity" in any case too. Nothing where it is
// no number.
inline std::optional<double> read_double(std::string_view given) {
  const std::string text = bare_number(given);
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return std::nullopt;
  if (text.back() == ')') return std::nullopt;  // a NaN with a payload, "nan(1)"
  return value;
}

// Decimal digits with an optional sign, as bare_number() has them, and perhaps a fraction of zeros. Nothing
// where it is no such text or beyond 64 bits.
inline std::optional<std::int64_t> read_integer(std::string_view given) {
  const std::string bare = bare_number(given);
  const std::string_view text = bare;
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (result.ec != std::errc()) return std::nullopt;
  const std::string_view rest = text.substr(static_cast<std::size_t>(result.ptr - text.data()));
  if (rest.empty()) return value;
  const bool zeros = rest.size() > 1 && rest.front() == '.' && rest.find_first_not_of('0', 1) == rest.npos;
  return zeros ? std::optional(value) : std::nullopt;
}

// Any number, a bool as 0 or 1, or numeric text.
inline std::optional<double> number_of(const Json& json) {
  if (const auto* number = json.get_if<double>()) return *number;
  if (const auto* integer = json.get_if<std::int64_t>()) return static_cast<double>(*integer);
  if (const auto* big = json.get_if<BigInt>()) return std::strtod(big->digits.c_str(), nullptr);
  if (const auto* flag = json.get_if<bool>()) return *flag ? 1.0 : 0.0;
  if (const auto* text = json.get_if<std::string>()) return read_double(*text);
  return std::nullopt;
}

}  // namespace crv::core
