#include "io/formats/json_array.h"

#include "crv/core/error.h"

namespace crv::io {

namespace {

constexpr std::size_t kChunk = std::size_t{1} << 16;

}  // namespace

int JsonArrayReader::peek() {
  if (at_ == chunk_.size()) {
    chunk_.resize(kChunk);
    chunk_.resize(static_cast<std::size_t>(input_.read_some(chunk_.data(), kChunk)));
    at_ = 0;
    if (chunk_.empty()) return -1;
  }
  return static_cast<unsigned char>(chunk_[at_]);
}

void JsonArrayReader::take() {
  line_ += chunk_[at_] == '\n' ? 1 : 0;
  ++at_;
}

int JsonArrayReader::skip_space() {
  int c = peek();
  while (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
    take();
    c = peek();
  }
  return c;
}

void JsonArrayReader::fail(const std::string& what) const {
  ErrorFacts facts;
  facts.line = line_;
  raise(ErrorCode::bad_json, "line " + std::to_string(line_) + ": not a valid JSON array: " + what, facts);
}

// Up to the comma or bracket behind it.
void JsonArrayReader::take_element() {
  element_.clear();
  int depth = 0;
  bool in_text = false;
  for (int c = peek(); in_text || depth > 0 || (c != ',' && c != ']'); c = peek()) {
    if (c < 0) fail("it ends inside of an element");
    element_ += static_cast<char>(c);
    take();
    if (in_text) {
      if (c == '\\' && peek() >= 0) {
        element_ += static_cast<char>(peek());
        take();
      }
      in_text = c != '"';
    } else {
      in_text = c == '"';
      depth += c == '{' || c == '[' ? 1 : c == '}' || c == ']' ? -1 : 0;
    }
  }
}

std::optional<std::string_view> JsonArrayReader::next() {
  if (ended_) return std::nullopt;
  const bool first = !begun_;
  if (first) {
    while (peek() == 0xEF || peek() == 0xBB || peek() == 0xBF)  // a byte order mark
      take();
    skip_space();
    take();  // the bracket, by which the caller knew it
    begun_ = true;
  }
  int c = skip_space();
  if (!first && c == ',') {
    take();
    c = skip_space();
  } else if (c == ']') {
    take();
    ended_ = true;
    if (skip_space() >= 0) fail("something stands after its end");
    return std::nullopt;
  } else if (!first) {
    fail(c < 0 ? "its end is missing" : "a comma or bracket is missing after an element");
  }
  if (c < 0 || c == ',' || c == ']') fail(c < 0 ? "its end is missing" : "an element is missing");
  first_line_ = line_;
  take_element();
  return element_;
}

}  // namespace crv::io
