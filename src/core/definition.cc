#include "crv/core/definition.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "core/number_text.h"
#include "core/text.h"
#include "core/utf8.h"
#include "crv/core/error.h"
#include "crv/core/grammar.h"
#include "crv/core/shown.h"
#include "crv/core/suggest.h"

namespace crv::core {
namespace {

using Kind = Type::Kind;

constexpr std::string_view kBucket = "bucket";
constexpr std::string_view kTick = "tick";
constexpr auto kMostExact = static_cast<double>(kExactInF64);  // every integer up to it is a double

ColumnDescriptor bucket_column() {
  return {std::string(kBucket),
          plain_type(Kind::i64),
          true,
          "tick div tick_bucket_size; crv computes it.",
          {},
          {},
          false};
}

std::string quoted(std::string_view name) {
  return '"' + printable(shortened(name)) + '"';
}

// Checks one table; every complaint names it.
class Definition {
 public:
  explicit Definition(TableDescriptor table) : table_(std::move(table)) {}

  void refuse_built_in() const {
    if (find_stored_table(table_.name))
      fail("", "name", "crv has a table of this name built in; take another name", table_.name,
           ErrorCode::reserved_name);
  }

  TableDescriptor check() {
    check_name();
    put_first_columns();
    check_column_names();
    if (!is_utf8(table_.doc)) fail("", "doc", "its doc is not UTF-8", table_.doc);
    for (const ColumnDescriptor& column : table_.columns) check(column);
    table_.required_order.clear();
    for (const ColumnDescriptor& column : table_.columns)
      if (column.required) table_.required_order.push_back(column.name);
    return std::move(table_);
  }

 private:
  [[noreturn]] void fail(std::string_view column, std::string_view key, const std::string& why,
                         std::string_view value = {}, ErrorCode code = ErrorCode::bad_definition) const {
    std::string message = "Table " + quoted(table_.name);
    if (!column.empty()) message += ", column " + quoted(column);
    raise(code, message + ": " + why + ".",
          {.table = table_.name,
           .column = std::string(column),
           .key = std::string(key),
           .value = std::string(value)});
  }

  void check_name() const {
    const std::string& name = table_.name;
    if (!is_table_name(name))
      fail("", "name",
           "a table's name is lower_snake (a-z, 0-9, single underscores between) and has up to " +
               std::to_string(kMaxTableName) + " bytes",
           name);
  }

  // Takes `name` out of the columns; nothing where there is none.
  std::optional<ColumnDescriptor> take(std::string_view name) {
    const auto found = std::ranges::find(table_.columns, name, &ColumnDescriptor::name);
    if (found == table_.columns.end()) return std::nullopt;
    ColumnDescriptor column = std::move(*found);
    table_.columns.erase(found);
    if (table_.find(name))
      fail(name, "name", "two columns have this name", name, ErrorCode::duplicate_column);
    if (column.type != plain_type(Kind::i64))
      fail(name, "type", "this column is i64 in every table, not " + text_of(column.type),
           text_of(column.type));
    return column;
  }

  void put_first_columns() {
    static_cast<void>(take(kBucket));
    std::optional<ColumnDescriptor> tick = take(kTick);
    if (!tick) fail(kTick, "name", "every table has this column, an i64, and the definition lacks it");
    tick->required = true;
    tick->inferred = false;
    tick->rule.min = std::max(tick->rule.min.value_or(0), 0.0);
    table_.columns.insert(table_.columns.begin(), {bucket_column(), *std::move(tick)});
  }

  void check_column_names() const {
    std::map<std::string, std::string_view> seen;  // by what is left of a name without case
    for (const ColumnDescriptor& column : table_.columns) {
      check_name_of(column.name, column.name);
      const auto [other, fresh] = seen.emplace(fold_case(column.name), column.name);
      if (fresh) continue;
      if (other->second == column.name)
        fail(column.name, "name", "two columns have this name", column.name, ErrorCode::duplicate_column);
      fail(column.name, "name",
           "the name differs from that of the column " + quoted(other->second) +
               " only in case, and DuckDB takes them for one; rename one of them",
           column.name, ErrorCode::reserved_name);
    }
  }

  void check_name_of(std::string_view column, std::string_view name) const {
    if (const std::string why = why_no_column_name(name); !why.empty())
      fail(column, "name", why, name, ErrorCode::reserved_name);
    const bool controls = std::ranges::any_of(name, [](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return byte < 0x20 || byte == 0x7f;
    });
    if (controls) fail(column, "name", "the name " + quoted(name) + " holds a control character", name);
    if (name.size() > kMaxColumnName)
      fail(column, "name", "the name has more than " + std::to_string(kMaxColumnName) + " bytes", name);
  }

