#include "io/arrow/json_column.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_map>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/buffer_builder.h>
#include <arrow/type.h>

#include "core/number_text.h"
#include "core/utf8.h"
#include "crv/core/shown.h"
#include "io/arrow/arrow_types.h"
#include "io/arrow/place.h"

namespace crv::io {

namespace {

enum class Kind { unknown, boolean, integer, floating, text, list, object };

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::unknown:
      return "null";
    case Kind::boolean:
      return "a bool";
    case Kind::integer:
      return "an integer";
    case Kind::floating:
      return "a number";
    case Kind::text:
      return "text";
    case Kind::list:
      return "a list";
    case Kind::object:
      return "an object";
  }
  return "";
}

std::string shown(const Json& value) {
  return text_of(value);
}
std::string shown(const std::vector<JsonObject>& value) {
  return text_of(JsonArray(value.begin(), value.end()));
}

bool fits_f64(std::int64_t value) {
  return value <= core::kExactInF64 && value >= -core::kExactInF64;
}

void ok(const arrow::Status& status) {
  check(status, ErrorCode::bad_argument);
}

}  // namespace

struct JsonColumn::State {
  State(std::string name, const Type* known, int around)
      : path(std::move(name)), declared(known), depth(around) {}

  std::string path;
  const Type* declared;
  int depth;
  Kind kind = Kind::unknown;
  std::int64_t first_row = 0;  // that gave the kind
  std::int64_t length = 0;     // values so far, nulls included

  arrow::Int64Builder integers;
  arrow::DoubleBuilder floats;
  arrow::BooleanBuilder bools;
  arrow::StringBuilder texts;
  arrow::TypedBufferBuilder<bool> valid;            // of lists and objects
  arrow::TypedBufferBuilder<std::int32_t> offsets;  // of lists: begin of each
  std::vector<JsonColumn> children;                 // of a list: its elements
  std::vector<std::string> names;                   // of an object: those of its children
  std::unordered_map<std::string, std::size_t> by_name;
  std::optional<std::pair<std::int64_t, std::int64_t>> exact;  // first integer beyond +-2^53, and its row

  [[noreturn]] void fail(ErrorCode code, std::int64_t row, const std::string& value,
                         const std::string& why) const {
    ErrorFacts facts;
    facts.column = path;
    facts.row = row;
    facts.value = value;
    raise(code, "column \"" + path + "\", row " + std::to_string(row) + ": " + why, facts);
  }

  // Takes `offered` as the kind of this path, or refuses it.
  template <class Value>
  void meet(Kind offered, const Value& value, std::int64_t row) {
    if (kind == offered) return;
    if (kind == Kind::unknown) {
      kind = offered;
      first_row = row;
      const std::int64_t before = std::exchange(length, 0);
      pad(before);
    } else if (kind == Kind::integer && offered == Kind::floating) {
      widen(row, shown(value));
    } else if (!(kind == Kind::floating && offered == Kind::integer)) {
      fail(ErrorCode::type_conflict, row, shown(value),
           std::string(name_of(offered)) + " does not meet what this path holds since row " +
               std::to_string(first_row) + ": " + name_of(kind));
    }
  }

  void widen(std::int64_t row, const std::string& value) {
    if (exact) {
      fail(ErrorCode::lossy_cast, exact->second, std::to_string(exact->first),
           "this integer is beyond +-2^53 and would lose digits, since row " + std::to_string(row) +
               " makes this path one of floating-point numbers (" + value + ")");
    }
    std::shared_ptr<arrow::Int64Array> narrow;
    ok(integers.Finish(&narrow));
    ok(floats.Reserve(narrow->length()));
    for (std::int64_t i = 0; i < narrow->length(); ++i)
      if (narrow->IsNull(i))
        floats.UnsafeAppendNull();
      else
        floats.UnsafeAppend(static_cast<double>(narrow->Value(i)));
    kind = Kind::floating;
  }

