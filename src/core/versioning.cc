#include "crv/core/versioning.h"

#include <array>
#include <chrono>
#include <optional>
#include <string_view>

#include "crv/core/error.h"

namespace crv::core {
namespace {

// Reads a run of digits of exactly `text`'s length.
std::optional<int> digits(std::string_view text) {
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

bool is_calendar_date(std::string_view year, std::string_view month, std::string_view day) {
  const auto y = digits(year), m = digits(month), d = digits(day);
  if (!y || !m || !d || *y < 1) return false;
  return std::chrono::year_month_day(std::chrono::year(*y), std::chrono::month(static_cast<unsigned>(*m)),
                                     std::chrono::day(static_cast<unsigned>(*d)))
      .ok();
}

// A year has a week 53 where its first of January is a Thursday, or a Wednesday of a leap year.
int weeks_of(int year) {
  using namespace std::chrono;
  const weekday first(sys_days(std::chrono::year(year) / January / 1));
  return first == Thursday || (first == Wednesday && std::chrono::year(year).is_leap()) ? 53 : 52;
}

bool is_week_date(std::string_view year, std::string_view week, std::string_view day) {
  const auto y = digits(year), w = digits(week), d = digits(day);
  if (!y || !w || !d || *y < 1) return false;
  return *w >= 1 && *w <= weeks_of(*y) && *d >= 1 && *d <= 7;
}

// The forms of ISO 8601 that name a day: 2025-09-20, 20250920, 2025-W38-6, 2025W386, and a week's Monday:
// 2025-W38, 2025W38.
bool is_iso_date(std::string_view text) {
  if (text.size() < 7) return false;
  const std::string_view year = text.substr(0, 4);
  std::string_view rest = text.substr(4);
  const bool dashes = rest.front() == '-';
  if (dashes) rest.remove_prefix(1);
  if (rest.front() == 'W') {
    rest.remove_prefix(1);
    if (rest.size() == 2) return is_week_date(year, rest, "1");
    if (dashes)
      return rest.size() == 4 && rest[2] == '-' && is_week_date(year, rest.substr(0, 2), rest.substr(3));
    return rest.size() == 3 && is_week_date(year, rest.substr(0, 2), rest.substr(2));
  }
  if (dashes)
    return rest.size() == 5 && rest[2] == '-' && is_calendar_date(year, rest.substr(0, 2), rest.substr(3));
  return rest.size() == 4 && is_calendar_date(year, rest.substr(0, 2), rest.substr(2));
}

}  // namespace

SchemaVersion::SchemaVersion(int major_number, int minor_number, std::string iso_date)
    : major(major_number), minor(minor_number), date(std::move(iso_date)) {
  const auto refuse = [](const std::string& rule, const std::string& key, const std::string& value) {
    raise(ErrorCode::bad_version, "SchemaVersion " + key + " must be " + rule + ", not `" + value + "`",
          {.key = key, .value = value});
  };
  if (major < 0) refuse("non-negative", "major", std::to_string(major));
  if (minor < 0) refuse("non-negative", "minor", std::to_string(minor));
  if (!is_iso_date(date)) refuse("ISO (a day, as in 2025-09-20)", "date", date);
}

std::string SchemaVersion::text() const {
  return std::to_string(major) + "." + std::to_string(minor) + "@" + date;
}

bool is_compatible(const SchemaVersion& version) {
  return version.major == schema_version().major && version.minor == schema_version().minor;
}

bool is_successor_of(const SchemaVersion& candidate, const SchemaVersion& current) {
  if (candidate.major == current.major) return candidate.minor == current.minor + 1;
  return candidate.major == current.major + 1 && candidate.minor == 0;
}

}  // namespace crv::core