  void check(const ColumnDescriptor& column) const {
    if (column.inferred && column.required)
      fail(column.name, "inferred", "a column cannot be both inferred and required");
    for (const auto& [key, text] : {std::pair("doc", &column.doc), std::pair("unit", &column.unit)})
      if (!is_utf8(*text)) fail(column.name, key, "its " + std::string(key) + " is not UTF-8", *text);
    check_type(column, column.type, 1);
    check_rule(column);
  }

  void check_type(const ColumnDescriptor& column, const Type& type, int depth) const {
    const std::string text = text_of(column.type);
    if (depth > kMaxAcceptedDepth)
      fail(column.name, "type",
           "its type is nested deeper than " + std::to_string(kMaxAcceptedDepth) + " levels", text);
    if (type.kind == Kind::null && !column.inferred)
      fail(column.name, "type", "a column that is declared has a type, not null", text);
    if (type.exact) fail(column.name, "type", "\"i64!\" is a mark that crv sets; the type is i64", text);
    std::set<std::string_view> names;
    for (const NamedType& field : type.fields) {
      if (type.kind == Kind::structure) {
        check_name_of(column.name, field.name);
        if (!names.insert(field.name).second)
          fail(column.name, "type", "two fields have the name " + quoted(field.name), field.name,
               ErrorCode::duplicate_column);
      }
      check_type(column, field.type, depth + 1);
    }
  }

  void need(const ColumnDescriptor& column, bool fits, std::string_view key, std::string_view types) const {
    if (!fits)
      fail(column.name, key,
           "the rule " + std::string(key) + " is for columns of " + std::string(types) +
               ", and this one is " + text_of(column.type),
           text_of(column.type));
  }

  void check_rule(const ColumnDescriptor& column) const {
    const ColumnRule& rule = column.rule;
    const Kind kind = column.type.kind;
    const bool number = kind == Kind::i64 || kind == Kind::f64;
    if (!rule.elements.empty())
      fail(column.name, "elements", "models of elements are for the built-in tables", rule.elements);
    if (rule.finite) need(column, kind == Kind::f64, "finite", "f64");
    if (rule.not_empty) need(column, kind == Kind::str, "not_empty", "str");
    if (!rule.allowed.empty()) need(column, kind == Kind::str, "one_of", "str");
    if (rule.unique) need(column, number || kind == Kind::str, "unique", "i64, f64 and str");
    if (rule.length) need(column, kind == Kind::list, "length", "lists");
    if (rule.length && (*rule.length < 1 || *rule.length > std::numeric_limits<std::int32_t>::max()))
      fail(column.name, "length", "a length is from 1 to 2147483647", std::to_string(*rule.length));
    std::set<std::string_view> words;
    for (const std::string& word : rule.allowed) {
      if (!is_utf8(word)) fail(column.name, "one_of", "one_of holds text that is not UTF-8", word);
      if (!words.insert(word).second)
        fail(column.name, "one_of", "one_of holds " + quoted(word) + " twice", word);
    }
    check_bound(column, "min", rule.min);
    check_bound(column, "max", rule.max);
    if (rule.min && rule.max && *rule.min > *rule.max)
      fail(column.name, "min", "its min is above its max", format_double(*rule.min));
  }

  void check_bound(const ColumnDescriptor& column, std::string_view key, std::optional<double> bound) const {
    if (!bound) return;
    need(column, column.type.kind == Kind::i64 || column.type.kind == Kind::f64, key, "i64 and f64");
    if (!std::isfinite(*bound))
      fail(column.name, key, "its " + std::string(key) + " must be a finite number", format_double(*bound));
    if (column.type.kind == Kind::i64 && std::abs(*bound) > kMostExact)
      fail(column.name, key, "the bounds of an i64 column lie within 2^53, where doubles are exact",
           format_double(*bound));
  }

