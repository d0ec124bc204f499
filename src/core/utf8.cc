#include "core/utf8.h"

#include <algorithm>
#include <cstddef>

#include "core/rapidjson.h"
#include "core/text.h"

namespace crv {
namespace {

struct Nowhere {
  void Put(char) {}
};

}  // namespace

bool is_utf8(std::string_view text) {
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
