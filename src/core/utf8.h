#pragma once

#include <string_view>

namespace crv {

bool is_utf8(std::string_view text);

}  // namespace crv