  TableDescriptor table_;
};

// ---- as JSON ----

Json number_json(double value) {
  if (value == std::floor(value) && std::abs(value) <= kMostExact) return static_cast<std::int64_t>(value);
  return value;
}

JsonObject to_json(const ColumnDescriptor& column) {
  JsonObject o;
  o.push_back("name", column.name);
  o.push_back("type", text_of(column.type));
  if (column.required) o.push_back("required", true);
  if (column.inferred) o.push_back("inferred", true);
  if (!column.doc.empty()) o.push_back("doc", column.doc);
  if (!column.unit.empty()) o.push_back("unit", column.unit);
  const ColumnRule& rule = column.rule;
  if (rule.finite) o.push_back("finite", true);
  if (rule.not_empty) o.push_back("not_empty", true);
  if (!rule.allowed.empty()) o.push_back("one_of", JsonArray(rule.allowed.begin(), rule.allowed.end()));
  if (rule.min) o.push_back("min", number_json(*rule.min));
  if (rule.max) o.push_back("max", number_json(*rule.max));
  if (rule.unique) o.push_back("unique", true);
  if (rule.length) o.push_back("length", *rule.length);
  return o;
}

// Reads an object whose keys are known; what it complains of has the name of the table, once it is known.
class DefinitionReader {
 public:
  TableDescriptor read(const Json& json) {
    const JsonObject& object = object_of(json, "a definition");
    TableDescriptor table;
    if (const Json* name = object.find("name")) table_ = text_of(*name, "name");
    table.name = table_;
    for (const auto& [key, value] : object) {
      if (key == "name") continue;
      if (key == "doc")
        table.doc = text_of(value, key);
      else if (key == "version")
        table.version = version_of(text_of(value, key));
      else if (key == "columns")
        table.columns = columns_of(value);
      else
        unknown(key, {"name", "version", "doc", "columns"});
    }
    if (table_.empty()) fail("name", "the definition lacks the table's name");
    return table;
  }

 private:
  [[noreturn]] void fail(std::string_view key, const std::string& why, std::string_view value = {}) const {
    std::string message = table_.empty() ? "A definition of a table" : "Table " + quoted(table_);
    if (!column_.empty()) message += ", column " + quoted(column_);
    raise(ErrorCode::bad_definition, message + ": " + why + ".",
          {.table = table_, .column = column_, .key = std::string(key), .value = std::string(value)});
  }
  [[noreturn]] void unknown(std::string_view key, const std::vector<std::string>& known) const {
    fail(key, "there is no key " + quoted(key) + did_you_mean(key, known, "; there are " + join(known)), key);
  }
  [[noreturn]] void wrong(std::string_view key, std::string_view must, const Json& value) const {
    const std::string text = write_json(value, {.any_bytes = true});
    fail(key, std::string(key) + " must be " + std::string(must) + ", not " + shortened(text), text);
  }

  const JsonObject& object_of(const Json& json, std::string_view what) const {
    const auto* object = json.get_if<JsonObject>();
    if (!object) wrong(what, "an object", json);
    return *object;
  }
  std::string text_of(const Json& value, std::string_view key) const {
    const auto* text = value.get_if<std::string>();
    if (!text) wrong(key, "text", value);
    return *text;
  }
  bool flag_of(const Json& value, std::string_view key) const {
    const auto* flag = value.get_if<bool>();
    if (!flag) wrong(key, "true or false", value);
    return *flag;
  }
  // An integer beyond 2^53 is another double, so it is refused.
  double number_of(const Json& value, std::string_view key) const {
    if (const auto* real = value.get_if<double>()) return *real;
    const auto* integer = value.get_if<std::int64_t>();
    if (!integer || *integer < -kExactInF64 || *integer > kExactInF64)
      wrong(key, "a number; an integer lies within 2^53", value);
    return static_cast<double>(*integer);
  }
  std::vector<std::string> texts_of(const Json& value, std::string_view key) const {
    const auto* array = value.get_if<JsonArray>();
    if (!array || array->empty()) wrong(key, "a list of texts", value);
    std::vector<std::string> texts;
    for (const Json& item : *array) texts.push_back(text_of(item, key));
    return texts;
  }

  SchemaVersion version_of(const std::string& text) const {
    const std::size_t dot = text.find('.'), at = text.find('@');
    if (dot != std::string::npos && at != std::string::npos && dot < at) {
      const auto major = parse_number<std::int32_t>(std::string_view(text).substr(0, dot));
      const auto minor = parse_number<std::int32_t>(std::string_view(text).substr(dot + 1, at - dot - 1));
      if (major && minor) try {
          return {*major, *minor, text.substr(at + 1)};
        } catch (const VersionMismatch&) {  // told below
        }
    }
    fail("version", "its version is none, as 1.0@2026-01-31 is", text);
  }

  std::vector<ColumnDescriptor> columns_of(const Json& json) {
    const auto* array = json.get_if<JsonArray>();
    if (!array) wrong("columns", "a list of objects", json);
    std::vector<ColumnDescriptor> columns;
    for (const Json& item : *array) {
      column_.clear();
      columns.push_back(column_of(object_of(item, "a column")));
    }
    column_.clear();
    return columns;
  }

