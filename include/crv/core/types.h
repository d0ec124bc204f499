// Types of columns and of what is inside them, as values and as text: "i64", "list[struct{x: f64, y: f64}]".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace crv::core {

struct NamedType;

// Levels of struct and list that a column may have, itself included. Enough for any payload, and little
// enough that types read from disk cannot exhaust the stack.
inline constexpr int kMaxTypeDepth = 128;
// Levels that a definition or an append may ask for. pyarrow reads 48 nested lists (100 nodes of a Parquet
// schema), and Arrow's C interface 62 levels.
inline constexpr int kMaxAcceptedDepth = 32;

struct Type {
  enum class Kind : std::uint8_t { null, boolean, i64, f64, str, list, structure, other };
  Kind kind = Kind::null;  // null: not known yet, or anything
  bool exact = false;      // only of i64: has held an integer beyond +-2^53
  bool open = false;       // only of a structure that is declared: it takes other fields, too
  std::string other;       // only of other: "timestamp[us, tz=UTC]", "binary", ... as Arrow writes it
  // of structure: its fields, in order of first appearance; of list: one, "element"
  std::vector<NamedType> fields;

  bool operator==(const Type&) const;
};

struct NamedType {
  std::string name;
  Type type;
  bool operator==(const NamedType&) const = default;
};

Type plain_type(Type::Kind kind);
// The type that has this one word ("null", "bool", "i64", "i64!", "f64", "str"); nothing where none has.
std::optional<Type> find_plain_type(std::string_view word);
Type other_type(std::string arrow_name);
Type list_of(Type element);
Type struct_of(std::vector<NamedType> fields);
Type open_struct(std::vector<NamedType> fields = {});  // of these fields and any others

// A type as text. A structure that is open and has no fields is "struct"; one that is open and has some ends in
// "...": "struct{x: f64, ...}". Names that are no plain words stand in quotes, as in JSON.
std::string text_of(const Type& type);
// The other way round. "timestamp" is short for "timestamp[us, tz=UTC]". Whatever is no word of its own is
// taken for the Arrow name of another type; whether there is one of that name is not looked at. Throws
// IoSchemaError (bad_definition) with the text.
Type parse_type(std::string_view text);

}  // namespace crv::core
