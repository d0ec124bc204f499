// What an append takes: a closed list of types, names and values, those that crv, Polars, DuckDB and pyarrow
// all read, and read as the same. docs/format.md holds the list ("What is accepted"), and says why each of
// the others is none of it. Readers take more: what older writers let through.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

#include "crv/core/descriptor.h"
#include "io/arrow/place.h"
#include "io/schema/types.h"
#include "io/storage/storage.h"

namespace crv::io {

// Levels of a column, itself included: each field of a struct and each element of a list is one more.
using core::kMaxAcceptedDepth;

// Why a column or field of this name is not taken; "" where it is.
std::string why_no_name(std::string_view name);

// Why values of a type are not taken, although a part could hold them; "" where they are. Looks at the type
// itself, not at what is below it, and not at types that no part holds.
std::string why_no_type(const arrow::DataType& type);

// The table of the user's own that `wanted` defines, with each type as an append has it. Throws what
// core::define_table() throws, and bad_definition for types that are not accepted.
core::TableDescriptor accepted_table(core::TableDescriptor wanted);
// Names of the IANA time zone database.
bool is_time_zone(std::string_view name);
// "+05:30" and the like, as Python and pandas write a zone without a name. Polars knows none of them.
bool is_utc_offset(std::string_view zone);

// Two names of columns that differ only in the case of ASCII letters: DuckDB renames one of them. One of
// `offered` that `held` lacks, and any other.
struct NameClash {
  std::string offered, other;
};
std::optional<NameClash> find_name_clash(const Columns& offered, const Columns& held);

// Calls `found` for each value that not every engine reads: text that is not UTF-8, and dates and times
// beyond the calendar. Other types have none. What stands below a null does not count.
void find_unreadable(const arrow::Array& values,
                     const std::function<void(std::int64_t i, const char* why)>& found);

// Refuses those values.
void check_readable(const arrow::Array& values, const Place& place, std::size_t chunk);

// What a part holds that no append of today takes; older writers did.
struct Unreadable {
  std::string path;  // "claims.items[].price"
  std::string why;
  bool text = false;  // that is not UTF-8: Polars cannot give the column at all
};
// `values`: whether to look at the values, too, and not at the types and names alone. Throws IoReadError.
std::vector<Unreadable> unreadable_in(Storage& storage, const std::string& path, bool values);

// The path of the first column or field that holds text that is not UTF-8.
std::optional<std::string> find_text_not_utf8(const arrow::RecordBatch& batch);

// `type` as Polars can hold it, which reads no more than what is accepted: moments in a zone that it does not
// know are moments in UTC, decimals of more than 38 digits are text.
Type readable_by_polars(const Type& type);
bool is_readable_by_polars(const Type& type);

}  // namespace crv::io
