#include "io/conform/cast.h"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/array_decimal.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_decimal.h>
#include <arrow/buffer.h>
#include <arrow/type_traits.h>
#include <arrow/util/decimal.h>
#include <arrow/util/float16.h>

#include "core/number_text.h"
#include "crv/io/json_rows.h"
#include "io/arrow/arrow_types.h"
#include "io/arrow/gather.h"
#include "io/arrow/text_array.h"

namespace crv::io {

namespace {

using core::Decimal;
using core::parse_decimal;
using ArrayPtr = std::shared_ptr<arrow::Array>;

constexpr const char* kTooLargeForF64 =
    "this integer is beyond +-2^53 and would lose digits as a floating-point number";
constexpr const char* kNoText = "this number is infinite or too long, so it has no text";
constexpr const char* kDecimalNotF64 = "no double is this decimal or has it as its shortest decimal";

// The type as a person calls it.
[[noreturn]] void refuse_type(const arrow::Array& values, const Place& place, const char* target) {
  place.fail(ErrorCode::wrong_type,
             "values of the type " + values.type()->ToString() + " cannot become " + target);
}

template <class To>
ArrayPtr make_array(const arrow::Array& source, std::shared_ptr<arrow::Buffer> values) {
  return arrow::MakeArray(arrow::ArrayData::Make(arrow::TypeTraits<To>::type_singleton(), source.length(),
                                                 {validity_of(source), std::move(values)}));
}

// `read(i)` gives value i, `cast` a pair of the result and whether nothing was lost. Values below nulls do
// not count.
template <class To, class Read, class Cast>
ArrayPtr convert(const arrow::Array& source, const Place& place, std::size_t chunk, const char* why,
                 const Read& read, const Cast& cast) {
  using Out = typename To::c_type;
  const std::int64_t length = source.length();
  std::shared_ptr<arrow::Buffer> buffer =
      check(arrow::AllocateBuffer(length * std::int64_t{sizeof(Out)}), ErrorCode::wrong_type, place.facts());
  auto* out = reinterpret_cast<Out*>(buffer->mutable_data());
  bool whole = true;
  for (std::int64_t i = 0; i < length; ++i) {
    const auto [value, fits] = cast(read(i));
    out[i] = value;
    whole &= fits;
  }
  for (std::int64_t i = 0; !whole && i < length; ++i) {
    if (source.IsNull(i) || cast(read(i)).second) continue;
    place.refuse_at(ErrorCode::lossy_cast, source, chunk, i, why);
    out[i] = Out{};
  }
  return make_array<To>(source, std::move(buffer));
}

// Calls `then` with a function that reads value i of a numeric or bool array; false for any other type.
template <class Then>
bool with_numbers(const arrow::Array& values, const Then& then) {
  const auto raw = [&]<class T>(const T* data) { then([data](std::int64_t i) { return data[i]; }); };
  const arrow::ArrayData& data = *values.data();
  switch (values.type_id()) {
    case arrow::Type::INT8:
      raw(data.GetValues<std::int8_t>(1));
      return true;
    case arrow::Type::INT16:
      raw(data.GetValues<std::int16_t>(1));
      return true;
    case arrow::Type::INT32:
      raw(data.GetValues<std::int32_t>(1));
      return true;
    case arrow::Type::INT64:
      raw(data.GetValues<std::int64_t>(1));
      return true;
    case arrow::Type::UINT8:
      raw(data.GetValues<std::uint8_t>(1));
      return true;
    case arrow::Type::UINT16:
      raw(data.GetValues<std::uint16_t>(1));
      return true;
    case arrow::Type::UINT32:
      raw(data.GetValues<std::uint32_t>(1));
      return true;
    case arrow::Type::UINT64:
      raw(data.GetValues<std::uint64_t>(1));
      return true;
    case arrow::Type::FLOAT:
      raw(data.GetValues<float>(1));
      return true;
    case arrow::Type::DOUBLE:
      raw(data.GetValues<double>(1));
      return true;
    case arrow::Type::HALF_FLOAT: {
      const auto* bits = data.GetValues<std::uint16_t>(1);
      then([bits](std::int64_t i) { return arrow::util::Float16::FromBits(bits[i]).ToFloat(); });
      return true;
    }
    case arrow::Type::BOOL: {
      const auto& bools = static_cast<const arrow::BooleanArray&>(values);
      then([&bools](std::int64_t i) { return bools.Value(i); });
      return true;
    }
    default:
      return false;
  }
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// What stands after an optional sign. from_chars takes no '+'.
std::string_view without_plus(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  return text;
}

// [+-]digits, nothing else.
bool is_integer_text(std::string_view text) {
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) text.remove_prefix(1);
  if (text.empty()) return false;
  for (const char c : text)
    if (!is_digit(c)) return false;
  return true;
}

std::optional<std::int64_t> parse_i64(std::string_view text) {
  if (!is_integer_text(text)) return std::nullopt;
  return core::parse_number<std::int64_t>(without_plus(text));
}

// A sign, digits with an optional point, an optional exponent: no space, no "nan", no "inf", no hexadecimal
// digits.
std::optional<double> parse_f64(std::string_view text) {
  if (is_integer_text(text)) {
    const auto integer = parse_i64(text);
    if (!integer || *integer > core::kExactInF64 || *integer < -core::kExactInF64) return std::nullopt;
  }
  text = without_plus(text);
  const std::string_view unsigned_text = text.starts_with('-') ? text.substr(1) : text;
  if (unsigned_text.empty() || !(is_digit(unsigned_text[0]) || unsigned_text[0] == '.')) return std::nullopt;
  return core::parse_number<double>(text);
}

// `parse(i)` gives value i, or nothing where it does not fit.
template <class To, class Parse>
ArrayPtr parse_each(const arrow::Array& source, const Place& place, std::size_t chunk, const char* why,
                    const Parse& parse) {
  using Out = typename To::c_type;
  std::shared_ptr<arrow::Buffer> buffer =
      check(arrow::AllocateBuffer(source.length() * std::int64_t{sizeof(Out)}), ErrorCode::wrong_type,
            place.facts());
  auto* out = reinterpret_cast<Out*>(buffer->mutable_data());
  for (std::int64_t i = 0; i < source.length(); ++i) {
    out[i] = Out{};
    if (source.IsNull(i)) continue;
    const auto value = parse(i);
    if (!value) place.refuse_at(ErrorCode::lossy_cast, source, chunk, i, why);
    out[i] = value.value_or(Out{});
  }
  return make_array<To>(source, std::move(buffer));
}

template <class To, class Parse>
ArrayPtr parse_text(const arrow::Array& source, const Place& place, std::size_t chunk, const char* why,
                    const Parse& parse) {
  ArrayPtr result;
  with_text(source, [&](const auto& texts) {
    result =
        parse_each<To>(source, place, chunk, why, [&](std::int64_t i) { return parse(texts.GetView(i)); });
  });
  return result;
}

struct IntoI64 {
  using Result = std::pair<std::int64_t, bool>;
  Result operator()(bool value) const { return {value ? 1 : 0, true}; }
  Result operator()(std::uint64_t value) const {
    return {static_cast<std::int64_t>(value), value <= INT64_MAX};
  }
  Result operator()(std::int64_t value) const { return {value, true}; }
  template <std::integral T>
  Result operator()(T value) const {
    return {static_cast<std::int64_t>(value), true};
  }
  Result operator()(double value) const {
    constexpr auto kBound = static_cast<double>(core::kExactInF64);
    const bool fits = value >= -kBound && value <= kBound && std::trunc(value) == value;
    return {fits ? static_cast<std::int64_t>(value) : 0, fits};
  }
  Result operator()(float value) const { return (*this)(static_cast<double>(value)); }
};

struct IntoF64 {
  using Result = std::pair<double, bool>;
  Result operator()(std::floating_point auto value) const { return {static_cast<double>(value), true}; }
  template <std::integral T>
  Result operator()(T value) const {
    bool fits = true;
    if constexpr (sizeof(T) == sizeof(std::int64_t)) fits = std::cmp_less_equal(value, core::kExactInF64);
    if constexpr (std::is_same_v<T, std::int64_t>) fits &= value >= -core::kExactInF64;
    return {static_cast<double>(value), fits};
  }
  Result operator()(bool value) const { return {value ? 1.0 : 0.0, true}; }
};

// Calls `then` with a function that reads value i of a decimal array; false for any other type.
template <class Then>
bool with_decimals(const arrow::Array& values, const Then& then) {
  const auto read = [&]<class Value, class Array>(const Array& array, const Value*) {
    const auto scale = static_cast<const arrow::DecimalType&>(*array.type()).scale();
    then([&array, scale](std::int64_t i) {
      return *parse_decimal(Value(array.GetValue(i)).ToIntegerString() + "e" + std::to_string(-scale));
    });
    return true;
  };
  switch (values.type_id()) {
    case arrow::Type::DECIMAL32:
      return read(static_cast<const arrow::Decimal32Array&>(values),
                  static_cast<const arrow::Decimal32*>(nullptr));
    case arrow::Type::DECIMAL64:
      return read(static_cast<const arrow::Decimal64Array&>(values),
                  static_cast<const arrow::Decimal64*>(nullptr));
    case arrow::Type::DECIMAL128:
      return read(static_cast<const arrow::Decimal128Array&>(values),
                  static_cast<const arrow::Decimal128*>(nullptr));
    case arrow::Type::DECIMAL256:
      return read(static_cast<const arrow::Decimal256Array&>(values),
                  static_cast<const arrow::Decimal256*>(nullptr));
    default:
      return false;
  }
}

// What stands at a place in a text column: null, a text, or, as nothing, a value that has none.
struct Text {
  bool null = false;
  std::optional<std::string> text;
};

Text text_of_number(bool value) {
  return {false, value ? "true" : "false"};
}
template <std::floating_point Float>
Text text_of_number(Float value, int bits = 8 * sizeof(Float)) {
  if (std::isnan(value)) return {true, {}};
  if (std::isinf(value)) return {};
  return {false, core::text_of_float(static_cast<double>(value), bits)};
}
Text text_of_number(std::integral auto value) {
  return {false, std::to_string(value)};
}
Text text_of_number(const Decimal& value) {
  return {false, core::to_text(value)};
}

}  // namespace

ArrayPtr cast_to_i64(const ArrayPtr& values, const Place& place, std::size_t chunk) {
  if (values->type_id() == arrow::Type::INT64) return values;
  if (values->type_id() == arrow::Type::DICTIONARY) return cast_to_i64(decode(values), place, chunk);
  if (is_text(*values->type())) {
    return parse_text<arrow::Int64Type>(*values, place, chunk, "this text is not a decimal 64-bit integer",
                                        parse_i64);
  }
  const char* why = values->type_id() == arrow::Type::UINT64
                        ? "this integer is beyond 2^63 - 1"
                        : "this number is not an integer within +-2^53, so it cannot become i64 without loss";
  ArrayPtr result;
  const bool numeric =
      with_numbers(*values,
                   [&](const auto& read) {
                     result = convert<arrow::Int64Type>(*values, place, chunk, why, read, IntoI64());
                   }) ||
      with_decimals(*values, [&](const auto& read) {
        result = parse_each<arrow::Int64Type>(*values, place, chunk, "this decimal is no integer of 64 bits",
                                              [&](std::int64_t i) { return core::to_i64(read(i)); });
      });
  if (!numeric) refuse_type(*values, place, "i64");
  return result;
}

ArrayPtr cast_to_f64(const ArrayPtr& values, const Place& place, std::size_t chunk) {
  if (values->type_id() == arrow::Type::DOUBLE) return values;
  if (values->type_id() == arrow::Type::DICTIONARY) return cast_to_f64(decode(values), place, chunk);
  if (is_text(*values->type())) {
    return parse_text<arrow::DoubleType>(*values, place, chunk,
                                         "this text is not a decimal number that a double holds", parse_f64);
  }
  ArrayPtr result;
  const bool numeric =
      with_numbers(*values,
                   [&](const auto& read) {
                     result =
                         convert<arrow::DoubleType>(*values, place, chunk, kTooLargeForF64, read, IntoF64());
                   }) ||
      with_decimals(*values, [&](const auto& read) {
        result = parse_each<arrow::DoubleType>(*values, place, chunk, kDecimalNotF64,
                                               [&](std::int64_t i) { return core::to_f64(read(i)); });
      });
  if (!numeric) refuse_type(*values, place, "f64");
  return result;
}

ArrayPtr cast_to_text(const ArrayPtr& values, const Place& place, std::size_t chunk) {
  if (is_text(*values->type())) return values;
  if (values->type_id() == arrow::Type::DICTIONARY) return cast_to_text(decode(values), place, chunk);
  arrow::StringBuilder builder;
  const auto ok = [&](const arrow::Status& status) { check(status, ErrorCode::wrong_type, place.facts()); };
  ok(builder.Reserve(values->length()));
  const bool half = values->type_id() == arrow::Type::HALF_FLOAT;
  const auto append = [&](const auto& read) {
    for (std::int64_t i = 0; i < values->length(); ++i) {
      Text found{true, {}};
      if (!values->IsNull(i)) {
        const auto value = read(i);
        if constexpr (std::is_same_v<decltype(value), const float>)
          found = text_of_number(value, half ? 16 : 32);
        else
          found = text_of_number(value);
      }
      if (!found.null && !found.text) {
        place.refuse_at(ErrorCode::lossy_cast, *values, chunk, i, kNoText);
        found.text = text_of(cell_to_json(*values, i));
      }
      ok(found.null ? builder.AppendNull() : builder.Append(*found.text));
    }
  };
  if (!with_numbers(*values, append) && !with_decimals(*values, append)) refuse_type(*values, place, "text");
  return check(builder.Finish(), ErrorCode::wrong_type, place.facts());
}

namespace {

// The digits of `number` * 10^scale, where that is an integer of up to `precision` digits.
std::optional<std::string> scaled(const Decimal& number, std::int32_t precision, std::int32_t scale) {
  const std::int64_t zeros = number.exponent + scale;
  const auto size = static_cast<std::int64_t>(number.digits.size());
  if (number.digits.empty()) return "0";
  if (zeros < 0 || zeros > precision - size) return std::nullopt;
  return (number.negative ? "-" : "") + number.digits + std::string(static_cast<std::size_t>(zeros), '0');
}

template <class Builder, class Value>
ArrayPtr build_decimals(const ArrayPtr& values, const std::shared_ptr<arrow::DataType>& type,
                        const Place& place, std::size_t chunk) {
  const auto& target = static_cast<const arrow::DecimalType&>(*type);
  Builder builder(type);
  const auto ok = [&](const arrow::Status& status) { check(status, ErrorCode::wrong_type, place.facts()); };
  const auto append = [&](const auto& read) {
    for (std::int64_t i = 0; i < values->length(); ++i) {
      std::optional<std::string> digits;
      if (!values->IsNull(i)) {
        const auto number = read(i);
        if constexpr (std::is_same_v<decltype(number), const Decimal>)
          digits = scaled(number, target.precision(), target.scale());
        else
          digits = scaled(*parse_decimal(std::to_string(number)), target.precision(), target.scale());
        if (!digits)
          place.refuse_at(ErrorCode::lossy_cast, *values, chunk, i, "this does not fit " + type->ToString());
      }
      ok(values->IsNull(i) ? builder.AppendNull() : builder.Append(*Value::FromString(digits.value_or("0"))));
    }
  };
  if (!with_numbers(*values, append) && !with_decimals(*values, append))
    refuse_type(*values, place, type->ToString().c_str());
  return check(builder.Finish(), ErrorCode::wrong_type, place.facts());
}

}  // namespace

ArrayPtr cast_to_decimal(const ArrayPtr& values, const std::shared_ptr<arrow::DataType>& type,
                         const Place& place, std::size_t chunk) {
  if (values->type()->Equals(*type)) return values;
  if (type->id() == arrow::Type::DECIMAL256)
    return build_decimals<arrow::Decimal256Builder, arrow::Decimal256>(values, type, place, chunk);
  return build_decimals<arrow::Decimal128Builder, arrow::Decimal128>(values, type, place, chunk);
}

bool fits_i64(const arrow::Array& decimals) {
  bool fits = true;
  with_decimals(decimals, [&](const auto& read) {
    for (std::int64_t i = 0; fits && i < decimals.length(); ++i)
      fits = decimals.IsNull(i) || core::to_i64(read(i)).has_value();
  });
  return fits;
}

bool holds_exact(const arrow::Array& values) {
  const auto* data = values.data()->GetValues<std::int64_t>(1);
  const auto beyond = [](std::int64_t value) {
    return value > core::kExactInF64 || value < -core::kExactInF64;
  };
  bool any = false;
  for (std::int64_t i = 0; i < values.length(); ++i) any |= beyond(data[i]);
  for (std::int64_t i = 0; any && i < values.length(); ++i)
    if (beyond(data[i]) && !values.IsNull(i)) return true;
  return false;
}

}  // namespace crv::io
