#include "crv/core/versioning.h"
namespace crv::core {
const SchemaVersion& schema_version() {
  static const SchemaVersion v(0, 1, "2025-09-20");
  return v;
}
}  // namespace crv::core
