// XXH3 of bytes, as docs/format.md has it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace crv::io {

// XXH3-64 of bytes as they come.
class Checksum {
 public:
  Checksum();
  ~Checksum();
  void update(const void* data, std::int64_t length);
  std::uint64_t value() const;
  std::string hex() const;  // 16 digits

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string checksum_text(std::string_view bytes);  // XXH3-64, 16 hex digits
std::string digest_text(std::string_view bytes);    // XXH3-128, 32 hex digits

}  // namespace crv::io
