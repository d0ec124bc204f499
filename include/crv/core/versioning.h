// Versions of the canonical schema.
#pragma once

#include <string>

namespace crv::core {

struct SchemaVersion {
  int major = 0;
  int minor = 0;
  std::string date;  // ISO 8601 date

  SchemaVersion() = default;
  // Throws VersionMismatch (bad_version): major, then minor, must not be negative, then date must be an ISO
  // date.
  SchemaVersion(int major, int minor, std::string date);

  std::string text() const;  // "0.1@2025-09-20"
  bool operator==(const SchemaVersion&) const = default;
};

// The version that this crv writes.
const SchemaVersion& schema_version();

// Major and minor are those of schema_version(); the date does not count.
bool is_compatible(const SchemaVersion& version);
// Same major and the next minor, or the next major with minor 0.
bool is_successor_of(const SchemaVersion& candidate, const SchemaVersion& current);

}  // namespace crv::core
