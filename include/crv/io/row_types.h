// Which member of a user's struct becomes a column of which type. What row.h is made of; not for use by itself.
#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <ratio>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "crv/core/descriptor.h"
#include "crv/core/types.h"
#include "crv/io/frame.h"

namespace crv::io {

// What CRV_ROW tells of a member.
template <class Struct, class Member>
struct RowField {
  std::string_view name;
  Member Struct::*member;
};
template <class Struct, class Member>
RowField(std::string_view, Member Struct::*) -> RowField<Struct, Member>;

// What CRV_ENUM tells of an enumerator.
template <class Enum>
struct EnumName {
  Enum value;
  std::string_view name;
};

// By this the function that CRV_ENUM makes is found in the namespace of the enum.
template <class T>
struct EnumTag {};

// An enum that CRV_ENUM describes.
template <class T>
concept IsRowEnum = std::is_enum_v<T> && requires { crv_enum_names(EnumTag<T>{}); };

namespace detail {

template <IsRow T>
inline constexpr auto kRowFields = crv_row_fields(RowTag<T>{});
template <IsRow T>
inline constexpr std::size_t kRowWidth = std::tuple_size_v<std::remove_cvref_t<decltype(kRowFields<T>)>>;

template <class Struct, class Member>
Member member_of(const RowField<Struct, Member>&);
// Type of the member number I.
template <IsRow T, std::size_t I>
using RowMember = std::remove_cv_t<decltype(member_of(std::get<I>(kRowFields<T>)))>;

// Calls visit.operator()<I>() for the number of each member.
template <IsRow T, class Visit>
constexpr void for_each_member(Visit&& visit) {
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (visit.template operator()<I>(), ...);
  }(std::make_index_sequence<kRowWidth<T>>());
}

enum class Shape {
  none,  // no column can hold it
  boolean,
  integer,
  floating,
  text,
  word,  // of an enum
  moment,
  fine_moment,  // finer than microseconds
  binary,
  optional,
  list,
  array,
  row,
};

// Integers that are numbers: no characters, and nothing beyond 64 bits.
template <class T>
concept IsInteger = std::integral<T> && sizeof(T) <= sizeof(std::int64_t) && !std::same_as<T, bool> &&
                    !std::same_as<T, char> && !std::same_as<T, wchar_t> && !std::same_as<T, char8_t> &&
                    !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

template <class T>
inline constexpr Shape kOtherShape = Shape::none;
template <class Allocator>
inline constexpr Shape kOtherShape<std::basic_string<char, std::char_traits<char>, Allocator>> = Shape::text;
template <>
inline constexpr Shape kOtherShape<std::string_view> = Shape::text;
template <class T>
inline constexpr Shape kOtherShape<std::optional<T>> = Shape::optional;
template <class T, class Allocator>
inline constexpr Shape kOtherShape<std::vector<T, Allocator>> = Shape::list;
template <class Allocator>
inline constexpr Shape kOtherShape<std::vector<std::byte, Allocator>> = Shape::binary;
template <class T, std::size_t N>
inline constexpr Shape kOtherShape<std::array<T, N>> = N == 0 ? Shape::none : Shape::array;
template <class Rep, class Period>
  requires IsInteger<Rep> && std::is_signed_v<Rep>
inline constexpr Shape
    kOtherShape<std::chrono::time_point<std::chrono::system_clock, std::chrono::duration<Rep, Period>>> =
        std::ratio_divide<Period, std::micro>::den == 1 ? Shape::moment : Shape::fine_moment;

template <class T>
constexpr Shape shape_of() {
  if constexpr (std::same_as<T, bool>)
    return Shape::boolean;
  else if constexpr (IsInteger<T>)
    return Shape::integer;
  else if constexpr (std::same_as<T, float> || std::same_as<T, double>)
    return Shape::floating;
  else if constexpr (IsRowEnum<T>)
    return Shape::word;
  else if constexpr (IsRow<T>)
    return Shape::row;
  else
    return kOtherShape<T>;
}
template <class T>
inline constexpr Shape kShape = shape_of<T>();

// ---- what is refused when it is compiled ----

enum class Flaw { none, unsupported, fine_moment, optional_of_optional, too_deep };

// The first flaw of a type, whatever is inside it included. `depth`: of its column, itself included.
template <class T, int depth = 1>
constexpr Flaw flaw_of() {
  constexpr Shape shape = kShape<T>;
  if constexpr (depth > core::kMaxAcceptedDepth) {
    return Flaw::too_deep;
  } else if constexpr (shape == Shape::none) {
    return Flaw::unsupported;
  } else if constexpr (shape == Shape::fine_moment) {
    return Flaw::fine_moment;
  } else if constexpr (shape == Shape::optional) {
    using Inner = typename T::value_type;
    return kShape<Inner> == Shape::optional ? Flaw::optional_of_optional : flaw_of<Inner, depth>();
  } else if constexpr (shape == Shape::list || shape == Shape::array) {
    return flaw_of<typename T::value_type, depth + 1>();
  } else if constexpr (shape == Shape::row) {
    Flaw flaw = Flaw::none;
    for_each_member<T>([&]<std::size_t I>() {
      if (flaw == Flaw::none) flaw = flaw_of<RowMember<T, I>, depth + 1>();
    });
    return flaw;
  } else {
    return Flaw::none;
  }
}

// Whether each member can be a column, and `tick` is one as a table needs it.
template <IsRow T>
constexpr bool has_good_members() {
  bool good = true;
  for_each_member<T>([&]<std::size_t I>() { good = good && flaw_of<RowMember<T, I>>() == Flaw::none; });
  return good;
}
template <IsRow T>
constexpr bool has_good_tick() {
  bool good = false;
  for_each_member<T>([&]<std::size_t I>() {
    if (std::get<I>(kRowFields<T>).name == "tick") good = kShape<RowMember<T, I>> == Shape::integer;
  });
  return good;
}
template <IsRow T>
inline constexpr bool kIsTableRow = has_good_members<T>() && has_good_tick<T>();

// Compiles for a member that a column can hold.
template <class Struct, class Member, Flaw flaw = flaw_of<Member>()>
struct MemberCheck {
  static_assert(
      flaw != Flaw::unsupported,
      "CRV_ROW: this member has a type that no column can hold. Supported are bool; integers up to 64 "
      "bits (not characters); float, double; std::string, std::string_view; enums of CRV_ENUM; "
      "std::chrono::time_point of system_clock in whole microseconds or coarser; std::vector<std::byte>; "
      "structs of CRV_ROW; and std::optional, std::vector and std::array (not empty) of these");
  static_assert(
      flaw != Flaw::fine_moment,
      "CRV_ROW: this member is a std::chrono::time_point finer than microseconds, which is what a column "
      "holds. Let it be a std::chrono::sys_time<std::chrono::microseconds> and cast to it: "
      "std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now())");
  static_assert(flaw != Flaw::optional_of_optional,
                "CRV_ROW: this member is a std::optional of a std::optional; a column has one kind of null");
  static_assert(
      flaw != Flaw::too_deep,
      "CRV_ROW: this member is nested deeper than the 32 levels of a column; no struct can hold itself");
};

// Compiles where kIsTableRow holds, and says why where it does not. It stands apart from that: what is refused here
// alone draws no further errors.
template <IsRow T>
constexpr void check_table_row() {
  static_assert(has_good_tick<T>(),
                "CRV_ROW: a row of a table needs a member `tick` that is an integer and no std::optional");
  for_each_member<T>([]<std::size_t I>() { static_cast<void>(MemberCheck<T, RowMember<T, I>>()); });
}

// ---- types ----

template <class T>
core::Type type_of();

template <IsRow T>
std::vector<core::NamedType> types_of() {
  std::vector<core::NamedType> types;
  for_each_member<T>([&]<std::size_t I>() {
    types.push_back({std::string(std::get<I>(kRowFields<T>).name), type_of<RowMember<T, I>>()});
  });
  return types;
}

// The type of the column for a member.
template <class T>
core::Type type_of() {
  constexpr Shape shape = kShape<T>;
  if constexpr (shape == Shape::boolean)
    return core::plain_type(core::Type::Kind::boolean);
  else if constexpr (shape == Shape::integer)
    return core::plain_type(core::Type::Kind::i64);
  else if constexpr (shape == Shape::floating)
    return core::plain_type(core::Type::Kind::f64);
  else if constexpr (shape == Shape::text || shape == Shape::word)
    return core::plain_type(core::Type::Kind::str);
  else if constexpr (shape == Shape::moment)
    return core::other_type("timestamp[us, tz=UTC]");
  else if constexpr (shape == Shape::binary)
    return core::other_type("binary");
  else if constexpr (shape == Shape::optional)
    return type_of<typename T::value_type>();
  else if constexpr (shape == Shape::row)
    return core::struct_of(types_of<T>());
  else
    return core::list_of(type_of<typename T::value_type>());
}

// ---- enums ----

template <IsRowEnum T>
inline constexpr auto kEnumNames = crv_enum_names(EnumTag<T>{});

template <IsRowEnum T>
constexpr auto number_of(T value) {
  return static_cast<std::underlying_type_t<T>>(value);
}

// Whether the enumerators count up by one.
template <IsRowEnum T>
constexpr bool counts_up() {
  for (std::size_t i = 1; i < kEnumNames<T>.size(); ++i)
    if (number_of(kEnumNames<T>[i - 1].value) == std::numeric_limits<std::underlying_type_t<T>>::max() ||
        number_of(kEnumNames<T>[i].value) != number_of(kEnumNames<T>[i - 1].value) + 1)
      return false;
  return true;
}

// Empty for a value that is none of the enumerators.
template <IsRowEnum T>
constexpr std::string_view name_of(T value) {
  constexpr const auto& names = kEnumNames<T>;
  if constexpr (counts_up<T>()) {
    if (number_of(value) < number_of(names.front().value) || number_of(value) > number_of(names.back().value))
      return {};
    return names[static_cast<std::size_t>(number_of(value) - number_of(names.front().value))].name;
  } else {
    for (const auto& known : names)
      if (known.value == value) return known.name;
    return {};
  }
}

// ---- columns ----

// `T`: of the member, without std::optional.
template <class T>
core::ColumnRule rule_of() {
  core::ColumnRule rule;
  if constexpr (kShape<T> == Shape::word)
    for (const auto& known : kEnumNames<T>) rule.allowed.emplace_back(known.name);
  if constexpr (kShape<T> == Shape::array) rule.length = std::tuple_size_v<T>;
  return rule;
}

template <IsRow T, std::size_t I>
core::ColumnDescriptor column_of_member() {
  using Member = RowMember<T, I>;
  core::ColumnDescriptor column;
  column.name = std::get<I>(kRowFields<T>).name;
  column.type = type_of<Member>();
  if constexpr (kShape<Member> == Shape::optional) {
    column.rule = rule_of<typename Member::value_type>();
  } else {
    column.required = true;
    column.rule = rule_of<Member>();
  }
  return column;
}

}  // namespace detail
}  // namespace crv::io
