#include "crv/core/ids.h"

#include <openssl/rand.h>
#include <array>

#include "core/text.h"
#include "crv/core/error.h"
#include "crv/core/grammar.h"

namespace crv::core {

RunId make_run_id(std::string_view prefix) {
  if (!is_lower_snake(prefix)) {
    raise(ErrorCode::bad_identifier,
          "The prefix of a run id must be lower_snake (a-z, 0-9, single underscores between), not `" +
              std::string(prefix) + "`",
          {.key = "prefix", .value = std::string(prefix)});
  }
  std::array<unsigned char, 10> bytes;
  if (RAND_bytes(bytes.data(), bytes.size()) != 1) {
    raise(ErrorCode::read_failed, "The system's random source cannot be read, so no run id can be made");
  }
  return std::string(prefix) + "_" + to_hex(bytes);
}

}  // namespace crv::core
