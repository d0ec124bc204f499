#include "io/log/checked_json.h"

#include "crv/core/shown.h"
#include "io/base/checksum.h"

namespace crv::io {
namespace {

std::string shown(const Json& value) {
  return shortened(write_json(value), 80);
}

}  // namespace

void Origin::damaged(const std::string& why, std::string key, std::string value) const {
  ErrorFacts facts{.table = table, .key = std::move(key), .value = std::move(value), .path = path};
  if (seq >= 0) facts.seq = seq;
  raise(code, what + " in " + path + " is damaged: " + why + ".", std::move(facts));
}

Json parse_sound(std::string_view text, const Origin& origin) {
  try {
    return parse_json(text);
  } catch (const SchemaError& e) {
    origin.damaged(e.what());
  }
}

const Json* Checked::find(std::string_view key) const {
  const auto* object = json_.get_if<JsonObject>();
  if (!object) origin_.damaged("an object was expected, not " + shown(json_));
  return object->find(key);
}

const Json& Checked::require(std::string_view key) const {
  const Json* value = find(key);
  if (!value) damaged(key, "is missing");
  return *value;
}

const Json& Checked::at(std::size_t i) const {
  const auto* array = json_.get_if<JsonArray>();
  if (!array || i >= array->size()) origin_.damaged("a longer array was expected, not " + shown(json_));
  return (*array)[i];
}

std::int64_t Checked::integer_of(const Json& value, std::string_view key, std::int64_t at_least) const {
  const auto* number = value.get_if<std::int64_t>();
  if (!number || *number < at_least)
    origin_.damaged('"' + std::string(key) + "\" has the impossible value " + shown(value), std::string(key),
                    shown(value));
  return *number;
}

std::string Checked::text(std::string_view key) const {
  const Json& value = require(key);
  const auto* text = value.get_if<std::string>();
  if (!text)
    origin_.damaged('"' + std::string(key) + "\" is no text: " + shown(value), std::string(key),
                    shown(value));
  return *text;
}

std::int64_t Checked::integer(std::string_view key, std::int64_t at_least) const {
  return integer_of(require(key), key, at_least);
}

const JsonObject& Checked::object(std::string_view key) const {
  const Json& value = require(key);
  const auto* object = value.get_if<JsonObject>();
  if (!object) damaged(key, "is no object");
  return *object;
}

std::vector<Checked> Checked::items(std::string_view key) const {
  const Json& value = require(key);
  const auto* array = value.get_if<JsonArray>();
  if (!array) damaged(key, "is no array");
  std::vector<Checked> out;
  out.reserve(array->size());
  for (const Json& item : *array) out.emplace_back(item, origin_);
  return out;
}

std::vector<Checked> Checked::items_if_any(std::string_view key) const {
  return find(key) ? items(key) : std::vector<Checked>{};
}

std::int64_t Checked::integer_at(std::size_t i, std::int64_t at_least) const {
  return integer_of(at(i), std::to_string(i), at_least);
}

std::string Checked::text_at(std::size_t i) const {
  return Checked(at(i), origin_).as_text();
}

std::string Checked::as_text() const {
  const auto* text = json_.get_if<std::string>();
  if (!text) origin_.damaged("a text was expected, not " + shown(json_));
  return *text;
}

void Checked::damaged(std::string_view key, const std::string& why) const {
  origin_.damaged('"' + std::string(key) + "\" " + why, std::string(key));
}

// The checksum is over all that stands before it.
void seal(std::string& object, Layout layout) {
  const SealMarks marks = seal_marks(layout);
  object.resize(object.size() - (marks.after.size() - 1));  // the end of the object, without the quote
  object += std::string(marks.before) + checksum_text(object) + std::string(marks.after);
}

bool is_sealed(std::string_view object, Layout layout) {
  const SealMarks marks = seal_marks(layout);
  if (object.size() < marks.length()) return false;
  const std::string_view before = object.substr(0, object.size() - marks.length());
  const std::string_view end = object.substr(before.size());
  return end.starts_with(marks.before) && end.ends_with(marks.after) &&
         end.substr(marks.before.size(), 16) == checksum_text(before);
}

void check_format(const Checked& json) {
  std::int64_t format = json.integer("format", 1);
  if (format > kFormatNumber)
    raise(ErrorCode::format_too_new,
          "This run is of format " + std::to_string(format) + "; this crv knows formats up to " +
              std::to_string(kFormatNumber) + ". Use a newer crv.",
          {.key = "format", .value = std::to_string(format)});
}

}  // namespace crv::io
