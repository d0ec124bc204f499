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

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace crv::core {

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
