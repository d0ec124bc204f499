#pragma once

#include <string>
#include <string_view>

namespace crv {

bool is_ascii(std::string_view text);
bool is_utf8(std::string_view text);
// The text with each byte that is no part of UTF-8 as "\xe9", and all else as it is.
std::string as_utf8(std::string_view text);

}  // namespace crv
