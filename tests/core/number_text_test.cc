#include "core/number_text.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace crv::core {
namespace {

Decimal decimal(const std::string& text) {
  const auto parsed = parse_decimal(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(Decimal());
}

double read(const std::string& text) {
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  EXPECT_TRUE(result.ec == std::errc() && result.ptr == text.data() + text.size()) << text;
  return value;
}

TEST(NumberText, AWholeFloatIsAnInteger) {
  EXPECT_EQ(text_of_float(1.0), "1");
  EXPECT_EQ(text_of_float(-0.0), "0");
  EXPECT_EQ(text_of_float(-17), "-17");
  EXPECT_EQ(text_of_float(9007199254740991), "9007199254740991");
  EXPECT_EQ(text_of_float(9007199254740992), "9007199254740992");
  EXPECT_EQ(text_of_float(1e16), "10000000000000000");
  EXPECT_EQ(text_of_float(-1e20), "-100000000000000000000");
  EXPECT_EQ(text_of_float(1e21), "1e+21");
}

TEST(NumberText, AnyOtherFloatIsTheShortestDecimalOfItsWidth) {
  EXPECT_EQ(text_of_float(0.1), "0.1");
  EXPECT_EQ(text_of_float(-2.5), "-2.5");
  EXPECT_EQ(text_of_float(1e-7), "1e-07");
  EXPECT_EQ(text_of_float(5e-324), "5e-324");
  EXPECT_EQ(text_of_float(double{0.1F}), "0.10000000149011612");
  EXPECT_EQ(text_of_float(double{0.1F}, 32), "0.1");
  EXPECT_EQ(text_of_float(double{3.4e38F}, 32), "3.4e+38");
  EXPECT_EQ(text_of_float(0.0999755859375, 16), "0.1");
  EXPECT_EQ(text_of_float(5.960464477539063e-08, 16), "6e-08");  // the smallest half
  EXPECT_EQ(text_of_float(65504, 16), "65504");
  EXPECT_EQ(shortest_as_double(double{0.1F}, 32), 0.1);
  EXPECT_EQ(shortest_as_double(0.1, 64), 0.1);
}

// Every finite float reads back; what reads back is as short as it can be.
TEST(NumberText, EveryFloatReadsBack) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20'000; ++i) {
    const double wide = std::bit_cast<double>(random());
    if (std::isfinite(wide)) {
      EXPECT_EQ(read(text_of_float(wide)), wide);
    }
    const auto narrow = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (std::isfinite(narrow)) {
      EXPECT_EQ(static_cast<float>(read(text_of_float(narrow, 32))), narrow);
    }
  }
  // All positive halves: neighbors differ, so each text must lie nearer to its own than to any other.
  std::string before;
  for (int exponent = 0; exponent < 31; ++exponent) {
    for (int mantissa = 0; mantissa < 1024; ++mantissa) {
      const double value =
          exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
      const double step = std::ldexp(1.0, std::max(exponent, 1) - 25);
      const std::string text = text_of_float(value, 16);
      EXPECT_NE(text, before);
      EXPECT_LE(std::abs(read(text) - value), step / 2) << text;
      before = text;
    }
  }
}

TEST(NumberText, DecimalsAreReadAsTheyStand) {
  EXPECT_EQ(decimal("1.500"), (Decimal{false, "15", -1}));
  EXPECT_EQ(decimal("-0012E+3"), (Decimal{true, "12", 3}));
  EXPECT_EQ(decimal("+.5"), (Decimal{false, "5", -1}));
  EXPECT_EQ(decimal("0E+5"), (Decimal{false, "", 0}));
  EXPECT_EQ(decimal("100"), decimal("1e2"));
  EXPECT_EQ(decimal("1e-99999999999999999999").exponent, decimal("1e-88888888888888888888").exponent);
  for (const auto* text :
       {"", "-", ".", "e5", "1e", "1e+", "1 ", " 1", "0x10", "1_0", "NaN", "1,5", "1.2.3", "+-1"})
    EXPECT_FALSE(parse_decimal(text)) << text;
}

TEST(NumberText, ADecimalFitsI64WhereItIsThatInteger) {
  EXPECT_EQ(to_i64(decimal("9007199254740993")), 9007199254740993);
  EXPECT_EQ(to_i64(decimal("1E+2")), 100);
  EXPECT_EQ(to_i64(decimal("-9223372036854775808.00")), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(to_i64(decimal("9223372036854775807")), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(to_i64(decimal("0E+999999")), 0);
  for (const auto* text :
       {"9223372036854775808", "-9223372036854775809", "1.5", "1E-1", "1E+19", "1E+9999999999999999999"})
    EXPECT_FALSE(to_i64(decimal(text))) << text;
}

TEST(NumberText, ADecimalFitsF64WhereADoubleIsItOrHasItAsItsShortestDecimal) {
  EXPECT_EQ(to_f64(decimal("0.1")), 0.1);
  EXPECT_EQ(to_f64(decimal("0.10")), 0.1);
  EXPECT_EQ(to_f64(decimal("0.1000000000000000055511151231257827021181583404541015625")), 0.1);
  EXPECT_EQ(to_f64(decimal("1152921504606846976")), 1152921504606846976.0);  // 2^60, and how it is written
  EXPECT_EQ(to_f64(decimal("1152921504606847000")), 1152921504606846976.0);
  EXPECT_EQ(to_f64(decimal("5E-324")), 5e-324);
  EXPECT_EQ(to_f64(decimal("1.7976931348623157E+308")), std::numeric_limits<double>::max());
  EXPECT_TRUE(std::signbit(*to_f64(decimal("-0.0"))));
  for (const auto* text : {"0.12345678901234567890", "9007199254740993", "123456789012345678.12", "1E-400",
                           "1E+400", "0.1000000000000000055511151231257827", "1152921504606846977", "3E-324"})
    EXPECT_FALSE(to_f64(decimal(text))) << text;
}

TEST(NumberText, TextOfADecimalIsItsValue) {
  const std::vector<std::pair<std::string, std::string>> texts = {
      {"1.00", "1"},          {"0.50", "0.5"},
      {"-12.345", "-12.345"}, {"1E+2", "100"},
      {"0E-7", "0"},          {"-0", "0"},
      {"0.0001", "0.0001"},   {"0.00001", "1e-05"},
      {"1.5E-7", "1.5e-07"},  {"1E+30", "1000000000000000000000000000000"}};
  for (const auto& [given, text] : texts) EXPECT_EQ(to_text(decimal(given)), text) << given;
  EXPECT_FALSE(to_text(decimal("1E+1000")));
  EXPECT_FALSE(to_text(decimal("1E-1001")));
  EXPECT_FALSE(to_text(decimal("1E+9999999999999999999")));
}

// One number has one text, whether a float or a decimal brings it.
TEST(NumberText, FloatsAndDecimalsAgree) {
  for (const double value :
       {0.0, 1.0, -1.0, 0.1, 123.456, 1e-4, 1e-5, 2.5e-10, 9007199254740992.0, 1e16, 1e20})
    EXPECT_EQ(to_text(decimal(text_of_float(value))), text_of_float(value));
}

}  // namespace
}  // namespace crv::core
