#include "io/base/checksum.h"

#include "core/text.h"
#include "io/base/hex.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace crv::io {

struct Checksum::State {
  XXH3_state_t sum;
};

Checksum::Checksum() : state_(std::make_unique<State>()) {
  XXH3_64bits_reset(&state_->sum);
}

Checksum::~Checksum() = default;

void Checksum::update(const void* data, std::int64_t length) {
  XXH3_64bits_update(&state_->sum, data, static_cast<std::size_t>(length));
}

std::uint64_t Checksum::value() const {
  return XXH3_64bits_digest(&state_->sum);
}

std::string Checksum::hex() const {
  return hex_text(value());
}

std::string checksum_text(std::string_view bytes) {
  return hex_text(XXH3_64bits(bytes.data(), bytes.size()));
}

std::string digest_text(std::string_view bytes) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
  return core::to_hex(canonical.digest);
}

}  // namespace crv::io
