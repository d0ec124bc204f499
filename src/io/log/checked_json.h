// JSON on disk: objects with a checksum of their own, in which each access checks, since what was read may
// hold anything. Damage is a typed error.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "crv/core/error.h"
#include "crv/core/json.h"

namespace crv::io {

// The newest format that this crv reads and writes. 1: a log without `prev`, as 0.1 wrote it. 2: a commit has
// `prev`, and there are fences. What holds only what format 1 has says so.
inline constexpr std::int64_t kFormatNumber = 2;

// What is being read, for the error's text and facts.
struct Origin {
  ErrorCode code = ErrorCode::log_damaged;
  std::string what;  // "commit 7", "manifest of exchange"
  std::string path;
  std::string table;
  std::int64_t seq = -1;

  [[noreturn]] void damaged(const std::string& why, std::string key = {}, std::string value = {}) const;
};

Json parse_sound(std::string_view text, const Origin& origin);

// A view of a JSON value; the value and the origin outlive it.
class Checked {
 public:
  static constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();

  Checked(const Json& json, const Origin& origin) : json_(json), origin_(origin) {}

  const Json* find(std::string_view key) const;  // nullptr where it is missing
  std::string text(std::string_view key) const;
  std::int64_t integer(std::string_view key, std::int64_t at_least = lowest) const;
  const JsonObject& object(std::string_view key) const;
  std::vector<Checked> items(std::string_view key) const;         // of an array
  std::vector<Checked> items_if_any(std::string_view key) const;  // none where it is missing
  std::int64_t integer_at(std::size_t i, std::int64_t at_least = lowest) const;
  std::string text_at(std::size_t i) const;
  std::string as_text() const;
  [[noreturn]] void damaged(std::string_view key, const std::string& why) const;

 private:
  const Json& require(std::string_view key) const;
  const Json& at(std::size_t i) const;
  std::int64_t integer_of(const Json& value, std::string_view key, std::int64_t at_least) const;

  const Json& json_;
  const Origin& origin_;
};

// Adds the field "checksum" to the text of a JSON object, and tells whether it fits. One line, as commits
// have it, or two spaces a level, as manifests do.
enum class Layout { line, indented };
void seal(std::string& object, Layout layout = Layout::line);
bool is_sealed(std::string_view object, Layout layout = Layout::line);
// What stands before the checksum's digits and after them.
struct SealMarks {
  std::string_view before, after;

  constexpr std::size_t length() const { return before.size() + 16 + after.size(); }
};
constexpr SealMarks seal_marks(Layout layout) {
  return layout == Layout::line ? SealMarks{",\"checksum\":\"", "\"}"}
                                : SealMarks{",\n  \"checksum\": \"", "\"\n}"};
}

// Refuses a format number beyond the one that this crv writes (format_too_new), and anything that is none.
void check_format(const Checked& json);

}  // namespace crv::io
