#include "io/cast.h"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/buffer.h>
#include <arrow/type_traits.h>
#include <arrow/util/float16.h>

#include "crv/core/json.h"
#include "io/arrow_types.h"
#include "io/gather.h"
#include "io/text_array.h"

namespace crv::io {

namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

constexpr const char* kTooLargeForF64 =
    "this integer is beyond +-2^53 and would lose digits as a floating-point number";

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
  for (const char c : text) {
    if (!is_digit(c)) return false;
  }
  return true;
}

std::optional<std::int64_t> parse_i64(std::string_view text) {
  if (!is_integer_text(text)) return std::nullopt;
  text = without_plus(text);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// A sign, digits with an optional point, an optional exponent: no space, no "nan", no "inf", no hexadecimal
// digits.
std::optional<double> parse_f64(std::string_view text) {
  if (is_integer_text(text)) {
    const auto integer = parse_i64(text);
    if (!integer || *integer > kExactInF64 || *integer < -kExactInF64) return std::nullopt;
  }
  text = without_plus(text);
  const std::string_view unsigned_text = text.starts_with('-') ? text.substr(1) : text;
  if (unsigned_text.empty() || !(is_digit(unsigned_text[0]) || unsigned_text[0] == '.')) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <class To, class Parse>
ArrayPtr parse_text(const arrow::Array& source, const Place& place, std::size_t chunk, const char* why,
                    const Parse& parse) {
  using Out = typename To::c_type;
  std::shared_ptr<arrow::Buffer> buffer =
      check(arrow::AllocateBuffer(source.length() * std::int64_t{sizeof(Out)}), ErrorCode::wrong_type,
            place.facts());
  auto* out = reinterpret_cast<Out*>(buffer->mutable_data());
  with_text(source, [&](const auto& texts) {
    for (std::int64_t i = 0; i < texts.length(); ++i) {
      out[i] = Out{};
      if (texts.IsNull(i)) continue;
      const auto value = parse(texts.GetView(i));
      if (!value) place.refuse_at(ErrorCode::lossy_cast, source, chunk, i, why);
      out[i] = value.value_or(Out{});
    }
  });
  return make_array<To>(source, std::move(buffer));
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
    constexpr auto kBound = static_cast<double>(kExactInF64);
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
    if constexpr (sizeof(T) == sizeof(std::int64_t)) fits = std::cmp_less_equal(value, kExactInF64);
    if constexpr (std::is_same_v<T, std::int64_t>) fits &= value >= -kExactInF64;
    return {static_cast<double>(value), fits};
  }
  Result operator()(bool value) const { return {value ? 1.0 : 0.0, true}; }
};

std::string text_of_number(bool value) {
  return value ? "true" : "false";
}
std::string text_of_number(std::floating_point auto value) {
  return format_double(static_cast<double>(value));
}
std::string text_of_number(std::integral auto value) {
  return std::to_string(value);
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
  const bool numeric = with_numbers(*values, [&](const auto& read) {
    result = convert<arrow::Int64Type>(*values, place, chunk, why, read, IntoI64());
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
  const bool numeric = with_numbers(*values, [&](const auto& read) {
    result = convert<arrow::DoubleType>(*values, place, chunk, kTooLargeForF64, read, IntoF64());
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
  const bool numeric = with_numbers(*values, [&](const auto& read) {
    for (std::int64_t i = 0; i < values->length(); ++i) {
      ok(values->IsNull(i) ? builder.AppendNull() : builder.Append(text_of_number(read(i))));
    }
  });
  if (!numeric) refuse_type(*values, place, "text");
  return check(builder.Finish(), ErrorCode::wrong_type, place.facts());
}

bool is_text(const arrow::DataType& type) {
  return type.id() == arrow::Type::STRING || type.id() == arrow::Type::LARGE_STRING ||
         type.id() == arrow::Type::STRING_VIEW;
}

ArrayPtr decode(const ArrayPtr& values) {
  ArrayPtr plain = values;
  while (plain->type_id() == arrow::Type::DICTIONARY) {  // a dictionary's values may be a dictionary again
    const auto& encoded = static_cast<const arrow::DictionaryArray&>(*plain);
    plain = gather(encoded.dictionary(), encoded.indices());
  }
  return plain;
}

namespace {

template <class Builder>
ArrayPtr copy_views(const arrow::BinaryViewArray& views) {
  Builder builder;
  std::int64_t bytes = 0;
  for (std::int64_t i = 0; i < views.length(); ++i) {
    if (!views.IsNull(i)) bytes += static_cast<std::int64_t>(views.GetView(i).size());
  }
  check(builder.Reserve(views.length()), ErrorCode::wrong_type);
  check(builder.ReserveData(bytes), ErrorCode::wrong_type);
  for (std::int64_t i = 0; i < views.length(); ++i) {
    if (views.IsNull(i)) {
      builder.UnsafeAppendNull();
    } else {
      builder.UnsafeAppend(views.GetView(i));
    }
  }
  return check(builder.Finish(), ErrorCode::wrong_type);
}

}  // namespace

ArrayPtr without_views(const ArrayPtr& values) {
  if (values->type_id() == arrow::Type::STRING_VIEW) {
    return copy_views<arrow::LargeStringBuilder>(static_cast<const arrow::BinaryViewArray&>(*values));
  }
  if (values->type_id() == arrow::Type::BINARY_VIEW) {
    return copy_views<arrow::LargeBinaryBuilder>(static_cast<const arrow::BinaryViewArray&>(*values));
  }
  return values;
}

bool holds_exact(const arrow::Array& values) {
  const auto* data = values.data()->GetValues<std::int64_t>(1);
  const auto beyond = [](std::int64_t value) { return value > kExactInF64 || value < -kExactInF64; };
  bool any = false;
  for (std::int64_t i = 0; i < values.length(); ++i) any |= beyond(data[i]);
  for (std::int64_t i = 0; any && i < values.length(); ++i) {
    if (beyond(data[i]) && !values.IsNull(i)) return true;
  }
  return false;
}

}  // namespace crv::io
