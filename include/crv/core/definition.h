// Tables of the user's own: what a definition may be, how it is written down, and how it may grow.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "crv/core/descriptor.h"
#include "crv/core/json.h"

namespace crv::core {

inline constexpr std::size_t kMaxTableName = 100;   // bytes
inline constexpr std::size_t kMaxColumnName = 255;  // bytes

// Whether a table can have this name: lower_snake, up to kMaxTableName bytes. Built-in tables have such names,
// too.
bool is_table_name(std::string_view name) noexcept;
// Why a column or a field of a struct cannot have this name, since not every engine could read it; "" where it
// can.
std::string why_no_column_name(std::string_view name);

// The table as a run would hold it: `bucket` and `tick` first, whether `wanted` has them there or not. It must
// have `tick`, an i64, and may leave out `bucket`, which crv computes. Throws IoSchemaError with table, column
// and key: bad_definition for types and rules that cannot be, duplicate_column, reserved_name for names that
// are taken.
TableDescriptor define_table(TableDescriptor wanted);

// {"name", "version", "doc", "columns": [{"name", "type", ...}]}. Columns have the keys required, inferred,
// doc, unit, finite, not_empty, one_of, min, max, unique and length, where they say something; a type is text
// (types.h). "version" is missing where it has none yet.
Json to_json(const TableDescriptor& table);
// The other way round, as define_table() would have it, but that the name may be that of a built-in table: a
// later crv may have more of them. Throws what that throws, and bad_definition for keys that it does not know
// and values of another type.
TableDescriptor table_from_json(const Json& json);
// A column as the command line has it: "energy:f64", and "energy:f64!" for one that is required.
ColumnDescriptor parse_column(std::string_view text);

// Everything but the version is equal.
bool same_definition(const TableDescriptor& a, const TableDescriptor& b);
// What a run that holds `held` holds once `wanted` is defined, too. That is `held` where all of `wanted` is
// contained in it. It grows by columns that are not required, i64 becomes f64, structs take more fields,
// required columns and rules become looser, texts of `doc` are replaced. A column that `wanted` does not name
// stays as it is. Throws IoSchemaError (definition_conflict), showing where both differ, where they do not meet.
TableDescriptor grow(const TableDescriptor& held, const TableDescriptor& wanted);

}  // namespace crv::core
