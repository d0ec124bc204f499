// Models to JSON and back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crv/core/json.h"
#include "crv/core/rows.h"

namespace crv::core {

namespace internal {

// Reads one value as the models of the Python package do: an integer also from an integral float, a bool or
// decimal text ("1_000.0"); a float from any number, a bool or numeric text; a bool from 0, 1, yes, no, true,
// false, on, off and their like; text from text only. Throws SchemaError (schema_rule) with `path` in the
// facts.
void read(const Json& json, const std::string& path, std::int64_t& out);
void read(const Json& json, const std::string& path, double& out);
void read(const Json& json, const std::string& path, bool& out);
void read(const Json& json, const std::string& path, std::string& out);
void read(const Json& json, const std::string& path, Json& out);
void read(const Json& json, const std::string& path, JsonObject& out);
template <class T>
void read(const Json& json, const std::string& path, std::optional<T>& out);
template <class T>
void read(const Json& json, const std::string& path, std::vector<T>& out);
template <IsModel Model>
void read(const Json& json, const std::string& path, Model& out);

[[noreturn]] void raise_wrong_type(const Json& json, const std::string& path, std::string_view expected);
[[noreturn]] void raise_missing(std::string_view model, const std::string& path);
[[noreturn]] void raise_unknown(std::string_view model, const std::string& path);

std::string child(const std::string& path, std::string_view field);

inline Json write(const Json& value) {
  return value;
}
inline Json write(const JsonObject& value) {
  return value;
}
inline Json write(std::int64_t value) {
  return value;
}
inline Json write(double value) {
  return value;
}
inline Json write(bool value) {
  return value;
}
inline Json write(const std::string& value) {
  return value;
}
template <class T>
Json write(const std::optional<T>& value);
template <class T>
Json write(const std::vector<T>& value);
template <IsModel Model>
Json write(const Model& value);

}  // namespace internal

// Every field in order; a null field as null.
template <IsModel Model>
JsonObject to_json(const Model& model) {
  JsonObject object;
  for_each_field(model, [&](std::string_view name, const auto& value) {
    object.push_back(std::string(name), internal::write(value));
  });
  return object;
}

// A model from its fields, normalized and checked by validate(). Throws SchemaError (schema_rule) for an
// unknown field, a required one that is missing, or a value that cannot become the field's type; else what
// validate() throws.
template <IsModel Model>
Model from_json(const JsonObject& object) {
  Model model;
  internal::read(Json(object), "", model);
  validate(model);
  return model;
}

namespace internal {

template <class T>
void read(const Json& json, const std::string& path, std::optional<T>& out) {
  if (json.is_null())
    out.reset();
  else
    read(json, path, out.emplace());
}

template <class T>
void read(const Json& json, const std::string& path, std::vector<T>& out) {
  const JsonArray* items = json.get_if<JsonArray>();
  if (!items) raise_wrong_type(json, path, "a list");
  out.clear();
  for (const Json& item : *items) {
    const std::string item_path = path + "[" + std::to_string(out.size()) + "]";
    read(item, item_path, out.emplace_back());
  }
}

template <IsModel Model>
void read(const Json& json, const std::string& path, Model& out) {
  const JsonObject* object = json.get_if<JsonObject>();
  if (!object) raise_wrong_type(json, path, "an object");
  std::size_t known = 0;
  std::apply(
      [&](const auto&... field) {
        const auto read_field = [&](const auto& f) {
          const Json* value = object->find(f.name);
          if (value) {
            read(*value, child(path, f.name), out.*f.member);
            ++known;
          } else if (f.required) {
            raise_missing(Model::model, child(path, f.name));
          }
        };
        (read_field(field), ...);
      },
      Model::fields());
  if (known == object->size()) return;
  for (const JsonMember& member : *object) {
    bool found = false;
    for_each_field(out, [&](std::string_view name, const auto&) { found = found || name == member.first; });
    if (!found) raise_unknown(Model::model, child(path, member.first));
  }
}

template <class T>
Json write(const std::optional<T>& value) {
  return value ? write(*value) : Json();
}

template <class T>
Json write(const std::vector<T>& value) {
  JsonArray array;
  for (const T& item : value) array.push_back(write(item));
  return array;
}

template <IsModel Model>
Json write(const Model& value) {
  return to_json(value);
}

}  // namespace internal

}  // namespace crv::core
