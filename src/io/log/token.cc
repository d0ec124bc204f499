#include "crv/io/token.h"

#include <algorithm>

#include "core/number_text.h"
#include "core/utf8.h"
#include "crv/core/error.h"

namespace crv::io {

void check_token(const Token& token) {
  const std::string& writer = token.writer;
  const bool bad =
      writer.empty() || writer.size() > 200 || !is_utf8(writer) ||
      std::any_of(writer.begin(), writer.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (bad)
    raise(ErrorCode::bad_argument,
          "A token's writer must be 1 to 200 bytes of UTF-8 without control characters.",
          {.key = "token.writer", .value = writer});
}

Token parse_token(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const std::string_view digits = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  const auto number = core::parse_number<std::int64_t>(digits);
  if (!number)
    raise(ErrorCode::bad_argument,
          "A token is writer:number, e.g. engine:7, with a number of 64 bits; this is not: " +
              std::string(text),
          {.key = "token", .value = std::string(text)});
  Token token{std::string(text.substr(0, colon)), *number};
  check_token(token);
  return token;
}

Token step_of(const Token& whole, std::int64_t step) {
  return {whole.writer + ':' + std::to_string(whole.number), step};
}

}  // namespace crv::io
