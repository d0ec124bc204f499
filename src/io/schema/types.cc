#include "io/schema/types.h"

#include <algorithm>
#include <optional>
#include <set>

#include "crv/core/error.h"
#include "crv/core/shown.h"
#include "io/base/checksum.h"

namespace crv::io {

namespace {

using Kind = Type::Kind;

// `where` is dotted, as in TypeConflict.
[[noreturn]] void damaged(const std::string& where, const std::string& what, const Json& json) {
  ErrorFacts facts;
  facts.column = where;
  facts.value = shortened(write_json(json));
  raise(ErrorCode::log_damaged,
        "the types of a table's columns cannot be read" + (where.empty() ? "" : " at \"" + where + "\"") +
            ": " + what + ", found " + facts.value,
        facts);
}

std::string below(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + "." + name;
}

Type parse_type(const Json& json, const std::string& where, int depth);

std::vector<Field> parse_fields(const Json& json, const std::string& where, int depth) {
  const JsonObject* object = json.get_if<JsonObject>();
  if (!object) damaged(where, "expected an object of names and types", json);
  std::vector<Field> fields;
  fields.reserve(object->size());
  std::set<std::string_view> names;
  for (const auto& [name, type] : *object) {
    if (!names.insert(name).second) damaged(where, "the name \"" + name + "\" stands twice", json);
    fields.push_back({name, parse_type(type, below(where, name), depth)});
  }
  return fields;
}

Type parse_nested(const JsonObject& object, const Json& json, const std::string& where, int depth) {
  if (object.size() != 1)
    damaged(where, "expected one of \"list\", \"struct\" and \"other\" as the only key", json);
  const auto& [key, value] = *object.begin();
  if (key == "list") return list_of(parse_type(value, where + "[]", depth + 1));
  if (key == "struct") return struct_of(parse_fields(value, where, depth + 1));
  const std::string* text = value.get_if<std::string>();
  if (key != "other" || !text || text->empty()) damaged(where, "unknown type", json);
  return core::other_type(*text);
}

Type parse_type(const Json& json, const std::string& where, int depth) {
  if (depth > kMaxTypeDepth)
    damaged(where, "nested deeper than " + std::to_string(kMaxTypeDepth) + " levels", json);
  if (const std::string* text = json.get_if<std::string>())
    if (std::optional<Type> plain = core::find_plain_type(*text)) return *std::move(plain);
  const JsonObject* object = json.get_if<JsonObject>();
  if (!object) damaged(where, "unknown type", json);
  return parse_nested(*object, json, where, depth);
}

// Fields mostly stand in the same order on both sides, so the search begins where the other side has it.
Field* find_field(std::vector<Field>& fields, const std::string& name, std::size_t hint) {
  const std::size_t count = fields.size();
  for (std::size_t i = 0; i < count; ++i) {
    Field& field = fields[(hint + i) % count];
    if (field.name == name) return &field;
  }
  return nullptr;
}

std::vector<Field> unite_fields(const std::vector<Field>& held, const std::vector<Field>& offered,
                                const std::string& path, std::vector<TypeConflict>& conflicts) {
  std::vector<Field> result = held;
  for (std::size_t i = 0; i < offered.size(); ++i) {
    const Field& field = offered[i];
    if (Field* found = find_field(result, field.name, i))
      found->type = unite(found->type, field.type, below(path, field.name), conflicts);
    else
      result.push_back(field);
  }
  return result;
}

}  // namespace

Json type_to_json(const Type& type) {
  switch (type.kind) {
    case Kind::list:
      return JsonObject{{"list", type_to_json(type.fields.at(0).type)}};
    case Kind::structure:
      return JsonObject{{"struct", columns_to_json(type.fields)}};
    case Kind::other:
      return JsonObject{{"other", type.other}};
    default:
      return text_of(type);
  }
}

Type type_from_json(const Json& json) {
  return parse_type(json, "", 1);
}

Json columns_to_json(const Columns& columns) {
  JsonObject object;
  for (const Field& column : columns) object.push_back(column.name, type_to_json(column.type));
  return object;
}

Columns columns_from_json(const Json& json) {
  return parse_fields(json, "", 1);
}

std::string schema_id(const Columns& columns) {
  return digest_text(write_json(columns_to_json(columns)));
}

Type unite(const Type& held, const Type& offered, const std::string& path,
           std::vector<TypeConflict>& conflicts) {
  if (offered.kind == Kind::null || held == offered) return held;
  if (held.kind == Kind::null) return offered;
  const bool numbers = (held.kind == Kind::i64 || held.kind == Kind::f64) &&
                       (offered.kind == Kind::i64 || offered.kind == Kind::f64);
  if (numbers && held.kind == offered.kind) return held.exact ? held : offered;
  if (numbers && !held.exact && !offered.exact) return held.kind == Kind::f64 ? held : offered;
  if (held.kind == Kind::structure && offered.kind == Kind::structure)
    return struct_of(unite_fields(held.fields, offered.fields, path, conflicts));
  if (held.kind == Kind::list && offered.kind == Kind::list)
    return list_of(unite(held.fields.at(0).type, offered.fields.at(0).type, path + "[]", conflicts));
  conflicts.push_back({path, held, offered});
  return held;
}

Columns unite(const Columns& held, const Columns& offered, std::vector<TypeConflict>& conflicts) {
  return unite_fields(held, offered, "", conflicts);
}

namespace {

bool same_type(const Type& part, const Type& table) {
  if (part.kind == Kind::null) return true;
  if (part.kind != table.kind || part.other != table.other) return false;
  if (part.kind == Kind::list) return same_type(part.fields.at(0).type, table.fields.at(0).type);
  return part.kind != Kind::structure || same_types(part.fields, table.fields);
}

}  // namespace

const Type* field_of(const Type* type, std::string_view name) {
  if (type == nullptr || type->kind != Kind::structure) return nullptr;
  const auto found = std::ranges::find(type->fields, name, &Field::name);
  return found == type->fields.end() ? nullptr : &found->type;
}

const Type* elements_of(const Type* type) {
  return type == nullptr || type->kind != Kind::list ? nullptr : &type->fields.at(0).type;
}

bool same_types(const Columns& part, const Columns& table) {
  return std::all_of(part.begin(), part.end(), [&](const Field& field) {
    if (field.type.kind == Type::Kind::null) return true;
    auto held =
        std::find_if(table.begin(), table.end(), [&](const Field& f) { return f.name == field.name; });
    return held != table.end() && same_type(field.type, held->type);
  });
}

}  // namespace crv::io
