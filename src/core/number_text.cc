#include "core/number_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "crv/core/json.h"

namespace crv::core {

namespace {

constexpr auto kExactIntegers = static_cast<double>(kExactInF64);
constexpr double kPlainBelow = 1e21;

std::string_view take_digits(std::string_view& text) {
  const auto end = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string_view digits = text.substr(0, end);
  text.remove_prefix(end);
  return digits;
}

// The exponent of a text, held to a range in which it can be added to.
std::optional<std::int64_t> parse_exponent(std::string_view text) {
  constexpr std::int64_t kLimit = std::numeric_limits<std::int64_t>::max() / 4;
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const std::string_view digits = take_digits(text);
  if (digits.empty() || !text.empty()) return std::nullopt;
  std::int64_t value = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (parsed.ec != std::errc() || value > kLimit) value = kLimit;
  return negative ? -value : value;
}

std::string scientific(double value, int digits_after_point) {
  std::array<char, 1100> buffer;
  const auto written = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                     std::chars_format::scientific, digits_after_point);
  return {buffer.data(), written.ptr};
}

template <class Float>
std::string shortest(Float value) {
  std::array<char, 64> buffer;
  const auto written =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
  return {buffer.data(), written.ptr};
}

// The float of 16 bits that is nearest.
double as_half(double value) {
  constexpr int kMinExponent = -14, kDigits = 10;
  if (value == 0) return value;
  const double step = std::ldexp(1.0, std::max(std::ilogb(value), kMinExponent) - kDigits);
  return std::nearbyint(value / step) * step;
}

// to_chars knows no floats of 16 bits. Five digits tell any two of them apart.
std::string shortest_half(double value) {
  for (int digits = 0; digits < 4; ++digits) {
    std::string text = scientific(value, digits);
    double read = 0;
    std::from_chars(text.data(), text.data() + text.size(), read);
    if (as_half(read) == value) return text;
  }
  return scientific(value, 4);
}

std::string shortest_of(double value, int bits) {
  if (bits == 16) return shortest_half(value);
  return bits == 32 ? shortest(static_cast<float>(value)) : shortest(value);
}

// All digits of a double: it has at most 767.
Decimal exactly(double value) {
  return *parse_decimal(scientific(value, 767));
}

}  // namespace

std::optional<std::int64_t> whole_number(double value) {
  if (std::trunc(value) != value || std::abs(value) > kExactIntegers) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

std::optional<std::int64_t> whole_number(const Json& value) {
  if (const auto* number = value.get_if<std::int64_t>()) return *number;
  if (const auto* number = value.get_if<double>()) return whole_number(*number);
  return std::nullopt;
}

std::optional<Decimal> parse_decimal(std::string_view text) {
  Decimal number;
  number.negative = text.starts_with('-');
  if (number.negative || text.starts_with('+')) text.remove_prefix(1);
  number.digits = take_digits(text);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    const std::string_view fraction = take_digits(text);
    number.digits += fraction;
    number.exponent = -static_cast<std::int64_t>(fraction.size());
  }
  if (number.digits.empty()) return std::nullopt;
  if (text.starts_with('e') || text.starts_with('E')) {
    const auto exponent = parse_exponent(text.substr(1));
    if (!exponent) return std::nullopt;
    number.exponent += *exponent;
  } else if (!text.empty()) {
    return std::nullopt;
  }
  number.digits.erase(0, number.digits.find_first_not_of('0'));
  const auto last = number.digits.find_last_not_of('0');
  const std::size_t kept = last == std::string::npos ? 0 : last + 1;
  number.exponent = kept == 0 ? 0 : number.exponent + static_cast<std::int64_t>(number.digits.size() - kept);
  number.digits.resize(kept);
  return number;
}

bool is_whole(const Decimal& number) {
  return number.exponent >= 0;
}

std::optional<std::int64_t> to_i64(const Decimal& number) {
  constexpr std::int64_t kMostDigits = std::numeric_limits<std::int64_t>::digits10 + 1;
  if (!is_whole(number) || static_cast<std::int64_t>(number.digits.size()) + number.exponent > kMostDigits)
    return std::nullopt;
  const std::string text = (number.negative ? "-" : "") + (number.digits.empty() ? "0" : number.digits) +
                           std::string(static_cast<std::size_t>(number.exponent), '0');
  return parse_number<std::int64_t>(text);
}

std::optional<double> to_f64(const Decimal& number) {
  if (number.digits.empty()) return number.negative ? -0.0 : 0.0;
  const std::string text =
      (number.negative ? "-" : "") + number.digits + "e" + std::to_string(number.exponent);
  const auto value = parse_number<double>(text);
  if (!value || !std::isfinite(*value)) return std::nullopt;
  const bool same = parse_decimal(shortest(*value)) == number || exactly(*value) == number;
  return same ? value : std::nullopt;
}

std::optional<std::string> to_text(const Decimal& number) {
  if (number.digits.empty()) return "0";
  const auto size = static_cast<std::int64_t>(number.digits.size());
  constexpr auto kMost = static_cast<std::int64_t>(kMaxDecimalText);
  if (size > kMost || number.exponent > kMost - size || number.exponent < -kMost) return std::nullopt;
  const std::string sign = number.negative ? "-" : "";
  if (number.exponent >= 0)
    return sign + number.digits + std::string(static_cast<std::size_t>(number.exponent), '0');
  const std::int64_t whole = size + number.exponent;  // digits before the point
  if (whole > 0) {
    const auto at = static_cast<std::size_t>(whole);
    return sign + number.digits.substr(0, at) + "." + number.digits.substr(at);
  }
  if (whole > -4) return sign + "0." + std::string(static_cast<std::size_t>(-whole), '0') + number.digits;
  const std::string exponent = std::to_string(1 - whole);  // as Python writes small floats
  return sign + number.digits.substr(0, 1) + (size > 1 ? "." + number.digits.substr(1) : "") + "e-" +
         (exponent.size() < 2 ? "0" : "") + exponent;
}

std::string text_of_float(double value, int bits) {
  if (std::trunc(value) == value && std::abs(value) <= kExactIntegers)
    return std::to_string(static_cast<std::int64_t>(value));
  const double same = shortest_as_double(value, bits);
  if (std::trunc(value) != value || std::abs(value) >= kPlainBelow) return format_double(same);
  return *to_text(*parse_decimal(shortest(same)));
}

double shortest_as_double(double value, int bits) {
  if (bits == 64) return value;
  const std::string text = shortest_of(value, bits);
  double same = 0;
  std::from_chars(text.data(), text.data() + text.size(), same);
  return same;
}

}  // namespace crv::core
