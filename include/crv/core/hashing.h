// Canonical JSON and hashes over it, equal to those of the older package digit by digit.
#pragma once

#include <string>
#include <string_view>

#include "crv/core/json.h"
#include "crv/core/serde.h"

namespace crv::core {

// Keys sorted by code point, no blanks, no ASCII escaping. NaN and infinities are written as Python writes
// them. Throws SchemaError (bad_json) for text that is not UTF-8.
std::string canonical_json(const Json& value);

// 64 lower-case hex digits.
std::string sha256_hex(std::string_view bytes);

// SHA-256 of the canonical JSON. The three are the same; the name says what is hashed.
std::string hash_row(const JsonObject& row);
std::string hash_context(const JsonObject& context);
std::string hash_state(const JsonObject& state);

// Of a struct: the hash of to_json() of it.
template <IsModel Model>
std::string hash_row(const Model& model) {
  return hash_row(to_json(model));
}
template <IsModel Model>
std::string hash_context(const Model& model) {
  return hash_context(to_json(model));
}
template <IsModel Model>
std::string hash_state(const Model& model) {
  return hash_state(to_json(model));
}

}  // namespace crv::core
