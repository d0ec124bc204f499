// The logical type of a table's columns and of every path below them, as commits keep it. No Arrow here.
//
// As JSON: "i64" | "f64" | "str" | "bool" | "null" | {"list": T} | {"struct": {field: T, ...}} | {"other":
// TEXT}. "i64!" is an i64 path that has held an integer beyond +-2^53 and so must never be widened to f64.
// "null" is a path that was given but whose type nobody knows yet: it stands in no part.
// {"other": TEXT} is any further type that Parquet holds, by its canonical Arrow name ("timestamp[us,
// tz=UTC]").
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crv/core/json.h"
#include "crv/core/types.h"

namespace crv::io {

using Field = core::NamedType;
using core::kMaxTypeDepth;
using core::list_of;
using core::struct_of;
using core::Type;

// The child that stands in a struct without fields, since Parquet knows no such struct.
inline constexpr const char* kEmptyField = "_empty";

// The columns of a part or a table, in order.
using Columns = std::vector<Field>;

Json type_to_json(const Type& type);
Json columns_to_json(const Columns& columns);  // an object, name to type
// Both throw IoManifestError (log_damaged): unknown types, wrong shapes, a name twice, deeper than
// kMaxTypeDepth.
Type type_from_json(const Json& json);
Columns columns_from_json(const Json& json);

// 32 hex digits (XXH3-128 of the JSON text): equal columns in equal order have equal ids.
std::string schema_id(const Columns& columns);

// A path on which two types do not meet.
struct TypeConflict {
  std::string path;  // dotted, "[]" for list elements: "claims.items[].price"
  Type held, offered;
};

// The least type that holds both: null gives way to any, i64 and f64 give f64 (unless exact: conflict),
// structs unite their fields, lists their elements; all else must be equal. On conflict the result is `held`
// and it is appended to `conflicts`.
Type unite(const Type& held, const Type& offered, const std::string& path,
           std::vector<TypeConflict>& conflicts);
// Column by column; new columns go to the end.
Columns unite(const Columns& held, const Columns& offered, std::vector<TypeConflict>& conflicts);

inline bool is_scalar(const Type& type) {
  return type.kind != Type::Kind::structure && type.kind != Type::Kind::list;
}

// The type of a field, or of the elements where `type` is a list; nullptr where there is none.
const Type* field_of(const Type* type, std::string_view name);
const Type* elements_of(const Type* type);

// Whether every path of `part` whose type is known has that very type in `table`, so that the part may stand
// in it.
bool same_types(const Columns& part, const Columns& table);

}  // namespace crv::io
