// The JSON value itself and its text forms. Parsing is in json_parse.cc.
#include "crv/core/json.h"
#include "core/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "core/utf8.h"
#include "crv/core/error.h"
#include "crv/core/shown.h"

namespace crv {

JsonObject::JsonObject(std::initializer_list<JsonMember> members) {
  members_.reserve(members.size());
  for (const JsonMember& member : members) (*this)[member.first] = member.second;
}

JsonObject::JsonObject(Members members) : members_(std::move(members)) {}

const Json* JsonObject::find(std::string_view key) const {
  for (const JsonMember& member : members_)
    if (member.first == key) return &member.second;
  return nullptr;
}

Json* JsonObject::find(std::string_view key) {
  return const_cast<Json*>(std::as_const(*this).find(key));
}

Json& JsonObject::operator[](std::string_view key) {
  if (Json* found = find(key)) return *found;
  return members_.emplace_back(std::string(key), Json()).second;
}

void JsonObject::push_back(std::string key, Json value) {
  members_.emplace_back(std::move(key), std::move(value));
}

namespace {

std::vector<const JsonMember*> sorted_members(const JsonObject& object) {
  std::vector<const JsonMember*> members;
  members.reserve(object.size());
  for (const JsonMember& member : object) members.push_back(&member);
  // Comparing UTF-8 as bytes is comparing by code point.
  std::ranges::stable_sort(members, {}, &JsonMember::first);
  return members;
}

}  // namespace

bool JsonObject::operator==(const JsonObject& other) const {
  if (size() != other.size()) return false;
  return std::ranges::equal(sorted_members(*this), sorted_members(other),
                            [](const JsonMember* a, const JsonMember* b) { return *a == *b; });
}

std::string format_double(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  std::array<char, 32> buffer;
  const auto written =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
  std::string_view text(buffer.data(), static_cast<std::size_t>(written.ptr - buffer.data()));
  std::string out;
  if (text.front() == '-') {
    out += '-';
    text.remove_prefix(1);
  }
  const std::size_t e = text.find('e');
  std::string digits(text.substr(0, 1));
  if (e > 2) digits += text.substr(2, e - 2);
  int exponent = 0;
  const std::size_t sign = text[e + 1] == '+' ? 1 : 0;
  std::from_chars(text.data() + e + 1 + sign, text.data() + text.size(), exponent);

  if (exponent < -4 || exponent >= 16) {
    out += digits.substr(0, 1);
    if (digits.size() > 1) out += "." + digits.substr(1);
    out += exponent < 0 ? "e-" : "e+";
    const int magnitude = std::abs(exponent);
    if (magnitude < 10) out += '0';
    return out + std::to_string(magnitude);
  }
  if (exponent < 0) return out + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  const std::size_t whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole) return out + digits + std::string(whole - digits.size(), '0') + ".0";
  return out + digits.substr(0, whole) + "." + digits.substr(whole);
}

namespace {

class Writer {
 public:
  Writer(const JsonStyle& style, std::string& out)
      : style_(style), out_(out), colon_(style.indent > 0 || style.spaces ? ": " : ":") {}

  void write(const Json& value) {
    std::visit([this](const auto& v) { write(v); }, value.value());
  }

 private:
  void write(std::nullptr_t) { out_ += "null"; }
  void write(bool value) { out_ += value ? "true" : "false"; }
  void write(const BigInt& value) { out_ += value.digits; }

  void write(std::int64_t value) {
    std::array<char, 24> buffer;
    out_.append(buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr);
  }

  void write(double value) {
    const std::string text = format_double(value);
    if (style_.refuse_nonfinite && !std::isfinite(value))
      raise(ErrorCode::bad_json, text + " has no form in JSON: use a number or null", {.value = text});
    out_ += text;
  }

  void write(const std::string& text) {
    if (!is_utf8(text)) {
      if (style_.any_bytes) return write(printable(text));
      raise(ErrorCode::bad_json,
            "A text is not valid UTF-8 and so cannot be written as JSON: \"" + shortened(text) + '"',
            {.value = shortened(text)});
    }
    out_ += '"';
    for (std::size_t at = 0; at < text.size();) at += write_character(text, at);
    out_ += '"';
  }

  // Returns how many bytes of `text` it has written.
  std::size_t write_character(const std::string& text, std::size_t at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    switch (byte) {
      case '"':
        out_ += "\\\"";
        return 1;
      case '\\':
        out_ += "\\\\";
        return 1;
      case '\b':
        out_ += "\\b";
        return 1;
      case '\f':
        out_ += "\\f";
        return 1;
      case '\n':
        out_ += "\\n";
        return 1;
      case '\r':
        out_ += "\\r";
        return 1;
      case '\t':
        out_ += "\\t";
        return 1;
      default:
        break;
    }
    if (byte < 0x20 || (style_.ascii && byte == 0x7f)) {
      write_escape(byte);
      return 1;
    }
    if (byte < 0x80 || !style_.ascii) {
      out_ += text[at];
      return 1;
    }
    return write_escaped_sequence(text, at);
  }

  // A multi-byte character of text that is known to be valid UTF-8.
  std::size_t write_escaped_sequence(const std::string& text, std::size_t at) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const std::size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    std::uint32_t code = lead & (0xffu >> (length + 1));
    for (std::size_t i = 1; i < length; ++i)
      code = code << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3fu);
    if (code < 0x10000) {
      write_escape(code);
    } else {
      write_escape(0xd800 + ((code - 0x10000) >> 10));
      write_escape(0xdc00 + ((code - 0x10000) & 0x3ff));
    }
    return length;
  }

  void write_escape(std::uint32_t unit) {
    out_ += "\\u";
    core::append_hex(unit, 4, out_);
  }

  void write(const JsonArray& array) {
    if (array.empty()) {
      out_ += "[]";
      return;
    }
    out_ += '[';
    ++depth_;
    bool first = true;
    for (const Json& item : array) {
      separate(first);
      write(item);
    }
    close(']');
  }

  void write(const JsonObject& object) {
    if (object.empty()) {
      out_ += "{}";
      return;
    }
    out_ += '{';
    ++depth_;
    bool first = true;
    const auto write_member = [&](const JsonMember& member) {
      separate(first);
      write(member.first);
      out_ += colon_;
      write(member.second);
    };
    if (style_.sort_keys)
      for (const JsonMember* member : sorted_members(object)) write_member(*member);
    else
      for (const JsonMember& member : object) write_member(member);
    close('}');
  }

  void separate(bool& first) {
    if (!first) out_ += style_.spaces && style_.indent == 0 ? ", " : ",";
    first = false;
    break_line();
  }

  void close(char bracket) {
    --depth_;
    break_line();
    out_ += bracket;
  }

  void break_line() {
    if (style_.indent == 0) return;
    out_ += '\n';
    out_.append(static_cast<std::size_t>(style_.indent) * depth_, ' ');
  }

  const JsonStyle& style_;
  std::string& out_;
  std::string_view colon_;
  std::size_t depth_ = 0;
};

}  // namespace

void write_json(const Json& value, const JsonStyle& style, std::string& out) {
  Writer(style, out).write(value);
}

std::string write_json(const Json& value, const JsonStyle& style) {
  std::string out;
  write_json(value, style, out);
  return out;
}

}  // namespace crv