  // Nulls up to `count` values.
  void pad(std::int64_t count) {
    const std::int64_t missing = count - length;
    if (missing <= 0) return;
    length = count;
    switch (kind) {
      case Kind::unknown:
        return;
      case Kind::boolean:
        return ok(bools.AppendNulls(missing));
      case Kind::integer:
        return ok(integers.AppendNulls(missing));
      case Kind::floating:
        return ok(floats.AppendNulls(missing));
      case Kind::text:
        return ok(texts.AppendNulls(missing));
      case Kind::list:
        ok(offsets.Append(missing, list_end()));
        break;
      case Kind::object:
        break;
    }
    ok(valid.Append(missing, false));
  }

  std::int32_t list_end() const {
    const std::int64_t end = children.empty() ? 0 : children[0].state_->length;
    if (end > INT32_MAX) fail(ErrorCode::bad_argument, first_row, "", "too many list elements for one frame");
    return static_cast<std::int32_t>(end);
  }

  void add(bool value) { ok(bools.Append(value)); }
  void add(double value) { ok(floats.Append(value)); }

  void add(const std::string& value, std::int64_t row) {
    if (!is_utf8(value)) fail(ErrorCode::wrong_type, row, as_utf8(value), "this text is not UTF-8");
    ok(texts.Append(value));
  }

  void add(std::int64_t value, std::int64_t row) {
    if (!fits_f64(value)) {
      if (kind == Kind::floating) {
        fail(ErrorCode::lossy_cast, row, std::to_string(value),
             "this integer is beyond +-2^53 and would lose digits among floating-point numbers");
      }
      if (!exact) exact = std::pair(value, row);
    }
    if (kind == Kind::floating) return ok(floats.Append(static_cast<double>(value)));
    ok(integers.Append(value));
  }

  // No part holds deeper types, and nobody could read them: see conform.
  void check_depth(std::int64_t row) const {
    if (depth < kMaxTypeDepth) return;
    ErrorFacts facts;
    facts.column = path;
    facts.row = row;
    raise(ErrorCode::wrong_type,
          "column \"" + shortened(path) + "\", row " + std::to_string(row) + ": nested deeper than " +
              std::to_string(kMaxTypeDepth) + " levels",
          facts);
  }

  template <class Elements>
  void add_list(const Elements& elements, std::int64_t row) {
    check_depth(row);
    if (children.empty()) children.emplace_back(path + "[]", elements_of(declared), depth + 1);
    ok(offsets.Append(list_end()));
    ok(valid.Append(true));
    State& below = *children[0].state_;
    for (const auto& element : elements) children[0].append(below.length, element, row);
  }

  void add_object(std::int64_t index, const JsonObject& object, std::int64_t row) {
    check_depth(row);
    ok(valid.Append(true));
    std::size_t guess = 0;  // keys mostly come in the same order in every row
    for (const auto& [key, value] : object) {
      const std::size_t at = guess < names.size() && names[guess] == key ? guess : child_named(key);
      guess = at + 1;
      if (children[at].state_->length > index) {
        children[at].state_->fail(ErrorCode::duplicate_column, row, key,
                                  "this key stands twice in one object");
      }
      children[at].append(index, value, row);
    }
  }

  std::size_t child_named(const std::string& key) {
    const auto [found, added] = by_name.try_emplace(key, names.size());
    if (added) {
      names.push_back(key);
      children.emplace_back(path.empty() ? key : path + "." + key, field_of(declared, key), depth + 1);
    }
    return found->second;
  }

  std::shared_ptr<arrow::Array> finish_list() {
    ok(offsets.Append(list_end()));
    const std::int64_t count = children.empty() ? 0 : children[0].state_->length;
    const std::shared_ptr<arrow::Array> elements =
        children.empty() ? std::make_shared<arrow::NullArray>(0) : children[0].finish(count);
    const std::int64_t nulls = valid.false_count();
    auto type = arrow::list(arrow::field("element", elements->type()));
    return std::make_shared<arrow::ListArray>(std::move(type), length,
                                              check(offsets.Finish(), ErrorCode::bad_argument), elements,
                                              check(valid.Finish(), ErrorCode::bad_argument), nulls);
  }

