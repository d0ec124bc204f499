#include "core/utf8.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/rapidjson.h"
#include "core/text.h"

namespace crv {
namespace {

struct Nowhere {
  void Put(char) {}
};

constexpr std::uint64_t kHighBits = 0x8080808080808080;

// Its first eight bytes.
std::uint64_t word_of(std::string_view text) {
  std::uint64_t word = 0;
  std::memcpy(&word, text.data(), sizeof word);
  return word;
}

}  // namespace

bool is_ascii(std::string_view text) {
  std::uint64_t bits = 0;
  for (; text.size() >= sizeof bits; text.remove_prefix(sizeof bits)) bits |= word_of(text);
  for (const char c : text) bits |= static_cast<unsigned char>(c);
  return (bits & kHighBits) == 0;
}

bool is_utf8(std::string_view text) {
  while (text.size() >= sizeof kHighBits && (word_of(text) & kHighBits) == 0)
    text.remove_prefix(sizeof kHighBits);
  rapidjson::MemoryStream in(text.data(), text.size());
  Nowhere out;
  while (in.Tell() < text.size())
    if (!rapidjson::UTF8<>::Validate(in, out)) return false;
  return true;
}

std::string as_utf8(std::string_view text) {
  if (is_utf8(text)) return std::string(text);
  constexpr std::size_t longest = 4;  // bytes of a character
  std::string result;
  while (!text.empty()) {
    std::size_t length = std::min(text.size(), longest);
    while (length > 0 && !is_utf8(text.substr(0, length))) --length;
    if (length > 0) {
      result += text.substr(0, length);
    } else {
      result += "\\x";
      core::append_hex(static_cast<unsigned char>(text[0]), 2, result);
      length = 1;
    }
    text.remove_prefix(length);
  }
  return result;
}

}  // namespace crv