  ColumnDescriptor column_of(const JsonObject& object) {
    ColumnDescriptor column;
    const Json* name = object.find("name");
    const Json* type = object.find("type");
    if (!name) fail("name", "a column has no name");
    column_ = column.name = text_of(*name, "name");
    if (!type) fail("type", "it has no type");
    column.type = type_of(text_of(*type, "type"));
    for (const auto& [key, value] : object)
      if (key != "name" && key != "type") set(column, key, value);
    return column;
  }

  Type type_of(const std::string& text) const {
    try {
      return parse_type(text);
    } catch (const IoSchemaError& e) {
      fail("type", e.what(), text);
    }
  }

  void set(ColumnDescriptor& column, const std::string& key, const Json& value) const {
    ColumnRule& rule = column.rule;
    if (key == "required")
      column.required = flag_of(value, key);
    else if (key == "inferred")
      column.inferred = flag_of(value, key);
    else if (key == "doc")
      column.doc = text_of(value, key);
    else if (key == "unit")
      column.unit = text_of(value, key);
    else if (key == "finite")
      rule.finite = flag_of(value, key);
    else if (key == "not_empty")
      rule.not_empty = flag_of(value, key);
    else if (key == "one_of")
      rule.allowed = texts_of(value, key);
    else if (key == "min")
      rule.min = number_of(value, key);
    else if (key == "max")
      rule.max = number_of(value, key);
    else if (key == "unique")
      rule.unique = flag_of(value, key);
    else if (key == "length")
      rule.length = length_of(value, key);
    else
      unknown(key, {"name", "type", "required", "inferred", "doc", "unit", "finite", "not_empty", "one_of",
                    "min", "max", "unique", "length"});
  }

  std::int64_t length_of(const Json& value, std::string_view key) const {
    const auto* length = value.get_if<std::int64_t>();
    if (!length) wrong(key, "an integer", value);
    return *length;
  }

  std::string table_, column_;
};

}  // namespace

bool is_table_name(std::string_view name) noexcept {
  return name.size() <= kMaxTableName && is_lower_snake(name);
}

std::string why_no_column_name(std::string_view name) {
  if (name == "_empty") return "the name \"_empty\" is kept for the format; take another name";
  if (name.empty()) return "the name is empty, and DuckDB knows no such name; take another name";
  if (!is_utf8(name)) return "this name is not UTF-8";
  if (name.find('\0') != std::string_view::npos)
    return "the name holds a NUL, where engines end it; take another name";
  const bool pattern = name == "*" || (name.size() > 1 && name.starts_with('^') && name.ends_with('$'));
  return pattern ? "Polars takes this name for a pattern of names; take another name" : "";
}

TableDescriptor define_table(TableDescriptor wanted) {
  Definition definition(std::move(wanted));
  definition.refuse_built_in();
  return definition.check();
}

Json to_json(const TableDescriptor& table) {
  JsonObject o;
  o.push_back("name", table.name);
  if (!table.version.date.empty()) o.push_back("version", table.version.text());
  if (!table.doc.empty()) o.push_back("doc", table.doc);
  JsonArray columns;
  for (const ColumnDescriptor& column : table.columns) columns.emplace_back(to_json(column));
  o.push_back("columns", std::move(columns));
  return o;
}

TableDescriptor table_from_json(const Json& json) {
  return Definition(DefinitionReader().read(json)).check();
}

// The last colon outside of brackets parts name and type.
ColumnDescriptor parse_column(std::string_view text) {
  std::size_t colon = std::string_view::npos;
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '[' || text[i] == '{' || text[i] == '(') ++depth;
    if (text[i] == ']' || text[i] == '}' || text[i] == ')') --depth;
    if (text[i] == ':' && depth == 0) colon = i;
  }
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size())
    raise(ErrorCode::bad_definition,
          quoted(text) + " is no column: a column is NAME:TYPE, or NAME:TYPE! where it is required.",
          {.key = "column", .value = std::string(text)});
  ColumnDescriptor column;
  column.name = text.substr(0, colon);
  std::string_view type = trim(text.substr(colon + 1));
  column.required = type.ends_with('!');
  if (column.required) type.remove_suffix(1);
  column.type = parse_type(type);
  return column;
}

bool same_definition(const TableDescriptor& a, const TableDescriptor& b) {
  return a.name == b.name && a.doc == b.doc && a.columns == b.columns;
}

}  // namespace crv::core
