#include "io/storage/storage.h"

namespace crv::io {

std::string read_whole(Reader& object, const std::string& path) {
  std::string bytes(static_cast<std::size_t>(object.size()), '\0');
  const auto got = object.read_at(0, object.size(), bytes.data());
  if (got != object.size()) {
    raise(ErrorCode::read_failed,
          "\"" + path + "\" became shorter while it was read: " + std::to_string(got) + " bytes of " +
              std::to_string(object.size()),
          {.path = path});
  }
  return bytes;
}

std::optional<std::string> read_all(Storage& storage, const std::string& path) {
  return read_object(storage, path, [&](Reader& object) { return read_whole(object, path); });
}

}  // namespace crv::io
