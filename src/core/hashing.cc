#include "crv/core/hashing.h"

#include <openssl/evp.h>
#include <array>

#include "core/text.h"
#include "crv/core/error.h"

namespace crv::core {

std::string canonical_json(const Json& value) {
  return write_json(value, {.sort_keys = true});
}

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, 32> digest{};
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1)
    raise(ErrorCode::read_failed, "OpenSSL cannot compute SHA-256 on this system");
  return to_hex(digest);
}

std::string hash_row(const JsonObject& row) {
  return sha256_hex(canonical_json(row));
}
std::string hash_context(const JsonObject& context) {
  return hash_row(context);
}
std::string hash_state(const JsonObject& state) {
  return hash_row(state);
}

}  // namespace crv::core
