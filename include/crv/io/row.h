// Rows of your own structs: describe a struct once, and append ranges of it.
//
//   struct Position { double x, y; };
//   CRV_ROW(Position, x, y)
//   enum class Kind { sheep, wolf };
//   CRV_ENUM(Kind, sheep, wolf)
//   struct Sheep { std::int64_t tick; std::string id; std::optional<double> age; Kind kind; Position home; };
//   CRV_ROW(Sheep, tick, id, age, kind, home)
//
//   dataset.create_table(describe_row<Sheep>("sheep"));
//   dataset.append("sheep", rows);  // std::vector<Sheep>, or any other contiguous range of it
//
// The macros stand in the namespace of the struct or enum, outside of any function. CRV_ROW is for public members;
// CRV_ROW_MEMBERS stands inside the struct, in any section of it, and takes private ones, too. Up to 300 members;
// those that are not named are left out. A struct that derives from a described one is not described by that.
//
// | member | column |
// | --- | --- |
// | bool | bool |
// | integers up to 64 bits, no characters | i64; a std::uint64_t above 2^63 - 1 is an error (lossy_cast) |
// | float, double | f64 |
// | std::string, std::string_view | str; text that is not UTF-8 is an error (wrong_type) |
// | an enum of CRV_ENUM | str, one of the names; another value is an error (wrong_type) |
// | std::chrono::time_point of system_clock, in microseconds or coarser | timestamp[us, tz=UTC]; an error |
// |     (wrong_type) where it does not fit into microseconds of 64 bits | |
// | std::vector<std::byte> | binary |
// | a struct of CRV_ROW | struct{...} of its members, no others |
// | std::vector<T> | list[T] |
// | std::array<T, N>, N > 0 | list[T]; of a column itself also the rule that the length is N |
// | std::optional<T> | T, not required: an empty one is null |
//
// Anything else does not compile, and neither does a row of a table without an integer `tick`. Errors are
// IoSchemaError, with column, row and value. Thread safety: that of reading the rows.
#pragma once

#include <array>
#include <string>
#include <tuple>
#include <utility>

#include "crv/core/definition.h"
#include "crv/core/descriptor.h"
#include "crv/io/frame.h"
#include "crv/io/row_columns.h"
#include "crv/io/row_types.h"

namespace crv::io {

// The table for rows of T: its members in order, required where they are no std::optional. Throws IoSchemaError as
// core::define_table() does, say for the name of a member that no column can have.
template <IsRow T>
core::TableDescriptor describe_row(std::string table, std::string doc = {}) {
  core::TableDescriptor wanted;
  wanted.name = std::move(table);
  wanted.doc = std::move(doc);
  detail::check_table_row<T>();
  if constexpr (detail::kIsTableRow<T>)
    detail::for_each_member<T>(
        [&]<std::size_t I>() { wanted.columns.push_back(detail::column_of_member<T, I>()); });
  return core::define_table(std::move(wanted));
}

}  // namespace crv::io

// Describes a struct, from the outside: CRV_ROW(Sheep, tick, id).
#define CRV_ROW(Struct, ...) [[maybe_unused]] constexpr auto CRV_DETAIL_ROW(Struct, __VA_ARGS__)

// The same, from within it: CRV_ROW_MEMBERS(Sheep, tick, id).
#define CRV_ROW_MEMBERS(Struct, ...) friend constexpr auto CRV_DETAIL_ROW(Struct, __VA_ARGS__)

// Describes an enum by those of its enumerators that rows can have: CRV_ENUM(Kind, sheep, wolf).
#define CRV_ENUM(Enum, ...)                                                         \
  [[maybe_unused]] constexpr auto crv_enum_names(::crv::io::EnumTag<Enum>) {        \
    return ::std::array{CRV_DETAIL_LIST(CRV_DETAIL_ENUMERATOR, Enum, __VA_ARGS__)}; \
  }

#define CRV_DETAIL_ROW(Struct, ...)                                              \
  crv_row_fields(::crv::io::RowTag<Struct>) {                                    \
    return ::std::tuple(CRV_DETAIL_LIST(CRV_DETAIL_FIELD, Struct, __VA_ARGS__)); \
  }
#define CRV_DETAIL_FIELD(Struct, member) \
  ::crv::io::RowField {                  \
    #member, &Struct::member             \
  }
#define CRV_DETAIL_ENUMERATOR(Enum, enumerator) \
  ::crv::io::EnumName<Enum> {                   \
    Enum::enumerator, #enumerator               \
  }

// one(Owner, a), one(Owner, b), ...: a macro that leaves the name of the next step behind is expanded once more by
// each scan, and there are some 300 of them. The comma at the end keeps the rest from having no argument.
#define CRV_DETAIL_LIST(one, Owner, ...) CRV_DETAIL_SCAN4(CRV_DETAIL_STEP(one, Owner, __VA_ARGS__, ))
#define CRV_DETAIL_STEP(one, Owner, name, ...) \
  one(Owner, name) __VA_OPT__(, CRV_DETAIL_AGAIN CRV_DETAIL_PARENS(one, Owner, __VA_ARGS__))
#define CRV_DETAIL_AGAIN() CRV_DETAIL_STEP
#define CRV_DETAIL_PARENS ()
#define CRV_DETAIL_SCAN4(...) \
  CRV_DETAIL_SCAN3(CRV_DETAIL_SCAN3(CRV_DETAIL_SCAN3(CRV_DETAIL_SCAN3(__VA_ARGS__))))
#define CRV_DETAIL_SCAN3(...) \
  CRV_DETAIL_SCAN2(CRV_DETAIL_SCAN2(CRV_DETAIL_SCAN2(CRV_DETAIL_SCAN2(__VA_ARGS__))))
#define CRV_DETAIL_SCAN2(...) \
  CRV_DETAIL_SCAN1(CRV_DETAIL_SCAN1(CRV_DETAIL_SCAN1(CRV_DETAIL_SCAN1(__VA_ARGS__))))
#define CRV_DETAIL_SCAN1(...) \
  CRV_DETAIL_SCAN0(CRV_DETAIL_SCAN0(CRV_DETAIL_SCAN0(CRV_DETAIL_SCAN0(__VA_ARGS__))))
#define CRV_DETAIL_SCAN0(...) __VA_ARGS__
