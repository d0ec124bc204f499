// A JSON value, its parser and its writers. Everything of crv that is JSON on disk or in a row goes through
// here.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace crv {

class Json;
using JsonArray = std::vector<Json>;
using JsonMember = std::pair<std::string, Json>;

// An integer beyond 64 bits, kept as its decimal digits with an optional leading '-'.
struct BigInt {
  std::string digits;
  bool operator==(const BigInt&) const = default;
};

// An object that keeps the order in which its keys were set. Setting a key again keeps its first place.
class JsonObject {
 public:
  JsonObject() = default;
  JsonObject(std::initializer_list<JsonMember> members);

  const Json* find(std::string_view key) const;  // nullptr where there is none
  Json* find(std::string_view key);
  Json& operator[](std::string_view key);  // adds null where there is none
  // Adds without looking for the key: for builders that know it to be new.
  void push_back(std::string key, Json value);

  using Members = std::vector<JsonMember>;
  explicit JsonObject(Members members);  // the same, of all of them at once
  std::size_t size() const;
  bool empty() const;
  Members::const_iterator begin() const;
  Members::const_iterator end() const;
  Members::iterator begin();
  Members::iterator end();
  bool operator==(const JsonObject&) const;  // same members in any order

 private:
  Members members_;
};

// null, bool, 64-bit integer, bigger integer, double (NaN and infinities included), text (UTF-8), array,
// object. An integer and a double of the same value are different, as in Python: 1 is not 1.0.
class Json {
 public:
  using Value =
      std::variant<std::nullptr_t, bool, std::int64_t, BigInt, double, std::string, JsonArray, JsonObject>;

  Json() : value_(nullptr) {}
  Json(std::nullptr_t) : value_(nullptr) {}
  Json(bool v) : value_(v) {}
  Json(std::int64_t v) : value_(v) {}
  Json(int v) : value_(std::int64_t{v}) {}
  Json(BigInt v) : value_(std::move(v)) {}
  Json(double v) : value_(v) {}
  Json(const char* v) : value_(std::string(v)) {}
  Json(std::string_view v) : value_(std::string(v)) {}
  Json(std::string v) : value_(std::move(v)) {}
  Json(JsonArray v) : value_(std::move(v)) {}
  Json(JsonObject v) : value_(std::move(v)) {}

  const Value& value() const { return value_; }
  Value& value() { return value_; }

  bool is_null() const { return std::holds_alternative<std::nullptr_t>(value_); }
  template <class T>
  const T* get_if() const {
    return std::get_if<T>(&value_);
  }
  template <class T>
  T* get_if() {
    return std::get_if<T>(&value_);
  }

  bool operator==(const Json&) const = default;

 private:
  Value value_;
};

// Here, since a JsonMember is complete only now.
inline std::size_t JsonObject::size() const {
  return members_.size();
}
inline bool JsonObject::empty() const {
  return members_.empty();
}
inline JsonObject::Members::const_iterator JsonObject::begin() const {
  return members_.begin();
}
inline JsonObject::Members::const_iterator JsonObject::end() const {
  return members_.end();
}
inline JsonObject::Members::iterator JsonObject::begin() {
  return members_.begin();
}
inline JsonObject::Members::iterator JsonObject::end() {
  return members_.end();
}

// What a key means that stands twice in one object.
enum class RepeatedKeys {
  last_counts,  // as Python's json.loads has it
  refused,      // IoSchemaError (duplicate_column) with the path of the key
};

// Parses one JSON text (UTF-8). NaN, Infinity and -Infinity are read as Python writes them. Throws
// SchemaError (bad_json) that says where the text is wrong; half a surrogate pair and nesting deeper than 512
// are refused, too, and so are numbers that are too big for a double.
Json parse_json(std::string_view text, RepeatedKeys repeated = RepeatedKeys::last_counts);

// How to write: the defaults are those of Python's json.dumps(value, separators=(",", ":"),
// ensure_ascii=False).
struct JsonStyle {
  bool sort_keys = false;  // by Unicode code point
  bool ascii = false;      // every character beyond U+007E as \uXXXX
  int indent = 0;  // spaces a level; 0 writes one line. With indent ": " and newlines as json.dumps has them
  bool spaces = false;            // ", " and ": " on one line, as plain json.dumps writes
  bool refuse_nonfinite = false;  // NaN and infinities are an error (bad_json), else NaN, Infinity, -Infinity
  // bytes that are not UTF-8 as \\xNN, for messages; else they are an error (bad_json)
  bool any_bytes = false;
};

std::string write_json(const Json& value, const JsonStyle& style = {});
void write_json(const Json& value, const JsonStyle& style, std::string& out);

// A double as Python's repr writes it: shortest digits that read back, "1.0", "1e+16", "nan" apart ("NaN").
std::string format_double(double value);

}  // namespace crv
