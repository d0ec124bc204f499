// Parsing over simdjson's On-Demand reader, which finds the tokens and checks the structure, the strings and
// the UTF-8. Numbers and words are read here from their raw tokens, since integers may be beyond 64 bits.
#include <simdjson.h>
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "crv/core/error.h"
#include "crv/core/json.h"

namespace crv {
namespace {

namespace od = simdjson::ondemand;

constexpr int max_depth = 512;
constexpr std::string_view blanks = " \t\n\r";

std::string_view trim_end(std::string_view text) {
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Length of the run of digits at the start.
std::size_t digits_in(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, is_digit) - text.begin());
}

// JSON's grammar of a number: -? (0 | [1-9] digits) (. digits)? ([eE] [+-]? digits)?
struct NumberShape {
  bool valid = false;
  bool integral = true;
};

NumberShape shape_of(std::string_view token) {
  NumberShape shape;
  if (token.starts_with('-')) token.remove_prefix(1);
  const std::size_t whole = digits_in(token);
  if (whole == 0 || (whole > 1 && token.front() == '0')) return shape;
  token.remove_prefix(whole);
  if (token.starts_with('.')) {
    shape.integral = false;
    const std::size_t fraction = digits_in(token.substr(1));
    if (fraction == 0) return shape;
    token.remove_prefix(1 + fraction);
  }
  if (token.starts_with('e') || token.starts_with('E')) {
    shape.integral = false;
    token.remove_prefix(1);
    if (token.starts_with('+') || token.starts_with('-')) token.remove_prefix(1);
    const std::size_t exponent = digits_in(token);
    if (exponent == 0) return shape;
    token.remove_prefix(exponent);
  }
  shape.valid = token.empty();
  return shape;
}

// Beyond the range of a double the value is 0 or infinite, as in Python. from_chars says only that it is out
// of range.
double read_double(std::string_view token) {
  double value = 0;
  const auto result = std::from_chars(token.data(), token.data() + token.size(), value);
  if (result.ec == std::errc::result_out_of_range) return std::strtod(std::string(token).c_str(), nullptr);
  return value;
}

// Of keys that stand twice: the first place, the last value.
JsonObject object_of(std::vector<JsonMember> members) {
  std::vector<std::size_t> order(members.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) -> std::string_view { return members[i].first; });
  std::vector<bool> repeated(members.size());
  for (std::size_t i = 0; i < order.size();) {
    const std::size_t first = order[i];
    for (++i; i < order.size() && members[order[i]].first == members[first].first; ++i) {
      repeated[order[i]] = true;
      members[first].second = std::move(members[order[i]].second);
    }
  }
  JsonObject object;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (!repeated[i]) object.push_back(std::move(members[i].first), std::move(members[i].second));
  }
  return object;
}

[[noreturn]] void raise_bad_json(const std::string& what, std::optional<std::size_t> offset) {
  std::string where;
  if (offset) where = " (at byte " + std::to_string(*offset) + ")";
  raise(ErrorCode::bad_json, "Not valid JSON: " + what + where);
}

std::string text_of(simdjson::error_code code) {
  switch (code) {
    case simdjson::INCOMPLETE_ARRAY_OR_OBJECT:
      return "it does not end with the bracket that closes it";
    case simdjson::TAPE_ERROR:
      return "a comma, a colon, a key or a bracket is missing or too many";
    case simdjson::UTF8_ERROR:
      return "it is not UTF-8";
    default:
      return simdjson::error_message(code);
  }
}

// Reads one document that is an array or an object.
class Reader {
 public:
  // `hidden` characters at the start of `text` are not the caller's.
  Reader(std::string_view text, std::size_t hidden) : padded_(text), hidden_(hidden) {}

  Json read() {
    thread_local od::parser parser;
    if (const auto code = parser.iterate(padded_).get(document_)) raise_bad_json(text_of(code), std::nullopt);
    const bool is_array = at_first_token() == '[';
    Json value = is_array ? read_array(document_, 0) : read_object(document_, 0);
    const char* rest = nullptr;
    if (document_.current_location().get(rest) == simdjson::SUCCESS)
      fail("there is text after its end", rest);
    return value;
  }

