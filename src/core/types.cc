#include "crv/core/types.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>

#include "core/text.h"
#include "crv/core/error.h"
#include "crv/core/json.h"
#include "crv/core/shown.h"

namespace crv::core {
namespace {

using Kind = Type::Kind;

struct Word {
  std::string_view text;
  Kind kind;
  bool exact = false;
};
constexpr std::array<Word, 6> kWords{{
    {"null", Kind::null},
    {"bool", Kind::boolean},
    {"i64", Kind::i64},
    {"i64!", Kind::i64, true},
    {"f64", Kind::f64},
    {"str", Kind::str},
}};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool is_plain_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, is_word);
}

std::string field_text(const NamedType& field) {
  const std::string name =
      is_plain_name(field.name) ? field.name : write_json(Json(field.name), {.any_bytes = true});
  return name + ": " + text_of(field.type);
}

class TypeParser {
 public:
  explicit TypeParser(std::string_view text) : text_(text), rest_(text) {}

  Type parse() {
    Type type = take_type(1);
    skip_blanks();
    if (!rest_.empty()) fail("something follows the type");
    return type;
  }

 private:
  [[noreturn]] void fail(const std::string& why) const {
    raise(ErrorCode::bad_definition,
          "\"" + shortened(text_) + "\" is no type: " + why +
              ". A type is i64, f64, str, bool, timestamp, binary, list[...], struct{name: ...}, or struct.",
          {.key = "type", .value = std::string(text_)});
  }

  void skip_blanks() { rest_ = trim(rest_); }
  bool take(std::string_view token) {
    skip_blanks();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  Type take_type(int depth) {
    if (depth > kMaxTypeDepth) fail("it is nested deeper than " + std::to_string(kMaxTypeDepth) + " levels");
    if (take("list[")) {
      Type element = take_type(depth + 1);
      if (!take("]")) fail("the list has no closing bracket");
      return list_of(std::move(element));
    }
    if (take("struct{")) return take_fields(depth);
    const std::string_view name = take_name();
    if (name == "struct") return open_struct();
    if (name == "timestamp") return other_type("timestamp[us, tz=UTC]");
    if (std::optional<Type> plain = find_plain_type(name)) return *std::move(plain);
    return other_type(std::string(name));
  }

  Type take_fields(int depth) {
    Type type = struct_of({});
    if (take("}")) return type;
    do {
      if (take("...")) {
        type.open = true;
        break;
      }
      std::string name = take_field_name();
      if (!take(":")) fail("a field has no type");
      if (std::ranges::find(type.fields, name, &NamedType::name) != type.fields.end())
        fail("the field \"" + shortened(name) + "\" stands twice");
      type.fields.push_back({std::move(name), take_type(depth + 1)});
    } while (take(","));
    if (!take("}")) fail("the struct has no closing brace");
    return type;
  }

  std::string take_field_name() {
    skip_blanks();
    if (!rest_.starts_with('"')) {
      const auto end = std::ranges::find_if_not(rest_, is_word);
      const std::string_view name = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
      if (name.empty()) fail("a field has no name");
      rest_.remove_prefix(name.size());
      return std::string(name);
    }
    std::size_t end = 1;
    while (end < rest_.size() && rest_[end] != '"') end += rest_[end] == '\\' ? 2 : 1;
    if (end >= rest_.size()) fail("a name has no closing quote");
    const std::string_view quoted = rest_.substr(0, end + 1);
    rest_.remove_prefix(quoted.size());
    try {
      const Json name = parse_json(quoted);
      return *name.get_if<std::string>();
    } catch (const SchemaError&) {
      fail("a name in quotes is no JSON text");
    }
  }

  // Up to what ends a type where it stands in another one: brackets and parentheses of its own belong to it.
  std::string_view take_name() {
    skip_blanks();
    int depth = 0;
    std::size_t end = 0;
    for (; end < rest_.size(); ++end) {
      const char c = rest_[end];
      if (c == '[' || c == '(') ++depth;
      if (depth == 0 && (c == ']' || c == ',' || c == '}' || c == ')' || c == '{' || c == ':')) break;
      if (c == ']' || c == ')') --depth;
    }
    const std::string_view name = trim(rest_.substr(0, end));
    if (name.empty()) fail("a type is missing");
    if (depth != 0) fail("a bracket is not closed");
    rest_.remove_prefix(end);
    return name;
  }

  std::string_view text_, rest_;
};

}  // namespace

// Not defaulted: clang-tidy 16 does not get over a defaulted one of a type that holds itself.
bool Type::operator==(const Type& type) const {
  return kind == type.kind && exact == type.exact && open == type.open && other == type.other &&
         fields == type.fields;
}

Type plain_type(Kind kind) {
  Type type;
  type.kind = kind;
  return type;
}

std::optional<Type> find_plain_type(std::string_view word) {
  for (const Word& known : kWords) {
    if (known.text != word) continue;
    Type type = plain_type(known.kind);
    type.exact = known.exact;
    return type;
  }
  return std::nullopt;
}

Type other_type(std::string arrow_name) {
  Type type = plain_type(Kind::other);
  type.other = std::move(arrow_name);
  return type;
}

Type list_of(Type element) {
  Type type = plain_type(Kind::list);
  type.fields.push_back({"element", std::move(element)});
  return type;
}

Type struct_of(std::vector<NamedType> fields) {
  Type type = plain_type(Kind::structure);
  type.fields = std::move(fields);
  return type;
}

Type open_struct(std::vector<NamedType> fields) {
  Type type = struct_of(std::move(fields));
  type.open = true;
  return type;
}

std::string text_of(const Type& type) {
  switch (type.kind) {
    case Kind::list:
      return "list[" + text_of(type.fields.at(0).type) + "]";
    case Kind::structure: {
      if (type.open && type.fields.empty()) return "struct";
      std::vector<std::string> fields;
      for (const NamedType& field : type.fields) fields.push_back(field_text(field));
      if (type.open) fields.emplace_back("...");
      return "struct{" + join(fields) + "}";
    }
    case Kind::other:
      return type.other;
    default:
      for (const Word& word : kWords)
        if (word.kind == type.kind && word.exact == type.exact) return std::string(word.text);
      return {};
  }
}

Type parse_type(std::string_view text) {
  return TypeParser(text).parse();
}

}  // namespace crv::core
