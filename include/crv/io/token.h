// The name of an append.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace crv::io {

// Names an append for good: the same (writer, number) again is a no-op that returns the first summary.
struct Token {
  std::string writer;       // not empty, UTF-8, no control characters, at most 200 bytes
  std::int64_t number = 0;  // a writer's numbers only rise

  bool operator==(const Token&) const = default;
};

// Throws IoArgumentError (bad_argument) where the writer cannot be one.
void check_token(const Token& token);

// "writer:number", e.g. "engine:7"; the last colon divides it. Throws as check_token().
Token parse_token(std::string_view text);

// The token of one step of what `whole` names, where that is done in several commits: number `step` of the
// writer "<writer>:<number>". So the steps of one never stand in the way of those of another.
Token step_of(const Token& whole, std::int64_t step);

}  // namespace crv::io
