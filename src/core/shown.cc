#include "crv/core/shown.h"

#include <algorithm>
#include <cstdint>

#include "core/text.h"

namespace crv {
namespace {

unsigned char byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

// The bytes that the lead byte of a character asks for; 0 for a byte that begins none.
std::size_t length_of(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead < 0xe0) return 2;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  if (lead >= 0xf0 && lead < 0xf5) return 4;
  return 0;
}

struct Character {
  std::size_t size = 1;    // bytes
  std::uint32_t code = 0;  // code point, also half of a surrogate pair
  bool valid = false;      // else this is one byte that is not UTF-8
};

Character character_at(std::string_view text, std::size_t at) {
  constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const unsigned char lead = byte_at(text, at);
  const std::size_t size = length_of(lead);
  if (size == 0 || at + size > text.size()) return {1, lead, false};
  std::uint32_t code = size == 1 ? lead : lead & (0xffu >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte_at(text, at + i) & 0xc0) != 0x80) return {1, lead, false};
    code = code << 6 | (byte_at(text, at + i) & 0x3fu);
  }
  if (code < least[size] || code > 0x10ffff) return {1, lead, false};
  return {size, code, true};
}

void append_escape(std::string& out, std::string_view prefix, std::uint32_t number, int digits) {
  out += prefix;
  core::append_hex(number, digits, out);
}

bool is_half_of_a_pair(std::uint32_t code) {
  return code >= 0xd800 && code < 0xe000;
}

bool is_plain(const Character& c) {
  const bool control = c.code < 0x20 || (c.code >= 0x7f && c.code < 0xa0);
  const bool ends_line = c.code == 0x2028 || c.code == 0x2029;
  return c.valid && !control && !ends_line && !is_half_of_a_pair(c.code);
}

void append_escape(std::string& out, const Character& c) {
  if (c.valid && c.code == '\n')
    out += "\\n";
  else if (c.valid && c.code == '\r')
    out += "\\r";
  else if (c.valid && c.code == '\t')
    out += "\\t";
  else if (c.valid && c.code > 0xff)
    append_escape(out, "\\u", c.code, 4);
  else
    append_escape(out, "\\x", c.code, 2);
}

std::string escaped(std::string_view text, bool keep_lines) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Character c = character_at(text, at);
    if (is_plain(c) || (keep_lines && c.code == '\n' && c.valid))
      out += text.substr(at, c.size);
    else
      append_escape(out, c);
    at += c.size;
  }
  return out;
}

}  // namespace

std::string printable(std::string_view text) {
  return escaped(text, false);
}

std::string printable_lines(std::string_view text) {
  return escaped(text, true);
}

std::string shortened(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  std::size_t end = 0;
  for (std::size_t characters = 0; characters < most && end < text.size(); ++characters)
    end += character_at(text, end).size;
  return end == text.size() ? std::string(text) : std::string(text.substr(0, end)) + "...";
}

}  // namespace crv
