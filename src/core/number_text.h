// Numbers as text and decimals as numbers: the rules for values, the same on every way in.
//
// Text of a number. It depends on the value alone: 1, 1.0 and decimal 1.00 are all "1". A whole number has
// neither point nor exponent; a float of 1e21 or more is written as Python writes it. Any other float is the
// shortest decimal that reads back as the same float of its width, as Python writes it ("0.1", "1e-07"); any
// other decimal is its digits, without zeros at the end. NaN has no text: it is a missing value. Nor has an
// infinity: it is refused.
//
// A decimal as a number. It fits i64 where it is exactly that integer. It fits f64 where the nearest double
// is that very number, or has it as its shortest decimal.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "crv/core/json.h"

namespace crv::core {

// Integers up to it, of either sign, are exact in a double.
inline constexpr std::int64_t kExactInF64 = std::int64_t{1} << 53;

// The whole of `text` as std::from_chars reads a number, which takes no plus sign and no blank; nothing where
// it is something else, or does not fit.
template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end ? std::optional(number) : std::nullopt;
}

// The integer that a double is, as far as it is exact; nothing where there is none.
std::optional<std::int64_t> whole_number(double value);
// The same of a number in JSON; nothing of any other value.
std::optional<std::int64_t> whole_number(const Json& value);

// digits * 10^exponent. No zero at either end of the digits; none at all where the number is 0.
struct Decimal {
  bool negative = false;
  std::string digits;
  std::int64_t exponent = 0;

  bool operator==(const Decimal&) const = default;
};

// [+-]digits, with a point and an exponent where there are such; nothing for any other text.
std::optional<Decimal> parse_decimal(std::string_view text);

bool is_whole(const Decimal& number);
std::optional<std::int64_t> to_i64(const Decimal& number);
std::optional<double> to_f64(const Decimal& number);
// Nothing where it would have more than kMaxDecimalText characters.
std::optional<std::string> to_text(const Decimal& number);
inline constexpr std::size_t kMaxDecimalText = 1000;

// Only of finite numbers. `bits`: width of the float that the value came from, 16, 32 or 64.
std::string text_of_float(double value, int bits = 64);
// The double that has the same shortest decimal as a float of that width: 0.1 for the float 0.1f.
double shortest_as_double(double value, int bits);

}  // namespace crv::core
