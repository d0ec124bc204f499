// The one error regime of crv: every failure is a crv::Error with a code, a message for a person, and facts.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "crv/core/error_codes.h"
#include "crv/core/json.h"

namespace crv {

// A rule that rows of a frame break. The rules stand in docs/tables.md.
struct Violation {
  std::string rule{};      // "model.one_of", "column.finite", ...
  std::string column{};    // dotted path of a nested field: "action_candidates[].score"
  std::string reason{};    // what the rule asks for: "must be one of buy, sell"
  std::int64_t count = 0;  // rows that break it
  struct Row {
    std::int64_t row = 0;  // of the caller's frame, from 0
    std::string value;     // as text, cut where it is long
  };
  std::vector<Row> first{};  // the first few of them
};
Json to_json(const Violation& violation);

// What an error is about, apart from its message. Fields that do not apply are empty. Each has an
// initializer, so that {.path = p} draws no warning.
struct ErrorFacts {
  std::string run_id{};
  std::string table{};
  std::string column{};                // dotted path of a nested field: "claims.items[].price"
  std::string key{};                   // a setting or JSON key
  std::string value{};                 // the offending value, as text
  std::string path{};                  // a file or folder
  std::optional<std::int64_t> row{};   // first offending row of the caller's frame, from 0
  std::optional<std::int64_t> line{};  // line of a text input, from 1
  std::optional<std::int64_t> bucket{};
  std::optional<std::int64_t> seq{};    // number of a commit
  int os_error = 0;                     // errno where the system refused something, else 0
  std::vector<Violation> violations{};  // with validate_rows: every rule that the frame breaks
};
// Those that apply, by their names.
JsonObject to_json(const ErrorFacts& facts);

// Base of all errors of crv. Thrown by value, caught by reference; copies share nothing mutable.
class Error : public std::runtime_error {
 public:
  // what(): `message` with control characters and bytes that are not UTF-8 as escapes. Facts stay as they
  // are.
  Error(ErrorCode code, const std::string& message, ErrorFacts facts = {});

  ErrorCode code() const noexcept { return code_; }
  const ErrorFacts& facts() const noexcept { return facts_; }

 private:
  ErrorCode code_;
  ErrorFacts facts_;
};

#define CRV_ERROR_CLASS(name, base) \
  class name : public base {        \
   public:                          \
    using base::base;               \
  };
CRV_ERROR_CLASSES(CRV_ERROR_CLASS)
#undef CRV_ERROR_CLASS

// Throws `code` as the class that catalog/errors.toml gives it.
[[noreturn]] void raise(ErrorCode code, const std::string& message, ErrorFacts facts = {});

// Name of a code as it stands in catalog/errors.toml, e.g. "lossy_cast".
const char* name_of(ErrorCode code) noexcept;

}  // namespace crv
