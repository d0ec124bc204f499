// Values of a caller in a message: on one line, as valid UTF-8, and not too long.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace crv {

// Characters that a message shows of a value, at the most.
inline constexpr std::size_t kMostShown = 120;

// Control characters, and the separators of lines and paragraphs, as escapes (\n, \x1b, \u2028); bytes that
// are not UTF-8 as \xNN; a half of a surrogate pair, as UTF-8 would have it, as \udNNN. All else as it is.
std::string printable(std::string_view text);
// The same, in which a line may end.
std::string printable_lines(std::string_view text);
// The text, or its first characters and "..." where it has more than `most`. Never cut within a character.
std::string shortened(std::string_view text, std::size_t most = kMostShown);

}  // namespace crv