 private:
  char at_first_token() const {
    const std::string_view text(padded_.data(), padded_.size());
    return text[text.find_first_not_of(blanks)];
  }

  Json read_value(od::value& value, int depth) {
    const std::string_view token = trim_end(value.raw_json_token());
    const char first = token.empty() ? '\0' : token.front();
    if ((first == '{' || first == '[') && depth >= max_depth) {
      fail("it is nested deeper than " + std::to_string(max_depth) + " levels", token.data());
    }
    switch (first) {
      case '{':
        return read_object(value, depth);
      case '[':
        return read_array(value, depth);
      case '"': {
        std::string_view text;
        check(value.get_string().get(text));
        return Json(text);
      }
      default:
        return read_scalar(token);  // what is not taken from the reader is passed over by its loop
    }
  }

  template <class Source>
  Json read_object(Source& source, int depth) {
    od::object object;
    check(source.get_object().get(object));
    std::vector<JsonMember> members;
    for (auto result : object) {
      od::field field;
      check(std::move(result).get(field));
      std::string_view key;
      check(field.unescaped_key().get(key));
      std::string name(key);
      members.emplace_back(std::move(name), read_value(field.value(), depth + 1));
    }
    return Json(object_of(std::move(members)));
  }

  template <class Source>
  Json read_array(Source& source, int depth) {
    od::array array;
    check(source.get_array().get(array));
    JsonArray out;
    for (auto result : array) {
      od::value item;
      check(std::move(result).get(item));
      out.push_back(read_value(item, depth + 1));
    }
    return Json(std::move(out));
  }

  Json read_scalar(std::string_view token) {
    if (token == "null") return Json(nullptr);
    if (token == "true") return Json(true);
    if (token == "false") return Json(false);
    if (token == "NaN") return Json(std::numeric_limits<double>::quiet_NaN());
    if (token == "Infinity") return Json(std::numeric_limits<double>::infinity());
    if (token == "-Infinity") return Json(-std::numeric_limits<double>::infinity());
    const NumberShape shape = shape_of(token);
    if (!shape.valid) fail("`" + std::string(token.substr(0, 40)) + "` is not a JSON value", token.data());
    if (!shape.integral) return Json(read_double(token));
    std::int64_t integer = 0;
    const auto result = std::from_chars(token.data(), token.data() + token.size(), integer);
    if (result.ec == std::errc()) return Json(integer);
    return Json(BigInt{std::string(token)});
  }

  void check(simdjson::error_code code) {
    // The reader says this at the start of the text, which tells nobody anything.
    if (code == simdjson::INCOMPLETE_ARRAY_OR_OBJECT) raise_bad_json(text_of(code), std::nullopt);
    if (code != simdjson::SUCCESS) fail(text_of(code));
  }

  [[noreturn]] void fail(const std::string& what) {
    const char* at = nullptr;
    if (document_.current_location().get(at) != simdjson::SUCCESS) at = nullptr;
    fail(what, at);
  }

  [[noreturn]] void fail(const std::string& what, const char* at) {
    const char* end = padded_.data() + padded_.size();
    if (at == nullptr || at < padded_.data() || at > end) raise_bad_json(what, std::nullopt);
    const auto offset = static_cast<std::size_t>(at - padded_.data());
    raise_bad_json(what, offset - std::min(offset, hidden_));
  }

  simdjson::padded_string padded_;
  std::size_t hidden_;
  od::document document_;
};

}  // namespace

Json parse_json(std::string_view text) {
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) raise_bad_json("the text is empty", 0);
  if (text[first] == '{' || text[first] == '[') return Reader(text, 0).read();
  // On-Demand checks what follows a value only inside an array, so a lone scalar is read as the item of one.
  Json wrapped = Reader("[" + std::string(text) + "]", 1).read();
  JsonArray& items = *wrapped.get_if<JsonArray>();
  if (items.size() != 1) raise_bad_json("there is text after its end", std::nullopt);
  return std::move(items.front());
}

}  // namespace crv
