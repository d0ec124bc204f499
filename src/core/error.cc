#include "crv/core/error.h"

#include <utility>

#include "crv/core/shown.h"

namespace crv {
namespace {

// What a message quotes may hold anything; whoever reads it sees plain text. Only the list of broken rules is
// on several lines.
std::string message_of(const std::string& message, const ErrorFacts& facts) {
  return facts.violations.empty() ? printable(message) : printable_lines(message);
}

}  // namespace

Error::Error(ErrorCode code, const std::string& message, ErrorFacts facts)
    : std::runtime_error(message_of(message, facts)), code_(code), facts_(std::move(facts)) {}

}  // namespace crv