  std::shared_ptr<arrow::Array> finish_object() {
    arrow::FieldVector fields;
    arrow::ArrayVector arrays;
    for (std::size_t i = 0; i < children.size(); ++i) {
      arrays.push_back(children[i].finish(length));
      fields.push_back(arrow::field(names[i], arrays.back()->type()));
    }
    const std::int64_t nulls = valid.false_count();
    return std::make_shared<arrow::StructArray>(arrow::struct_(fields), length, arrays,
                                                check(valid.Finish(), ErrorCode::bad_argument), nulls);
  }
};

JsonColumn::JsonColumn(std::string path, const Type* declared, int depth)
    : state_(std::make_unique<State>(std::move(path), declared, depth)) {}
JsonColumn::~JsonColumn() = default;
JsonColumn::JsonColumn(JsonColumn&&) noexcept = default;
JsonColumn& JsonColumn::operator=(JsonColumn&&) noexcept = default;

void JsonColumn::append(std::int64_t index, const Json& value, std::int64_t row) {
  State& state = *state_;
  const auto take = [&](Kind kind) {
    state.meet(kind, value, row);
    state.pad(index);
    ++state.length;
  };
  const bool is_text = state.declared != nullptr && state.declared->kind == Type::Kind::str;
  if (const auto* text = value.get_if<std::string>()) {
    take(Kind::text);
    state.add(*text, row);
  } else if (const auto* number = value.get_if<double>()) {
    if (is_text && std::isnan(*number)) return state.pad(index + 1);
    take(Kind::floating);
    state.add(*number);
  } else if (const auto* integer = value.get_if<std::int64_t>()) {
    take(Kind::integer);
    state.add(*integer, row);
  } else if (const auto* truth = value.get_if<bool>()) {
    take(Kind::boolean);
    state.add(*truth);
  } else if (const auto* array = value.get_if<JsonArray>()) {
    take(Kind::list);
    state.add_list(*array, row);
  } else if (const auto* object = value.get_if<JsonObject>()) {
    append(index, *object, row);
  } else if (const auto* big = value.get_if<BigInt>()) {
    if (is_text) {
      take(Kind::text);
      return state.add(big->digits, row);
    }
    state.fail(ErrorCode::lossy_cast, row, big->digits, "this integer does not fit into 64 bits");
  } else {
    state.pad(index + 1);
  }
}

void JsonColumn::append(std::int64_t index, const JsonObject& value, std::int64_t row) {
  state_->meet(Kind::object, value, row);
  state_->pad(index);
  ++state_->length;
  state_->add_object(index, value, row);
}

void JsonColumn::append(std::int64_t index, const std::vector<JsonObject>& value, std::int64_t row) {
  state_->meet(Kind::list, value, row);
  state_->pad(index);
  ++state_->length;
  state_->add_list(value, row);
}

std::shared_ptr<arrow::Array> JsonColumn::finish(std::int64_t length) {
  State& state = *state_;
  state.pad(length);
  std::shared_ptr<arrow::Array> result;
  switch (state.kind) {
    case Kind::unknown:
      return std::make_shared<arrow::NullArray>(length);
    case Kind::boolean:
      ok(state.bools.Finish(&result));
      break;
    case Kind::integer:
      ok(state.integers.Finish(&result));
      break;
    case Kind::floating:
      ok(state.floats.Finish(&result));
      break;
    case Kind::text:
      ok(state.texts.Finish(&result));
      break;
    case Kind::list:
      return state.finish_list();
    case Kind::object:
      return state.finish_object();
  }
  return result;
}

}  // namespace crv::io
