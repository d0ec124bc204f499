#include "crv/core/ids.h"

#include "core/random.h"
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
  return std::string(prefix) + "_" + to_hex(random_bytes<10>());
}

}  // namespace crv::core
