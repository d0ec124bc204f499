#include "io/storage.h"

#include <cerrno>

#include "crv/core/error.h"

namespace crv::io {
namespace {

std::optional<std::string> read_once(Storage& storage, const std::string& path) {
  const auto object = storage.open(path);
  if (!object) return std::nullopt;
  std::string bytes(static_cast<std::size_t>(object->size()), '\0');
  const auto got = object->read_at(0, object->size(), bytes.data());
  if (got != object->size()) {
    raise(ErrorCode::read_failed,
          "\"" + path + "\" became shorter while it was read: " + std::to_string(got) + " bytes of " +
              std::to_string(object->size()),
          {.path = path});
  }
  return bytes;
}

}  // namespace

std::optional<std::string> read_all(Storage& storage, const std::string& path) {
  constexpr int tries = 5;
  for (int i = 1;; ++i) {
    try {
      return read_once(storage, path);
    } catch (const IoReadError& e) {
      if (e.facts().os_error != ESTALE || i == tries) throw;
    }
  }
}

}  // namespace crv::io
